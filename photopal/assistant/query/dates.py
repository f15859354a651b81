"""Reads one date, season, holiday or stretch of time, relative ones too, as a period; knows no sentence.

A season is three whole months (winter begins in December), Christmas the 24th to the 26th of December,
Easter Good Friday to Easter Monday.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from photopal.errors import UsageError

MONTHS = {name.casefold(): number for number, name in enumerate(calendar.month_name) if number}
MONTHS |= {name.casefold(): number for number, name in enumerate(calendar.month_abbr) if number} | {"sept": 9}
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
WEEKDAYS = {name.casefold(): number for number, name in enumerate(calendar.day_name)}
NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "a": 1, "an": 1, "couple of": 2, "a couple of": 2,
}  # fmt: skip


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous computation of 1876)."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    months, days = divmod(moon + weekday - 7 * ((year % 19 + 11 * moon + 22 * weekday) // 451) + 114, 31)
    return date(year, months, days + 1)


def _thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    return date(year, 11, 22 + (3 - date(year, 11, 22).weekday()) % 7)


def _between(month: int, first: int, last: int) -> Callable[[int], tuple[date, date]]:
    return lambda year: (date(year, month, first), date(year, month, last))


def _around_easter(first: int, last: int) -> Callable[[int], tuple[date, date]]:
    return lambda year: (easter(year) + timedelta(days=first), easter(year) + timedelta(days=last))


HOLIDAYS: dict[str, Callable[[int], tuple[date, date]]] = {
    "christmas": _between(12, 24, 26),
    "xmas": _between(12, 24, 26),
    "christmas eve": _between(12, 24, 24),
    "christmas day": _between(12, 25, 25),
    "boxing day": _between(12, 26, 26),
    "new year's eve": _between(12, 31, 31),
    "new years eve": _between(12, 31, 31),
    "new year's day": _between(1, 1, 1),
    "new year's": _between(1, 1, 1),
    "new year": _between(1, 1, 1),
    "easter": _around_easter(-2, 1),
    "easter sunday": _around_easter(0, 0),
    "easter monday": _around_easter(1, 1),
    "good friday": _around_easter(-2, -2),
    "halloween": _between(10, 31, 31),
    "valentine's day": _between(2, 14, 14),
    "thanksgiving": lambda year: (_thanksgiving(year), _thanksgiving(year)),
}
"""Each holiday's first and last day of a year, by its name in small letters."""


def month_period(name: str) -> Callable[[int], tuple[date, date]]:
    """What gives the first and last day of a month or season in the year it begins in."""

    def of(year: int) -> tuple[date, date]:
        is_season = name in SEASONS
        period = _month(year, SEASONS[name] if is_season else MONTHS[name], months=3 if is_season else 1)
        assert period.since is not None
        assert period.until is not None
        return period.since, period.until

    return of


CALENDAR_WORDS = frozenset({*MONTHS, *SEASONS, *WEEKDAYS, *HOLIDAYS})
"""Words that are dates, in small letters."""

_YEAR = r"(?P<year>1[89]\d\d|2[01]\d\d)"
_MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_NAMED = "|".join(sorted([*SEASONS, *HOLIDAYS], key=len, reverse=True))
_NUMBER = r"(?P<number>\d{1,4}|a couple of|couple of|" + "|".join(sorted(NUMBERS)) + ")"


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, both included; None where it is open on that side."""

    since: date | None
    until: date | None


def _month(year: int, month: int, *, months: int = 1) -> Period:
    last_year, last = divmod(year * 12 + month - 1 + months, 12)
    return Period(date(year, month, 1), date(last_year, last + 1, 1) - timedelta(days=1))


def _day(day: date) -> Period:
    return Period(day, day)


def _iso(match: re.Match[str], _today: date) -> Period | None:
    year, month, day = (int(part) if part else None for part in match.group("year", "m", "d"))
    if year is None or month is None:
        return None
    return _month(year, month) if day is None else _day(date(year, month, day))


def _numeric(match: re.Match[str], _today: date) -> Period:
    first, second, year = int(match["a"]), int(match["b"]), int(match["year"])
    if match["mark"] == "/" and first <= 12 and second <= 12 and first != second:
        raise UsageError(f"{match[0]} can be read as two days", hint=f"write it as {year}-07-03 for 3 July")
    return _day(date(year, first, second) if second > 12 else date(year, second, first))


def _written(match: re.Match[str], today: date) -> Period:
    """ "3 July 2024", "July 3", "July 2024" or "July"; without a year the latest one that has begun."""
    month = MONTHS[match["month"].casefold()]
    parts = match.groupdict()
    day = int(parts["day"]) if parts.get("day") else None
    year = int(parts["year"]) if parts.get("year") else None
    if year is None:
        year = today.year if (month, day or 1) <= (today.month, today.day) else today.year - 1
        if (parts.get("which") or "").casefold() == "last" and (year, month) == (today.year, today.month):
            year -= 1
        if day == 29 and month == 2:
            year -= year % 4
    return _month(year, month) if day is None else _day(date(year, month, day))


def _named(match: re.Match[str], today: date) -> Period:
    """A season or a holiday: of a year, the last that is over, or the latest that has begun."""
    name = match["name"].casefold()

    def of(year: int) -> Period:
        if name in SEASONS:
            return _month(year, SEASONS[name], months=3)
        return Period(*HOLIDAYS[name](year))

    if match["year"]:
        return of(int(match["year"]))
    which = (match["which"] or "").casefold()
    if which in {"this", "next"}:
        return of(today.year)
    periods = [of(today.year - back) for back in range(3)]
    if which in {"last", "previous", "past"}:
        return next(period for period in periods if period.until and period.until < today)
    return next(period for period in periods if period.since and period.since <= today)


def _relative(match: re.Match[str], today: date) -> Period:
    """ "Last year", "this month", "last weekend", "last Monday"."""
    back = 0 if (match["which"] or "").casefold() in {"this", ""} else 1
    unit = match["unit"].casefold()
    monday = today - timedelta(days=today.weekday())
    if unit == "year":
        return Period(date(today.year - back, 1, 1), date(today.year - back, 12, 31))
    if unit == "month":
        year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
        return _month(year, month + 1)
    if unit == "week":
        first = monday - timedelta(weeks=back)
        return Period(first, first + timedelta(days=6))
    if unit == "weekend":
        saturday = monday + timedelta(days=5) - timedelta(weeks=back)
        return Period(saturday, saturday + timedelta(days=1))
    days = (today.weekday() - WEEKDAYS[unit] - back) % 7 + back
    return _day(today - timedelta(days=days))


def _stretch(match: re.Match[str], today: date) -> Period:
    """ "The last 3 weeks" up to today; "3 weeks ago" as that day, week, month or year."""
    number = _count(match["number"] or "one")
    unit = match["unit"].casefold()
    is_ago = "ago" in match.groupdict()
    if unit in {"year", "month"}:
        months = number * (12 if unit == "year" else 1)
        year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
        if is_ago:
            return Period(date(year, 1, 1), date(year, 12, 31)) if unit == "year" else _month(year, month + 1)
        last_day = calendar.monthrange(year, month + 1)[1]
        return Period(date(year, month + 1, min(today.day, last_day)), today)
    day = today - timedelta(days=number * (7 if unit == "week" else 1))
    if not is_ago:
        return Period(day, today)
    monday = day - timedelta(days=day.weekday())
    return _day(day) if unit == "day" else Period(monday, monday + timedelta(days=6))


def _count(words: str) -> int:
    return int(words) if words.isdecimal() else NUMBERS[words.casefold()]


def _decade(match: re.Match[str], today: date) -> Period:
    century = int(match["century"] or (20 if int(match["ten"]) * 10 <= today.year % 100 else 19))
    first = century * 100 + int(match["ten"]) * 10
    return Period(date(first, 1, 1), date(first + 9, 12, 31))


def _word(match: re.Match[str], today: date) -> Period:
    back = {"today": 0, "tonight": 0, "yesterday": 1, "last night": 1}.get(match[0].casefold(), 2)
    return _day(today - timedelta(days=back))


def _years(match: re.Match[str], _today: date) -> Period:
    first, last = int(match["year"]), int(match.groupdict().get("last") or match["year"])
    if last < first:
        raise UsageError(f"{match[0]}: the second year is before the first")
    return Period(date(first, 1, 1), date(last, 12, 31))


_UNITS = r"(?P<unit>day|week|month|year)s?"
READERS: tuple[tuple[str, Callable[[re.Match[str], date], Period | None]], ...] = (
    (rf"{_YEAR}\s*[-–—/]\s*(?P<last>1[89]\d\d|2[01]\d\d)", _years),
    (rf"{_YEAR}-(?P<m>0?[1-9]|1[0-9])(?:-(?P<d>\d{{1,2}}))?(?!\d)", _iso),
    (rf"(?P<a>\d{{1,2}})(?P<mark>[./])(?P<b>\d{{1,2}})(?P=mark){_YEAR}", _numeric),
    (rf"{_DAY}\s+(?:of\s+)?{_MONTH},?(?:\s+(?:of\s+)?{_YEAR})?", _written),
    (rf"{_MONTH}\s+(?:the\s+)?{_DAY}(?:,?\s+{_YEAR})?", _written),
    (rf"(?:(?P<which>last|this)\s+)?{_MONTH}(?:,?\s+(?:of\s+|in\s+)?{_YEAR})?", _written),
    (rf"(?:(?P<which>last|this|past)\s+)?(?P<name>{_NAMED})(?:,?\s+(?:of\s+|in\s+)?{_YEAR})?", _named),
    (rf"(?P<which>last|this|previous)\s+(?P<unit>year|month|weekend|week|{'|'.join(WEEKDAYS)})", _relative),
    (rf"(?P<which>\b)?(?P<unit>{'|'.join(WEEKDAYS)})", _relative),
    (rf"(?:last|past|previous)\s+{_NUMBER}\s+{_UNITS}", _stretch),
    (rf"{_NUMBER}\s+{_UNITS}\s+(?P<ago>ago)", _stretch),
    (r"(?P<century>1[89]|20)?'?(?P<ten>\d)0'?s", _decade),
    (r"(?:the )?day before yesterday|today|tonight|yesterday|last night", _word),
    (_YEAR, _years),
)  # fmt: skip
"""What dates look like, what is tried first standing first, and who reads them; case does not matter."""
