"""Finds photos by words, names and dates; knows the library's calls and nothing of models.

A name in the query counts as its concept: "Rex on the beach" asks for photos in which Rex is, with "beach" in
their words. A date in the query counts as its period, unless nothing was taken then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from photopal.assistant.query.criteria import Criteria
from photopal.assistant.query.dates import YEARS, resolve
from photopal.assistant.query.entities import Known, meanings_of
from photopal.assistant.query.languages import dates_in_english, to_english
from photopal.assistant.query.search_query import (
    Reading,
    meaningful_words,
    read_query,
)
from photopal.assistant.query.selection import Selection, unknown_words
from photopal.errors import UsageError
from photopal.library import Library, SearchHit, SearchQuery
from photopal.text import LIKE_A_NAME, fold, join_words, names_in, suggest

__all__ = [
    "SearchOptions",
    "explain_name",
    "explain_nothing",
    "explain_reading",
    "meaningful_words",
    "read_date",
    "search_photos",
]

_QUESTION = re.compile(r"\s*(?:how|when|where|who|whom|whose|why|which|what)\b", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
# What is written as elsewhere, how it is to be read here, and what is said of it.
_NOT_READ = (
    (
        re.compile(r"(?<!\S)(?P<minus>[-−–]?)(?!rat(?:ing|ed))[^\W\d_]+:(?=[\w\"])"),
        r"\g<minus>",
        "Searches have no fields:",
    ),
    (re.compile(r"\boutside(?: of)?\b", re.IGNORECASE), "not in", '"Outside" is looked for as a word:'),
)
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
    base = SearchQuery(
        concepts=tuple(library.concepts.get(name).name for name in options.concepts),
        since=read_date(options.since) if options.since else None,
        until=read_date(options.until) if options.until else None,
        camera=options.camera,
    )
    return _search(library, query, base, options)[0]


def explain_reading(library: Library, query: str, options: SearchOptions | None = None) -> tuple[str, ...]:
    """Say what words with several meanings were taken for, how to ask for the other, and what is unclear."""
    options = replace(options or SearchOptions(), limit=1, offset=0)
    reading = _read(library, query, options).plain
    return _search(library, query, SearchQuery(), options)[1] if reading.notes else ()


def _search(
    library: Library, query: str, base: SearchQuery, options: SearchOptions
) -> tuple[list[SearchHit], tuple[str, ...]]:
    reading = _read(library, query, options)
    base = replace(base, order=reading.plain.order)
    most = reading.plain.most
    limit = options.limit if most is None else min(options.limit, max(0, most - options.offset))
    hits: list[SearchHit] = []
    for notes, alternatives in reading.alternatives():
        queries = [_query(library, criteria, words, base) for criteria, words in alternatives]
        hits = library.search.find_in_turn(queries, limit=limit, offset=options.offset)
        # A page behind the last one is empty too, and is no reason to read the query in another way.
        if hits or (options.offset and library.search.find_in_turn(queries, limit=1)):
            return hits, notes
    return hits, reading.plain.notes


def explain_name(library: Library, name: str) -> str | None:
    """Say what else a name means and how to ask for either; None where it means nothing else."""
    places = frozenset({fold(name)} if _is_place(library, name) else ())
    meanings = meanings_of(name, places)
    if not meanings:
        return None
    nouns = {"place": "a place", "date": "a date", "word": "an ordinary word"}
    hows = {
        "place": f'"in {name}" is the place',
        "date": f'"in {name}" is the date',
        "word": "a word in quotes is the word",
    }
    return (
        f'"{name}" is also {join_words([nouns[meaning] for meaning in meanings])}. In questions and searches,'
        f' "of {name}" is the one you registered, {join_words([hows[meaning] for meaning in meanings])}.'
    )


def _read(library: Library, query: str, options: SearchOptions) -> Reading:
    concepts = library.concepts.all()
    names = [concept.name for concept in concepts]
    known = Known(
        names=names,
        places=[name for name in names_in(query, names) if _is_place(library, name)],
        cameras=library.search.cameras(),
        people=[concept.name for concept in concepts if concept.kind == "person"],
    )
    # Whoever gives the dates as options means a number among the words as a word.
    has_dates = options.since is not None or options.until is not None
    return read_query(query, known, today=options.today, numbers_are_words=has_dates)


def _is_place(library: Library, name: str) -> bool:
    """Whether a name is also that of a place where photos were taken."""
    places = library.search.places()
    return any(fold(part) == fold(name) for place in places for part in place.split(","))


def _query(library: Library, criteria: Criteria, words: str, base: SearchQuery) -> SearchQuery:
    query = Selection(library, criteria, 0).query()
    concepts = tuple(dict.fromkeys([*base.concepts, *query.concepts]))
    return replace(
        query,
        text=words,
        concepts=concepts,
        since=base.since,
        until=base.until,
        camera=base.camera,
        order=base.order,
    )


def explain_nothing(library: Library, query: str, *, today: date | None = None) -> str | None:
    """Say what may be meant where a query finds nothing: a name that is nearly there, or a clearer date."""
    names = [concept.name for concept in library.concepts.all()]
    reading = _read(library, query, SearchOptions(today=today or date.today())).plain
    if reading.problem is not None:
        return f"{_sentence(reading.problem.message)} {_sentence(reading.problem.hint)}"
    dates = reading.criteria.dates
    if len(dates) > 1 and not resolve(dates, YEARS):
        return 'No day is in all the dates of the search; write "or" between them to search in each.'
    if _QUESTION.match(query):
        return "To ask a question, run photopal ask."
    if hint := _in_other_words(library, query, names, SearchOptions(limit=1, today=today or date.today())):
        return hint
    words = meaningful_words(reading.words)
    parts = sorted({part.strip() for place in library.search.places() for part in place.split(",")} - {""})
    for length in (2, 1):
        for start in range(len(words) - length + 1):
            phrase = " ".join(words[start : start + length]).strip(".,;:!?()").removesuffix("'s")
            if hint := suggest(phrase, names, cutoff=LIKE_A_NAME):
                return hint
            if unknown_words(library, [phrase]) and (hint := suggest(phrase, parts, cutoff=LIKE_A_NAME)):
                return hint
    return None


def _in_other_words(library: Library, query: str, names: Sequence[str], options: SearchOptions) -> str | None:
    """Say how to write a query that is written as for another program or in another language."""
    for pattern, meant, said in _NOT_READ:
        other = pattern.sub(meant, query)
        if other != query and search_photos(library, other, options):
            return f"{said} '{other}' finds photos."
    english = _in_english(library, query, names, options)
    return f'Searches are read in English: "{english}" finds photos.' if english else None


def _in_english(library: Library, query: str, names: Sequence[str], options: SearchOptions) -> str | None:
    """A query in another language in English, where it finds photos then."""
    # "Berlin ohne Anna" is told by one word, as a place is of no language.
    parts = {part.strip() for place in library.search.places() for part in place.split(",")} - {""}
    english = dates_in_english(to_english(query, [*names, *names_in(query, sorted(parts))]))
    is_other = english.split() != query.split()
    return english if is_other and search_photos(library, english, options) else None


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
        what = "day" if 1 <= (month or 1) <= 12 and year else "month" if year else "year"
        raise UsageError(f"invalid date {words!r}: no such {what}", hint=_DATE_HINT) from error
    if first_day.year not in YEARS:
        raise UsageError(f"invalid date {words!r}: no photos were taken in that year", hint=_DATE_HINT)
    return first_day.isoformat()[: 4 if month is None else 7 if day is None else 10]
