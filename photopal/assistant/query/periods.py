"""Finds the period a question speaks of, and takes its words out; knows no photo."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta

from photopal.assistant.query.dates import HOLIDAYS, MONTHS, READERS, SEASONS, WEEKDAYS, Period
from photopal.errors import UsageError

_NOT_IN_WORD = r"(?<![\w-])"
_END = r"(?![\w])(?!-\d)"
_CUES = "in|during|since|until|till|before|after|between|from|over|through|throughout"
_PREPOSITION = re.compile(
    r"\b(?P<word>since|(?:up )?until|till|up to|before|after|between|from|in|on|at|during|over|around|of|for"
    r"|throughout|back in|as of|starting|earlier than|later than)\s+(?:the\s+)?(?:(?:year|month of)\s+)?$",
    re.IGNORECASE,
)


def find_period(text: str, today: date, *, names: Collection[str] = ()) -> tuple[Period | None, str]:
    """Take the period out of a question.

    Args:
        text: The question.
        today: What "last summer" and the like are counted from.
        names: Names that are also words of the calendar, such as May: without a year or a word like
            "in" before it, such a word is the name.

    Returns:
        The period, None without one, and the question without its words.

    Raises:
        UsageError: There is no such day, a date can be read in two ways, or there are two periods.
    """
    spans = _find_spans(text, today, {name.casefold() for name in names})
    if not spans:
        return None, text
    spans = _join_ranges(text, spans)
    if len(spans) > 1:
        said = " and ".join(f'"{text[s.start : s.end].strip()}"' for s in spans[:2])
        raise UsageError(
            f"the question has two times, {said}", hint='ask about one, or say "between A and B"'
        )
    start, end, period = _with_preposition(text, spans[0])
    return period, f"{text[:start]} {text[end:]}"


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    period: Period


def _find_spans(text: str, today: date, names: Collection[str]) -> list[_Span]:
    spans: list[_Span] = []
    for pattern, read in READERS:
        for match in re.finditer(_NOT_IN_WORD + pattern + _END, text, re.IGNORECASE):
            is_free = all(match.end() <= s.start or s.end <= match.start() for s in spans)
            if is_free and (period := _read(read, match, today)) and not _is_no_date(text, match, names):
                spans.append(_Span(match.start(), match.end(), period))
    return sorted(spans, key=lambda span: span.start)


def _read(
    read: Callable[[re.Match[str], date], Period | None], match: re.Match[str], today: date
) -> Period | None:
    try:
        return read(match, today)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"there is no such time as {match[0].strip()}", hint="write a date as 2024, 2024-07 or 2024-07-03"
        ) from error


def _is_no_date(text: str, match: re.Match[str], names: Collection[str]) -> bool:
    """Whether a word of the calendar that stands alone is something else: a name, a fall, a winter coat."""
    word = match[0].strip().casefold()
    if word in names:
        cues = _CUES
    elif word in SEASONS:
        cues = f"{_CUES}|and|to|for"
    elif word in MONTHS:
        cues = f"{_CUES}|and|to|for|of|by"
    elif word in HOLIDAYS:
        cues = f"{_CUES}|and|to|for|of|by|at|on"
    else:
        cues = "on" if word in WEEKDAYS else ""
    article = r"(?:the\s+)?" if word in SEASONS else ""
    has_cue = re.search(rf"\b(?:{cues})\s+{article}$", text[: match.start()], re.IGNORECASE)
    is_of_photos = word not in names and re.match(r"(?:'s)?\s+(?:photo|picture|image)", text[match.end() :])
    return bool(cues) and not has_cue and not is_of_photos


def _join_ranges(text: str, spans: list[_Span]) -> list[_Span]:
    """Make one period of "between A and B", "from A to B", "2019-2021" and "since A until B"."""
    joined = [spans[0]]
    for span in spans[1:]:
        last = joined[-1]
        between, before = text[last.end : span.start].strip().casefold(), text[: last.start].casefold()
        is_range = between in {"to", "until", "till", "through", "-", "–", "—", "up to", "and until"}
        if is_range or (between == "and" and re.search(r"\bbetween\s+(?:the\s+)?$", before)):
            joined[-1] = _Span(last.start, span.end, _range(text, last, span))
        elif between in {"and", "or", ",", "and in", "or in"} and _follows(last.period, span.period):
            joined[-1] = _Span(last.start, span.end, Period(last.period.since, span.period.until))
        elif last.period.since and span.period.until and _contains(span.period, last.period):
            # "On Christmas Day in 2023" has its year in the first span already.
            joined[-1] = _Span(last.start, span.end, last.period)
        else:
            joined.append(span)
    return joined


def _range(text: str, first: _Span, last: _Span) -> Period:
    """From the beginning of one to the end of the other; a year that only one of them has is of both."""
    since, until = first.period.since, last.period.until
    has_year = [re.search(r"\d{4}", text[span.start : span.end]) is not None for span in (first, last)]
    if since and until and has_year == [False, True]:
        since = since.replace(year=until.year if since.replace(year=until.year) <= until else until.year - 1)
    if since and until and has_year == [True, False]:
        until = until.replace(year=since.year if until.replace(year=since.year) >= since else since.year + 1)
    if since and until and since > until:
        raise UsageError("the second date of the question is before the first")
    return Period(since, until)


def _follows(first: Period, second: Period) -> bool:
    return bool(first.until and second.since and first.until + timedelta(days=1) == second.since)


def _contains(outer: Period, inner: Period) -> bool:
    if not (outer.since and outer.until and inner.since and inner.until):
        return False
    return outer.since <= inner.since and inner.until <= outer.until


def _with_preposition(text: str, span: _Span) -> tuple[int, int, Period]:
    """Take in the word before a period; since, after, before and until open it on one side."""
    before = _PREPOSITION.search(text[: span.start])
    if before is None:
        return span.start, span.end, span.period
    first, last = span.period.since, span.period.until
    word = before["word"].casefold()
    onward = re.match(r"\s+(?:onwards?\b|on(?=\W*$))", text[span.end :], re.IGNORECASE)
    end = span.end + (onward.end() if onward else 0)
    period = Period(first, last)
    if word in {"since", "as of", "starting"} or onward:
        period = Period(first, None)
    elif word in {"after", "later than"} and last:
        period = Period(last + timedelta(days=1), None)
    elif word in {"before", "earlier than"} and first:
        period = Period(None, first - timedelta(days=1))
    elif word in {"until", "up until", "till", "up to"}:
        period = Period(None, last)
    return before.start(), end, period
