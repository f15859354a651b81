"""Compares the captions of a library with the truth of its album, and puts them on one sheet to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from photopal.box import Box
from photopal.lab.synthetic.album import Album
from photopal.library import Library, PhotoRecord
from photopal.photos import open_photo
from photopal.prompts import Label, draw_labels
from photopal.text import names_in


@dataclass(frozen=True)
class AlbumScore:
    """How the captions of an album's photos name its cast.

    Attributes:
        photos: Photos of the album.
        captioned: Those that have a caption.
        exact: Captions that name exactly those who are there.
        wrong: Captions that name somebody who is not there.
        missing: Captions that leave out somebody who is there.
    """

    photos: int
    captioned: int
    exact: int
    wrong: int
    missing: int


def score_captions(library: Library, album: Album) -> AlbumScore:
    """Count which captions name the right names, whole names only."""
    names = [concept.name for concept in album.concepts]
    captioned = exact = wrong = missing = 0
    for photo in album.photos:
        row = library.photos.at(photo.path)
        caption = library.captions.get(row.id) if row is not None else None
        if caption is None:
            continue
        named = {*names_in(caption.text, names)}
        truth = {name for name in photo.names if name is not None}
        captioned += 1
        exact += named == truth
        wrong += bool(named - truth)
        missing += bool(truth - named)
    return AlbumScore(
        photos=len(album.photos), captioned=captioned, exact=exact, wrong=wrong, missing=missing
    )


TILE_PX = 300
WORDS_PX = 74
GAP_PX = 14


def draw_sheet(library: Library, photos: Sequence[PhotoRecord], *, columns: int = 4) -> Image.Image:
    """Draw photos with the names that were found on them and their captions below.

    Args:
        library: Knows the captions.
        photos: Captioned photos of the library, in the order to show them.
        columns: Photos a row.
    """
    names = {concept.id: concept.name for concept in library.concepts.all()}
    rows = -(-len(photos) // columns)
    width = columns * (TILE_PX + GAP_PX) + GAP_PX
    sheet = Image.new("RGB", (width, rows * (TILE_PX + WORDS_PX + GAP_PX) + GAP_PX), (250, 249, 246))
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=14)
    for number, photo in enumerate(photos):
        caption = library.captions.get(photo.id)
        if caption is None:
            continue
        seen = [
            a for a in caption.appearances if a.is_present and a.box is not None and a.concept_id in names
        ]
        labels = [Label(names[a.concept_id], Box(*a.box)) for a in seen if a.box is not None]
        tile = draw_labels(open_photo(photo.path), labels).resize((TILE_PX, TILE_PX))
        x = GAP_PX + number % columns * (TILE_PX + GAP_PX)
        y = GAP_PX + number // columns * (TILE_PX + WORDS_PX + GAP_PX)
        sheet.paste(tile, (x, y))
        lines = textwrap.wrap(caption.text, width=44)[:4]
        pen.multiline_text((x, y + TILE_PX + 5), "\n".join(lines), fill=(40, 40, 46), font=font, spacing=2)
    return sheet
