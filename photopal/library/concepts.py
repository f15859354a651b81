"""Keeps the people, pets and things that the user has named, and their reference photos; learns nothing."""

from __future__ import annotations

import json
import shlex
import sqlite3
import struct
from collections.abc import Sequence
from datetime import date
from typing import get_args

from photopal.errors import ConceptError
from photopal.library.captions import Captions
from photopal.library.connection import Connection, now, storable
from photopal.library.evidence import merged_ids, named_by_people
from photopal.library.fts import WordIndex
from photopal.library.history import Journal
from photopal.library.models import ConceptKind, ConceptRecord, PhotoRecord, ReferencePhoto
from photopal.library.photos import PHOTO_COLUMNS, Photos, photo_record
from photopal.text import fold, name_key, suggest, usable_name

_FIRST_YEAR = 1800
_PNG_START = b"\x89PNG\r\n\x1a\n"


class Concepts:
    """The part of a library that is about concepts.

    Args:
        connection: The open library.
        photos: The photos that may show them.
        captions: Changed where they have a concept's name.
        journal: Told of every change.
        words: Renewed for each photo that shows a changed concept.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        photos: Photos,
        captions: Captions,
        journal: Journal,
        words: WordIndex,
    ) -> None:
        self._connection = connection
        self._photos = photos
        self._captions = captions
        self._journal = journal
        self._words = words

    def add(
        self, name: str, *, kind: ConceptKind | str = "person", about: str | None = None
    ) -> ConceptRecord:
        """Name a person, pet or thing.

        Args:
            name: Unique in whichever case and with whichever apostrophe it is written.
            kind: "person", "pet" or "thing".
            about: Anything worth knowing, in the user's words.

        Raises:
            ConceptError: The name is taken or unusable, or the kind is unknown.
        """
        _check_kind(kind)
        name = usable_name(name)
        with self._journal.recording(f'added "{name}"'):
            self.refuse_taken(name)
            row = self._connection.execute(
                "INSERT INTO concepts (name, folded, kind, about, created_at) VALUES (?, ?, ?, ?, ?)"
                " RETURNING *",
                (name, fold(name), kind, storable(about or "").strip() or None, now()),
            ).fetchone()
            self._journal.touch_new("concepts", row["id"])
            # Captions that the user wrote, and files, may have the name already.
            self._words.refresh(sorted(named_by_people(self._connection, name)))
        return self._records([row])[0]

    def get(self, name: str) -> ConceptRecord:
        """Return a concept by its name, in whichever case and with whichever apostrophe.

        Raises:
            ConceptError: Nothing has this name; the hint has the nearest one.
        """
        concept = self.get_or_none(name)
        if concept is None:
            raise ConceptError(f'no concept named "{name}"', hint=self._nearest(name))
        return concept

    def get_or_none(self, name: str) -> ConceptRecord | None:
        """Return a concept by its name as `get` does, None where nothing has it."""
        rows = self._called(name, "removed_at IS NULL")
        return self._records(rows)[0] if rows else None

    def _records(self, rows: Sequence[sqlite3.Row]) -> list[ConceptRecord]:
        """Concepts as records; what is not said of somebody's age is that of who was merged with them."""
        merged: dict[int, list[sqlite3.Row]] = {}
        for row in self._connection.rows(
            "SELECT id, born, birthday, is_child FROM concepts WHERE merged_into NOT NULL"
            " AND (born NOT NULL OR is_child) ORDER BY id"
        ):
            merged.setdefault(merged_ids(self._connection, row["id"])[0], []).append(row)
        return [_concept_record(row, merged.get(row["id"], ())) for row in rows]

    def _called(self, name: str, condition: str) -> list[sqlite3.Row]:
        """The concepts of a name for which a condition holds, the last removed first.

        In libraries from before apostrophes were one, O'Neil and O’Neil may be two: each is then its own.
        """
        sql = f"SELECT * FROM concepts WHERE {condition} AND {{}} ORDER BY removed_at DESC, id DESC"
        if rows := self._connection.rows(sql.format("folded = ?"), (storable(fold(name)),)):
            return rows
        rows = self._connection.rows(sql.format("true"))
        return [row for row in rows if name_key(row["name"]) == name_key(name)]

    def all(self) -> list[ConceptRecord]:
        """Return every concept, by name."""
        rows = self._connection.rows("SELECT * FROM concepts WHERE removed_at IS NULL ORDER BY folded")
        return self._records(rows)

    def names(self, *, except_id: int = 0) -> list[str]:
        """Return the names of all concepts, or of all but one."""
        return [concept.name for concept in self.all() if concept.id != except_id]

    def present(self, concept_id: int) -> ConceptRecord | None:
        """Return a concept as it is now, or the one that it was merged into; None if it was removed."""
        root = merged_ids(self._connection, concept_id)[0]
        rows = self._connection.rows("SELECT * FROM concepts WHERE id = ? AND removed_at IS NULL", (root,))
        return self._records(rows)[0] if rows else None

    def rename(self, name: str, new_name: str) -> ConceptRecord:
        """Give a concept another name, in captions too; its reference photos and appearances stay.

        Files, and captions that the user wrote, that have the old name in whichever case count for it as
        before, unless somebody else gets that name.

        Raises:
            ConceptError: Nothing has the old name, or the new one is taken or unusable.
        """
        new_name = usable_name(new_name)
        with self._connection.writing():
            concept = self.get(name)
            with self._journal.recording(f'renamed "{concept.name}" to "{new_name}"'):
                self.refuse_taken(new_name, except_id=concept.id)
                before = self.photo_ids(concept.id)
                self._journal.touch("concepts", concept.id)
                self._connection.execute(
                    "UPDATE concepts SET name = ?, folded = ?, earlier_names = ? WHERE id = ?",
                    (new_name, fold(new_name), self._earlier_names(concept, new_name), concept.id),
                )
                changed = self._captions.rename_concept(
                    concept.id, concept.name, new_name, other_names=self.names(except_id=concept.id)
                )
                self._words.refresh(sorted(before | changed | self.photo_ids(concept.id)))
        return self.get(new_name)

    def _earlier_names(self, concept: ConceptRecord, new_name: str) -> str | None:
        """The names that a concept had, as they are stored."""
        names = [*self.earlier_names().get(concept.id, ()), concept.name]
        had = [name for name in dict.fromkeys(names) if name_key(name) != name_key(new_name)]
        return json.dumps(had, ensure_ascii=False) if had else None

    def earlier_names(self) -> dict[int, list[str]]:
        """Return the names that concepts had before they were renamed, by id; removed ones are left out."""
        rows = self._connection.rows(
            "SELECT id, earlier_names FROM concepts WHERE earlier_names NOT NULL"
            " AND (removed_at IS NULL OR merged_into NOT NULL)"
        )
        names: dict[int, list[str]] = {}
        for row in rows:
            root = merged_ids(self._connection, row["id"])[0]
            names.setdefault(root, []).extend(json.loads(row["earlier_names"]))
        return names

    def update(
        self, concept_id: int, *, kind: ConceptKind | str | None = None, about: str | None = None
    ) -> ConceptRecord:
        """Change what a concept is or looks like; what is left out stays.

        Raises:
            ConceptError: There is no such concept, or the kind is unknown.
        """
        _check_kind(kind or "person")
        with self._journal.recording(f"changed the description of {self.quoted_name(concept_id)}"):
            self._journal.touch("concepts", concept_id)
            rows = self._connection.execute(
                "UPDATE concepts SET kind = coalesce(?, kind), about = coalesce(?, about)"
                " WHERE id = ? AND removed_at IS NULL RETURNING *",
                (kind, storable(about or "").strip() or None, concept_id),
            ).fetchall()
        if not rows:
            raise ConceptError(f"no concept with id {concept_id} in the library")
        return self._records(rows)[0]

    def set_age(
        self, concept_id: int, *, born: int | date | None = None, is_child: bool | None = None
    ) -> ConceptRecord:
        """Say when a person was born, or that they are a child on every photo; what is left out stays.

        Args:
            concept_id: The person.
            born: The day, or the year alone.
            is_child: Whether they are a child on every photo.

        Raises:
            ConceptError: There is no such concept, it is no person, or the date cannot be one of birth.
        """
        day = born if isinstance(born, date) else None
        year = born.year if isinstance(born, date) else born
        today = date.today()
        if year is not None and (not _FIRST_YEAR <= year <= today.year or (day is not None and day > today)):
            what = "year" if day is None else "date"
            raise ConceptError(
                f"invalid {what} of birth {born}",
                hint="Give a year such as 2015, or a day such as 2015-06-03.",
            )
        with self._journal.recording(f"changed the age of {self.quoted_name(concept_id)}"):
            self._journal.touch("concepts", concept_id)
            rows = self._connection.execute(
                # The birthday belongs to a year: another year without a day leaves none.
                "UPDATE concepts SET birthday = CASE WHEN ?1 IS NULL OR (?2 IS NULL AND ?1 = born)"
                " THEN birthday ELSE ?2 END, born = coalesce(?1, born), is_child = coalesce(?3, is_child)"
                " WHERE id = ?4 AND removed_at IS NULL AND kind = 'person' RETURNING *",
                (year, None if day is None else day.strftime("%m-%d"), is_child, concept_id),
            ).fetchall()
        if not rows:
            raise ConceptError(
                f"{self.quoted_name(concept_id)}: not a person", hint="Only people have a year of birth."
            )
        return self._records(rows)[0]

    def remove(self, name: str) -> None:
        """Remove a concept; `restore` brings it back with all it had.

        Raises:
            ConceptError: Nothing has this name.
        """
        with self._connection.writing():
            concept = self.get(name)
            with self._journal.recording(f'removed "{concept.name}"'):
                self._journal.touch("concepts", concept.id)
                self._connection.execute(
                    "UPDATE concepts SET removed_at = ? WHERE id = ?", (now(), concept.id)
                )
                self._words.refresh(sorted(self.photo_ids(concept.id)))

    def restore(self, name: str) -> ConceptRecord:
        """Bring back the concept that was last removed under a name.

        Raises:
            ConceptError: None was removed under this name, or another concept has it now.
        """
        with self._connection.writing():
            rows = self._called(name, "removed_at IS NOT NULL")
            if not rows:
                raise ConceptError(f'no removed concept named "{name}"')
            if rows[0]["merged_into"] is not None:
                raise ConceptError(
                    f'"{rows[0]["name"]}" was not removed but merged',
                    hint=f"photopal split-concept {shlex.quote(rows[0]['name'])}",
                )
            self.refuse_taken(name)
            concept_id = rows[0]["id"]
            with self._journal.recording(f'restored "{rows[0]["name"]}"'):
                self._journal.touch("concepts", concept_id)
                self._connection.execute("UPDATE concepts SET removed_at = NULL WHERE id = ?", (concept_id,))
                self._words.refresh(sorted(self.photo_ids(concept_id)))
        return self._records(rows)[0]

    def add_reference(
        self,
        concept_id: int,
        photo_id: int,
        *,
        box: tuple[int, int, int, int] | None = None,
        mask_png: bytes | None = None,
    ) -> None:
        """Say that a photo shows a concept; said again, box and mask are replaced.

        That it was taken off the photo before no longer counts.

        Args:
            concept_id: The concept.
            photo_id: The photo.
            box: x, y, width, height in pixels of the upright photo.
            mask_png: A PNG as large as the upright photo, white where the concept is.

        Raises:
            ConceptError: There is no such concept, or the box or mask does not fit the photo.
            LibraryError: There is no such photo.
        """
        with self._journal.recording(f"added a reference photo of {self.quoted_name(concept_id)}"):
            if not self._connection.rows(
                "SELECT 1 FROM concepts WHERE id = ? AND removed_at IS NULL", (concept_id,)
            ):
                raise ConceptError(f"no concept with id {concept_id} in the library")
            self._journal.touch("reference_photos", concept_id, photo_id)
            photo = self._photos.get(photo_id)
            check_box(box, photo)
            _check_mask(mask_png, photo)
            self._connection.execute(
                "INSERT INTO reference_photos VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " box_x = excluded.box_x, box_y = excluded.box_y, box_width = excluded.box_width,"
                " box_height = excluded.box_height, mask_png = excluded.mask_png",
                (concept_id, photo_id, *(box or (None,) * 4), mask_png, now()),
            )
            for member in merged_ids(self._connection, concept_id):
                self._journal.touch("corrections", photo_id, member)
                self._connection.execute(
                    "DELETE FROM corrections WHERE photo_id = ? AND concept_id = ? AND NOT is_present",
                    (photo_id, member),
                )
            self._words.refresh((photo_id,))

    def remove_reference(self, concept_id: int, photo_id: int) -> None:
        """Take back that a photo shows a concept; nothing happens if it was not said.

        Raises:
            ConceptError: It is the only reference photo of the concept.
        """
        with self._journal.recording(f"removed a reference photo of {self.quoted_name(concept_id)}"):
            references = self.references(concept_id)
            if [one.photo.id for one in references] == [photo_id]:
                photo = references[0].photo
                rows = self._connection.rows("SELECT name FROM concepts WHERE id = ?", (concept_id,))
                name = rows[0]["name"] if rows else str(concept_id)
                raise ConceptError(
                    f"{photo.path}: is the only reference photo of {name}",
                    hint=f"First add another one with `photopal add-concept {shlex.quote(name)} PHOTO`,"
                    f" or remove the name with `photopal remove-concept {shlex.quote(name)}`.",
                )
            for member in merged_ids(self._connection, concept_id):
                self._journal.touch("reference_photos", member, photo_id)
                self._connection.execute(
                    "DELETE FROM reference_photos WHERE concept_id = ? AND photo_id = ?", (member, photo_id)
                )
            self._words.refresh((photo_id,))

    def references(self, concept_id: int) -> list[ReferencePhoto]:
        """Return the photos that show a concept, in the order they were given, missing ones too.

        Those of concepts that were merged into it are among them.
        """
        merged = merged_ids(self._connection, concept_id)
        rows = self._connection.rows(
            f"SELECT {PHOTO_COLUMNS}, box_x, box_y, box_width, box_height, mask_png"
            " FROM reference_photos JOIN photos ON photos.id = photo_id"
            f" WHERE concept_id IN ({', '.join('?' * len(merged))})"
            " ORDER BY concept_id <> ?, reference_photos.added_at, reference_photos.rowid",
            (*merged, merged[0]),
        )
        found: dict[int, ReferencePhoto] = {}
        for row in rows:
            found.setdefault(row["id"], _reference_photo(merged[0], row))
        return list(found.values())

    def merge(self, name: str, other_name: str) -> ConceptRecord:
        """Make two concepts one, which has the first one's name; `split` makes them two again.

        All that is known of the other counts for the one: reference photos, the user's words, what models
        found, and of a person's age what was not said of the one itself. Captions with the other's name get
        the one's, but for those that have both.

        Args:
            name: Of the concept that stays.
            other_name: Of the one that is merged into it.

        Raises:
            ConceptError: Nothing has one of the names, or both are the same concept.
        """
        with self._connection.writing():
            kept, merged = self.get(name), self.get(other_name)
            if kept.id == merged.id:
                raise ConceptError(f'"{kept.name}" cannot be merged with itself')
            with self._journal.recording(f'merged "{merged.name}" into "{kept.name}"'):
                concerned = self.photo_ids(kept.id) | self.photo_ids(merged.id)
                changed = self._captions.rename_concept(
                    merged.id,
                    merged.name,
                    kept.name,
                    other_names=self.names(except_id=merged.id),
                    except_photos=self._captions.with_name(kept.name, concerned),
                )
                self._journal.touch("concepts", merged.id)
                self._connection.execute(
                    "UPDATE concepts SET removed_at = ?, merged_into = ? WHERE id = ?",
                    (now(), kept.id, merged.id),
                )
                self._words.refresh(sorted(concerned | changed))
        return kept

    def split(self, name: str) -> ConceptRecord:
        """Make a concept that was merged into another one of its own again, with all it had then.

        What was said of the two since they were merged stays with the other. Captions that got the other's
        name get their own words back, unless they changed since.

        Args:
            name: That the merged concept had.

        Raises:
            ConceptError: Nothing of this name was merged, or another concept has the name now.
        """
        with self._connection.writing():
            rows = self._called(name, "merged_into IS NOT NULL")
            if not rows:
                names = [name for merged in self.merged_names().values() for name in merged]
                raise ConceptError(
                    f'no concept named "{name}" was merged',
                    hint=f"Merged names: {', '.join(names[:10])}." if names else None,
                )
            merged = rows[0]
            self.refuse_taken(name)
            with self._journal.recording(
                f'split "{merged["name"]}" from {self.quoted_name(merged["merged_into"])}'
            ):
                concerned = self.photo_ids(merged["id"])
                self._journal.touch("concepts", merged["id"])
                self._connection.execute(
                    "UPDATE concepts SET removed_at = NULL, merged_into = NULL WHERE id = ?", (merged["id"],)
                )
                for photo_id, text in self._journal.captions_before_merging(merged["id"]):
                    self._journal.touch("captions", photo_id)
                    self._connection.execute(
                        "UPDATE captions SET text = ? WHERE photo_id = ?", (text, photo_id)
                    )
                    concerned.add(photo_id)
                self._words.refresh(sorted(concerned))
        return self.get(name)

    def merged_names(self) -> dict[int, list[str]]:
        """Return the names of the concepts that were merged into others, by the id of the one they are in."""
        rows = self._connection.rows(
            "SELECT id, name FROM concepts WHERE merged_into IS NOT NULL ORDER BY id"
        )
        names: dict[int, list[str]] = {}
        for row in rows:
            names.setdefault(merged_ids(self._connection, row["id"])[0], []).append(row["name"])
        return names

    def by_key(self) -> dict[str, ConceptRecord]:
        """Return the concepts by the `name_key` of their names, earlier names and names merged into them."""
        concepts = {concept.id: concept for concept in self.all()}
        others = {
            name_key(name): concepts[concept_id]
            for by_id in (self.merged_names(), self.earlier_names())
            for concept_id, names in by_id.items()
            for name in names
            if concept_id in concepts
        }
        return {**others, **{name_key(concept.name): concept for concept in concepts.values()}}

    def removed_names(self) -> list[str]:
        """Return the names that were removed and that nothing has now; captions may still have them."""
        removed = self._connection.iter_column(
            "SELECT DISTINCT name FROM concepts WHERE removed_at NOT NULL AND merged_into IS NULL"
            " ORDER BY name"
        )
        taken = set(map(name_key, self.names()))
        return [name for name in removed if name_key(name) not in taken]

    def refuse_taken(self, name: str, *, except_id: int = 0, exactly: bool = False) -> None:
        """Raise where another concept has a name.

        Args:
            name: The name.
            except_id: The concept that may have it.
            exactly: Whether a name that differs in the apostrophe alone is another one.

        Raises:
            ConceptError: It has; the message says which.
        """
        for taken in self.names(except_id=except_id):
            is_alike = not exactly and name_key(taken) == name_key(name)
            if is_alike or fold(taken) == fold(name):
                raise ConceptError(f'the name "{taken}" is already in use')

    def quoted_name(self, concept_id: int) -> str:
        """Return the name of a concept, removed or not, as the journal writes it."""
        rows = self._connection.rows("SELECT name FROM concepts WHERE id = ?", (concept_id,))
        return f'"{rows[0]["name"]}"' if rows else f"concept {concept_id}"

    def _nearest(self, name: str) -> str:
        names = self.names()
        if not names:
            return "photopal add-concept NAME PHOTO..."
        return suggest(name, names) or f"Known names: {', '.join(names[:10])}."

    def photo_ids(self, concept_id: int) -> set[int]:
        """Return the ids of the photos of which anything is known about a concept, or one merged with it."""
        merged = merged_ids(self._connection, concept_id)
        marks = ", ".join("?" * len(merged))
        ids = set(
            self._connection.iter_column(
                f"SELECT photo_id FROM appearances WHERE is_present AND concept_id IN ({marks})"
                f" UNION SELECT photo_id FROM reference_photos WHERE concept_id IN ({marks})"
                f" UNION SELECT photo_id FROM corrections WHERE concept_id IN ({marks})"
                f" UNION SELECT photo_id FROM findings WHERE concept_id IN ({marks})",
                merged * 4,
            )
        )
        rows = self._connection.rows(
            f"SELECT name, earlier_names FROM concepts WHERE id IN ({marks})", merged
        )
        for row in rows:
            for name in (row["name"], *json.loads(row["earlier_names"] or "[]")):
                ids |= named_by_people(self._connection, name)
        return ids


def _check_kind(kind: str) -> None:
    if kind not in get_args(ConceptKind):
        raise ConceptError(f"invalid kind {kind!r}", hint="Use person, pet or thing.")


def check_box(box: tuple[int, int, int, int] | None, photo: PhotoRecord) -> None:
    """Check that a box lies within a photo and is not empty.

    Raises:
        ConceptError: It does not, or it is.
    """
    if box is None:
        return
    x, y, width, height = box
    if min(width, height) < 1:
        raise ConceptError(
            f"{photo.path}: the box {x},{y},{width},{height} is empty; the photo is {photo.width_px} x"
            f" {photo.height_px} pixels upright",
            hint="Give left, top, width and height in pixels; width and height are at least 1.",
        )
    if min(x, y) < 0 or x + width > photo.width_px or y + height > photo.height_px:
        raise ConceptError(
            f"{photo.path}: the box {x},{y},{width},{height} is outside the photo,"
            f" which is {photo.width_px} x {photo.height_px} pixels upright"
        )


def _check_mask(mask_png: bytes | None, photo: PhotoRecord) -> None:
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


def _concept_record(row: sqlite3.Row, merged: Sequence[sqlite3.Row]) -> ConceptRecord:
    ages = [row, *(merged if row["kind"] == "person" else ())]
    born = next((one["born"] for one in ages if one["born"] is not None), None)
    return ConceptRecord(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        about=row["about"],
        created_at=row["created_at"],
        born=born,
        is_child=any(one["is_child"] for one in ages),
        # The birthday belongs to a year.
        birthday=next((one["birthday"] for one in ages if one["birthday"] and one["born"] == born), None),
    )


def _reference_photo(concept_id: int, row: sqlite3.Row) -> ReferencePhoto:
    box = (row["box_x"], row["box_y"], row["box_width"], row["box_height"])
    return ReferencePhoto(concept_id, photo_record(row), None if box[0] is None else box, row["mask_png"])
