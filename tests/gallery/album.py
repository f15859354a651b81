"""A library of small photos with captions, names, boxes, positions and much that a page must not obey."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from photopal.library import Library
from photopal.library.models import Finding, PhotoFindings
from photopal.photos import Exif, Photo

EVIL = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
EVIL_NAME = "<b onmouseover='window.hacked = 3'>Rex</b>"
PLACES = (
    (38.72, -9.14, "Lisbon, Lisbon, Portugal"),
    (48.86, 2.35, "Paris, Île-de-France, France"),
    (35.01, 135.77, "Kyoto, Kyoto, Japan"),
)


@dataclass(frozen=True)
class Album:
    """A library's file and the folder of its photos."""

    library: Path
    photos: Path


def jpeg_of(number: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """A small picture unlike all others, as a file's content."""
    picture = Image.new("RGB", size, (number * 37 % 200, number * 91 % 200, number * 53 % 200))
    ImageDraw.Draw(picture).ellipse((size[0] // 3, 5, size[0] // 3 + 20, 30), fill=(240, 220, 190))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def add_photo(library: Library, path: Path, number: int, *, place: str | None = None, **exif: object) -> int:
    """Write a photo's file and record it."""
    content = jpeg_of(number, (64, 48) if number % 3 else (48, 64))
    path.write_bytes(content)
    size = (64, 48) if number % 3 else (48, 64)
    stat = path.stat()
    return library.photos.add(
        Photo(
            path=path,
            content_hash=f"{number:032x}",
            size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
            width_px=size[0],
            height_px=size[1],
            format="JPEG",
            exif=Exif(**exif),
            thumbnail=content,
        ),
        place=place,
    )


def make_album(root: Path) -> Album:
    """Make a library of 151 photos, of 2018 to 2021 and undated: more than two packs."""
    photos = root / "photos"
    photos.mkdir()
    with Library(root / "home" / "library.db") as library, library.writing():
        anna = library.concepts.add("Anna")
        rex = library.concepts.add(EVIL_NAME, kind="pet")
        for number in range(150):
            latitude, longitude, place = PLACES[number % 3]
            is_dated = number != 149
            taken = f"{2019 + number // 60}-{1 + number // 5 % 12:02}-{1 + number % 28:02}T12:00:00"
            exif = {"taken_at": taken} if is_dated else {}
            if number % 2:
                exif |= {"latitude": latitude, "longitude": longitude}
            photo_id = add_photo(
                library, photos / f"{number:03}.jpg", number, place=place if number % 2 else None, **exif
            )
            if number % 5 == 0:
                library.concepts.add_reference(anna.id, photo_id, box=(16, 5, 20, 25))
            if number % 7 == 0:
                found = Finding(
                    concept_id=rex.id, source="look", verdict="looks like", probability=0.61, score=0.42,
                    threshold=0.4, box=(0.5, 0.5, 0.4, 0.4), reference_id=photo_id,
                )  # fmt: skip
                library.findings.put(photo_id, PhotoFindings(look_key="k", findings=(found,)))
            text = EVIL if number == 148 else f"Picnic\u2028number {number} by the café"
            library.captions.put(
                photo_id, text, model="m", bank=None, prompt_version="1", appearances=(), source="model"
            )
        odd = add_photo(
            library, photos / os.fsdecode(b"odd \xff #1.jpg"), 150, taken_at="2018-01-01T00:00:00"
        )
        library.captions.edit(odd, "A file with an odd name")
    return Album(root / "home" / "library.db", photos)
