"""Whatever is in a file, in its EXIF, in a name, a box or a mask: it is read, or refused in words."""

import io
import math
import os
import struct
import tempfile
import warnings
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from photopal.cli.inputs import parse_box
from photopal.cli.output import safe
from photopal.errors import PhotoError, PhotopalError, UsageError
from photopal.ingest.indexer import index_folders
from photopal.ingest.references import ReferenceFile, _read_mask
from photopal.library import Library
from photopal.library.connection import path_bytes, path_of
from photopal.photos import Exif, Photo, find_photos, phash_of
from photopal.photos.decode import decode_photo
from photopal.photos.exif import exif_of, name_camera

SUFFIXES = ("jpg", "png", "webp", "tiff", "gif", "bmp", "heic", "avif")
KINDS = {"jpg": "JPEG", "heic": "HEIF"}


@cache
def whole_file(suffix):
    """A small photo with EXIF."""
    if suffix == "heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Maker", "Maker Model", 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 10:20:30"
    exif.get_ifd(0x8825).update({1: "N", 2: (41.0, 22.0, 59.0), 3: "E", 4: (2.0, 10.0, 12.0)})
    picture = Image.linear_gradient("L").resize((24, 16)).convert("RGB")
    encoded = io.BytesIO()
    options = {} if suffix in ("gif", "bmp") else {"exif": exif}
    picture.save(encoded, KINDS.get(suffix, suffix.upper()), **options)
    return encoded.getvalue()


DAMAGE = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=6)


def refuse(error):
    """A refusal says what happened, in words that a terminal can show."""
    assert error.message
    safe(error.message).encode()


def damaged(content, damage, kept):
    """The content with some bytes written over, up to a part of its length."""
    bytes_ = bytearray(content)
    for place, new in damage:
        start = int(place * len(bytes_))
        bytes_[start : start + len(new)] = new[: len(bytes_) - start]
    return bytes(bytes_[: math.ceil(kept * len(bytes_))])


FILES = st.one_of(
    st.builds(damaged, st.sampled_from(SUFFIXES).map(whole_file), DAMAGE, st.floats(0, 1)),
    st.builds(damaged, st.sampled_from(SUFFIXES).map(whole_file), DAMAGE, st.just(1.0)),
    st.binary(max_size=200),
)


@st.composite
def tiff_blocks(draw):
    """A TIFF stream with directories of any tags, of any types, that may point anywhere."""
    order = draw(st.sampled_from("<>"))
    tags = st.sampled_from(
        [0x010F, 0x0110, 0x0112, 0x0132, 0x8769, 0x8825, 0x9003, 0x9011, 0xA434, 0x9004, *range(1, 8)]
    )
    entry = st.tuples(
        tags, st.integers(0, 14), st.sampled_from([0, 1, 2, 3, 7, 20, 2**31]), st.integers(0, 2**32 - 1)
    )
    near = st.tuples(tags, st.integers(1, 12), st.integers(1, 20), st.integers(0, 300))
    directories = draw(st.lists(st.lists(st.one_of(entry, near), max_size=8), min_size=1, max_size=4))
    block = bytearray(struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8))
    for entries in directories:
        block += struct.pack(f"{order}H", len(entries))
        for one in entries:
            block += struct.pack(f"{order}HHII", *one)
        block += struct.pack(f"{order}I", draw(st.sampled_from([0, 8, len(block) + 4, 2**32 - 1])))
    return bytes(block) + draw(st.binary(max_size=80))


def check_exif(exif):
    assert exif.orientation in range(1, 9)
    assert (exif.latitude is None) == (exif.longitude is None)
    assert exif.latitude is None or -90 <= exif.latitude <= 90
    assert exif.longitude is None or -180 <= exif.longitude <= 180
    assert exif.altitude_m is None or math.isfinite(exif.altitude_m)
    for date in (exif.taken_at, exif.digitized_at):
        assert date is None or len(date) in (4, 7, 10, 19, 25)
    for text in (exif.camera, exif.make, exif.model, exif.lens):
        assert text is None or (text and text.isprintable())


@pytest.mark.slow
@given(block=st.one_of(tiff_blocks(), st.binary(max_size=120)))
def test_any_exif_block_is_read_or_empty(block):
    check_exif(exif_of(io.BytesIO(block)))
    segment = b"Exif\0\0" + block
    jpeg = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + whole_file("jpg")[2:]
    check_exif(exif_of(io.BytesIO(jpeg)))


@given(content=FILES)
def test_the_exif_of_any_file_is_read_or_empty(content):
    check_exif(exif_of(io.BytesIO(content)))


@given(content=FILES, side=st.one_of(st.none(), st.integers(1, 40)))
def test_any_file_is_a_picture_or_a_photo_error(content, side):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            picture = decode_photo(io.BytesIO(content), Path("a.jpg"), max_side_px=side).picture
        except PhotoError as error:
            refuse(error)
            return
    assert picture.mode == "RGB"
    assert min(picture.size) >= 1
    assert side is None or max(picture.size) <= side
    phash = phash_of(picture)
    assert phash is None or -(2**63) <= phash < 2**63


@pytest.mark.slow
@given(make=st.one_of(st.none(), st.text(max_size=12)), model=st.one_of(st.none(), st.text(max_size=12)))
def test_any_make_and_model_are_a_name(make, model):
    name = name_camera(make, model)
    assert name is None or name in (make, model, f"{make} {model}")


NAMES = st.binary(min_size=1, max_size=40).map(lambda name: name.replace(b"\0", b"0").replace(b"/", b"\\"))
NAMES = NAMES.filter(lambda name: name not in (b".", b".."))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with Library(tmp_path_factory.mktemp("fuzz") / "library.db") as library:
        library.photos.add(Photo(Path("/p/a.jpg"), "0" * 32, 1, 1, 24, 16, "JPEG", Exif(), b""))
        yield library


@pytest.mark.slow
@given(name=NAMES)
def test_any_file_name_is_found_kept_and_shown_harmlessly(library, name):
    with tempfile.TemporaryDirectory() as root:
        path = Path(os.fsdecode(os.fsencode(root) + b"/" + name + b".jpg"))
        path.write_bytes(whole_file("gif") + name)  # it has no position, whose place would be looked up
        expected = [] if name.startswith(b".") else [path]
        assert list(find_photos([Path(root)], on_skip=print)) == expected
        report = index_folders(library, [Path(root)])
        assert (report.skipped, report.offline) == ([], [])
        row = library.photos.at(path)
        assert (row is not None) == bool(expected)
        assert index_folders(library, [Path(root)]).unchanged == len(expected)
        shown = safe(str(path))
        assert all(ord(letter) >= 32 for letter in shown)
        shown.encode()


@given(parts=st.lists(NAMES, min_size=1, max_size=4))
def test_any_path_comes_back_from_the_library_as_it_went_in(parts):
    path = Path(os.fsdecode(b"/" + b"/".join(parts)))
    assert os.fsencode(path_of(path_bytes(path))) == path_bytes(path)


NUMBERS = st.one_of(st.integers(-5, 50).map(str), st.integers().map(str), st.text(max_size=5), st.just("1.5"))


@pytest.mark.slow
@given(text=st.one_of(st.text(max_size=20), st.lists(NUMBERS, min_size=3, max_size=5).map(",".join)))
def test_any_text_is_a_box_or_a_usage_error(text):
    try:
        box = parse_box(text)
    except UsageError as error:
        refuse(error)
        return
    assert len(box) == 4
    assert all(isinstance(number, int) for number in box)


@given(box=st.tuples(*[st.one_of(st.integers(-30, 60), st.integers(-(2**70), 2**70))] * 4))
def test_any_box_is_a_reference_within_the_photo_or_refused(library, box):
    concept = next(iter(library.concepts.all()), None) or library.concepts.add("Anna")
    try:
        library.concepts.add_reference(concept.id, 1, box=box)
    except PhotopalError as error:
        refuse(error)
        return
    x, y, width, height = library.concepts.references(concept.id)[0].box
    assert 0 <= x < x + width <= 24
    assert 0 <= y < y + height <= 16


@given(content=FILES)
def test_any_file_is_a_mask_or_refused(content):
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / "mask.png"
        path.write_bytes(content)
        photo = Photo(Path(root) / "a.jpg", "0" * 32, 1, 1, 16, 24, "JPEG", Exif(), b"")
        try:
            mask = _read_mask(ReferenceFile(photo.path, mask=path), photo)
        except PhotopalError as error:
            refuse(error)
            return
        with Image.open(io.BytesIO(mask)) as read:
            assert read.size == (16, 24)


def test_a_case_that_once_fell_is_still_refused_in_words():
    # Python refuses to turn very long rows of digits into numbers.
    with pytest.raises(UsageError):
        parse_box(",".join(["9" * 5000] * 4))
