"""Keeps what the user says of people, pets and things, and the photos that show them; learns nothing."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Collection
from typing import get_args

from photopal.errors import ConceptError
from photopal.library.connection import now
from photopal.library.journal import JournalTable
from photopal.library.models import ConceptKind, ConceptRow, PhotoRow, ReferencePhoto
from photopal.library.photos import PHOTO_COLUMNS, display, photo_row
from photopal.text import fold, replace_name, suggest, usable_name

_PNG_START = b"\x89PNG\r\n\x1a\n"


class ConceptTable(JournalTable):
    """The part of a library that is about concepts."""

    def add_concept(
        self, name: str, *, kind: ConceptKind | str = "person", about: str | None = None
    ) -> ConceptRow:
        """Name a person, pet or thing.

        Args:
            name: Unique in whichever case it is written.
            kind: "person", "pet" or "thing".
            about: Anything worth knowing, in the user's words.

        Raises:
            ConceptError: The name is taken or unusable, or the kind is unknown.
        """
        _check_kind(kind)
        name = usable_name(name)
        with self.recording(f'added "{name}"'):
            self._refuse_taken(name)
            row = self._execute(
                "INSERT INTO concepts (name, folded, kind, about, created_at) VALUES (?, ?, ?, ?, ?)"
                " RETURNING *",
                (name, fold(name), kind, display(about or "").strip() or None, now()),
            ).fetchone()
            self._touch_new("concepts", row["id"])
        return _concept_row(row)

    def concept(self, name: str) -> ConceptRow:
        """Return a concept by its name, in whichever case.

        Raises:
            ConceptError: Nothing has this name; the hint has the nearest one.
        """
        sql = "SELECT * FROM concepts WHERE folded = ? AND removed_at IS NULL"
        rows = self._rows(sql, (display(fold(name)),))
        if not rows:
            raise ConceptError(f'no concept named "{name}"', hint=self._nearest(name))
        return _concept_row(rows[0])

    def concepts(self) -> list[ConceptRow]:
        """Return every concept, by name."""
        rows = self._rows("SELECT * FROM concepts WHERE removed_at IS NULL ORDER BY folded")
        return [_concept_row(row) for row in rows]

    def rename_concept(self, name: str, new_name: str) -> ConceptRow:
        """Give a concept another name, in captions too; its reference photos and appearances stay.

        Raises:
            ConceptError: Nothing has the old name, or the new one is taken or unusable.
        """
        new_name = usable_name(new_name)
        with self.writing():
            concept = self.concept(name)
            with self.recording(f'renamed "{concept.name}" to "{new_name}"'):
                self._refuse_taken(new_name, but=concept.id)
                self._touch("concepts", concept.id)
                self._execute(
                    "UPDATE concepts SET name = ?, folded = ? WHERE id = ?",
                    (new_name, fold(new_name), concept.id),
                )
                told = self._rename_in_captions(concept.id, concept.name, new_name)
                self._refresh_words(sorted(told | self._photos_of(concept.id)))
        return self.concept(new_name)

    def change_concept(
        self, concept_id: int, *, kind: ConceptKind | str | None = None, about: str | None = None
    ) -> ConceptRow:
        """Say anew what a concept is or looks like; what is left out stays.

        Raises:
            ConceptError: There is no such concept, or the kind is unknown.
        """
        _check_kind(kind or "person")
        with self.recording("said anew what a concept is"):
            self._touch("concepts", concept_id)
            rows = self._execute(
                "UPDATE concepts SET kind = coalesce(?, kind), about = coalesce(?, about)"
                " WHERE id = ? AND removed_at IS NULL RETURNING *",
                (kind, display(about or "").strip() or None, concept_id),
            ).fetchall()
        if not rows:
            raise ConceptError(f"no concept with id {concept_id} in the library")
        return _concept_row(rows[0])

    def remove_concept(self, name: str) -> None:
        """Remove a concept; `restore_concept` brings it back with all it had.

        Raises:
            ConceptError: Nothing has this name.
        """
        with self.writing():
            concept = self.concept(name)
            with self.recording(f'removed "{concept.name}"'):
                self._touch("concepts", concept.id)
                self._execute("UPDATE concepts SET removed_at = ? WHERE id = ?", (now(), concept.id))
                self._refresh_words(sorted(self._photos_of(concept.id)))

    def restore_concept(self, name: str) -> ConceptRow:
        """Bring back the concept that was last removed under a name.

        Raises:
            ConceptError: None was removed under this name, or another concept has it now.
        """
        with self.writing():
            rows = self._rows(
                "SELECT * FROM concepts WHERE folded = ? AND removed_at IS NOT NULL"
                " ORDER BY removed_at DESC, id DESC LIMIT 1",
                (display(fold(name)),),
            )
            if not rows:
                raise ConceptError(f'no removed concept named "{name}"')
            self._refuse_taken(name)
            concept_id = rows[0]["id"]
            with self.recording(f'restored "{rows[0]["name"]}"'):
                self._touch("concepts", concept_id)
                self._execute("UPDATE concepts SET removed_at = NULL WHERE id = ?", (concept_id,))
                self._refresh_words(sorted(self._photos_of(concept_id)))
        return _concept_row(rows[0])

    def add_reference(
        self,
        concept_id: int,
        photo_id: int,
        *,
        box: tuple[int, int, int, int] | None = None,
        mask_png: bytes | None = None,
    ) -> None:
        """Say that a photo shows a concept; said again, box and mask are replaced.

        Args:
            concept_id: The concept.
            photo_id: The photo.
            box: x, y, width, height in pixels of the upright photo.
            mask_png: A PNG as large as the upright photo, white where the concept is.

        Raises:
            ConceptError: There is no such concept, or the box or mask does not fit the photo.
            LibraryError: There is no such photo.
        """
        with self.recording("added a reference photo"):
            if not self._rows("SELECT 1 FROM concepts WHERE id = ? AND removed_at IS NULL", (concept_id,)):
                raise ConceptError(f"no concept with id {concept_id} in the library")
            self._touch("reference_photos", concept_id, photo_id)
            photo = self.photo(photo_id)
            _check_box(box, photo)
            _check_mask(mask_png, photo)
            self._execute(
                "INSERT INTO reference_photos VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " box_x = excluded.box_x, box_y = excluded.box_y, box_width = excluded.box_width,"
                " box_height = excluded.box_height, mask_png = excluded.mask_png",
                (concept_id, photo_id, *(box or (None,) * 4), mask_png, now()),
            )
            self._refresh_words((photo_id,))

    def remove_reference(self, concept_id: int, photo_id: int) -> None:
        """Take back that a photo shows a concept; nothing happens if it was not said."""
        with self.recording("removed a reference photo"):
            self._touch("reference_photos", concept_id, photo_id)
            self._execute(
                "DELETE FROM reference_photos WHERE concept_id = ? AND photo_id = ?", (concept_id, photo_id)
            )
            self._refresh_words((photo_id,))

    def references(self, concept_id: int) -> list[ReferencePhoto]:
        """Return the photos that show a concept, in the order they were given, missing ones too."""
        rows = self._rows(
            f"SELECT {PHOTO_COLUMNS}, box_x, box_y, box_width, box_height, mask_png"
            " FROM reference_photos JOIN photos ON photos.id = photo_id"
            " WHERE concept_id = ? ORDER BY reference_photos.added_at, reference_photos.rowid",
            (concept_id,),
        )
        return [_reference_photo(concept_id, row) for row in rows]

    def _refuse_taken(self, name: str, *, but: int = 0) -> None:
        rows = self._rows(
            "SELECT name FROM concepts WHERE folded = ? AND removed_at IS NULL AND id <> ?", (fold(name), but)
        )
        if rows:
            raise ConceptError(f'the name "{rows[0]["name"]}" is already in use')

    def _nearest(self, name: str) -> str:
        names = [concept.name for concept in self.concepts()]
        if not names:
            return "photopal add-concept NAME PHOTO..."
        return suggest(name, names) or f"Known names: {', '.join(names[:10])}."

    def _photos_of(self, concept_id: int) -> set[int]:
        return set(
            self._walk(
                "SELECT photo_id FROM appearances WHERE concept_id = ?1 AND is_present"
                " UNION SELECT photo_id FROM reference_photos WHERE concept_id = ?1",
                (concept_id,),
            )
        )

    def _rename_in_captions(
        self, concept_id: int, old: str, new: str, *, but: Collection[int] = (), since: str = ""
    ) -> set[int]:
        """Write a new name into the captions that may speak of a concept.

        Args:
            concept_id: The concept.
            old: The name it had.
            new: The name it has.
            but: Photos to leave alone.
            since: Only what a model has said since this moment.

        Returns:
            The photos whose captions are other ones now.
        """
        others = [concept.name for concept in self.concepts() if concept.id != concept_id]
        rows = self._rows(
            "SELECT photo_id, text FROM captions WHERE instr(text, ?2)"
            " AND (?3 = '' OR (created_at > ?3 AND NOT by_hand)) AND photo_id IN"
            " (SELECT photo_id FROM appearances WHERE concept_id = ?1"
            "  UNION SELECT photo_id FROM reference_photos WHERE concept_id = ?1"
            "  UNION SELECT photo_id FROM captions WHERE by_hand)",
            (concept_id, old, since),
        )
        told = set()
        for photo_id, text in rows:
            renamed = replace_name(text, old, new, others=others)
            if renamed != text and photo_id not in but:
                self._touch("captions", photo_id)
                self._execute("UPDATE captions SET text = ? WHERE photo_id = ?", (renamed, photo_id))
                told.add(photo_id)
        return told


def _check_kind(kind: str) -> None:
    if kind not in get_args(ConceptKind):
        raise ConceptError(f"invalid kind {kind!r}", hint="Use person, pet or thing.")


def _check_box(box: tuple[int, int, int, int] | None, photo: PhotoRow) -> None:
    if box is None:
        return
    x, y, width, height = box
    if min(x, y) < 0 or min(width, height) < 1 or x + width > photo.width_px or y + height > photo.height_px:
        raise ConceptError(
            f"{photo.path}: the box {x},{y},{width},{height} is outside the photo,"
            f" which is {photo.width_px} x {photo.height_px} pixels upright"
        )


def _check_mask(mask_png: bytes | None, photo: PhotoRow) -> None:
    if mask_png is None:
        return
    if not mask_png.startswith(_PNG_START) or len(mask_png) < 24:
        raise ConceptError(f"{photo.path}: the mask is not a PNG file")
    width_px, height_px = struct.unpack(">II", mask_png[16:24])
    if (width_px, height_px) != (photo.width_px, photo.height_px):
        raise ConceptError(
            f"{photo.path}: the mask is {width_px} x {height_px} pixels,"
            f" the photo {photo.width_px} x {photo.height_px} upright"
        )


def _concept_row(row: sqlite3.Row) -> ConceptRow:
    return ConceptRow(row["id"], row["name"], row["kind"], row["about"], row["created_at"])


def _reference_photo(concept_id: int, row: sqlite3.Row) -> ReferencePhoto:
    box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
    return ReferencePhoto(concept_id, photo_row(row), None if box[0] is None else box, row["mask_png"])
