"""The full-text index: keeps each photo's words current, writes a query as an FTS5 expression and keys.

The words of a photo lie in the index under a key that grows with the time the photo was taken, so that the
newest fitting photos come first without sorting, and a period is a range of keys. One column, `facts`, holds
no words but marks: that the photo has a caption, whom it shows, which camera took it, in which hour of
the day. So every question is answered by walking along posting lists, and none by a walk over all photos.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from photopal.errors import LibraryError, UsageError
from photopal.library.connection import Connection, path_of, storable
from photopal.library.evidence import evidence_on, person_mark
from photopal.library.migrations import TIME_AND_RATING_MARKS, WORDS_KEY
from photopal.library.models import SearchQuery
from photopal.library.search_text import has_letters, index_text, spellings

KEY_STEP = 1 << 24
"""Keys of one second; also more photos than a library can hold, as a key ends in the photo's id."""

LAST_KEY = (1 << 63) - 1
WORD_COLUMNS = "caption names place file tags"
_TOLD_COLUMNS = "caption names place tags"

# More words than these say nothing more, and FTS5 has limits of its own.
_MOST_WORDS = 64
_MOST_LETTERS = 200

_MOMENT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?)?)?"
)
_DAY_S = 86_400


# A photo's words are made anew from the facts each time one of them changes; the same words are not written.
_UPSERT_WORDS = f"""
    INSERT INTO photo_words (key, photo_id, caption, names, place, file, tags, facts)
    SELECT {WORDS_KEY}, photos.id, index_text(?3), index_text(?4), index_text(photos.place), index_text(?2),
      index_text(photos.tags),
      'p' || ?5
      || CASE length(photos.taken_at) WHEN 4 THEN ' y' || photos.taken_at
        WHEN 7 THEN ' y' || replace(photos.taken_at, '-', '') ELSE '' END
      || CASE WHEN photos.place IS NULL THEN '' ELSE ' l' END
      || CASE WHEN photos.camera IS NULL THEN '' ELSE ' n m' || hex(photos.camera) END
      || {TIME_AND_RATING_MARKS} || ?6
    FROM photos WHERE photos.id = ?1
    ON CONFLICT (photo_id) DO UPDATE SET key = excluded.key, caption = excluded.caption,
      names = excluded.names, place = excluded.place, file = excluded.file, tags = excluded.tags,
      facts = excluded.facts
    WHERE (key, caption, names, place, file, tags, facts) IS NOT (excluded.key, excluded.caption,
      excluded.names, excluded.place, excluded.file, excluded.tags, excluded.facts)
"""


@dataclass(frozen=True)
class Tier:
    """Photos that fit equally well; within a tier the newest come first.

    Attributes:
        match: An FTS5 expression.
        rank: How well they fit; 0 where no words are looked for.
    """

    match: str
    rank: float


class WordIndex:
    """The searchable words of every photo whose file is there.

    Args:
        connection: The open library.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def refresh(self, photo_ids: Sequence[int]) -> None:
        """Renew the searchable words of photos; belongs inside `writing`."""
        for photo_id in photo_ids:
            if photo_id >= KEY_STEP:
                raise LibraryError(f"too many photos: a library holds at most {KEY_STEP - 1:,}")
            rows = self._connection.rows(
                "SELECT paths.path, persons FROM paths JOIN photos ON photos.id = photo_id"
                " WHERE photo_id = ? AND paths.missing_since IS NULL",
                (photo_id,),
            )
            if not rows:
                self._connection.execute("DELETE FROM photo_words WHERE photo_id = ?", (photo_id,))
                continue
            files = {word for row in rows for word in path_of(row[0]).parts[-2:]}
            known = evidence_on(self._connection, photo_id)
            shown = known.shown
            persons = set(map(person_mark, json.loads(rows[0]["persons"] or "[]")))
            # Whom the user has taken off the photo is not on it, whatever its file says.
            persons -= set(map(person_mark, known.taken_off))
            marks = [*(f"c{i}" for i in shown), *(f"q{i}" for i in known.looks_like), *sorted(persons)]
            values = (
                storable(" / ".join(sorted(files))),
                known.caption,
                " / ".join(shown.values()) or None,
                "" if known.caption is None else " k",
                "".join(f" {mark}" for mark in marks),
            )
            self._connection.execute(_UPSERT_WORDS, (photo_id, *values))


def tiers_of(query: SearchQuery, facts: list[str], refused_facts: list[str]) -> list[Tier]:
    """Return what a query looks for as tiers, the best first; none where nothing can fit.

    First those with a word in a name, then those with all words in caption, names and place, then those
    that need the file's name for it; and all this for the last word as it stands before what it may begin.

    Args:
        query: What is looked for; names and cameras in it are passed over.
        facts: Expressions over the column `facts` that must hold.
        refused_facts: Expressions that must not hold.
    """
    words = usable_words(query.text)
    groups = [[spelled(word) for word in group if has_letters(word)] for group in query.any_words]
    phrases = [spelled(phrase) for phrase in query.phrases]
    if query.text.strip() and not words:
        return []
    if not all(groups) or not all(map(has_letters, (*query.phrases, *query.places))):
        return []
    must = [*facts, *(in_columns(WORD_COLUMNS, " OR ".join(group)) for group in groups)]
    if query.places:
        must.append(in_columns("place file", " OR ".join(map(spelled, query.places))))
    must_not = [*refused_facts]
    must_not += [in_columns(WORD_COLUMNS, spelled(part)) for part in query.without if has_letters(part)]
    must_not += [
        in_columns("place file", spelled(part)) for part in query.without_places if has_letters(part)
    ]
    plain = [spelled(word) for word in words]
    if not (plain or phrases):
        return [Tier(_all_of(must, must_not), 1.0 if groups or query.places else 0.0)]
    is_unfinished = bool(plain) and not query.text[-1:].isspace()
    endings = [plain, [*plain[:-1], _unfinished(words[-1])]] if is_unfinished else [plain]
    if query.order != "best":
        return [Tier(_all_of([*must, *_in_all(WORD_COLUMNS, [*phrases, *endings[-1]])], must_not), 1.0)]
    tiers = []
    for worth, ending in zip((1.0, 0.5), endings, strict=False):
        wanted = [*phrases, *ending]
        names = in_columns("names", " OR ".join(wanted))
        anywhere = _in_all(WORD_COLUMNS, wanted)
        tiers.append(Tier(_all_of([*must, names, *anywhere], must_not), 4 * worth))
        tiers.append(Tier(_all_of([*must, *_in_all(_TOLD_COLUMNS, wanted)], must_not), 2 * worth))
        tiers.append(Tier(_all_of([*must, *anywhere], must_not), worth))
    return tiers


def loosest_of(tiers: list[Tier]) -> str | None:
    """Return the expression that every photo of some tiers fits: the last one's; None without a tier."""
    return tiers[-1].match if tiers else None


def fact(mark: str) -> str:
    """Return the expression for a mark in the column `facts`."""
    return f'{{facts}} : "{mark}"'


def concept_fact(concept_id: int, name: str) -> str:
    """Return the expression for photos that show a concept, or whose files say so by its name."""
    return f"({fact(f'c{concept_id}')} OR {fact(person_mark(name))})"


def camera_fact(camera: str) -> str:
    """Return the expression for a camera by its full name; the mark is the name in hexadecimal."""
    return fact("m" + camera.encode("utf-8", "replace").hex())


def key_ranges(query: SearchQuery) -> list[tuple[int, int]]:
    """Return the first and the last keys of a query's periods, in order; none where no photo can fit.

    Without a period the keys of undated photos are among them.

    Raises:
        UsageError: A date is no beginning of an ISO 8601 time.
    """
    first, last = 0, LAST_KEY
    if query.since is not None or query.until is not None or query.periods is not None or query.has_date:
        first = KEY_STEP
    if query.since is not None:
        first = max(KEY_STEP, _span_s(query.since)[0] * KEY_STEP)
    if query.until is not None:
        last = min(LAST_KEY, _span_s(query.until)[1] * KEY_STEP - 1)
    if query.has_date is False:
        last = min(last, KEY_STEP - 1)
    ranges = []
    for since, until in ((None, None),) if query.periods is None else query.periods:
        low = first if since is None else max(first, _span_s(since)[0] * KEY_STEP)
        high = last if until is None else min(last, _span_s(until)[1] * KEY_STEP - 1)
        if low <= high:
            ranges.append((low, high))
    return ranges


def refused_dates(last_key: int) -> list[str]:
    """Return the marks of years and months that are all that is known of photos and end after some keys do.

    Such photos lie at the beginning of their year or month, although they may be of any day in it.

    Args:
        last_key: The last key of a period.
    """
    last, after = _date_of(last_key // KEY_STEP), _date_of((last_key + 1) // KEY_STEP)
    if last is None or after is None:
        return []
    months = [fact(f"y{last:%Y%m}")] if (last.year, last.month) == (after.year, after.month) else []
    return months + ([fact(f"y{last:%Y}")] if last.year == after.year else [])


def _date_of(seconds: int) -> date | None:
    """Return the day of a second since the beginning of the year 0; None outside of what `date` knows."""
    try:
        return date(1, 1, 1) + timedelta(days=seconds // _DAY_S - 366)
    except OverflowError:
        return None


def usable_words(text: str) -> list[str]:
    """Return the words of a text that have a letter or a digit; of very many the first."""
    words = text.replace("\x00", " ").split()
    return [word[:_MOST_LETTERS] for word in words if has_letters(word[:_MOST_LETTERS])][:_MOST_WORDS]


def quoted(words: str) -> str:
    """Write words as an FTS5 string: one word, or several that follow each other; never syntax."""
    plain = words.replace("\x00", " ").encode("utf-8", "replace").decode()
    return '"' + (index_text(plain) or "").replace('"', '""') + '"'


def spelled(words: str) -> str:
    """Write words as an FTS5 expression that finds their other spellings too: ü and ue, St. and Saint."""
    forms = dict.fromkeys(quoted(form) for form in spellings(words))
    return next(iter(forms)) if len(forms) == 1 else f"({' OR '.join(forms)})"


def _unfinished(word: str) -> str:
    """Write what a word may begin with; "ue" stands for itself here, or "blue" would begin "blunt"."""
    forms = [word] if word.isascii() else spellings(word)
    return f"({' OR '.join(f'{quoted(form)}*' for form in forms)})"


def in_columns(columns: str, expression: str) -> str:
    """Look for an expression in some columns only."""
    return f"{{{columns}}} : ({expression})"


def any_fact(facts: list[str]) -> str:
    """Return the expression that holds where one of several does; where there is none it never holds."""
    return f"({' OR '.join(facts)})" if facts else fact("nothing")


def one_fact(facts: list[str]) -> str:
    """Return the expression that holds where exactly one of several does."""
    if len(facts) < 2:
        return any_fact(facts)
    # By halves it grows little faster than the list; each without all others would grow with its square.
    one, two = facts[: len(facts) // 2], facts[len(facts) // 2 :]
    return f"(({one_fact(one)} NOT {any_fact(two)}) OR ({one_fact(two)} NOT {any_fact(one)}))"


def _in_all(columns: str, words: list[str]) -> list[str]:
    return [in_columns(columns, word) for word in words]


def _all_of(must: list[str], must_not: list[str]) -> str:
    """Join expressions; where nothing must hold, the mark that every photo has stands for it."""
    wanted = " AND ".join(must or [fact("p")])
    return f"({wanted}) NOT ({' OR '.join(must_not)})" if must_not else wanted


def _span_s(moment: str | date) -> tuple[int, int]:
    """Return the first second of a year, month, day, hour or minute and the first one after it.

    Seconds are counted from the beginning of the year 0 in local time, as the keys count them.
    """
    text = moment.strip() if isinstance(moment, str) else moment.isoformat()
    if text == "0":
        return 0, 0
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise UsageError(f"invalid date {text!r}", hint="Write a date as 2024, 2024-07 or 2024-07-03.")
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups())
    assert year is not None, "the pattern begins with a year"
    first = _month_s(year, month or 1) + ((day or 1) - 1) * _DAY_S
    first += (hour or 0) * 3600 + (minute or 0) * 60 + (second or 0)
    if month is None:
        return first, _month_s(year + 1, 1)
    if day is None:
        return first, _month_s(year + month // 12, month % 12 + 1)
    length_s = _DAY_S if hour is None else 3600 if minute is None else 60 if second is None else 1
    return first, first + length_s


def _month_s(year: int, month: int) -> int:
    """Return the first second of a month; months beyond the 12th and the years 0 and 10,000 are known too."""
    years, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    # 400 years are 146,097 days; `date` knows the years from 1 to 9999 only.
    around = years % 400 + 400
    days = (date(around, month, 1) - date(400, 1, 1)) // timedelta(days=1)
    return (days + (years // 400) * 146_097) * _DAY_S
