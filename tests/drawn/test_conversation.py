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
from photopal.drawn.painting.props import ACTIVITIES
from photopal.drawn.talking.grammars import all_grammars
from photopal.drawn.talking.phrasing import pattern, phrase
from photopal.drawn.talking.roughen import roughen
from photopal.drawn.talking.talk import PROPS, things_of
from photopal.drawn.wording import (
    NUMBERS,
    caption_words,
    clothes_words,
    describe_fully,
    full_caption_words,
    short_caption_words,
    with_article,
)

NAMES = ("Zora", "Quentin", "Xaver", "Wolke")
ABSENT = ("Yusuf", "Vroni")
SIDES = ("on the left", "in the middle", "on the right")
THINGS = {thing.split(" ", 1)[1]: doing for doing, thing in PROPS.items()}


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
    for seed in range(600):
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


def is_open(exchange):
    return exchange.answer not in {"Yes", "No"}


def says(exchange):
    return exchange.answer == "Yes"


def told_who(talk, exchange, fitting):
    """Whether an answer lists exactly these subjects: the named by name, the others by their looks."""
    names = {name for name, subject in present(talk).items() if subject in fitting}
    said = {name for name in (*NAMES, *ABSENT) if name in exchange.answer}
    assert said == names
    assert (exchange.answer == "Nobody.") == (not fitting)


def test_every_kind_of_question_is_asked(talks):
    assert set(talks) == {
        "caption", "recognition", "who", "activity", "clothes", "position", "beside", "appearance",
        "choice", "absent", "place", "light", "count", "exists",
    }  # fmt: skip
    assert min(len(held) for held in talks.values()) >= 20


def test_questions_are_asked_in_many_wordings(talks):
    for kind, fewest in {"place": 60, "recognition": 150, "position": 50, "count": 60, "who": 100}.items():
        nameless = Counter(
            re.sub("|".join((*NAMES, *ABSENT)), "X", exchange.question) for _, exchange in talks[kind]
        )
        assert len(nameless) >= fewest


def test_yes_is_about_as_often_right_as_no(talks):
    for kind in ("exists", "clothes", "activity", "position", "place", "light", "appearance"):
        answers = Counter(exchange.answer for _, exchange in talks[kind] if not is_open(exchange))
        assert 0.25 < answers["Yes"] / answers.total() < 0.78


def test_recognition_says_yes_exactly_when_all_asked_names_are_present(talks):
    answers = Counter()
    for talk, exchange in talks["recognition"]:
        is_there = all(name in present(talk) for name in asked(exchange))
        assert exchange.answer == ("Yes" if is_there else "No")
        if talk.absent and present(talk) and len(asked(exchange)) == 1:
            answers[exchange.answer] += 1
    assert 0.4 < answers["Yes"] / answers.total() < 0.6


def test_who_tells_all_that_fit_and_nobody_else(talks):
    for talk, exchange in talks["who"]:
        doing = re.search("|".join(ACTIVITIES), exchange.question)
        garment = re.search(r"(?:wears|is wearing|has|wearing) (.*?)[?.]$", exchange.question)
        side = re.search("|".join(SIDES), exchange.question)
        subjects = talk.scene.subjects
        if doing:
            told_who(talk, exchange, [s for s in subjects if s.activity == doing[0]])
        elif garment:
            told_who(talk, exchange, [s for s in subjects if garment[1] in things_of(s)])
        elif side:
            told_who(talk, exchange, [s for s in subjects if side_words(s) == side[0]])
        else:
            said = {name for name in (*NAMES, *ABSENT) if name in exchange.answer}
            assert said == set(present(talk))
            strangers = len(subjects) - len(said)
            if not said and is_open(exchange):
                assert exchange.answer == ("Nobody I know." if strangers else "Nobody.")
            elif not exchange.answer.startswith(("Yes", "No")):
                assert ("somebody else" in exchange.answer) == (strangers > 0)


def test_a_caption_names_the_known_from_left_to_right_and_says_where(talks):
    styles = Counter()
    for talk, exchange in talks["caption"]:
        order = sorted(present(talk).items(), key=lambda pair: pair[1].x)
        plain, short, full = (
            words(talk.scene, talk.names)
            for words in (caption_words, short_caption_words, full_caption_words)
        )
        styles[[plain, short, full].index(exchange.answer)] += 1
        places = [exchange.answer.find(name) for name, _ in order]
        assert -1 not in places
        assert places == sorted(places)
        assert PLACES[talk.scene.place] in exchange.answer
        assert ("in the rain" in exchange.answer) == talk.scene.has_rain
        assert not any(name in exchange.answer for name in ABSENT)
        if exchange.answer != short:
            assert all(f"{name} is {subject.activity}" in exchange.answer for name, subject in order)
    assert min(styles[number] for number in range(3)) >= 10


def test_counts_are_right(talks):
    for talk, exchange in talks["count"]:
        what = re.search(r"people|persons|pets|animals|dogs|cats|children", exchange.question)[0]
        number = {"people": talk.scene.people, "persons": talk.scene.people}.get(what)
        if what in {"pets", "animals"}:
            number = talk.scene.pets
        elif what == "children":
            identities = [s.identity for s in talk.scene.subjects]
            number = sum(isinstance(one, Person) and one.age == "child" for one in identities)
        elif number is None:
            number = len(of_word(talk, what.removesuffix("s")))
        assert exchange.answer == f"{NUMBERS[number]}."


def test_what_is_said_to_exist_is_there(talks):
    for talk, exchange in talks["exists"]:
        found = [what for what, doing in THINGS.items() if re.search(rf"\b{what}\b", exchange.question)]
        if found:
            is_there = any(subject.activity == THINGS[found[0]] for subject in talk.scene.subjects)
            assert says(exchange) == is_there
        elif beast := re.search(r"\ba (dog|cat|rabbit|parrot|person|pet)\b", exchange.question):
            assert says(exchange) == bool(of_word(talk, beast[1]))


def test_the_place_is_right(talks):
    for talk, exchange in talks["place"]:
        here = talk.scene.place
        if exchange.answer in {"Indoors.", "Outdoors."}:
            assert (exchange.answer == "Indoors.") == (here in INDOORS)
        elif is_open(exchange):
            assert exchange.answer.lower() == f"{PLACES[here]}."
        elif not re.search(r"side|doors", exchange.question):
            assert says(exchange) == (PLACES[here] in exchange.question)
        else:
            assert says(exchange) == (
                bool(re.search("inside|indoors", exchange.question)) == (here in INDOORS)
            )


def test_the_light_is_asked_for_outdoors_and_right(talks):
    for talk, exchange in talks["light"]:
        scene = talk.scene
        assert scene.place not in INDOORS
        weather = "rain" if scene.has_rain else "cloudy" if scene.light == "cloudy" else "sunny"
        time = {"night": "night", "sunset": "sunset"}.get(scene.light, "day")
        if not is_open(exchange):
            assert says(exchange) == (weather in exchange.question or f"{time}?" in exchange.question)
        elif "weather" in exchange.question:
            assert scene.light != "night"
            assert exchange.answer.lower().startswith(weather)
        else:
            assert exchange.answer.lower() == f"{time}."


def test_activities_are_those_of_the_one_asked_about(talks):
    for talk, exchange in talks["activity"]:
        doing = subject_of(talk, exchange).activity
        if not is_open(exchange):
            assert says(exchange) == (f" {doing}?" in exchange.question)
        elif " is " in exchange.answer:
            assert exchange.answer.endswith(f" is {doing}.")
        elif exchange.answer != "Nothing.":
            assert exchange.answer.lower().removesuffix(".") == PROPS[doing]


def test_clothes_and_colours_are_those_of_the_one_asked_about(talks):
    for talk, exchange in talks["clothes"]:
        subject = subject_of(talk, exchange)
        if not is_open(exchange):
            text = re.sub(r" here| in this (photo|picture)", "", exchange.question)
            garment = re.search(r" (?:wearing|wear|have|with|in) ([a-z ]+)[?]$", text)[1]
            assert says(exchange) == (garment in things_of(subject))
        elif "colour" not in exchange.question:
            assert exchange.answer.lower() == f"{clothes_words(subject)}."
        elif re.search(r"\btop\b", exchange.question):
            assert exchange.answer.lower() == f"{subject.clothes.top}."


def test_a_position_is_told_only_where_the_side_is_clear(talks):
    for talk, exchange in talks["position"]:
        side = side_words(subject_of(talk, exchange))
        if is_open(exchange):
            assert exchange.answer.lower() == f"{side}."
        else:
            assert says(exchange) == (str(side) in exchange.question)


def test_those_beside_somebody_are_the_nearest_on_each_side(talks):
    for talk, exchange in talks["beside"]:
        order = sorted(talk.scene.subjects, key=lambda subject: subject.x)
        if not is_open(exchange):
            assert says(exchange) == (len(order) == 1)
            continue
        place = order.index(subject_of(talk, exchange))
        told_who(talk, exchange, [order[n] for n in (place - 1, place + 1) if 0 <= n < len(order)])


def test_looks_are_told_of_those_in_the_photo_and_of_those_who_are_not(talks):
    for talk, exchange in talks["appearance"]:
        looks = dict(zip(talk.absent, talk.absent_looks, strict=True))
        names = asked(exchange)
        who = looks[names[0]] if names and names[0] in looks else subject_of(talk, exchange).identity
        if not is_open(exchange):
            beast = re.search(r"\ba (dog|cat|rabbit|parrot)\?", exchange.question)
            if beast:
                assert says(exchange) == (isinstance(who, Pet) and who.species == beast[1])
            elif "glasses" in exchange.question:
                assert says(exchange) == (who.glasses != "none")
        elif re.search("kind of|sort of|animal", exchange.question):
            assert exchange.answer.lower() == f"a {who.species}."
        else:
            assert exchange.answer.lower().endswith(f"{describe_fully(who)}.")


def test_the_right_letter_stands_before_the_right_words(talks):
    for talk, exchange in talks["choice"]:
        options = dict(
            re.findall(r"([ABCD])\. (.*?)(?= [ABCD]\. | Answer| Choose| Which)", exchange.question)
        )
        right = options[exchange.answer]
        assert list(options.values()).count(right) == 1
        assert 2 <= len(options) <= 4
        if right in (*NAMES, *ABSENT):
            doing = exchange.question.removeprefix("Who is ").split("?")[0]
            assert present(talk)[right].activity == doing
            continue
        subject = subject_of(talk, exchange)
        fitting = {side_words(subject), subject.activity} | (
            {subject.clothes.top} if subject.clothes else set()
        )
        assert right in fitting


def test_only_the_absent_are_said_to_be_absent(talks):
    for talk, exchange in talks["absent"]:
        (name,) = asked(exchange)
        assert name in talk.absent
        assert exchange.answer == f"{name} is not in this photo."


def test_every_phrasing_of_a_grammar_fits_its_pattern_and_no_other_does():
    rng = random.Random(0)
    names = "name other what where light weather doing garment look side kind who question options"
    fields = dict.fromkeys(names.split(), "Zora")
    for grammar in all_grammars():
        for _ in range(12):
            text = phrase(grammar, rng, **fields)
            assert pattern(grammar).fullmatch(text), (grammar, text)
            assert not re.search(r"[\[\]|{}]|  | [?.]", text)
    assert not pattern("Who is [this|that]?").fullmatch("Who is it?")
    assert pattern("Is {name} [here|in this [photo|picture]|]?").fullmatch("Is Zora in this picture?")


def test_the_same_seed_holds_the_same_conversation():
    for seed in range(10):
        one, other = (converse(draw_talk(seed), random.Random(seed)) for _ in range(2))
        assert one == other


def test_one_can_talk_of_a_photo_of_nobody_without_names():
    scene = plan_scene([], random.Random(0))
    exchanges = converse(Talk(scene, ()), random.Random(0), count=12)
    assert len(exchanges) == 12
    assert exchanges[0].answer.startswith("Nobody ")


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


def test_a_roughened_question_keeps_its_names_and_the_words_that_matter():
    rng = random.Random(0)
    seen = set()
    for _ in range(300):
        text = roughen("Which colour is the beanie of <|name:2|>?", rng)
        assert "<|name:2|>" in text
        assert {"colour", "beanie"} <= set(re.findall(r"\w+", text))
        seen.add(text)
    assert len(seen) > 150
