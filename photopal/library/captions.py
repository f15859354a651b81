"""Keeps captions, a model's or the user's, and which concepts appear where; makes none."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Collection, Sequence

from photopal.errors import UsageError
from photopal.library.connection import Connection, precisely_now, storable
from photopal.library.evidence import evidence_on
from photopal.library.fts import WordIndex
from photopal.library.history import Journal
from photopal.library.models import Appearance, CaptionRecord, CaptionSource
from photopal.library.photos import Photos
from photopal.text import name_spans, replace_name

_CAPTION_LIMIT = 5000


class Captions:
    """The part of a library that is about captions.

    Args:
        connection: The open library.
        photos: The photos they are about.
        journal: Told of what the user changes.
        words: Renewed for each photo whose caption changes.
    """

    def __init__(self, connection: Connection, *, photos: Photos, journal: Journal, words: WordIndex) -> None:
        self._connection = connection
        self._photos = photos
        self._journal = journal
        self._words = words

    def put(  # noqa: PLR0913 - one parameter for each thing a caption is stored with
        self,
        photo_id: int,
        text: str,
        *,
        model: str,
        bank: str | None,
        prompt_version: str,
        appearances: Sequence[Appearance],
        corrections: str = "",
        source: CaptionSource = "model",
    ) -> None:
        """Give a photo its caption and its appearances in place of any it had, searchable at once.

        A caption that the user wrote stays as it is; see `release`.

        Args:
            photo_id: The photo.
            text: The caption.
            model: The name of the model that wrote it.
            bank: The bank it knew the concepts from.
            prompt_version: The wording it was asked with.
            appearances: One for each concept that was looked for; of two for one concept the last counts.
            corrections: What the user had said of the photo when the model looked; see `Corrections.key`.
            source: "facts" where the model does not understand the photo, so that the text is from what is
                known of it.

        Raises:
            LibraryError: There is no such photo or concept.
        """
        facts = (model, bank, prompt_version, precisely_now(), corrections, source)
        with self._connection.writing():
            self._photos.get(photo_id)
            self._connection.execute("DELETE FROM appearances WHERE photo_id = ?", (photo_id,))
            self._connection.execute(
                "INSERT INTO captions (photo_id, text, model, bank, prompt_version, created_at, corrections,"
                " source) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " text = CASE WHEN by_hand THEN text ELSE excluded.text END, model = excluded.model,"
                " bank = excluded.bank, prompt_version = excluded.prompt_version,"
                " created_at = excluded.created_at, corrections = excluded.corrections,"
                " source = excluded.source",
                (photo_id, storable(unicodedata.normalize("NFC", text)), *facts),
            )
            for seen in appearances:
                box = seen.box or (None,) * 4
                self._connection.execute(
                    "INSERT OR REPLACE INTO appearances (photo_id, concept_id, score, is_present, point_x,"
                    " point_y, box_x, box_y, box_width, box_height, probability)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        photo_id,
                        seen.concept_id,
                        seen.score,
                        seen.is_present,
                        *seen.point,
                        *box,
                        seen.probability,
                    ),
                )
            self._words.refresh((photo_id,))

    def edit(self, photo_id: int, text: str) -> CaptionRecord:
        """Give a photo the caption that the user wrote; no model's replaces it. Appearances stay.

        Whoever is named in it counts as shown, unless the user has taken the name off the photo.

        Raises:
            UsageError: The text is empty or longer than 5,000 characters.
            LibraryError: There is no such photo.
        """
        usable = usable_text(text)
        photo = self._photos.get(photo_id)
        with self._journal.recording(f"edited the caption of {storable(str(photo.path))}"):
            self._journal.touch("captions", photo_id)
            self._connection.execute(
                "INSERT INTO captions (photo_id, text, model, prompt_version, created_at, by_hand)"
                " VALUES (?, ?, '', '', ?, 1)"
                " ON CONFLICT DO UPDATE SET text = excluded.text, by_hand = 1",
                (photo_id, usable, precisely_now()),
            )
            self._connection.execute("UPDATE photos SET picture_changed_at = NULL WHERE id = ?", (photo_id,))
            self._words.refresh((photo_id,))
        caption = self.get(photo_id)
        assert caption is not None
        return caption

    def release(self, photo_id: int) -> None:
        """Let a model's caption replace the one that the user wrote; nothing happens where it has none."""
        with self._connection.writing():
            rows = self._connection.rows("SELECT 1 FROM captions WHERE photo_id = ? AND by_hand", (photo_id,))
            if not rows:
                return
            path = storable(str(self._photos.get(photo_id).path))
            with self._journal.recording(f"allowed models to replace the caption of {path}"):
                self._journal.touch("captions", photo_id)
                self._connection.execute("UPDATE captions SET by_hand = 0 WHERE photo_id = ?", (photo_id,))
                self._words.refresh((photo_id,))

    def get(self, photo_id: int) -> CaptionRecord | None:
        """Return a photo's caption with the appearances of concepts that still have a name, or None.

        A model's caption that names somebody whom the user has taken off the photo since has an empty text.
        """
        rows = self._connection.rows("SELECT * FROM captions WHERE photo_id = ?", (photo_id,))
        if not rows:
            return None
        seen = self._connection.rows(
            "SELECT appearances.* FROM appearances JOIN concepts ON concepts.id = concept_id"
            " WHERE photo_id = ? AND removed_at IS NULL ORDER BY concept_id",
            (photo_id,),
        )
        facts = {**dict(rows[0]), "by_hand": bool(rows[0]["by_hand"])}
        if self._connection.rows(
            "SELECT 1 FROM corrections WHERE photo_id = ? AND NOT is_present", (photo_id,)
        ):
            facts["text"] = evidence_on(self._connection, photo_id).caption or ""
        return CaptionRecord(**facts, appearances=tuple(_appearance(row) for row in seen))

    def with_name(self, name: str, photo_ids: Collection[int]) -> set[int]:
        """Return the ids of those photos whose captions have a name."""
        found = set()
        for photo_id in photo_ids:
            rows = self._connection.rows("SELECT text FROM captions WHERE photo_id = ?", (photo_id,))
            if rows and name_spans(rows[0]["text"], [name]):
                found.add(photo_id)
        return found

    def rename_concept(
        self,
        concept_id: int,
        old: str,
        new: str,
        *,
        other_names: Sequence[str],
        except_photos: Collection[int] = (),
        since: str = "",
    ) -> set[int]:
        """Write a new name into the captions that may speak of a concept.

        Args:
            concept_id: The concept.
            old: The name it had.
            new: The name it has.
            other_names: The names of all other concepts; a part of one of them is left alone.
            except_photos: Photos to leave alone.
            since: Only captions that a model wrote after this moment, ISO 8601 in UTC.

        Returns:
            The ids of the photos whose captions changed.
        """
        rows = self._connection.rows(
            "SELECT photo_id, text FROM captions WHERE instr(text, ?2)"
            " AND (?3 = '' OR (created_at > ?3 AND NOT by_hand)) AND photo_id IN"
            " (SELECT photo_id FROM appearances WHERE concept_id = ?1"
            "  UNION SELECT photo_id FROM reference_photos WHERE concept_id = ?1"
            "  UNION SELECT photo_id FROM corrections WHERE concept_id = ?1"
            "  UNION SELECT photo_id FROM findings WHERE concept_id = ?1"
            "  UNION SELECT photo_id FROM captions WHERE by_hand)",
            (concept_id, old, since),
        )
        changed = set()
        for photo_id, text in rows:
            renamed = replace_name(text, old, new, others=other_names)
            if renamed != text and photo_id not in except_photos:
                self._journal.touch("captions", photo_id)
                self._connection.execute(
                    "UPDATE captions SET text = ? WHERE photo_id = ?", (renamed, photo_id)
                )
                changed.add(photo_id)
        return changed


def usable_text(text: str) -> str:
    """Return a caption as it is kept: one line, without control characters.

    Raises:
        UsageError: Nothing is left, or more than 5,000 characters are.
    """
    line = " ".join(unicodedata.normalize("NFC", storable(text)).split())
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
        probability=row["probability"],
    )
