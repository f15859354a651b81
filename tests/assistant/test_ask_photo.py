"""Questions about one photo: who is asked about, and the plain word where they are not there."""

import pytest

from photopal.assistant.ask import ask_each, ask_photo, named_in
from photopal.library import ConceptRecord
from photopal.photos import open_photo
from tests.assistant.certain import certain


def concept(number: int, name: str) -> ConceptRecord:
    return ConceptRecord(id=number, name=name, kind="person", about=None, created_at="")


@pytest.mark.slow
def test_somebody_absent_is_said_to_be_absent_without_asking_the_model(assistant, drawn_family):
    blind = certain(assistant, present=False)
    analysis = blind.analyze(open_photo(drawn_family.both))
    pieces = []
    answer = ask_photo(blind, analysis, "Is anna here?", on_text=pieces.append)
    assert answer.text == "No. Anna is not in this photo."
    assert not answer.is_from_model
    assert "".join(pieces) == answer.text
    both = ask_photo(blind, analysis, "What are Anna and Ben doing?")
    assert both.text == "Anna is not in this photo. Ben is not in this photo."
    for question in ("Is anyone besides Anna here?", "Is Anna not in this photo?"):
        assert ask_photo(blind, analysis, question).text == "Anna is not in this photo."


@pytest.mark.slow
def test_an_answer_of_the_model_is_told_piece_by_piece(assistant, drawn_family):
    seer = certain(assistant, present=True)
    analysis = seer.analyze(open_photo(drawn_family.both))
    pieces = []
    answer = ask_photo(seer, analysis, "What is Anna doing?", on_text=pieces.append)
    assert answer.is_from_model
    assert "".join(pieces).strip() == answer.text.strip()
    assert set(answer.names) == {"Anna", "Ben"}


@pytest.mark.slow
def test_a_question_without_names_is_asked_as_it_is(assistant, drawn_family):
    blind = certain(assistant, present=False)
    analysis = blind.analyze(open_photo(drawn_family.both))
    assert ask_photo(blind, analysis, "What colour is the sky?").is_from_model


def test_whole_names_only_and_the_longest_one():
    known = [concept(1, "A"), concept(2, "Anna"), concept(3, "Anna Maria"), concept(4, "Zoë")]

    def asked(question):
        return [one.name for one in named_in(question, known)]

    assert asked("Is Alex here?") == []
    assert asked("Where is ANNA MARIA?") == ["Anna Maria"]
    assert asked("Anna's dog and A") == ["A", "Anna"]
    assert asked("Is Zoe\u0308 here?") == ["Zoë"]


def test_the_twentieth_name_is_found_too():
    known = [concept(number, f"Name{number}") for number in range(20)]
    assert [one.id for one in named_in("Is name19 here?", known)] == [19]


QUESTIONS = (
    "What is Anna doing?",
    "Who is here?",
    "Is Ben next to Anna?",
    "What colour is the sky?",
    "Where is Ben?",
)


@pytest.mark.slow
def test_questions_that_share_the_photo_are_answered_as_each_on_a_fresh_look(assistant, drawn_family):
    seer = certain(assistant, present=True)
    image = open_photo(drawn_family.both)
    analysis = seer.analyze(image)
    fresh = [ask_photo(seer, seer.analyze(image), question) for question in QUESTIONS]
    assert [ask_photo(seer, analysis, question) for question in QUESTIONS] == fresh
    assert ask_each(seer, seer.analyze(image), QUESTIONS) == fresh
    assert len(analysis.marked) == 1
    assert 1 <= len(analysis.prefixes) <= 2


@pytest.mark.slow
def test_a_second_question_about_a_photo_computes_its_words_only(assistant, drawn_family, monkeypatch):
    seer = certain(assistant, present=True)
    analysis = seer.analyze(open_photo(drawn_family.both))
    ask_photo(seer, analysis, "What is Anna doing?")
    lengths = []
    forward = seer.model.forward

    def note(embeddings, **more):
        lengths.append(embeddings.shape[1])
        return forward(embeddings, **more)

    monkeypatch.setattr(seer.model, "forward", note)
    monkeypatch.setattr(seer.model, "encode_photos", lambda images: [] if not images else None)
    ask_photo(seer, analysis, "Where is Anna?")
    assert lengths[0] < 64  # the photo alone has 64 tokens


@pytest.mark.slow
def test_questions_asked_together_know_who_is_absent(assistant, drawn_family):
    blind = certain(assistant, present=False)
    analysis = blind.analyze(open_photo(drawn_family.both))
    together = ask_each(blind, analysis, QUESTIONS)
    assert together == [ask_photo(blind, analysis, question) for question in QUESTIONS]
    assert [answer.is_from_model for answer in together] == [False, True, False, True, False]
