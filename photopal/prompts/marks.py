"""Draws numbered marks, and boxes with names, on a copy of a photo; knows nothing of who is where or why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from photopal.box import Box
from photopal.photos.fonts import font_for

_COLORS = ("#d7263d", "#1b66c9", "#1a7f37", "#9a3fb5", "#b35900", "#00797a", "#5c4033", "#444c56")
_SMALLEST_SIDE_PX = 480

MARK_SHARE = 0.1
"""Diameter of a mark as a share of the photo's shorter side."""


@dataclass(frozen=True)
class Mark:
    """A number at a point.

    Attributes:
        number: From 1.
        x: As a fraction of the photo's width.
        y: As a fraction of its height, from the top.
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


@dataclass(frozen=True)
class Label:
    """A name at a box.

    Attributes:
        text: What to write.
        box: Where to draw it.
    """

    text: str
    box: Box


def draw_labels(photo: Image.Image, labels: Sequence[Label]) -> Image.Image:
    """Give a copy of an RGB photo with a box and a name for every label; a small photo is enlarged for it."""
    scale = max(1, -(-_SMALLEST_SIDE_PX // min(photo.size)))
    copy = photo.resize((photo.width * scale, photo.height * scale)) if scale > 1 else photo.copy()
    pen = ImageDraw.Draw(copy)
    size = max(14.0, min(copy.size) / 28)
    taken: list[tuple[float, float, float, float]] = []
    for number, label in enumerate(labels):
        color = _COLORS[number % len(_COLORS)]
        box = label.box
        left, top = box.x * copy.width, box.y * copy.height
        right, bottom = left + box.width * copy.width, top + box.height * copy.height
        pen.rectangle((left, top, right - 1, bottom - 1), outline=color, width=max(2, round(size / 7)))
        font = font_for(label.text, size)
        taken.append(_write(pen, label.text, (left, top), font=font, color=color, taken=taken))
    return copy


def _write(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[float, float],
    *,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    color: str,
    taken: Sequence[tuple[float, float, float, float]],
) -> tuple[float, float, float, float]:
    """Write on a filled patch above a corner, within the picture and clear of other patches; returns it."""
    picture_width, picture_height = pen.im.size
    text_left, text_top, text_right, text_bottom = pen.textbbox((0, 0), text, font=font)
    margin = (text_bottom - text_top) * 0.3
    width, height = text_right - text_left + 2 * margin, text_bottom - text_top + 2 * margin
    x = max(0.0, min(corner[0], picture_width - width))
    y = max(0.0, min(corner[1] - height, picture_height - height))
    while (patch := (x, y, x + width, y + height)) and any(
        x < right and left < patch[2] and y < bottom and top < patch[3] for left, top, right, bottom in taken
    ):
        if y + 2 * height > picture_height:
            break
        y += height
    pen.rectangle(patch, fill=color)
    pen.text((x + margin - text_left, y + margin - text_top), text, font=font, fill="white")
    return patch
