"""Reads an English question about a library: who, when, where and what is wanted; knows no photo."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from photopal.assistant.query.dates import CALENDAR_WORDS, NUMBERS, Period
from photopal.assistant.query.entities import Stranger, find_camera, find_place, find_strangers
from photopal.assistant.query.intents import ASKED_FOR, NAME, PHOTO, Kind, kind_of
from photopal.assistant.query.lexicon import FUNCTION_WORDS, content_words, word_forms
from photopal.assistant.query.periods import find_period
from photopal.errors import ConceptError, UsageError
from photopal.text import name_spans, write_over

LONGEST = 500
"""How many letters a question has at most."""

_FIRST_MASK = 0xF0000
_LIST = rf"{NAME}(?:\s*(?:,|and|or|nor|&)+\s*{NAME})*"
_WITHOUT = re.compile(
    rf"\b(?:without|but not|and not|not|except(?: for)?|excluding)\s+(?:of |with |in )?{_LIST}",
    re.IGNORECASE,
)
_EITHER = re.compile(
    rf"(?:either\s+)?{NAME}(?:\s*(?:,|\bor\b)\s*{NAME})*\s*,?\s*\bor\b\s*{NAME}", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|never|nobody|neither|nor|without|except|\w+n't)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:of|with|show|shows|find) (?P<who>me|us|him|her|them|myself|ourselves)"
    r"(?=\W*$| (?:in|at|on|and|from|with)\b)",
    re.IGNORECASE,
)
_UNCAPTIONED = re.compile(
    r"\b(?:that |which )?(?:have |has |are |is )?(?:no|without(?: an?y?)?|lack(?:ing)?(?: a)?|not(?: yet)?) "
    r"(?:captions?|captioned)(?: yet)?\b",
    re.IGNORECASE,
)
_ALONE = re.compile(
    rf"\b(?:all )?alone\b|\bby (?:her|him|it)self\b|\bon (?:her|his|its) own\b|\b(?:just|only)(?= {NAME})",
    re.IGNORECASE,
)
_LAST = re.compile(r"\b(?:last|latest|newest|most recent(?:ly)?)\b", re.IGNORECASE)
_FIRST = re.compile(r"\b(?:first|earliest|oldest)\b", re.IGNORECASE)
_ONE = re.compile(
    rf"\b(?:last|latest|newest|most recent|first|earliest|oldest)\s+{PHOTO}\b(?<!s)", re.IGNORECASE
)
_WHICH_ONE = re.compile(
    rf"^(?:which|what) {PHOTO} (?:is|was) the (?:last|latest|newest|first|earliest|oldest)\b",
    re.IGNORECASE,
)
_RANK = re.compile(
    rf"\b(?:last|latest|newest|most recent|first|earliest|oldest)\s+(?={PHOTO}\b)", re.IGNORECASE
)
_COUNTED = "|".join(word for word in NUMBERS if word not in ("a", "an", "one"))
_MANY = re.compile(rf"\b(?P<number>\d{{1,3}}|{_COUNTED})\s+(?=(?:\w+\s+){{0,2}}?{PHOTO}\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """What a library has names for: concepts, the names of its places, cameras."""

    names: Sequence[str]
    places: Sequence[str] = ()
    cameras: Sequence[str] = ()


@dataclass(frozen=True)
class Question:
    """What a question asks.

    Attributes:
        text: The question without its period, as a model may be asked it about one photo.
        kind: What is wanted.
        names: Concepts that are all on the photos.
        any_names: Concepts of which at least one is.
        without: Concepts that are not.
        is_alone: Whether no concept but `names` is.
        period: When the photos were taken.
        place: A name of a place, as the library has it.
        camera: A camera, or the part of its name that the question has.
        has_caption: False where photos without a caption are meant.
        words: What else a caption, a place or a file name must hold.
        end: Whether the first or the last photo is wanted.
        number: How many photos are wanted.
        strangers: Words that may be names nobody has registered.
    """

    text: str
    kind: Kind
    names: tuple[str, ...] = ()
    any_names: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    is_alone: bool = False
    period: Period | None = None
    place: str | None = None
    camera: str | None = None
    has_caption: bool | None = None
    words: tuple[str, ...] = ()
    end: Literal["first", "last"] | None = None
    number: int | None = None
    strangers: tuple[Stranger, ...] = ()


def read_question(text: str, known: Known, *, today: date) -> Question:
    """Read a question.

    Args:
        text: In the user's words.
        known: Names, places and cameras of the library.
        today: What "last summer" and the like are counted from.

    Raises:
        UsageError: The question is empty or too long, its dates cannot be read, or it says "not" where
            only what is there can be counted.
        ConceptError: It speaks of "me" or "her", which is nobody's name.
    """
    plain = _plain(text)
    masked, period = _mask(plain, known.names, today)
    whole = masked
    has_caption, masked = (
        (False, _UNCAPTIONED.sub(" ", masked)) if _UNCAPTIONED.search(masked) else (None, masked)
    )
    without, masked = _take(_WITHOUT, masked, known.names)
    kind = kind_of(masked)
    any_names, rest = _take(_EITHER, masked, known.names)
    names = _names_in(rest, known.names)
    if kind not in ("pixels", "describe"):
        _refuse_not(masked)
    if not any(name.casefold() in {"me", "us"} for name in known.names):
        _refuse_pronouns(masked)
    is_alone = bool(names) and _ALONE.search(rest) is not None
    rest = re.sub(rf"{NAME}(?:'s)?", " ", _ALONE.sub(" ", rest) if is_alone else rest)
    if kind in ASKED_FOR:
        rest = re.sub(ASKED_FOR[kind], " ", rest, flags=re.IGNORECASE)
    camera, rest = find_camera(rest, known.cameras)
    place, rest = find_place(rest, known.places)
    number = _number(rest)
    rest = _MANY.sub(" ", rest)
    return Question(
        text=_alone(_unmask(whole, known.names)),
        kind=kind,
        names=tuple(names),
        any_names=tuple(any_names),
        without=tuple(without),
        is_alone=is_alone,
        period=period,
        place=place,
        camera=camera,
        has_caption=has_caption,
        words=tuple(_without_wear(content_words(rest))),
        end="last" if _LAST.search(rest) else "first" if _FIRST.search(rest) else None,
        number=number,
        strangers=tuple(find_strangers(rest)),
    )


def _plain(text: str) -> str:
    """Straight apostrophes, single blanks, no control, private or half characters."""
    straight = unicodedata.normalize("NFC", text).replace("’", "'").replace("‘", "'")
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") else c for c in straight)
    plain = " ".join("".join(kept).split())
    if not any(map(str.isalnum, plain)):
        raise UsageError("the question is empty", hint='photopal ask "When was Anna last at the lake?"')
    if re.search(r"\b(?:videos?|movies?|films?|clips?)\b", plain, re.IGNORECASE) and not re.search(
        PHOTO, plain
    ):
        raise UsageError("photopal knows photos and no videos")
    if len(plain) > LONGEST:
        raise UsageError(f"a question has at most {LONGEST} letters, this one has {len(plain)}")
    return plain


def _mask(plain: str, names: Sequence[str], today: date) -> tuple[str, Period | None]:
    """Write one private character for each name, and take out the period.

    The period is read when only such names are left as are also words of the calendar.
    """
    order = sorted(range(len(names)), key=lambda index: -len(names[index]))
    dates = [index for index in order if names[index].casefold() in CALENDAR_WORDS]
    masked = _mask_names(plain, names, [index for index in order if index not in dates])
    period, masked = find_period(masked, today, names=[names[index] for index in dates])
    masked = _mask_names(masked, names, dates)
    return re.sub(r"^[\s,.;:]+|\s+(?=[?.!,])", "", " ".join(masked.split())), period


def _mask_names(text: str, names: Sequence[str], order: Sequence[int]) -> str:
    spans = []
    for start, end, place in name_spans(text, [names[index] for index in order]):
        name = names[order[place]]
        # "Will" in "Will Anna swim?" is grammar, and so is "will" anywhere.
        if name.casefold() not in FUNCTION_WORDS or (start > 0 and text[start:end] == name):
            spans.append((start, end, chr(_FIRST_MASK + order[place])))
    return write_over(text, spans)


def _unmask(masked: str, names: Sequence[str]) -> str:
    return re.sub(NAME, lambda match: names[ord(match[0]) - _FIRST_MASK], masked)


def _alone(text: str) -> str:
    """The question as one sentence about one photo, after its period was taken out."""
    plain = re.sub(r"^\W+", "", _RANK.sub("", text))
    return plain[:1].upper() + plain[1:]


def _names_in(masked: str, names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(names[ord(mark) - _FIRST_MASK] for mark in re.findall(NAME, masked)))


def _take(pattern: re.Pattern[str], masked: str, names: Sequence[str]) -> tuple[list[str], str]:
    """The names in what a pattern matches, and the rest."""
    found = [name for match in pattern.finditer(masked) for name in _names_in(match[0], names)]
    return list(dict.fromkeys(found)), " ".join(pattern.sub(" ", masked).split()) if found else masked


def _refuse_not(masked: str) -> None:
    if found := _NOT.search(masked):
        raise UsageError(
            f'a question with "{found[0]}" cannot be answered exactly',
            hint='ask for what is there, or leave a name out: "photos of Anna without Rex"',
        )


def _refuse_pronouns(masked: str) -> None:
    if found := _PRONOUN.search(masked):
        raise ConceptError(f'I do not know who "{found["who"]}" is', hint="ask with a registered name")


def _without_wear(words: list[str]) -> list[str]:
    """Captions say "in a red dress" as often as "wearing"."""
    others = [word for word in words if word.casefold() not in word_forms("wear")]
    return others or words


def _number(rest: str) -> int | None:
    if match := _MANY.search(rest):
        words = match["number"].casefold()
        return max(1, int(words) if words.isdecimal() else NUMBERS[words])
    return 1 if _ONE.search(rest) or _WHICH_ONE.search(rest) else None
