"""Questions about somebody described, or at a numbered mark: there or not, who is where; needs no names."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from photopal.lab.synthetic.scene import Scene, Subject
from photopal.lab.synthetic.talking.descriptions import (
    describe,
    describe_almost,
    describe_nobody,
    describe_only,
)
from photopal.lab.synthetic.talking.grammars import ask
from photopal.lab.synthetic.talking.talk import Exchange, Talk, kind_words, yes_no
from photopal.lab.synthetic.wording import describe_identity, sentence, with_article

HIGHEST_MARK = 9
NO_MARK_SHARE = 0.1


@dataclass(frozen=True)
class Marked:
    """A scene with numbers drawn on its photo.

    Attributes:
        scene: What is true.
        marks: Index of a subject → the number at it; not every subject has one.
    """

    scene: Scene
    marks: Mapping[int, int]

    def unused(self, rng: random.Random) -> int:
        """A number that is nowhere on the photo."""
        return rng.choice([n for n in range(1, HIGHEST_MARK + 1) if n not in self.marks.values()])

    def someone(self, rng: random.Random) -> tuple[int, Subject]:
        """Somebody with a mark, with its number."""
        index = rng.choice(sorted(self.marks))
        return self.marks[index], self.scene.subjects[index]


def talk_by_looks(scene: Scene, rng: random.Random) -> Talk:
    """Speak of everybody who can be told apart by looks as "the child with red hair".

    One or two are spoken of who are not there, alike in all but one attribute to somebody who is.
    """
    subjects = scene.subjects
    told = [describe_only(subject, subjects, rng) for subject in subjects]
    names = tuple(None if one is None else f"the {one.words}" for one in told)
    strangers = [describe_nobody(subjects, rng) for _ in range(rng.choice((1, 1, 2)))]
    absent = dict.fromkeys(f"the {one.words}" for one in strangers if one is not None)
    return Talk(scene, names, tuple(absent))


def talk_by_marks(marked: Marked, rng: random.Random) -> Talk:
    """Speak of everybody who has a mark as "the one at mark 2", or "the dog at mark 2"."""
    names: list[str | None] = [None] * len(marked.scene.subjects)
    style = rng.choice(("the one at mark {}", "the {kind} at mark {}", "the one at 'Mark Number {}'"))
    for index, number in marked.marks.items():
        kind = kind_words(marked.scene.subjects[index].identity).split(" ", 1)[1]
        names[index] = style.format(number, kind=kind)
    absent = style.format(marked.unused(rng), kind="one")
    return Talk(marked.scene, tuple(names), (absent,))


def everybody(scene: Scene, rng: random.Random) -> Exchange:
    """Ask who all can be seen, told by their looks."""
    talk = Talk(scene, (None,) * len(scene.subjects))
    return ask("everybody", "everybody", talk.tell_who(talk.in_order), rng)


def described(scene: Scene, rng: random.Random) -> Exchange | None:
    """Ask whether somebody is there whom a description fits, or fits but for one attribute."""
    is_there = bool(scene.subjects) and rng.random() < 0.5
    if is_there:
        words = describe(rng.choice(scene.subjects), rng).words
    else:
        nobody = describe_nobody(scene.subjects, rng)
        if nobody is None:
            return None
        words = nobody.words
    return ask("described", "exists", yes_no(is_there), rng, what=with_article(words))


def described_at_mark(marked: Marked, rng: random.Random) -> Exchange | None:
    """Ask whether the one at a mark is as described, or as somebody else there is."""
    number, subject = marked.someone(rng)
    others = [other for other in marked.scene.subjects if other is not subject]
    if rng.random() < 0.5:
        description = describe(subject, rng)
    elif others and rng.random() < 0.6:
        description = describe(rng.choice(others), rng)
    else:
        almost = describe_almost(subject, rng)
        if almost is None:
            return None
        description = almost
    what = f"{with_article(description.words)} {_at(number, rng)}"
    return ask("mark", "exists", yes_no(description.fits(subject)), rng, what=what)


def at_mark(marked: Marked, rng: random.Random) -> Exchange:
    """Ask who is at a mark."""
    if rng.random() < NO_MARK_SHARE:
        number = marked.unused(rng)
        return ask("mark", "at_mark", f"There is no mark {number}.", rng, at=_at(number, rng))
    number, subject = marked.someone(rng)
    return ask("mark", "at_mark", sentence(describe_identity(subject.identity)), rng, at=_at(number, rng))


def mark_of(marked: Marked, rng: random.Random) -> Exchange | None:
    """Ask which mark is at somebody described."""
    number, subject = marked.someone(rng)
    description = describe_only(subject, marked.scene.subjects, rng)
    if description is None:
        return None
    return ask("mark", "mark_of", f"Mark {number}.", rng, name=f"the {description.words}")


def _at(number: int, rng: random.Random) -> str:
    return rng.choice((f"at mark {number}", f"at mark number {number}", f"at 'Mark Number {number}'"))
