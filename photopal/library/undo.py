"""Takes back what the user changed, entry by entry of the journal; a taking back is an entry itself.

Each row goes back to what it was before the entry. Where it was changed since, the later change must be taken
back first; captions that a model has made anew since are left as they are, but for the names in them.
"""

from __future__ import annotations

import json
from typing import Any

from photopal.errors import ConceptError, LibraryError, NothingFoundError, UsageError
from photopal.library.captions import CaptionTable
from photopal.library.connection import now
from photopal.library.journal import KEYS, Image
from photopal.library.models import JournalEntry
from photopal.text import fold

# What of a caption is the user's; the rest says which model looked and may have changed since.
_OWN_COLUMNS = {"captions": ("text", "by_hand")}


class UndoTable(CaptionTable):
    """The part of a library that takes changes back."""

    def undo(self, number: int | None = None) -> JournalEntry:
        """Take an entry of the journal back, and return the entry that says so.

        Args:
            number: The entry; left out, the latest that was not taken back and is no taking back itself. An
                entry that takes another back is taken back too: the other is done again.

        Raises:
            NothingFoundError: There is nothing to take back.
            UsageError: There is no such entry, or it is taken back already.
            LibraryError: What it changed has changed again since.
        """
        with self.writing():
            entry = self._entry_to_undo(number)
            verb = "did again" if self._is_undone(entry) else "took back"
            base = self._base(entry)
            with self.recording(f"{verb}: {base.what}", undoes=entry.id):
                self._restore_all(entry)
            latest = self.journal(1)[0]
            self._execute("UPDATE journal SET undone_by = ? WHERE id = ?", (latest.id, entry.id))
            if base.id != entry.id:
                is_done = self._depth_of(entry) % 2 == 1
                self._execute(
                    "UPDATE journal SET undone_by = ? WHERE id = ?", (None if is_done else latest.id, base.id)
                )
        return latest

    def _entry_to_undo(self, number: int | None) -> JournalEntry:
        columns = "SELECT id, made_at, what, undoes, undone_by FROM journal"
        if number is None:
            rows = self._rows(
                f"{columns} WHERE undoes IS NULL AND undone_by IS NULL ORDER BY id DESC LIMIT 1"
            )
            if not rows:
                raise NothingFoundError("nothing to undo")
            return JournalEntry(*rows[0])
        rows = self._rows(f"{columns} WHERE id = ?", (number,)) if abs(number) < 1 << 63 else []
        if not rows:
            raise UsageError(f"no entry {number} in the journal", hint="photopal undo --list")
        entry = JournalEntry(*rows[0])
        if entry.undone_by is not None:
            raise UsageError(
                f"entry {number} was already undone by entry {entry.undone_by}",
                hint=f"Run `photopal undo {entry.undone_by}` to redo it.",
            )
        return entry

    def _base(self, entry: JournalEntry) -> JournalEntry:
        """The change that an entry takes back, does again and so on."""
        while entry.undoes is not None:
            [row] = self._rows(
                "SELECT id, made_at, what, undoes, undone_by FROM journal WHERE id = ?", (entry.undoes,)
            )
            entry = JournalEntry(*row)
        return entry

    def _depth_of(self, entry: JournalEntry) -> int:
        """0 for a change, 1 for one that takes a change back, 2 for one that does it again."""
        depth = 0
        while entry.undoes is not None:
            [row] = self._rows(
                "SELECT id, made_at, what, undoes, undone_by FROM journal WHERE id = ?", (entry.undoes,)
            )
            entry, depth = JournalEntry(*row), depth + 1
        return depth

    def _is_undone(self, entry: JournalEntry) -> bool:
        return self._depth_of(entry) % 2 == 1

    def _restore_all(self, entry: JournalEntry) -> None:
        rows = self._rows(
            "SELECT place, key, before, after FROM journal_rows WHERE entry_id = ?", (entry.id,)
        )
        names = {concept.id: concept.name for concept in self.concepts()}
        photo_ids: set[int] = set()
        told: set[int] = set()
        order = list(KEYS)
        for row in sorted(rows, key=lambda row: order.index(row["place"])):
            place, key = row["place"], tuple(json.loads(row["key"]))
            before, after = (json.loads(image) if image else None for image in (row["before"], row["after"]))
            self._refuse_later(entry, row["place"], row["key"])
            if not self._is_as(place, key, after):
                if place != "captions" or not self._is_by_models(key, after):
                    self._refuse_changed(entry)
                if not (before or {}).get("by_hand"):
                    continue
            if place == "concepts" and before is not None and before["removed_at"] is None:
                self._refuse_name_used_since(entry, before["name"], but=row["key"])
            self._touch(place, *key)
            self._restore(place, key, before)
            if place == "captions":
                told.add(key[0])
            photo_ids |= {key[-1]} if place != "concepts" else self._photos_of(key[0])
        for concept in self.concepts():
            if names.get(concept.id, concept.name) != concept.name:
                photo_ids |= self._rename_in_captions(
                    concept.id, names[concept.id], concept.name, but=told, since=entry.made_at
                )
        self._refresh_words(sorted(photo_ids))

    def _is_as(self, place: str, key: tuple[Any, ...], image: Image) -> bool:
        present = self._image(place, key)
        if present is None or image is None:
            return present is image
        return all(present.get(name) == image[name] for name in _OWN_COLUMNS.get(place, image))

    def _is_by_models(self, key: tuple[Any, ...], after: Image) -> bool:
        present = self._image("captions", key)
        return not (present or {}).get("by_hand") and not (after or {}).get("by_hand")

    def _refuse_changed(self, entry: JournalEntry) -> None:
        raise LibraryError(
            f"entry {entry.id} ({entry.what}) cannot be undone: there are later changes to the same data",
            hint="photopal undo --list",
        )

    def _refuse_later(self, entry: JournalEntry, place: str, key: str) -> None:
        """Raise where a later change of the same row was not taken back, even if it left the row as it was.

        Else that change could never be taken back: the row would no longer be as it found or left it.
        """
        rows = self._rows(
            "SELECT id, what FROM journal JOIN journal_rows ON entry_id = id WHERE place = ? AND key = ?"
            " AND id > ? AND undoes IS NULL AND undone_by IS NULL ORDER BY id DESC LIMIT 1",
            (place, key, self._base(entry).id),
        )
        if rows:
            raise LibraryError(
                f"entry {entry.id} ({entry.what}) cannot be undone: there are later changes to the same data",
                hint=f"First undo entry {rows[0]['id']}: {rows[0]['what']}.",
            )

    def _refuse_name_used_since(self, entry: JournalEntry, name: str, *, but: str) -> None:
        """Raise where a later change, not taken back, gave the name to another concept or took it away."""
        rows = self._rows(
            "SELECT id, what, before, after FROM journal JOIN journal_rows ON entry_id = id"
            " WHERE place = 'concepts' AND key <> ? AND id > ? AND undoes IS NULL AND undone_by IS NULL"
            " ORDER BY id DESC",
            (but, self._base(entry).id),
        )
        for row in rows:
            images = [json.loads(image) for image in (row["before"], row["after"]) if image]
            if any(fold(image["name"]) == fold(name) for image in images):
                raise ConceptError(
                    f'the name "{name}" has been used by a later change',
                    hint=f"First undo entry {row['id']}: {row['what']}.",
                )

    def _restore(self, place: str, key: tuple[Any, ...], image: Image) -> None:
        """Make a row what it was; a concept that was not there is removed, as what was found of it stays."""
        condition = " AND ".join(f"{column} = ?" for column in KEYS[place])
        if image is None and place == "concepts":
            self._execute("UPDATE concepts SET removed_at = ? WHERE id = ?", (now(), *key))
        elif image is None:
            if place == "captions":
                self._execute("DELETE FROM appearances WHERE photo_id = ?", key)
            self._execute(f"DELETE FROM {place} WHERE {condition}", key)
        else:
            if place == "concepts" and image["removed_at"] is None:
                self._refuse_taken(image["name"], but=key[0])
            values = {
                name: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
                for name, value in image.items()
            }
            if place == "captions":
                # What was found on the photo is gone with its row; a model shall look again.
                values |= {"model": "", "bank": None, "prompt_version": ""}
            changed = _OWN_COLUMNS.get(place, tuple(values))
            self._execute(
                f"INSERT INTO {place} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
                f" ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changed)}",
                tuple(values.values()),
            )
