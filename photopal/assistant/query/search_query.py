"""Reads what is typed into a search: words, phrases, names, dates and what is not wanted; knows no photo.

`Rex "red ball" -garden last summer` asks for photos of Rex that have the words red ball side by side, not the
word garden, and were taken last summer. A month, season or holiday without a year counts for every year. A
minus may also stand before a name, a date or a camera.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date

from photopal.assistant.query.criteria import Criteria, joined, with_entities
from photopal.assistant.query.dates import Period
from photopal.assistant.query.entities import (
    DATE,
    ENTITY,
    Entity,
    Known,
    MarkedText,
    mark_entities,
    meanings_of,
)
from photopal.assistant.query.negations import read_alone, read_attributes, read_negations
from photopal.assistant.query.parser import STRAIGHT
from photopal.assistant.query.reader import Reader
from photopal.errors import UsageError
from photopal.library.search_text import has_letters
from photopal.text import name_key

# Words that say nothing about a photo; captions are not asked to hold them.
_EMPTY_WORDS = frozenset(
    """
    a all an and are at by did do does find for from her his i image images in is it its me my of on or our
    photo photograph photographs photos picture pictures pic pics show tagged that the their there they this
    to was we were what when where which who with taken
    """.split()  # noqa: SIM905
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
# A minus stands at the beginning of a word; it may be a typographic one.
_PART = re.compile(r'(?P<minus>(?<!\S)[-−–](?=[^\s-]))?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')

# From the first photograph on; a bare number such as 1500 is more likely part of a name.
YEARS = range(1826, 2200)


@dataclass(frozen=True)
class SearchReading:
    """A search as it was read.

    Attributes:
        criteria: What was read as names, dates, cameras, kinds and negations; its words are alternatives.
        words: The other words, of which all are looked for.
        text: Those with the dates, cameras and kinds as words too, in case they were meant as such.
        criteria_of_text: The criteria without those dates, cameras and kinds.
        is_date_only: Whether only dates of a certain year make the difference.
        problem: Why a date among the words could not be read.
        notes: What words with several meanings were taken for, and words that join unclearly.
        other: The search with such words taken for what they mean besides a name.
    """

    criteria: Criteria
    words: str
    text: str
    criteria_of_text: Criteria
    is_date_only: bool = False
    problem: UsageError | None = None
    notes: tuple[str, ...] = ()
    other: SearchReading | None = None


def read_search(
    text: str, known: Known, *, today: date | None, numbers_are_words: bool = False
) -> SearchReading:
    """Read the words of a search, without its quoted phrases and its -words.

    Args:
        text: Words in any order.
        known: Names and cameras of the library.
        today: What "last summer" is counted from; None leaves dates among the words.
        numbers_are_words: Whether dates without a letter, as 2024 and 2024-07, are left among the words.
    """
    marked, problem = _mark(text, known, today)

    def read(text: str) -> tuple[Criteria, str, list[str]]:
        return _read_search(marked, known, text, numbers_are_words=numbers_are_words)

    criteria, words, unclear = read(marked.text)
    loose = {"date", "camera", "group", "rating"}
    as_words = re.sub(
        ENTITY, lambda m: marked.at(m[0]).typed if marked.at(m[0]).kind in loose else m[0], marked.text
    )
    entities = [marked.at(mark) for mark in re.findall(ENTITY, marked.text)]
    # What is not wanted in one meaning is not brought back by the other: "not in july".
    is_negated = bool(
        criteria.without_dates
        or criteria.without_cameras
        or criteria.without_ratings
        or criteria.without_kinds
    )
    is_same = is_negated or not any(entity.kind in loose for entity in entities)
    criteria_of_text, text_words = (criteria, words) if is_same else read(as_words)[:2]
    by_word = None
    if known.places and any(entity.kind == "place" for entity in entities):
        by_word = read_search(
            text, replace(known, places=()), today=today, numbers_are_words=numbers_are_words
        )
    elif marked.ambiguous:
        rest = Known(
            [n for n in known.names if n not in marked.ambiguous], known.places, known.cameras, known.people
        )
        by_word = read_search(text, rest, today=today, numbers_are_words=numbers_are_words)
        without = tuple(dict.fromkeys([*by_word.criteria.without_names, *marked.ambiguous]))
        by_word = replace(
            by_word,
            criteria=replace(by_word.criteria, without_names=without),
            criteria_of_text=replace(by_word.criteria_of_text, without_names=without),
            notes=tuple(
                f'"{name}" is read as a word or place here; for the one you registered, use --concept {name}.'
                for name in marked.ambiguous
            ),
        )
    return SearchReading(
        criteria=criteria,
        words=words,
        text=text_words,
        criteria_of_text=criteria_of_text,
        is_date_only=any(isinstance(when, Period) for group in criteria.dates for when in group),
        problem=problem,
        notes=(*marked.notes, *(_UNCLEAR.format(word) for word in dict.fromkeys(unclear))),
        other=by_word,
    )


_UNCLEAR = 'What "{}" joins here can be read in two ways; to be sure, search for one thing at a time.'
_NOT_TYPED = re.compile("[\U000f0000-\U0010fffd\ue000-\uf8ff\ud800-\udfff]")


def _mark(text: str, known: Known, today: date | None) -> tuple[MarkedText, UsageError | None]:
    """Mark the entities of words as typed; where a date cannot be read, dates are words, and why is told."""
    straight = " ".join(unicodedata.normalize("NFC", _NOT_TYPED.sub(" ", text.translate(STRAIGHT))).split())
    try:
        return mark_entities(straight, known, today=today, is_search=True), None
    except UsageError as error:
        return mark_entities(straight, known, today=None, is_search=True), error


def _read_search(
    marked: MarkedText, known: Known, text: str, *, numbers_are_words: bool
) -> tuple[Criteria, str, list[str]]:
    reader = Reader(marked, known)
    reader.text = text
    read_attributes(reader)
    read_alone(reader)
    read_negations(reader)
    if numbers_are_words:
        # "Without 2021" is no word even then.
        reader.text = re.sub(
            DATE, lambda m: when.typed if (when := marked.at(m[0])).is_number else m[0], reader.text
        )
    reader.read_alternatives()
    reader.read_entities()
    plain = reader.plain_names((), but=reader.criteria)
    criteria = replace(reader.criteria, without_names=joined(reader.criteria.without_names, plain))
    return criteria, reader.text, reader.unclear


@dataclass(frozen=True)
class Reading:
    """A query as it was read.

    Attributes:
        plain: What was read in the plain words.
        phrases: What stood in quotes.
        without: Words and phrases with a minus, but for names.
        without_entities: What has a name of its own among what has a minus: names, dates, cameras, kinds.
    """

    plain: SearchReading
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    without_entities: tuple[Entity, ...] = ()

    @property
    def without_names(self) -> tuple[str, ...]:
        """Names with a minus."""
        return tuple(dict.fromkeys(each.value for each in self.without_entities if each.kind == "name"))

    def alternatives(self) -> list[tuple[tuple[str, ...], list[tuple[Criteria, str]]]]:
        """Return criteria and words to search by: of each list all in turn, the next where one finds nothing.

        Before each list stand the notes on what its words are taken for.
        """
        reading = self.plain
        first = self._complete(reading.criteria, reading.words)
        second = self._complete(reading.criteria_of_text, reading.text)
        if first == second:
            lists = [[first]]
        else:
            lists = [[first], [second]] if reading.is_date_only else [[first, second]]
        found = [(reading.notes, entry) for entry in lists]
        return (
            found if reading.other is None else [*found, *replace(self, plain=reading.other).alternatives()]
        )

    def _complete(self, criteria: Criteria, words: str) -> tuple[Criteria, str]:
        complete = replace(
            with_entities(criteria, self.without_entities, is_wanted=False),
            phrases=(*criteria.phrases, *self.phrases),
            without_words=(*criteria.without_words, *self.without),
        )
        kept = meaningful_words(words)
        # A mark that stood between or behind names, as in "anna, ben!", is no word to look for.
        if complete != Criteria() and not any(map(has_letters, kept)):
            kept = []
        return complete, " ".join(kept)


def read_query(
    query: str, known: Known, *, today: date | None = None, numbers_are_words: bool = False
) -> Reading:
    """Read a query.

    Args:
        query: Anything at all.
        known: Concepts and cameras; in quotes a name is no more than its words.
        today: What "last summer" is counted from; None leaves dates among the words.
        numbers_are_words: Whether dates without a letter are left among the words that are wanted.
    """
    plain, phrases, unwanted = _parts(unicodedata.normalize("NFC", query.translate(_QUOTES)))
    reading = read_search(plain, known, today=today, numbers_are_words=numbers_are_words)
    named = {name_key(name): name for name in known.names}
    # Captions do not tell a name from the word in quotes.
    as_words = [named[key] for key in map(name_key, phrases) if key in named]
    as_words = [n for n in as_words if "word" in meanings_of(n) and n not in reading.criteria.names]
    without, entities = [], [Entity("name", name, name) for name in as_words]
    for part in unwanted:
        found = _read_unwanted(part, known, today)
        entities += found
        # Photos that speak of a date or a camera are found by it too; a name is never a word.
        if not any(entity.kind == "name" for entity in found):
            without.append(part)
    return Reading(
        reading,
        phrases=tuple(phrase for phrase in phrases if phrase),
        without=tuple(without),
        without_entities=tuple(entities),
    )


def _read_unwanted(part: str, known: Known, today: date | None) -> list[Entity]:
    """The entities that a word or phrase with a minus consists of; none where it has other words too."""
    marked, _ = _mark(part, known, today)
    is_whole = not re.search(r"\w", marked.text)
    return [marked.at(mark) for mark in re.findall(ENTITY, marked.text)] if is_whole else []


def meaningful_words(text: str) -> list[str]:
    """The words of a query that a caption, a place or a file name could hold."""
    return [word for word in text.split() if word.strip(".,;:!?\"'()").casefold() not in _EMPTY_WORDS]


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
