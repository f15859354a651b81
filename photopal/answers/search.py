"""Finds photos by words, names and dates; knows the library's calls and nothing of models.

A name in the query counts as its concept: "Rex on the beach" asks for photos in which Rex is, with "beach" in
their words. A date in the query counts as its period, unless nothing was taken then.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from photopal.errors import UsageError
from photopal.library import Library, SearchHit, SearchQuery

# Words that say nothing about a photo; captions are not asked to hold them.
_EMPTY_WORDS = frozenset(
    """
    a all an and are at by did do does find for from her his i image images in is it its me my of on or our
    photo photograph photographs photos picture pictures pic pics show that the their there they this to was
    we were what when where which who with
    """.split()  # noqa: SIM905 - a list literal would take a page
)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_DATE_HINT = "write a date as 2024, 2024-07 or 2024-07-03"
# From the first photograph on; a bare number such as 1500 is more likely part of a name.
_YEARS = range(1826, 2200)


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
    """

    concepts: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    camera: str | None = None
    limit: int = 50
    offset: int = 0


def search_photos(library: Library, query: str, options: SearchOptions | None = None) -> list[SearchHit]:
    """Find the photos that a query and its options ask for, best first.

    Args:
        library: An open library.
        query: Words, names and dates in any order; may be empty.
        options: What narrows the search; the defaults when left out.

    Raises:
        ConceptError: A name in the options is not a concept.
        UsageError: A date in the options is not a date.
    """
    options = options or SearchOptions()
    named = [library.concept(name).name for name in options.concepts]
    found, text = split_names(query, [concept.name for concept in library.concepts()])
    base = SearchQuery(
        text=" ".join(meaningful_words(text)),
        concepts=tuple(dict.fromkeys([*named, *found])),
        since=read_date(options.since) if options.since else None,
        until=read_date(options.until) if options.until else None,
        camera=options.camera,
        limit=options.limit,
        offset=options.offset,
    )
    if options.since is None and options.until is None:
        dated = _with_period(base)
        if dated is not None and (hits := library.search(dated)):
            return hits
    return library.search(base)


def split_names(query: str, names: Sequence[str]) -> tuple[list[str], str]:
    """Take the concepts' names out of a query.

    Whole names only, whatever their case; the longest first, so that "Anna Maria" is not read as "Anna".

    Returns:
        The names found, in the order of the query, and the query without them.
    """
    words = " ".join(unicodedata.normalize("NFC", query).split())
    places: list[tuple[int, str]] = []
    for name in sorted(names, key=len, reverse=True):
        is_free = True
        while is_free:
            span = find_name(words, name)
            is_free = span is not None
            if span is not None:
                start, end = span
                places.append((start, name))
                # Blanks keep every later place in the query where it was.
                words = words[:start] + " " * (end - start) + words[end:]
    found = list(dict.fromkeys(name for _, name in sorted(places)))
    return found, " ".join(words.split())


def meaningful_words(text: str) -> list[str]:
    """The words of a query that a caption, a place or a file name could hold."""
    return [word for word in text.split() if word.strip(".,;:!?\"'()").casefold() not in _EMPTY_WORDS]


def read_date(words: str) -> str:
    """Read `2024`, `2024-07` or `2024-7-3` as the beginning of an ISO 8601 time.

    Raises:
        UsageError: The words are not a date, or there is no such day.
    """
    match = _DATE.fullmatch(words.strip())
    if match is None:
        raise UsageError(f"{words!r} is not a date", hint=_DATE_HINT)
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first_day = date(year or 0, month or 1, day or 1)
    except ValueError as error:
        raise UsageError(f"there is no such day as {words}", hint=_DATE_HINT) from error
    if first_day.year not in _YEARS:
        raise UsageError(f"no photo was taken in {words}", hint=_DATE_HINT)
    return first_day.isoformat()[: 4 if month is None else 7 if day is None else 10]


def _with_period(query: SearchQuery) -> SearchQuery | None:
    """The query with the one date among its words as its period; `None` when there is not exactly one."""
    words = query.text.split()
    periods = [(word, period) for word in words if (period := _date_or_none(word))]
    if len(periods) != 1:
        return None
    [(dated, period)] = periods
    text = " ".join(word for word in words if word != dated)
    return replace(query, text=text, since=period, until=period)


def _date_or_none(word: str) -> str | None:
    try:
        return read_date(word.strip(".,;:!?()"))
    except UsageError:
        return None


def find_name(words: str, name: str, *, start: int = 0) -> tuple[int, int] | None:
    """Where a whole name first stands in the words from `start` on, with its possessive 's, or `None`."""
    # Folding case may change the length ("ß" is "ss"), so each folded character remembers where it came from.
    origins = [place for place, character in enumerate(words) for _ in character.casefold()]
    folded = words.casefold()
    wanted = " ".join(unicodedata.normalize("NFC", name).split()).casefold()
    begin = next((place for place, origin in enumerate(origins) if origin >= start), len(folded))
    at = folded.find(wanted, begin) if wanted else -1
    while at >= 0:
        after = at + len(wanted)
        if not _is_word_inside(folded, at) and not _is_word_inside(folded, after):
            end = origins[after] if after < len(origins) else len(words)
            owned = re.match(r"['’]s\b", words[end:])
            return origins[at], end + (owned.end() if owned else 0)
        at = folded.find(wanted, at + 1)
    return None


def _is_word_inside(text: str, place: int) -> bool:
    """Whether a word goes on across this place, combining marks included."""
    if not 0 < place < len(text):
        return False
    return _is_of_word(text[place - 1]) and _is_of_word(text[place])


def _is_of_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LNM"
