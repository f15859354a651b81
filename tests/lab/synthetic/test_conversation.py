"""What is said of a scene is true of it, over many scenes, whatever is asked."""

import random
import re
from collections import Counter

import numpy as np
import pytest

from photopal.lab.synthetic.conversation import converse
from photopal.lab.synthetic.dialogue.questions import colors_of
from photopal.lab.synthetic.dialogue.roughen import roughen
from photopal.lab.synthetic.dialogue.talk import PROPS, Talk, all_grammars, pattern, phrase, things_of
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import Person, Pet, draw_identity
from photopal.lab.synthetic.painting.places import INDOORS, PLACES
from photopal.lab.synthetic.scene import plan_scene
from photopal.lab.synthetic.wording import (
    NUMBERS,
    caption_words,
    clothes_words,
    describe_fully,
    full_caption_words,
    short_caption_words,
    side_words,
    with_article,
)

NAMES = ("Zora", "Quentin", "Xaver", "Wolke")
ABSENT = ("Yusuf", "Vroni")
SIDES = ("on the left", "in the middle", "on the right")
THINGS_WITH_ARTICLE = {thing: doing for doing, thing in PROPS.items()}


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
    for seed in range(1200):
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
    name = exchange.fields.get("name") or asked(exchange)[0]
    if name.startswith("the "):
        (subject,) = of_word(talk, name.removeprefix("the "))
        return subject
    return present(talk)[name]


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


@pytest.mark.slow
def test_every_kind_of_question_is_asked(talks):
    assert set(talks) == {
        "caption", "recognition", "who", "activity", "clothes", "position", "beside", "appearance",
        "choice", "absent", "place", "light", "count", "exists",
    }  # fmt: skip
    assert min(len(held) for held in talks.values()) >= 20


@pytest.mark.slow
def test_questions_are_asked_in_many_wordings(talks):
    for kind, fewest in {"place": 100, "recognition": 150, "position": 80, "count": 100, "who": 150}.items():
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
        subjects, fields = talk.scene.subjects, exchange.fields
        if exchange.way == "who_does":
            told_who(talk, exchange, [s for s in subjects if s.activity == fields["doing"]])
        elif exchange.way == "who_wears":
            told_who(talk, exchange, [s for s in subjects if fields["garment"] in things_of(s)])
        elif exchange.way == "side_who":
            told_who(talk, exchange, [s for s in subjects if side_words(s) == fields["side"]])
        elif exchange.way == "furthest":
            end = min if fields["end"] == "left" else max
            told_who(talk, exchange, [end(subjects, key=lambda subject: subject.x)])
        else:
            said = {name for name in (*NAMES, *ABSENT) if name in exchange.answer}
            assert said == set(present(talk))
            strangers = len(subjects) - len(said)
            if exchange.way == "anybody":
                assert exchange.answer.startswith("Yes, " if said else "No")
            elif said:
                assert ("somebody else" in exchange.answer) == (strangers > 0)
            else:
                assert exchange.answer == ("Nobody I know." if strangers else "Nobody.")


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
        what = exchange.fields["what"]
        number = {"people": talk.scene.people, "persons": talk.scene.people}.get(what)
        if what in {"pets", "animals"}:
            number = talk.scene.pets
        elif what == "children":
            identities = [s.identity for s in talk.scene.subjects]
            number = sum(isinstance(one, Person) and one.age == "child" for one in identities)
        elif number is None:
            number = len(of_word(talk, what.removesuffix("s")))
        assert exchange.answer == f"{NUMBERS[number]}."
        assert what in exchange.question


def test_what_is_said_to_exist_is_there(talks):
    for talk, exchange in talks["exists"]:
        what = exchange.fields["what"]
        assert what in exchange.question.lower()
        subjects = talk.scene.subjects
        if what in THINGS_WITH_ARTICLE:
            assert says(exchange) == any(s.activity == THINGS_WITH_ARTICLE[what] for s in subjects)
        elif what.removeprefix("a ") in ("dog", "cat", "rabbit", "parrot", "person", "pet"):
            assert says(exchange) == bool(of_word(talk, what.removeprefix("a ")))
        elif what == "glasses":
            people = [s.identity for s in of_word(talk, "person")]
            assert says(exchange) == any(one.glasses != "none" for one in people)
        elif what == "a hat":
            dressed = [s.clothes for s in subjects if s.clothes is not None]
            assert says(exchange) == any(clothes.hat != "none" for clothes in dressed)


def test_the_place_is_right(talks):
    for talk, exchange in talks["place"]:
        here = talk.scene.place
        is_inside = here in INDOORS
        truth = {
            "place": f"{PLACES[here][0].upper()}{PLACES[here][1:]}.",
            "in_or_out": "Indoors." if is_inside else "Outdoors.",
            "is_inside": "Yes" if is_inside else "No",
            "is_outside": "No" if is_inside else "Yes",
            "is_place": "Yes" if exchange.fields.get("where") == PLACES[here] else "No",
        }
        assert exchange.answer == truth[exchange.way]


def test_the_light_is_asked_for_outdoors_and_right(talks):
    ways = Counter()
    for talk, exchange in talks["light"]:
        scene = talk.scene
        assert scene.place not in INDOORS
        weather = "rainy" if scene.has_rain else "cloudy" if scene.light == "cloudy" else "sunny"
        time = {"night": "night", "sunset": "sunset"}.get(scene.light, "day")
        asked_weather = exchange.fields.get("weather", "").replace("raining", "rainy")
        truth = {
            "time": time,
            "weather": weather,
            "dark": time == "night",
            "bright": time == "day",
            "rain": scene.has_rain,
            "dry": not scene.has_rain,
            "is_time": exchange.fields.get("light") == time,
            "is_weather": asked_weather == weather,
        }[exchange.way]
        if isinstance(truth, bool):
            assert says(exchange) == truth
        else:
            assert exchange.answer == f"{truth.capitalize()}."
        if exchange.way in {"weather", "rain", "dry", "is_weather"}:
            assert scene.light != "night"
        ways[exchange.way] += 1
    assert len(ways) == 8


def test_activities_are_those_of_the_one_asked_about(talks):
    for talk, exchange in talks["activity"]:
        doing = subject_of(talk, exchange).activity
        if exchange.way == "is_doing":
            assert says(exchange) == (exchange.fields["doing"] == doing)
        elif exchange.way == "activity":
            assert exchange.answer.endswith(f" is {doing}.")
        else:
            assert exchange.way == "holds"
            held = PROPS.get(doing, "nothing") if doing != "riding a bicycle" else "nothing"
            assert exchange.answer.lower() == f"{held}."


def test_clothes_and_colors_are_those_of_the_one_asked_about(talks):
    ways = Counter()
    for talk, exchange in talks["clothes"]:
        subject, way, said = subject_of(talk, exchange), exchange.way, exchange.answer.lower()
        worn = subject.clothes
        ways[way] += 1
        if way == "wears":
            assert says(exchange) == (exchange.fields["garment"] in things_of(subject))
        elif way == "clothes":
            assert said == f"{clothes_words(subject)}."
        elif way == "has_hat":
            assert says(exchange) == (worn.hat != "none")
        elif way == "which_hat":
            assert said.endswith("none." if worn.hat == "none" else f"{worn.hat_color} {worn.hat}.")
        else:
            garment = exchange.fields.get("garment", way)
            colors = {"collar": subject.collar}
            if worn is not None:
                colors |= {"top": worn.top, "trousers": worn.trousers, "hat": worn.hat_color}
                colors[worn.hat] = worn.hat_color
            if garment in colors:
                assert said == f"{colors[garment]}."
            elif garment == "hair":
                assert said == f"{subject.identity.hair_color}."
            else:
                assert garment in {"fur", "plumage"}
                assert said.startswith(subject.identity.coat)
    assert set(ways) == {"wears", "clothes", "has_hat", "which_hat", "top", "trousers", "colour_of"}


def test_a_position_is_told_only_where_the_side_is_clear(talks):
    for talk, exchange in talks["position"]:
        side = side_words(subject_of(talk, exchange))
        if exchange.way == "position":
            assert exchange.answer.lower() == f"{side}."
        else:
            assert says(exchange) == (exchange.fields["side"] == side)


def test_those_beside_somebody_are_the_nearest_on_each_side(talks):
    for talk, exchange in talks["beside"]:
        order = sorted(talk.scene.subjects, key=lambda subject: subject.x)
        if not is_open(exchange):
            assert says(exchange) == (len(order) == 1)
            continue
        place = order.index(subject_of(talk, exchange))
        told_who(talk, exchange, [order[n] for n in (place - 1, place + 1) if 0 <= n < len(order)])


def test_looks_are_told_of_those_in_the_photo_and_of_those_who_are_not(talks):
    ways = Counter()
    for talk, exchange in talks["appearance"]:
        looks = dict(zip(talk.absent, talk.absent_looks, strict=True))
        who = looks.get(exchange.fields["name"])
        who = subject_of(talk, exchange).identity if who is None else who
        said, kind = exchange.answer.lower(), who.species if isinstance(who, Pet) else who.age
        ways[exchange.way] += 1
        if exchange.way == "appearance":
            assert said.endswith(f" is {describe_fully(who)}.".lower())
        elif exchange.way in {"species", "age"}:
            assert said in {f"a {kind}.", f"an {kind}."}
        elif exchange.way == "hair":
            assert said == f"{who.hair_color}."
        elif exchange.way == "glasses":
            assert says(exchange) == (who.glasses != "none")
        elif exchange.way == "coat":
            assert said.startswith(who.coat)
        elif exchange.way == "is_kind":
            true = {kind, "pet" if isinstance(who, Pet) else "person"}
            assert says(exchange) == (exchange.fields["kind"].split(" ", 1)[1] in true)
        elif exchange.fields["look"] == "glasses":
            assert says(exchange) == (who.glasses != "none")
        elif exchange.fields["look"] == "freckles":
            assert says(exchange) == who.has_freckles
    assert len(ways) == 8


def is_true(talk, exchange, option):
    """Whether an option of a lettered question is true of the scene."""
    way, fields = exchange.fields["asked"], exchange.fields
    there, order = present(talk), sorted(talk.scene.subjects, key=lambda subject: subject.x)
    identities = {name: subject.identity for name, subject in there.items()}
    identities |= dict(zip(talk.absent, talk.absent_looks, strict=True))
    if way in {"place", "place_of"}:
        return option == PLACES[talk.scene.place]
    if way == "count":
        number = talk.scene.people if fields["what"] == "people" else talk.scene.pets
        return option == NUMBERS[number].lower()
    if way == "appearance":
        return option == describe_fully(identities[fields["name"]])
    if way == "who_looks":
        return describe_fully(identities[option]) == fields["looks"]
    if way == "furthest":
        named = [subject for subject in order if subject in there.values()]
        return there.get(option) is named[0 if fields["end"] == "left" else -1]
    if way in {"who_does", "who_wears", "beside"}:
        return option in there and fits(way, fields, order, there, there[option])
    subject = there[fields["name"]]
    true = {"position": side_words(subject), "activity": subject.activity}
    return option == true.get(way, colors_of(subject).get(fields.get("garment", "top")))


def fits(way, fields, order, there, subject):
    """Whether somebody does or wears what is asked, or is beside the one asked about."""
    if way == "who_does":
        return subject.activity == fields["doing"]
    if way == "who_wears":
        return fields["garment"] in things_of(subject)
    return abs(order.index(there[fields["name"]]) - order.index(subject)) == 1


def test_of_lettered_options_only_that_of_the_answer_is_true(talks):
    ways = Counter()
    for talk, exchange in talks["choice"]:
        listed = exchange.fields["options"]
        options = dict(re.findall(r"([ABCD])\. (.*?)(?= [ABCD]\. |$)", listed))
        assert listed in exchange.question
        assert 2 <= len(options) <= 4
        true = [letter for letter, words in options.items() if is_true(talk, exchange, words)]
        assert true == [exchange.answer]
        ways[exchange.fields["asked"]] += 1
    assert len(ways) == 13
    assert min(ways.values()) >= 10


def test_only_the_absent_are_said_to_be_absent(talks):
    for talk, exchange in talks["absent"]:
        (name,) = asked(exchange)
        assert name in talk.absent
        assert exchange.answer == f"{name} is not in this photo."


@pytest.mark.slow
def test_every_phrasing_of_a_grammar_fits_its_pattern_and_no_other_does():
    rng = random.Random(0)
    names = (
        "at name other what where light weather doing garment look side kind who question options end looks"
    )
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
