"""Keeps the paths at which photos were seen, and the files that could not be read; never opens a file.

A path is never forgotten, only marked missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from photopal.library.connection import Connection, now, path_bytes, path_of, storable
from photopal.library.fts import WordIndex
from photopal.library.metadata import FileFacts
from photopal.library.models import Problem
from photopal.library.pictures import Pictures

if TYPE_CHECKING:
    from photopal.photos import Skipped

_ROWS_AT_ONCE = 500

PICTURE_CHANGED = "the picture changed since its caption, names or date were given"
"""The note on a photo whose pixels were edited after the user had said something of it."""


class KnownPath(NamedTuple):
    """A path at which a file was seen; `number` is its row's."""

    number: int
    photo_id: int
    stamp: tuple[int, int]  # size in bytes, modification time in nanoseconds
    is_missing: bool
    is_hashed: bool  # not before a version that knows pictures has read the file


class KnownProblem(NamedTuple):
    """A path at which a file could not be read; without a stamp it is tried again."""

    reason: str
    stamp: tuple[int | None, int | None]


class KnownFile(NamedTuple):
    """A file that is there; `number` is its row's."""

    path: Path
    number: int
    photo_id: int
    stamp: tuple[int, int]
    content_hash: str | None = None


class Paths:
    """The part of a library that is about files.

    Args:
        connection: The open library.
        facts: Renewed for each photo whose files change.
        words: Renewed after them.
        pictures: Turn photos as the files are by which they are known.
    """

    def __init__(
        self, connection: Connection, *, facts: FileFacts, words: WordIndex, pictures: Pictures
    ) -> None:
        self._connection = connection
        self._facts = facts
        self._words = words
        self._pictures = pictures

    def add(
        self,
        photo_id: int,
        path: Path,
        *,
        size_bytes: int,
        mtime_ns: int,
        content_hash: str | None = None,
        orientation: int | None = None,
    ) -> None:
        """Note that a photo's file is at a path; whatever was there before is there no more.

        The photo's own facts and words are not renewed: `FileFacts.put` follows.

        Args:
            photo_id: The photo.
            path: The file.
            size_bytes: Its size.
            mtime_ns: Its modification time.
            content_hash: That of all its bytes.
            orientation: EXIF's; left out, the one last read at the path.
        """
        key = path_bytes(path)
        with self._connection.writing():
            before = self._connection.rows("SELECT photo_id FROM paths WHERE path = ?", (key,))
            self._connection.execute(
                "INSERT INTO paths (path, photo_id, size_bytes, mtime_ns, seen_at, content_hash)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
                " photo_id = excluded.photo_id, size_bytes = excluded.size_bytes,"
                " mtime_ns = excluded.mtime_ns, seen_at = excluded.seen_at, missing_since = NULL,"
                " content_hash = excluded.content_hash",
                (key, photo_id, size_bytes, mtime_ns, now(), content_hash),
            )
            self._connection.execute("DELETE FROM problems WHERE path = ?", (key,))
            for changed_id in {photo_id, *(row[0] for row in before)}:
                if changed_id == photo_id:
                    self._follow_file(photo_id, {key: orientation})
                else:
                    self._update_photo(changed_id)

    def of(self, photo_id: int) -> list[Path]:
        """Return every path at which a photo's file is, in path order; none while it is missing."""
        rows = self._connection.rows(
            "SELECT path FROM paths WHERE photo_id = ? AND missing_since IS NULL ORDER BY path", (photo_id,)
        )
        return [path_of(row[0]) for row in rows]

    def stamp_at(self, path: Path) -> tuple[int, int] | None:
        """Return size in bytes and time in ns of the file last seen at a path; None if none is there."""
        rows = self._connection.rows(
            "SELECT size_bytes, mtime_ns FROM paths WHERE path = ? AND missing_since IS NULL",
            (path_bytes(path),),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def mark_missing(self, paths: Iterable[Path]) -> int:
        """Note that files are gone; return how many photos have no file left. Nothing is forgotten."""
        with self._connection.writing():
            gone = 0
            for path in paths:
                rows = self._connection.execute(
                    "UPDATE paths SET missing_since = ? WHERE path = ? AND missing_since IS NULL"
                    " RETURNING photo_id",
                    (now(), path_bytes(path)),
                ).fetchall()
                gone += sum(not self._update_photo(row[0]) for row in rows)
        return gone

    def mark_present(self, paths: Iterable[Path]) -> None:
        """Note that files that were missing are there again, unchanged."""
        with self._connection.writing():
            for path in paths:
                rows = self._connection.execute(
                    "UPDATE paths SET missing_since = NULL, seen_at = ? WHERE path = ? RETURNING photo_id",
                    (now(), path_bytes(path)),
                ).fetchall()
                for row in rows:
                    self._update_photo(row[0])

    def add_problem(
        self, skipped: Skipped, *, size_bytes: int | None, mtime_ns: int | None, is_note: bool = False
    ) -> None:
        """Record a file that cannot be read; size and time None means it is worth another try.

        Args:
            skipped: The file and the reason.
            size_bytes: Its size when it was tried.
            mtime_ns: Its modification time then.
            is_note: It can be read, and the reason is what decoders say of it.
        """
        with self._connection.writing():
            self._connection.execute(
                "INSERT INTO problems (path, reason, size_bytes, mtime_ns, seen_at, is_note)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
                " reason = excluded.reason, size_bytes = excluded.size_bytes,"
                " mtime_ns = excluded.mtime_ns, seen_at = excluded.seen_at, is_note = excluded.is_note",
                (path_bytes(skipped.path), storable(skipped.reason), size_bytes, mtime_ns, now(), is_note),
            )

    def clear_problems(self, paths: Iterable[Path]) -> None:
        """Drop the problems of files that are gone or good."""
        with self._connection.writing():
            for path in paths:
                self._connection.execute("DELETE FROM problems WHERE path = ?", (path_bytes(path),))

    def problems(self) -> list[Problem]:
        """Return the files that could not be read, and those that have a note, in path order."""
        rows = self._connection.rows(
            "SELECT path, reason, seen_at, is_note FROM problems UNION ALL"
            " SELECT path, ?, picture_changed_at, 1 FROM photos"
            " WHERE picture_changed_at NOT NULL AND missing_since IS NULL ORDER BY path",
            (PICTURE_CHANGED,),
        )
        return [Problem(path_of(row[0]), row[1], row[2], is_note=bool(row[3])) for row in rows]

    def known_at(self, keys: Sequence[bytes]) -> dict[bytes, KnownPath]:
        """Return what is known at paths, given as bytes, missing or not."""
        rows = self._at(
            "path, rowid, photo_id, size_bytes, mtime_ns, missing_since NOT NULL, content_hash NOT NULL",
            "paths",
            keys,
        )
        return {
            row[0]: KnownPath(row[1], row[2], (row[3], row[4]), bool(row[5]), bool(row[6])) for row in rows
        }

    def known_problems_at(self, keys: Sequence[bytes]) -> dict[bytes, KnownProblem]:
        """Return the problems at paths, given as bytes; notes about files that can be read are none."""
        rows = self._at("path, reason, size_bytes, mtime_ns, is_note", "problems", keys)
        return {row[0]: KnownProblem(row[1], (row[2], row[3])) for row in rows if not row[4]}

    def last_number(self) -> int:
        """Return the highest number of a path's row; later rows have higher ones."""
        last: int = self._connection.rows("SELECT coalesce(max(rowid), 0) FROM paths")[0][0]
        return last

    def files_below(self, root: Path) -> Iterator[KnownFile]:
        """Yield the files that are there at a path and below it, in path order."""
        columns = "path, rowid, photo_id, size_bytes, mtime_ns"
        for row in self._below(columns, "paths", root, condition="AND missing_since IS NULL"):
            yield KnownFile(path_of(row[0]), row[1], row[2], (row[3], row[4]))

    def problems_below(self, root: Path) -> Iterator[tuple[Path, str]]:
        """Yield the paths of the problems at a path and below it, and the reasons."""
        for row in self._below("path, reason", "problems", root):
            yield path_of(row[0]), row[1]

    def count_below(self, root: Path) -> int:
        """Count the files that are there at a path and below it."""
        key, first, end = _span(root)
        sql = "SELECT count(*) FROM paths WHERE (path = ? OR (path >= ? AND path < ?))"
        count: int = self._connection.rows(f"{sql} AND missing_since IS NULL", (key, first, end))[0][0]
        return count

    def has_seen(self, root: Path) -> bool:
        """Tell whether anything was ever seen at a path or below it, missing by now or not."""
        return any(
            self._connection.rows(
                f"SELECT 1 FROM {table} WHERE path = ? OR (path >= ? AND path < ?) LIMIT 1", _span(root)
            )
            for table in ("paths", "problems")
        )

    def files_of(self, photo_id: int) -> list[KnownFile]:
        """Return every path at which a photo's file is, in path order, with row numbers and stamps."""
        rows = self._connection.rows(
            "SELECT path, rowid, photo_id, size_bytes, mtime_ns, content_hash FROM paths"
            " WHERE photo_id = ? AND missing_since IS NULL ORDER BY path",
            (photo_id,),
        )
        return [KnownFile(path_of(row[0]), row[1], row[2], (row[3], row[4]), row[5]) for row in rows]

    def copies(self) -> list[tuple[int, list[Path]]]:
        """Return the photos with more than one file, each with the paths of all of them, in path order."""
        rows = self._connection.rows(
            "SELECT photo_id, path FROM paths WHERE missing_since IS NULL AND photo_id IN"
            " (SELECT photo_id FROM paths WHERE missing_since IS NULL GROUP BY photo_id HAVING count(*) > 1)"
            " ORDER BY photo_id, path"
        )
        groups: dict[int, list[Path]] = {}
        for row in rows:
            groups.setdefault(row[0], []).append(path_of(row[1]))
        return list(groups.items())

    def prefer_files(self, links: Sequence[bytes]) -> None:
        """Know photos by their files where they are known by links to them, as earlier versions left them.

        Args:
            links: Paths, as bytes, that are links or lead through one.
        """
        marks = ", ".join("?" * len(links))
        rows = self._connection.rows(
            "SELECT photos.id, photos.path FROM photos JOIN paths ON paths.photo_id = photos.id"
            f" AND paths.path = photos.path WHERE paths.path IN ({marks}) AND photos.missing_since IS NULL",
            links,
        )
        changed = [row[0] for row in rows if self._best_path(row[0]) != row[1]]
        if changed:
            with self._connection.writing():
                for photo_id in changed:
                    self._update_photo(photo_id)

    def _best_path(self, photo_id: int) -> bytes | None:
        """Return the path to know a photo by, the present one if it may stay; None while it is missing."""
        rows = self._connection.rows(
            "SELECT path FROM paths WHERE photo_id = ?1 AND missing_since IS NULL"
            " ORDER BY path <> (SELECT path FROM photos WHERE id = ?1), path",
            (photo_id,),
        )
        paths: list[bytes] = [row[0] for row in rows]
        if len(paths) < 2:
            return paths[0] if paths else None
        # A link is no photo to keep: the file that it leads to may be deleted for it.
        path = next((path for path in paths if not _is_link(path)), paths[0])
        real_path = os.path.realpath(path)
        return real_path if real_path in paths else path

    def _update_photo(self, photo_id: int) -> bool:
        """Bring a photo's path, its tombstone and its words in line with its paths; tell if it is there."""
        is_there = self._follow_file(photo_id, {})
        self._facts.refresh(photo_id)
        self._words.refresh((photo_id,))
        return is_there

    def _follow_file(self, photo_id: int, orientations: Mapping[bytes, int | None]) -> bool:
        """Bring a photo's path and its tombstone in line with its paths; tell if it is there.

        Copies of a photo may be turned differently: size, thumbnail and boxes are those of the file by which
        it is known.

        Args:
            photo_id: The photo.
            orientations: Of files that were just read; of all others it is known already.
        """
        path = self._best_path(photo_id)
        if path is None:
            self._connection.execute(
                "UPDATE photos SET missing_since = coalesce(missing_since, ?) WHERE id = ?",
                (now(), photo_id),
            )
            return False
        [(before,)] = self._connection.rows("SELECT path FROM photos WHERE id = ?", (photo_id,))
        if path != before:
            orientation = orientations.get(path) or self._facts.orientation_at(path_of(path))
            [(content_hash,)] = self._connection.rows(
                "SELECT content_hash FROM paths WHERE path = ?", (path,)
            )
            if orientation is not None:
                self._pictures.turn_as(photo_id, orientation, content_hash=content_hash)
        self._connection.execute(
            "UPDATE photos SET path = ?, missing_since = NULL WHERE id = ?", (path, photo_id)
        )
        return True

    def _at(self, columns: str, table: str, keys: Sequence[bytes]) -> list[Any]:
        marks = ", ".join("?" * len(keys))
        return self._connection.rows(f"SELECT {columns} FROM {table} WHERE path IN ({marks})", keys)

    def _below(self, columns: str, table: str, root: Path, *, condition: str = "") -> Iterator[Any]:
        key, first, end = _span(root)
        yield from self._connection.rows(f"SELECT {columns} FROM {table} WHERE path = ? {condition}", (key,))
        sql = (
            f"SELECT {columns} FROM {table} WHERE path > ? AND path < ? {condition}"
            f" ORDER BY path LIMIT {_ROWS_AT_ONCE}"
        )
        while rows := self._connection.rows(sql, (first, end)):
            yield from rows
            first = rows[-1][0]


def _is_link(path: bytes) -> bool:
    # Unlike the method of a path it raises nothing where a folder is closed or a drive does not answer.
    return os.path.islink(path)  # noqa: PTH114


def _span(root: Path) -> tuple[bytes, bytes, bytes]:
    """Return a path as bytes, and the two between which all paths below it sort."""
    key = path_bytes(root)
    first = key.rstrip(os.sep.encode()) + os.sep.encode()
    return key, first, first[:-1] + bytes([first[-1] + 1])
