"""Finds photos by words, names and dates; knows the library's calls and nothing of models.

A name in the query counts as its concept: "Rex on the beach" asks for photos in which Rex is, with "beach" in
their words. A date in the query counts as its period, unless nothing was taken then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from photopal.assistant.query.search_query import (
    YEARS,
    meaningful_words,
    queries_of,
    read_query,
    split_names,
)
from photopal.errors import UsageError
from photopal.library import Library, SearchHit, SearchQuery
from photopal.text import LIKE_A_NAME, suggest

__all__ = [
    "SearchOptions",
    "explain_nothing",
    "meaningful_words",
    "read_date",
    "search_photos",
    "split_names",
]

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_DATE_HINT = "Write a date as 2024, 2024-07 or 2024-07-03."


@dataclass(frozen=True)
class SearchOptions:
    """What narrows a search beside its words.

    Attributes:
        concepts: Names that must all be in the photo.
        since: The first day: `2024`, `2024-07` or `2024-07-03`.
        until: The last day, written the same way; all of it counts.
        camera: Part of the camera's name.
        limit: The most photos to return.
        offset: How many photos to skip first.
        today: What "last summer" and the like are counted from.
    """

    concepts: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    camera: str | None = None
    limit: int = 50
    offset: int = 0
    today: date = field(default_factory=date.today)


def search_photos(library: Library, query: str, options: SearchOptions | None = None) -> list[SearchHit]:
    """Find the photos that a query and its options ask for, best first.

    Photos with a word in a name come before those with it in caption or place, and these before those with it
    in the file's name; among those that fit equally well the newest come first.

    Args:
        library: An open library.
        query: Words, "phrases", names, dates, and -words that are not wanted, in any order; may be empty.
        options: What narrows the search; the defaults when left out.

    Raises:
        ConceptError: A name in the options is not a concept.
        UsageError: A date in the options is not a date.
    """
    options = options or SearchOptions()
    has_dates = options.since is not None or options.until is not None
    base = SearchQuery(
        concepts=tuple(library.concepts.get(name).name for name in options.concepts),
        since=read_date(options.since) if options.since else None,
        until=read_date(options.until) if options.until else None,
        camera=options.camera,
    )
    names = [concept.name for concept in library.concepts.all()]
    reading = read_query(query, names, today=None if has_dates else options.today)
    years = range(0) if reading.every_year is None else _years_of(library)
    hits: list[SearchHit] = []
    for queries in queries_of(reading, base, years):
        hits = library.search.find_in_turn(queries, limit=options.limit, offset=options.offset)
        # A page behind the last one is empty too, and is no reason to read the query in another way.
        if hits or (options.offset and library.search.find_in_turn(queries, limit=1)):
            break
    return hits


def explain_nothing(library: Library, query: str, *, today: date | None = None) -> str | None:
    """Say what may be meant where a query finds nothing: a name that is nearly there, or a clearer date."""
    names = [concept.name for concept in library.concepts.all()]
    reading = read_query(query, names, today=today or date.today())
    if reading.problem is not None:
        return f"{_sentence(reading.problem.message)} {_sentence(reading.problem.hint)}"
    words = reading.words.split()
    for length in (2, 1):
        for start in range(len(words) - length + 1):
            phrase = " ".join(words[start : start + length]).strip(".,;:!?()").removesuffix("'s")
            if hint := suggest(phrase, names, cutoff=LIKE_A_NAME):
                return hint
    return None


def _sentence(words: str | None) -> str:
    return f"{words[0].upper()}{words[1:].rstrip('.')}." if words else ""


def read_date(words: str) -> str:
    """Read `2024`, `2024-07` or `2024-7-3` as the beginning of an ISO 8601 time.

    Raises:
        UsageError: The words are not a date, or there is no such day.
    """
    match = _DATE.fullmatch(words.strip())
    if match is None:
        raise UsageError(f"invalid date {words!r}", hint=_DATE_HINT)
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first_day = date(year or 0, month or 1, day or 1)
    except ValueError as error:
        raise UsageError(f"invalid date {words!r}: no such day", hint=_DATE_HINT) from error
    if first_day.year not in YEARS:
        raise UsageError(f"invalid date {words!r}: no photos were taken in that year", hint=_DATE_HINT)
    return first_day.isoformat()[: 4 if month is None else 7 if day is None else 10]


def _years_of(library: Library) -> range:
    taken = library.search.date_range(SearchQuery())
    return range(0) if taken is None else range(int(taken[0][:4]), int(taken[1][:4]) + 1)
