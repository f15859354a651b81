"""Records what the user changes, and undoes it entry by entry; an undo is an entry itself.

An entry holds the rows that one command changed, as they were before and after. It is committed with the
change itself. What models find and what indexing sees is not a user's change and is not recorded.

To undo an entry, each row goes back to what it was before. Where it was changed since, the later change must
be undone first; captions that a model has written since are left as they are, but for the names in them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from photopal.errors import ConceptError, LibraryError, NothingFoundError, UsageError
from photopal.library.connection import Connection, now, precisely_now
from photopal.library.evidence import merged_ids
from photopal.library.face_sums import recount_groups
from photopal.library.fts import WordIndex
from photopal.library.models import JournalEntry
from photopal.library.sidecar_files import FileState, put_back
from photopal.text import name_key, replace_name

if TYPE_CHECKING:
    from photopal.library.captions import Captions
    from photopal.library.concepts import Concepts
    from photopal.library.metadata import FileFacts

_KEYS = {
    "concepts": ("id",),
    "reference_photos": ("concept_id", "photo_id"),
    "corrections": ("photo_id", "concept_id"),
    "captions": ("photo_id",),
    "set_dates": ("photo_id",),
    "face_groups": ("id",),
    "faces": ("id",),
    "sidecars": ("id",),
}
"""The tables that hold what the user said, with their keys; rows are restored in this order."""

# What of a caption is the user's; the rest says which model looked and may have changed since.
_OWN_COLUMNS = {"captions": ("text", "by_hand")}

# Of faces and their groups nothing else is recorded: what was found of them is no change of the user's.
_FACE_COLUMNS: dict[str, dict[str, int | None]] = {
    "face_groups": {"is_fixed": 0, "is_ignored": 0, "merged_into": None},
    "faces": {"group_id": None},
}
"""The columns, each with its value where the user has said nothing."""

_ENTRIES = "SELECT id, made_at, what, undoes, undone_by FROM journal"

Image = dict[str, Any] | None
"""A row by column, bytes in hexadecimal under "hex"; None where there is no row."""


class Journal:
    """Collects the rows that a change touches and writes them as one entry; knows rows, not what they mean.

    Args:
        connection: The open library.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The rows touched since recording began, as they were; None while nothing is recorded.
        self._touched: dict[tuple[str, tuple[Any, ...]], Image] | None = None

    @contextmanager
    def recording(self, what: str, *, undoes: int | None = None) -> Iterator[None]:
        """Make several of the user's changes one entry of the journal, and one transaction.

        Args:
            what: What is done, in words; inside another recording the outer one's words count.
            undoes: The entry that is undone.
        """
        with self._connection.writing():
            if self._touched is not None:
                yield
                return
            self._touched = {}
            try:
                yield
                self._write_entry(what, undoes)
            finally:
                self._touched = None

    def touch(self, table: str, *key: int) -> None:
        """Note a row as it is, before the first change to it."""
        if self._touched is not None and (table, key) not in self._touched:
            self._touched[table, key] = self.image(table, key)

    def touch_new(self, table: str, *key: int) -> None:
        """Note that a row that was just made was not there before."""
        if self._touched is not None:
            self._touched.setdefault((table, key), None)

    def image(self, table: str, key: tuple[Any, ...]) -> Image:
        """Return a row as it is now."""
        condition = " AND ".join(f"{column} = ?" for column in _KEYS[table])
        columns = ", ".join(("id", *_FACE_COLUMNS[table])) if table in _FACE_COLUMNS else "*"
        rows = self._connection.rows(f"SELECT {columns} FROM {table} WHERE {condition}", key)
        if not rows:
            return None
        values = dict(rows[0])
        return {
            name: {"hex": value.hex()} if isinstance(value, bytes) else value
            for name, value in values.items()
        }

    def withdraw(self, entry_id: int, table: str, keys: Iterable[int], *, what: str) -> None:
        """Take rows out of an entry whose change has not come about; each is again what it was before.

        An entry without a row is none. One that was undone meanwhile has put the rows back itself.

        Args:
            entry_id: The entry.
            table: The rows' table.
            keys: Their numbers.
            what: What is left of the entry, in words.
        """
        is_undone = "SELECT 1 FROM journal WHERE id = ? AND undone_by NOT NULL"
        with self._connection.writing():
            if self._connection.rows(is_undone, (entry_id,)):
                return
            for key in keys:
                for (before,) in self._connection.execute(
                    "DELETE FROM journal_rows WHERE entry_id = ? AND place = ? AND key = ? RETURNING before",
                    (entry_id, table, json.dumps([key])),
                ).fetchall():
                    values = _values_in(json.loads(before))
                    self._connection.execute(
                        f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ?",
                        (*values.values(), key),
                    )
            if self._connection.rows("SELECT 1 FROM journal_rows WHERE entry_id = ? LIMIT 1", (entry_id,)):
                self._connection.execute("UPDATE journal SET what = ? WHERE id = ?", (what, entry_id))
            else:
                self._connection.execute("DELETE FROM journal WHERE id = ?", (entry_id,))

    def captions_before_merging(self, concept_id: int) -> list[tuple[int, str]]:
        """Return what captions said before a concept was last merged into another, by photo.

        Names that were changed since are changed in them too. Captions that changed otherwise are left out.
        """
        entries = [
            row["entry_id"]
            for row in self._in_effect("concepts", concept_id)
            if row["after"] and json.loads(row["after"]).get("merged_into") is not None
        ]
        if not entries:
            return []
        found = []
        for row in self._connection.rows(
            "SELECT key, before, after FROM journal_rows WHERE place = 'captions' AND entry_id = ?",
            (entries[-1],),
        ):
            [photo_id] = json.loads(row["key"])
            own, merged = (json.loads(row[side])["text"] for side in ("before", "after"))
            for later in self._in_effect("captions", photo_id, since=entries[-1]):
                renamed = self._names_changed(later["entry_id"])
                if renamed and later["before"] and json.loads(later["before"])["text"] == merged:
                    merged = json.loads(later["after"])["text"]
                    own = self._with_names(own, renamed)
            if (self.image("captions", (photo_id,)) or {}).get("text") == merged:
                found.append((photo_id, own))
        return found

    def _in_effect(self, table: str, *key: int, since: int = 0) -> list[sqlite3.Row]:
        """The changes of a row that were not undone, or were done again, the earliest first."""
        return self._connection.rows(
            "SELECT entry_id, before, after FROM journal_rows JOIN journal ON journal.id = entry_id"
            " WHERE place = ? AND key = ? AND entry_id > ? AND undoes IS NULL AND undone_by IS NULL"
            " ORDER BY entry_id",
            (table, json.dumps(key), since),
        )

    def _names_changed(self, entry_id: int) -> list[tuple[str, str]]:
        """Which name an entry wrote in place of which: it renamed, merged or split a concept."""
        changed = []
        for row in self._connection.rows(
            "SELECT before, after FROM journal_rows WHERE entry_id = ? AND place = 'concepts'"
            " AND before NOT NULL AND after NOT NULL",
            (entry_id,),
        ):
            before, after = (self._names_at(json.loads(row[side]), entry_id) for side in ("before", "after"))
            changed += [(old, after[-1]) for old in before if old != after[-1]]
        return changed

    def _names_at(self, concept: dict[str, Any], entry_id: int) -> list[str]:
        """The names that may have stood for a concept: its own, else those of all that it was merged into."""
        names = [concept["name"]]
        while (merged_into := concept.get("merged_into")) is not None:
            concept = self._concept_at(merged_into, entry_id)
            names.append(concept["name"])
        return names[1:] or names

    def _concept_at(self, concept_id: int, entry_id: int) -> dict[str, Any]:
        """A concept as it was after an entry."""
        key = json.dumps([concept_id])
        rows = self._connection.rows(
            "SELECT after FROM journal_rows WHERE place = 'concepts' AND key = ? AND entry_id <= ?"
            " ORDER BY entry_id DESC LIMIT 1",
            (key, entry_id),
        )
        # A library of before the journal may have concepts that were not changed until then.
        rows += self._connection.rows(
            "SELECT before FROM journal_rows WHERE place = 'concepts' AND key = ? AND entry_id > ?"
            " ORDER BY entry_id LIMIT 1",
            (key, entry_id),
        )
        images: list[dict[str, Any]] = [json.loads(row[0]) for row in rows if row[0]]
        return images[0] if images else self.image("concepts", (concept_id,)) or {}

    def _with_names(self, text: str, renamed: Iterable[tuple[str, str]]) -> str:
        """A text with other names in it; a part of a longer name stays."""
        others = list(self._connection.iter_column("SELECT name FROM concepts"))
        for old, new in renamed:
            text = replace_name(text, old, new, others=others)
        return text

    def _write_entry(self, what: str, undoes: int | None) -> None:
        """Write the rows that are not as they were; where there is none, nothing was done."""
        changed = []
        for (table, key), before in (self._touched or {}).items():
            after = self.image(table, key)
            if after != before:
                changed.append((table, json.dumps(key), _as_json(before), _as_json(after)))
        if not changed:
            return
        entry_id = self._connection.execute(
            "INSERT INTO journal (made_at, what, undoes) VALUES (?, ?, ?) RETURNING id",
            (precisely_now(), what, undoes),
        ).fetchone()[0]
        for row in changed:
            self._connection.execute("INSERT INTO journal_rows VALUES (?, ?, ?, ?, ?)", (entry_id, *row))


class History:
    """The part of a library that lists what the user changed, and undoes it.

    Args:
        connection: The open library.
        journal: Where changes are recorded.
        concepts: Whose names a change may give and take.
        captions: Where names are changed back.
        facts: Renewed for each photo whose date is changed back.
        words: Renewed for each photo that an undo concerns.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        journal: Journal,
        concepts: Concepts,
        captions: Captions,
        facts: FileFacts,
        words: WordIndex,
    ) -> None:
        self._connection = connection
        self._journal = journal
        self._concepts = concepts
        self._captions = captions
        self._facts = facts
        self._words = words

    def recording(self, what: str) -> AbstractContextManager[None]:
        """Make several of the user's changes one entry, and one transaction, in a `with`.

        Args:
            what: What is done, in words; inside another recording the outer one's words count.
        """
        return self._journal.recording(what)

    def entries(self, limit: int = 50) -> list[JournalEntry]:
        """Return what the user changed, the latest first."""
        rows = self._connection.rows(f"{_ENTRIES} ORDER BY id DESC LIMIT ?", (min(limit, (1 << 63) - 1),))
        return [_entry(row) for row in rows]

    def undo(self, number: int | None = None) -> JournalEntry:
        """Undo an entry, and return the entry that says so.

        Args:
            number: The entry; left out, the latest that was not undone and is no undo itself. An entry that
                undoes another is undone too: the other is done again.

        Raises:
            NothingFoundError: There is nothing to undo.
            UsageError: There is no such entry, or it is undone already.
            LibraryError: What it changed has changed again since.
        """
        with self._connection.writing():
            entry = self._entry_to_undo(number)
            verb = "redid" if self._is_undo(entry) else "undid"
            base = self._base(entry)
            with self._journal.recording(f"{verb}: {base.what}", undoes=entry.id):
                self._restore_faces(entry)
                self._restore_all(entry)
                # The last step: what cannot be written leaves the library as it was.
                put_back(self._sidecars_before(entry))
            latest = self.entries(1)[0]
            self._connection.execute("UPDATE journal SET undone_by = ? WHERE id = ?", (latest.id, entry.id))
            if base.id != entry.id:
                self._connection.execute(
                    "UPDATE journal SET undone_by = ? WHERE id = ?",
                    (None if self._is_undo(entry) else latest.id, base.id),
                )
        return latest

    def _entry_to_undo(self, number: int | None) -> JournalEntry:
        if number is None:
            rows = self._connection.rows(
                f"{_ENTRIES} WHERE undoes IS NULL AND undone_by IS NULL ORDER BY id DESC LIMIT 1"
            )
            if not rows:
                raise NothingFoundError("nothing to undo")
            return _entry(rows[0])
        # SQLite refuses larger integers.
        rows = self._connection.rows(f"{_ENTRIES} WHERE id = ?", (number,)) if abs(number) < 1 << 63 else []
        if not rows:
            raise UsageError(f"no entry {number} in the journal", hint="photopal undo --list")
        entry = _entry(rows[0])
        if entry.undone_by is not None:
            raise UsageError(
                f"entry {number} was already undone by entry {entry.undone_by}",
                hint=f"Run `photopal undo {entry.undone_by}` to redo it.",
            )
        return entry

    def _chain(self, entry: JournalEntry) -> list[JournalEntry]:
        """An entry, the one it undoes and so on, down to the change itself."""
        chain = [entry]
        while (undoes := chain[-1].undoes) is not None:
            [row] = self._connection.rows(f"{_ENTRIES} WHERE id = ?", (undoes,))
            chain.append(_entry(row))
        return chain

    def _base(self, entry: JournalEntry) -> JournalEntry:
        return self._chain(entry)[-1]

    def _is_undo(self, entry: JournalEntry) -> bool:
        """Whether an entry undoes a change; one that does it again, or is the change, does not."""
        return len(self._chain(entry)) % 2 == 0

    def _restore_all(self, entry: JournalEntry) -> None:
        rows = self._connection.rows(
            "SELECT place, key, before, after FROM journal_rows WHERE entry_id = ?"
            " AND place NOT IN ('face_groups', 'faces')",
            (entry.id,),
        )
        names = {concept.id: concept.name for concept in self._concepts.all()}
        photo_ids: set[int] = set()
        restored_captions: set[int] = set()
        order = list(_KEYS)
        for row in sorted(rows, key=lambda row: order.index(row["place"])):
            table, key = row["place"], tuple(json.loads(row["key"]))
            before, after = (json.loads(image) if image else None for image in (row["before"], row["after"]))
            self._refuse_later(entry, table, row["key"])
            if not self._is_as(table, key, after):
                if table != "captions" or not self._is_by_models(key, after):
                    self._refuse_changed(entry)
                if not (before or {}).get("by_hand"):
                    continue
            if table == "concepts" and before is not None:
                self._refuse_concept(entry, before, key=row["key"])
            self._journal.touch(table, *key)
            # A concept's photos are those it had and those it has: its name may be another, or in use again.
            photo_ids |= self._photos_of(table, key)
            self._restore(table, key, before)
            photo_ids |= self._photos_of(table, key)
            if table == "captions":
                restored_captions.add(key[0])
            if table == "set_dates":
                self._facts.refresh(key[0])
        for concept in self._concepts.all():
            if names.get(concept.id, concept.name) != concept.name:
                photo_ids |= self._captions.rename_concept(
                    concept.id,
                    names[concept.id],
                    concept.name,
                    other_names=self._concepts.names(except_id=concept.id),
                    except_photos=restored_captions,
                    since=entry.made_at,
                )
        self._words.refresh(sorted(photo_ids))

    def _sidecars_before(self, entry: JournalEntry) -> list[FileState]:
        """What an entry's sidecars are to be again, and are expected to be now."""
        rows = self._connection.rows(
            "SELECT before, after FROM journal_rows WHERE entry_id = ? AND place = 'sidecars'", (entry.id,)
        )
        images = [(json.loads(row["before"]), json.loads(row["after"])) for row in rows]
        return [
            FileState.of(
                bytes.fromhex(before["path"]["hex"]),
                *(
                    bytes.fromhex(image["content"]["hex"]) if image["content"] else None
                    for image in (before, after)
                ),
                photos=self._connection.iter_column(
                    "SELECT path FROM paths WHERE photo_id = ? AND missing_since IS NULL ORDER BY path",
                    (after["photo_id"],),
                ),
            )
            for before, after in images
        ]

    def _restore_faces(self, entry: JournalEntry) -> None:
        """Take back what the user said of groups of faces, and which faces went where."""
        rows = self._connection.rows(
            "SELECT place, key, before, after FROM journal_rows WHERE entry_id = ?"
            " AND place IN ('face_groups', 'faces') ORDER BY place",
            (entry.id,),
        )
        for row in rows:
            table, [number] = row["place"], json.loads(row["key"])
            if table == "faces" and self._journal.image(table, (number,)) is None:
                # The photo was searched anew; its faces now are others.
                continue
            self._refuse_later(entry, table, row["key"])
            if not self._is_as(table, (number,), json.loads(row["after"])):
                self._refuse_changed(entry)
            self._journal.touch(table, number)
            # A group that was not there stays, without the user's word, for the faces it may have got since.
            before = json.loads(row["before"]) if row["before"] else {}
            own = _FACE_COLUMNS[table]
            self._connection.execute(
                f"UPDATE {table} SET {', '.join(f'{column} = ?' for column in own)} WHERE id = ?",
                (*(before.get(column, own[column]) for column in own), number),
            )
        if rows:
            recount_groups(self._connection)

    def _refuse_concept(self, entry: JournalEntry, before: dict[str, Any], *, key: str) -> None:
        """Raise where a concept cannot be what it was, as names or merges have changed since."""
        if before["removed_at"] is None:
            self._refuse_name_used_since(entry, before["name"], except_key=key)
        other_id = before.get("merged_into")
        # Meanwhile the other may have been merged into this one.
        if other_id is not None and merged_ids(self._connection, other_id)[0] == before["id"]:
            self._refuse_changed(entry)

    def _photos_of(self, table: str, key: tuple[Any, ...]) -> set[int]:
        if table == "concepts":
            return self._concepts.photo_ids(key[0])
        if table == "sidecars":
            return set()
        return {key[_KEYS[table].index("photo_id")]}

    def _is_as(self, table: str, key: tuple[Any, ...], image: Image) -> bool:
        present = self._journal.image(table, key)
        if present is None or image is None:
            return present is image
        return all(present.get(name) == image[name] for name in _OWN_COLUMNS.get(table, image))

    def _is_by_models(self, key: tuple[Any, ...], after: Image) -> bool:
        present = self._journal.image("captions", key)
        return not (present or {}).get("by_hand") and not (after or {}).get("by_hand")

    def _refuse_changed(self, entry: JournalEntry) -> None:
        raise LibraryError(
            f"entry {entry.id} ({entry.what}) cannot be undone: there are later changes to the same data",
            hint="photopal undo --list",
        )

    def _refuse_later(self, entry: JournalEntry, table: str, key: str) -> None:
        """Raise where a later change of the same row was not undone, even if it left the row as it was.

        Else that change could never be undone: the row would no longer be as it found or left it.
        """
        rows = self._connection.rows(
            "SELECT id, what FROM journal JOIN journal_rows ON entry_id = id WHERE place = ? AND key = ?"
            " AND id > ? AND undoes IS NULL AND undone_by IS NULL ORDER BY id DESC LIMIT 1",
            (table, key, self._base(entry).id),
        )
        if rows:
            raise LibraryError(
                f"entry {entry.id} ({entry.what}) cannot be undone: there are later changes to the same data",
                hint=f"First undo entry {rows[0]['id']}: {rows[0]['what']}.",
            )

    def _refuse_name_used_since(self, entry: JournalEntry, name: str, *, except_key: str) -> None:
        """Raise where a later change, not undone, gave the name to another concept or took it away."""
        rows = self._connection.rows(
            "SELECT id, what, before, after FROM journal JOIN journal_rows ON entry_id = id"
            " WHERE place = 'concepts' AND key <> ? AND id > ? AND undoes IS NULL AND undone_by IS NULL"
            " ORDER BY id DESC",
            (except_key, self._base(entry).id),
        )
        for row in rows:
            images = [json.loads(image) for image in (row["before"], row["after"]) if image]
            if any(name_key(image["name"]) == name_key(name) for image in images):
                raise ConceptError(
                    f'the name "{name}" has been used by a later change',
                    hint=f"First undo entry {row['id']}: {row['what']}.",
                )

    def _restore(self, table: str, key: tuple[Any, ...], image: Image) -> None:
        """Make a row what it was; a concept that was not there is removed, as what was found of it stays."""
        condition = " AND ".join(f"{column} = ?" for column in _KEYS[table])
        if image is None and table == "concepts":
            self._connection.execute("UPDATE concepts SET removed_at = ? WHERE id = ?", (now(), *key))
        elif image is None:
            if table == "captions":
                self._connection.execute("DELETE FROM appearances WHERE photo_id = ?", key)
            self._connection.execute(f"DELETE FROM {table} WHERE {condition}", key)
        else:
            if table == "concepts" and image["removed_at"] is None:
                # What was there before may come back beside a name that differs in the apostrophe alone.
                self._concepts.refuse_taken(image["name"], except_id=key[0], exactly=True)
            values = _values_in(image)
            if table == "captions":
                # What was found on the photo is gone with its row; a model shall look again.
                values |= {"model": "", "bank": None, "prompt_version": "", "source": None}
            changed = _OWN_COLUMNS.get(table, tuple(values))
            self._connection.execute(
                f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"
                f" ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changed)}",
                tuple(values.values()),
            )


def _as_json(image: Image) -> str | None:
    return None if image is None else json.dumps(image)


def _values_in(image: dict[str, Any]) -> dict[str, Any]:
    """The values of a row, as the database has them."""
    return {
        name: bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
        for name, value in image.items()
    }


def _entry(row: sqlite3.Row) -> JournalEntry:
    return JournalEntry(
        id=row["id"],
        made_at=row["made_at"],
        what=row["what"],
        undoes=row["undoes"],
        undone_by=row["undone_by"],
    )
