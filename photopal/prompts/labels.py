"""Draws boxes with names on a copy of a photo, for people to look at; knows nothing of who is where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from photopal.box import Box

_COLORS = ("#d7263d", "#1b66c9", "#1a7f37", "#9a3fb5", "#b35900", "#00797a", "#5c4033", "#444c56")
_SMALLEST_SIDE_PX = 480
# Fonts with many scripts, as systems name them; Pillow's own has Latin letters only.
_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arialuni.ttf",
    "segoeui.ttf",
    "NotoSansCJK-Regular.ttc",
    "msgothic.ttc",
)


@dataclass(frozen=True)
class Label:
    """A name at a place.

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
        font = _font_for(label.text, size)
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
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    margin = (bottom - top) * 0.3
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x = max(0.0, min(corner[0], picture_width - width))
    y = max(0.0, min(corner[1] - height, picture_height - height))
    while (patch := (x, y, x + width, y + height)) and any(_overlap(patch, other) for other in taken):
        if y + 2 * height > picture_height:
            break
        y += height
    pen.rectangle(patch, fill=color)
    pen.text((x + margin - left, y + margin - top), text, font=font, fill="white")
    return patch


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _font_for(text: str, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The first font of this computer that has every letter of a text; Pillow's own where none has."""
    own = ImageFont.load_default(size=size)
    if text.isascii():
        return own
    for name in _FONTS:
        try:
            font = ImageFont.truetype(name, size=size)
        except OSError:
            continue
        missing = bytes(font.getmask("\uffff"))
        if all(letter.isspace() or bytes(font.getmask(letter)) != missing for letter in text):
            return font
    return own
