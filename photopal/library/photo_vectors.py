"""Keeps one vector for each photo's contents in a file that is mapped, not read; knows no model and no SQL.

Beside the library lie two files for each model: the keys, 16 bytes of a content hash each, and the vectors,
float16 of length 1, in the same order. Both only grow, and a vector is on the disk before its key is, so that
whatever interrupts leaves a whole beginning. As contents are the keys, the files outlive moves and restores.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from photopal.errors import LibraryError
from photopal.library.lock import WriterLock

_KEY_BYTES = 16
_ROWS_AT_ONCE = 8192
_WAIT_S = 10.0


class VectorFile:
    """The vectors of one model.

    Args:
        folder: Where the files are; made with the first vector.
        fingerprint: The model's; vectors of two models cannot be compared.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._stem = fingerprint
        self._rows: dict[bytes, int] = {}
        self._read = 0

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self._known())

    def __contains__(self, content_hash: str) -> bool:
        """Whether a photo's contents have a vector."""
        return bytes.fromhex(content_hash) in self._known()

    def add(self, content_hashes: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add vectors of contents that have none; those that have one keep it.

        Args:
            content_hashes: 32 hex digits each.
            vectors: `[photos, width]`, of any length but 0.

        Raises:
            LibraryError: The files cannot be written, or have vectors of another width.
            LibraryLockedError: Another process is adding and does not stop.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(f"{self._folder}: cannot be created: {error.strerror or error}") from error
        with WriterLock(self._folder / f"{self._stem}.lock", wait_s=_WAIT_S):
            known, width = self._known(), vectors.shape[1]
            present = self._vectors_path()
            if present is not None and present != self._path_of(width):
                raise LibraryError(f"{present}: the vectors in it do not have width {width}")
            new = {bytes.fromhex(key): row for row, key in enumerate(content_hashes)}
            new = {key: row for key, row in new.items() if key not in known}
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            units = (vectors / np.maximum(lengths, 1e-12)).astype("<f2")[list(new.values())]
            count = self._read
            _append(self._path_of(width), count * width * 2, units.tobytes())
            _append(self._keys_path, count * _KEY_BYTES, b"".join(new))

    def nearest(self, content_hash: str, limit: int) -> list[tuple[str, float]]:
        """Return the contents most like a photo's, the most alike first, without itself.

        Every vector is compared; 8,192 at a time are in memory.

        Args:
            content_hash: Of a photo that has a vector.
            limit: How many to return at most.

        Returns:
            Content hashes and cosines, 1 for the same.

        Raises:
            LibraryError: The contents have no vector.
        """
        row = self._known().get(bytes.fromhex(content_hash))
        path = self._vectors_path()
        if row is None or path is None:
            raise LibraryError(f"{self._folder}: no vector for photo {content_hash}")
        width = _width_of(path)
        try:
            vectors = np.memmap(path, dtype="<f2", mode="r", shape=(self._read, width))
        except (OSError, ValueError) as error:
            raise LibraryError(f"{path}: cannot be read: {error}", hint=self._hint) from error
        wanted = vectors[row].astype(np.float32)
        if not np.isfinite(wanted).all():
            raise LibraryError(f"{path}: damaged", hint=self._hint)
        best = np.empty(0, dtype=np.float32)
        rows = np.empty(0, dtype=np.int64)
        for start in range(0, len(vectors), _ROWS_AT_ONCE):
            with np.errstate(all="ignore"):
                scores = vectors[start : start + _ROWS_AT_ONCE].astype(np.float32) @ wanted
            # A vector that is damaged is like nothing.
            scores[~(np.abs(scores) <= 1.1)] = -1.0
            best = np.concatenate([best, scores])
            rows = np.concatenate([rows, np.arange(start, start + len(scores))])
            nearest = np.argsort(-best, kind="stable")[: limit + 1]
            best, rows = best[nearest], rows[nearest]
        near = set(rows.tolist())
        keys = {near_row: key for key, near_row in self._rows.items() if near_row in near}
        found = [
            (keys[near_row].hex(), float(score))
            for score, near_row in zip(best.tolist(), rows.tolist(), strict=True)
            if near_row != row
        ]
        return found[:limit]

    @property
    def _hint(self) -> str:
        return f"Delete {self._folder}; `photopal similar` creates it again."

    @property
    def _keys_path(self) -> Path:
        return self._folder / f"{self._stem}.keys"

    def _path_of(self, width: int) -> Path:
        return self._folder / f"{self._stem}-{width}.f16"

    def _vectors_path(self) -> Path | None:
        files = sorted(self._folder.glob(f"{self._stem}-*.f16"))
        return next((path for path in files if _width_of(path)), None)

    def _count(self) -> int:
        """How many whole vectors with keys there are on the disk."""
        path = self._vectors_path()
        if path is None or not self._keys_path.exists():
            return 0
        return min(path.stat().st_size // (2 * _width_of(path)), self._keys_path.stat().st_size // _KEY_BYTES)

    def _known(self) -> dict[bytes, int]:
        """The row of each key that has a whole vector, those that others added meanwhile too."""
        try:
            count = self._count()
            if count < self._read:
                self._rows, self._read = {}, 0
            first, keys = self._read, b""
            if count > first:
                with self._keys_path.open("rb") as file:
                    file.seek(first * _KEY_BYTES)
                    keys = file.read((count - first) * _KEY_BYTES)
        except OSError as error:
            reason = error.strerror or error
            raise LibraryError(f"{self._keys_path}: cannot be read: {reason}", hint=self._hint) from error
        if keys:
            self._rows |= {
                keys[index * _KEY_BYTES : (index + 1) * _KEY_BYTES]: first + index
                for index in range(count - first)
            }
            self._read = count
        return self._rows


def _width_of(path: Path) -> int:
    """How long the vectors of a file are; 0 where its name does not say so."""
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _append(path: Path, size_bytes: int, piece: bytes) -> None:
    """Write a piece behind the part of a file that counts, over whatever an interrupted run left there."""
    try:
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(size_bytes)
            file.seek(size_bytes)
            file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise LibraryError(f"{path}: cannot be written: {error.strerror or error}") from error
