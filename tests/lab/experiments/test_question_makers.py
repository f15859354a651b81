"""Judges: right is what the scene says, in whatever words; anything else is wrong."""

from __future__ import annotations

import random

import numpy as np
import pytest

from photopal.lab.experiments.question_makers import MAKERS, PhotoFacts, facts_of_photo, tells_activities
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import Person, Pet
from photopal.lab.synthetic.painting.people import Clothes
from photopal.lab.synthetic.scene import Scene, Subject

ANNA = Person("pale", "red", "long", "round", "none", "slim", "child", False)
BEN = Person("dark", "black", "short", "none", "beard", "broad", "adult", False)
REX = Pet("dog", "brown", "white", "patched", "up", "big")
RED = Clothes("red", "striped", "blue", "cap", "green")
WHITE = Clothes("white", "plain", "black", "none", "red")


def shown(*, place="beach", light="day", has_rain=False, names=("Anna", None, "Rex"), absent=("Ida",)):
    """Anna with a kite on the left, a stranger reading in the middle, Rex running on the right."""
    subjects = (
        Subject(ANNA, "flying a kite", 0.2, 0.9, 0.5, False, RED),
        Subject(BEN, "reading a book", 0.5, 0.9, 0.6, False, WHITE),
        Subject(REX, "running", 0.78, 0.9, 0.22, False, None, "red"),
    )
    photo = draw_photo(Scene(place, light, subjects, seed=1, has_rain=has_rain), size_px=96)
    return PhotoFacts(photo, names, absent)


def empty(*, absent=("Anna",)):
    return PhotoFacts(draw_photo(Scene("forest", "night", (), seed=1), size_px=64), (), absent)


def topic(kind, view, *, until=lambda found: True):
    """A matter of a kind, tried with seeds until it is the one that is wanted."""
    for seed in range(200):
        found = MAKERS[kind](view, random.Random(seed))
        if found is not None and until(found):
            return found
    raise AssertionError(f"nothing of the kind {kind} is asked")


def of(name):
    return lambda found: found.gaps.get("who", found.gaps.get("name")) == name


def test_a_place_is_right_alone_and_not_among_others():
    is_right = topic("place", shown()).is_right
    assert is_right("At the beach.")
    assert is_right("By the seaside")
    assert not is_right("In the forest.")
    assert not is_right("At the beach or in the forest.")
    assert not is_right("")


def test_an_activity_is_that_of_the_one_asked_about():
    is_right = topic("activity", shown(), until=of("Anna")).is_right
    assert is_right("Anna is flying a kite.")
    assert is_right("With a kite")
    assert not is_right("Anna is reading a book.")
    assert not is_right("Anna is flying a kite and running.")
    assert not is_right("Rex is flying a kite.")
    assert not is_right("Anna is not in this photo.")


def test_clothes_are_right_with_every_garment_color_and_pattern():
    is_right = topic("outfit", shown(), until=of("Anna")).is_right
    assert is_right("A red striped top, blue trousers and a green cap.")
    assert is_right("She wears blue jeans, a striped red shirt and a green cap")
    assert not is_right("A red striped top and blue trousers.")
    assert not is_right("A red top, blue trousers and a green cap.")
    assert not is_right("A blue striped top, red trousers and a green cap.")
    assert not is_right("A red striped top, blue trousers, a green cap and a white beanie.")


def test_single_facts_of_clothes_and_looks_are_judged_by_themselves():
    view = shown()
    assert topic("top", view, until=of("Anna")).is_right("Red.")
    assert not topic("top", view, until=of("Anna")).is_right("Red and blue.")
    assert topic("hat", view, until=of("Anna")).answer == "Yes"
    assert topic("hair", view, until=of("Anna")).is_right("Anna has long red hair.")
    assert not topic("hair", view, until=of("Anna")).is_right("Black.")
    assert topic("glasses", view, until=of("Anna")).is_right("Yes, round ones.")
    assert topic("age", view, until=of("Anna")).is_right("A child")
    assert not topic("age", view, until=of("Anna")).is_right("An adult or a child")
    assert topic("species", view).is_right("Rex is a dog.")
    assert not topic("species", view).is_right("A cat.")
    coat = topic("coat", view, until=of("Rex")).is_right
    assert coat("Brown with white patches")
    assert coat("Brown")
    assert not coat("White")
    assert not coat("Brown and black")


@pytest.mark.parametrize(("what", "number"), [("people", 2), ("pets", 1), ("dogs", 1), ("cats", 0)])
def test_counts_are_those_of_the_scene(what, number):
    is_right = topic("count", shown(), until=lambda found: found.gaps["what"] == what).is_right
    words = ("None.", "One.", "Two.")
    assert [is_right(word) for word in words] == [place == number for place in range(3)]
    assert not is_right("One or two.")


def test_things_there_are_yes_and_things_missing_no():
    view = shown()
    for kind, answer in (("missing", "No"), ("found", "Yes")):
        things = set()
        for seed in range(60):
            found = MAKERS[kind](view, random.Random(seed))
            assert found.answer == answer
            assert found.is_right(answer + ".")
            assert not found.is_right("Yes." if answer == "No" else "No.")
            things.add(found.gaps["thing"])
        assert ("a kite" in things) == ("a dog" in things) == (kind == "found")
    assert "an umbrella" not in {MAKERS["missing"](view, random.Random(s)).gaps["thing"] for s in range(60)}


def test_light_and_weather_are_asked_where_they_can_be_seen():
    assert topic("time", shown(light="sunset")).is_right("At dusk.")
    assert not topic("time", shown(light="sunset")).is_right("Day.")
    assert topic("weather", shown(light="cloudy", has_rain=True)).is_right("Rainy.")
    assert not topic("weather", shown(light="cloudy")).is_right("Sunny.")
    assert topic("dark", shown(light="night")).answer == "Yes"
    assert topic("rain", shown()).answer == "No"
    for kind in ("time", "weather", "dark", "rain"):
        assert MAKERS[kind](shown(place="kitchen"), random.Random(0)) is None


def test_who_is_there_is_told_by_exactly_the_right_names():
    is_right = topic("who", shown()).is_right
    assert is_right("Anna, Rex and somebody else.")
    assert not is_right("Anna.")
    assert not is_right("Anna, Rex and Ida.")
    assert not is_right("Nobody.")


def test_strangers_and_empty_scenes_are_not_the_same():
    strangers = topic("who", shown(names=(None, None, None))).is_right
    assert strangers("Nobody I know.")
    assert strangers("A child and a dog.")
    assert not strangers("Nobody.")
    assert not strangers("Ida.")
    nobody = topic("who", empty()).is_right
    assert nobody("Nobody.")
    assert nobody("No one is there")
    assert not nobody("Nobody I know.")
    assert not nobody("Anna.")


def test_a_name_is_there_or_not():
    view = shown()
    assert topic("present", view, until=of("Anna")).answer == "Yes"
    assert topic("present", view, until=of("Ida")).answer == "No"


def test_sides_are_those_of_the_one_asked_about():
    is_right = topic("side", shown(), until=of("Rex")).is_right
    assert is_right("On the right.")
    assert not is_right("On the left.")
    assert not is_right("On the left or on the right")


def test_neighbors_are_named_where_they_have_names_and_told_where_not():
    anna = topic("beside", shown(), until=of("Anna")).is_right
    assert anna("An adult with short black hair.")
    assert not anna("Rex.")
    assert not anna("Nobody.")
    named = shown(names=("Anna", "Ben", "Rex"))
    ben = topic("beside", named, until=of("Ben")).is_right
    assert ben("Anna and Rex.")
    assert not ben("Anna.")
    assert not ben("Anna, Rex and somebody else.")


def test_an_absent_name_is_refused_and_nothing_made_up():
    is_right = topic("absent", shown()).is_right
    assert is_right("Ida is not in this photo.")
    assert is_right("No. Ida is not in this photo.")
    assert not is_right("Ida is waving.")
    assert not is_right("On the left.")
    assert not is_right("Anna is not in this photo.")


def test_a_description_is_right_with_names_place_and_what_everybody_does():
    is_right = topic("scene", shown()).is_right
    whole = "Anna is flying a kite, an adult is reading a book and Rex is running at the beach."
    assert is_right(whole)
    assert is_right("Anna, an adult and Rex at the beach.")
    assert not is_right(whole.replace("beach", "lake"))
    assert not is_right(whole.replace("Anna", "Ida"))
    assert not is_right(whole.replace("running", "sleeping"))


def test_activities_of_a_caption_belong_to_the_right_names():
    view = shown()
    assert tells_activities(view, "Anna is flying a kite, an adult is reading a book and Rex is running.")
    assert not tells_activities(view, "Anna is running, an adult is reading a book and Rex is flying a kite.")
    assert not tells_activities(view, "Anna is flying a kite and Rex is running.")
    assert tells_activities(empty(), "Nobody is in the forest.")
    assert not tells_activities(empty(), "Nobody is waving.")


def test_a_photo_is_shown_as_one_knows_it_who_knows_the_cast():
    view = facts_of_photo(
        shown().photo, (ANNA, REX, Pet("cat", "black", "black", "plain", "up", "small")), ("A", "R", "M")
    )
    assert view.names == ("A", None, "R")
    assert view.absent == ("M",)
    assert view.present == {"A", "R"}


def test_nobody_is_asked_about_who_cannot_be_seen_well():
    clear = shown()
    assert clear.clear == [0, 1, 2]
    hidden = PhotoFacts(
        draw_photo(
            Scene(
                "beach",
                "day",
                (
                    Subject(ANNA, "standing", 0.5, 0.85, 0.4, False, RED),
                    Subject(BEN, "standing", 0.5, 0.95, 0.8, False, WHITE),
                    Subject(BEN, "waving", 0.85, 1.2, 1.0, False, WHITE),
                ),
                seed=2,
            ),
            size_px=96,
        ),
        ("Anna", "Ben", None),
    )
    assert hidden.clear == [1]
    assert np.asarray(hidden.photo.owners).any()
    assert {name for name, _ in hidden.named()} == {"Ben"}
