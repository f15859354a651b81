"""This process's streams: keeps photopal's own words apart from what libraries write to stderr.

Libraries write to stderr as they like: libtiff and torch from C, others through `warnings`, `logging` and
progress bars. So the program moves stderr, file descriptor 2, to a file that nobody sees, and talks to the
user through a copy of the old one. What is in the file is kept as a log in the end.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TextIO

_MOST_LOG_BYTES = 1 << 20

_talk: TextIO | None = None
_chatter: BinaryIO | None = None


class OutputError(BaseException):
    """Results cannot be written; no `Exception`, as nothing below `cli/` may take it for a failed photo.

    Attributes:
        is_closed: Whether whoever read the output went, as `head` does; else, say, a disk is full.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"cannot write the output: {error.strerror or error}")
        self.is_closed = isinstance(error, BrokenPipeError)


class _Results(io.FileIO):
    """Stdout. After the first failure the rest is dropped, or Python would complain of it as it ends."""

    _is_lost = False

    def write(self, piece: memoryview | bytes, /) -> int | None:  # type: ignore[override]
        if self._is_lost:
            return len(piece)
        try:
            return super().write(piece)
        except OSError as error:
            self._is_lost = True
            raise OutputError(error) from error


class _Talk(io.FileIO):
    """Stderr. What cannot be written is dropped: there is nobody left to tell, and the work goes on."""

    def write(self, piece: memoryview | bytes, /) -> int | None:  # type: ignore[override]
        try:
            return super().write(piece)
        except OSError:
            return len(piece)


def take_over(*, is_debug: bool) -> None:
    """Begin to keep photopal's streams apart from its libraries'; once in a process, which ends with it.

    Args:
        is_debug: Leave what libraries say on stderr.
    """
    global _talk, _chatter
    # Open the standard streams that this process was started without, or the next file takes their place.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
    if isinstance(sys.stdout, io.TextIOWrapper) and not _is_windows_console(sys.stdout):
        sys.stdout = _like(sys.stdout, _Results(sys.stdout.fileno(), "wb", closefd=False))
    if not isinstance(sys.stderr, io.TextIOWrapper):
        return
    sys.stderr.reconfigure(errors="backslashreplace")
    if _is_windows_console(sys.stderr):
        return
    _talk = _like(sys.stderr, _Talk(os.dup(sys.stderr.fileno()), "wb"))
    if is_debug:
        return
    try:
        _chatter = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as the process
    except OSError:
        # No disk has room: what libraries say is lost, but still not shown.
        _chatter = Path(os.devnull).open("r+b", buffering=0)  # noqa: SIM115 - as above
    os.dup2(_chatter.fileno(), sys.stderr.fileno())


def talk_stream() -> TextIO:
    """Where photopal talks to the user."""
    return sys.stderr if _talk is None else _talk


def keep_log(path: Path) -> None:
    """Save what libraries printed in this run, if anything, in place of the log of an earlier one.

    Never fails: a log is not worth a failed command.
    """
    if _chatter is None:
        return
    with suppress(OSError):
        size = os.fstat(_chatter.fileno()).st_size
        if size and path.parent.is_dir():
            _chatter.seek(max(0, size - _MOST_LOG_BYTES))
            path.write_bytes(_chatter.read(_MOST_LOG_BYTES))


def _like(stream: io.TextIOWrapper, raw: io.FileIO) -> TextIO:
    """A text stream over another file, otherwise like one that is there.

    Whatever its encoding lacks is escaped: a file name or a caption must not end the run.
    """
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors="backslashreplace",
        # An unbuffered stream says so by `write_through` alone, which would stop at the writer above.
        line_buffering=stream.line_buffering or stream.write_through,
        write_through=stream.write_through,
    )


def _is_windows_console(stream: io.TextIOWrapper) -> bool:
    """Whether text goes to a Windows console, which takes no bytes in the stream's encoding."""
    return sys.platform == "win32" and stream.isatty()
