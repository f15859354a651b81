"""Decodes a photo file into an upright RGB picture, and tells how large it is; records nothing."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, UnidentifiedImageError

from photopal.errors import PhotoError
from photopal.photos.decoder_log import listening, simply_note_warnings
from photopal.photos.raw import still_of
from photopal.photos.turns import TURNS

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MODEL_SIDE_PX = 2048
"""How large a photo is decoded for a model, on its longer side: no model looks closer."""

PIXEL_LIMIT = 256_000_000
"""A photo with more pixels than this is refused from its header. The largest phones take 200 million."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "HEIF", "AVIF")

# Above this many pixels a photo is decoded while no other large one is, so that several threads together
# need no more memory than the largest photo and a few ordinary ones.
_LARGE_PIXELS = 32_000_000
_large_lock = Lock()


def open_photo(path: Path, *, max_side_px: int | None = None, content: bytes | None = None) -> Image.Image:
    """Decode a photo: RGB, upright, in sRGB, transparency over white, the first frame.

    Args:
        path: A JPEG, PNG, WebP, TIFF, GIF, BMP, HEIC or AVIF file; of a RAW file the picture inside.
        max_side_px: Shrink so that neither side is longer; a smaller photo keeps its size. JPEGs
            are then decoded at a fraction of their size, which is several times faster.
        content: The bytes of the file, if they were read already; the file is then left alone.

    Raises:
        PhotoError: The file cannot be opened, is no photo, is cut short or broken, or holds more
            than `PIXEL_LIMIT` pixels.
    """
    try:
        with _opened(path, content) as file:
            return decode_photo(file, path, max_side_px=max_side_px).picture
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error


def _opened(path: Path, content: bytes | None) -> BinaryIO:
    return path.open("rb") if content is None else io.BytesIO(content)


@dataclass(frozen=True)
class Decoded:
    """A decoded photo, and what its file's header says.

    Attributes:
        picture: Upright, in RGB, shrunk where that was asked for.
        width_px: Width of the whole photo once it is upright.
        height_px: Height of the whole photo once it is upright.
        format: Pillow's name of the format.
    """

    picture: Image.Image
    width_px: int
    height_px: int
    format: str


def decode_photo(
    file: BinaryIO, path: Path, *, max_side_px: int | None = None, notes: list[str] | None = None
) -> Decoded:
    """Decode an open photo file as `open_photo` does.

    Args:
        file: The photo.
        path: Serves the error's words only.
        max_side_px: See `open_photo`.
        notes: Gets what decoders say about the photo, though they decode it.
    """
    said: list[str] = [] if notes is None else notes
    try:
        with listening(file, said), quiet_pillow(), open_header(still_of(file, path), path) as image:
            # Asked before decoding: a JPEG that is shrunk while it is decoded tells another size.
            width_px, height_px = upright_size_px(image)
            format_name = image.format or ""
            return Decoded(_picture(image, max_side_px), width_px, height_px, format_name)
    except PhotoError:
        raise
    except Exception as error:
        # A decoder fed with a broken file raises nearly anything, from SyntaxError to KeyError.
        more = f" ({said[-1]})" if said else ""
        raise PhotoError(path, f"broken or cut short: {_words(error)}{more}") from error


class _Hush:
    """Pillow's pixel limit and Python's warning filters, which belong to the whole process.

    The first thread that comes sets them, the last that goes puts them back; none waits for another.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._pillow_limit: int | None = None
        self._warnings: warnings.catch_warnings[None] | None = None

    def begin(self) -> None:
        with self._lock:
            if not self._inside:
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                simply_note_warnings()
                self._pillow_limit = Image.MAX_IMAGE_PIXELS
                # Pillow raises at twice its limit and warns at the limit.
                Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT // 2
            self._inside += 1

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._warnings is not None:
                Image.MAX_IMAGE_PIXELS = self._pillow_limit
                self._warnings.__exit__(None, None, None)


_hush = _Hush()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings about odd files for whoever listens, and raise its limit to ours."""
    _hush.begin()
    try:
        yield
    finally:
        _hush.end()


def open_header(file: BinaryIO, path: Path) -> ImageFile:
    """Read a photo's header and leave the pixels; the caller closes the image, not the file.

    Raises:
        PhotoError: The file is empty, broken, no photo, or holds more than `PIXEL_LIMIT` pixels.
    """
    _support_heif()
    file.seek(0, io.SEEK_END)
    if file.tell() == 0:
        raise PhotoError(path, "the file is empty")
    file.seek(0)
    with quiet_pillow():
        try:
            image = Image.open(file, formats=_FORMATS)
        except Image.DecompressionBombError as error:
            raise _too_large(path) from error
        except UnidentifiedImageError as error:
            raise PhotoError(path, "not a photo that photopal can read") from error
        except Exception as error:
            raise PhotoError(path, f"broken or cut short: {_words(error)}") from error
    if image.width < 1 or image.height < 1:
        raise PhotoError(path, "the image has no pixels")
    if image.width * image.height > PIXEL_LIMIT:
        raise _too_large(path)
    return image


def orientation_of(image: Image.Image) -> int:
    """Return how the decoded pixels must be turned, 1 to 8 as in EXIF; 1 when nothing is known."""
    try:
        with quiet_pillow():
            orientation = image.getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001 - broken EXIF raises nearly anything and must not cost the photo
        return 1
    return orientation if orientation in TURNS else 1


def has_orientation(path: Path, *, content: bytes | None = None) -> bool:
    """Tell whether something in a photo file says which side is up, be it that the pixels stand as they are.

    Scans, screenshots and photos that lost their EXIF on the way say nothing.

    Args:
        path: The file.
        content: Its bytes, if they were read already.

    Raises:
        PhotoError: The file cannot be opened or is no photo.
    """
    with _header_of(path, content) as image:
        # HEIC and AVIF hold the turn in the container; their decoder turns the pixels and leaves no tag.
        if image.format in ("HEIF", "AVIF"):
            return True
        try:
            with quiet_pillow():
                return image.getexif().get(0x0112) in range(1, 9)
        except Exception:  # noqa: BLE001 - broken EXIF raises nearly anything
            return False


def upright_size_px(image: Image.Image) -> tuple[int, int]:
    """Return width and height of a header's photo once it is upright."""
    width, height = image.size
    # Pillow gives a TIFF's size as it will be once it is turned.
    is_lying = image.format != "TIFF" and orientation_of(image) >= 5
    return (height, width) if is_lying else (width, height)


def _too_large(path: Path) -> PhotoError:
    return PhotoError(path, f"more than {PIXEL_LIMIT // 1_000_000} million pixels")


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@cache
def _support_heif() -> None:
    """Teach Pillow HEIC, once, at the first photo rather than at import."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _picture(image: Image.Image, max_side_px: int | None) -> Image.Image:
    longest = max(image.size)
    if max_side_px is None or longest <= max_side_px:
        target = image.size
    else:
        width, height = (max(1, round(side * max_side_px / longest)) for side in image.size)
        target = width, height
    if target != image.size:
        # Only JPEG has a draft mode; it never goes below the size that is asked for.
        image.draft(None, target)
    profile = image.info.get("icc_profile")
    # A large photo waits until no other thread decodes a large one.
    is_large = image.width * image.height > _LARGE_PIXELS
    with _large_lock if is_large else nullcontext():
        image.load()
        # Asked after loading: Pillow turns a TIFF itself while it loads, and drops the tag.
        orientation = orientation_of(image)
        picture = _continuous(image)
        if target != image.size:
            picture = picture.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _srgb(picture, profile)
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    # A new image has neither the file nor its metadata hanging on it.
    return picture.copy() if picture is image else picture


def _continuous(image: Image.Image) -> Image.Image:
    """Bring any mode to one of L, RGB, RGBA, CMYK and LAB, in which pixels can be averaged."""
    mode = image.mode
    if mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        if "transparency" in image.info and mode in ("L", "RGB"):
            return image.convert("RGBA")
        return image
    if mode in ("P", "PA", "LA", "La", "RGBa"):
        has_alpha = mode != "P" or "transparency" in image.info
        return image.convert("RGBA" if has_alpha else "RGB")
    if mode.startswith("I") or mode == "F":
        # Scale one deep channel to 8 bits: 16-bit by its range, others by what they hold.
        import numpy as np

        levels = np.asarray(image).astype(np.float32)
        levels = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
        highest = float(levels.max(initial=0.0))
        if image.mode.startswith("I;16"):
            full = 65535.0
        elif image.mode == "F" and highest <= 1.0:
            full = 1.0
        else:
            full = next((limit for limit in (255.0, 65535.0) if highest <= limit), highest)
        return Image.fromarray(np.clip(levels * (255.0 / full), 0, 255).round().astype(np.uint8), "L")
    return image.convert("L" if mode == "1" else "RGB")


def _srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Bring a picture to RGB through its ICC profile, over white where it is transparent."""
    if picture.mode == "RGBA":
        alpha = picture.getchannel("A")
        opaque = _srgb(picture.convert("RGB"), profile)
        return Image.composite(opaque, Image.new("RGB", picture.size, "white"), alpha)
    if isinstance(profile, bytes) and profile:
        converted = _through_profile(picture, profile)
        if converted is not None:
            return converted
    if picture.mode == "LAB":
        return _through_lab(picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert with an embedded profile; None when it is broken or for another kind of pixels."""
    from PIL import ImageCms

    spaces = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "LAB": "LAB"}
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = spaces.get(source.profile.xcolor_space.strip().upper())
        if mode == "RGB" and picture.mode == "L":
            # A gray picture saved with a color profile: gray stays gray.
            return None
        if mode != picture.mode:
            return None
        if mode == "RGB" and "sRGB" in (source.profile.profile_description or ""):
            return picture
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None


def _through_lab(picture: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    assert converted is not None
    return converted


def photo_size_px(path: Path, *, content: bytes | None = None) -> tuple[int, int]:
    """Width and height of the upright photo, in pixels.

    Args:
        path: The file.
        content: Its bytes, if they were read already.

    Raises:
        PhotoError: The file cannot be opened or is no photo.
    """
    with _header_of(path, content) as image:
        return upright_size_px(image)


@contextmanager
def _header_of(path: Path, content: bytes | None) -> Iterator[ImageFile]:
    try:
        with _opened(path, content) as file, open_header(still_of(file, path), path) as image:
            yield image
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error
