"""Keeps the vectors of all faces in one file that is mapped, not read, so that they are compared at once.

The library holds the vectors; this file only holds them side by side, and is written anew where it does not
fit the library. A row is 524 bytes: the face's number, its vector and minus half the vector's squared length,
so that one multiplication of the matrix gives all distances.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photopal.errors import LibraryError
from photopal.files import atomic_write
from photopal.library.lock import WriterLock

WIDTH = 128
_FLOATS = 2 + WIDTH + 1
_ROW_BYTES = 4 * _FLOATS
_SAMPLES = 16
_WAIT_S = 5.0
_ROWS_AT_ONCE = 1 << 16  # so that the scores of many people fit a processor's cache

Rows = Iterable[tuple[int, NDArray[np.float32]]]
"""Numbers and vectors of faces, the lowest number first."""


class FaceMatrix:
    """The vectors of a library's faces.

    Args:
        path: The file; where it cannot be written, the matrix is in memory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._matrix: NDArray[np.float32] = np.empty((0, _FLOATS), np.float32)

    def refresh(
        self,
        vectors_of: Callable[[Sequence[int]], dict[int, NDArray[np.float32]]],
        after: Callable[[int], Rows],
    ) -> None:
        """Bring the matrix up to the library.

        Args:
            vectors_of: Gives the library's vectors of some faces; faces it does not have are left out.
            after: Gives the library's faces with a number above one.
        """
        self._map()
        if not self._fits(vectors_of):
            self._matrix = np.empty((0, _FLOATS), np.float32)
        last = int(self._ids(np.array([len(self._matrix) - 1]))[0]) if len(self._matrix) else 0
        rows = [_row(number, vector) for number, vector in after(last)]
        if rows:
            self._append(np.array(rows, dtype=np.float32))

    def near(
        self, centers: NDArray[np.float32], within: NDArray[np.float32]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Return numbers and distances of the faces no farther from each of some vectors, the nearest first.

        The matrix is read once for all of them. Faces that are no longer in the library may be among them.

        Args:
            centers: `[centers, 128]`.
            within: `[centers]`, the largest distance from each.
        """
        wanted = np.concatenate([centers, np.ones((len(centers), 1))], axis=1, dtype=np.float32)
        lengths = np.square(wanted[:, :-1]).sum(axis=1)
        # |x - c|² = |c|² - 2 (x·c - |x|²/2); the matrix has no copy made of it.
        least = (lengths - np.square(within, dtype=np.float32)) / 2
        # One vector is multiplied faster than a matrix of one column, and all at once.
        is_one = len(centers) == 1
        factor, rows_at_once = (wanted[0], max(1, len(self._matrix))) if is_one else (wanted.T, _ROWS_AT_ONCE)
        found: list[list[tuple[NDArray[np.intp], NDArray[np.float32]]]] = [[] for _ in centers]
        for start in range(0, len(self._matrix), rows_at_once):
            # The scores are of rows by centers.
            scores = (self._matrix[start : start + rows_at_once, 2:] @ factor).reshape(-1, len(centers))
            # Several times as fast as `nonzero` in two dimensions.
            rows, columns = np.divmod(np.flatnonzero(scores >= least), len(centers))
            for index in np.unique(columns):
                near = rows[columns == index]
                found[index].append((near + start, scores[near, index]))
        results = []
        for length, blocks in zip(lengths, found, strict=True):
            rows = np.concatenate([np.empty(0, np.intp), *(rows for rows, _ in blocks)])
            scores = np.concatenate([np.empty(0, np.float32), *(scores for _, scores in blocks)])
            squares = np.maximum(length - 2 * scores, 0.0)
            order = np.argsort(squares, kind="stable")
            results.append((self._ids(rows[order]), np.sqrt(squares[order])))
        return results

    def _ids(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """The numbers in some rows; those of all would be as many pages to read as there are."""
        return np.ascontiguousarray(self._matrix[rows, :2]).view("<i8").reshape(-1)

    def _map(self) -> None:
        try:
            count = self._path.stat().st_size // _ROW_BYTES
            if count == len(self._matrix) and count:
                return
            if count:
                self._matrix = np.memmap(self._path, dtype="<f4", mode="r", shape=(count, _FLOATS))
        except (OSError, ValueError):
            # Without its file the matrix is built again.
            return

    def _fits(self, vectors_of: Callable[[Sequence[int]], dict[int, NDArray[np.float32]]]) -> bool:
        """Whether the last row and a few others are what the library has, as after a restore they are not."""
        count = len(self._matrix)
        if not count:
            return True
        rows = np.unique(np.linspace(0, count - 1, _SAMPLES).astype(int))
        ids = self._ids(rows).tolist()
        known = vectors_of(ids)
        return ids[-1] in known and all(
            number not in known or np.array_equal(self._matrix[row, 2:-1], known[number])
            for row, number in zip(rows.tolist(), ids, strict=True)
        )

    def _append(self, rows: NDArray[np.float32]) -> None:
        """Add rows to the file, behind those that are mapped; where another process was faster, in memory."""
        count = len(self._matrix)
        try:
            with WriterLock(self._path.with_name(f"{self._path.name}.lock"), wait_s=_WAIT_S):
                self._write(rows, count)
            self._matrix = np.memmap(self._path, dtype="<f4", mode="r", shape=(count + len(rows), _FLOATS))
        except (OSError, ValueError, LibraryError):
            self._matrix = np.concatenate([self._matrix, rows])

    def _write(self, rows: NDArray[np.float32], count: int) -> None:
        present = self._path.stat().st_size // _ROW_BYTES if self._path.exists() else 0
        if count == 0:
            # Replaced, never cut short: others may have it mapped.
            atomic_write(self._path, rows.astype("<f4").tobytes())
            return
        if present != count:
            raise ValueError("another process has added rows")
        with self._path.open("r+b") as file:
            # What an interrupted run left there is less than a row, and mapped by nobody.
            file.truncate(count * _ROW_BYTES)
            file.seek(count * _ROW_BYTES)
            file.write(rows.astype("<f4").tobytes())
            file.flush()
            os.fsync(file.fileno())


def _row(number: int, vector: NDArray[np.float32]) -> NDArray[np.float32]:
    halves = np.array([number], "<i8").view("<f4")
    return np.concatenate([halves, vector, [np.float32(-0.5) * (vector @ vector)]]).astype(np.float32)
