"""Writes sidecars and puts them back as they were; knows paths and bytes, not what is in them."""

from __future__ import annotations

import errno
import os
import stat
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from photopal.errors import LibraryError
from photopal.files import atomic_write, is_there
from photopal.library.connection import path_of

_STARTED_AT_S = time.time()


class FileState(NamedTuple):
    """What is to be in a file, and what is expected to be in it now; None where it is not there.

    `photos` are the paths at which the library knows its photo to be.
    """

    path: Path
    content: bytes | None
    expected: bytes | None
    photos: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls, path: bytes, content: bytes | None, expected: bytes | None, *, photos: Iterable[bytes]
    ) -> Self:
        """Make it of two versions of a row."""
        return cls(path_of(path), unpacked(content), unpacked(expected), tuple(map(path_of, photos)))


def put_back(states: Iterable[FileState]) -> None:
    """Write sidecars as they were, all or none; one that is so already is left alone.

    A sidecar that was moved together with its photo is put back beside it.

    Raises:
        LibraryError: Another program has changed one of them since, one cannot be written, or its photo is
            not where the library knows it.
    """
    to_write = []
    for state in _where_they_are(states):
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


def _where_they_are(states: Iterable[FileState]) -> list[FileState]:
    """The sidecars at their present paths; those that are still where they were come first."""
    found: list[FileState] = []
    moved: list[FileState] = []
    for state in states:
        (found if _is_in_place(state) else moved).append(state)
    taken = {state.path for state in found}
    for state in moved:
        free = [path for path in _beside(state.path, state.photos) if path not in taken]
        if not free:
            raise LibraryError(
                f"{state.path}: cannot be put back, because its photo is no longer there",
                hint="Run `photopal index` on the folder that it is in now and undo again; or take out what"
                " photopal wrote with `photopal write-metadata --remove --yes` on the photo.",
            )
        # Of several copies of a photo the one whose sidecar is as photopal left it.
        path = min(free, key=lambda path: (read_sidecar(path) != state.expected, not is_there(path)))
        taken.add(path)
        found.append(state._replace(path=path))
    return found


def _is_in_place(state: FileState) -> bool:
    """Whether a sidecar is where it was written, or its photo is there, or the photo is nowhere any more."""
    return not state.photos or is_there(state.path) or state.path in _beside(state.path, state.photos)


def _beside(sidecar: Path, photos: Sequence[Path]) -> list[Path]:
    """Where a sidecar that is named in the same way would be beside photos, of those that are there."""
    from photopal.photos.discover import is_photo_named

    ending = sidecar.suffix
    is_whole = is_photo_named(sidecar.stem)
    there = [photo for photo in photos if is_there(photo)]
    names = [photo.with_name((photo.name if is_whole else photo.stem) + ending) for photo in there]
    # No folder in the path of a written sidecar is a link.
    return [Path(os.path.realpath(name)) for name in names]


def read_sidecar(path: Path) -> bytes | None:
    """Return the bytes of a sidecar; None where there is none.

    Raises:
        LibraryError: It cannot be read.
    """
    try:
        # A pipe would never end; of a folder the system says so below.
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            raise LibraryError(f"{path}: cannot be read: not a file")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            # A photo's name may be as long as names can be; then none can be called after it.
            return None
        raise LibraryError(f"{path}: cannot be read: {error.strerror or error}") from error


def has_possible_name(path: Path) -> bool:
    """Whether a file can have a path, or its name is longer than the file system allows."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


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
