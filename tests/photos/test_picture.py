"""A picture's hash stays whatever is written into a file beside the picture, and changes with the picture."""

import io
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from photopal.photos import fingerprint_file, hash_file, picture
from photopal.photos.picture import Source, find_picture

EXIFTOOL = shutil.which("exiftool")
FORMATS = (
    "jpg",
    "progressive.jpg",
    "gray.jpg",
    "png",
    "apng",
    "webp",
    "lossless.webp",
    "tif",
    "heic",
    "avif",
    "gif",
)


def draw(seed=0, size=(64, 48)):
    levels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(levels)


def write(folder, kind, seed=0):
    """A file of a format with a name that fits."""
    image, path = draw(seed), folder / f"photo.{kind}"
    if kind == "progressive.jpg":
        image.save(path, progressive=True)
    elif kind == "gray.jpg":
        image.convert("L").save(path)
    elif kind == "apng":
        path = folder / "moving.png"
        image.save(path, save_all=True, append_images=[draw(seed + 100)])
    elif kind == "lossless.webp":
        image.save(path, lossless=True)
    elif kind == "gif":
        image.save(path, save_all=True, append_images=[draw(seed + 100)])
    elif kind in ("heic", "avif"):
        import pillow_heif

        pillow_heif.register_heif_opener()
        image.save(path, "HEIF" if kind == "heic" else "AVIF", quality=60)
    else:
        image.save(path)
    return path


def picture_hash(path):
    return fingerprint_file(path).picture_hash


def exiftool(path, *options):
    subprocess.run(
        [EXIFTOOL, "-q", "-q", "-m", "-overwrite_original", *options, str(path)],
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("kind", FORMATS)
def test_another_picture_has_another_hash_and_the_format_is_recognised(tmp_path, kind):
    (tmp_path / "a").mkdir()
    one, other = write(tmp_path, kind), write(tmp_path / "a", kind, seed=1)
    assert picture_hash(one) != picture_hash(other)
    assert find_picture(Source(io.BytesIO(one.read_bytes()))).format != "file"


@pytest.mark.slow
@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "options",
    [
        ("-XMP:Rating=4", "-XMP:Subject=party", "-XMP:Description=Grandma's 80th, " + "long " * 3000),
        ("-EXIF:DateTimeOriginal=2001:02:03 04:05:06", "-EXIF:GPSLatitude=48", "-EXIF:GPSLatitudeRef=N"),
        ("-EXIF:Orientation#=6",),
        ("-comment=hello",),
    ],
    ids=["tags", "date and position", "orientation", "comment"],
)
def test_exiftool_edits_metadata_and_the_picture_keeps_its_hash(tmp_path, kind, options):
    path = write(tmp_path, kind)
    before, content = picture_hash(path), hash_file(path)
    try:
        exiftool(path, *options)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"exiftool writes no such tag into this format: {error.stderr.decode()[:60]}")
    if hash_file(path) == content:
        pytest.skip("exiftool writes no such tag into this format")
    assert picture_hash(path) == before
    exiftool(path, "-all=")
    assert picture_hash(path) == before


def test_segments_of_a_jpeg_that_decide_no_pixel_do_not_count(tmp_path):
    path = write(tmp_path, "jpg")
    whole, before = path.read_bytes(), picture_hash(path)
    for marker in (0xE0, 0xE1, 0xE2, 0xED, 0xFE):
        path.write_bytes(whole[:2] + b"\xff\xff" + bytes((marker,)) + b"\x00\x06abcd" + whole[2:])
        assert picture_hash(path) == before
    path.write_bytes(whole + whole + b"and a film")
    assert picture_hash(path) == before


def test_how_colors_are_stored_counts_and_which_program_says_so_does_not(tmp_path):
    path = tmp_path / "cmyk.jpg"
    draw().convert("CMYK").save(path)
    whole, before = path.read_bytes(), picture_hash(path)
    place = whole.index(b"Adobe")
    path.write_bytes(whole[: place + 5] + b"\x00\x65" + whole[place + 7 :])
    assert picture_hash(path) == before
    flag = place + 11
    path.write_bytes(whole[:flag] + bytes((whole[flag] ^ 2,)) + whole[flag + 1 :])
    assert picture_hash(path) != before


def test_tables_of_a_jpeg_count(tmp_path):
    path = write(tmp_path, "jpg")
    whole, before = path.read_bytes(), picture_hash(path)
    place = whole.index(b"\xff\xdb") + 6
    path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
    assert picture_hash(path) != before


def test_a_color_profile_does_not_count(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("jpg", "png", "lossless.webp", "tif"):
        path = write(tmp_path, kind)
        before = picture_hash(path)
        with Image.open(path) as image:
            image.load()
            options = {"lossless": True} if kind == "lossless.webp" else {}
        if kind == "jpg":
            whole = path.read_bytes()
            segment = b"ICC_PROFILE\x00\x01\x01" + profile
            path.write_bytes(
                whole[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]
            )
        else:
            image.save(path, icc_profile=profile, **options)
        assert picture_hash(path) == before


def test_a_png_may_be_cut_into_chunks_in_any_way(tmp_path):
    path = write(tmp_path, "png")
    whole, before = path.read_bytes(), picture_hash(path)
    place = whole.index(b"IDAT") - 4
    length = struct.unpack(">I", whole[place : place + 4])[0]
    data = whole[place + 8 : place + 8 + length]

    def chunk(content):
        return (
            struct.pack(">I", len(content))
            + b"IDAT"
            + content
            + struct.pack(">I", zlib.crc32(b"IDAT" + content))
        )

    path.write_bytes(whole[:place] + chunk(data[:100]) + chunk(data[100:]) + whole[place + 12 + length :])
    assert picture_hash(path) == before


def test_text_in_a_png_and_pillows_own_edits_leave_the_picture(tmp_path):
    path = write(tmp_path, "png")
    before = picture_hash(path)
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", "Grandma's 80th")
    draw().save(path, pnginfo=text)
    assert picture_hash(path) == before


def test_a_frame_more_is_another_picture(tmp_path):
    for kind in ("apng", "gif"):
        path = write(tmp_path, kind)
        before = picture_hash(path)
        options = {"save_all": True, "append_images": [draw(100), draw(101)]}
        draw().save(path, **options)
        assert picture_hash(path) != before


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiles_previews_and_directories_of_a_tiff(tmp_path, order):
    """A preview that is made anew is no other picture; the data and what decides its pixels are."""

    def tiff(*, data=b"d" * 16, preview=b"p" * 4, interpretation=1, words=b"w" * 8):
        blocks, entries = bytearray(), []
        head = 8 + 2 + 9 * 12 + 4 + 2 + 6 * 12 + 4

        def block(content):
            blocks.extend(content)
            return head + len(blocks) - len(content)

        def entry(tag, value, kind=4, count=1):
            return struct.pack(f"{order}HHII", tag, kind, count, value)

        bits = struct.unpack(f"{order}I", struct.pack(f"{order}HH", 8, 0))[0]
        entries = [
            entry(256, 4), entry(257, 4), entry(258, bits, 3),
            entry(262, interpretation), entry(270, block(words), 2, 8), entry(322, 4), entry(323, 4),
            entry(324, block(data)), entry(325, len(data)),
        ]  # fmt: skip
        small = [
            entry(254, 1), entry(256, 2), entry(257, 2), entry(262, 1), entry(273, block(preview)),
            entry(279, len(preview)),
        ]  # fmt: skip
        first = struct.pack(f"{order}H", 9) + b"".join(entries) + struct.pack(f"{order}I", 8 + 2 + 9 * 12 + 4)
        second = struct.pack(f"{order}H", 6) + b"".join(small) + bytes(4)
        start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
        return start + first + second + blocks

    def of(**parts):
        (tmp_path / "a.tif").write_bytes(tiff(**parts))
        assert find_picture(Source(io.BytesIO(tiff(**parts)))).format == "TIFF"
        return picture_hash(tmp_path / "a.tif")

    before = of()
    assert of(preview=b"q" * 4) == of(words=b"other wo") == before
    assert of(data=b"e" * 16) != before
    assert of(interpretation=0) != before


@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_file_is_hashed_whole_or_in_parts_but_never_fails(tmp_path, kind):
    whole = write(tmp_path, kind).read_bytes()
    rng = np.random.default_rng(3)
    for number in range(60):
        damaged = bytearray(whole)
        if number % 3 == 0:
            damaged = damaged[: rng.integers(0, len(whole))]
        else:
            for place in rng.integers(0, min(len(whole), 400), 5):
                damaged[place] = rng.integers(0, 256)
        (tmp_path / "damaged").write_bytes(damaged)
        assert len(picture_hash(tmp_path / "damaged")) == 32


def test_files_that_differ_in_any_byte_have_different_hashes(tmp_path):
    path = write(tmp_path, "jpg")
    whole, seen = path.read_bytes(), set()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 0x55,)) + whole[place + 1 :])
        seen.add(hash_file(path))
    assert len(seen) == len(range(0, len(whole), 7))


def test_an_unknown_file_counts_whole(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"no photo")
    (tmp_path / "b.txt").write_bytes(b"no phot")
    assert picture_hash(tmp_path / "a.txt") != picture_hash(tmp_path / "b.txt")
    assert find_picture(Source(io.BytesIO(b"no photo"))).format == "file"
    assert find_picture(Source(io.BytesIO(b""))).size_bytes == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_large_file_is_read_in_parts_with_the_same_result(tmp_path, kind, monkeypatch):
    path = write(tmp_path, kind)
    before = fingerprint_file(path)
    monkeypatch.setattr(picture, "_IN_MEMORY_BYTES", 100)
    monkeypatch.setattr(picture, "_CHUNK_BYTES", 37)
    monkeypatch.setattr(picture, "_WINDOW_BYTES", 16)
    assert fingerprint_file(path) == before


def test_directories_that_lead_in_circles_and_parts_without_end_are_given_up(tmp_path):
    entry = struct.pack("<HHII", 273, 4, 3, 200) + struct.pack("<HHII", 279, 4, 3, 220)
    circle = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + entry + struct.pack("<I", 8)
    body = (
        circle.ljust(200, b"\0")
        + struct.pack("<III", 0, 0, 0).ljust(20, b"\0")
        + struct.pack("<III", 240, 240, 240)
    )
    found = find_picture(Source(io.BytesIO(body.ljust(240, b"\0"))))
    assert found.format == "file"
