"""Puts counts, dates, names and criteria into English; knows no photo and no model."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from photopal.assistant.query.criteria import Criteria
from photopal.assistant.query.dates import Period, Recurring, When, is_daytime
from photopal.assistant.query.daytimes import Daytime
from photopal.text import join_words, plural


def counted(values: Sequence[tuple[object, int]], *, most: int = 10) -> str:
    """Write values with their counts: "Anna (12), Rex (3) and 2 more"."""
    parts = [f"{value} ({number:,})" for value, number in values[:most]]
    if len(values) > most:
        parts.append(f"{len(values) - most:,} more")
    return join_words(parts)


def quoted_list(words: Sequence[str], *, last: str = "and") -> str:
    """Write words in quotes: '"red" and "ball"'."""
    return join_words([f'"{word}"' for word in words], last=last)


def day(moment: str | date) -> str:
    """Write the day of an ISO 8601 time: "3 July 2024"; a month or year that is all that is known as that."""
    if isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d", moment):
        return month(moment)
    try:
        known = date.fromisoformat(moment[:10]) if isinstance(moment, str) else moment
    except ValueError:
        return str(moment)[:10]
    return f"{known.day} {calendar.month_name[known.month]} {known.year}"


def time_of_day(moment: str) -> str:
    """Write the day and the time of an ISO 8601 time: "3 July 2024 at 18:22"."""
    return f"{day(moment)} at {moment[11:16]}" if len(moment) >= 16 else day(moment)


def month(value: str) -> str:
    """Write a month: "2024-07" is "July 2024"."""
    return f"{calendar.month_name[int(value[5:7])]} {value[:4]}"


def ago(moment: str, today: date) -> str:
    """Write how long ago a day was: "2 years and 3 months ago"."""
    then = date.fromisoformat(f"{moment[:10]}-01-01"[:10])
    months = (today.year - then.year) * 12 + today.month - then.month - (today.day < then.day)
    if months < 1:
        days = (today - then).days
        return "today" if days == 0 else f"{days} day{'' if days == 1 else 's'} ago"
    parts = [(months // 12, "year"), (months % 12, "month")]
    return join_words([f"{n} {unit if n == 1 else plural(unit)}" for n, unit in parts if n]) + " ago"


def moment_words(moment: str) -> str:
    """Write when a photo was taken, as far as it is known: "on 3 July 2024 at 18:22", "in July 2024"."""
    return f"{'on' if len(moment) >= 10 else 'in'} {time_of_day(moment)}"


def span(first: str, last: str) -> str:
    """Write from when to when: "on 3 July 2024", "from 3 July 2024 to 5 July 2024", "in 2024".

    Of a year or month that is all that is known, all of it counts.
    """
    try:
        since = date.fromisoformat(f"{first[:10]}-01-01"[:10])
        until = date.fromisoformat(f"{last[:10]}-12-01"[:10])
        if len(last) < 10:
            until = until.replace(day=calendar.monthrange(until.year, until.month)[1])
        return period_words(Period(since, until))
    except ValueError:
        return f"from {first[:10]} to {last[:10]}"


def period_words(period: Period) -> str:
    """Write a period: "in 2024", "since 3 July 2024", "from 1 June 2025 to 31 August 2025"."""
    since, until = period.since, period.until
    if since is None or until is None:
        if since is not None:
            return f"since {day(since)}"
        return f"until {day(until)}" if until is not None else "at any time"
    if since == until:
        return f"on {day(since)}"
    starts_year, ends_year = (since.month, since.day) == (1, 1), (until.month, until.day) == (12, 31)
    if starts_year and ends_year:
        return f"in {since.year}" if since.year == until.year else f"from {since.year} to {until.year}"
    is_month = since.day == 1 and until.month == since.month and (until + timedelta(days=1)).day == 1
    if is_month and since.year == until.year:
        return f"in {calendar.month_name[since.month]} {since.year}"
    if since.year != until.year:
        return f"from {day(since)} to {day(until)}"
    of_month = "" if since.month == until.month else f" {calendar.month_name[since.month]}"
    return f"from {since.day}{of_month} to {day(until)}"


def when_words(when: When) -> str:
    """Write a date, one that comes back every year ("in July of any year"), or a time of day."""
    if isinstance(when, Period):
        return period_words(when)
    if isinstance(when, Daytime):
        return when.label
    return f"{when.label} of any year" if not when.label.endswith(("days", "weekends")) else when.label


def period_phrase(criteria: Criteria) -> str:
    """Write when photos were taken; empty where that does not matter."""
    ordered = sorted(criteria.dates, key=lambda group: not all(map(is_daytime, group)))
    groups = [join_words([when_words(when) for when in group], last="or") for group in ordered]
    if criteria.without_dates:
        groups.append(f"not {join_words([when_words(when) for when in criteria.without_dates], last='or')}")
    return " ".join(groups)


_KINDS = {"person": "people", "pet": "pets", "thing": "things"}
_LACKING = {
    "caption": "a caption", "date": "a date", "time": "a known time of day", "place": "a known location",
    "camera": "a known camera", "rating": "a rating",
}  # fmt: skip


def describe_criteria(criteria: Criteria) -> str:
    """Write what photos have in common, to stand after "photos": " of Anna in Nice"; empty for all."""
    parts = [*_shown(criteria), *_mentioned(criteria)]
    for values, before in (
        (criteria.places, "in"),
        (criteria.without_places, "not in"),
        ([_LACKING[name] for name, value in criteria.has if value], "with"),
        ([_LACKING[name] for name, value in criteria.has if not value], "without"),
        (criteria.cameras, "taken with"),
        (criteria.without_cameras, "not taken with"),
        (_stars(criteria.ratings), "rated with"),
        (_stars(criteria.without_ratings), "not rated with"),
    ):
        if values:
            parts.append(f"{before} {join_words(values, last='and' if before == 'with' else 'or')}")
    if phrase := period_phrase(criteria):
        parts.append(phrase)
    return "".join(f" {words}" for words in parts)


def _stars(ratings: Sequence[int]) -> list[str]:
    return (
        [*map(str, sorted(ratings)[:-1]), f"{max(ratings)} star{'' if max(ratings) == 1 else 's'}"]
        if ratings
        else []
    )


def _shown(criteria: Criteria) -> list[str]:
    parts = []
    registered = [f"{_KINDS[kind]} you registered" for kind in criteria.kinds]
    either = [join_words(group, last="or") for group in criteria.any_names]
    shown = [*([join_words(criteria.names)] if criteria.names else []), *either, *registered]
    if shown:
        parts.append(f"of {' and '.join(shown)}")
    if criteria.with_others:
        parts.append("with somebody else you registered")
    if criteria.other_kinds:
        others = join_words([f"other {_KINDS[kind]}" for kind in criteria.other_kinds])
        parts.append(f"with {others} you registered")
    without = [
        *criteria.without_names,
        *(f"{_KINDS[kind]} you registered" for kind in criteria.without_kinds),
    ]
    if without:
        parts.append(f"without {join_words(without, last='or')}")
    if criteria.is_alone:
        parts.append("without anybody else you registered")
    return parts


def _mentioned(criteria: Criteria) -> list[str]:
    parts = []
    groups = [quoted_list(group, last="or") for group in criteria.words]
    groups += [f'"{phrase}"' for phrase in criteria.phrases]
    if groups:
        parts.append(f"mentioning {join_words(groups)}")
    if criteria.without_words:
        parts.append(f"not mentioning {quoted_list(criteria.without_words, last='or')}")
    return parts


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


__all__ = [
    "Recurring",
    "ago",
    "counted",
    "day",
    "describe_criteria",
    "month",
    "period_phrase",
    "quoted_list",
    "span",
]
