"""What can be asked of drawn people and pets by description and by mark, without names, and its judges.

What is asked about can be seen well. Somebody described is the only one there whom the words fit; somebody
who is "nearly" there differs in one attribute from somebody who is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PIL import Image

from photopal.lab.bundled import readers
from photopal.lab.bundled.matter import Judge, Matter
from photopal.lab.bundled.plain import draw_held_out
from photopal.lab.bundled.shown import Shown, species_of
from photopal.lab.bundled.wordings import MAKERS, PLAIN
from photopal.lab.synthetic.identity import Person
from photopal.lab.synthetic.photo import DrawnPhoto
from photopal.lab.synthetic.scene import Subject
from photopal.lab.synthetic.talking import choices, described, descriptions
from photopal.lab.synthetic.talking.talk import Talk
from photopal.lab.synthetic.wording import with_article
from photopal.prompts import Mark, draw_marks
from photopal.prompts.templates import CAPTION_TEMPLATES


@dataclass(frozen=True)
class Case:
    """A photo to ask about, and how everybody on it can be told.

    Attributes:
        by_looks: Those who can be seen well, told by their looks.
        by_marks: The same, told by the marks drawn on the photo.
        talk: Everybody told by looks, and somebody who is not there.
        marks: Index of a subject → the number at it.
        marked: The photo with its marks.
    """

    by_looks: Shown
    by_marks: Shown
    talk: Talk
    marks: Mapping[int, int]
    marked: Image.Image

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Everybody who is there."""
        return self.by_looks.scene.subjects

    @property
    def clear(self) -> list[Subject]:
        """Those who can be seen well."""
        return [self.subjects[index] for index in self.by_looks.clear]


@dataclass(frozen=True)
class Posed:
    """A question with its judge.

    Attributes:
        words: The question.
        is_right: Says whether an answer is right.
        is_of_marks: Whether the photo is shown with its marks.
        facts: Further lines a right answer counts for, each with its judge.
    """

    words: str
    is_right: Judge
    is_of_marks: bool = False
    facts: tuple[tuple[str, Judge], ...] = ()


Poser = Callable[[Case, random.Random], Posed | None]


def draw_case(rng: random.Random, size_px: int) -> Case:
    """Draw a photo of held-out identities and find words for everybody on it."""
    photo = draw_held_out(rng, size_px, casts=("p", "a", "pa", "pp", "paa", "ppa", "ppaa"))
    talk = described.talk_by_looks(photo.scene, rng)
    shown = Shown(photo, talk.names)
    numbers = rng.sample(range(1, len(shown.clear) + 1), len(shown.clear))
    marks = dict(zip(shown.clear, numbers, strict=True))
    names = [f"the one at mark {marks[i]}" if i in marks else None for i in range(len(photo.scene.subjects))]
    drawn = draw_marks(photo.image, [_mark(photo, index, number) for index, number in marks.items()])
    return Case(shown, Shown(photo, tuple(names)), talk, marks, drawn)


def _mark(photo: DrawnPhoto, index: int, number: int) -> Mark:
    """A mark at somebody's feet."""
    box = photo.box(index)
    assert box is not None, "who can be seen well has a box"
    x, y, width, height = box
    return Mark(number, (x + width / 2) / photo.image.width, (y + height) / photo.image.height - 0.02)


def _of_somebody(kind: str, *, is_of_marks: bool = False) -> Poser:
    """Ask what is asked of names, of somebody described or at a mark."""

    def pose(case: Case, rng: random.Random) -> Posed | None:
        shown = case.by_marks if is_of_marks else case.by_looks
        if not shown.named():
            return None
        matter: Matter | None = MAKERS[kind](shown, rng)
        if matter is None or matter.gaps["who"] not in _names(shown):
            return None
        return Posed(rng.choice(PLAIN[kind]).format(**matter.gaps), matter.is_right, is_of_marks)

    return pose


def _names(shown: Shown) -> tuple[str, ...]:
    return tuple(name for name in shown.names if name is not None)


def _beside(case: Case, rng: random.Random) -> Posed | None:
    named = case.by_looks.named()
    if not named:
        return None
    name, _ = rng.choice(named)
    near = [case.subjects[index] for index in case.by_looks.neighbours(name)]
    kinds = sorted(_kind(subject) for subject in near)
    words = rng.choice(PLAIN["beside"]).format(name=name)
    return Posed(words, lambda text: sorted(read_kinds(text)) == kinds)


def _caption(case: Case, rng: random.Random) -> Posed:
    subjects = sorted(case.subjects, key=lambda subject: subject.x)
    kinds = [_kind(subject) for subject in subjects]
    doing = {subject.activity for subject in subjects}
    place = case.by_looks.scene.place
    facts: tuple[tuple[str, Judge], ...] = (
        ("caption who", lambda text: read_kinds(text) == kinds),
        ("caption activity", lambda text: readers.read_activities(text) == doing),
    )
    return Posed(
        rng.choice(CAPTION_TEMPLATES), lambda text: readers.read_places(text) == {place}, False, facts
    )


def _letters(case: Case, rng: random.Random) -> Posed | None:
    exchange = choices.choose(case.talk, rng)
    if exchange is None or not any(name in exchange.question for name in _names(case.by_looks)):
        return None
    return Posed(exchange.question, lambda text: re.findall(r"\b[A-D]\b", text)[:1] == [exchange.answer])


def _fits(case: Case, rng: random.Random) -> Posed | None:
    if not case.clear:
        return None
    return _exists(descriptions.describe(rng.choice(case.clear), rng), rng, is_yes=True)


def _nearly_fits(case: Case, rng: random.Random) -> Posed | None:
    almost = descriptions.describe_almost(rng.choice(case.clear), rng) if case.clear else None
    if almost is None or any(almost.fits(subject) for subject in case.subjects):
        return None
    return _exists(almost, rng, is_yes=False)


def _is_far(case: Case, rng: random.Random) -> Posed | None:
    other = descriptions.describe_nobody((), rng)
    if other is None or any(other.fits(subject) for subject in case.subjects):
        return None
    return _exists(other, rng, is_yes=False)


def _exists(description: descriptions.Description, rng: random.Random, *, is_yes: bool) -> Posed:
    words = rng.choice(PLAIN["found"]).format(thing=with_article(description.words))
    return Posed(words, lambda text: readers.read_yes_no(text) is is_yes)


def _who_at_mark(case: Case, rng: random.Random) -> Posed | None:
    if not case.marks:
        return None
    index = rng.choice(sorted(case.marks))
    identity, kind = case.subjects[index].identity, _kind(case.subjects[index])
    if isinstance(identity, Person):
        colours = set() if identity.hair_style == "bald" else {identity.hair_colour}
    else:
        colours = {identity.coat}

    def is_right(text: str) -> bool:
        return read_kinds(text) == [kind] and colours <= readers.read_colours(text)

    words = rng.choice(("What is at mark {}?", "Who is at mark {}?")).format(case.marks[index])
    return Posed(words, is_right, is_of_marks=True)


def _number_of(case: Case, rng: random.Random) -> Posed | None:
    told = [index for index in sorted(case.marks) if case.by_looks.names[index] is not None]
    if not told:
        return None
    index = rng.choice(told)
    number = str(case.marks[index])
    words = f"At which mark is {case.by_looks.names[index]}?"
    return Posed(words, lambda text: re.findall(r"\d+", text) == [number], is_of_marks=True)


def _kind(subject: Subject) -> str:
    identity = subject.identity
    return identity.age if isinstance(identity, Person) else species_of(identity)


def read_kinds(text: str) -> list[str]:
    """The adults, children and kinds of pets an answer tells of, one by one in its order."""
    return re.findall(r"\b(adult|child|dog|cat|rabbit|parrot)\b", text.lower())


POSERS: dict[str, Poser] = {
    "caption place": _caption,
    "looks activity": _of_somebody("activity"),
    "looks top": _of_somebody("top"),
    "looks side": _of_somebody("side"),
    "looks beside": _beside,
    "letters": _letters,
    "described yes": _fits,
    "described near": _nearly_fits,
    "described far": _is_far,
    "mark who": _who_at_mark,
    "mark number": _number_of,
    "marked activity": _of_somebody("activity", is_of_marks=True),
    "marked top": _of_somebody("top", is_of_marks=True),
}
"""Kind of question → who poses it."""
