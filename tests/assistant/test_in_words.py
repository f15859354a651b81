"""Of those whose names the model does not know it hears words; the user reads names."""

from dataclasses import replace

import pytest

from photopal.assistant.ask import ask_each, ask_photo
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_photo
from photopal.assistant.caption_in_words import Telling
from photopal.assistant.captioner import write_captions
from photopal.assistant.named_question import read_names
from photopal.concepts.initialize import begin_with_words
from photopal.photos import open_photo
from photopal.prompts import CAPTION_QUESTION, build_prompt
from photopal.vlm import load_model

LOOKS = {"Anna": "a tall woman", "Ben": "a small boy"}


@pytest.fixture
def speaking(assistant):
    """The assistant with both concepts in words."""
    concepts = [
        begin_with_words(assistant.model, assistant.bank.concepts[c.id], LOOKS[c.name])
        for c in assistant.concepts
    ]
    return Assistant(assistant.model, assistant.bank.with_concepts(concepts), assistant.concepts)


@pytest.fixture
def analysis(speaking, drawn_family):
    """A photo on which both are known to be, Ben on the left."""
    looked = speaking.analyze(open_photo(drawn_family.both, max_side_px=320))
    points = {"Ben": (0.2, 0.5), "Anna": (0.8, 0.5)}
    sightings = [replace(s, is_present=True, point=points[s.concept.name]) for s in looked.sightings]
    return replace(looked, sightings=tuple(sightings))


@pytest.fixture
def telling(speaking, analysis):
    def begin(**looks: str) -> Telling:
        prompt = build_prompt(CAPTION_QUESTION)
        return Telling(speaking.model, prompt, analysis.features, None, looks)

    return begin


def fits(telling, monkeypatch, **liked: str):
    """Every description fits best where its word was said."""

    def fit(before, looks, after):
        return 1.0 * any(word in after for words, word in liked.items() if words in looks)

    monkeypatch.setattr(telling, "_fit", fit)


def test_a_caption_of_nobody_is_what_the_model_says(telling):
    one = telling()
    one.go_on("A dog is running.")
    assert (one.text, one.is_done) == ("A dog is running.", True)


def test_a_name_gets_the_clause_that_its_description_fits_best(telling, monkeypatch):
    one = telling(Anna="a tall woman")
    fits(one, monkeypatch, woman="reading")
    one.go_on("A man with a hat and a beard is waving and an adult is reading in the snow.")
    assert one.words == "A man with a hat and a beard is waving and a tall woman is"
    assert not one.is_done
    one.go_on("reading a book.")
    assert one.text == "A man with a hat and a beard is waving and Anna is reading a book."
    assert one.is_done


def test_several_names_get_clauses_of_their_own_from_left_to_right(telling, monkeypatch):
    one = telling(Ben="a small boy", Anna="a tall woman")
    fits(one, monkeypatch, boy="waving", woman="reading")
    one.go_on("A child is waving, a woman is reading and a dog is running.")
    assert one.words == "A small boy is"
    one.go_on("waving, a dog is running and a woman is reading.")
    assert one.text == "Ben is waving, a dog is running and Anna is"
    one.go_on("reading at the beach.")
    assert one.text == "Ben is waving, a dog is running and Anna is reading at the beach."


def test_somebody_else_who_looks_so_gets_no_name(telling, monkeypatch):
    one = telling(Ben="a small boy")
    fits(one, monkeypatch, boy="waving")
    one.go_on("A small boy is reading and a child is waving.")
    one.go_on("waving at a small boy.")
    assert one.text == "A small boy is reading and Ben is waving at a small boy."


def test_of_whom_nothing_is_said_nothing_is_invented(telling, monkeypatch):
    one = telling(Ben="a small boy", Anna="a tall woman")
    fits(one, monkeypatch)
    one.go_on("A child is waving.")
    one.go_on("waving in the snow.")
    assert one.text == "Ben is waving in the snow. Also in the photo: Anna."
    assert one.is_done


@pytest.mark.parametrize("kind", ["tiny_llava", "tiny_smolvlm", "tiny_qwen"])
def test_how_well_a_place_fits_is_the_same_with_and_without_a_shared_beginning(
    kind, request, drawn_family, monkeypatch
):
    model = load_model(request.getfixturevalue(kind), device="cpu")
    [features] = model.encode_photos([open_photo(drawn_family.both, max_side_px=320)])

    def fit(after):
        one = Telling(model, build_prompt(CAPTION_QUESTION), features, None, LOOKS)
        return one._fit("A dog is up and", "a tall woman", after)

    quick = fit("reading"), fit("zebra quartz")
    assert quick[0] != quick[1]
    monkeypatch.setattr(model, "extends_prefixes", False)
    assert (fit("reading"), fit("zebra quartz")) == pytest.approx(quick, abs=1e-4)


def test_captions_name_those_who_are_there_whatever_the_model_says(speaking, analysis):
    [text] = write_captions(speaking, [analysis])
    assert "Anna" in text
    assert "Ben" in text
    assert not any(looks in text.lower() for looks in LOOKS.values())
    assert caption_photo(speaking, analysis).text == text
    nobody = replace(analysis, sightings=tuple(replace(s, is_present=False) for s in analysis.sightings))
    assert write_captions(speaking, [nobody, analysis])[1] == text


def test_there_is_no_bound_to_how_many_are_spoken_of_in_words(speaking, analysis, monkeypatch):
    monkeypatch.setattr("photopal.assistant.assistant.MOST_CONCEPTS", 1)
    assert speaking.personalize(analysis).descriptions.keys() == LOOKS.keys()


def test_the_model_is_asked_in_words_and_answers_with_names(speaking, analysis, monkeypatch):
    asked = []

    def generate(model, encoded, features=None, concepts=None, **_):
        asked.append((model.decode(encoded.ids), concepts))
        return "The tall woman is reading to a small boy."

    monkeypatch.setattr(type(speaking.model), "generate", generate)
    pieces = []
    answer = ask_photo(speaking, analysis, "What is Anna doing?", on_text=pieces.append)
    assert answer.text == "Anna is reading to Ben."
    assert "".join(pieces) == answer.text
    [(prompt, concepts)] = asked
    assert "What is the tall woman doing?" in prompt
    assert "Anna" not in prompt
    assert concepts is None
    [same] = ask_each(speaking, analysis, ["What is Anna doing?"])
    assert same.text == answer.text


def test_a_word_that_is_also_a_name_is_not_described(speaking, analysis, monkeypatch):
    asked = []

    def generate(model, encoded, *_, **__):
        asked.append(model.decode(encoded.ids))
        return "It is red."

    monkeypatch.setattr(type(speaking.model), "generate", generate)
    speaking.concepts = [replace(c, name={"Anna": "Rose"}.get(c.name, c.name)) for c in speaking.concepts]
    sightings = tuple(
        replace(s, concept=next(c for c in speaking.concepts if c.id == s.concept.id))
        for s in analysis.sightings
    )
    seen = replace(analysis, sightings=sightings)
    ask_photo(speaking, seen, "Is the rose red?")
    ask_photo(speaking, seen, "Is the rose in front of Rose?")
    assert "Is the rose red?" in asked[0]
    assert "Is the rose in front of the tall woman?" in asked[1]


def test_recognition_is_asked_with_the_soft_tokens(speaking, analysis):
    [request] = speaking.recognition_prompts(analysis.features, speaking.concepts[:1])
    soft = speaking.bank.concepts[speaking.concepts[0].id].token_count
    assert int((request.encoded.ids >= speaking.model.vocab_size).sum()) == soft + 1
    assert request.concepts is not None


def test_an_answer_about_the_dog_is_said_again_of_the_description(speaking, analysis, monkeypatch):
    begun = []

    def generate(model, encoded, features=None, concepts=None, **_):
        begun.append(model.decode(encoded.ids).partition("ASSISTANT:")[2].strip())
        return "running beside a small boy." if begun[-1] else "The woman in red is standing."

    monkeypatch.setattr(type(speaking.model), "generate", generate)
    answer = ask_photo(speaking, analysis, "What is Anna doing?")
    assert answer.text == "Anna is running beside Ben."
    assert begun == ["", "The tall woman is"]


@pytest.mark.parametrize("question", ["Is Anna here?", "Can you see Anna and Ben in the picture?"])
def test_who_is_there_is_decided_before_and_not_by_who_looks_so(question, speaking, analysis, monkeypatch):
    monkeypatch.setattr(type(speaking.model), "generate", None)
    answer = ask_photo(speaking, analysis, question)
    assert (answer.text, answer.is_from_model) == ("Yes.", False)
    alone = tuple(replace(s, is_present=s.concept.name == "Anna") for s in analysis.sightings)
    answer = ask_photo(speaking, replace(analysis, sightings=alone), question)
    assert answer.text == ("Yes." if question == "Is Anna here?" else "No. Ben is not in this photo.")


@pytest.mark.parametrize(
    "question", ["Who is in this photo?", "who can you see", "What is happening in the picture?"]
)
def test_who_all_is_there_is_told_as_in_a_caption(question, speaking, analysis):
    answer = ask_photo(speaking, analysis, question)
    assert answer.text == write_captions(speaking, [analysis])[0]
    assert "Anna" in answer.text
    assert "Ben" in answer.text
    assert ask_each(speaking, analysis, [question])[0].text == answer.text


def test_of_those_who_are_not_there_the_model_is_not_asked(speaking, analysis, monkeypatch):
    asked = []

    def generate(model, encoded, features=None, concepts=None, **_):
        asked.append(model.decode(encoded.ids))
        return "The small boy is reading to a tall woman."

    monkeypatch.setattr(type(speaking.model), "generate", generate)
    alone = replace(
        analysis,
        sightings=tuple(replace(s, is_present=s.concept.name == "Ben") for s in analysis.sightings),
    )
    # Somebody else looks like Anna.
    answer = ask_photo(speaking, alone, "What are Anna and Ben doing?")
    assert answer.text == "Anna is not in this photo. Ben is reading to a tall woman."
    assert "What is the small boy doing?" in asked[-1]
    assert ask_each(speaking, alone, ["What are Anna and Ben doing?"])[0].text == answer.text
    assert ask_photo(speaking, alone, "What is Ben doing with Anna?").text == "Anna is not in this photo."
    assert len(asked) == 2


def test_of_two_who_look_alike_neither_is_named_for_what_the_model_says(speaking, analysis, monkeypatch):
    monkeypatch.setattr(type(speaking.model), "generate", lambda *_, **__: "A small boy is waving.")
    concepts = [replace(concept, words="a small boy") for concept in speaking.bank.concepts.values()]
    alike = Assistant(speaking.model, speaking.bank.with_concepts(concepts), speaking.concepts)
    assert ask_photo(alike, analysis, "What is Anna doing?").text == "A small boy is waving."
    [caption] = write_captions(alike, [analysis])
    assert caption.endswith("Also in the photo: Anna and Ben.")
    assert caption.count("Ben") == caption.count("Anna") == 1


@pytest.mark.parametrize(
    ("question", "without", "about_others"),
    [
        ("What are Ben and Tom doing?", "Tom", "What is Ben doing?"),
        ("Are Tom & Ben swimming?", "Tom", "Is Ben swimming?"),
        ("What are Anna, Tom and Ben wearing?", "Tom", "What are Anna and Ben wearing?"),
        ("What are Tom, Anna, and Ben wearing?", "Tom", "What are Anna, and Ben wearing?"),
        ("What are Anna, Ben, and Tom wearing?", "Tom", "What are Anna, Ben wearing?"),
        ("What color are Ben and Tom's hats?", "Tom", "What color is Ben's hats?"),
        ("What are Ben and Tom doing, and where is Tom?", "Tom", None),
        ("What is Ben doing with Tom?", "Tom", None),
        ("Is Ben or Tom taller?", "Tom", None),
        ("What are the colors of Ben's hat?", "", "What are the colors of Ben's hat?"),
    ],
)
def test_a_question_about_several_can_be_asked_about_some(question, without, about_others):
    asked = read_names(question, ["Anna", "Ben", "Tom"])
    assert asked.without([without] if without else []) == about_others


@pytest.mark.parametrize(
    ("question", "each"),
    [
        ("What are Ben and Tom doing?", ["What is Ben doing?", "What is Tom doing?"]),
        (
            "what are Anna, Ben and Tom wearing in this photo?",
            ["what is Anna wearing in this photo?", "what is Ben wearing in this photo?",
             "what is Tom wearing in this photo?"],
        ),
        ("Where are Ben and Tom?", ["Where is Ben?", "Where is Tom?"]),
        ("What are Ben and Tom looking at?", ["What are Ben and Tom looking at?"]),
        ("What are Ben and Tom doing with Anna?", ["What are Ben and Tom doing with Anna?"]),
        ("Are Ben and Tom fighting?", ["Are Ben and Tom fighting?"]),
        ("What is Ben doing?", ["What is Ben doing?"]),
    ],
)  # fmt: skip
def test_a_question_that_is_one_for_each_is_asked_of_each(question, each):
    assert list(read_names(question, ["Anna", "Ben", "Tom"]).each()) == each
