"""Answers what indexing asks of very many files at once, in small portions; never opens a file.

Rows are told apart by their number, so that whoever walks over a large library can keep one bit for each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from photopal.library.connection import path_bytes, path_of
from photopal.library.path_table import PathTable

_ROWS_AT_ONCE = 500


class KnownPath(NamedTuple):
    """A path at which a file was seen; `number` is its row's."""

    number: int
    photo_id: int
    stamp: tuple[int, int]  # size in bytes, modification time in nanoseconds
    is_missing: bool


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


class IndexTable(PathTable):
    """The part of a library that is about many files at once."""

    def known_paths_at(self, keys: Sequence[bytes]) -> dict[bytes, KnownPath]:
        """Return what is known at paths, given as bytes, missing or not."""
        rows = self._rows_at(
            "path, rowid, photo_id, size_bytes, mtime_ns, missing_since NOT NULL", "paths", keys
        )
        return {row[0]: KnownPath(row[1], row[2], (row[3], row[4]), bool(row[5])) for row in rows}

    def known_problems_at(self, keys: Sequence[bytes]) -> dict[bytes, KnownProblem]:
        """Return the problems at paths, given as bytes; notes about files that can be read are none."""
        rows = self._rows_at("path, reason, size_bytes, mtime_ns, is_note", "problems", keys)
        return {row[0]: KnownProblem(row[1], (row[2], row[3])) for row in rows if not row[4]}

    def last_path_number(self) -> int:
        """Return the highest number of a path's row; later rows have higher ones."""
        last: int = self._rows("SELECT coalesce(max(rowid), 0) FROM paths")[0][0]
        return last

    def files_below(self, root: Path) -> Iterator[KnownFile]:
        """Yield the files that are there at a path and below it, in path order."""
        columns = "path, rowid, photo_id, size_bytes, mtime_ns"
        for row in self._rows_below(columns, "paths", root, condition="AND missing_since IS NULL"):
            yield KnownFile(path_of(row[0]), row[1], row[2], (row[3], row[4]))

    def problems_below(self, root: Path) -> Iterator[Path]:
        """Yield the paths of the problems at a path and below it."""
        for row in self._rows_below("path", "problems", root):
            yield path_of(row[0])

    def count_below(self, root: Path) -> int:
        """Count the files that are there at a path and below it."""
        key, first, end = _span(root)
        sql = "SELECT count(*) FROM paths WHERE (path = ? OR (path >= ? AND path < ?))"
        count: int = self._rows(f"{sql} AND missing_since IS NULL", (key, first, end))[0][0]
        return count

    def has_seen(self, root: Path) -> bool:
        """Tell whether anything was ever seen at a path or below it, missing by now or not."""
        return any(
            self._rows(
                f"SELECT 1 FROM {table} WHERE path = ? OR (path >= ? AND path < ?) LIMIT 1", _span(root)
            )
            for table in ("paths", "problems")
        )

    def files_of(self, photo_id: int) -> list[KnownFile]:
        """Return every path at which a photo's file is, in path order, with row numbers and stamps."""
        rows = self._rows(
            "SELECT path, rowid, photo_id, size_bytes, mtime_ns FROM paths"
            " WHERE photo_id = ? AND missing_since IS NULL ORDER BY path",
            (photo_id,),
        )
        return [KnownFile(path_of(row[0]), row[1], row[2], (row[3], row[4])) for row in rows]

    def _rows_at(self, columns: str, table: str, keys: Sequence[bytes]) -> list[Any]:
        marks = ", ".join("?" * len(keys))
        return self._rows(f"SELECT {columns} FROM {table} WHERE path IN ({marks})", keys)

    def _rows_below(self, columns: str, table: str, root: Path, *, condition: str = "") -> Iterator[Any]:
        key, first, end = _span(root)
        yield from self._rows(f"SELECT {columns} FROM {table} WHERE path = ? {condition}", (key,))
        sql = (
            f"SELECT {columns} FROM {table} WHERE path > ? AND path < ? {condition}"
            f" ORDER BY path LIMIT {_ROWS_AT_ONCE}"
        )
        while rows := self._rows(sql, (first, end)):
            yield from rows
            first = rows[-1][0]


def _span(root: Path) -> tuple[bytes, bytes, bytes]:
    """Return a path as bytes, and the two between which all paths below it sort."""
    key = path_bytes(root)
    first = key.rstrip(os.sep.encode()) + os.sep.encode()
    return key, first, first[:-1] + bytes([first[-1] + 1])
