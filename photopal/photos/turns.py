"""Turns positions, boxes and masks as a photo is turned, and finds out how; turns are numbered as in EXIF."""

from __future__ import annotations

import io
from typing import NamedTuple

from PIL import Image

THUMBNAIL_QUALITY = 85
"""JPEG quality of thumbnails, as they are made and when they are turned."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What Pillow does for each turn; 1 is none."""

_SIDE_PX = 32
# Of 255 levels, on the average: what saving again and small corrections change.
_SAME_LEVELS = 14.0
_TIE_LEVELS = 1.0

# How much the shapes of two versions of a picture may differ by rounding and by the edges of RAW files.
_SHAPE_SHARE = 0.01

Box = tuple[float, float, float, float]


class Likeness(NamedTuple):
    """How two pictures of one photo are alike: by which turn, and by how many of 64 bits they differ then.

    `is_same` tells whether they show the same at the same positions after that turn.
    """

    turn: int
    bits: int
    is_same: bool


def turned_point(turn: int, x: float, y: float) -> tuple[float, float]:
    """Turn a position given as fractions of width and height."""
    return {
        1: (x, y), 2: (1 - x, y), 3: (1 - x, 1 - y), 4: (x, 1 - y),
        5: (y, x), 6: (1 - y, x), 7: (1 - y, 1 - x), 8: (y, 1 - x),
    }[turn]  # fmt: skip


def turned_box(turn: int, box: Box, *, width: float = 1, height: float = 1) -> Box:
    """Turn x, y, width and height in a picture of a size; fractions of it without one."""
    x, y, box_width, box_height = box
    corners = [
        turned_point(turn, at_x / width, at_y / height)
        for at_x, at_y in ((x, y), (x + box_width, y + box_height))
    ]
    if turn >= 5:
        width, height = height, width
    (x1, y1), (x2, y2) = ((at_x * width, at_y * height) for at_x, at_y in corners)
    return min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)


def turned_pixels(turn: int, box: tuple[int, ...], size_px: tuple[int, int]) -> tuple[int, int, int, int]:
    """Turn x, y, width and height in pixels of a picture of a size, before the turn."""
    x, y, width, height = box
    turned = turned_box(turn, (x, y, width, height), width=size_px[0], height=size_px[1])
    left, top, across, down = map(round, turned)
    return left, top, across, down


def back(turn: int) -> int:
    """Return the turn that takes back another one."""
    return {6: 8, 8: 6}.get(turn, turn)


def has_shape(size: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two sizes, width and height, have the same proportions."""
    (width, height), (other_width, other_height) = size, other
    across, along = width * other_height, height * other_width
    return abs(across - along) <= _SHAPE_SHARE * max(across, along)


def turned_png(turn: int, png: bytes) -> bytes:
    """Turn a picture that is stored as PNG."""
    if turn == 1:
        return png
    encoded = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        picture.transpose(TURNS[turn]).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def turned_thumbnail(turn: int, jpeg: bytes) -> tuple[bytes, int | None] | None:
    """Turn a thumbnail by 2 to 8, and return it with its perceptual hash; None where it cannot be read."""
    from photopal.photos.phash import phash_of

    encoded = io.BytesIO()
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
            turned = picture.transpose(TURNS[turn])
    except (OSError, ValueError, SyntaxError):
        return None
    turned.save(encoded, "JPEG", quality=THUMBNAIL_QUALITY)
    return encoded.getvalue(), phash_of(turned)


def resized_png(png: bytes, width_px: int, height_px: int) -> bytes:
    """Resize a mask that is stored as PNG."""
    encoded = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        picture.resize((width_px, height_px), Image.Resampling.NEAREST).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def turn_between(before: int, after: int) -> int:
    """Return the turn that leads from the upright photo by one EXIF orientation to that by another."""
    stored = next(probe for probe in _PROBES if turned_point(before, *probe) == _PROBES[0])
    return next(
        turn for turn in range(1, 9) if turned_point(turn, *_PROBES[0]) == turned_point(after, *stored)
    )


# Fractions that binary numbers hold exactly; no turn leads back to the first but none at all.
_PROBES = [turned_point(turn, 0.25, 0.125) for turn in range(1, 9)]


def compare_thumbnails(before: bytes, after: bytes) -> Likeness | None:
    """Find the turn by which one thumbnail looks most like another; None where one cannot be read."""
    import numpy as np

    from photopal.photos.phash import bits_apart, phash_of

    try:
        with Image.open(io.BytesIO(before)) as one, Image.open(io.BytesIO(after)) as other:
            pictures = [picture.convert("L").resize((_SIDE_PX, _SIDE_PX)) for picture in (one, other)]
            sizes = one.size, other.size
    except (OSError, ValueError, SyntaxError):
        return None
    wanted = np.asarray(pictures[1], dtype=np.float32)
    found: list[tuple[float, int]] = []
    for turn in range(1, 9):
        turned = pictures[0].transpose(TURNS[turn]) if turn > 1 else pictures[0]
        levels = float(np.abs(np.asarray(turned, dtype=np.float32) - wanted).mean())
        found.append((levels + (_TIE_LEVELS if turn > 1 else 0), turn))
    levels, turn = min(found)
    turned = pictures[0].transpose(TURNS[turn]) if turn > 1 else pictures[0]
    hashes = phash_of(turned), phash_of(pictures[1])
    bits = 64 if hashes[0] is None or hashes[1] is None else bits_apart(hashes[0], hashes[1])
    (width, height), (new_width, new_height) = sizes
    if turn >= 5:
        width, height = height, width
    has_shape = abs(width * new_height - height * new_width) <= 2 * max(width, height, new_width, new_height)
    return Likeness(turn, bits, has_shape and levels <= _SAME_LEVELS)
