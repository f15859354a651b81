"""What is true in the drawn world's own words is right to every judge, and what another photo says is not."""

from __future__ import annotations

import random

import pytest

from photopal.lab.experiments.question_makers import MAKERS, PhotoFacts
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import Person, draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import plan_scene
from photopal.lab.synthetic.wording import (
    NUMBERS,
    caption_words,
    clothes_words,
    describe_fully,
    describe_identity,
    join_words,
    sentence,
    side_words,
)
from photopal.prompts import absent_answer

NAMES = ("Anna", "Ben", "Rex", "Mia")


def photos(count):
    """Photos of none to three, some of them known by name."""
    rng = random.Random(12)
    found = []
    for number in range(count):
        scene = plan_scene([draw_identity(rng) for _ in range(number % 4)], rng)
        names = tuple(name if rng.random() < 0.6 else None for name in NAMES[: len(scene.subjects)])
        absent = tuple(name for name in NAMES if name not in names)
        found.append(PhotoFacts(draw_photo(scene, size_px=64), names, absent))
    return found


PHOTOS = photos(120)


def asked(shown, who):
    """The subject that a question speaks of."""
    if who in shown.names:
        return shown.scene.subjects[shown.names.index(who)]
    return next(subject for words, subject in shown.alone() if words == who)


def who_is_there(shown):
    names = [name for name in shown.names if name is not None]
    if not names:
        return "Nobody I know." if shown.names else "Nobody."
    return sentence(join_words([*names, *(["somebody else"] if len(names) < len(shown.names) else [])]))


def neighbors(shown, name):
    near = shown.neighbors(name)
    said = [shown.names[i] or describe_identity(shown.scene.subjects[i].identity) for i in near]
    return sentence(join_words(said)) if said else "Nobody."


TRUTHS = {
    "place": lambda shown, gaps: sentence(PLACES[shown.scene.place]),
    "activity": lambda shown, gaps: f"{gaps['who']} is {asked(shown, gaps['who']).activity}.",
    "outfit": lambda shown, gaps: sentence(clothes_words(asked(shown, gaps["who"]))),
    "top": lambda shown, gaps: sentence(asked(shown, gaps["who"]).clothes.top),
    "trousers": lambda shown, gaps: sentence(asked(shown, gaps["who"]).clothes.trousers),
    "count": lambda shown, gaps: f"{NUMBERS[shown.count(gaps['what'])]}.",
    "who": lambda shown, gaps: who_is_there(shown),
    "side": lambda shown, gaps: sentence(side_words(asked(shown, gaps["name"]))),
    "beside": lambda shown, gaps: neighbors(shown, gaps["name"]),
    "absent": lambda shown, gaps: absent_answer(gaps["name"]),
    "hair": lambda shown, gaps: sentence(asked(shown, gaps["who"]).identity.hair_color),
    "age": lambda shown, gaps: f"{gaps['who']} is {describe_fully(asked(shown, gaps['who']).identity)}.",
    "species": lambda shown, gaps: f"{gaps['who']} is {describe_fully(asked(shown, gaps['who']).identity)}.",
    "coat": lambda shown, gaps: f"{gaps['who']} is {describe_fully(asked(shown, gaps['who']).identity)}.",
    "scene": lambda shown, gaps: caption_words(shown.scene, shown.names),
}


@pytest.mark.parametrize("kind", TRUTHS)
def test_the_truth_in_the_words_of_the_drawn_world_is_right(kind):
    rng = random.Random(0)
    seen = 0
    for shown in PHOTOS:
        topic = MAKERS[kind](shown, rng)
        if topic is not None:
            seen += 1
            answer = TRUTHS[kind](shown, topic.gaps)
            assert topic.is_right(answer), (topic.gaps, answer)
    assert seen >= 8


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind not in TRUTHS])
def test_every_other_kind_is_a_matter_of_one_right_word(kind):
    rng = random.Random(0)
    words = ("Yes", "No", "Day.", "Sunset.", "Night.", "Sunny.", "Cloudy.", "Rainy.")
    seen = 0
    for shown in PHOTOS:
        topic = MAKERS[kind](shown, rng)
        if topic is not None:
            seen += 1
            assert [topic.is_right(word) for word in words].count(True) == 1
    assert seen >= 8


@pytest.mark.parametrize("kind", ["place", "activity", "outfit", "scene"])
def test_the_truth_about_another_photo_is_mostly_wrong(kind):
    """A judge that is easily pleased would show here."""
    rng = random.Random(1)
    topics = [(shown, topic) for shown in PHOTOS if (topic := MAKERS[kind](shown, rng)) is not None]
    answers = [TRUTHS[kind](shown, topic.gaps) for shown, topic in topics]
    pleased = [topic.is_right(answers[place - 1]) for place, (_, topic) in enumerate(topics)]
    assert sum(pleased) / len(pleased) < 0.25


def test_only_people_are_asked_about_clothes():
    rng = random.Random(2)
    for shown in PHOTOS:
        topic = MAKERS["outfit"](shown, rng)
        assert topic is None or isinstance(asked(shown, topic.gaps["who"]).identity, Person)
