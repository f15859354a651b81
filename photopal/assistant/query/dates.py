"""Reads dates, seasons, holidays and stretches of time in English text; knows no photo.

A date without a year ("July", "Christmas", "3 July") is a `Recurring`: it counts in every year. A season is
three whole months (winter begins in December), Christmas the 24th to the 26th of December, Easter Good Friday
to Easter Monday. Early, mid and late are thirds: four months of a year, one of a season, ten days of a month.
After since, until, before and after, and in a range, the beginning, middle and end of a time are one day.
"Saturday" and "the weekend" are those of every week, but "on Saturday" and "since Saturday" the latest one.
A time of day ("in the evening", "after 22:00") is a `Daytime`: whole hours of any day.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from photopal.assistant.query.daytimes import Daytime, find_daytimes, is_attribute, part_of_that_day
from photopal.assistant.query.lexicon import NUMBER_WORDS
from photopal.assistant.query.patterns import LazyPattern
from photopal.errors import UsageError
from photopal.vocabulary import MONTHS, SEASONS, WEEKDAYS

NUMBERS = {**NUMBER_WORDS, "a": 1, "an": 1}


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


CALENDAR_WORDS = frozenset({*MONTHS, *SEASONS, *WEEKDAYS, *HOLIDAYS})
"""Words that are dates, in small letters."""

# From the first photograph on; a bare number such as 1500 is more likely part of a name.
YEARS = range(1826, 2200)
_YEAR = r"(?P<year>1[89]\d\d|2[01]\d\d)"
_MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.(?=\s))?"
# "24.12." anywhere, and "on 24.12".
_AFTER_A_WORD = r"(?:(?<=\bon )|(?<=\bfrom )|(?<=\bsince )|(?<=\buntil )|(?<=\bbefore )|(?<=\bafter ))"
_DAY_OF_MONTH = rf"(?<![\d.])(?:(?=\d+\.\d+\.)|{_AFTER_A_WORD})(?P<day>\d{{1,2}})\.(?P<m>0?[1-9]|1[0-2])\b\.?"
_LAST_DAY = r"(?P<last_day>\d{1,2})(?:st|nd|rd|th|\.(?=\s))?"
_NO_MONTH = rf"(?!\d|\s+(?:of\s+)?(?:{'|'.join(MONTHS)})\b)"
_MONTH_BEFORE = LazyPattern(rf"\b(?:{'|'.join(MONTHS)})\.?\s+(?:the\s+)?$")
_TO = r"(?:\s*[-–—]\s*|\s+(?:up\s+)?(?:to|until|till|through)\s+)(?:the\s+)?"
_RECENT_DAYS = 31
_NAMED = "|".join(sorted([*SEASONS, *HOLIDAYS], key=len, reverse=True))
_NUMBER = rf"(?P<number>\d{{1,4}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"


@dataclass(frozen=True)
class Period:
    """Days from the first to the last, both included; None where it is open on that side."""

    since: date | None
    until: date | None


@dataclass(frozen=True)
class Recurring:
    """Days that come back every year.

    Attributes:
        label: As it stands after "photos": "in July", "at Christmas", "on Sundays".
        in_year: Gives the periods that begin in a year; none where the year has no such day.
    """

    label: str
    in_year: Callable[[int], tuple[Period, ...]]


When = Period | Recurring | Daytime
Opening = Literal["since", "after", "until", "before"]


@dataclass(frozen=True)
class DateSpan:
    """A date in a text.

    Attributes:
        start: Where it begins, a preposition before it included.
        end: Where it ends.
        when: The days.
        base: The date without its year, where it has one: of "Christmas 2022" what Christmas is.
        is_bare_year: Whether it is a year and no more.
        is_range: Whether it is from one date to another.
        opening: Which word, or one like it, opened it on one side.
        edge: Of "the end of 2022" its last day, which bounds what is since, until, before or after it.
    """

    start: int
    end: int
    when: When
    base: Recurring | None = None
    is_bare_year: bool = False
    is_range: bool = False
    opening: Opening | None = None
    edge: Period | Recurring | None = None


@dataclass(frozen=True)
class _Read:
    when: When
    base: Recurring | None = None
    is_bare_year: bool = False
    daytime: Daytime | None = None


def _month(year: int, month: int, *, months: int = 1) -> Period:
    last_year, last = divmod(year * 12 + month - 1 + months, 12)
    return Period(date(year, month, 1), date(last_year, last + 1, 1) - timedelta(days=1))


def _day(day: date) -> Period:
    return Period(day, day)


def recurring(name: str) -> Recurring:
    """Return the month, season or holiday of a name in small letters, as it comes back every year."""
    if name in SEASONS:
        return Recurring(f"in {name}", lambda year: (_month(year, SEASONS[name], months=3),))
    if name in MONTHS:
        month = MONTHS[name]
        return Recurring(f"in {calendar.month_name[month]}", lambda year: (_month(year, month),))
    title = re.sub(r"(?<!['’])\b[a-z]", lambda letter: letter[0].upper(), name)
    preposition = "on" if name.endswith(("day", "eve", "halloween", "boxing day", "sunday")) else "at"
    return Recurring(f"{preposition} {title}", lambda year: (Period(*HOLIDAYS[name](year)),))


def _recurring_day(month: int, day: int) -> Recurring:
    date(2024, month, day)  # raises ValueError where no year has this day

    def in_year(year: int) -> tuple[Period, ...]:
        try:
            return (_day(date(year, month, day)),)
        except ValueError:
            return ()

    return Recurring(f"on {day} {calendar.month_name[month]}", in_year)


def _recurring_weekdays(label: str, weekdays: Collection[int]) -> Recurring:
    first = min(weekdays)

    def in_year(year: int) -> tuple[Period, ...]:
        start = date(year, 1, 1)
        day = start + timedelta(days=(first - start.weekday()) % 7)
        periods = []
        while day.year == year:
            periods.append(Period(day, day + timedelta(days=len(weekdays) - 1)))
            day += timedelta(days=7)
        return tuple(periods)

    return Recurring(label, in_year)


def latest(when: Recurring, today: date, *, is_over: bool = False) -> Period:
    """Return the latest of the periods that has begun, or that is over."""
    # 29 February is a Saturday again after 40 years at the latest.
    periods = (period for back in range(41) for period in reversed(when.in_year(today.year - back)))
    return next(
        period
        for period in periods
        if period.since and period.until and (period.until < today if is_over else period.since <= today)
    )


def _iso(match: re.Match[str], _today: date) -> _Read | None:
    year, month, day = (int(part) if part else None for part in match.group("year", "m", "d"))
    if year is None or month is None:
        return None
    return _Read(_month(year, month) if day is None else _day(date(year, month, day)))


def _month_of_year(match: re.Match[str], _today: date) -> _Read:
    """ "10/2025"."""
    return _Read(_month(int(match["year"]), int(match["m"])))


def _year_and_month(match: re.Match[str], _today: date) -> _Read:
    """ "2024/07"; "2011/12" may be two years."""
    year, month = int(match["year"]), int(match["m"])
    if (year + 1) % 100 == month:
        raise UsageError(f"{match[0]} can be read as a month or two years", hint=f"write {year}-{month:02}")
    return _Read(_month(year, month))


def _numeric(match: re.Match[str], _today: date) -> _Read:
    first, second, year = int(match["a"]), int(match["b"]), int(match["year"])
    if match["mark"] == "/" and first <= 12 and second <= 12 and first != second:
        raise UsageError(f"{match[0]} can be read as two days", hint=f"write it as {year}-07-03 for 3 July")
    return _Read(_day(date(year, first, second) if second > 12 else date(year, second, first)))


def _numeric_day(match: re.Match[str], _today: date) -> _Read | None:
    """ "24/12" and "12/24" of every year; the one above 12 is the day."""
    first, second = int(match["a"]), int(match["b"])
    if first <= 12 and second <= 12 and first != second:
        raise UsageError(f"{match[0]} can be read as two days", hint="write it as 3 July")
    if not (first and second) or min(first, second) > 12:
        return None
    every = _recurring_day(first, second) if second > 12 else _recurring_day(second, first)
    return _Read(every, every)


def _day_and_month(match: re.Match[str], _today: date) -> _Read:
    """ "24.12." of every year."""
    every = _recurring_day(int(match["m"]), int(match["day"]))
    return _Read(every, every)


def _written(match: re.Match[str], today: date) -> _Read:
    """ "3 July 2024", "July 3", "July 2024", "last July" or "July"."""
    month = MONTHS[match["month"].casefold()]
    parts = match.groupdict()
    day = int(parts["day"]) if parts.get("day") else None
    base = recurring(match["month"].casefold()) if day is None else _recurring_day(month, day)
    if parts.get("year"):
        year = int(parts["year"])
        return _Read(_month(year, month) if day is None else _day(date(year, month, day)), base)
    which = (parts.get("which") or "").casefold()
    if which == "last":
        return _Read(latest(base, today, is_over=True))
    if which in {"this", "next"}:
        return _Read(base.in_year(today.year + (which == "next"))[0])
    return _Read(base, base)


def _days(match: re.Match[str], _today: date) -> _Read | None:
    """ "24 to 26 December 2021", "July 1-20" of every year; not the end of "December 20 to 24 January"."""
    month, first, last = MONTHS[match["month"].casefold()], int(match["day"]), int(match["last_day"])
    if last < first or _MONTH_BEFORE.search(match.string[: match.start()]):
        return None
    every = _recurring_range(_recurring_day(month, first), _recurring_day(month, last))
    if not match["year"]:
        return _Read(every, every)
    year = int(match["year"])
    return _Read(Period(date(year, month, first), date(year, month, last)), every)


def _named(match: re.Match[str], today: date) -> _Read:
    """A season or a holiday: of a year, the last that is over, this year's, or every year's."""
    base = recurring(match["name"].casefold())
    if match["year"]:
        return _Read(base.in_year(int(match["year"]))[0], base)
    which = (match["which"] or "").casefold()
    if which == "this":
        return _Read(_this(base, today))
    if which == "next":
        return _Read(base.in_year(today.year)[0])
    if which in {"last", "previous", "past"}:
        return _Read(latest(base, today, is_over=True))
    return _Read(base, base)


def _winter(match: re.Match[str], _today: date) -> _Read | None:
    """ "Winter 2023/24", which begins in the first of the two years."""
    year, base = int(match["year"]), recurring("winter")
    follows = str(year + 1).endswith(match["next"])
    return _Read(base.in_year(year)[0], base) if follows else None


def _this(when: Recurring, today: date) -> Period:
    """This year's; of what is still to come, as Christmas in January, the last one if that is hardly over."""
    [last, *_], [this, *_] = when.in_year(today.year - 1), when.in_year(today.year)
    assert last.until is not None
    assert this.since is not None
    is_recent = last.until >= today - timedelta(days=_RECENT_DAYS)
    return last if is_recent and this.since > today else this


def _relative(match: re.Match[str], today: date) -> _Read | None:
    """ "Last year", "this month", "last weekend", "last Monday"."""
    if _OF_A_TIME.match(match.string, match.end()):
        # "The last week of 2024" is not the one before this.
        return None
    back = 0 if (match["which"] or "").casefold() in {"this", ""} else 1
    unit = match["unit"].casefold()
    monday = today - timedelta(days=today.weekday())
    if unit == "year":
        return _Read(Period(date(today.year - back, 1, 1), date(today.year - back, 12, 31)))
    if unit == "month":
        year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
        return _Read(_month(year, month + 1))
    if unit == "week":
        first = monday - timedelta(weeks=back)
        return _Read(Period(first, first + timedelta(days=6)))
    if unit == "weekend":
        saturday = monday + timedelta(days=5) - timedelta(weeks=back)
        return _Read(Period(saturday, saturday + timedelta(days=1)))
    return _Read(_latest_weekday(WEEKDAYS[unit], today, back=back))


def _latest_weekday(weekday: int, today: date, *, back: int) -> Period:
    """The latest such day, which ends so many days before tomorrow."""
    return _day(today - timedelta(days=(today.weekday() - weekday - back) % 7 + back))


def _one_weekday(match: re.Match[str], today: date) -> _Read | None:
    """ "On Saturday" and "since Saturday" are the latest; "photos from Saturday" and "the weekend" are every.

    "The first weekend" and "the weekend before Easter" are one of them, which is not known here.
    """
    before, after = match.string[: match.start()], match.string[match.end() :]
    if _ONE_OF_THEM.search(before) or re.match(r"\s+(?:before|after|of|following)\b", after, re.IGNORECASE):
        return None
    unit, at = match["unit"].casefold(), _AT_WEEKDAY.search(before)
    if at and unit != "weekend":
        back = 0 if at["word"].casefold() == "on" else 1
        return _Read(_latest_weekday(WEEKDAYS[unit], today, back=back))
    return _weekdays(match, today)


def _weekdays(match: re.Match[str], _today: date) -> _Read:
    """ "Sundays", "every Sunday", "weekends"."""
    unit = match["unit"].casefold()
    if unit == "weekend":
        return _Read(_recurring_weekdays("at weekends", (5, 6)))
    if unit in {"weekday", "workday", "working day"}:
        return _Read(_recurring_weekdays(f"on {unit}s", range(5)))
    return _Read(_recurring_weekdays(f"on {unit.capitalize()}s", (WEEKDAYS[unit],)))


def _stretch(match: re.Match[str], today: date) -> _Read:
    """ "The last 3 weeks" up to today; "3 weeks ago" as that day, week, month or year, or today's in it."""
    number = _count(match["number"] or "one")
    unit = match["unit"].casefold()
    is_ago, is_day = (bool(match.groupdict().get(name)) for name in ("ago", "today"))
    if unit in {"year", "month"}:
        months = number * (12 if unit == "year" else 1)
        year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
        last_day = calendar.monthrange(year, month + 1)[1]
        since = date(year, month + 1, min(today.day, last_day))
        if is_day:
            return _Read(_day(since))
        if is_ago:
            of_year = Period(date(year, 1, 1), date(year, 12, 31))
            return _Read(of_year if unit == "year" else _month(year, month + 1))
        return _Read(Period(since, today))
    day = today - timedelta(days=number * (7 if unit == "week" else 1))
    if not is_ago:
        return _Read(Period(day, today))
    monday = day - timedelta(days=day.weekday())
    return _Read(_day(day) if unit == "day" or is_day else Period(monday, monday + timedelta(days=6)))


def _count(words: str) -> int:
    return int(words) if words.isdecimal() else NUMBERS[words.casefold()]


def _part_of_year(match: re.Match[str], _today: date) -> _Read | None:
    """ "The first half of 2022", "the last quarter of 2022", "Q2 2022"."""
    months = 6 if match["size"].casefold() in {"half", "h"} else 3
    part, last = match["part"].casefold(), 12 // months - 1
    numbers = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": last}
    number = numbers[part] if part in numbers else int(part[0]) - 1
    if number > last:
        return None
    return _Read(_month(int(match["year"]), 1 + number * months, months=months))


def _decade(match: re.Match[str], today: date) -> _Read:
    century = int(match["century"] or (20 if int(match["ten"]) * 10 <= today.year % 100 else 19))
    first = century * 100 + int(match["ten"]) * 10
    return _Read(Period(date(first, 1, 1), date(first + 9, 12, 31)))


def _part_of_a_day(match: re.Match[str], today: date) -> _Read:
    """ "This morning", "tonight", "last night" as far as it is still the day before."""
    is_last = (match.groupdict().get("which") or "").casefold() == "last"
    day = today - timedelta(days=1) if is_last else today
    return _Read(_day(day), daytime=part_of_that_day(match["part"].casefold()))


_DAYS_BACK = {"today": 0, "yesterday": 1, "day before yesterday": 2}


def _word(match: re.Match[str], today: date) -> _Read:
    back = _DAYS_BACK[match[0].casefold().removeprefix("the ")]
    return _Read(_day(today - timedelta(days=back)))


_TO_NOW = LazyPattern(
    r"(?:\b(?:to|till|until|through)\s+|\d\s*[-–—]\s*|\bbetween\b.*\band\s+)(?:right\s+)?(?:the\s+)?$"
)


def _now(match: re.Match[str], today: date) -> _Read | None:
    """ "Now" where it ends a time: "from 2024 to now"."""
    return _Read(_day(today)) if _TO_NOW.search(match.string[: match.start()]) else None


def _years(match: re.Match[str], _today: date) -> _Read:
    first, last = int(match["year"]), int(match.groupdict().get("last") or match["year"])
    if last < first:
        raise UsageError(f"{match[0]}: the second year is before the first")
    return _Read(Period(date(first, 1, 1), date(last, 12, 31)), is_bare_year=first == last)


_UNITS = r"(?P<unit>day|week|month|year)s?"
_WEEKDAY = "|".join(WEEKDAYS)
_ONE_OF_THEM = LazyPattern(
    r"\b(?:first|second|third|fourth|fifth|\d(?:st|nd|rd|th)|last|next|previous|following|other|same)\s+$"
)
_AT_WEEKDAY = LazyPattern(
    rf"\b(?P<word>on|since|after|before|until|till)\s+(?:the\s+)?"
    rf"(?:(?:{_WEEKDAY})(?:\s*(?:,|\band\b|\bor\b))+\s*)*$"
)
_OF_A_TIME = LazyPattern(rf"\s+(?:of\b|in\s+(?:{'|'.join([*MONTHS, *SEASONS])}|(?:1[89]|2[01])\d\d)\b)")
_SHORT_WEEKDAYS = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip
_WORKDAY = "weekday|workday|working day"
READERS: tuple[tuple[str, Callable[[re.Match[str], date], _Read | None]], ...] = (
    (rf"(?P<name>winter)\s+(?:of\s+)?{_YEAR}\s*[/–-]\s*(?P<next>\d\d(?:\d\d)?)", _winter),
    (rf"{_YEAR}\s*[-–—/]\s*(?P<last>1[89]\d\d|2[01]\d\d)", _years),
    (rf"{_YEAR}(?P<mark>[/.])(?P<m>0?[1-9]|1[0-9])(?P=mark)(?P<d>\d{{1,2}})", _iso),
    (rf"{_YEAR}/(?P<m>0[1-9]|1[0-2])(?!/)", _year_and_month),
    (rf"{_YEAR}-(?P<m>0?[1-9]|1[0-9])(?:-(?P<d>\d{{1,2}}))?(?!\d)", _iso),
    (rf"(?P<a>\d{{1,2}})(?P<mark>[./])(?P<b>\d{{1,2}})(?P=mark){_YEAR}", _numeric),
    (rf"{_DAY_OF_MONTH}(?![\w.]|\s*(?:year|month|week|day|hour|k?m\b))", _day_and_month),
    (rf"(?<!/)(?P<m>0?[1-9]|1[0-2])/{_YEAR}", _month_of_year),
    (rf"{_AFTER_A_WORD}(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})(?![/.\d])", _numeric_day),
    (rf"{_DAY}{_TO}{_LAST_DAY}\s+(?:of\s+)?{_MONTH},?(?:\s+(?:of\s+)?{_YEAR})?", _days),
    ((rf"(?:(?<=between )|(?<=between the )){_DAY}\s+and\s+(?:the\s+)?{_LAST_DAY}\s+(?:of\s+)?{_MONTH},?"
     rf"(?:\s+(?:of\s+)?{_YEAR})?"), _days),
    (rf"{_MONTH}\s+(?:the\s+)?{_DAY}{_TO}{_LAST_DAY}{_NO_MONTH}(?:,?\s+{_YEAR})?", _days),
    ((rf"(?:(?<=between )|(?<=between the )){_MONTH}\s+(?:the\s+)?{_DAY}\s+and\s+(?:the\s+)?{_LAST_DAY}"
     rf"{_NO_MONTH}(?:,?\s+{_YEAR})?"), _days),
    (rf"{_DAY}\s+(?:of\s+)?{_MONTH},?(?:\s+(?:of\s+)?{_YEAR})?", _written),
    (rf"{_MONTH}\s+(?:the\s+)?{_DAY}(?!\s*(?:{'photo|picture|image'}))(?:,?\s+{_YEAR})?", _written),
    (rf"{_YEAR}(?:'s)?\s+{_MONTH}", _written),
    (
        (rf"(?:(?P<which>last|this|next)\s+(?!\w+ (?:photo|picture)\b))?{_MONTH}(?:,?\s+(?:of\s+"
        rf"|in\s+)?{_YEAR})?"), _written),
    (rf"{_YEAR}(?:'s)?\s+(?P<which>\b)?(?P<name>{_NAMED})", _named),
    (
        (rf"(?:(?P<which>last|this|past|previous|next)\s+(?!(?:{_NAMED}) (?:photo"
        rf"|picture)\b))?(?P<name>{_NAMED})(?:,?\s+(?:of\s+|in\s+)?{_YEAR})?"),
     _named),
    (rf"(?P<which>last|this|previous|past)\s+(?P<unit>year|month|weekend|week|{_WEEKDAY})", _relative),
    (rf"(?P<part>first|second|1st|2nd|last) (?P<size>half) (?:of )?(?:the year )?{_YEAR}", _part_of_year),
    (
        ("(?P<part>first|second|third|fourth|1st|2nd|3rd|4th|last) (?P<size>quarter) (?:of )?"
        f"(?:the year )?{_YEAR}"), _part_of_year),
    (rf"(?P<size>[qh])(?P<part>[1-4])(?:\s+|\s*[/-]\s*)(?:of )?{_YEAR}", _part_of_year),
    (rf"{_YEAR}(?:\s+|\s*[/-]\s*)(?P<size>[qh])(?P<part>[1-4])", _part_of_year),
    (rf"(?:(?:every|each|an?|any)\s+(?P<unit>weekend|{_WORKDAY}|{_WEEKDAY})s?)", _weekdays),
    (rf"(?P<unit>weekend|{_WORKDAY}|{_WEEKDAY})s", _weekdays),
    (rf"(?P<unit>{_WEEKDAY})(?=\s+(?:morning|afternoon|evening|night)s)", _weekdays),
    (rf"(?P<unit>weekend|{_WEEKDAY})", _one_weekday),
    (rf"(?:last|past|previous)\s+{_NUMBER}\s+{_UNITS}", _stretch),
    (rf"(?P<today>today|this day),?\s+{_NUMBER}\s+{_UNITS}\s+(?P<ago>ago)", _stretch),
    (rf"{_NUMBER}\s+{_UNITS}\s+(?P<ago>ago)(?:\s+(?P<today>today))?", _stretch),
    (r"(?P<which>this|last)\s+(?P<part>night|evening)", _part_of_a_day),
    (r"(?P<which>this)\s+(?P<part>morning|afternoon)", _part_of_a_day),
    (r"to(?P<part>night)", _part_of_a_day),
    (r"(?P<century>1[89]|20)?'?(?P<ten>\d)0'?s", _decade),
    (rf"(?:the )?day before yesterday|{'|'.join(_DAYS_BACK)}", _word),
    (r"(?:right )?now|(?:the )?present(?: day)?", _now),
    (_YEAR, _years),
)  # fmt: skip
"""What dates look like, what is tried first standing first, and who reads them; case does not matter."""

_NOT_IN_WORD = r"(?:(?<![\w-])|(?<=\bmid-))"
_END = r"(?![\w])(?!-\d)"
_PATTERNS = [(LazyPattern(_NOT_IN_WORD + pattern + _END), read) for pattern, read in READERS]
# Every date has one of these; reading all that a date can look like takes a while to get ready.
_FIRST_WORDS = frozenset(name.split()[0] for name in CALENDAR_WORDS)
_HINTS = re.compile(
    r"\d|\b(?:year|month|week|weekend|weekday|workday|day|to)s?\b"
    r"|\b(?:today|tonight|yesterday|now|present|ago|noon|midday|midnight)\b"
    r"|\b(?:morning|forenoon|afternoon|evening|night|lunch)(?:s|-?time)?\b",
    re.I,
)
_PART = r"(?:early|mid|late|(?:beginning|start|middle|end)\s+of)"
_CUES = (
    "in|during|since|until|till|before|after|between|from|over|through|throughout|every|each|last|this|than"
    rf"|{_PART}"
)
_PREPOSITION = LazyPattern(
    r"\b(?P<word>(?:the )?day (?:after|before)|since|(?:up )?until|till|up to|before|prior to|after|between"
    r"|by|from|in|on|at|during|over|around|of|for"
    r"|throughout|back in|as of|starting|earlier than|later than|every|each)\s+"
    r"(?:(?:the|each|every)\s+)?(?:(?:year|month of)\s+)?$"
)
_JOIN = LazyPattern(r"\s*(?:,|and|or|,\s*(?:and|or)|/|&)\s*(?:in\s+|on\s+|at\s+|of\s+)?")


def find_dates(
    text: str, today: date, *, names: Collection[str] = (), is_search: bool = False
) -> list[DateSpan]:
    """Find the dates in a text, in its order; "between A and B" and "2019-2021" are one.

    Args:
        text: Such as a question.
        today: What "last summer" and the like are counted from.
        names: Names that are also words of the calendar, such as May: without a year or a word like "in"
            before it, such a word is the name.
        is_search: Whether the text is a list of words, in which a word of the calendar needs no "in".

    Raises:
        UsageError: There is no such day, or a date can be read in two ways.
    """
    words = re.findall(r"[^\W\d_]+(?:'s)?", text.casefold())
    if not (_HINTS.search(text) or any({word, word.removesuffix("s")} & _FIRST_WORDS for word in words)):
        return []
    spans = _find_spans(text, today, {name.casefold() for name in names}, is_search=is_search)
    spans = _share_years(text, _join_ranges(text, spans, today))
    dates = _within_periods(text, [_with_preposition(text, span, today) for span in spans])
    daytimes = [
        DateSpan(start, end, when)
        for start, end, when in find_daytimes(
            text, [(span.start, span.end) for span in dates], is_search=is_search
        )
    ]
    return sorted([*dates, *daytimes], key=lambda span: span.start)


def _find_spans(text: str, today: date, names: Collection[str], *, is_search: bool) -> list[DateSpan]:
    spans: list[DateSpan] = []
    for pattern, read in _PATTERNS:
        for match in pattern.finditer(text):
            if any(s.start < match.end() and match.start() < s.end for s in spans):
                continue
            is_word = match[0].casefold() in names or not is_search
            if is_word and _is_no_date(text, match, names):
                continue
            if found := _read(read, match, today):
                span = DateSpan(
                    match.start(),
                    match.end(),
                    found.when,
                    base=found.base,
                    is_bare_year=found.is_bare_year,
                )
                spans.append(_with_part(text, _with_week(text, _with_weekday(text, span))))
                if found.daytime:
                    spans.append(DateSpan(match.end(), match.end(), found.daytime))
    return sorted(spans, key=lambda span: span.start)


_WEEKDAY_BEFORE = LazyPattern(
    rf"(?<![\w-])(?:(?P<weekday>{_WEEKDAY})|(?P<short>{'|'.join(_SHORT_WEEKDAYS)})\.?),?\s+(?:the\s+)?$"
)


def _with_weekday(text: str, span: DateSpan) -> DateSpan:
    """Take in the "Saturday" of "Saturday, 3 October 2026", which must be one; of any year, if it is."""
    before = _WEEKDAY_BEFORE.search(text[: span.start])
    if before is None or not _is_day(span.when):
        return span
    name = (before["weekday"] or before["short"]).casefold()
    weekday = WEEKDAYS[name] if before["weekday"] else _SHORT_WEEKDAYS[name]
    when = span.when
    if isinstance(when, Recurring):
        return replace(span, start=before.start(), when=_on_weekday(when, weekday))
    assert isinstance(when, Period)
    assert when.since is not None
    if when.since.weekday() == weekday:
        return replace(span, start=before.start())
    # "Sun" and "mon" may be words.
    if before["short"]:
        return span
    actual = calendar.day_name[when.since.weekday()]
    raise UsageError(
        f"{text[span.start : span.end]} is a {actual}, not a {calendar.day_name[weekday]}",
        hint="Write the date without the day of the week.",
    )


_WEEK_BEFORE = LazyPattern(r"(?<![\w-])(?<!first )(?<!last )(?:the\s+)?week\s+of\s+(?:the\s+)?$")


def _with_week(text: str, span: DateSpan) -> DateSpan:
    """Take in the "week of" of "the week of 3 August", which begins on its Monday."""
    before = _WEEK_BEFORE.search(text[: span.start])
    if before is None or not _is_day(span.when):
        return span

    def week(day: Period) -> Period:
        assert day.since is not None
        monday = day.since - timedelta(days=day.since.weekday())
        return Period(monday, monday + timedelta(days=6))

    if isinstance(span.when, Period):
        return replace(span, start=before.start(), when=week(span.when), base=None)
    assert isinstance(span.when, Recurring)
    days = span.when
    weeks = Recurring(
        f"in the week of {_without_preposition(days.label)}",
        lambda year: tuple(map(week, days.in_year(year))),
    )
    return replace(span, start=before.start(), when=weeks, base=weeks)


_PART_BEFORE = LazyPattern(
    r"(?<![\w-])(?:the\s+)?(?:(?P<word>early|mid|late)(?:[\s-]+|\s+in\s+)"
    r"|(?:towards?\s+(?:the\s+)?)?(?P<edge>beginning|start|middle|end)\s+of\s+)(?:the\s+)?(?:year\s+)?$"
)
_AT = LazyPattern(r"\bat\s+$")
_THIRDS = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}


def _with_part(text: str, span: DateSpan) -> DateSpan:
    """Take in the "early" of "early 2023", or "the end of", which leave a third of it.

    Raises:
        UsageError: "At the end of 2022" may be its last days.
    """
    before = _PART_BEFORE.search(text[: span.start])
    if before is None or isinstance(span.when, Daytime):
        return span
    which = _THIRDS[(before["word"] or before["edge"]).casefold()]
    when, edge = _third(span.when, which), _edge(span.when, which) if before["edge"] else None
    if edge and when and _AT.search(text[: before.start()]) and _is_long(span.when):
        typed = text[span.start : span.end]
        raise UsageError(
            f'not understood: "{before["edge"]}" of {typed}, which may be days or months',
            hint=f'Write "{("early", "mid", "late")[which]} {typed}" for a third of it, or name the month.',
        )
    if when is None and not (edge and _bounds(text, before.start())):
        return span
    when = when or edge or span.when
    base = when if isinstance(when, Recurring) else span.base and _third_of_every(span.base, which)
    return replace(span, start=before.start(), when=when, base=base, is_bare_year=False, edge=edge)


def _is_long(when: When) -> bool:
    """Whether it is a year or longer."""
    return isinstance(when, Period) and _months(when) >= 12


def _bounds(text: str, end: int) -> bool:
    """Whether a word such as "until" stands before a place in a text."""
    before = _PREPOSITION.search(text[:end])
    return before is not None and before["word"].casefold() in _OPENINGS


def _edge(when: Period | Recurring, which: int) -> Period | Recurring | None:
    """The first day, the middle or the last day; None of days of the week."""
    if isinstance(when, Recurring):
        if len(when.in_year(2024)) != 1:
            return None
        name = ("beginning", "middle", "end")[which]

        def in_year(year: int) -> tuple[Period, ...]:
            edges = (_edge(period, which) for period in when.in_year(year))
            return tuple(edge for edge in edges if isinstance(edge, Period))

        return Recurring(f"at the {name} of {_without_preposition(when.label)}", in_year)
    if when.since is None or when.until is None:
        return None
    if which != 1:
        return _day(when.since if which == 0 else when.until)
    if months := _months(when):
        month = when.since.year * 12 + when.since.month - 1 + months // 2
        return _day(date(month // 12, month % 12 + 1, 15 if months % 2 else 1))
    return _day(when.since + (when.until - when.since) // 2)


def _months(period: Period) -> int:
    """How many whole months a period is; 0 if it is none."""
    first, last = period.since, period.until
    if first is None or last is None or first.day != 1 or (last + timedelta(days=1)).day != 1:
        return 0
    return (last.year - first.year) * 12 + last.month - first.month + 1


def _third(when: When, which: int) -> When | None:
    """The first, second or last third of a decade, year or season, in months, or of a month, in ten days."""
    if isinstance(when, Recurring):
        return _third_of_every(when, which)
    if isinstance(when, Daytime) or when.since is None or (months := _months(when)) not in {1, 3, 12, 120}:
        return None
    if months > 1:
        begun = when.since.year * 12 + when.since.month - 1 + which * months // 3
        return _month(begun // 12, begun % 12 + 1, months=months // 3)
    begin = when.since + timedelta(days=10 * which)
    return Period(begin, when.until if which == 2 else begin + timedelta(days=9))


def _third_of_every(when: Recurring, which: int) -> Recurring | None:
    """A third of every such season or month; None of a holiday or of days of the week."""

    def in_year(year: int) -> tuple[Period, ...]:
        thirds = (_third(period, which) for period in when.in_year(year))
        return tuple(period for period in thirds if isinstance(period, Period))

    periods = in_year(2024)
    if len(periods) != 1 or periods[0].since is None or periods[0].until is None:
        return None
    first, last = periods[0].since, periods[0].until
    days = "in" if _months(periods[0]) else f"from {first.day} to {last.day}"
    return Recurring(f"{days} {calendar.month_name[first.month]}", in_year)


def _is_day(when: When) -> bool:
    """Whether a date is one day, of one year or of any."""
    days = when.in_year(2024) if isinstance(when, Recurring) else (when,)
    return len(days) == 1 and isinstance(days[0], Period) and days[0].since == days[0].until


def _on_weekday(day: Recurring, weekday: int) -> Recurring:
    """A day of those years in which it is on a day of the week."""

    def in_year(year: int) -> tuple[Period, ...]:
        return tuple(p for p in day.in_year(year) if p.since and p.since.weekday() == weekday)

    return Recurring(day.label.replace("on ", f"on {calendar.day_name[weekday]} ", 1), in_year)


def _read(
    read: Callable[[re.Match[str], date], _Read | None], match: re.Match[str], today: date
) -> _Read | None:
    try:
        return read(match, today)
    except (ValueError, OverflowError, IndexError) as error:
        raise UsageError(
            f"there is no such time as {match[0].strip()}", hint="write a date as 2024, 2024-07 or 2024-07-03"
        ) from error


_VERBS = frozenset({"mar", "may", "march", "sat", "sun", "fall", "spring"})


def _is_no_date(text: str, match: re.Match[str], names: Collection[str]) -> bool:
    """Whether a word of the calendar that stands alone is something else: a name, a fall, a winter coat."""
    word = match[0].strip().casefold()
    before, after = text[: match.start()], text[match.end() :]
    if word in _VERBS or word in names:
        cues = f"{_CUES}|and|or" if word not in names else _CUES
    elif word in CALENDAR_WORDS or word == "weekend":
        cues = (
            f"{_CUES}|and|or|to|for|of|by|at|on|not|no|more|with|without|except|but|my|our|all|excluding"
            "|exclude"
            "|besides|minus|outside|neither|nor|either|only|just|like|compare|versus|vs"
            r"|spen[dt]\w*|celebrat\w+"
        )
    else:
        return False
    if re.match(r"\s+(?:morning|afternoon|evening|night)s?\b", after) and word not in names:
        return False
    has_cue = re.search(rf"\bmid-$|\b(?:{cues})\s+(?:(?:the|my|our|each|every)\s+)?$", before, re.IGNORECASE)
    if has_cue and word in names:
        return False
    # "the Christmas tree" is a tree.
    goes_with_noun = is_attribute(after)
    if has_cue and not goes_with_noun:
        return False
    is_of_photos = word not in names and re.match(r"(?:'s)?\s+(?:photo|picture|pic|image|shot)", after)
    is_verb = word in _VERBS and after.strip(" ?.!,")
    is_first = before.strip().casefold() in {"", "the"}
    is_alone = word not in names and is_first and not goes_with_noun and not is_verb
    follows_list = re.search(r"[,(:]\s*$", before) and not goes_with_noun and word not in names
    return not (is_of_photos or is_alone or follows_list)


def _join_ranges(text: str, spans: Sequence[DateSpan], today: date) -> list[DateSpan]:
    """Make one date of "between A and B", "from A to B", "since A until B" and "after A until B"."""
    joined = list(spans[:1])
    for span in spans[1:]:
        last = joined[-1]
        between, before = text[last.end : span.start].strip().casefold(), text[: last.start].casefold()
        is_range = between in {"to", "until", "till", "through", "-", "–", "—", "up to", "and until"}
        if is_range or (between == "and" and re.search(r"\bbetween\s+(?:the\s+)?$", before)):
            if re.search(r"\b(?:after|later than)\s+(?:the\s+)?$", before):
                last = replace(last, when=_beside(last.edge or last.when, 1), edge=None)
            joined[-1] = DateSpan(last.start, span.end, _range(last, span, today), is_range=True)
        else:
            joined.append(span)
    return joined


def _range(first: DateSpan, last: DateSpan, today: date) -> When:
    """From the beginning of one to the end of the other; a year that only one of them has is of both."""
    begin: When | None = first.edge or first.when
    end: When | None = last.edge or last.when
    if isinstance(begin, Recurring) and isinstance(end, Recurring):
        return _recurring_range(begin, end)
    if isinstance(begin, Recurring) and isinstance(end, Period):
        assert end.until is not None
        years = [period for year in (end.until.year - 1, end.until.year) for period in begin.in_year(year)]
        begin = next((p for p in reversed(years) if p.since and p.since <= (end.until or today)), None)
    elif isinstance(end, Recurring) and isinstance(begin, Period):
        assert begin.since is not None
        years = [period for year in (begin.since.year, begin.since.year + 1) for period in end.in_year(year)]
        end = next((p for p in years if p.until and p.until >= (begin.since or today)), None)
    if not (isinstance(begin, Period) and isinstance(end, Period)):
        raise UsageError("one of the two dates of the question is in no year beside the other")
    if begin.since and end.until and begin.since > end.until:
        raise UsageError("the second date of the question is before the first")
    return Period(begin.since, end.until)


def _recurring_range(begin: Recurring, end: Recurring) -> Recurring:
    def in_year(year: int) -> tuple[Period, ...]:
        ends = [p.until for at in (year, year + 1) for p in end.in_year(at) if p.until]
        found = []
        for since in (period.since for period in begin.in_year(year)):
            until = next((day for day in ends if since and day >= since), None)
            found += [Period(since, until)] if until else []
        return tuple(found)

    first, last = _without_preposition(begin.label), _without_preposition(end.label)
    return Recurring(f"from {first} to {last}", in_year)


def _without_preposition(label: str) -> str:
    """ "July" of "in July"."""
    return re.sub(r"^(?:in|on|at) ", "", label)


def _share_years(text: str, spans: list[DateSpan]) -> list[DateSpan]:
    """Give "July" of "July and August 2023" its year, and "2023" of "Christmas 2022 and 2023" its days."""
    shared = list(spans)
    for index in range(len(shared) - 2, -1, -1):
        first, second = shared[index], shared[index + 1]
        if not _JOIN.fullmatch(text[first.end : second.start]):
            continue
        is_without_year = first.base and isinstance(first.when, Recurring)
        if is_without_year and second.base and isinstance(second.when, Period) and second.when.since:
            year = second.when.since.year
            periods = first.when.in_year(year)  # type: ignore[union-attr]
            edge = first.edge.in_year(year)[0] if isinstance(first.edge, Recurring) else first.edge
            shared[index] = replace(first, when=periods[0], edge=edge) if periods else first
    for index in range(len(shared) - 1):
        first, second = shared[index], shared[index + 1]
        is_joined = _JOIN.fullmatch(text[first.end : second.start]) is not None
        if is_joined and first.base and isinstance(first.when, Period) and second.is_bare_year:
            assert isinstance(second.when, Period)
            assert second.when.since is not None
            periods = first.base.in_year(second.when.since.year)
            if periods:
                shared[index + 1] = replace(second, when=periods[0], base=first.base, is_bare_year=False)
    return shared


_OPENINGS: dict[str, Opening] = {
    "since": "since", "as of": "since", "starting": "since", "after": "after", "later than": "after",
    "before": "before", "prior to": "before", "earlier than": "before", "until": "until",
    "up until": "until", "till": "until", "up to": "until", "by": "until",
}  # fmt: skip


def _opened(period: Period, opening: Opening) -> Period:
    """The days since, after, until or before those of a period, which is closed."""
    first, last = period.since, period.until
    assert first is not None
    assert last is not None
    if opening == "after":
        return Period(last + timedelta(days=1), None)
    if opening == "before":
        return Period(None, first - timedelta(days=1))
    return Period(first, None) if opening == "since" else Period(None, last)


def _with_preposition(text: str, span: DateSpan, today: date) -> DateSpan:
    """Take in the word before a date; since, after, before and until open it on one side."""
    before = _PREPOSITION.search(text[: span.start])
    if before and before["word"].casefold() == "by" and span.edge is None:
        # "By the end of July" is until then, but photos are by somebody too.
        before = None
    word = before["word"].casefold() if before else ""
    onward = re.match(r"\s+(?:onwards?\b|on(?=\W*$)|or later\b)", text[span.end :], re.IGNORECASE)
    earlier = re.match(r"\s+or (?:earlier|before)\b", text[span.end :], re.IGNORECASE)
    end = span.end + (onward.end() if onward else earlier.end() if earlier else 0)
    start = before.start() if before else span.start
    if word.endswith(("day after", "day before")):
        return DateSpan(start, end, _beside(span.edge or span.when, 1 if word.endswith("after") else -1))
    opening = _OPENINGS.get(word) or ("until" if earlier else "since" if onward else None)
    # Of "since A until B" and "after A until B", both ends are known.
    is_closed = span.is_range and opening in {"since", "after"}
    if opening is None or is_closed or isinstance(span.when, Daytime):
        return replace(span, start=start, end=end)
    bound = span.edge or span.when
    period = latest(bound, today) if isinstance(bound, Recurring) else bound
    return DateSpan(
        start,
        end,
        _opened(period, opening),
        base=bound if isinstance(bound, Recurring) else None,
        opening=opening,
    )


_APART = LazyPattern(r"[;.?!]|\b(?:or|nor|than|vs|versus|compared|not|without)\b")
_FURTHER = LazyPattern(r",|\band\b")


def _within_periods(text: str, dates: Sequence[DateSpan]) -> list[DateSpan]:
    """Take the "July" of "in 2024 before July" as that of 2024 and not as the latest."""
    resolved = list(dates)
    for index, span in enumerate(dates):
        if span.base is None or span.opening is None:
            continue
        for other in [*dates[index - 1 : index], *dates[index + 1 : index + 2]]:
            first, second = (other, span) if other.start < span.start else (span, other)
            between = text[first.end : second.start]
            is_beside = not re.search(r"\w", re.sub(r"\band\b", "", between, flags=re.IGNORECASE))
            is_apart = _APART.search(between) or (_FURTHER.search(between) and not is_beside)
            period = other.when
            if not is_apart and isinstance(period, Period) and period.since and period.until:
                resolved[index] = replace(span, when=_opened_within(period, span, span.base))
                break
    return resolved


def _opened_within(period: Period, span: DateSpan, when: Recurring) -> When:
    """The days since, after, until or before those of a recurring date that are meant beside a period."""
    assert period.since is not None
    assert period.until is not None
    assert span.opening is not None
    every = [p for year in range(period.since.year - 1, period.until.year + 1) for p in when.in_year(year)]
    begun = [p for p in every if p.since and period.since <= p.since <= period.until]
    if len(begun) > 1:
        raise UsageError(
            f'not understood: "{when.label}" beside a time that has several of them',
            hint="Write the year with it, for example: before July 2024.",
        )
    opened = [_opened(p, span.opening) for p in [*begun, *reversed(every)]]
    return next((p for p in opened if _overlap(p, period)), opened[0] if begun else span.when)


def _beside(when: When, days: int) -> When:
    """The day after the last day of a date, or the day before its first."""

    def beside(period: Period) -> Period:
        edge = period.until if days > 0 else period.since
        assert edge is not None, "the days of a date are known on both sides"
        return _day(edge + timedelta(days=days))

    if isinstance(when, Period):
        return beside(when)
    assert isinstance(when, Recurring), "a time of day has no day beside it"
    side = "after" if days > 0 else "before"
    return Recurring(
        f"on the day {side} {_without_preposition(when.label)}",
        lambda year: tuple(map(beside, when.in_year(year))),
    )


def is_daytime(when: When) -> bool:
    """Whether a date is a time of day, which says nothing of the day."""
    return isinstance(when, Daytime)


def resolve(groups: Iterable[Sequence[When]], years: range) -> tuple[Period, ...]:
    """Return the periods in which one date of every group lies, in order, none of which overlap.

    Args:
        groups: Of each one date must hold; times of day are passed over.
        years: Those in which a date that comes back every year counts.
    """
    periods: tuple[Period, ...] = (Period(None, None),)
    for group in groups:
        if group and all(map(is_daytime, group)):
            continue
        found: list[Period] = []
        for when in group:
            if isinstance(when, Period):
                found.append(when)
            elif isinstance(when, Recurring):
                found += [
                    p for year in range(max(years.start - 1, 1), years.stop) for p in when.in_year(year)
                ]
        periods = tuple(filter(None, (_overlap(a, b) for a in periods for b in found)))
    return _merge(periods)


def can_all_hold(dates: Sequence[When]) -> bool:
    """Whether dates joined by "and" are to hold together, as "after 2022 and before 2025", not one of them.

    It is so where one that is open on one side and what bounds it have days in common.
    """
    periods = [when for when in dates if isinstance(when, Period)]
    sides = {(when.since is None, when.until is None) if isinstance(when, Period) else None for when in dates}
    is_bounded = len(sides) > 1 and any(None in (period.since, period.until) for period in periods)
    return is_bounded and bool(resolve([[period] for period in periods], range(0)))


def outside(periods: Iterable[Period]) -> tuple[Period, ...]:
    """Return the days that are in none of some periods."""
    rest: list[Period] = []
    since: date | None = None
    for period in _merge(tuple(periods)):
        if period.since is not None:
            rest.append(Period(since, period.since - timedelta(days=1)))
        if period.until is None:
            return tuple(rest)
        since = period.until + timedelta(days=1)
    return (*rest, Period(since, None))


def _overlap(first: Period, second: Period) -> Period | None:
    since = max(filter(None, (first.since, second.since)), default=None)
    until = min(filter(None, (first.until, second.until)), default=None)
    return None if since and until and since > until else Period(since, until)


def _merge(periods: tuple[Period, ...]) -> tuple[Period, ...]:
    merged: list[Period] = []
    for period in sorted(periods, key=lambda p: p.since or date.min):
        last = merged[-1] if merged else None
        if last and (last.until is None or period.since is None):
            merged[-1] = last if last.until is None else Period(last.since, _later(last.until, period.until))
        elif last and last.until and period.since and period.since <= last.until + timedelta(days=1):
            merged[-1] = Period(last.since, _later(last.until, period.until))
        else:
            merged.append(period)
    return tuple(merged)


def _later(first: date | None, second: date | None) -> date | None:
    return None if first is None or second is None else max(first, second)
