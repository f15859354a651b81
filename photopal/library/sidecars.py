"""Remembers which sidecars photopal wrote, and what was in them before, so that it can be taken back.

What is to be written is committed first and written then: a run that is killed between leaves old sidecars
beside new ones, each of them whole, and undoing it makes all of them old again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from photopal.library.connection import Connection, path_bytes, path_of, storable
from photopal.library.history import Journal
from photopal.library.sidecar_files import packed
from photopal.text import name_key


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

    def record(self, changes: Sequence[SidecarChange], *, what: str) -> None:
        """Note that sidecars are about to be changed, as one entry of the journal; writes none of them."""
        with self._journal.recording(what):
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

    def with_name(self, name: str) -> list[Path]:
        """Return the sidecars into which photopal wrote a name that is there, as far as it knows."""
        rows = self._connection.rows("SELECT path, names FROM sidecars WHERE names <> '[]' ORDER BY path")
        wanted = name_key(name)
        return [path_of(row[0]) for row in rows if wanted in map(name_key, json.loads(row[1]))]

    def photos(self) -> dict[int, bool]:
        """Return the photos beside which photopal wrote a sidecar, and whether with unconfirmed names."""
        rows = self._connection.rows(
            "SELECT photo_id, max(has_unconfirmed) FROM sidecars WHERE content NOT NULL GROUP BY photo_id"
        )
        return {row[0]: bool(row[1]) for row in rows}
