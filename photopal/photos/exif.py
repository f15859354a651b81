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
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from photopal.errors import PhotoError

_TIFF_STARTS = (b"II*\x00", b"MM\x00*")
_EXIF_PREFIX = b"Exif\x00\x00"

# What broken EXIF makes a parser raise. Everything that is a bug in this module is here too, which
# is why the tests feed it thousands of damaged blocks and look at the answers.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError,
    RuntimeError, TypeError, ValueError, struct.error,
)  # fmt: skip

# Real cameras' EXIF takes up to about a thousand reads. A hostile one can point a million tags at each other.
_READS_ALLOWED = 20_000
_BYTES_ALLOWED = 64 * 1024 * 1024

_DATE = re.compile(
    r"\s*(\d{4})[:/.-]\s*(\d{1,2})[:/.-]\s*(\d{1,2})[ T]+(\d{1,2}):\s*(\d{1,2})(?::\s*(\d{1,2}))?"
)
_OFFSET = re.compile(r"\s*([+-])(\d{2}):?(\d{2})\s*$")


@dataclass(frozen=True)
class Exif:
    """What the camera says of a photo; None where it says nothing that can be believed.

    Attributes:
        taken_at: ISO 8601 local time to the second, with the offset from UTC where it is known.
        camera: Make and model in one, the make not said twice.
        make: The maker as written, trimmed.
        model: The model as written, trimmed.
        lens: The lens model.
        orientation: EXIF orientation, 1 to 8, as the file says it; 1 where it says nothing.
        latitude: Degrees, south negative, -90 to 90.
        longitude: Degrees, west negative, -180 to 180.
        altitude_m: Metres above the sea, below it negative.
    """

    taken_at: str | None = None
    camera: str | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    orientation: int = 1
    latitude: float | None = None
    longitude: float | None = None
    altitude_m: float | None = None


def read_exif(path: Path) -> Exif:
    """Read the EXIF of a photo file; broken or absent EXIF gives empty fields.

    Raises:
        PhotoError: The file cannot be opened for reading.
    """
    try:
        with path.open("rb") as file:
            return exif_of(file)
    except OSError as error:
        raise PhotoError(f"{path}: cannot be opened: {error.strerror or error}") from error


def exif_of(file: BinaryIO) -> Exif:
    """Read the EXIF of an open photo file; the position in the file is lost."""
    tags, decoded_orientation = _tags_of(file)
    make, model, lens = (_text_of(tags, name) for name in ("Make", "Model", "LensModel"))
    latitude = _degrees(tags, "GPS GPSLatitude", negative="S", limit=90.0)
    longitude = _degrees(tags, "GPS GPSLongitude", negative="W", limit=180.0)
    if latitude is None or longitude is None:
        latitude = longitude = None
    return Exif(
        taken_at=_taken_at(tags),
        camera=name_camera(make, model),
        make=make,
        model=model,
        lens=lens,
        orientation=decoded_orientation or _orientation(tags),
        latitude=latitude,
        longitude=longitude,
        altitude_m=_altitude_m(tags),
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


def _tags_of(file: BinaryIO) -> tuple[dict[str, Any], int | None]:
    """Return exifread's tags by name, and the orientation a decoder has already taken out of them."""
    file.seek(0)
    head = file.read(12)
    if head[:4] in _TIFF_STARTS:
        return _parse(file), None
    block, orientation = _exif_block(file)
    tags = _parse(io.BytesIO(block)) if block else {}
    if not tags and (head[:4] == b"\x89PNG" or head[4:8] == b"ftyp"):
        # PNG keeps EXIF behind the pixels too, where Pillow's header does not reach.
        tags = _parse(file)
    return tags, orientation


def _exif_block(file: BinaryIO) -> tuple[bytes | None, int | None]:
    """Return the TIFF stream that Pillow finds in the container."""
    from photopal.photos.decode import open_header, quiet_pillow

    try:
        with quiet_pillow(), open_header(file) as image:
            block = image.info.get("exif")
            if block is None and "Raw profile type exif" in image.info:
                block = image.getexif().tobytes()
            # The HEIC decoder turns the pixels itself and resets the tag.
            orientation = image.info.get("original_orientation")
    except (PhotoError, *_BROKEN):
        return None, None
    if not isinstance(block, bytes):
        return None, None
    return block.removeprefix(_EXIF_PREFIX), orientation


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
    own, other = ("EXIF", "Image") if name == "LensModel" else ("Image", "EXIF")
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


def _taken_at(tags: dict[str, Any]) -> str | None:
    """Return the first believable date: when taken, when digitised, when the file was written."""
    for date_name, offset_name in (
        ("EXIF DateTimeOriginal", "EXIF OffsetTimeOriginal"),
        ("EXIF DateTimeDigitized", "EXIF OffsetTimeDigitized"),
        ("Image DateTime", "EXIF OffsetTime"),
    ):
        taken_at = _date(_text(tags.get(date_name)))
        if taken_at:
            return taken_at + _offset(_text(tags.get(offset_name)))
    return None


def _date(text: str | None) -> str | None:
    match = _DATE.match(text or "")
    if not match:
        return None
    try:
        return datetime(*(int(part or 0) for part in match.groups())).isoformat(timespec="seconds")  # type: ignore[arg-type]
    except ValueError:
        return None


def _offset(text: str | None) -> str:
    if text in ("Z", "z"):
        return "+00:00"
    match = _OFFSET.match(text or "")
    if not match or int(match[2]) > 14 or int(match[3]) > 59:
        return ""
    return f"{match[1]}{match[2]}:{match[3]}"


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


def _degrees(tags: dict[str, Any], name: str, *, negative: str, limit: float) -> float | None:
    """Return signed degrees from degrees, minutes, seconds and the hemisphere's letter."""
    parts = _numbers(tags.get(name))
    hemisphere = (_text(tags.get(f"{name}Ref")) or "").upper()[:1]
    if not parts or hemisphere not in ("N", "S", "E", "W"):
        return None
    degrees = math.fsum(part / 60**place for place, part in enumerate(parts[:3]))
    if not 0 <= degrees <= limit:
        return None
    return -degrees if hemisphere == negative else degrees


def _altitude_m(tags: dict[str, Any]) -> float | None:
    metres = _numbers(tags.get("GPS GPSAltitude"))
    if not metres:
        return None
    reference = _numbers(tags.get("GPS GPSAltitudeRef"))
    return -abs(metres[0]) if reference and reference[0] == 1 else metres[0]


def _orientation(tags: dict[str, Any]) -> int:
    numbers = _numbers(tags.get("Image Orientation"))
    return int(numbers[0]) if numbers and numbers[0] in range(1, 9) else 1
