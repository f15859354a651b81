"""Tells how large a photo is when it stands upright; reads the header only."""

from __future__ import annotations

from pathlib import Path

from photopal.errors import PhotoError
from photopal.photos.raw import still_of
from photopal.photos.read import open_header, upright_size_px


def photo_size_px(path: Path) -> tuple[int, int]:
    """Width and height of the upright photo, in pixels.

    Raises:
        PhotoError: The file cannot be opened or is no photo.
    """
    try:
        with path.open("rb") as file, open_header(still_of(file, path)) as image:
            return upright_size_px(image)
    except PhotoError as error:
        raise PhotoError(f"{path} {error.message}", hint=error.hint) from error
    except OSError as error:
        raise PhotoError(f"{path} cannot be opened: {error.strerror or error}") from error
