"""Options are told from questions in the ways people write them."""

import pytest

from photopal.lab.datasets.reading import bare_names, letter_of, take_apart, with_options


@pytest.mark.parametrize(
    "text",
    [
        "What is it? A. a cat B. a dog C. a bird",
        "What is it?\nA. a cat\nB. a dog\nC. a bird",
        "What is it? A) a cat; B) a dog; C) a bird",
        "What is it? (A) a cat (B) a dog (C) a bird",
        "What is it? A: a cat, B: a dog, C: a bird\nIMPORTANT: Answer the question using a single letter.",
        "What is it? A. a cat B. a dog C. a bird Answer with the letter.",
    ],
)
def test_options_are_found(text):
    parts = take_apart(text)
    assert parts.text == "What is it?"
    assert parts.options == ("a cat", "a dog", "a bird")


@pytest.mark.parametrize("text", ["Is it vitamin A. or not?", "What? B. this C. that", "Who? A. x C. y"])
def test_letters_that_are_no_options_stay_in_the_question(text):
    assert take_apart(text).options == ()
    assert take_apart(text).text == text


def test_a_name_that_is_a_letter_is_no_option():
    parts = take_apart("What is A. doing? A. waving B. reading")
    assert parts.options == ("waving", "reading")
    assert parts.text == "What is A. doing?"


def test_the_letter_of_an_answer_is_found_and_of_words_it_is_not():
    assert [letter_of(words) for words in ("B", "B.", "(C) both", " D: x")] == ["B", "B", "C", "D"]
    assert [letter_of(words) for words in ("Both", "", "a", "Ben")] == ["", "", "", ""]


def test_only_the_brackets_of_known_names_are_taken_away():
    assert bare_names("<A> beside <Alex> and <b>", ["A", "Alex"]) == "A beside Alex and <b>"
    assert bare_names("Is <sks> here?", ["Bo"]) == "Is Bo here?"
    assert bare_names("Is <sks> here?", ["Bo", "Al"]) == "Is <sks> here?"


def test_a_question_taken_apart_and_put_together_is_the_same():
    text = with_options("Where is Al?", ("on the left", "on the right"))
    parts = take_apart(text)
    assert with_options(parts.text, parts.options) == text
