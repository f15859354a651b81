"""Readers find what an answer says, in whatever words, and nothing that it does not say."""

from __future__ import annotations

import pytest

from photopal.lab.metrics import answer_facts
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.painting.props import ACTIVITIES


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_read_in_the_words_of_captions(place):
    assert answer_facts.read_places(f"Anna is waving {PLACES[place]}.") == {place}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("In the woods.", {"forest"}),
        ("At the seaside", {"beach"}),
        ("In the kitchen or at the beach.", {"kitchen", "beach"}),
        ("On a snowy day.", {"snow"}),
        ("By a flake.", set()),
        ("", set()),
    ],
)
def test_places_are_read_in_other_words_and_all_of_them(text, places):
    assert answer_facts.read_places(text) == places


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_an_activity_is_read_in_the_words_of_captions(activity):
    assert answer_facts.read_activities(f"Ben is {activity} at the beach.") == {activity}


@pytest.mark.parametrize(
    ("text", "activities"),
    [
        ("The kite is in her hand.", {"flying a kite"}),
        ("She rides a bike", {"riding a bicycle"}),
        ("Fast asleep.", {"sleeping"}),
        ("The parrot flies.", {"flying"}),
        ("Rex is standing and waving.", {"standing", "waving"}),
        ("Eating an ice-cream", {"eating an ice cream"}),
        ("Holding a ball", {"playing with a ball"}),
        ("This is a photo of a football player", set()),
    ],
)
def test_activities_are_read_in_other_words(text, activities):
    assert answer_facts.read_activities(text) == activities


@pytest.mark.parametrize(
    ("text", "garments"),
    [
        ("A red striped top and blue trousers.", {("top", "red", "striped"), ("trousers", "blue", "plain")}),
        ("Anna is wearing a striped red shirt, blue jeans and a green party hat.",
         {("top", "red", "striped"), ("trousers", "blue", "plain"), ("party hat", "green", "plain")}),
        ("A top with stripes in red", {("top", "red", "striped")}),
        ("A grey cap", {("cap", "grey", "plain")}),
        ("A gray cap", {("cap", "grey", "plain")}),
        ("A red collar.", {("collar", "red", "plain")}),
        ("A purple cape.", {("cape", "purple", "plain")}),
        ("A red and blue top.", {("top", "blue", "plain")}),
        ("Nothing.", set()),
        ("A child with long red hair.", set()),
    ],
)  # fmt: skip
def test_garments_are_read_with_their_own_color_and_pattern(text, garments):
    assert answer_facts.read_garments(text) == garments


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Two.", {2}), ("There are 3 people.", {3}), ("None.", {0}), ("No dogs.", {0}),
        ("There is one person.", {1}), ("Nobody is here", {0}), ("Two or three", {2, 3}), ("Many", set()),
        ("Someone", set()),
    ],
)  # fmt: skip
def test_numbers_are_read(text, numbers):
    assert answer_facts.read_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "is_yes"),
    [
        ("Yes", True), ("Yes.", True), ("No, there is none.", False), ("no", False), ("Yes and no.", None),
        ("There is a dog.", None), ("", None), ("Nobody", None), ("I say no", None), ("Yesterday", None),
    ],
)  # fmt: skip
def test_yes_and_no_are_read_from_the_beginning_of_an_answer(text, is_yes):
    assert answer_facts.read_yes_no(text) is is_yes


def test_sides_species_light_and_weather_are_read():
    assert answer_facts.read_sides("On the left.") == {"on the left"}
    assert answer_facts.read_sides("In the centre of the photo") == {"in the middle"}
    assert answer_facts.read_sides("Left or right") == {"on the left", "on the right"}
    assert answer_facts.read_species("Two dogs and a cat") == {"dog", "cat"}
    assert answer_facts.read_light("At dusk.") == {"sunset"}
    assert answer_facts.read_light("It is day") == {"day"}
    assert answer_facts.read_weather("Overcast") == {"cloudy"}
    assert answer_facts.read_weather("It is raining.") == {"rainy"}
    assert answer_facts.read_colors("blonde, gray") == {"blond", "grey"}
    assert answer_facts.read_hats("A red party hat") == {"party hat"}


@pytest.mark.parametrize(
    ("text", "is_absent"),
    [
        ("Anna is not in this photo.", True),
        ("No. Anna is not in this photo.", True),
        ("Anna isn't here", True),
        ("I cannot see Anna.", True),
        ("Anna is waving.", False),
        ("Anna is not standing but waving.", False),
        ("Not on the left.", False),
        ("Yes.", False),
    ],
)
def test_a_refusal_says_that_somebody_is_not_there_and_nothing_else(text, is_absent):
    assert answer_facts.says_absent(text) is is_absent


def test_nobody_and_nobody_known_are_told_apart():
    assert answer_facts.says_nobody("Nobody.")
    assert answer_facts.says_nobody("Nobody is in the forest.")
    assert not answer_facts.says_nobody("Nobody I know.")
    assert not answer_facts.says_nobody("Anna.")
    assert answer_facts.says_unknown("Nobody I know.")
    assert answer_facts.says_unknown("Somebody else.")
    assert answer_facts.says_unknown("A child with long hair.")
    assert not answer_facts.says_unknown("Nobody.")
    assert not answer_facts.says_unknown("Anna.")
