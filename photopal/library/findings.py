"""Keeps what faces and looks say of who is on a photo, and what that was made from; finds nobody."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from photopal.library.connection import Connection
from photopal.library.fts import WordIndex
from photopal.library.models import Finding, FindingSource, PhotoFindings

_UNSURE = """
    SELECT photo_id FROM (
      SELECT photo_id, concept_id, probability, verdict IN ('looks like', 'unsure') AS is_open
        FROM findings WHERE decides
      UNION ALL SELECT photo_id, concept_id, probability, 0 FROM appearances WHERE probability IS NOT NULL
    ) AS found JOIN photos ON photos.id = photo_id
    WHERE concept_id IN ({marks}) AND missing_since IS NULL AND (is_open OR abs(probability - 0.5) <= ?)
      AND NOT EXISTS (SELECT 1 FROM corrections
        WHERE corrections.photo_id = found.photo_id AND corrections.concept_id = found.concept_id)
    GROUP BY photo_id ORDER BY min(abs(probability - 0.5)), photo_id
"""


class Findings:
    """The part of a library that is about who was found on photos without a vision-language model.

    Args:
        connection: The open library.
        words: Renewed for each photo of which something else is found.
    """

    def __init__(self, connection: Connection, *, words: WordIndex) -> None:
        self._connection = connection
        self._words = words

    def put(self, photo_id: int, found: PhotoFindings) -> None:
        """Store what was found on a photo in place of what was found before, searchable at once."""
        with self._connection.writing():
            if found == self.get(photo_id):
                return
            forget_findings(self._connection, photo_id)
            self._connection.execute(
                "INSERT INTO found_with VALUES (?, ?, ?, ?)",
                (photo_id, found.face_key, found.look_key, found.species),
            )
            for one in found.findings:
                self._connection.execute(
                    "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        photo_id,
                        one.concept_id,
                        one.source,
                        one.verdict,
                        one.probability,
                        one.score,
                        one.threshold,
                        *(one.box or (None,) * 4),
                        one.reference_id,
                        one.decides,
                    ),
                )
            self._words.refresh((photo_id,))

    def get(self, photo_id: int) -> PhotoFindings | None:
        """Return what was found on a photo; None where nobody was looked for."""
        rows = self._connection.rows("SELECT * FROM found_with WHERE photo_id = ?", (photo_id,))
        if not rows:
            return None
        found = self._connection.rows(
            "SELECT * FROM findings WHERE photo_id = ? ORDER BY concept_id, source", (photo_id,)
        )
        return PhotoFindings(
            face_key=rows[0]["face_key"],
            look_key=rows[0]["look_key"],
            species=rows[0]["species"],
            findings=tuple(map(_finding, found)),
        )

    def unsure(self, concept_ids: Collection[int], *, most_sure: float) -> list[int]:
        """Return the ids of photos that may show somebody, by a face, look or model, the least sure first.

        Photos of which the user said it, in either direction, are left out, and so are missing ones.

        Args:
            concept_ids: Whom it is about.
            most_sure: How far from one half a probability may be to count as unsure, unless the verdict does.
        """
        rows = self._connection.rows(
            _UNSURE.format(marks=", ".join("?" * len(concept_ids))), (*concept_ids, most_sure)
        )
        return [row[0] for row in rows]

    def shown(self, concept_id: int, source: FindingSource) -> set[int]:
        """Return the ids of the photos with a concept, or one that looks like it, by a face or a look."""
        return set(
            self._connection.iter_column(
                "SELECT photo_id FROM findings WHERE concept_id = ? AND source = ?"
                " AND verdict IN ('present', 'looks like')",
                (concept_id, source),
            )
        )

    def without(self, concept_id: int, *, most: int) -> list[int]:
        """Return the ids of photos on which a model saw a concept and a face or look says it is not there.

        Args:
            concept_id: The concept.
            most: How many to return at most, the latest in the library first. Missing photos are left out.
        """
        found = self._connection.iter_column(
            "SELECT photo_id FROM findings JOIN photos ON photos.id = photo_id WHERE concept_id = ?"
            " AND verdict = 'absent' AND decides AND missing_since IS NULL ORDER BY photo_id DESC LIMIT ?",
            (concept_id, most),
        )
        return list(found)

    def found_by_face(self) -> set[int]:
        """Return the ids of the photos on which somebody was found by a face."""
        return set(self._connection.iter_column("SELECT photo_id FROM findings WHERE source = 'face'"))


def forget_findings(connection: Connection, photo_id: int) -> None:
    """Forget who was found on a photo, as its picture is another; inside `writing`."""
    for table in ("findings", "found_with"):
        connection.execute(f"DELETE FROM {table} WHERE photo_id = ?", (photo_id,))


def _finding(row: sqlite3.Row) -> Finding:
    box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
    return Finding(
        concept_id=row["concept_id"],
        source=row["source"],
        verdict=row["verdict"],
        probability=row["probability"],
        score=row["score"],
        threshold=row["threshold"],
        box=None if box[0] is None else box,
        reference_id=row["reference_id"],
        decides=bool(row["decides"]),
    )
