"""What is said of a scene is true of it, over many scenes, whatever is asked."""

import random
import re
from collections import Counter

import numpy as np
import pytest

from photopal.drawn import draw_identity, draw_photo, plan_scene, side_words
from photopal.drawn.conversation import Talk, converse
from photopal.drawn.identity import Person, Pet
from photopal.drawn.painting.places import INDOORS, PLACES
from photopal.drawn.wording import NUMBERS, caption_words, clothes_words, describe_fully, with_article

NAMES = ("Zora", "Quentin", "Xaver", "Wolke")
ABSENT = ("Yusuf", "Vroni")
SIDES = ("on the left", "in the middle", "on the right")
THINGS = {
    "kite": "flying a kite",
    "guitar": "playing the guitar",
    "cake": "holding a cake",
    "ball": "playing with a ball",
    "umbrella": "holding an umbrella",
}


def draw_talk(seed):
    rng = random.Random(seed)
    scene = plan_scene([draw_identity(rng, held_out=None) for _ in range(rng.randint(0, 4))], rng)
    names = tuple(name if rng.random() < 0.65 else None for name in NAMES[: len(scene.subjects)])
    absent = ABSENT[: rng.randint(0, 2)]
    return Talk(scene, names, absent, tuple(draw_identity(rng) for _ in absent))


@pytest.fixture(scope="module")
def talks():
    """Pairs of a talk and all the exchanges of one kind that came of it."""
    held = {}
    for seed in range(300):
        talk = draw_talk(seed)
        for exchange in converse(talk, random.Random(seed), count=14):
            held.setdefault(exchange.kind, []).append((talk, exchange))
    return held


def present(talk):
    pairs = zip(talk.names, talk.scene.subjects, strict=True)
    return {name: subject for name, subject in pairs if name is not None}


def asked(exchange):
    return [name for name in (*NAMES, *ABSENT) if re.search(rf"\b{name}\b", exchange.question)]


def of_word(talk, word):
    people = [s for s in talk.scene.subjects if isinstance(s.identity, Person)]
    pets = [s for s in talk.scene.subjects if isinstance(s.identity, Pet)]
    if word in ("person", "pet"):
        return people if word == "person" else pets
    return [pet for pet in pets if pet.identity.species == word]


def subject_of(talk, exchange):
    """The one an exchange is about: named, or the only person or dog or cat."""
    names = asked(exchange)
    if names:
        return present(talk)[names[0]]
    (subject,) = of_word(talk, re.search(r"the (person|pet|dog|cat|rabbit|parrot)", exchange.question)[1])
    return subject


def test_every_kind_of_question_is_asked(talks):
    assert set(talks) == {
        "caption", "recognition", "who", "activity", "clothes", "position", "beside", "appearance",
        "choice", "absent", "place", "light", "count", "exists",
    }  # fmt: skip
    assert min(len(held) for held in talks.values()) >= 20


def test_recognition_says_yes_exactly_when_all_asked_names_are_present(talks):
    answers = Counter()
    for talk, exchange in talks["recognition"]:
        is_there = all(name in present(talk) for name in asked(exchange))
        assert exchange.answer == ("Yes" if is_there else "No")
        if talk.absent and present(talk):
            answers[exchange.answer] += 1
    assert 0.4 < answers["Yes"] / answers.total() < 0.6


def test_who_names_all_that_are_known_and_nobody_else(talks):
    for talk, exchange in talks["who"]:
        said = {name for name in (*NAMES, *ABSENT) if name in exchange.answer}
        strangers = len(talk.scene.subjects) - len(present(talk))
        assert said == set(present(talk))
        if said:
            assert ("somebody else" in exchange.answer) == (strangers > 0)
        else:
            assert exchange.answer == ("Nobody I know." if strangers else "Nobody.")


def test_a_caption_names_the_known_from_left_to_right_with_what_they_do_and_where(talks):
    for talk, exchange in talks["caption"]:
        order = sorted(present(talk).items(), key=lambda pair: pair[1].x)
        places = [exchange.answer.find(f"{name} is {subject.activity}") for name, subject in order]
        assert -1 not in places
        assert places == sorted(places)
        assert PLACES[talk.scene.place] in exchange.answer
        assert ("in the rain" in exchange.answer) == talk.scene.has_rain
        assert not any(name in exchange.answer for name in ABSENT)
        assert exchange.answer == caption_words(talk.scene, talk.names)


def test_counts_are_right(talks):
    for talk, exchange in talks["count"]:
        what = re.match(r"How many (\w+) are", exchange.question)[1]
        number = {"people": talk.scene.people, "pets": talk.scene.pets}.get(what)
        if number is None:
            number = len(of_word(talk, what.removesuffix("s")))
        assert exchange.answer == f"{NUMBERS[number]}."


def test_what_is_said_to_exist_is_there(talks):
    for talk, exchange in talks["exists"]:
        what = re.search(r"\ban? (\w+)", exchange.question)[1]
        if what in THINGS:
            is_there = any(subject.activity == THINGS[what] for subject in talk.scene.subjects)
        else:
            is_there = bool(of_word(talk, what))
        assert exchange.answer == ("Yes" if is_there else "No")


def test_the_place_is_right(talks):
    for talk, exchange in talks["place"]:
        assert exchange.answer.lower() == f"{PLACES[talk.scene.place]}."


def test_the_light_is_asked_for_outdoors_and_right(talks):
    for talk, exchange in talks["light"]:
        scene = talk.scene
        assert scene.place not in INDOORS
        if "weather" in exchange.question:
            assert scene.light != "night"
            is_clear = scene.light != "cloudy"
            assert exchange.answer == ("Rainy." if scene.has_rain else "Sunny." if is_clear else "Cloudy.")
        else:
            expected = {"night": "Night.", "sunset": "Sunset."}
            assert exchange.answer == expected.get(scene.light, "Day.")


def test_activities_and_clothes_are_those_of_the_one_asked_about(talks):
    for talk, exchange in talks["activity"]:
        assert exchange.answer.endswith(f" is {subject_of(talk, exchange).activity}.")
    for talk, exchange in talks["clothes"]:
        subject = subject_of(talk, exchange)
        words = clothes_words(subject)
        if "olour" in exchange.question:
            words = subject.clothes.top
        assert exchange.answer.lower() == f"{words}."


def test_a_position_is_told_only_where_the_side_is_clear(talks):
    for talk, exchange in talks["position"]:
        assert exchange.answer.lower() == f"{side_words(subject_of(talk, exchange))}."


def test_those_beside_somebody_are_the_nearest_on_each_side(talks):
    for talk, exchange in talks["beside"]:
        order = sorted(talk.scene.subjects, key=lambda subject: subject.x)
        place = order.index(subject_of(talk, exchange))
        near = [order[n] for n in (place - 1, place + 1) if 0 <= n < len(order)]
        named = {name for name, subject in present(talk).items() if subject in near}
        assert {name for name in NAMES if name in exchange.answer} == named
        assert (exchange.answer == "Nobody.") == (not near)


def test_looks_are_told_of_those_in_the_photo_and_of_those_who_are_not(talks):
    for talk, exchange in talks["appearance"]:
        looks = dict(zip(talk.absent, talk.absent_looks, strict=True))
        names = asked(exchange)
        who = looks[names[0]] if names and names[0] in looks else subject_of(talk, exchange).identity
        assert exchange.answer.lower().endswith(f"{describe_fully(who)}.")


def test_the_right_letter_stands_before_the_right_words(talks):
    for talk, exchange in talks["choice"]:
        text = exchange.question.removesuffix(" Answer with the letter.")
        options = dict(re.findall(r"([ABC])\. (.*?)(?= [ABC]\. |$)", text))
        subject = subject_of(talk, exchange)
        right = side_words(subject) if options["A"] in SIDES else subject.activity
        assert options[exchange.answer] == right
        assert list(options.values()).count(right) == 1
        assert len(options) == 3


def test_only_the_absent_are_said_to_be_absent(talks):
    for talk, exchange in talks["absent"]:
        (name,) = asked(exchange)
        assert name in talk.absent
        assert exchange.answer == f"{name} is not in this photo."


def test_the_same_seed_holds_the_same_conversation():
    for seed in range(10):
        one, other = (converse(draw_talk(seed), random.Random(seed)) for _ in range(2))
        assert one == other


def test_one_can_talk_of_a_photo_of_nobody_without_names():
    scene = plan_scene([], random.Random(0))
    exchanges = converse(Talk(scene, ()), random.Random(0), count=12)
    assert len(exchanges) == 12
    assert exchanges[0].answer.startswith("Nobody is ")


def test_side_words_agree_with_the_painted_picture():
    sides = Counter()
    for seed in range(150):
        rng = random.Random(seed)
        scene = plan_scene([draw_identity(rng)], rng)
        side = side_words(scene.subjects[0])
        middle = np.nonzero(draw_photo(scene, size_px=64, supersample=1).mask(0))[1].mean() / 64
        sides[side] += 1
        low, high = {
            "on the left": (0.0, 0.4), "in the middle": (0.32, 0.68), "on the right": (0.6, 1.0),
        }.get(side, (0.25, 0.75))  # fmt: skip
        assert low <= middle <= high
    assert min(sides.values()) >= 10


@pytest.mark.parametrize(("words", "said"), [("orange top", "an orange top"), ("red top", "a red top")])
def test_articles_fit_the_word_after_them(words, said):
    assert with_article(words) == said
