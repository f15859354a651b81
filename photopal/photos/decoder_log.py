"""Collects what decoders say about a photo beside decoding it; knows no format but its first bytes.

Pillow warns through `warnings`, in the thread that decodes. libtiff and LibRaw write to stderr, file
descriptor 2, which belongs to the whole process: their photos are decoded one at a time, with the descriptor
pointed at a file, so that each word is known to be about this photo. The formats most photos have are decoded
by libraries that say nothing, and wait for nobody.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, local
from typing import BinaryIO, TextIO

from PIL import Image

_STDERR = 2
_MOST_NOTES = 3
_MOST_LETTERS = 200

# JPEG, PNG, GIF, WebP and BMP; HEIC and AVIF, whose fifth byte on says so, but not CR3, which is like them.
_SILENT = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"BM")
_SILENT_BOX, _CR3 = b"ftyp", b"ftypcrx"
# What Pillow calls every file that it gives to libtiff.
_PILLOW_NAME = "tempfile.tif: "

_stderr_lock = Lock()
_here = local()


@contextmanager
def listening(file: BinaryIO, notes: list[str]) -> Iterator[None]:
    """Collect in a list what is said while the block decodes an open photo file, in this thread.

    Args:
        file: The photo; the position in it is lost.
        notes: Gets a few lines, each once, when the block ends.
    """
    said: list[str] = []
    _here.said = said
    try:
        file.seek(0, io.SEEK_SET)
        start = file.read(12)
        is_box = start[4:].startswith(_SILENT_BOX) and not start[4:].startswith(_CR3)
        if is_box or start.startswith(_SILENT):
            yield
        else:
            with _stderr_lock, _stderr_into(said):
                yield
    finally:
        _here.said = None
        for line in said:
            if line not in notes and len(notes) < _MOST_NOTES:
                notes.append(line)


def note_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Take a Python warning, in place of `warnings.showwarning`; it goes where this thread listens.

    What warns programmers is left out, and so is what Pillow thinks of large photos.
    """
    said = getattr(_here, "said", None)
    is_about_photo = issubclass(category, UserWarning | RuntimeWarning)
    if said is not None and is_about_photo and not issubclass(category, Image.DecompressionBombWarning):
        said.append(_in_a_line(str(message)))


def simply_note_warnings() -> None:
    """Have `note_warning` take every warning; belongs inside `warnings.catch_warnings`."""
    warnings.simplefilter("always")
    warnings.showwarning = note_warning


@contextmanager
def _stderr_into(said: list[str]) -> Iterator[None]:
    """Point stderr at a file for a while; where there is no stderr, or no room for a file, it stays."""
    try:
        before = os.dup(_STDERR)
    except OSError:
        yield
        return
    with _file() as collected:
        os.dup2(collected.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
            collected.seek(0)
            words = collected.read(1 << 16).decode("utf-8", errors="replace")
            lines = [line.removeprefix(_PILLOW_NAME) for line in words.splitlines()]
            said += [_in_a_line(line) for line in lines if line.strip()]


def _file() -> BinaryIO:
    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError:
        return Path(os.devnull).open("r+b", buffering=0)


def _in_a_line(words: str) -> str:
    return " ".join(words.split())[:_MOST_LETTERS].rstrip(".")
