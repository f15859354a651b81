"""Keeps captions and who appears where, as a model said it; makes none."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from photopal.library.concept_table import ConceptTable
from photopal.library.connection import now
from photopal.library.path_table import display
from photopal.library.rows import Appearance, CaptionRow


class CaptionTable(ConceptTable):
    """The part of a library that is about captions."""

    def save_caption(
        self,
        photo_id: int,
        text: str,
        *,
        model: str,
        bank: str | None,
        prompt_version: str,
        appearances: Sequence[Appearance],
    ) -> None:
        """Give a photo its caption and its appearances in place of any it had, searchable at once.

        Args:
            photo_id: The photo.
            text: The caption.
            model: The name of the model that wrote it.
            bank: The bank it knew the concepts from.
            prompt_version: The wording it was asked with.
            appearances: One for each concept that was looked for; of two for one concept the last counts.

        Raises:
            LibraryError: There is no such photo or concept.
        """
        with self.writing():
            self.photo(photo_id)
            self._execute("DELETE FROM appearances WHERE photo_id = ?", (photo_id,))
            self._execute(
                "INSERT INTO captions VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET"
                " text = excluded.text, model = excluded.model, bank = excluded.bank,"
                " prompt_version = excluded.prompt_version, created_at = excluded.created_at",
                (photo_id, display(text), model, bank, prompt_version, now()),
            )
            for seen in appearances:
                box = seen.box or (None,) * 4
                self._execute(
                    "INSERT OR REPLACE INTO appearances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (photo_id, seen.concept_id, seen.score, seen.is_present, *seen.point, *box),
                )
            self._refresh_words((photo_id,))

    def caption(self, photo_id: int) -> CaptionRow | None:
        """Return a photo's caption with the appearances of concepts that still have a name, or None."""
        rows = self._rows("SELECT * FROM captions WHERE photo_id = ?", (photo_id,))
        if not rows:
            return None
        seen = self._rows(
            "SELECT appearances.* FROM appearances JOIN concepts ON concepts.id = concept_id"
            " WHERE photo_id = ? AND removed_at IS NULL ORDER BY concept_id",
            (photo_id,),
        )
        facts = {**dict(rows[0]), "by_hand": bool(rows[0]["by_hand"])}
        return CaptionRow(**facts, appearances=tuple(_appearance(row) for row in seen))


def _appearance(row: sqlite3.Row) -> Appearance:
    box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
    return Appearance(
        concept_id=row["concept_id"],
        score=row["score"],
        is_present=bool(row["is_present"]),
        point=(row["point_x"], row["point_y"]),
        box=None if box[0] is None else box,
    )
