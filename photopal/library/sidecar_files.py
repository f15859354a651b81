"""Writes sidecars and puts them back as they were; knows paths and bytes, not what is in them."""

from __future__ import annotations

import stat
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from photopal.errors import LibraryError
from photopal.files import atomic_write
from photopal.library.connection import path_of

_STARTED_AT_S = time.time()


class FileState(NamedTuple):
    """What is to be in a file, and what is expected to be in it now; None where it is not there."""

    path: Path
    content: bytes | None
    expected: bytes | None

    @classmethod
    def of(cls, path: bytes, content: bytes | None, expected: bytes | None) -> Self:
        """Make it of two versions of a row."""
        return cls(path_of(path), unpacked(content), unpacked(expected))


def put_back(states: Iterable[FileState]) -> None:
    """Write sidecars as they were, all or none; one that is so already is left alone.

    Raises:
        LibraryError: Another program has changed one of them since, or one cannot be written.
    """
    to_write = []
    for state in states:
        present = read_sidecar(state.path)
        if present == state.content:
            continue
        if present != state.expected:
            raise LibraryError(
                f"{state.path}: changed by another program since photopal wrote it",
                hint="To take out only what photopal wrote, run `photopal write-metadata --remove --yes` on"
                " its photo.",
            )
        to_write.append(state)
    for state in to_write:
        try:
            write_sidecar(state.path, state.content)
        except OSError as error:
            raise LibraryError(f"{state.path}: cannot be written: {error.strerror or error}") from error


def read_sidecar(path: Path) -> bytes | None:
    """Return the bytes of a sidecar; None where there is none.

    Raises:
        LibraryError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror or error}") from error


def write_sidecar(path: Path, content: bytes | None) -> None:
    """Write a sidecar in one go; remove it where there is to be none.

    Raises:
        OSError: It cannot be written.
    """
    if content is None:
        with suppress(FileNotFoundError):
            path.unlink()
    else:
        atomic_write(path, content)


def remove_if_old(path: Path) -> bool:
    """Remove a file that is older than this process, and tell whether that was done."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_mtime >= _STARTED_AT_S:
            return False
        path.unlink()
    except OSError:
        return False
    return True


def packed(content: bytes | None) -> bytes | None:
    """Return a sidecar's bytes as they are kept."""
    return None if content is None else zlib.compress(content, 9)


def unpacked(kept: bytes | None) -> bytes | None:
    """Return the bytes that `packed` made into what is kept."""
    return None if kept is None else zlib.decompress(kept)
