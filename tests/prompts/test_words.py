"""Descriptions stand for names in what a model is asked, and names for descriptions in what it says."""

import pytest

from photopal.prompts import recognition_question
from photopal.prompts.templates import is_recognition_question
from photopal.prompts.words import (
    after_verb,
    begins_with_one_of,
    definite,
    describe_names,
    name_descriptions,
    replace_names,
    split_clauses,
    tell_apart,
)

LOOKS = {"Rex": "a black dog", "Anna": "an adult with red hair"}


def test_questions_speak_of_descriptions():
    assert describe_names("What is Rex doing?", LOOKS) == "What is the black dog doing?"
    assert describe_names("Is Anna beside rex?", LOOKS) == "Is the adult with red hair beside the black dog?"
    assert describe_names("Is Rexona in it?", LOOKS) == "Is Rexona in it?"
    assert replace_names("Rex and Anna", LOOKS) == "a black dog and an adult with red hair"


@pytest.mark.parametrize(
    ("description", "of_somebody_known"),
    [
        ("a black dog", "the black dog"),
        ("An old man", "the old man"),
        ("the black dog", "the black dog"),
        ("black dog", "the black dog"),
        ("my black dog", "my black dog"),
        ("anchovy pizza", "the anchovy pizza"),
    ],
)
def test_somebody_known_has_the_definite_article(description, of_somebody_known):
    assert definite(description) == of_somebody_known


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("The black dog is running.", "Rex is running."),
        ("A black dog sits; the Adult with red hair waves.", "Rex sits; Anna waves."),
        ("The black dogs run.", "The black dogs run."),
        ("Black dog!", "Rex!"),
        ("A dog with red hair.", "A dog with red hair."),
    ],
)
def test_answers_that_repeat_a_description_get_the_name(answer, named):
    assert name_descriptions(answer, LOOKS) == named


def test_the_longest_description_wins():
    looks = {"Rex": "a black dog", "Max": "a black dog with a collar"}
    said = "A black dog with a collar is near a black dog."
    assert name_descriptions(said, looks) == "Max is near Rex."


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("A black dog with a ginger chest.", "A black dog with a ginger chest."),
        ("A dog is near a white parrot.", "Rex is near a white parrot."),
        ("The white parrot is flying and the parrot is up.", "The white parrot is flying and Luna is up."),
        ("Parrot.", "Luna."),
        ("A parrot wearing a hat.", "A parrot wearing a hat."),
        ("A child with red hair and a dog are here.", "Anna and Rex are here."),
        ("A child with red hair and freckles is here.", "A child with red hair and freckles is here."),
        ("A child with red hair, glasses and a hat.", "A child with red hair, glasses and a hat."),
        ("A child with red hair is up, a dog is down.", "Anna is up, Rex is down."),
    ],
)
def test_a_description_in_a_longer_one_is_not_repeated(answer, named):
    looks = {"Rex": "a dog", "Luna": "a parrot", "Anna": "a child with red hair"}
    assert name_descriptions(answer, looks) == named


def test_of_two_who_are_described_alike_nothing_is_said_by_name():
    looks = {"Rex": "a black dog", "Bo": "the Black dog", "Anna": "a child"}
    assert tell_apart(looks) == {"Anna": "a child"}
    said = "The black dog is running and a child is up."
    assert name_descriptions(said, looks) == "The black dog is running and Anna is up."


def test_a_hat_and_a_beard_are_no_clauses():
    text = "A man with a hat and a beard is running, a dog is asleep and two cats are up. It is late."
    clauses = split_clauses(text)
    assert clauses == [
        "A man with a hat and a beard is running, ",
        "a dog is asleep and ",
        "two cats are up. ",
        "It is late.",
    ]
    assert "".join(clauses) == text
    assert [after_verb(clause) for clause in clauses] == ["running,", "asleep and", "up.", "late."]


def test_what_goes_on_behind_somebody_is_ends_with_the_first_comma():
    assert split_clauses("running, a dog is asleep.", is_begun=True) == ["running, ", "a dog is asleep."]
    assert split_clauses("running, a dog is asleep.") == ["running, a dog is asleep."]
    assert after_verb("running") == ""


def test_an_answer_may_begin_with_one_such_as_is_described():
    assert begins_with_one_of("The dog is running.", "a black dog")
    assert begins_with_one_of("A black one on the left is running.", "a black dog")
    assert not begins_with_one_of("The cat is running.", "a black dog")
    assert not begins_with_one_of("Black.", "a black dog")
    assert not begins_with_one_of("On the left of the dog.", "a black dog")


@pytest.mark.parametrize(
    ("question", "is_one"),
    [
        ("Is Rex here?", True),
        ("is rex in the photo", True),
        ("Can you see Rex and Anna in this picture?", True),
        ("Are Rex, Anna here?", True),
        (recognition_question("Rex"), True),
        ("Are Rex, Anna, and C++ in it?", True),
        ("Can you see both Rex and Anna there?", True),
        ("Does Rex appear in these photos?", True),
        ("Is Rex or Anna here?", False),
        ("Is Rex not here?", False),
        ("Is only Rex here?", False),
        ("Is Rex here in 2021?", False),
        ("Is anyone besides Rex in this photo?", False),
        ("Is Rex asleep here?", False),
        ("Is Rex beside Anna in this photo?", False),
        ("What is Rex doing?", False),
        ("Is Rexona here?", False),
    ],
)
def test_questions_that_only_ask_who_is_there(question, is_one):
    assert is_recognition_question(question, ["Rex", "Anna", "C++"]) == is_one


def test_without_a_name_nobody_is_asked_for():
    assert not is_recognition_question("Is anybody here?", [])
