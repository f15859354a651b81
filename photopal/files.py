"""Writes files whole or not at all, and tells whether they are there and changed; knows no content."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import AnyStr, NamedTuple, Self

PART_NAME = re.compile(r"\.(.{1,32})\.[0-9a-f]{16}\.part", re.DOTALL)
"""The name of the file that `atomic_path` gives: of the file that it becomes, it has the first 32 letters."""


class Stamp(NamedTuple):
    """What shows that a file's content changed."""

    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """The stamp in what the system says about a file."""
        return cls(status.st_size, status.st_mtime_ns)


def stamp_of(path: str | Path) -> Stamp | None:
    """Return a file's stamp; None when it is gone, out of reach or no regular file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - called for each file in watched folders, as text
    except (OSError, ValueError):
        return None
    return Stamp.of(status) if stat.S_ISREG(status.st_mode) else None


# pathlib raises where a name has over 255 bytes or a folder must not be entered; there nothing can be read.
def is_there(path: Path) -> bool:
    """Whether a path leads to a file or folder; False also where it cannot lead anywhere."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Whether a path leads to a regular file; False also where it cannot lead anywhere."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; False also where it cannot lead anywhere."""
    return os.path.isdir(path)  # noqa: PTH112


def leads_nowhere(path: str | Path) -> bool:
    """Whether nothing is at a path, not even through a link; False where it is only out of reach."""
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    return False


def path_and_parents(path: AnyStr) -> Iterator[AnyStr]:
    """Yield a path and all folders above it; as text or bytes, which a library stores."""
    while True:
        yield path
        above = os.path.dirname(path)  # noqa: PTH120 - bytes are no Path
        if above == path:
            return
        path = above


def atomic_write(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file in one go, text as UTF-8; see `atomic_path`."""
    with atomic_path(path, durable=durable) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def atomic_path(path: Path, *, durable: bool = True, replace: bool = True) -> Iterator[Path]:
    """Give the path of an empty file to write, which becomes `path` when the block ends without an error.

    At every instant there is either the old file or the whole new one. After an error or Ctrl-C the old file
    is as it was and the temporary one is gone. The mode is that of the old file, or what the umask leaves.

    Args:
        path: The file to write; its folder is there.
        durable: Wait until the content is on the disk, so that a power cut cannot leave an empty file.
        replace: Whether an existing file may be replaced, also one that appears while the block runs.

    Raises:
        FileExistsError: There is a file already and `replace` is false.
        OSError: The file cannot be written.
    """
    # In the same folder, as files move in one step only within a file system; hidden from indexing, and with
    # the start of the name only, so that a name of the greatest length stays possible.
    part = path.with_name(f".{path.name[:32]}.{os.urandom(8).hex()}.part")
    try:
        part.touch(exist_ok=False)
        yield part
        if durable:
            with part.open("r+b") as file:
                os.fsync(file.fileno())
        if replace:
            with suppress(OSError):  # no old file, or a file system without modes
                part.chmod(stat.S_IMODE(path.stat().st_mode))
            part.replace(path)
        else:
            _move_to_new(part, path)
        if durable:
            # Have the new name on the disk too. The content is safe by now, so a system that cannot is no
            # error.
            with suppress(OSError):
                handle = os.open(path.parent, os.O_RDONLY)  # Windows opens no folders
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _move_to_new(part: Path, path: Path) -> None:
    """Give a file a name that no other has; renaming alone would replace."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:
        # No hard links on this file system: an empty file claims the name first.
        path.touch(exist_ok=False)
        try:
            part.replace(path)
        except BaseException:
            path.unlink()
            raise
