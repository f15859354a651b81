"""Reads what is typed into a search: words, phrases, names, dates and what is not wanted; knows no photo.

`Rex "red ball" -garden last summer` asks for photos of Rex that have the words red ball side by side, not the
word garden, and were taken last summer. A month, season or holiday without a year counts for every year.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date

from photopal.assistant.query.entities import Known, meanings_of
from photopal.assistant.query.parser import Criteria, SearchReading, read_search
from photopal.text import fold

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
class Reading:
    """A query as it was read.

    Attributes:
        plain: What was read in the plain words.
        phrases: What stood in quotes.
        without: Words and phrases with a minus.
        without_names: Names with a minus.
    """

    plain: SearchReading
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    without_names: tuple[str, ...] = ()

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
            criteria,
            phrases=(*criteria.phrases, *self.phrases),
            without_words=(*criteria.without_words, *self.without),
            without_names=tuple(dict.fromkeys([*criteria.without_names, *self.without_names])),
        )
        return complete, " ".join(meaningful_words(words))


def read_query(query: str, known: Known, *, today: date | None = None) -> Reading:
    """Read a query.

    Args:
        query: Anything at all.
        known: Concepts and cameras; in quotes a name is no more than its words.
        today: What "last summer" is counted from; None leaves dates among the words.
    """
    plain, phrases, unwanted = _parts(unicodedata.normalize("NFC", query.translate(_QUOTES)))
    folded = {fold(name): name for name in known.names}
    reading = read_search(plain, known, today=today)
    as_words = [folded[fold(phrase)] for phrase in phrases if fold(phrase) in folded]
    unwanted += [n for n in as_words if "word" in meanings_of(n) and n not in reading.criteria.names]
    return Reading(
        reading,
        phrases=tuple(phrase for phrase in phrases if phrase),
        without=tuple(part for part in unwanted if fold(part) not in folded),
        without_names=tuple(dict.fromkeys(folded[fold(p)] for p in unwanted if fold(p) in folded)),
    )


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
