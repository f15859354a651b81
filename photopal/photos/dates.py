"""Reads dates as files write them, and tells how far they can be believed; knows no file format.

A date is the beginning of an ISO 8601 time: "1974", "1974-07", "1974-07-03" or "1974-07-03T18:22:01+02:00".
What clocks say that were never set, and what cannot have been, is kept as unsure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

Certainty = Literal["exact", "day", "month", "year", "unsure"]

EARLIEST_YEAR = 1826
"""The year of the first photograph."""

_DATE = re.compile(
    r"\s*(?P<year>\d{4})(?:[:/.-]\s?(?P<month>\d{1,2})(?:[:/.-]\s?(?P<day>\d{1,2})"
    r"(?:(?:[T ]\s*)(?P<hour>\d{1,2}):\s?(?P<minute>\d{1,2})(?::\s?(?P<second>\d{1,2})(?:[.,]\d*)?)?"
    r"\s*(?P<offset>[Zz]|[+-]\d\d:?\d\d)?)?)?)?(?!\d)"
)
_OFFSET = re.compile(r"\s*([+-])(\d{2}):?(\d{2})\s*$")
_LATEST_AHEAD = timedelta(days=1)
# Where clocks begin that were never set, or that somebody read as seconds since nothing.
_NEVER_SET = ("1904-01-01", "1969-12-31", "1970-01-01", "1979-12-31", "1980-01-01", "2000-01-01")
_FIRST_MINUTE = re.compile(r"\d{4}-01-01T00:00:")
_DIGITAL_FROM = 1990


@dataclass(frozen=True)
class DateTaken:
    """When a photo was taken, as one source says it.

    Attributes:
        at: The beginning of an ISO 8601 local time, as long as it is known.
        certainty: "exact" to the second or minute, to the "day", "month" or "year", or "unsure".
        source: Who says so.
    """

    at: str
    certainty: Certainty
    source: str


def read_date(text: str | None, source: str, *, offset: str | None = None) -> DateTaken | None:
    """Read a date in EXIF's or ISO's form, whole or its beginning; None where it is no date.

    Args:
        text: The date; months and days of 0 mean that they are not known.
        source: Who says so.
        offset: The offset from UTC, where it stands elsewhere.
    """
    match = _DATE.match(text or "")
    if match is None:
        return None
    parts = {
        name: None if part is None else int(part)
        for name, part in match.groupdict().items()
        if name != "offset"
    }
    year, month, day = parts["year"] or 0, parts["month"] or 0, parts["day"] or 0
    if not year:
        return DateTaken("0000", "unsure", source)
    if not month:
        return DateTaken(f"{year:04}", "year", source)
    try:
        moment = datetime(
            year, month, day or 1, parts["hour"] or 0, parts["minute"] or 0, parts["second"] or 0
        )
    except ValueError:
        return None
    if not day:
        return DateTaken(f"{year:04}-{month:02}", "month", source)
    if parts["hour"] is None:
        return DateTaken(moment.date().isoformat(), "day", source)
    return DateTaken(
        moment.isoformat(timespec="seconds") + read_offset(match["offset"] or offset), "exact", source
    )


def read_offset(text: str | None) -> str:
    """Return an offset from UTC as "+02:00"; empty where it is none."""
    if text in ("Z", "z"):
        return "+00:00"
    match = _OFFSET.match(text or "")
    if not match or int(match[2]) > 14 or int(match[3]) > 59:
        return ""
    return f"{match[1]}{match[2]}:{match[3]}"


def judged(date: DateTaken, *, is_from_clock: bool = True, now: datetime | None = None) -> DateTaken:
    """Return a date with the certainty it deserves.

    Before cameras had clocks, midnight on the first day of a year or month stands for the year or month:
    somebody dated a scan. Later it is a clock that was never set.

    Args:
        date: As it was written.
        is_from_clock: A camera may have written it; False for what a person or a program wrote.
        now: What counts as the future; the present when left out.
    """
    year = int(date.at[:4])
    latest = (now or datetime.now(UTC)).replace(tzinfo=None) + _LATEST_AHEAD
    is_impossible = year < EARLIEST_YEAR or date.at[:19] > latest.isoformat()[: len(date.at[:19])]
    if date.certainty == "unsure" or is_impossible or date.at[:10] in _NEVER_SET[:3]:
        return replace(date, certainty="unsure")
    if date.certainty != "exact" or not is_from_clock:
        return date
    if year < _DIGITAL_FROM and date.at[10:19] == "T00:00:00" and date.at[8:10] == "01":
        is_year = date.at[5:7] == "01"
        return replace(
            date, at=date.at[:4] if is_year else date.at[:7], certainty="year" if is_year else "month"
        )
    if date.at[:10] in _NEVER_SET or _FIRST_MINUTE.match(date.at):
        return replace(date, certainty="unsure")
    return date


_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = (
    r"(?P<hour>[01]\d|2[0-3]|\d(?=[.:]))(?P<mark>[-_.:h ]?)(?P<minute>[0-5]\d)(?P=mark)(?P<second>[0-5]\d)"
    r"(?:\d{3}|[-_. ]\d{1,6})?(?!\d)(?:\s?(?P<half>[AaPp][Mm])\b)?"
)
_BETWEEN = r"(?:[-_ T.,]{1,3}|\s(?:at|um|à|a las|alle|om|kl\.?)\s)"
_YEAR = r"(?P<year>(?:18|19|20)\d\d)"
_MONTH, _DAY = r"(?P<month>0[1-9]|1[0-2])", r"(?P<day>0[1-9]|[12]\d|3[01])"
# A date stands for itself: after the beginning, a mark, or a word of letters only.
_BEFORE = r"(?:^|(?<=[^0-9A-Za-z])|(?<![0-9A-Za-z])(?P<word>[A-Za-z]{1,12}))"
_NAMES = (
    # 20190812_123456, 20190812123456, 20190812
    re.compile(rf"{_BEFORE}{_YEAR}{_MONTH}{_DAY}(?:{_BETWEEN}?{_TIME}|(?![0-9A-Za-z]))"),
    # 2019-08-12 12.34.56, 2019_08_12
    re.compile(
        rf"{_BEFORE}{_YEAR}(?P<join>[-_.]){_MONTH}(?P=join){_DAY}(?:{_BETWEEN}{_TIME}|(?![0-9A-Za-z]))"
    ),
    # 12.08.2019
    re.compile(rf"{_BEFORE}(?P<day>0?[1-9]|[12]\d|3[01])\.(?P<month>0?[1-9]|1[0-2])\.{_YEAR}(?![0-9A-Za-z])"),
)
_COMPACT_FROM = 1990
_NUMBER_BEFORE = re.compile(r"\d[-_. +]*$")
_NUMBER_AFTER = re.compile(r"[-_. ]?\d{5,}")


def date_in_name(stem: str) -> DateTaken | None:
    """Read the date that a phone, messenger or person put into a file's name; None where there is none.

    Phone numbers, counters and ids are passed over: a date that stands among other numbers must have a time.

    Args:
        stem: The name without its ending.
    """
    plain = _UUID.sub(" ", stem)
    for number, pattern in enumerate(_NAMES):
        for match in pattern.finditer(plain):
            date = _named(match, plain)
            is_compact = number == 0
            if date is None or (is_compact and int(match["year"]) < _COMPACT_FROM):
                continue
            return date
    return None


def _named(match: re.Match[str], name: str) -> DateTaken | None:
    found = match.groupdict()
    day = f"{match['year']}-{int(match['month']):02}-{int(match['day']):02}"
    if found.get("hour") is None:
        if _NUMBER_BEFORE.search(name[: match.start()]) or _NUMBER_AFTER.match(name[match.end() :]):
            return None
        date = read_date(day, "file name")
    else:
        hour = int(match["hour"])
        if match["half"]:
            hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
        # Pixel phones name photos by the time in UTC.
        offset = "Z" if name.startswith("PXL_") else None
        date = read_date(f"{day} {hour:02}:{match['minute']}:{match['second']}", "file name", offset=offset)
    if date is None:
        return None
    date = judged(date, is_from_clock=False)
    return None if date.certainty == "unsure" else date


_FOLDER = re.compile(
    r"(?<![0-9A-Za-z])(?P<date>(?:18|19|20)\d\d"
    r"(?:([-_. ])(?:0[1-9]|1[0-2])(?:\2(?:0[1-9]|[12]\d|3[01]))?)?)(?![0-9A-Za-z])"
)


def date_in_folder(name: str) -> DateTaken | None:
    """Read the date in a folder's name, which is no more than a hint; None where there is none."""
    match = _FOLDER.search(name)
    if match is None:
        return None
    date = read_date(re.sub(r"[_. ]", "-", match["date"]), "folder name")
    return None if date is None else replace(judged(date, is_from_clock=False), certainty="unsure")
