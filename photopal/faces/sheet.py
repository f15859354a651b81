"""Draws a contact sheet of faces: a row for each group, with its number; knows no library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from photopal.errors import PhotoError
from photopal.photos import open_photo
from photopal.photos.fonts import font_for
from photopal.progress import OnProgress

TILE_PX = 160
"""The side of a face on the sheet."""

FACES_PER_ROW = 8
_GAP_PX, _MARGIN_PX, _LABEL_PX = 8, 24, 190
_NUMBER_PX, _NOTE_PX = 44, 20
# How much of the photo around a face is shown, in parts of its larger side.
_AROUND = 0.4
_PAPER, _INK, _GRAY, _EMPTY = (255, 255, 255), (20, 20, 24), (110, 112, 120), (225, 226, 230)


@dataclass(frozen=True)
class SheetFace:
    """A face to draw: its photo, the photo's upright size, and the box in fractions of it."""

    path: Path
    size_px: tuple[int, int]
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class SheetRow:
    """A row of the sheet: a title such as "3", notes below it, and the faces."""

    title: str
    notes: tuple[str, ...]
    faces: tuple[SheetFace, ...]


def draw_sheet(rows: Sequence[SheetRow], *, on_progress: OnProgress | None = None) -> Image.Image:
    """Draw rows of faces, cut from the photos, which are only read.

    Args:
        rows: At least one; the first eight faces of each are drawn. The sheet is as wide as the longest.
        on_progress: Told of each face.

    Returns:
        An RGB picture. A photo that cannot be read leaves an empty tile.
    """
    widest = max(min(FACES_PER_ROW, len(row.faces)) for row in rows)
    row_px = TILE_PX + 2 * _GAP_PX
    width = 2 * _MARGIN_PX + _LABEL_PX + widest * (TILE_PX + _GAP_PX) - _GAP_PX
    sheet = Image.new("RGB", (width, 2 * _MARGIN_PX + len(rows) * row_px), _PAPER)
    pen = ImageDraw.Draw(sheet)
    done, total = 0, sum(min(FACES_PER_ROW, len(row.faces)) for row in rows)
    for number, row in enumerate(rows):
        top = _MARGIN_PX + number * row_px + _GAP_PX
        if number:
            pen.line((_MARGIN_PX, top - _GAP_PX, width - _MARGIN_PX, top - _GAP_PX), fill=_EMPTY)
        _write_label(pen, row, top)
        for column, face in enumerate(row.faces[:FACES_PER_ROW]):
            left = _MARGIN_PX + _LABEL_PX + column * (TILE_PX + _GAP_PX)
            sheet.paste(draw_tile(face), (left, top))
            done += 1
            if on_progress is not None:
                on_progress(done, total, face.path)
    return sheet


def _write_label(pen: ImageDraw.ImageDraw, row: SheetRow, top: int) -> None:
    room = _LABEL_PX - 2 * _GAP_PX
    font = font_for(row.title, _NUMBER_PX)
    pen.text((_MARGIN_PX, top), row.title, font=font, fill=_INK)
    below = top + _NUMBER_PX + 3 * _GAP_PX
    for note in row.notes:
        size = _NOTE_PX
        while size > 10 and pen.textlength(note, font=font_for(note, size)) > room:
            size -= 1
        pen.text((_MARGIN_PX, below), note, font=font_for(note, size), fill=_GRAY)
        below += _NOTE_PX + _GAP_PX


def draw_tile(face: SheetFace, *, side_px: int = TILE_PX) -> Image.Image:
    """Draw a square with a face, or whatever a box has, in its middle; empty if the photo cannot be read."""
    photo_width, photo_height = face.size_px
    x, y, width, height = face.box
    # Around the whole photo there is nothing to show.
    around = _AROUND if min(width, height) < 1 else 0.0
    shown_px = max(width * photo_width, height * photo_height) * (1 + 2 * around)
    # Decoded as small as the tile allows: a JPEG then takes a fraction of the time.
    wanted = min(1.0, side_px / max(1.0, shown_px)) * max(face.size_px)
    try:
        picture = open_photo(face.path, max_side_px=max(side_px, round(wanted)))
    except PhotoError:
        return Image.new("RGB", (side_px, side_px), _EMPTY)
    scale = picture.width / photo_width
    half = shown_px * scale / 2
    middle = ((x + width / 2) * picture.width, (y + height / 2) * picture.height)
    # Beyond the edge of the photo the sheet's paper is seen, a little darker.
    corner = (round(middle[0] - half), round(middle[1] - half))
    side = max(1, round(2 * half))
    square = Image.new("RGB", (side, side), _EMPTY)
    cut = (
        max(0, corner[0]),
        max(0, corner[1]),
        min(picture.width, corner[0] + side),
        min(picture.height, corner[1] + side),
    )
    if cut[0] < cut[2] and cut[1] < cut[3]:
        square.paste(picture.crop(cut), (cut[0] - corner[0], cut[1] - corner[1]))
    return square.resize((side_px, side_px), Image.Resampling.LANCZOS)
