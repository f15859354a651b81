"""What a right answer is, worked out from the album alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tests.assistant.questions.album import ALBUM, Known, photos

Fits = Callable[[Known], bool]
Command = Literal["ask", "search"]


@dataclass(frozen=True)
class Count:
    """A number; where unread photos may count or not, any of several."""

    numbers: frozenset[int]


@dataclass(frozen=True)
class Photos:
    """Photos by number: these must all be told of, these may be, no other may."""

    required: frozenset[int]
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Moment:
    """A day, month or year, as ISO 8601: "2024-12-24", "2024-12" or "2024"; any of several."""

    dates: frozenset[str]


@dataclass(frozen=True)
class Truth:
    """Yes or no."""

    is_true: bool


@dataclass(frozen=True)
class Names:
    """Exactly these concepts; these others may be named too."""

    names: frozenset[str]
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Places:
    """Exactly these places, as keys of the album's `PLACES`."""

    places: frozenset[str]


@dataclass(frozen=True)
class Words:
    """One of these words is said as the answer, and none of the others."""

    words: frozenset[str]
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refusal:
    """Nobody can know, or it means nothing: any answer but "not understood" or "not known" is wrong."""


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
    """

    text: str
    kind: str
    expected: Expected
    may_refuse: bool = False
    command: Command = "ask"


def numbers(fits: Fits) -> frozenset[int]:
    """Return the numbers of the photos that fit."""
    return frozenset(photo.number for photo in photos(fits))


UNREAD = numbers(lambda photo: photo.caption is None)
"""Photos nobody has looked at yet: whether somebody is missing from them is not known."""


def count(fits: Fits, *, maybe: Iterable[int] = ()) -> Count:
    """How many photos fit, with none or all of those that may count besides."""
    sure = numbers(fits) - frozenset(maybe)
    return Count(frozenset({len(sure), len(sure | frozenset(maybe))}))


def listed(fits: Fits, *, maybe: Iterable[int] = ()) -> Photos:
    """The photos that fit; those that may count are free to come or not."""
    return Photos(numbers(fits) - frozenset(maybe), frozenset(maybe))


def without(fits: Fits) -> Photos:
    """The photos that fit, where a photo nobody has looked at may come or not."""
    return listed(fits, maybe=UNREAD)


def none() -> Photos:
    """No photo at all."""
    return Photos(frozenset())


def _dates(fits: Fits) -> list[str]:
    found = sorted(photo.taken.isoformat() for photo in photos(fits) if photo.taken)
    assert found, "no dated photo fits"
    return found


def first(fits: Fits) -> Moment:
    """The day of the first photo that fits."""
    return Moment(frozenset({_dates(fits)[0][:10]}))


def last(fits: Fits) -> Moment:
    """The day of the last photo that fits."""
    return Moment(frozenset({_dates(fits)[-1][:10]}))


def year(fits: Fits) -> Moment:
    """The only year in which photos that fit were taken."""
    (found,) = {date[:4] for date in _dates(fits)}
    return Moment(frozenset({found}))


def day(fits: Fits) -> Moment:
    """The only day on which photos that fit were taken."""
    (found,) = {date[:10] for date in _dates(fits)}
    return Moment(frozenset({found}))


def yes() -> Truth:
    """It is so."""
    return Truth(is_true=True)


def no() -> Truth:
    """It is not so."""
    return Truth(is_true=False)


def who(fits: Fits, *, among: Iterable[str] | None = None) -> Names:
    """Everybody in the photos that fit; with `among`, others may be named or not."""
    found = frozenset[str]().union(*(photo.names for photo in photos(fits)))
    if among is None:
        return Names(found)
    return Names(found & frozenset(among), found - frozenset(among))


def where(fits: Fits) -> Places:
    """Every place of the photos that fit."""
    return Places(frozenset(photo.place for photo in photos(fits) if photo.place))


def most(key: Callable[[Known], Iterable[str]]) -> str:
    """What comes with the most photos; there is only one such."""
    tally: dict[str, int] = {}
    for photo in ALBUM:
        for name in key(photo):
            tally[name] = tally.get(name, 0) + 1
    best = [name for name, times in tally.items() if times == max(tally.values())]
    assert len(best) == 1, "a tie"
    return best[0]
