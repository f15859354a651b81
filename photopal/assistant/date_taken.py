"""Reads when a photo was taken, as a person writes it: as exactly as it is known, and no more."""

from __future__ import annotations

import re
from datetime import date, timedelta

from photopal.assistant.query.dates import READERS, Period, Recurring, When, latest
from photopal.errors import UsageError
from photopal.photos.dates import read_date

_HINT = "Write it as 1974, 'about 1974', 1974-07, 'July 1974', 1974-07-03 or '1974-07-03 18:22'."
_VAGUE = re.compile(r"(?:about|around|approximately|approx\.?|circa|ca\.?|c\.|~|in|on)\s*", re.IGNORECASE)


def read_date_taken(words: str, *, today: date | None = None) -> str:
    """Return the beginning of an ISO 8601 time: a year, a month, a day or a time.

    Args:
        words: A date, or a month or year such as "about 1974".
        today: What "yesterday" is counted from.

    Raises:
        UsageError: It is no date, or a stretch of time that is neither a year nor a month nor a day.
    """
    plain = _VAGUE.sub("", words.strip(), count=1) if _VAGUE.match(words.strip()) else words.strip()
    exact = re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(?::\d{2})?(?:Z|[+-]\d\d:?\d\d)?", plain)
    found = read_date(plain, "you") if exact else None
    if found is not None:
        return found.at
    for pattern, read in READERS:
        match = re.fullmatch(pattern, plain, re.IGNORECASE)
        if match is None:
            continue
        try:
            read_as = read(match, today or date.today())
        except ValueError as error:
            raise UsageError(f"invalid date {words!r}: no such day", hint=_HINT) from error
        if read_as is not None:
            when = read_as.when
            return _as_known(
                latest(when, today or date.today()) if isinstance(when, Recurring) else when, words
            )
    raise UsageError(f"invalid date {words!r}", hint=_HINT)


def _as_known(period: When, words: str) -> str:
    """Write a day, month or year as the beginning of an ISO 8601 time."""
    assert isinstance(period, Period), "times of day are read by no reader of dates"
    first, last = period.since, period.until
    if first is not None and last is not None:
        if first == last:
            return first.isoformat()
        after = last + timedelta(days=1)
        if first.day == 1 and after.day == 1:
            months = (after.year - first.year) * 12 + after.month - first.month
            if months == 1:
                return first.isoformat()[:7]
            if months == 12 and first.month == 1:
                return first.isoformat()[:4]
    raise UsageError(f"{words!r} is neither a year nor a month nor a day", hint=_HINT)
