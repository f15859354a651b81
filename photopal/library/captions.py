"""Keeps captions and who appears where, as a model said it; makes none."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Sequence

from photopal.errors import UsageError
from photopal.library.concepts import ConceptTable
from photopal.library.connection import precisely_now
from photopal.library.models import Appearance, CaptionRow
from photopal.library.photos import display

_CAPTION_LIMIT = 5000


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

        A caption that the user wrote stays as it is; see `release_caption`.

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
        facts = (model, bank, prompt_version, precisely_now())
        with self.writing():
            self.photo(photo_id)
            self._execute("DELETE FROM appearances WHERE photo_id = ?", (photo_id,))
            self._execute(
                "INSERT INTO captions VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET"
                " text = CASE WHEN by_hand THEN text ELSE excluded.text END, model = excluded.model,"
                " bank = excluded.bank, prompt_version = excluded.prompt_version,"
                " created_at = excluded.created_at",
                (photo_id, display(unicodedata.normalize("NFC", text)), *facts),
            )
            for seen in appearances:
                box = seen.box or (None,) * 4
                self._execute(
                    "INSERT OR REPLACE INTO appearances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (photo_id, seen.concept_id, seen.score, seen.is_present, *seen.point, *box),
                )
            self._refresh_words((photo_id,))

    def edit_caption(self, photo_id: int, text: str) -> CaptionRow:
        """Give a photo the caption that the user wrote; no model's replaces it. Appearances stay.

        Raises:
            UsageError: The text is empty or longer than 5,000 characters.
            LibraryError: There is no such photo.
        """
        usable = usable_text(text)
        photo = self.photo(photo_id)
        with self.recording(f"wrote the caption of {display(str(photo.path))}"):
            self._touch("captions", photo_id)
            self._execute(
                "INSERT INTO captions VALUES (?, ?, '', NULL, '', ?, 1)"
                " ON CONFLICT DO UPDATE SET text = excluded.text, by_hand = 1",
                (photo_id, usable, precisely_now()),
            )
            self._refresh_words((photo_id,))
        caption = self.caption(photo_id)
        assert caption is not None
        return caption

    def release_caption(self, photo_id: int) -> None:
        """Let a model's caption replace the one that the user wrote; nothing happens where it has none."""
        with self.writing():
            rows = self._rows("SELECT 1 FROM captions WHERE photo_id = ? AND by_hand", (photo_id,))
            if not rows:
                return
            path = display(str(self.photo(photo_id).path))
            with self.recording(f"gave up the caption written for {path}"):
                self._touch("captions", photo_id)
                self._execute("UPDATE captions SET by_hand = 0 WHERE photo_id = ?", (photo_id,))
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


def usable_text(text: str) -> str:
    """Return a caption as it is kept: one line, without control characters.

    Raises:
        UsageError: Nothing is left, or more than 5,000 characters are.
    """
    line = " ".join(unicodedata.normalize("NFC", display(text)).split())
    line = "".join(letter for letter in line if unicodedata.category(letter) != "Cc").strip()
    if not line:
        raise UsageError("a caption cannot be empty")
    if len(line) > _CAPTION_LIMIT:
        raise UsageError(f"caption too long: {len(line):,} characters, the limit is {_CAPTION_LIMIT:,}")
    return line


def _appearance(row: sqlite3.Row) -> Appearance:
    box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
    return Appearance(
        concept_id=row["concept_id"],
        score=row["score"],
        is_present=bool(row["is_present"]),
        point=(row["point_x"], row["point_y"]),
        box=None if box[0] is None else box,
    )
