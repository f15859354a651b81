"""Finds and counts photos by words, names, dates, places and cameras; asks SQLite and no model."""

from __future__ import annotations

from datetime import date
from typing import Any

from photopal.library.caption_table import CaptionTable
from photopal.library.photo_table import PHOTO_COLUMNS, photo_row
from photopal.library.rows import SearchHit, SearchQuery

# How much a word counts in a caption, a name, a place and a file name.
_WEIGHTS = "1.0, 4.0, 2.0, 0.5"

_HAS_CONCEPT = (
    "photos.id IN (SELECT photo_id FROM appearances WHERE concept_id = ? AND is_present"
    " UNION SELECT photo_id FROM reference_photos WHERE concept_id = ?)"
)
_ORDERS = {
    "best": "rank DESC, photos.taken_at DESC, photos.id DESC",
    "newest": "photos.taken_at DESC, photos.id DESC",
    "oldest": "photos.taken_at IS NULL, photos.taken_at, photos.id",
}
_YEAR = "CAST(substr(photos.taken_at, 1, 4) AS INTEGER)"


class SearchTable(CaptionTable):
    """The part of a library that answers questions. Missing photos are never among the answers."""

    def search(self, query: SearchQuery) -> list[SearchHit]:
        """Return the photos that fit a query, in its order.

        Raises:
            ConceptError: A name of the query is not known; the hint has the nearest one.
        """
        source, parameters = self._source(query)
        rank = f"-bm25(photo_words_fts, {_WEIGHTS})" if _has_words(query) else "0.0"
        rows = self._rows(
            f"SELECT {PHOTO_COLUMNS}, captions.text AS caption, {rank} AS rank {source}"
            f" ORDER BY {_ORDERS[query.order]} LIMIT ? OFFSET ?",
            (*parameters, query.limit, query.offset),
        )
        names = self._names_in([row["id"] for row in rows])
        return [
            SearchHit(photo_row(row), row["caption"], names.get(row["id"], []), row["rank"]) for row in rows
        ]

    def count_photos(self, query: SearchQuery) -> int:
        """Count the photos that fit a query, whatever its limit and offset.

        Raises:
            ConceptError: A name of the query is not known.
        """
        source, parameters = self._source(query)
        count: int = self._rows(f"SELECT count(*) {source}", parameters)[0][0]
        return count

    def date_range(self, query: SearchQuery) -> tuple[str, str] | None:
        """Return when the first and the last of the photos that fit were taken; None if none is dated.

        Raises:
            ConceptError: A name of the query is not known.
        """
        source, parameters = self._source(query)
        first, last = self._rows(f"SELECT min(photos.taken_at), max(photos.taken_at) {source}", parameters)[0]
        return None if first is None else (first, last)

    def places(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by place, the most frequent first."""
        return self._counted("photos.place", query)

    def cameras(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by camera, the most frequent first."""
        return self._counted("photos.camera", query)

    def lenses(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by lens, the most frequent first."""
        return self._counted("photos.lens", query)

    def days(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by the day they were taken on, as "2024-07-03", the earliest first."""
        return sorted(self._counted("substr(photos.taken_at, 1, 10)", query))

    def caption_counts(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count the photos that fit by what their caption says, the most frequent first."""
        return self._counted("captions.text", query)

    def years(self, query: SearchQuery) -> list[tuple[int, int]]:
        """Count the photos that fit by the year they were taken in, the earliest first."""
        return sorted(self._counted(_YEAR, query))

    def concept_counts(self, query: SearchQuery) -> list[tuple[str, int]]:
        """Count, of the photos that fit, those that show each concept, the most frequent first.

        Raises:
            ConceptError: A name of the query is not known.
        """
        source, parameters = self._source(query)
        rows = self._rows(
            f"""WITH fitting AS (SELECT photos.id AS photo_id {source})
            SELECT name, count(*) AS number FROM concepts JOIN (
              SELECT concept_id, photo_id FROM appearances WHERE is_present
              UNION SELECT concept_id, photo_id FROM reference_photos) AS shown
            ON shown.concept_id = concepts.id
            WHERE removed_at IS NULL AND shown.photo_id IN (SELECT photo_id FROM fitting)
            GROUP BY concepts.id ORDER BY number DESC, folded""",
            parameters,
        )
        return [(row["name"], row["number"]) for row in rows]

    def _counted(self, column: str, query: SearchQuery) -> list[tuple[Any, int]]:
        source, parameters = self._source(query)
        rows = self._rows(
            f"SELECT {column} AS value, count(*) AS number {source} AND {column} IS NOT NULL"
            " GROUP BY value ORDER BY number DESC, value",
            parameters,
        )
        return [(row["value"], row["number"]) for row in rows]

    def _source(self, query: SearchQuery) -> tuple[str, list[Any]]:
        """Return the FROM and WHERE of a query with their parameters."""
        tables = "FROM photos LEFT JOIN captions ON captions.photo_id = photos.id"
        conditions = ["photos.missing_since IS NULL"]
        parameters: list[Any] = []
        if _has_words(query):
            tables += " JOIN photo_words_fts ON photo_words_fts.rowid = photos.id"
            match = _match_of(query)
            conditions.append("photo_words_fts MATCH ?" if match else "0")
            parameters += [match] if match else []
        for name in query.concepts:
            conditions.append(_HAS_CONCEPT)
            parameters += [self.concept(name).id] * 2
        if query.any_concepts:
            conditions.append("(" + " OR ".join([_HAS_CONCEPT] * len(query.any_concepts)) + ")")
            parameters += [self.concept(name).id for name in query.any_concepts for _ in range(2)]
        for name in query.without_concepts:
            conditions.append(f"NOT ({_HAS_CONCEPT})")
            parameters += [self.concept(name).id] * 2
        if query.has_caption is not None:
            conditions.append(f"captions.photo_id IS {'NOT ' if query.has_caption else ''}NULL")
        _add_period_and_camera(query, conditions, parameters)
        return f"{tables} WHERE {' AND '.join(conditions)}", parameters

    def _names_in(self, photo_ids: list[int]) -> dict[int, list[str]]:
        names: dict[int, list[str]] = {}
        for start in range(0, len(photo_ids), 500):
            chunk = photo_ids[start : start + 500]
            marks = ", ".join("?" * len(chunk))
            rows = self._rows(
                f"""SELECT shown.photo_id, name FROM concepts JOIN (
                  SELECT photo_id, concept_id FROM appearances WHERE is_present AND photo_id IN ({marks})
                  UNION SELECT photo_id, concept_id FROM reference_photos WHERE photo_id IN ({marks})
                ) AS shown ON shown.concept_id = concepts.id WHERE removed_at IS NULL ORDER BY folded""",
                chunk * 2,
            )
            for row in rows:
                names.setdefault(row["photo_id"], []).append(row["name"])
        return names


def _add_period_and_camera(query: SearchQuery, conditions: list[str], parameters: list[Any]) -> None:
    if query.since is not None:
        conditions.append("photos.taken_at >= ?")
        parameters.append(_iso(query.since))
    if query.until is not None:
        # "~" sorts after all that follows a date's beginning.
        conditions.append("photos.taken_at < ? || '~'")
        parameters.append(_iso(query.until))
    if query.camera:
        conditions.append("instr(lower(photos.camera), lower(?))")
        parameters.append(query.camera)


def _has_words(query: SearchQuery) -> bool:
    return bool(query.text.strip() or query.any_words or query.place)


def _match_of(query: SearchQuery) -> str | None:
    """Return the FTS5 expression of a query's words; None where a part of it can match nothing."""
    parts = [match_expression(query.text)] if query.text.strip() else []
    for group in query.any_words:
        words = [_quoted(word) for word in group if any(map(str.isalnum, word))]
        parts.append(" OR ".join(words))
    if query.place:
        has_letters = any(map(str.isalnum, query.place))
        parts.append(f"{{place file}} : {_quoted(query.place)}" if has_letters else "")
    return " AND ".join(f"({part})" for part in parts) if all(parts) else None


def match_expression(text: str) -> str:
    """Turn the user's words into an FTS5 expression: all of them, the last one perhaps unfinished.

    Each word is quoted, so that nothing the user types is syntax. Empty where there is no word.
    """
    words = [word for word in text.replace("\x00", " ").split() if any(map(str.isalnum, word))]
    quoted = [_quoted(word) for word in words]
    if quoted and not text[-1:].isspace():
        quoted[-1] += "*"
    return " ".join(quoted)


def _quoted(words: str) -> str:
    """Write words as an FTS5 string: one word, or several that follow each other."""
    plain = words.replace("\x00", " ").encode("utf-8", "replace").decode()
    return '"' + plain.replace('"', '""') + '"'


def _iso(moment: str | date) -> str:
    return moment.strip() if isinstance(moment, str) else moment.isoformat()
