"""Describes one photo file: contents, date, perceptual hash; knows nothing of other photos."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from photopal.errors import PhotoError
from photopal.files import Stamp
from photopal.photos.decode import decode_photo
from photopal.photos.decoder_log import listening
from photopal.photos.embedded import find_blocks
from photopal.photos.exif import Exif, exif_of
from photopal.photos.metadata import Metadata, gather_metadata, metadata_of_exif, read_metadata
from photopal.photos.phash import phash_of
from photopal.photos.picture import Source, find_picture, other_spans
from photopal.photos.raw import still_of
from photopal.photos.sidecars import SidecarFinder, Sidecars
from photopal.photos.turns import THUMBNAIL_QUALITY

THUMBNAIL_SIDE_PX = 256
"""The longest side of a thumbnail."""

_HASH_BYTES = 16
_FORMAT_NAMES = {"MPO": "JPEG", "HEIF": "HEIC", "DIB": "BMP"}


@dataclass(frozen=True)
class Fingerprint:
    """What a file is known by.

    Attributes:
        content_hash: Differs where any byte of the file differs; 128 bits of BLAKE2b in 32 hex digits.
        picture_hash: Differs where the picture differs, whatever metadata is beside it; of the same form.
        picture_bytes: How many bytes of the file are picture data.
        size_bytes: The file's size.
        mtime_ns: The file's modification time, in nanoseconds.
    """

    content_hash: str
    picture_hash: str
    picture_bytes: int
    size_bytes: int
    mtime_ns: int

    @property
    def stamp(self) -> Stamp:
        """Its size and time."""
        return Stamp(self.size_bytes, self.mtime_ns)


@dataclass(frozen=True)
class Photo:
    """A photo file at one moment.

    Attributes:
        path: Where the file is.
        content_hash: As of `Fingerprint`.
        size_bytes: The file's size.
        mtime_ns: The file's modification time, in nanoseconds.
        width_px: Width of the upright photo.
        height_px: Height of the upright photo.
        format: JPEG, PNG, WEBP, TIFF, GIF, BMP, HEIC, AVIF or RAW.
        exif: What the camera wrote.
        thumbnail: An upright JPEG whose longest side has at most 256 pixels.
        phash: What `phash_of` makes of it; None where it shows next to nothing.
        notes: What decoders say is wrong with it, though they decode it.
        picture_hash: As of `Fingerprint`, the photo's identity; without it every byte counts.
        picture_bytes: As of `Fingerprint`.
        metadata: What the file, its sidecars and its name say; None where only EXIF was read.
        sidecars: The stamp of the sidecars that were read.
    """

    path: Path
    content_hash: str
    size_bytes: int
    mtime_ns: int
    width_px: int
    height_px: int
    format: str
    exif: Exif
    thumbnail: bytes
    phash: int | None = None
    notes: tuple[str, ...] = ()
    metadata: Metadata | None = None
    sidecars: str = ""
    picture_hash: str | None = None
    picture_bytes: int | None = None

    @property
    def stamp(self) -> Stamp:
        """Its file's size and time."""
        return Stamp(self.size_bytes, self.mtime_ns)

    @property
    def file_hash(self) -> str:
        """The hash of all its bytes: of a photo that was just read, `content_hash`."""
        return self.content_hash

    @property
    def orientation(self) -> int:
        """EXIF's, 1 to 8."""
        return self.exif.orientation

    @property
    def facts(self) -> Metadata:
        """All that is known of it without a look at the picture."""
        return metadata_of_exif(self.exif) if self.metadata is None else self.metadata


def record_photo(
    path: Path, *, fingerprint: Fingerprint | None = None, sidecars: Sidecars | None = None
) -> Photo:
    """Read a photo file whole and describe it.

    Args:
        path: The file.
        fingerprint: What `fingerprint_file` said of it a moment ago; without it the file is hashed here.
        sidecars: What lies beside it; looked for when left out.

    Raises:
        PhotoError: The file cannot be opened, is no photo, is broken, cut short or too large, or
            changes while it is read.
    """
    notes: list[str] = []
    beside = SidecarFinder().find(path) if sidecars is None else sidecars
    try:
        with path.open("rb") as file:
            known = _fingerprint(file, path) if fingerprint is None else fingerprint
            with listening(file, notes):
                still = still_of(file, path)
            decoded = decode_photo(still, path, max_side_px=THUMBNAIL_SIDE_PX, notes=notes)
            blocks = find_blocks(file)
            exif = exif_of(file, blocks)
            _check_unchanged(file, known.stamp, path)
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error
    encoded = io.BytesIO()
    decoded.picture.save(encoded, "JPEG", quality=THUMBNAIL_QUALITY)
    return Photo(
        path=path,
        content_hash=known.content_hash,
        size_bytes=known.size_bytes,
        mtime_ns=known.mtime_ns,
        width_px=decoded.width_px,
        height_px=decoded.height_px,
        format=_FORMAT_NAMES.get(decoded.format, decoded.format) if still is file else "RAW",
        exif=exif,
        thumbnail=encoded.getvalue(),
        phash=phash_of(decoded.picture),
        notes=tuple(notes),
        picture_hash=known.picture_hash,
        picture_bytes=known.picture_bytes,
        metadata=gather_metadata(blocks, exif, path, beside),
        sidecars=beside.stamp,
    )


def fingerprint_file(path: Path) -> Fingerprint:
    """Hash a file's picture and all its bytes in one reading, and note its size and time.

    Raises:
        PhotoError: The file cannot be read, or changes while it is read.
    """
    try:
        with path.open("rb") as file:
            return _fingerprint(file, path)
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error


def hash_file(path: Path) -> str:
    """Return the `content_hash` of a file's fingerprint.

    Raises:
        PhotoError: The file cannot be read, or changes while it is read.
    """
    return fingerprint_file(path).content_hash


def hash_bytes_of(path: Path) -> str:
    """Return the plain BLAKE2b hash of a file's bytes, by which earlier versions of photopal knew photos.

    Raises:
        PhotoError: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_HASH_BYTES))
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error
    return digest.hexdigest()


def _fingerprint(file: BinaryIO, path: Path) -> Fingerprint:
    """Hash each byte once: the picture, then all else with the picture's hash and places."""
    before = Stamp.of(os.fstat(file.fileno()))
    source = Source(file)
    picture = find_picture(source)
    hashed = hashlib.blake2b(picture.format.encode(), digest_size=_HASH_BYTES)
    spans = []
    for piece in picture.pieces:
        if isinstance(piece, bytes):
            hashed.update(b"%d:" % len(piece) + piece)
        else:
            spans.append(piece)
            for chunk in source.chunks(piece):
                hashed.update(chunk)
    content = hashlib.blake2b(hashed.digest() + repr(spans).encode(), digest_size=_HASH_BYTES)
    for span in other_spans(picture, source.size):
        for chunk in source.chunks(span):
            content.update(chunk)
    _check_unchanged(file, before, path)
    return Fingerprint(
        content_hash=content.hexdigest(),
        picture_hash=hashed.hexdigest(),
        picture_bytes=picture.size_bytes,
        size_bytes=before.size_bytes,
        mtime_ns=before.mtime_ns,
    )


def _check_unchanged(file: BinaryIO, before: Stamp, path: Path) -> None:
    if Stamp.of(os.fstat(file.fileno())) != before:
        raise PhotoError(
            path, "the file is still changing", hint="Try again when it has been copied completely."
        )


def read_facts(path: Path, sidecars: Sidecars) -> Metadata:
    """Read what a photo file, its sidecars and its name say, from its headers alone.

    Raises:
        PhotoError: The file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            return read_metadata(file, path, sidecars)
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error
