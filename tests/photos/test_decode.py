"""Whatever is in a photo file, it is decoded upright, in sRGB and whole, or refused with a reason."""

import io
import struct
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import photopal.photos.decode
from photopal.errors import PhotoError
from photopal.photos import PIXEL_LIMIT, open_photo

FORMATS = ["jpg", "png", "webp", "tiff", "gif", "bmp", "heic", "avif"]
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red, green, blue and white quarters, in reading order."""
    image = Image.new("RGB", (2, 2))
    image.putdata([RED, GREEN, BLUE, WHITE])
    return image.resize(size, Image.Resampling.NEAREST)


def noise(size: tuple[int, int] = (400, 300)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))


def save(image: Image.Image, path: Path, **options: object) -> Path:
    if path.suffix == ".heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    image.save(path, **options)
    return path


def seen_corners(image: Image.Image) -> list[tuple[int, int, int]]:
    """The four corners' colours, each channel rounded to 0 or 255."""
    small = image.resize((4, 4), Image.Resampling.BOX)
    pixels = [small.getpixel(xy) for xy in ((0, 0), (3, 0), (0, 3), (3, 3))]
    return [tuple(255 * (channel > 127) for channel in pixel) for pixel in pixels]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_read_as_rgb(tmp_path, suffix):
    image = open_photo(save(corners(), tmp_path / f"a.{suffix}"))
    assert (image.mode, image.size) == ("RGB", (96, 64))
    assert seen_corners(image) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "heic", "avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(tmp_path, suffix, orientation):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = corners()
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(stored, tmp_path / f"a.{suffix}", exif=exif.tobytes())
    for max_side_px in (None, 48):
        image = open_photo(path, max_side_px=max_side_px)
        assert image.size == ((96, 64) if max_side_px is None else (48, 32))
        assert seen_corners(image) == [RED, GREEN, BLUE, WHITE]


def test_a_smaller_photo_keeps_its_size(tmp_path):
    assert open_photo(save(corners(), tmp_path / "a.png"), max_side_px=500).size == (96, 64)


def test_a_shrunken_jpeg_looks_like_the_whole_one(tmp_path):
    path = save(corners((1600, 1200)), tmp_path / "a.jpg", quality=95)
    small = open_photo(path, max_side_px=200)
    assert small.size == (200, 150)
    whole = open_photo(path).resize((200, 150), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(small).astype(int) - np.asarray(whole).astype(int)).mean() < 2


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kept", [0.1, 0.33, 0.66, 0.95])
def test_a_file_that_is_cut_short_is_an_error(tmp_path, suffix, kept):
    path = save(noise(), tmp_path / f"a.{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    for max_side_px in (None, 64):
        with pytest.raises(PhotoError, match=str(path)):
            open_photo(path, max_side_px=max_side_px)


@pytest.mark.parametrize("kept", [0.33, 0.9])
def test_a_progressive_jpeg_that_is_cut_short_is_an_error(tmp_path, kept):
    path = save(noise(), tmp_path / "a.jpg", progressive=True)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(PhotoError):
        open_photo(path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"plain text", b"\x89PNG\r\n\x1a\n", b"RIFF1234WEBP", b"%PDF-1.4"]
)
def test_what_is_no_photo_is_an_error(tmp_path, content):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=str(path)):
        open_photo(path)


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    for path in (tmp_path / "gone.jpg", tmp_path):
        with pytest.raises(PhotoError, match="cannot be opened"):
            open_photo(path)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("size", [(100_000, 100_000), (16_001, 16_001)])
def test_a_decompression_bomb_is_refused_from_its_header(tmp_path, size):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(*size) + struct.pack(">I", 10**9) + b"IDAT")
    with pytest.raises(PhotoError, match="million pixels"):
        open_photo(path)
    assert size[0] * size[1] > PIXEL_LIMIT


@pytest.mark.slow
def test_a_photo_of_200_million_pixels_is_read(tmp_path):
    path = save(Image.new("L", (16_320, 12_240), 90), tmp_path / "a.jpg")
    assert open_photo(path, max_side_px=64).getpixel((5, 5)) == (90, 90, 90)


def test_pillows_own_limit_is_left_as_it_was(tmp_path):
    before = Image.MAX_IMAGE_PIXELS
    open_photo(save(corners(), tmp_path / "a.png"))
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bit_grey_keeps_its_tones(tmp_path, suffix):
    levels = np.linspace(0, 65535, 64).astype(np.uint16)
    path = save(Image.fromarray(np.tile(levels, (64, 1))), tmp_path / f"a.{suffix}")
    image = np.asarray(open_photo(path)).astype(int)
    assert np.abs(image[0, :, 0] - levels / 257).max() <= 1
    assert open_photo(path, max_side_px=32).size == (32, 32)


def test_32_bit_tiffs_are_read(tmp_path):
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    ramp[3, 3] = np.nan
    assert open_photo(save(Image.fromarray(ramp), tmp_path / "f.tiff")).getpixel((63, 0)) == WHITE
    deep = Image.fromarray((ramp[4:] * 2**31 * 0.9).astype(np.int32))
    assert open_photo(save(deep, tmp_path / "i.tiff")).getpixel((63, 0)) == WHITE


def test_cmyk_is_read(tmp_path):
    for suffix in ("jpg", "tiff"):
        image = open_photo(save(corners().convert("CMYK"), tmp_path / f"a.{suffix}"))
        assert seen_corners(image) == [RED, GREEN, BLUE, WHITE]


def test_lab_is_read(tmp_path):
    lab = ImageCms.profileToProfile(
        corners(), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert seen_corners(open_photo(save(lab, tmp_path / "a.tiff"))) == [RED, GREEN, BLUE, WHITE]


def test_one_bit_and_grey_are_read(tmp_path):
    for mode in ("1", "L", "LA"):
        path = save(Image.new("L", (8, 8), 255).convert(mode), tmp_path / f"{mode}.png")
        assert open_photo(path).getpixel((4, 4)) == WHITE


def test_what_is_transparent_lies_over_white(tmp_path):
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 20, 40))
    palette = clear.quantize(8)
    colour_key = Image.new("RGB", (40, 40), (1, 2, 3))
    for name, image, options in (
        ("rgba.png", clear, {}),
        ("rgba.webp", clear, {"lossless": True}),
        ("p.png", palette, {}),
        ("p.gif", clear, {}),
    ):
        picture = open_photo(save(image, tmp_path / name, **options))
        assert picture.getpixel((30, 20)) == WHITE, name
        assert picture.getpixel((10, 20)) == pytest.approx(RED, abs=3), name
    key_path = save(colour_key, tmp_path / "key.png", transparency=(1, 2, 3))
    assert open_photo(key_path).getpixel((0, 0)) == WHITE


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_the_first_frame_of_an_animation_is_the_photo(tmp_path, suffix):
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE)]
    path = save(frames[0], tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert open_photo(path).getpixel((16, 16)) == pytest.approx(RED, abs=4)


def other_profile() -> bytes:
    """Return an sRGB profile with its red and blue primaries exchanged: colours change, grey does not."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {bytes(content[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(content[131])}
    red, blue = (slice(entries[name] + 4, entries[name] + 8) for name in (b"rXYZ", b"bXYZ"))
    content[red], content[blue] = content[blue], content[red]
    return bytes(content).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "heic", "avif"])
def test_an_icc_profile_is_followed_to_srgb(tmp_path, suffix):
    path = save(corners(), tmp_path / f"a.{suffix}", icc_profile=other_profile())
    assert seen_corners(open_photo(path)) == [BLUE, GREEN, RED, WHITE]
    assert seen_corners(open_photo(path, max_side_px=32)) == [BLUE, GREEN, RED, WHITE]


@pytest.mark.parametrize(
    "profile", [b"garbage", b"\x00" * 200, other_profile()[:150]], ids=["garbage", "zeros", "cut short"]
)
def test_a_broken_icc_profile_does_not_cost_the_photo(tmp_path, profile):
    path = save(corners(), tmp_path / "a.jpg", icc_profile=profile)
    assert seen_corners(open_photo(path)) == [RED, GREEN, BLUE, WHITE]


def test_a_profile_for_other_pixels_is_passed_over(tmp_path):
    path = save(corners().convert("CMYK"), tmp_path / "a.tiff", icc_profile=other_profile())
    assert seen_corners(open_photo(path)) == [RED, GREEN, BLUE, WHITE]


def test_broken_exif_does_not_cost_the_photo(tmp_path):
    path = save(corners(), tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert open_photo(path).size == (96, 64)


def test_random_damage_raises_photo_errors_only(tmp_path):
    random = np.random.default_rng(3)
    for suffix in FORMATS:
        path = save(noise((64, 48)), tmp_path / f"a.{suffix}")
        content = path.read_bytes()
        for _ in range(40):
            damaged = bytearray(content)
            for place in random.integers(0, min(len(content), 400), 6):
                damaged[place] = random.integers(0, 256)
            path.write_bytes(bytes(damaged))
            with suppress(PhotoError):
                assert open_photo(path).mode == "RGB"


def test_the_picture_carries_nothing_of_the_file(tmp_path):
    path = save(corners(), tmp_path / "a.png", pnginfo=None)
    image = open_photo(path)
    path.unlink()
    encoded = io.BytesIO()
    image.save(encoded, "PNG")
    assert Image.open(encoded).size == (96, 64)


def test_photos_are_read_in_several_threads_at_once(tmp_path):
    paths = [save(noise(), tmp_path / f"{number}.jpg") for number in range(8)]
    filters, limit = list(warnings.filters), Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(4) as pool:
        sizes = {image.size for image in pool.map(open_photo, paths)}
    assert sizes == {(400, 300)}
    assert (warnings.filters, Image.MAX_IMAGE_PIXELS) == (filters, limit)


def test_large_photos_are_decoded_one_at_a_time_and_small_ones_together(tmp_path, monkeypatch):
    at_once, most = [0], {"small": 0, "large": 0}
    path = save(noise((64, 48)), tmp_path / "a.png")
    continuous = photopal.photos.decode._continuous

    def count(image, kind):
        at_once[0] += 1
        most[kind] = max(most[kind], at_once[0])
        time.sleep(0.05)
        at_once[0] -= 1
        return continuous(image)

    for kind, limit in (("small", 10**9), ("large", 1)):
        monkeypatch.setattr(photopal.photos.decode, "_LARGE_PIXELS", limit)
        monkeypatch.setattr(
            photopal.photos.decode, "_continuous", lambda image, kind=kind: count(image, kind)
        )
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(open_photo, [path] * 8))
    assert most["small"] > 1
    assert most["large"] == 1
