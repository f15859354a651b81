"""Where a command may write a picture that it draws; knows nothing of what is on it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.errors import PhotoError, UsageError
from photopal.files import atomic_path, is_folder, is_there

if TYPE_CHECKING:
    from PIL import Image

    from photopal.library import Library

_FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


def _already_exists(out: Path) -> UsageError:
    return UsageError(
        f"{out}: already exists", hint="Choose another file name, or use --force to replace it."
    )


def check_target(out: Path, library: Library, *, is_forced: bool, photo: Path | None = None) -> None:
    """Refuse a file that must not be written, before any work is done.

    Args:
        out: The file.
        library: Whose photos it must not be.
        is_forced: Whether an earlier picture may be replaced.
        photo: The photo that is drawn on, which may be in no library.

    Raises:
        UsageError: It has no picture's ending, is a folder, the photo itself or a photo of the library, or is
            there already without `is_forced`.
    """
    if out.suffix.lower() not in _FORMATS:
        raise UsageError(f"{out}: unsupported image format", hint=f"Use one of {', '.join(_FORMATS)}.")
    if not is_folder(out.parent):
        raise UsageError(f"{out.parent}: no such folder")
    if not os.path.lexists(out):
        return
    if is_folder(out):
        raise UsageError(f"{out}: is a folder")
    if _is_photo(out, library, photo):
        raise UsageError(
            f"{out}: is a photo, and photos are never overwritten", hint="Choose another file name."
        )
    if not is_forced:
        raise _already_exists(out)


def _is_photo(out: Path, library: Library, photo: Path | None) -> bool:
    if not is_there(out):
        return False
    if photo is not None and out.samefile(photo):
        return True
    # A photo that was marked missing may be back without the library knowing.
    if any(library.paths.has_seen(path) for path in (out, out.resolve())):
        return True
    try:
        from photopal.photos import fingerprint_file, hash_bytes_of

        known = fingerprint_file(out)
        return (
            library.pictures.has(known.content_hash, known.picture_hash)
            or library.photos.with_hash(hash_bytes_of(out)) is not None
        )
    except PhotoError:
        return True


def save_copy(picture: Image.Image, out: Path, *, is_forced: bool) -> None:
    """Write a picture: whole or not at all, and over nothing that came meanwhile unless forced.

    Raises:
        UsageError: The file cannot be written, or exists already.
    """
    try:
        with atomic_path(out, replace=is_forced) as part:
            picture.save(part, _FORMATS[out.suffix.lower()], quality=92)
    except FileExistsError as error:
        raise _already_exists(out) from error
    except OSError as error:
        raise UsageError(f"{out}: cannot be written: {error.strerror or error}") from error
