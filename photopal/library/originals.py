"""Reads photos of the library from their files, and refuses files that are another picture by now.

What is made of a photo is stored by its hash or its number, so it must not come from a file that another
program has put in its place, or has written since it was indexed. A file with the size and time it had then
is taken for what it was; of any other, the picture decides.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from photopal.errors import PhotoChangedError, PhotoError
from photopal.files import stamp_of
from photopal.photos import MODEL_SIDE_PX, fingerprint_file, hash_bytes_of, open_photo, read_exif

if TYPE_CHECKING:
    from PIL import Image

    from photopal.library.library import Library
    from photopal.library.models import PhotoRecord
    from photopal.photos import Photo

Read = TypeVar("Read")

_TRIAL_SIDE_PX = 64


def open_original(photo: PhotoRecord | Photo, *, max_side_px: int = MODEL_SIDE_PX) -> Image.Image:
    """Decode a photo from its file, as `open_photo` does.

    Args:
        photo: The photo, as it was indexed or read.
        max_side_px: As of `open_photo`.

    Raises:
        PhotoError: The file is gone or cannot be read.
        PhotoChangedError: It is another picture by now.
    """
    image = open_photo(photo.path, max_side_px=max_side_px)
    check_original(photo)
    return image


def check_original(photo: PhotoRecord | Photo) -> None:
    """Make sure that a photo's file is still that photo; called once it was read, also while it was read.

    Raises:
        PhotoError: The file is gone or cannot be read.
        PhotoChangedError: It is another picture by now, or the same one turned.
    """
    stamp = stamp_of(photo.path)
    # Neither may have one: a missing photo whose path is another photo's by now.
    if stamp is not None and stamp == photo.stamp:
        return
    known = fingerprint_file(photo.path)
    if known.content_hash == photo.file_hash:
        return
    if photo.picture_hash is not None:
        # Programs that write keywords leave the picture as it is.
        is_same = known.picture_hash == photo.picture_hash
        if is_same and read_exif(photo.path).orientation == photo.orientation:
            return
    elif hash_bytes_of(photo.path) == photo.content_hash:  # as earlier versions knew photos
        return
    open_photo(photo.path, max_side_px=_TRIAL_SIDE_PX)  # of a broken file, the user is told that it is broken
    raise PhotoChangedError(photo.path)


def checked(photo: PhotoRecord, read: Read | PhotoError) -> Read | PhotoError:
    """Return what was read of a photo from its file elsewhere; an error where the file is not that photo.

    Args:
        photo: The photo.
        read: What was read, or why it could not be.
    """
    try:
        check_original(photo)
    except PhotoError as error:
        return error
    return read


def has_original(photo: PhotoRecord) -> bool:
    """Whether a photo's file is there and still that photo."""
    return checked(photo, True) is True


def photo_at(library: Library, path: Path) -> PhotoRecord | None:
    """Return the photo that is at a path now, whatever was last seen there; None if the library has none.

    While the file is away, that is the photo that was last seen there.

    Raises:
        PhotoError: The file cannot be read.
    """
    photo = library.photos.at(path)
    # A link may lead to another file by now, which is as it was: what counts is how it was at this path.
    stamp = library.paths.stamp_at(path) or library.paths.stamp_at(Path(os.path.realpath(path)))
    if photo is None or stamp_of(path) in (None, stamp):
        return photo
    known = fingerprint_file(path)
    photo_id = library.pictures.find(known.content_hash, known.picture_hash, photo_id=photo.id)
    if photo_id is None and photo.picture_hash is None and hash_bytes_of(path) == photo.content_hash:
        return photo
    return None if photo_id is None else library.photos.get(photo_id)


def known_photo_at(library: Library, path: Path) -> PhotoRecord | None:
    """Return the photo that is at a path, as `photo_at` does, if it is the one that was last seen there.

    What is said of a path must not be taken for the photo that was there before.

    Raises:
        PhotoError: The file cannot be read.
        PhotoChangedError: It is another picture by now, be it one that the library has elsewhere.
    """
    photo = library.photos.at(path)
    present = photo_at(library, path)
    # Another process may have changed what is known of the photo meanwhile.
    if (present and present.id) != (photo and photo.id):
        raise PhotoChangedError(path)
    return photo
