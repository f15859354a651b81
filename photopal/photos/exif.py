"""Reads what a camera wrote about a photo; knows EXIF only and never decodes pixels.

EXIF comes from anybody, so every field is checked on its own and a broken one is simply absent.
"""

from __future__ import annotations

import io
import logging
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from photopal.errors import PhotoError
from photopal.photos.dates import read_date
from photopal.photos.embedded import Blocks, find_blocks

# What broken EXIF makes a parser raise. Everything that is a bug in this module is here too, which
# is why the tests feed it thousands of damaged blocks and look at the answers.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, TypeError, ValueError, struct.error,
)  # fmt: skip

# Real cameras' EXIF takes up to about a thousand reads. A hostile one can point a million tags at each other.
_READS_ALLOWED = 20_000
_BYTES_ALLOWED = 64 * 1024 * 1024


@dataclass(frozen=True)
class Exif:
    """What the camera says of a photo; None where it says nothing that can be believed.

    Attributes:
        taken_at: When the picture was taken: ISO 8601 local time or its beginning, with the offset from UTC
            where it is known.
        digitized_at: When it was made digital, in the same form; cameras write both, scanners this one.
        camera: Make and model in one, the make not said twice.
        make: The maker as written, trimmed.
        model: The model as written, trimmed.
        lens: The lens model.
        orientation: EXIF orientation, 1 to 8, as the file says it; 1 where it says nothing.
        latitude: Degrees, south negative, -90 to 90.
        longitude: Degrees, west negative, -180 to 180.
        altitude_m: Metres above the sea, below it negative.
        title: The title that Windows shows.
        description: What somebody, and not the camera, wrote about the picture.
        keywords: The keywords that Windows shows.
        rating: Stars, 0 to 5.
    """

    taken_at: str | None = None
    digitized_at: str | None = None
    camera: str | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    orientation: int = 1
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None


def read_exif(path: Path) -> Exif:
    """Read the EXIF of a photo file; broken or absent EXIF gives empty fields.

    Raises:
        PhotoError: The file cannot be opened for reading.
    """
    try:
        with path.open("rb") as file:
            return exif_of(file)
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error


def exif_of(file: BinaryIO, blocks: Blocks | None = None) -> Exif:
    """Read the EXIF of an open photo file; the position in the file is lost.

    Args:
        file: The photo.
        blocks: What `find_blocks` found in it, where it was called already.
    """
    blocks = find_blocks(file) if blocks is None else blocks
    tags = _tags_of(file, blocks)
    make, model, lens = (_text_of(tags, name) for name in ("Make", "Model", "LensModel"))
    latitude = _degrees(tags, "GPS GPSLatitude", hemispheres="NS", limit=90.0)
    longitude = _degrees(tags, "GPS GPSLongitude", hemispheres="EW", limit=180.0)
    # A device that has not found its position yet writes zeros.
    if latitude is None or longitude is None or latitude == longitude == 0:
        latitude = longitude = None
    words = (word.strip() for word in (_wide_text(tags, "XPKeywords") or "").split(";"))
    numbers = _numbers(tags.get("Image Rating"))
    return Exif(
        taken_at=_date_of(tags, "Original"),
        digitized_at=_date_of(tags, "Digitized"),
        camera=name_camera(make, model),
        make=make,
        model=model,
        lens=lens,
        orientation=blocks.orientation or _orientation(tags),
        latitude=latitude,
        longitude=longitude,
        altitude_m=_altitude_m(tags),
        title=_wide_text(tags, "XPTitle"),
        description=_description(tags),
        keywords=tuple(dict.fromkeys(filter(None, words))),
        rating=int(numbers[0]) if numbers and 0 < numbers[0] <= 5 else None,
    )


def name_camera(make: str | None, model: str | None) -> str | None:
    """Join make and model: ("NIKON CORPORATION", "NIKON D90") is "NIKON D90"."""
    if not make or not model:
        return model or make
    make_words = re.findall(r"\w+", make.casefold())
    model_words = re.findall(r"\w+", model.casefold())
    if model_words and model_words[0] in make_words:
        return model
    return f"{make} {model}"


class _BoundedReader:
    """A file that may be read only so many times, whatever loops its tags are tied into."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._reads_left = _READS_ALLOWED

    def read(self, size: int = -1) -> bytes:
        self._reads_left -= 1
        if self._reads_left < 0:
            raise OSError("the EXIF block refers to itself without end")
        return self._file.read(_BYTES_ALLOWED if size < 0 else min(size, _BYTES_ALLOWED))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _tags_of(file: BinaryIO, blocks: Blocks) -> dict[str, Any]:
    """Return exifread's tags by name."""
    if blocks.is_exif_whole_file:
        return _parse(file)
    tags = _parse(io.BytesIO(blocks.exif)) if blocks.exif else {}
    if not tags:
        file.seek(4)
        if file.read(4) == b"ftyp":
            return _parse(file)
    return tags


def _parse(stream: BinaryIO) -> dict[str, Any]:
    import exifread
    from exifread.core.exceptions import ExifError

    # exifread says what it does not like through logging, which reaches the user's terminal.
    logging.getLogger("exifread").setLevel(logging.CRITICAL + 1)
    try:
        stream.seek(0)
        tags: dict[str, Any] = exifread.process_file(
            _BoundedReader(stream), details=False, extract_thumbnail=False
        )
    except (ExifError, *_BROKEN):
        return {}
    return tags


def _text_of(tags: dict[str, Any], name: str) -> str | None:
    """Return a text from where it belongs or, as some programs write it, from the other directory."""
    own, other = ("Image", "EXIF") if name in ("Make", "Model") else ("EXIF", "Image")
    return _text(tags.get(f"{own} {name}")) or _text(tags.get(f"{other} {name}"))


def _text(tag: Any) -> str | None:
    """Return a tag's text, trimmed of NULs and spaces; None where nothing is left."""
    values = getattr(tag, "values", None)
    if isinstance(values, list) and values and all(isinstance(value, int) for value in values):
        try:
            values = bytes(values)
        except ValueError:
            return None
    if isinstance(values, bytes):
        values = values.decode("utf-8", errors="replace")
    if not isinstance(values, str):
        return None
    text = " ".join(values.split("\x00", 1)[0].split())
    return "".join(letter for letter in text if letter.isprintable()) or None


def _date_of(tags: dict[str, Any], kind: str) -> str | None:
    """Return a date with its offset; the date of the last change is none that a picture was taken on."""
    offset = _text_of(tags, f"OffsetTime{kind}")
    date = read_date(_text_of(tags, f"DateTime{kind}"), "EXIF", offset=offset)
    return None if date is None else date.at


def _description(tags: dict[str, Any]) -> str | None:
    """Return what somebody wrote; descriptions that a camera gives to all its pictures are passed over."""
    texts = (
        _text(tags.get("Image ImageDescription")),
        _wide_text(tags, "XPComment"),
        _wide_text(tags, "XPSubject"),
    )
    return next((text for text in texts if text and not is_by_camera(text)), None)


def is_by_camera(description: str) -> bool:
    """Tell whether a description is one that a camera or program gives to every picture."""
    return _BY_CAMERA.fullmatch(description.strip()) is not None


_BY_CAMERA = re.compile(
    r"(?:[\w .-]*\bdigital (?:still )?camera\b[\w .-]*|sony dsc|dcim\b.*|jpeg|"
    r"exif[_ ]jpeg[_ ](?:picture|t\d+)|"
    r"default|none|null|untitled|image|picture|photo|screenshot|created with .*|\W*|\d{1,5}|"
    r"<?(?:created|edited|processed) (?:with|by) .*|(?:sd|hd)?[a-z]?cam|samsung|hdr|binary comment|"
    r"(?:ascii|unicode|jis)|file written by .*|charset=.*)",
    re.IGNORECASE | re.DOTALL,
)


def _wide_text(tags: dict[str, Any], name: str) -> str | None:
    """Return a text of Windows, which is UTF-16 in bytes."""
    values = getattr(tags.get(f"Image {name}"), "values", None)
    if isinstance(values, str):
        return _clean(values)
    try:
        return _clean(bytes(values or ()).decode("utf-16-le", errors="ignore"))
    except (TypeError, ValueError):
        return None


def _clean(text: str) -> str | None:
    line = " ".join(text.split("\x00", 1)[0].split())
    return "".join(letter for letter in line if letter.isprintable()) or None


def _numbers(tag: Any) -> list[float]:
    """Return a tag's numbers; a ratio over zero ends the list."""
    numbers: list[float] = []
    values = getattr(tag, "values", None)
    if not isinstance(values, (list, tuple)):
        return numbers
    for value in values:
        if isinstance(value, tuple) and len(value) == 1:
            # exifread leaves a float as the one-tuple that struct gives.
            (value,) = value
        try:
            number = float(value)
        except _BROKEN:
            break
        if not math.isfinite(number):
            break
        numbers.append(number)
    return numbers


def _degrees(tags: dict[str, Any], name: str, *, hemispheres: str, limit: float) -> float | None:
    """Return signed degrees from degrees, minutes, seconds and the hemisphere's letter."""
    parts = _numbers(tags.get(name))
    hemisphere = (_text(tags.get(f"{name}Ref")) or "").upper()[:1]
    if not parts or not hemisphere or hemisphere not in hemispheres:
        return None
    degrees = math.fsum(part / 60**place for place, part in enumerate(parts[:3]))
    if not 0 <= degrees <= limit:
        return None
    return -degrees if hemisphere in "SW" else degrees


def _altitude_m(tags: dict[str, Any]) -> float | None:
    metres = _numbers(tags.get("GPS GPSAltitude"))
    if not metres:
        return None
    reference = _numbers(tags.get("GPS GPSAltitudeRef"))
    return -abs(metres[0]) if reference and reference[0] == 1 else metres[0]


def _orientation(tags: dict[str, Any]) -> int:
    numbers = _numbers(tags.get("Image Orientation"))
    return int(numbers[0]) if numbers and numbers[0] in range(1, 9) else 1
