"""Reads times of day in English text, as whole hours: "in the evening", "after 22:00"; knows no date."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from photopal.assistant.query.lexicon import NUMBER_WORDS, is_empty
from photopal.assistant.query.patterns import LazyPattern
from photopal.errors import UsageError


@dataclass(frozen=True)
class Daytime:
    """Hours of any day.

    Attributes:
        label: As it stands after "photos": "in the evening (17:00 to 22:00)".
        hours: The hours in which it is, 0 to 23; each is there from its first minute to its last.
    """

    label: str
    hours: frozenset[int]


_PARTS_OF_DAY = {
    "early morning": range(5, 8), "morning": range(5, 12), "forenoon": range(5, 12), "noon": range(12, 13),
    "midday": range(12, 13), "lunchtime": range(12, 14), "afternoon": range(12, 17),
    "late afternoon": range(15, 17), "early evening": range(17, 19), "evening": range(17, 22),
    "late evening": range(20, 22), "night": (22, 23, 0, 1, 2, 3, 4), "nighttime": (22, 23, 0, 1, 2, 3, 4),
    "late night": (23, 0, 1, 2, 3, 4), "midnight": (23, 0),
}  # fmt: skip


def part_of_day(hour: int) -> str:
    """Return whether an hour, 0 to 23, is in the morning, afternoon, evening or night."""
    parts = ("morning", "afternoon", "evening", "night")
    return next(part for part in parts if hour in _PARTS_OF_DAY[part])


_PART = (
    r"(?P<how>early |late )?(?:in the )?(?P<part>morning|forenoon|afternoon|evening|nighttime|night|noon"
    r"|midday|lunchtime|midnight)s?"
)
_OF_PHOTOS = r"(?=\s+(?:photo|pic|image|shot|snap))"
_CLOCK = (
    r"(?:\d{1,2}(?::\d\d)?(?:\s*(?:a\.?m\b\.?|p\.?m\b\.?|o'clock|h\b))?|noon|midday|midnight)"
    r"(?: (?:in the (?:morning|afternoon|evening)|at night))?"
)
_BARE = LazyPattern(r"\d{1,2}")
_DAYTIMES = (
    LazyPattern(rf"\b(?P<word>between|from)\s+(?P<first>{_CLOCK})\s+(?:and|to|until|till|-|–)\s+(?P<last>{_CLOCK})"
                r"(?!\w)"),
    LazyPattern(r"\b(?P<word>before|after|since|from|until|till|up to|later than|earlier than)"
                rf"\s+(?P<first>{_CLOCK})(?!\w)(?: on(?:wards?)?\b)?"),
    LazyPattern(rf"\b(?P<word>at|around|about)\s+(?=\d)(?P<first>{_CLOCK})(?!\w)"),
    LazyPattern(r"\b(?:(?:in|during|by|(?:in|from) the middle of)\s+(?:the\s+)?|(?:at|around)\s+"
                r"|(?:on|from) (?:the|an?)\s+|(?:every|each)\s+)"
                rf"{_PART}\b"),
    LazyPattern(rf"\b{_PART}{_OF_PHOTOS}"),
    LazyPattern(r"\b(?P<how>\b)(?P<part>morning|afternoon|evening|night)s\b"),
)  # fmt: skip


def find_daytimes(
    text: str, dates: Sequence[tuple[int, int]], *, is_search: bool
) -> list[tuple[int, int, Daytime]]:
    """Find times of day: "in the evening", "between 8 and 10 am", "Christmas morning".

    Args:
        text: Such as a question.
        dates: Where its dates begin and end; a part of the day that follows one needs no "in the".
        is_search: Whether the text is a list of words, in which no part of the day needs it.

    Returns:
        Beginning, end and time of each.

    Raises:
        UsageError: A time is not a full hour.
    """
    found: list[tuple[int, int, Daytime]] = []
    patterns = (*_DAYTIMES, LazyPattern(rf"\b{_PART}\b"))
    for pattern in patterns:
        for match in pattern.finditer(text):
            taken = [*dates, *((start, end) for start, end, _ in found)]
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            groups, before = match.groupdict(), text[: match.start()].rstrip()
            follows_date = any(end == len(before) and not text[start:end].isdigit() for start, end in dates)
            if pattern is patterns[-1] and not (is_search or follows_date):
                continue
            if groups.get("part"):
                if is_attribute(text[match.end() :]) and not is_search:
                    continue
                when = _part_of_day(match)
            elif (clocks := _clocks(groups)) is None:
                continue
            else:
                when = _by_clock(match, *clocks)
            found.append((match.start(), match.end(), when))
    return found


def _part_of_day(match: re.Match[str]) -> Daytime:
    name = match["part"].casefold()
    full = f"{(match['how'] or '').casefold()}{name}"
    hours = _PARTS_OF_DAY.get(full, _PARTS_OF_DAY[name])
    words = full if full in _PARTS_OF_DAY else name
    is_point = name in {"noon", "midday", "midnight", "night", "nighttime", "lunchtime"}
    return Daytime(
        f"{'at' if is_point and words == name else 'in the'} {words} ({_hour_words(hours)})", frozenset(hours)
    )


def part_of_that_day(part: str) -> Daytime:
    """Return the hours of a part of one day: a night that begins then has its evening, and ends with it."""
    hours = range(17, 24) if part == "night" else _PARTS_OF_DAY[part]
    words = "in the evening or at night" if part == "night" else f"in the {part}"
    return Daytime(f"{words} ({_hour_words(hours)})", frozenset(hours))


def _hour_words(hours: Sequence[int]) -> str:
    return f"{hours[0]:02}:00 to {(hours[-1] + 1) % 24:02}:00"


def _clocks(groups: Mapping[str, str | None]) -> tuple[int, int | None] | None:
    """The hours of one or two times; None where bare numbers tell no time, as in "between 8 and 9"."""
    first, last = groups["first"] or "", groups.get("last")
    if _BARE.fullmatch(first) and (last is None or _BARE.fullmatch(last)):
        return None
    half = re.search(r"[ap]\.?m\b|in the \w+|at night", (last or "").casefold())
    if half and _BARE.fullmatch(first):
        first = f"{first} {half[0]}"
    return _hour(first), None if last is None else _hour(last)


def _hour(words: str) -> int:
    folded = words.casefold()
    for name, hour in (("noon", 12), ("midday", 12), ("midnight", 0)):
        if folded.startswith(name):
            return hour
    match = re.match(r"(\d{1,2})(?::(\d\d))?", folded)
    assert match is not None, "a time begins with a number"
    hour, is_half = int(match[1]), bool(re.search(r"p\.?m\b|afternoon|evening|night", folded))
    if match[2] not in {None, "00"} or hour > 24 or (is_half and hour > 12):
        raise UsageError(
            f"times of day are read in full hours, not {words!r}", hint="write 8:00, 22:00 or 6 pm"
        )
    if re.search(r"a\.?m\b|p\.?m\b|in the|at night", folded):
        is_late = is_half and not ("night" in folded and hour < 6)
        return hour % 12 + 12 * is_late
    return hour % 24


def _by_clock(match: re.Match[str], first: int, last: int | None) -> Daytime:
    word = match["word"].casefold()
    if last is not None:
        span = [(first + hour) % 24 for hour in range((last - first) % 24 or 24)]
        return Daytime(f"between {first:02}:00 and {last:02}:00", frozenset(span))
    if word in {"at", "around", "about"}:
        return Daytime(f"between {first:02}:00 and {(first + 1) % 24:02}:00", frozenset({first}))
    if word in {"before", "until", "till", "up to", "earlier than"}:
        # Until midnight is the whole evening.
        return Daytime(f"before {first or 24}:00", frozenset(range(first) if first else range(17, 24)))
    # After midnight is the rest of the night.
    return Daytime(f"after {first:02}:00", frozenset(range(first, 24) if first else range(5)))


def is_attribute(after: str) -> bool:
    """Whether a word goes with the noun behind it, as in "winter coat"; not in "winter two years ago"."""
    noun = re.match(r"\s+(?!photo|pic|image|shot|snap|morning|afternoon|evening|night)([a-z]\S*)", after)
    word = noun[1].strip(".,;:!?").casefold() if noun else ""
    return bool(word) and word not in NUMBER_WORDS and not is_empty(word)
