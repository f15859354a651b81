"""Takes the picture that a camera puts into a RAW file beside the sensor's readings; develops nothing.

It needs the package rawpy (`pip install "photopal[raw]"`). Without it RAW files are passed over.
"""

from __future__ import annotations

import importlib.util
import io
from functools import cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from photopal.errors import PhotoError

RAW_SUFFIXES = frozenset(
    {
        ".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".srw",
        ".raw", ".rwl", ".3fr", ".iiq", ".erf", ".kdc", ".mrw", ".x3f",
    }
)  # fmt: skip
"""The file name endings, in lower case, that cameras give to RAW files."""

_JPEG_START = b"\xff\xd8"
_ORIENTATION = 0x0112
# LibRaw's names for turned sensors, and EXIF's.
_ORIENTATIONS = {3: 3, 5: 8, 6: 6}


@cache
def can_read_raw() -> bool:
    """Tell whether rawpy is installed."""
    return importlib.util.find_spec("rawpy") is not None


def still_of(file: BinaryIO, path: Path) -> BinaryIO:
    """Return what Pillow can read of a photo file: the file itself, or the picture inside a RAW file.

    Raises:
        PhotoError: The file is RAW, and rawpy or a picture in it is missing, or it is broken.
    """
    if path.suffix.lower() not in RAW_SUFFIXES:
        return file
    file.seek(0)
    if file.read(2) == _JPEG_START:
        return file
    if not can_read_raw():
        raise PhotoError(path, "RAW files need the rawpy package", hint='pip install "photopal[raw]"')
    import rawpy

    file.seek(0)
    try:
        with rawpy.imread(file) as raw:
            thumbnail, orientation = raw.extract_thumb(), _ORIENTATIONS.get(raw.sizes.flip, 1)
    except rawpy.LibRawError as error:
        raise PhotoError(path, f"no readable preview in the RAW file: {_words(error)}") from error
    if thumbnail.format == rawpy.ThumbFormat.JPEG:
        return io.BytesIO(_turned(thumbnail.data, orientation))
    encoded = io.BytesIO()
    Image.fromarray(thumbnail.data).save(encoded, "JPEG", quality=95, exif=_exif_of(orientation))
    return encoded


def _turned(jpeg: bytes, orientation: int) -> bytes:
    """Write the sensor's orientation into a JPEG that does not tell one itself."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        if orientation == 1 or _ORIENTATION in image.getexif():
            return jpeg
    block = _exif_of(orientation)
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    return _JPEG_START + segment + jpeg[2:]


def _exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return exif.tobytes()


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
