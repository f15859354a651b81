"""Asks about drawn photos in the form of MC-LLaVA's question files; writes none and paints nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from photopal.lab.datasets.wording import LETTERS
from photopal.lab.synthetic.conversation import Talk, converse
from photopal.lab.synthetic.identity import Identity, Person, draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.painting.props import PARROT_ACTIVITIES, PERSON_ACTIVITIES, PET_ACTIVITIES
from photopal.lab.synthetic.scene import TOP_COLOURS, Scene, Subject
from photopal.lab.synthetic.talking.choices import options_of
from photopal.lab.synthetic.wording import describe_fully, side_words

Entry = dict[str, str]

SIDES = ("on the left", "in the middle", "on the right")
ABOUT_ONE = ("activity", "clothes", "position", "beside")
MOST_TRIES = 50


@dataclass(frozen=True)
class Shown:
    """A scene and who on it has a name.

    Attributes:
        scene: What is true.
        names: For each subject its name, or None.
    """

    scene: Scene
    names: tuple[str | None, ...]

    @property
    def named(self) -> list[tuple[str, Subject]]:
        """Names and subjects, from left to right."""
        pairs = [(n, s) for n, s in zip(self.names, self.scene.subjects, strict=True) if n is not None]
        return sorted(pairs, key=lambda pair: pair[1].x)

    def side(self, name: str) -> str | None:
        """left, middle or right; None for somebody who is not there."""
        for other, subject in self.named:
            if other == name:
                return "left" if subject.x < 0.36 else "right" if subject.x > 0.64 else "middle"
        return None


@dataclass(frozen=True)
class Asked:
    """Entries of the question files for one photo.

    Attributes:
        choice: First two about one concept each, then those about several.
        vqa: The same with free answers.
        position: Where each concept is, where its side is clear.
    """

    choice: list[Entry]
    vqa: list[Entry]
    position: list[Entry]


def ask_about_photo(shown: Shown, cast: Sequence[str], rng: random.Random, *, is_multi: bool) -> Asked:
    """Ask about a photo that shows at least one of the cast.

    Args:
        shown: The photo.
        cast: Names of the scenario.
        rng: Source of randomness.
        is_multi: Whether to ask two questions about one of them and one fewer than the cast about several,
            or one question about the only one.
    """
    named = shown.named
    subjects = named[:1]
    if is_multi:
        subjects = rng.sample(named, 2) if len(named) > 1 else named * 2
    choice = [_choose_about(name, subject, shown.scene, rng) for name, subject in subjects]
    vqa = [_talk_about(shown, name, rng) for name, _ in subjects]
    position = [entry for name, subject in named if (entry := _choose_side(name, subject, rng))]
    if is_multi:
        choice += [_choose_who(shown, cast, number, rng) for number in range(len(cast) - 1)]
        vqa += _talk_of_several(shown, cast, rng)[: len(cast) - 1]
    return Asked(choice, vqa, position)


def ask_about_looks(name: str, look: Identity, rng: random.Random, cast: Sequence[str] = ()) -> Entry:
    """Ask without a photo what somebody looks like, or with a cast, who of them looks so."""
    if cast:
        entry = _options(f"Who is {describe_fully(look)}?", [f"<{one}>" for one in cast], f"<{name}>", rng)
    else:
        others: list[str] = []
        while len(others) < 2:
            words = describe_fully(draw_identity(rng, held_out=True, kind=look.kind))
            if words not in (*others, describe_fully(look)):
                others.append(words)
        options = [describe_fully(look), *others]
        entry = _options(f"What does <{name}> look like?", options, describe_fully(look), rng)
    return {"question": entry["Human"], "answer": entry["AI"]}


def _options(question: str, options: Sequence[str], right: str, rng: random.Random) -> Entry:
    shuffled = rng.sample(list(options), len(options))
    listed = " ".join(f"{letter}. {words}" for letter, words in zip(LETTERS, shuffled, strict=False))
    return {"Human": f"{question} {listed}", "AI": LETTERS[shuffled.index(right)]}


def _choose_side(name: str, subject: Subject, rng: random.Random) -> Entry | None:
    side = side_words(subject)
    return None if side is None else _options(f"Where is <{name}>?", SIDES, side, rng)


def _choose_about(name: str, subject: Subject, scene: Scene, rng: random.Random) -> Entry:
    """Ask what one does or wears, or for the place; what others do or wear stands among the options."""
    others = [other for other in scene.subjects if other is not subject]
    kinds = ["activity", "activity", "place", "top" if subject.clothes is not None else "activity"]
    kind = rng.choice(kinds)
    if kind == "top" and subject.clothes is not None:
        right = subject.clothes.top
        worn = [other.clothes.top for other in others if other.clothes is not None]
        question, options = (
            f"Which colour is <{name}>'s top?",
            options_of(right, TOP_COLOURS, worn, rng, count=3),
        )
    elif kind == "place":
        right = PLACES[scene.place]
        question = f"Where is this photo of <{name}> taken?"
        options = options_of(right, tuple(PLACES.values()), (), rng, count=3)
    else:
        right, doing = subject.activity, [other.activity for other in others]
        question = f"What is <{name}> doing?"
        options = options_of(right, _activities(subject), doing, rng, count=3)
    return _options(question, options, right, rng)


def _activities(subject: Subject) -> tuple[str, ...]:
    if isinstance(subject.identity, Person):
        return PERSON_ACTIVITIES
    if subject.identity.species == "parrot":
        return (*PARROT_ACTIVITIES, "sleeping")
    return PET_ACTIVITIES


def _choose_who(shown: Shown, cast: Sequence[str], number: int, rng: random.Random) -> Entry:
    """Ask which of the cast does something that nobody else does, or who is furthest left or right."""
    options = [f"<{name}>" for name in cast]
    doing = [subject.activity for subject in shown.scene.subjects]
    unique = [(name, s) for name, s in shown.named if doing.count(s.activity) == 1]
    if number == 0 and unique:
        name, subject = rng.choice(unique)
        return _options(f"Who is {subject.activity}?", options, f"<{name}>", rng)
    end = rng.choice(("left", "right")) if number < 2 else "left"
    name = shown.named[0 if end == "left" else -1][0]
    return _options(f"Which of them is furthest to the {end}?", options, f"<{name}>", rng)


def _talk(shown: Shown) -> Talk:
    names = tuple(None if name is None else f"<{name}>" for name in shown.names)
    return Talk(shown.scene, names)


def _talk_about(shown: Shown, name: str, rng: random.Random) -> Entry:
    """A free question about one concept, worded as the bundled model learned them."""
    talk = _talk(shown)
    for _ in range(MOST_TRIES):
        for exchange in converse(talk, rng, count=12):
            if exchange.kind in ABOUT_ONE and f"<{name}>" in exchange.question:
                return {"Human": exchange.question, "AI": exchange.answer}
    subject = dict(shown.named)[name]
    return {"Human": f"What is <{name}> doing?", "AI": f"<{name}> is {subject.activity}."}


def _talk_of_several(shown: Shown, cast: Sequence[str], rng: random.Random) -> list[Entry]:
    """Who is there, whether two are there, and who is furthest to the left."""
    who = next(e for e in converse(_talk(shown), rng, count=8) if e.kind == "who")
    entries = [{"Human": who.question, "AI": who.answer}]
    first, second = rng.sample(list(cast), 2)
    present = {name for name, _ in shown.named}
    answer = "Yes" if {first, second} <= present else "No"
    entries.append({"Human": f"Can you see <{first}> and <{second}>?", "AI": answer})
    name, _ = shown.named[0]
    entries.append({"Human": "Who is furthest to the left?", "AI": f"<{name}>."})
    return entries
