"""What a right answer is, worked out from the album alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tests.assistant.questions.album import ALBUM, Known, photos

Fits = Callable[[Known], bool]
Command = Literal["ask", "search"]


REGIONS = "(?:different |other )*(?:cit(?:y|ies)|places?|countr(?:y|ies)|towns?)"
PHOTOS = r"(?:photo(?:graph)?|picture|image)s?"


@dataclass(frozen=True)
class Count:
    """A number; where unread photos may count or not, any of several.

    Attributes:
        numbers: What is right.
        evidence: Photos that may be cited for it; None where it does not matter.
        unit: What is counted, as a regular expression.
    """

    numbers: frozenset[int]
    evidence: frozenset[int] | None = None
    unit: str = PHOTOS


@dataclass(frozen=True)
class Photos:
    """Photos by number.

    Attributes:
        required: These must all be told of.
        optional: These may be, and no other.
        of: How many there are, where only some of them are asked for.
    """

    required: frozenset[int]
    optional: frozenset[int] = frozenset()
    of: int | None = None


@dataclass(frozen=True)
class Moment:
    """A day or a year, as ISO 8601: "2024-12-24" or "2024"."""

    date: str
    evidence: frozenset[int] | None = None


@dataclass(frozen=True)
class Truth:
    """Yes or no.

    Attributes:
        is_true: Which of them.
        evidence: Photos that may be cited for it; None where it does not matter.
        is_plain: Whether it is not enough to tell of photos or of none.
        reasons: Numbers that decide it; an answer with any number has these.
    """

    is_true: bool
    evidence: frozenset[int] | None = None
    is_plain: bool = False
    reasons: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Names:
    """Exactly these concepts; these others may be named too."""

    names: frozenset[str]
    optional: frozenset[str] = frozenset()
    evidence: frozenset[int] | None = None


@dataclass(frozen=True)
class Places:
    """Exactly these places, as keys of the album's `PLACES`."""

    places: frozenset[str]
    evidence: frozenset[int] | None = None


@dataclass(frozen=True)
class Words:
    """This is said as the answer, before any of the others or as the one with the most."""

    word: str
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refusal:
    """Nobody can know, or it means nothing: any answer but "not understood" or "nothing found" is wrong."""


@dataclass(frozen=True)
class Either:
    """Words with two meanings: any of these is right."""

    expected: tuple[Expected, ...]


Expected = Count | Photos | Moment | Truth | Names | Places | Words | Refusal | Either


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question or a search, and what is right.

    Attributes:
        text: What is typed.
        kind: What it tries.
        expected: What is right.
        may_refuse: Whether saying that it is not understood is as right.
        command: The command it is typed to.
        mentions: The answer says one of these, so that the other meaning of a word can be had.
    """

    text: str
    kind: str
    expected: Expected
    may_refuse: bool = False
    command: Command = "ask"
    mentions: tuple[str, ...] = ()


def group(
    kind: str, *pairs: tuple[str, Expected], may_refuse: bool = False, command: Command = "ask"
) -> list[Question]:
    """Make questions of one kind from texts and what is right."""
    return [
        Question(text=text, kind=kind, expected=expected, may_refuse=may_refuse, command=command)
        for text, expected in pairs
    ]


def numbers(fits: Fits) -> frozenset[int]:
    """Return the numbers of the photos that fit."""
    return frozenset(photo.number for photo in photos(fits))


UNREAD = numbers(lambda photo: photo.caption is None)
"""Photos nobody has looked at yet: whether somebody is missing from them is not known."""


def count(fits: Fits, *, maybe: Iterable[int] = ()) -> Count:
    """How many photos fit, with none, some or all of those that may count besides."""
    sure, all_ = numbers(fits) - frozenset(maybe), numbers(fits) | frozenset(maybe)
    return Count(frozenset(range(len(sure), len(all_) + 1)), all_)


def number(count: int, unit: str = PHOTOS) -> Count:
    """A number of something."""
    return Count(frozenset({count}), None, unit)


def listed(fits: Fits, *, maybe: Iterable[int] = ()) -> Photos:
    """The photos that fit; those that may count are free to come or not."""
    return Photos(numbers(fits) - frozenset(maybe), frozenset(maybe))


def none() -> Photos:
    """No photo at all."""
    return Photos(frozenset())


def _dates(fits: Fits) -> list[str]:
    found = sorted(photo.taken.isoformat() for photo in photos(fits) if photo.taken)
    assert found, "no dated photo fits"
    return found


def first(fits: Fits) -> Moment:
    """The day of the first photo that fits."""
    return Moment(_dates(fits)[0][:10], numbers(fits))


def last(fits: Fits) -> Moment:
    """The day of the last photo that fits."""
    return Moment(_dates(fits)[-1][:10], numbers(fits))


def year(fits: Fits) -> Moment:
    """The only year in which photos that fit were taken."""
    (found,) = {date[:4] for date in _dates(fits)}
    return Moment(found, numbers(fits))


def day(fits: Fits) -> Moment:
    """The only day on which photos that fit were taken."""
    (found,) = {date[:10] for date in _dates(fits)}
    return Moment(found, numbers(fits))


def yes(fits: Fits) -> Truth:
    """It is so, as these photos show."""
    evidence = numbers(fits)
    assert evidence, "no photo fits"
    return Truth(is_true=True, evidence=evidence)


def no(fits: Fits) -> Truth:
    """It is not so: no photo fits."""
    assert not numbers(fits), "a photo fits"
    return Truth(is_true=False)


def plainly(is_true: bool, *reasons: Fits) -> Truth:
    """A "yes" or a "no" in so many words; how many photos fit these decides it."""
    sizes = frozenset(len(numbers(fits)) for fits in reasons)
    return Truth(is_true=is_true, is_plain=True, reasons=sizes)


def who(fits: Fits, *, but: Iterable[str] = ()) -> Names:
    """Everybody in the photos that fit; those who were asked about may be named or not."""
    found = frozenset[str]().union(*(photo.names for photo in photos(fits)))
    return Names(found - frozenset(but), frozenset(but), numbers(fits))


def where(fits: Fits) -> Places:
    """Every place of the photos that fit."""
    return Places(frozenset(photo.place for photo in photos(fits) if photo.place), numbers(fits))


def most(key: Callable[[Known], Iterable[object]], *, fewest: bool = False) -> Words:
    """What comes with the most or fewest photos; there is only one such."""
    tally: dict[str, int] = {}
    for photo in ALBUM:
        for value in key(photo):
            tally[str(value)] = tally.get(str(value), 0) + 1
    extreme = min(tally.values()) if fewest else max(tally.values())
    [best] = [value for value, times in tally.items() if times == extreme]
    return Words(best, frozenset(tally) - {best})


def more(of: dict[str, Fits], *, fewer: bool = False) -> Words:
    """Which of two fits more photos, or fewer."""
    (one, one_fits), (two, two_fits) = of.items()
    sizes = len(numbers(one_fits)), len(numbers(two_fits))
    assert sizes[0] != sizes[1], "a tie"
    best, other = (one, two) if (sizes[0] > sizes[1]) != fewer else (two, one)
    return Words(best, frozenset({other}))
