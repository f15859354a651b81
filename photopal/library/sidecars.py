"""Remembers which sidecars photopal wrote, and what was in them before, so that it can be taken back.

What is to be written is committed first and written then: a run that is killed between leaves old sidecars
beside new ones, each of them whole, and undoing it makes all of them old again. What could not be written is
taken out of the journal at the end of the run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from photopal.files import PART_NAME
from photopal.library.connection import WRITER_WAIT_S, Connection, path_bytes, path_of, storable
from photopal.library.history import Journal
from photopal.library.lock import WriterLock
from photopal.library.sidecar_files import packed, remove_if_old
from photopal.text import count, name_key


@dataclass(frozen=True)
class SidecarChange:
    """A sidecar with what is in it before and after a change, None where there is no file.

    Attributes:
        path: The sidecar.
        photo_id: The photo it is about.
        before: Its bytes as they are.
        after: Its bytes as they are to be.
        names: The names of those whom photopal says in it to be in the photo.
        has_unconfirmed: Whether names were written that only a model found.
    """

    path: Path
    photo_id: int
    before: bytes | None
    after: bytes | None
    names: tuple[str, ...]
    has_unconfirmed: bool


class WrittenSidecars:
    """The part of a library that is about the sidecars that photopal wrote.

    Args:
        connection: The open library.
        journal: Told of every change.
    """

    def __init__(self, connection: Connection, *, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    def writing(self) -> WriterLock:
        """Return the right to write sidecars, to be taken in a `with` from recording them to the last one.

        Others may write to the library meanwhile. Two runs at once would each keep a part of what the other
        has written as what to bring back.
        """
        path = self._connection.path
        return WriterLock(path.with_name(f"{path.name}.sidecars.lock"), wait_s=WRITER_WAIT_S)

    def record(self, changes: Sequence[SidecarChange]) -> int:
        """Note that sidecars are about to be changed, as one entry of the journal; writes none of them.

        Returns:
            The entry's number.
        """
        with self._connection.writing():
            self._record(changes)
            [(entry_id,)] = self._connection.rows("SELECT max(id) FROM journal")
        return int(entry_id)

    def withdraw(self, entry_id: int, changes: Sequence[SidecarChange], *, failed: Collection[Path]) -> None:
        """Note that some of the sidecars of an entry could not be written, and are as they were before it."""
        with self._connection.writing():
            ids = [
                row[0]
                for path in failed
                for row in self._connection.rows(
                    "SELECT id FROM sidecars WHERE path = ?", (path_bytes(path),)
                )
            ]
            self._journal.withdraw(entry_id, "sidecars", ids, what=_wrote(len(changes) - len(ids)))

    def _record(self, changes: Sequence[SidecarChange]) -> None:
        with self._journal.recording(_wrote(len(changes))):
            for change in changes:
                # What others have written in the meantime is no change of photopal's.
                [row] = self._connection.execute(
                    "INSERT INTO sidecars (path, photo_id, content, names) VALUES (?, ?, ?, '[]')"
                    " ON CONFLICT (path) DO UPDATE SET photo_id = excluded.photo_id,"
                    " content = excluded.content RETURNING id",
                    (path_bytes(change.path), change.photo_id, packed(change.before)),
                ).fetchall()
                self._journal.touch("sidecars", row[0])
                names = storable(json.dumps(change.names, ensure_ascii=False))
                self._connection.execute(
                    "UPDATE sidecars SET content = ?, names = ?, has_unconfirmed = ? WHERE id = ?",
                    (packed(change.after), names, change.has_unconfirmed, row[0]),
                )

    def remove_parts(self, parts: Iterable[Path]) -> int:
        """Remove those of some temporary files that a run left which was killed while it wrote a sidecar.

        A sidecar is recorded before it is written, so its temporary file is known by name and folder. As
        sidecars are only written under the lock, nobody is writing those any more that were there before.

        Args:
            parts: Files that `atomic_path` may have given.

        Returns:
            How many were removed; one that cannot be removed stays.
        """
        found = [part for part in parts if PART_NAME.fullmatch(part.name)]
        if not found:
            return 0
        with self._connection.lock():
            paths = map(path_of, self._connection.iter_column("SELECT path FROM sidecars"))
            ours = {(os.path.realpath(path.parent), path.name[:32]) for path in paths}
            return sum(
                remove_if_old(part)
                for part in found
                if (os.path.realpath(part.parent), part.name[1:].rsplit(".", 2)[0]) in ours
            )

    def photos(self, *, name: str | None = None) -> dict[int, bool]:
        """Return the photos beside which photopal wrote a sidecar, and whether with unconfirmed names.

        Args:
            name: Only those into whose sidecars photopal wrote this name, as far as it knows.
        """
        rows = self._connection.rows(
            "SELECT photo_id, has_unconfirmed, names FROM sidecars WHERE content NOT NULL ORDER BY photo_id"
        )
        wanted = None if name is None else name_key(name)
        found: dict[int, bool] = {}
        for row in rows:
            if wanted is None or wanted in map(name_key, json.loads(row["names"])):
                found[row["photo_id"]] = found.get(row["photo_id"], False) or bool(row["has_unconfirmed"])
        return found

    def is_beside(self, photo_ids: Collection[int]) -> bool:
        """Whether photopal has ever written a sidecar beside one of some photos."""
        rows = self._connection.iter_column("SELECT photo_id FROM sidecars")
        return any(photo_id in photo_ids for photo_id in rows)


def _wrote(number: int) -> str:
    """What the journal says of a run."""
    return f"wrote {count(number, 'sidecar')}"
