"""Squares, frames and grids of photos on their way to a vision tower; knows no model family."""

from __future__ import annotations

import math

from PIL import Image
from torch import Tensor

from photopal.box import WHOLE_PHOTO, Box


def pad_to_square(image: Image.Image, color: tuple[int, int, int]) -> tuple[Image.Image, Box]:
    """Center a photo on a square of one color, so that nothing of it is cropped or squashed.

    Args:
        image: An upright RGB photo.
        color: What to fill the rest with.

    Returns:
        The square, and its frame: x, y, width, height in fractions of the photo.
    """
    width, height = image.size
    if width == height:
        return image, WHOLE_PHOTO
    side = max(width, height)
    left, top = (side - width) // 2, (side - height) // 2
    square = Image.new("RGB", (side, side), color)
    square.paste(image, (left, top))
    return square, Box(-left / width, -top / height, side / width, side / height)


def shrink_frame(frame: Box, kept_share: float) -> Box:
    """The frame of a center crop.

    Args:
        frame: What the whole image covers.
        kept_share: The share of each side that the crop keeps, 0 to 1.
    """
    cut_share = 1 - kept_share
    return Box(
        x=frame.x + frame.width * cut_share / 2,
        y=frame.y + frame.height * cut_share / 2,
        width=frame.width * kept_share,
        height=frame.height * kept_share,
    )


def square_grid(count: int) -> tuple[int, int]:
    """Rows and columns of a number of tokens: a square where it is one, else a single row."""
    side = math.isqrt(count)
    return (side, side) if side * side == count else (1, count)


def as_grid(vectors: Tensor, grid: tuple[int, int]) -> Tensor:
    """`[patches, width]` vectors as float32 `[rows, cols, width]` on the CPU."""
    return vectors.cpu().float().reshape(*grid, vectors.shape[-1])
