"""Reads what is typed into a search: words, phrases, names, dates and what is not wanted; knows no photo.

`Rex "red ball" -garden last summer` asks for photos of Rex that have the words red ball side by side, not the
word garden, and were taken last summer. A month, season or holiday without a year counts for every year.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from photopal.errors import UsageError
from photopal.library import SearchQuery
from photopal.text import fold, name_spans, write_over

if TYPE_CHECKING:
    from photopal.assistant.query.dates import Period

# Words that say nothing about a photo; captions are not asked to hold them.
_EMPTY_WORDS = frozenset(
    """
    a all an and are at by did do does find for from her his i image images in is it its me my of on or our
    photo photograph photographs photos picture pictures pic pics show that the their there they this to was
    we were what when where which who with
    """.split()  # noqa: SIM905 - a list literal would take a page
)
_OWNED = re.compile(r"['’]s\b")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
# A minus stands at the beginning of a word; it may be a typographic one.
_PART = re.compile(r'(?P<minus>(?<!\S)[-−–](?=[^\s-]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')

# From the first photograph on; a bare number such as 1500 is more likely part of a name.
YEARS = range(1826, 2200)
_RELATIVE = re.compile(
    r"\d|\b(?:last|this|next|previous|past|since|before|after|until|till|between|ago|today|tonight|yesterday)\b",
    re.IGNORECASE,
)
_BEFORE_DATES = r"(?:\b(?:in|at|on|during|over|around|for|every)\s+(?:the\s+)?)?"


@dataclass(frozen=True)
class Reading:
    """A query as it was read.

    Attributes:
        words: What is left of the plain words, as they stood.
        concepts: Names of concepts that were named.
        phrases: What stood in quotes.
        without: Words and phrases that are not wanted.
        without_concepts: Names that are not wanted.
        period: The one stretch of time that was named.
        every_year: The first and last day, in a given year, of a month, season or holiday that was named
            without a year.
        words_without_date: The plain words less those of the date.
        problem: Why a date among the words could not be read.
    """

    words: str
    concepts: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    without_concepts: tuple[str, ...] = ()
    period: Period | None = None
    every_year: Callable[[int], tuple[date, date]] | None = None
    words_without_date: str = ""
    problem: UsageError | None = None


def read_query(query: str, names: Sequence[str], *, today: date | None = None) -> Reading:
    """Read a query.

    Args:
        query: Anything at all.
        names: The concepts' names; in quotes a name is no more than its words.
        today: What "last summer" is counted from; None leaves dates among the words.
    """
    plain, phrases, unwanted = _parts(unicodedata.normalize("NFC", query.translate(_QUOTES)))
    concepts, words = split_names(plain, names)
    known = {fold(name): name for name in names}
    reading = Reading(
        words,
        concepts=tuple(concepts),
        phrases=tuple(phrase for phrase in phrases if phrase),
        without=tuple(part for part in unwanted if fold(part) not in known),
        without_concepts=tuple(dict.fromkeys(known[fold(p)] for p in unwanted if fold(p) in known)),
    )
    return reading if today is None or not words else _with_date(reading, today)


def queries_of(reading: Reading, base: SearchQuery, years: range) -> list[list[SearchQuery]]:
    """Write a reading as queries: of each list all in turn; the second list where the first finds nothing.

    Args:
        reading: What was typed.
        base: What was asked for beside it.
        years: Those photos were taken in.
    """
    query = replace(
        base,
        text=_text(reading.words),
        phrases=reading.phrases,
        without=reading.without,
        concepts=tuple(dict.fromkeys([*base.concepts, *reading.concepts])),
        without_concepts=reading.without_concepts,
    )
    dated = replace(query, text=_text(reading.words_without_date))
    if reading.period is not None:
        return [[replace(dated, since=reading.period.since, until=reading.period.until)], [query]]
    if reading.every_year is not None:
        spans = sorted(_spans(reading.every_year, years), reverse=True)
        return [[*(replace(dated, since=first, until=last) for first, last in spans), query]]
    return [[query]]


def split_names(query: str, names: Sequence[str]) -> tuple[list[str], str]:
    """Take the concepts' names out of a query.

    Whole names only, whatever their case; the longest first, so that "Anna Maria" is not read as "Anna".

    Returns:
        The names found, in the order of the query, and the query without them.
    """
    words = " ".join(unicodedata.normalize("NFC", query).split())
    spans = name_spans(words, names)
    found = list(dict.fromkeys(names[index] for _, _, index in spans))
    rest = write_over(words, ((start, _end_of_owned(words, end), " ") for start, end, _ in spans))
    return found, " ".join(rest.split())


def meaningful_words(text: str) -> list[str]:
    """The words of a query that a caption, a place or a file name could hold."""
    return [word for word in text.split() if word.strip(".,;:!?\"'()").casefold() not in _EMPTY_WORDS]


def _end_of_owned(words: str, end: int) -> int:
    """Where a name that ends here ends with its possessive 's."""
    owned = _OWNED.match(words, end)
    return owned.end() if owned else end


def _parts(query: str) -> tuple[str, list[str], list[str]]:
    """Take a query apart into plain words, phrases, and what is not wanted."""
    plain: list[str] = []
    phrases: list[str] = []
    unwanted: list[str] = []
    for match in _PART.finditer(query):
        is_phrase = match["word"] is None
        part = " ".join((match["phrase"] if is_phrase else match["word"]).split())
        target = unwanted if match["minus"] else phrases if is_phrase else plain
        target.append(part)
    return " ".join(plain), phrases, [part for part in unwanted if part]


def _with_date(reading: Reading, today: date) -> Reading:
    recurring = _find_recurring(reading.words)
    if recurring is not None:
        return replace(reading, every_year=recurring[0], words_without_date=recurring[1])
    if not _may_have_date(reading.words):
        return reading
    from photopal.assistant.query.periods import find_period

    try:
        period, rest = find_period(reading.words, today)
    except UsageError as error:
        return replace(reading, problem=error)
    return replace(reading, period=period, words_without_date=rest)


def _may_have_date(words: str) -> bool:
    """Whether it is worth reading all that a date can look like, which takes a while to get ready."""
    from photopal.assistant.query.dates import CALENDAR_WORDS

    return bool(_RELATIVE.search(words)) or not CALENDAR_WORDS.isdisjoint(words.casefold().split())


def _find_recurring(words: str) -> tuple[Callable[[int], tuple[date, date]], str] | None:
    """The one month, season or holiday that stands without a year, and the words without it."""
    if _RELATIVE.search(words):
        return None
    from photopal.assistant.query.dates import HOLIDAYS, MONTHS, SEASONS, month_period

    found: list[tuple[str, Callable[[int], tuple[date, date]]]] = []
    rest = words
    for name in sorted([*HOLIDAYS, *SEASONS, *MONTHS], key=len, reverse=True):
        if name not in rest.casefold().replace("’", "'"):
            continue
        either = re.escape(name).replace("'", "['’]")
        pattern = rf"{_BEFORE_DATES}(?<![\w'-]){either}(?![\w'-])"
        rest, count = re.subn(pattern, " ", rest, flags=re.IGNORECASE)
        if count:
            found.append((name, HOLIDAYS[name] if name in HOLIDAYS else month_period(name)))
    return (found[0][1], rest) if len(found) == 1 else None


def _spans(of_year: Callable[[int], tuple[date, date]], years: range) -> Iterator[tuple[date, date]]:
    """Yield the period in every year, the one that began in the year before too."""
    for year in range(max(YEARS.start, years.start - 1), min(YEARS.stop, years.stop)):
        yield of_year(year)


def _text(words: str) -> str:
    return " ".join(meaningful_words(words))
