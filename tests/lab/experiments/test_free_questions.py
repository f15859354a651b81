"""The free questions are what they claim: two hundred, natural to ask, and in no wording that is trained."""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import cache

import pytest

from photopal.lab.experiments.question_makers import MAKERS, PLAIN, free_questions
from photopal.lab.synthetic.conversation import converse
from photopal.lab.synthetic.dialogue import talk
from photopal.lab.synthetic.dialogue.talk import Talk, pattern
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.scene import plan_scene
from photopal.prompts import templates as questions

GAPS = {"who": "Anna", "name": "Anna", "what": "people", "thing": "a kite"}


@cache
def templates():
    """Every wording photopal itself uses, as grammars or plain sentences."""
    found = list(talk.all_grammars())
    for value in vars(questions).values():
        found += [value] if isinstance(value, str) else []
        found += [text for text in value if isinstance(text, str)] if isinstance(value, tuple) else []
    return [text for text in found if " " in text]


@cache
def strict(grammar):
    """A pattern of a grammar in which a gap is filled by one word, so that it fits nothing by chance."""
    source = pattern(grammar).pattern.replace(".+?", r"(?:\{\w+\}|anna)")
    return re.compile(source, re.IGNORECASE)


def plainly(text):
    return " ".join(re.findall(r"[a-z']+", text.lower()))


@cache
def plain_templates():
    return {plainly(text) for text in templates()}


def test_there_are_two_hundred_and_none_twice():
    wordings = [wording for _, wording in free_questions()]
    assert len(wordings) == 200
    assert len({plainly(wording) for wording in wordings}) == 200


@pytest.mark.parametrize(("kind", "wording"), free_questions())
def test_no_free_question_is_in_any_template(kind, wording):
    assert not [text for text in templates() if strict(text).fullmatch(wording)]
    assert plainly(wording) not in plain_templates()
    assert not [text for texts in PLAIN.values() for text in texts if plainly(text) == plainly(wording)]


@pytest.mark.slow
def test_no_conversation_ever_asks_a_free_question():
    rng = random.Random(0)
    asked = Counter()
    for _ in range(400):
        cast = [draw_identity(rng) for _ in range(3)]
        scene = plan_scene(cast[:2], rng)
        names = tuple("Anna" if subject.identity == cast[0] else None for subject in scene.subjects)
        talk = Talk(scene, names, ("Ben",), (cast[2],))
        asked.update(plainly(exchange.question) for exchange in converse(talk, rng))
    free = set()
    for _, wording in free_questions():
        for gap, fills in (("who", ("Anna", "Ben", "the person", "the dog")), ("name", ("Anna", "Ben"))):
            free |= {plainly(wording.format(**(GAPS | {gap: fill}))) for fill in fills}
    assert len(asked) > 500
    assert not sorted(free & asked.keys())


def test_every_free_question_has_a_kind_with_a_judge_and_gaps_that_can_be_filled():
    for kind, wording in free_questions():
        assert kind in MAKERS
        assert "{" not in wording.format(**GAPS)


def test_a_template_would_be_recognized_if_it_were_among_them():
    """The comparison has teeth: photopal's own wordings are found by it."""
    assert [text for text in templates() if strict(text).fullmatch("What is {who} doing here?")]
    assert [text for text in templates() if strict(text).fullmatch("Describe this photo.")]
    assert [text for text in templates() if strict(text).fullmatch("How many {what} are to be seen?")]
