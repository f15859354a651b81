"""Draws numbered marks on a copy of a photo; knows nothing of who is where or why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

MARK_SHARE = 0.1
"""Diameter of a mark as a share of the photo's shorter side."""


@dataclass(frozen=True)
class Mark:
    """A number at a place.

    Attributes:
        number: From 1.
        x: Horizontal place, as a fraction of the photo's width.
        y: Vertical place, as a fraction of its height, from the top.
    """

    number: int
    x: float
    y: float


def draw_marks(photo: Image.Image, marks: Sequence[Mark]) -> Image.Image:
    """Give a copy of an RGB photo with a white disc and a number at every mark; the photo stays as it is."""
    marked = photo.copy()
    pen = ImageDraw.Draw(marked)
    diameter = max(9.0, MARK_SHARE * min(photo.size))
    radius = diameter / 2
    font = ImageFont.load_default(size=diameter * 0.8)
    for mark in marks:
        x = min(max(mark.x * photo.width, radius), photo.width - radius)
        y = min(max(mark.y * photo.height, radius), photo.height - radius)
        pen.ellipse(
            (x - radius, y - radius, x + radius, y + radius),
            fill=(255, 255, 255),
            outline=(20, 20, 20),
            width=max(1, round(diameter / 14)),
        )
        pen.text((x, y), str(mark.number), fill=(10, 10, 10), font=font, anchor="mm")
    return marked
