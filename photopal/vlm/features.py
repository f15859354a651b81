"""Squares, frames and grids of photos on their way to a vision tower; knows no model family."""

from __future__ import annotations

import math

from PIL import Image
from torch import Tensor

Frame = tuple[float, float, float, float]
WHOLE_PHOTO: Frame = (0.0, 0.0, 1.0, 1.0)


def pad_to_square(image: Image.Image, colour: tuple[int, int, int]) -> tuple[Image.Image, Frame]:
    """Centre a photo on a square of one colour, so that nothing of it is cropped or squashed.

    Args:
        image: An upright RGB photo.
        colour: What to fill the rest with.

    Returns:
        The square, and its frame: x, y, width, height in fractions of the photo.
    """
    width, height = image.size
    if width == height:
        return image, WHOLE_PHOTO
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    square = Image.new("RGB", (side, side), colour)
    square.paste(image, (left, top))
    return square, (-left / width, -top / height, side / width, side / height)


def shrink_frame(frame: Frame, kept: float) -> Frame:
    """The frame of a centre crop.

    Args:
        frame: What the whole image covers.
        kept: The share of each side that the crop keeps, 0 to 1.
    """
    x, y, width, height = frame
    return (x + width * (1 - kept) / 2, y + height * (1 - kept) / 2, width * kept, height * kept)


def square_grid(count: int) -> tuple[int, int]:
    """Rows and columns of a number of tokens: a square where it is one, else a single row."""
    side = math.isqrt(count)
    return (side, side) if side * side == count else (1, count)


def as_grid(vectors: Tensor, grid: tuple[int, int]) -> Tensor:
    """`[patches, width]` vectors as float32 `[rows, cols, width]` on the CPU."""
    return vectors.cpu().float().reshape(*grid, vectors.shape[-1])
