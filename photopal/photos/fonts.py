"""Finds a font with which a name can be written on a picture, in whichever script."""

from __future__ import annotations

from PIL import ImageFont

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


def font_for(text: str, size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
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
