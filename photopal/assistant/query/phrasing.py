"""Puts counts, dates, names and what was looked for into English; knows no photo and no model."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from photopal.assistant.query.dates import Period
from photopal.assistant.query.parser import Question
from photopal.text import join_words


def counted(values: Sequence[tuple[object, int]], *, most: int = 6) -> str:
    """Say values with their counts: "Anna (12), Rex (3) and 2 more"."""
    said = [f"{value} ({number:,})" for value, number in values[:most]]
    if len(values) > most:
        said.append(f"{len(values) - most:,} more")
    return join_words(said)


def day(moment: str | date) -> str:
    """Say the day of an ISO 8601 time: "3 July 2024"; a month or year that is all that is known as that."""
    if isinstance(moment, str) and re.fullmatch(r"\d{4}-\d\d", moment):
        return month(moment)
    try:
        known = date.fromisoformat(moment[:10]) if isinstance(moment, str) else moment
    except ValueError:
        return str(moment)[:10]
    return f"{known.day} {calendar.month_name[known.month]} {known.year}"


def time_of_day(moment: str) -> str:
    """Say the day and the time of an ISO 8601 time: "3 July 2024 at 18:22"."""
    return f"{day(moment)} at {moment[11:16]}" if len(moment) >= 16 else day(moment)


def month(value: str) -> str:
    """Say a month: "2024-07" is "July 2024"."""
    return f"{calendar.month_name[int(value[5:7])]} {value[:4]}"


def moment_words(moment: str) -> str:
    """Say when a photo was taken, as far as it is known: "on 3 July 2024 at 18:22", "in July 2024"."""
    return f"{'on' if len(moment) >= 10 else 'in'} {time_of_day(moment)}"


def span(first: str, last: str) -> str:
    """Say from when to when: "on 3 July 2024", "from 3 July 2024 to 5 July 2024", "in 2024".

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
    """Say a period: "in 2024", "in July 2024", "since 3 July 2024", "from 1 June 2025 to 31 August 2025"."""
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


def filter_words(question: Question, *, with_period: bool = True) -> str:
    """Say what was looked for, to stand after "photos": " of Anna in Nice in 2024"; empty for all photos."""
    said = []
    named = join_words(question.names) if question.names else ""
    either = join_words(question.any_names, last="or")
    if named or either:
        said.append("of " + " and ".join(filter(None, [named, either])))
    if question.without:
        said.append(f"without {join_words(question.without, last='or')}")
    if question.is_alone:
        said.append("without anybody else I know")
    if question.words:
        quoted = join_words([f'"{word}"' for word in question.words])
        said.append(f"with the {'word' if len(question.words) == 1 else 'words'} {quoted}")
    if question.place:
        said.append(f"in {question.place}")
    if question.has_caption is False:
        said.append("without a caption")
    if question.camera:
        said.append(f"taken with {question.camera}")
    if question.period and with_period:
        said.append(period_words(question.period))
    return "".join(f" {words}" for words in said)


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")
