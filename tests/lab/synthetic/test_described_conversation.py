"""What is said of a scene in which nobody has a name is true of it, over many scenes, whatever is asked."""

import random
import re
from collections import Counter

import pytest

from photopal.lab.synthetic.conversation import converse_without_names
from photopal.lab.synthetic.dialogue.descriptions import (
    describe,
    describe_almost,
    describe_nobody,
    describe_only,
    facts_of,
)
from photopal.lab.synthetic.dialogue.questions import colors_of
from photopal.lab.synthetic.dialogue.talk import things_of
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import plan_scene
from photopal.lab.synthetic.wording import (
    NUMBERS,
    caption_words,
    describe_fully,
    describe_identity,
    side_words,
    with_article,
)

SPEAKS_OF_MARK = re.compile(r"\b[Mm]ark (?:[Nn]umber )?(\d)")
OF_OPTIONS = {"who_looks", "who_does", "who_wears", "beside", "furthest"}
"""Ways of asking whose options say who."""


def draw_scene(seed):
    rng = random.Random(seed)
    return plan_scene([draw_identity(rng, held_out=None) for _ in range(rng.randint(0, 4))], rng)


def draw_marks_of(scene, seed):
    rng = random.Random(f"marks {seed}")
    indices = [index for index in range(len(scene.subjects)) if rng.random() < 0.8]
    return dict(zip(indices, rng.sample(range(1, 10), len(indices)), strict=True)) if seed % 2 else {}


@pytest.fixture(scope="module")
def held():
    """Triples of a scene, its marks and all the exchanges of one kind that came of it."""
    found = {}
    for seed in range(1200):
        scene = draw_scene(seed)
        marks = draw_marks_of(scene, seed)
        for exchange in converse_without_names(scene, random.Random(seed), marks=marks, count=14):
            found.setdefault(exchange.kind, []).append((scene, marks, exchange))
    return found


def fitting(scene, words):
    """The subjects that a description fits, read word by word: an independent reading of it."""
    found = []
    for subject in scene.subjects:
        facts = facts_of(subject)
        nouns = sorted(facts.pop("noun"), key=len, reverse=True)
        noun = next((noun for noun in nouns if re.match(rf"{noun}\b", words)), None)
        if noun is None:
            continue
        left = words.removeprefix(noun).strip()
        phrases = sorted((p for told in facts.values() for p in told), key=len, reverse=True)
        for phrase in phrases:
            left = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", "", left, count=1)
        if not re.sub(r"\b(?:with|in|and)\b|[ ,]", "", left):
            found.append(subject)
    return found


def at_mark(scene, marks, text):
    """The subject at the mark that a text speaks of; None where there is no such mark."""
    number = int(SPEAKS_OF_MARK.search(text)[1])
    return next((scene.subjects[index] for index, of in marks.items() if of == number), None)


def subject_of(scene, marks, name):
    """The one that is spoken of, or None if there is none."""
    if SPEAKS_OF_MARK.search(name):
        return at_mark(scene, marks, name)
    found = fitting(scene, name.removeprefix("the "))
    return found[0] if len(found) == 1 else None


@pytest.mark.slow
def test_every_kind_of_question_is_asked(held):
    assert set(held) == {
        "caption", "described", "mark", "marked", "absent", "choice", "activity", "clothes", "position",
        "beside", "appearance", "place", "light", "count", "exists", "who", "everybody",
    }  # fmt: skip
    assert min(len(of) for of in held.values()) >= 100


@pytest.mark.slow
def test_nobody_has_a_name_or_is_a_stranger(held):
    for of in held.values():
        for _, _, exchange in of:
            text = f"{exchange.question} {exchange.answer}"
            assert "<|" not in text
            assert not re.search(r"\bsomebody else\b|\bNobody I know\b", exchange.answer)
            assert "Nobody I know" not in text


@pytest.mark.slow
def test_captions_describe_everybody(held):
    for scene, _, exchange in held["caption"]:
        if exchange.way == "caption":
            assert exchange.answer == caption_words(scene, [None] * len(scene.subjects))


def test_yes_is_said_exactly_when_a_description_fits_somebody(held):
    answers = Counter()
    for scene, _, exchange in held["described"]:
        words = re.sub(r"^an? ", "", exchange.fields["what"])
        assert (exchange.answer == "Yes") == bool(fitting(scene, words)), exchange
        answers[exchange.answer] += bool(scene.subjects)
    assert 0.4 < answers["Yes"] / answers.total() < 0.6


def test_most_descriptions_of_nobody_are_one_attribute_apart():
    apart = Counter()
    for seed in range(400):
        scene = draw_scene(seed)
        rng = random.Random(seed)
        nobody = describe_nobody(scene.subjects, rng)
        if nobody is None or not scene.subjects:
            continue
        assert not any(nobody.fits(subject) for subject in scene.subjects)
        told = {nobody.noun, *nobody.looks, *nobody.worn} | ({nobody.doing} if nobody.doing else set())
        wrong = min(
            len(told - {words for phrases in facts_of(subject).values() for words in phrases})
            for subject in scene.subjects
        )
        apart[wrong] += 1
    assert apart[0] == 0
    assert apart[1] > 0.7 * apart.total()


def test_a_description_fits_the_one_it_is_of_and_almost_fits_not():
    for seed in range(300):
        scene, rng = draw_scene(seed), random.Random(seed)
        for subject in scene.subjects:
            assert describe(subject, rng).fits(subject)
            only = describe_only(subject, scene.subjects, rng)
            assert only is None or [s for s in scene.subjects if only.fits(s)] == [subject]
            almost = describe_almost(subject, rng)
            assert almost is None or not almost.fits(subject)


def test_marks_are_told_as_they_are_drawn(held):
    ways = Counter()
    for scene, marks, exchange in held["mark"]:
        if exchange.way == "at_mark":
            subject = at_mark(scene, marks, exchange.fields["at"])
            if subject is None:
                assert re.fullmatch(r"There is no mark \d\.", exchange.answer)
            else:
                told = describe_identity(subject.identity)
                assert exchange.answer == f"{told[:1].upper()}{told[1:]}."
        elif exchange.way == "mark_of":
            (subject,) = fitting(scene, exchange.fields["name"].removeprefix("the "))
            assert at_mark(scene, marks, exchange.answer) is subject
        else:
            words, where = re.fullmatch(r"an? (.*) (at .*)", exchange.fields["what"]).groups()
            is_so = at_mark(scene, marks, where) in fitting(scene, words)
            assert exchange.answer == ("Yes" if is_so else "No")
            ways[exchange.answer] += 1
        ways[exchange.way] += 1
    assert min(ways.values()) > 100
    assert 0.4 < ways["Yes"] / (ways["Yes"] + ways["No"]) < 0.65


def test_what_is_told_of_somebody_described_or_marked_is_true(held):
    checked = Counter()
    for kind in ("activity", "clothes", "position", "marked"):
        for scene, marks, exchange in held[kind]:
            name = exchange.fields.get("name", "")
            if re.fullmatch(r"the (person|pet|dog|cat|rabbit|parrot)", name) and kind != "marked":
                continue  # told as in conversations with names
            subject = subject_of(scene, marks, name)
            assert subject is not None, exchange
            if exchange.way == "activity":
                assert exchange.answer == f"{name[:1].upper()}{name[1:]} is {subject.activity}."
            elif exchange.way == "is_doing":
                assert (exchange.answer == "Yes") == (exchange.fields["doing"] == subject.activity)
            elif exchange.way == "wears":
                assert (exchange.answer == "Yes") == (exchange.fields["garment"] in things_of(subject))
            elif exchange.way == "top":
                assert exchange.answer.lower() == f"{subject.clothes.top}."
            elif exchange.way == "position":
                assert exchange.answer.lower() == f"{side_words(subject)}."
            else:
                continue
            checked[exchange.way] += 1
    assert min(checked[way] for way in ("activity", "is_doing", "wears", "top", "position")) >= 20


def test_only_those_who_are_not_there_are_said_to_be_absent(held):
    for scene, marks, exchange in held["absent"]:
        name = exchange.fields["name"]
        assert exchange.answer == f"{name[:1].upper()}{name[1:]} is not in this photo."
        if SPEAKS_OF_MARK.search(name):
            assert at_mark(scene, marks, name) is None
        else:
            assert not fitting(scene, name.removeprefix("the "))


def is_true(scene, marks, exchange, option):
    """Whether a lettered option answers what was asked, by the facts of the scene."""
    way, fields = exchange.fields["asked"], exchange.fields
    order = sorted(scene.subjects, key=lambda subject: subject.x)
    if way in {"place", "place_of"}:
        return option == PLACES[scene.place]
    if way == "count":
        return option == NUMBERS[scene.people if fields["what"] == "people" else scene.pets].lower()
    subject = subject_of(scene, marks, option if way in OF_OPTIONS else fields["name"])
    if way not in OF_OPTIONS:
        true = {"position": side_words(subject), "activity": subject.activity}
        true["appearance"] = describe_fully(subject.identity)
        return option == true.get(way, colors_of(subject).get(fields.get("garment", "top")))
    if subject is None:
        return False
    if way == "who_looks":
        return describe_fully(subject.identity) == fields["looks"]
    if way == "who_does":
        return subject.activity == fields["doing"]
    if way == "who_wears":
        return fields["garment"] in things_of(subject)
    if way == "beside":
        return abs(order.index(subject_of(scene, marks, fields["name"])) - order.index(subject)) == 1
    return True  # the furthest of those who have a description: checked with names


def test_of_lettered_options_only_that_of_the_answer_is_true(held):
    ways = Counter()
    for scene, marks, exchange in held["choice"]:
        options = dict(re.findall(r"([ABCD])\. (.*?)(?= [ABCD]\. |$)", exchange.fields["options"]))
        assert 2 <= len(options) <= 4
        true = [letter for letter, words in options.items() if is_true(scene, marks, exchange, words)]
        assert exchange.answer in true
        assert len(true) == 1 or exchange.fields["asked"] == "furthest"
        ways[exchange.fields["asked"]] += 1
    assert len(ways) == 13


def test_who_all_is_there_is_told_from_left_to_right(held):
    for scene, _, exchange in held["everybody"]:
        said = exchange.answer.lower()
        places = [
            said.find(describe_identity(subject.identity).lower())
            for subject in sorted(scene.subjects, key=lambda subject: subject.x)
        ]
        assert -1 not in places
        assert (said == "nobody.") == (not scene.subjects)


def test_the_same_seed_holds_the_same_conversation():
    for seed in range(10):
        scene = draw_scene(seed)
        one, other = (converse_without_names(scene, random.Random(seed), marks={}) for _ in range(2))
        assert one == other


def test_articles_go_before_descriptions():
    assert with_article("adult in a red top") == "an adult in a red top"


def test_words_that_stand_for_somebody_are_in_the_question_and_true_of_that_one(held):
    told = Counter()
    for kind, several in held.items():
        for scene, marks, exchange in several:
            mention = exchange.mention
            if mention is None:
                continue
            told[kind, mention.subject >= 0] += 1
            assert mention.words in exchange.question
            if kind in ("described", "exists"):
                assert (exchange.answer == "Yes") == (mention.subject >= 0)
            if kind == "absent":
                assert mention.subject == -1
            if kind == "described":
                words = re.sub("^an? ", "", mention.words)
                found = [scene.subjects.index(subject) for subject in fitting(scene, words)]
                assert found == [mention.subject] * (mention.subject >= 0)
            if exchange.way in ("at_mark", "mark_of") and mention.subject >= 0:
                [number] = SPEAKS_OF_MARK.findall(f"{exchange.question} {exchange.answer}")
                assert marks[mention.subject] == int(number)
    for kind in ("described", "exists", "who", "mark"):
        assert min(told[kind, True], told[kind, False]) >= 20, kind
    assert min(told["activity", True], told["marked", True], told["absent", False]) >= 20
