"""Finds and counts photos by words, names, dates, places and cameras; asks SQLite and no model."""

from __future__ import annotations

import itertools
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from photopal.library.concepts import Concepts
from photopal.library.connection import Connection
from photopal.library.evidence import person_mark
from photopal.library.fts import (
    KEY_STEP,
    LAST_KEY,
    any_fact,
    camera_fact,
    concept_fact,
    fact,
    key_ranges,
    loosest_of,
    one_fact,
    refused_dates,
    tiers_of,
)
from photopal.library.models import SearchHit, SearchQuery, Stay
from photopal.library.photos import PHOTO_COLUMNS, photo_record

# By CROSS JOIN with the index first, SQLite walks along the index and looks photos up, never the reverse.
_FITTING = "FROM photo_words_fts CROSS JOIN photos ON photos.id = photo_words_fts.rowid % 16777216"
_PRESENT = "FROM photos WHERE photos.missing_since IS NULL"
_MATCHED = "photo_words_fts MATCH ? AND photo_words_fts.rowid BETWEEN ? AND ?"
_COUNT = f"SELECT count(*) FROM photo_words_fts WHERE {_MATCHED}"
# SQLite takes up to 2.4 ms to read a long expression, for each range anew; beyond these, one pass is quicker.
_MOST_RANGES = 12
_ROWIDS = f"SELECT rowid FROM photo_words_fts WHERE {_MATCHED} ORDER BY rowid"
# `photo_words` has captions in the form that is looked for, and of captions that must not be shown, none.
_CAPTION = (
    "(SELECT captions.text FROM captions JOIN photo_words USING (photo_id)"
    " WHERE captions.photo_id = photos.id AND photo_words.caption NOT NULL)"
)


class Search:
    """The part of a library that answers questions. Missing photos are never among the answers.

    Args:
        connection: The open library.
        concepts: Whose names a query may have.
    """

    def __init__(self, connection: Connection, concepts: Concepts) -> None:
        self._connection = connection
        self._concepts = concepts

    def find(self, query: SearchQuery) -> list[SearchHit]:
        """Return the photos that fit a query, in its order.

        Raises:
            ConceptError: A name of the query is not known; the hint has the nearest one.
            UsageError: A date of the query is no date.
        """
        return self.find_in_turn([query], limit=query.limit, offset=query.offset)

    def find_in_turn(self, queries: Sequence[SearchQuery], *, limit: int, offset: int = 0) -> list[SearchHit]:
        """Return the photos that fit the first query, then those that fit the second, each photo once.

        Later queries are not asked once enough is found.

        Args:
            queries: Their own limits and offsets do not count.
            limit: How many hits to give at most.
            offset: How many hits to pass over first.

        Raises:
            ConceptError: A name of a query is not known; the hint has the nearest one.
            UsageError: A date of a query is no date.
        """
        best: dict[int, float] = {}
        wanted = max(0, offset) + max(0, limit)
        for photo_id, rank in itertools.chain.from_iterable(map(self._fitting, queries)):
            if len(best) >= wanted:
                break
            best.setdefault(photo_id, rank)
        ids = list(best)[max(0, offset) :]
        rows = self._photos_with_captions(ids)
        names = self._names_in(ids, "c")
        looks_like = self._names_in(ids, "q")
        return [
            SearchHit(
                photo=photo_record(rows[id_]),
                caption=rows[id_]["caption"],
                names=names.get(id_, []),
                rank=best[id_],
                looks_like=tuple(looks_like.get(id_, ())),
            )
            for id_ in ids
            if id_ in rows
        ]

    def count(self, query: SearchQuery) -> int:
        """Count the photos that fit a query, whatever its limit and offset.

        Raises:
            ConceptError: A name of the query is not known.
        """
        match, ranges = self._loosest(query)
        if len(ranges) <= _MOST_RANGES:
            return sum(self._connection.rows(_COUNT, (match, *keys))[0][0] for keys in ranges)
        return sum(1 for _ in self._keys(match, ranges))

    def date_range(self, query: SearchQuery) -> tuple[str, str] | None:
        """Return when the first and the last of the photos that fit were taken; None if none is dated.

        Raises:
            ConceptError: A name of the query is not known.
        """
        match, ranges = self._loosest(query)
        ends = []
        for order, spans in (("", ranges), (" DESC", reversed(ranges))):
            for first, last in spans:
                keys = (match, max(first, KEY_STEP), last)
                if found := self._connection.rows(f"{_ROWIDS}{order} LIMIT 1", keys):
                    ends += found
                    break
        if len(ends) < 2:
            return None
        taken = [
            self._connection.rows("SELECT taken_at FROM photos WHERE id = ?", (end[0] % KEY_STEP,))[0][0]
            for end in ends
        ]
        return taken[0], taken[1]

    def count_by_place(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by place, the most frequent first."""
        return self._counted("photos.place", query)

    def stays(self) -> list[Stay]:
        """Return on which days photos were taken in which places, the earliest day first.

        Photos of which the day, the position or the place is not known are left out.
        """
        rows = self._connection.rows(
            "SELECT substr(taken_at, 1, 10) AS day, place, avg(latitude) AS latitude,"
            f" avg(longitude) AS longitude, count(*) AS photos {_PRESENT} AND length(taken_at) >= 10"
            " AND place NOT NULL AND latitude NOT NULL GROUP BY day, place ORDER BY day"
        )
        return [Stay(**{**dict(row), "day": date.fromisoformat(row["day"])}) for row in rows]

    def count_by_camera(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by camera, the most frequent first."""
        return self._counted("photos.camera", query)

    def count_by_lens(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by lens, the most frequent first."""
        return self._counted("photos.lens", query)

    def count_by_day(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by the day they were taken on, as "2024-07-03", the earliest first.

        Photos of which only the year or month is known are left out.
        """
        is_known = "CASE WHEN length(photos.taken_at) >= 10 THEN substr(photos.taken_at, 1, 10) END"
        return sorted(self._counted(is_known, query))

    def count_by_month(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by the month they were taken in, as "2024-07", the earliest first.

        Photos of which only the year is known are left out.
        """
        is_known = "CASE WHEN length(photos.taken_at) >= 7 THEN substr(photos.taken_at, 1, 7) END"
        return sorted(self._counted(is_known, query))

    def count_by_caption(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by what their caption says, the most frequent first."""
        return self._counted(_CAPTION, query)

    def count_by_year(self, query: SearchQuery) -> list[tuple[int, int]]:
        """Count the photos that fit by the year they were taken in, the earliest first."""
        taken = self.date_range(query)
        match, ranges = self._loosest(query)
        counts = []
        for year in range(int(taken[0][:4]), int(taken[1][:4]) + 1) if taken is not None else ():
            [(low, high)] = key_ranges(SearchQuery(since=f"{year:04}", until=f"{year:04}"))
            keys = [(max(first, low), min(last, high)) for first, last in ranges]
            numbers = [self._connection.rows(_COUNT, (match, *k))[0][0] for k in keys if k[0] <= k[1]]
            counts.append((year, sum(numbers)))
        return [(year, number) for year, number in counts if number]

    def count_by_concept(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count, of the photos that fit, those that show each concept, the most frequent first.

        Raises:
            ConceptError: A name of the query is not known.
        """
        match, ranges = self._loosest(query)
        if query.one_of is not None:
            return self._counted_marks(match, ranges)
        counts = []
        for concept in self._concepts.all() if ranges else ():
            both = f"{concept_fact(concept.id, concept.name)} AND ({match})"
            numbers = [self._connection.rows(_COUNT, (both, *keys))[0][0] for keys in ranges]
            counts.append((concept.name, sum(numbers)))
        return sorted(((name, number) for name, number in counts if number), key=lambda count: -count[1])

    def _counted_marks(self, match: str | None, ranges: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
        """Count the photos that match by concept, in one pass: the expression of who is alone is long."""
        marked = [(c.name, {f"c{c.id}", person_mark(c.name)}) for c in self._concepts.all()]
        counts: Counter[str] = Counter()
        for marks in self._marks_of([key % KEY_STEP for key in self._keys(match, ranges)]).values():
            counts.update(name for name, either in marked if not either.isdisjoint(marks))
        return sorted(((name, counts[name]) for name, _ in marked if counts[name]), key=lambda c: -c[1])

    def count_by_likeness(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count, of the photos that fit, those of which it is only known to look like each concept.

        Raises:
            ConceptError: A name of the query is not known.
        """
        match, ranges = self._loosest(query)
        concepts = self._concepts.all()
        if match is None or not concepts:
            return []
        # Asked for each of many names, an expression as long as these names would take seconds.
        any_alike = any_fact([fact(f"q{concept.id}") for concept in concepts])
        ids = [key % KEY_STEP for key in self._keys(f"{any_alike} AND ({match})", ranges)] if ranges else []
        counts = Counter(name for names in self._names_in(ids, "q").values() for name in names)
        return [(concept.name, counts[concept.name]) for concept in concepts if counts[concept.name]]

    def count_by_person(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by the persons and pets that files name, registered or not."""
        counts: Counter[str] = Counter()
        for names, number in self._counted("photos.persons", query):
            counts.update(dict.fromkeys(json.loads(names), number))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))

    def _counted(self, column: str, query: SearchQuery) -> list[tuple[Any, int]]:
        match, ranges = self._loosest(query)
        counts: Counter[Any] = Counter()
        if match == fact("p") and ranges == [(0, LAST_KEY)]:
            found = [self._grouped(column, _PRESENT, ())]
        else:
            found = [self._grouped(column, f"{_FITTING} WHERE {_MATCHED}", (match, *keys)) for keys in ranges]
        for row in itertools.chain.from_iterable(found):
            counts[row["value"]] += row["number"]
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))

    def _grouped(self, column: str, source: str, parameters: Sequence[Any]) -> list[Any]:
        # SQLite works a subquery out anew wherever its value is used, unless all are written out first.
        how = "MATERIALIZED" if column == _CAPTION else ""
        sql = (
            f"WITH counted AS {how} (SELECT {column} AS value {source})"
            " SELECT value, count(*) AS number FROM counted WHERE value IS NOT NULL GROUP BY value"
        )
        return self._connection.rows(sql, parameters)

    def _fitting(self, query: SearchQuery) -> Iterator[tuple[int, float]]:
        """Yield the ids of the photos that fit a query with their ranks, the best first, some twice."""
        ranges = key_ranges(query)
        tiers = self._tiers(query)
        if query.order == "oldest":
            # Undated photos come last, in whichever order.
            spans = [(max(first, KEY_STEP), last) for first, last in ranges if last >= KEY_STEP]
            spans += [(0, min(last, KEY_STEP - 1)) for first, last in ranges if first == 0]
            order = ""
        else:
            spans, order = ranges[::-1], " DESC"
        for tier in tiers:
            for key in self._keys(tier.match, spans, order):
                yield key % KEY_STEP, tier.rank

    def _keys(self, match: str | None, ranges: Sequence[tuple[int, int]], order: str = "") -> Iterator[int]:
        """Yield the keys in some ranges that match."""
        if len(ranges) <= _MOST_RANGES:
            for keys in ranges:
                yield from self._connection.iter_column(f"{_ROWIDS}{order}", (match, *keys))
            return
        # For every range SQLite would read the whole expression anew: all Sundays are hundreds.
        rising = sorted(ranges)
        lasts = [last for _, last in rising]
        within = (match, rising[0][0], lasts[-1])
        for key in self._connection.iter_column(f"{_ROWIDS}{order}", within):
            if rising[bisect_left(lasts, key)][0] <= key:
                yield key

    def _loosest(self, query: SearchQuery) -> tuple[str | None, list[tuple[int, int]]]:
        """The expression that all fitting photos fit and their keys; no keys where none can fit."""
        match = loosest_of(self._tiers(query))
        return match, [] if match is None else key_ranges(query)

    def _tiers(self, query: SearchQuery) -> list[Any]:
        facts = [self._concept_fact(name) for name in query.concepts]
        facts += [any_fact(list(map(self._concept_fact, group))) for group in query.any_concepts]
        if query.one_of is not None:
            facts.append(one_fact(list(map(self._concept_fact, query.one_of))))
        facts += [fact(f"q{self._concepts.get(name).id}") for name in query.looks_like]
        refused = [self._concept_fact(name) for name in query.without_concepts]
        for wanted, mark in (
            (query.has_caption, "k"),
            (query.has_place, "l"),
            (query.has_camera, "n"),
            (query.has_time, "t"),
            (query.has_rating, "r"),
        ):
            if wanted is not None:
                (facts if wanted else refused).append(fact(mark))
        if query.hours is not None:
            facts.append(any_fact([fact(f"t{hour:02}") for hour in query.hours]))
        if query.ratings:
            facts.append(any_fact([fact(f"r{stars}") for stars in query.ratings]))
        refused += [fact(f"r{stars}") for stars in query.without_ratings]
        for parts in ((query.camera,) if query.camera else (), query.cameras):
            if parts:
                facts.append(any_fact(self._camera_facts(parts)))
        refused += self._camera_facts(query.without_cameras)
        for _, last in key_ranges(query):
            refused += refused_dates(last)
        return tiers_of(query, facts, list(dict.fromkeys(refused)))

    def _camera_facts(self, parts: Sequence[str]) -> list[str]:
        names = self.cameras() if parts else []
        folded = [part.casefold() for part in parts]
        return [camera_fact(name) for name in names if any(part in name.casefold() for part in folded)]

    def _concept_fact(self, name: str) -> str:
        concept = self._concepts.get(name)
        return concept_fact(concept.id, concept.name)

    def cameras(self) -> list[str]:
        """Return the name of every camera that took a photo that is there, in order."""
        return list(self._distinct("camera"))

    def places(self) -> list[str]:
        """Return the name of every place where a photo that is there was taken, in order."""
        return list(self._distinct("place"))

    def _distinct(self, column: str) -> Iterator[str]:
        """Yield every value of a column; its index is entered anew behind each, so few rows are read."""
        after = ""
        while True:
            sql = f"SELECT min({column}) FROM photos WHERE missing_since IS NULL AND {column} > ?"
            after = self._connection.rows(sql, (after,))[0][0]
            if after is None:
                return
            yield after

    def _photos_with_captions(self, ids: list[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for chunk in _chunks(ids):
            rows = self._connection.rows(
                f"SELECT {PHOTO_COLUMNS}, {_CAPTION} AS caption FROM photos"
                f" WHERE photos.id IN ({', '.join('?' * len(chunk))})",
                chunk,
            )
            found |= {row["id"]: row for row in rows}
        return found

    def _names_in(self, photo_ids: list[int], mark: str) -> dict[int, list[str]]:
        concepts = self._concepts.all()
        return {
            photo_id: [c.name for c in concepts if f"{mark}{c.id}" in marks]
            for photo_id, marks in self._marks_of(photo_ids).items()
        }

    def _marks_of(self, photo_ids: list[int]) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for chunk in _chunks(photo_ids):
            rows = self._connection.rows(
                f"SELECT photo_id, facts FROM photo_words WHERE photo_id IN ({', '.join('?' * len(chunk))})",
                chunk,
            )
            found |= {row["photo_id"]: set(row["facts"].split()) for row in rows}
        return found


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))
