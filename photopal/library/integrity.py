"""Checks a library against itself and against the files on disk; changes neither.

What it finds is for the user to judge: a file that is not there may lie on a drive that is not there.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from photopal.errors import PhotoError
from photopal.files import Stamp
from photopal.library.library import Library
from photopal.library.paths import KnownFile
from photopal.photos import hash_bytes_of, hash_file
from photopal.photos.decode import decode_photo
from photopal.progress import OnProgress


@dataclass(frozen=True)
class Finding:
    """A file, or a photo's path, and what is wrong with it."""

    path: Path
    reason: str


@dataclass
class CheckReport:
    """What a check found.

    Attributes:
        photos: How many photos were checked.
        files: How many files were checked.
        missing: How many photos are marked as missing, which have no file to check.
        faults: What is wrong with the library file, in SQLite's words; it should be restored or made anew.
        findings: Photos without a good thumbnail; files that are gone or are not as the library knows them.
    """

    photos: int = 0
    files: int = 0
    missing: int = 0
    faults: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def check_library(
    library: Library,
    *,
    with_contents: bool = False,
    on_progress: OnProgress | None = None,
) -> CheckReport:
    """Look through a whole library.

    Args:
        library: May be open for reading only.
        with_contents: Read every file and compare its bytes with the hash that the library keeps.
        on_progress: Told of each photo.
    """
    counts = library.counts()
    report = CheckReport(missing=counts["missing"], faults=find_faults(library))
    total = counts["photos"]
    for photo in library.photos.all():
        report.photos += 1
        if reason := _thumbnail_fault(library, photo.id):
            report.findings.append(Finding(photo.path, reason))
        for file in library.paths.files_of(photo.id):
            report.files += 1
            report.findings += _file_faults(file, photo.content_hash, with_contents=with_contents)
        if on_progress is not None:
            on_progress(report.photos, total, photo.path)
    return report


def find_faults(library: Library) -> list[str]:
    """Let SQLite look through the whole library file; return what it finds wrong, in its words."""
    found = [row[0] for row in library.connection.rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
    for row in library.connection.rows("PRAGMA foreign_key_check"):
        found.append(f"a row of {row[0]} refers to a missing row of {row[2]}")
    return found


def _thumbnail_fault(library: Library, photo_id: int) -> str | None:
    jpeg = library.photos.thumbnail_or_none(photo_id)
    if jpeg is None:
        return "no thumbnail"
    try:
        decode_photo(io.BytesIO(jpeg), Path("thumbnail.jpg"))
    except PhotoError:
        return "the thumbnail cannot be read"
    return None


def _file_faults(file: KnownFile, content_hash: str, *, with_contents: bool) -> Iterator[Finding]:
    try:
        stamp = Stamp.of(os.stat(file.path))  # noqa: PTH116
        if stamp == file.stamp:
            # A file may be there, as it was, and yet closed to its owner.
            file.path.open("rb").close()
    except OSError as error:
        is_gone = isinstance(error, FileNotFoundError | NotADirectoryError)
        yield Finding(
            file.path, "file not found" if is_gone else f"cannot be opened: {error.strerror or error}"
        )
        return
    if stamp != file.stamp:
        yield Finding(file.path, "changed since it was indexed")
    elif with_contents:
        try:
            # Earlier versions kept a plain hash, of the photo.
            is_plain = file.content_hash is None
            found = hash_bytes_of(file.path) if is_plain else hash_file(file.path)
            if found != (content_hash if is_plain else file.content_hash):
                yield Finding(file.path, "contents changed since it was indexed, with the same size and time")
        except PhotoError as error:
            yield Finding(file.path, error.message.removeprefix(f"{file.path}: "))
