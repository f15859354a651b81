"""Questions about one photo: who is asked about, and the plain word where they are not there."""

from dataclasses import replace

import pytest

from photopal.assistant.ask import ask_each, ask_photo, named_in
from photopal.library import ConceptRecord
from photopal.photos import open_photo
from photopal.vlm.placeholders import name_placeholder
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
def test_whether_somebody_is_there_is_answered_with_no_in_other_wordings_and_languages(
    assistant, drawn_family
):
    blind = certain(assistant, present=False)
    analysis = blind.analyze(open_photo(drawn_family.both))
    for question in ("Did Anna come along?", "Is that Anna over there?", "Ist Anna auf dem Bild?"):
        assert ask_photo(blind, analysis, question).text == "No. Anna is not in this photo."
    for question in ("Did Anna come first?", "Is that Anna's coat over there?", "Is Anna there alone?"):
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


WORDS = [concept(n, name) for n, name in enumerate(("Anna", "Will", "Rose", "May", "Sofia", "Paris"))]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What will happen next?", []),
        ("What will Anna do?", ["Anna"]),
        ("Will Anna swim?", ["Anna"]),
        ("What may this be?", []),
        ("Is there a rose in the vase?", []),
        ("Is the rose red?", []),
        ("Is Rose holding a rose?", ["Rose"]),
        ("Was it taken in May 2019?", []),
        ("Is Anna in Paris?", ["Anna"]),
        ("Is Rose here?", ["Rose"]),
        ("Is rose here?", ["Rose"]),
        ("What is Will doing?", ["Will"]),
        ("Is May next to Anna?", ["Anna", "May"]),
        ("Is May next to Sofia?", ["May", "Sofia"]),
        ("Is Paris near Will?", ["Will", "Paris"]),
        ("Can you see Will and Rose?", ["Will", "Rose"]),
        ("What color is Rose's hat?", ["Rose"]),
    ],
)
def test_a_word_that_is_also_a_name_is_one_only_where_it_stands_for_it(question, names):
    assert [one.name for one in named_in(question, WORDS)] == names


@pytest.mark.slow
def test_words_that_are_also_names_reach_the_model_as_words(assistant, drawn_family, monkeypatch):
    seer = certain(assistant, present=True)
    seer.concepts = [
        replace(known, name=name) for known, name in zip(seer.concepts, ("Will", "Rose"), strict=True)
    ]
    analysis = seer.analyze(open_photo(drawn_family.both))
    asked = []
    encode = seer.model.encode_prompt

    def note(prompt, *rest, **more):
        asked.append(prompt.user)
        return encode(prompt, *rest, **more)

    monkeypatch.setattr(seer.model, "encode_prompt", note)
    named = name_placeholder(0)  # whoever is asked about comes first
    for question, written in (
        ("What will the rose be?", "What will the rose be?"),
        ("Is the rose for Rose?", f"Is the rose for {named}?"),
        ("What will Will do?", f"What will {named} do?"),
    ):
        asked.clear()
        assert ask_photo(seer, analysis, question).is_from_model
        assert any(prompt.endswith(f" {written}") for prompt in asked)


@pytest.mark.slow
def test_nobody_is_absent_whose_name_is_a_word_in_the_question(assistant, drawn_family):
    blind = certain(assistant, present=False)
    blind.concepts = [
        replace(known, name=name) for known, name in zip(blind.concepts, ("Will", "Rose"), strict=True)
    ]
    analysis = blind.analyze(open_photo(drawn_family.both))
    for question in ("What will happen next?", "Is the rose red?"):
        assert ask_photo(blind, analysis, question).is_from_model
    assert ask_photo(blind, analysis, "Is Rose here?").text == "No. Rose is not in this photo."


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


@pytest.fixture
def ben_alone(assistant, drawn_family, monkeypatch):
    """An assistant whose model says one thing only, and a photo of Ben."""
    monkeypatch.setattr(type(assistant.model), "generate", lambda *_, **__: "On the left.")
    monkeypatch.setattr(
        "photopal.vlm.batch_decoder.answer_batch", lambda model, requests: ["On the left." for _ in requests]
    )
    seer = certain(assistant, present=True)
    analysis = seer.analyze(open_photo(drawn_family.both))
    sightings = tuple(replace(s, is_present=s.concept.name == "Ben") for s in analysis.sightings)
    return seer, replace(analysis, sightings=sightings)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where are Ben and Anna?", "Anna is not in this photo. Ben: On the left."),
        ("What is Ben doing with Anna?", "Anna is not in this photo."),
        ("Are Ben and Anna here?", "No. Anna is not in this photo."),
        ("Is Ben or Anna here?", "Anna is not in this photo. Ben is in this photo."),
        ("Where is Ben?", "On the left."),
    ],
)
def test_of_somebody_absent_that_is_said_and_of_the_others_what_is_asked(question, answer, ben_alone):
    seer, analysis = ben_alone
    assert ask_photo(seer, analysis, question).text == answer
    assert ask_each(seer, analysis, [question])[0].text == answer


def test_of_two_who_are_there_each_is_asked_about(ben_alone, monkeypatch):
    seer, analysis = ben_alone
    both = replace(analysis, sightings=tuple(replace(s, is_present=True) for s in analysis.sightings))
    pieces = []
    answer = ask_photo(seer, both, "Where are Anna and Ben?", on_text=pieces.append)
    assert answer.text == "".join(pieces) == "Anna: On the left. Ben: On the left."
    assert ask_each(seer, both, ["Where are Anna and Ben?"]) == [answer]
    assert ask_photo(seer, both, "Where are Anna, Ben and Anna?") == answer
    monkeypatch.setattr(type(seer.model), "generate", lambda *_, **__: "On the benches, by Annabel.")
    said = "Anna: On the benches, by Annabel. Ben: On the benches, by Annabel."
    assert ask_photo(seer, both, "Where are Anna and Ben?").text == said


def test_who_is_not_doing_something_is_asked_of_each_who_is_there(ben_alone, monkeypatch):
    seer, analysis = ben_alone
    for says, answer in (
        ("No", "Ben."),
        ("Yes", "Nobody you registered."),
        ("On the left.", "It is not clear whether Ben."),
    ):
        monkeypatch.setattr(type(seer.model), "generate", lambda *_, says=says, **__: says)
        assert ask_photo(seer, analysis, "Who isn't sleeping?").text == answer
    assert ask_photo(seer, analysis, "Who is not here?").text == "Anna is not in this photo."
    empty = replace(analysis, sightings=())
    assert ask_photo(seer, empty, "Who is not sleeping?").text == "Nobody you registered is in this photo."
