"""EXIF is read where it is whole and believable, and never costs more than itself."""

import io
import logging
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from photopal.errors import PhotoError
from photopal.photos import Exif, read_exif
from photopal.photos.exif import name_camera

CONTAINERS = ["jpg", "png", "webp", "tiff", "heic", "avif"]


def exif_with(
    image: dict[int, Any] | None = None,
    camera: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
) -> bytes:
    exif = Image.Exif()
    exif.update(image or {})
    exif.get_ifd(0x8769).update(camera or {})
    exif.get_ifd(0x8825).update(gps or {})
    return exif.tobytes()


def photo_with(path: Path, exif: bytes) -> Path:
    pillow_heif.register_heif_opener()
    Image.new("RGB", (32, 24), "gray").save(path, exif=exif)
    return path


def degrees(*parts: float) -> tuple[IFDRational, ...]:
    return tuple(IFDRational(round(part * 10_000), 10_000) for part in parts)


FULL = exif_with(
    {271: "FUJIFILM\x00\x00", 272: "X-T5  ", 274: 6, 306: "2025:01:01 00:00:00"},
    {36867: "2024:07:03 18:22:01", 36881: "+02:00", 42036: "XF35mmF1.4 R"},
    {1: "S", 2: degrees(33, 51, 24.5), 3: "W", 4: degrees(70, 30, 0), 5: b"\x01", 6: IFDRational(125, 10)},
)


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_every_container_gives_every_field(tmp_path, suffix):
    exif = read_exif(photo_with(tmp_path / f"a.{suffix}", FULL))
    assert exif.latitude == pytest.approx(-(33 + 51 / 60 + 24.5 / 3600))
    assert exif.longitude == -70.5
    assert exif == Exif(
        taken_at="2024-07-03T18:22:01+02:00",
        camera="FUJIFILM X-T5",
        make="FUJIFILM",
        model="X-T5",
        lens="XF35mmF1.4 R",
        orientation=6,
        latitude=exif.latitude,
        longitude=-70.5,
        altitude_m=-12.5,
    )


def test_a_photo_without_exif_has_empty_fields(tmp_path):
    pillow_heif.register_heif_opener()
    for suffix in [*CONTAINERS, "gif", "bmp"]:
        path = tmp_path / f"a.{suffix}"
        Image.new("RGB", (8, 8)).save(path)
        assert read_exif(path) == Exif(), suffix


def test_png_exif_behind_the_pixels_is_read(tmp_path):
    content = photo_with(tmp_path / "a.png", FULL).read_bytes()
    start = content.index(b"eXIf") - 4
    end = start + 12 + struct.unpack(">I", content[start : start + 4])[0]
    chunk, rest = content[start:end], content[:start] + content[end:]
    behind = rest.index(b"IEND") - 4
    (tmp_path / "a.png").write_bytes(rest[:behind] + chunk + rest[behind:])
    assert read_exif(tmp_path / "a.png").camera == "FUJIFILM X-T5"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("canon", "CANON EOS R5", "CANON EOS R5"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("EASTMAN KODAK COMPANY", "KODAK DX4900", "KODAK DX4900"),
        ("SONY", None, "SONY"),
        (None, "DSC-H5", "DSC-H5"),
        (None, None, None),
    ],
)
def test_the_make_is_not_said_twice(make, model, camera):
    assert name_camera(make, model) == camera


@pytest.mark.parametrize(
    ("camera", "taken_at"),
    [
        ({36867: "2024:07:03 18:22:01"}, "2024-07-03T18:22:01"),
        ({36867: "2024-07-03 18:22"}, "2024-07-03T18:22:00"),
        ({36867: "    :  :     :  :  "}, None),
        ({36867: "2023:02:30 10:00:00"}, None),
        ({36867: "2024:07:03 24:61:00"}, None),
        ({36867: "yesterday"}, None),
        ({36867: "2024:07:03 18:22:01", 36881: "Z"}, "2024-07-03T18:22:01+00:00"),
        ({36867: "2024:07:03 18:22:01", 36881: "   :  "}, "2024-07-03T18:22:01"),
        ({36867: "2024:07:03 18:22:01", 36881: "+99:00"}, "2024-07-03T18:22:01"),
    ],
)
def test_a_date_is_read_where_it_is_one(tmp_path, camera, taken_at):
    assert read_exif(photo_with(tmp_path / "a.jpg", exif_with({}, camera))).taken_at == taken_at


def test_when_it_was_digitized_is_kept_apart_and_the_last_change_is_no_date_of_the_picture(tmp_path):
    exif = exif_with({306: "2019:12:31 23:59:59"}, {36868: "2020:02:29 01:02:03", 36882: "-05:30"})
    read = read_exif(photo_with(tmp_path / "a.jpg", exif))
    assert (read.taken_at, read.digitized_at) == (None, "2020-02-29T01:02:03-05:30")


def test_a_date_that_a_program_moved_to_the_other_directory_is_read(tmp_path):
    exif = exif_with({36867: "2006:02:14 22:00:58", 36881: "+01:00"})
    assert read_exif(photo_with(tmp_path / "a.jpg", exif)).taken_at == "2006-02-14T22:00:58+01:00"


@pytest.mark.parametrize(
    ("gps", "position"),
    [
        ({1: "N", 2: degrees(48, 30, 0), 3: "E", 4: degrees(2, 15, 0)}, (48.5, 2.25)),
        ({1: "N", 2: degrees(48.5), 3: "E", 4: degrees(2.25)}, (48.5, 2.25)),
        ({2: degrees(48, 30, 0), 4: degrees(2, 15, 0)}, (None, None)),
        ({1: "N", 2: degrees(91, 0, 0), 3: "E", 4: degrees(2, 0, 0)}, (None, None)),
        ({1: "N", 2: degrees(48, 0, 0)}, (None, None)),
        ({1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: (IFDRational(0, 0),) * 3}, (None, None)),
        ({1: "E", 2: degrees(48, 30, 0), 3: "N", 4: degrees(2, 15, 0)}, (None, None)),
        ({1: "N", 2: degrees(0, 0, 0), 3: "E", 4: degrees(0, 0, 0)}, (None, None)),
        ({1: "N", 2: degrees(51, 30, 0), 3: "E", 4: degrees(0, 0, 0)}, (51.5, 0.0)),
    ],
)
def test_a_position_needs_both_degrees_and_hemispheres(tmp_path, gps, position):
    exif = read_exif(photo_with(tmp_path / "a.jpg", exif_with(gps=gps)))
    assert (exif.latitude, exif.longitude) == position


def test_an_orientation_out_of_range_is_upright(tmp_path):
    for value in (0, 9, 65535):
        assert read_exif(photo_with(tmp_path / "a.jpg", exif_with({274: value}))).orientation == 1


def test_control_characters_do_not_reach_the_names(tmp_path):
    exif = read_exif(photo_with(tmp_path / "a.jpg", exif_with({272: "Pix\x1b[31mel \t 8"})))
    assert exif.model == "Pix[31mel 8"


def damaged_blocks() -> list[bytes]:
    random = np.random.default_rng(11)
    blocks = [b"", b"II", b"II*\x00", b"MM\x00*\xff\xff\xff\xff", b"Exif\x00\x00", b"\x00" * 64, FULL[6:40]]
    for _ in range(200):
        damaged = bytearray(FULL[6:])
        for place in random.integers(0, len(damaged), random.integers(1, 12)):
            damaged[place] = random.integers(0, 256)
        blocks.append(bytes(damaged))
    return blocks


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_damaged_exif_never_raises_and_is_read_in_silence(tmp_path, suffix, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.jpg")
    plain = (tmp_path / "plain.jpg").read_bytes()
    for block in damaged_blocks():
        if suffix == "jpg":
            segment = b"Exif\x00\x00" + block
            path.write_bytes(
                plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
            )
        elif suffix == "tiff":
            path.write_bytes(block)
        else:
            encoded = io.BytesIO()
            Image.new("RGB", (8, 8)).save(encoded, suffix, exif=b"Exif\x00\x00" + block)
            path.write_bytes(encoded.getvalue())
        exif = read_exif(path)
        assert 1 <= exif.orientation <= 8
        assert exif.latitude is None or -90 <= exif.latitude <= 90
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.startswith("exifread")]


def test_tags_that_point_at_each_other_end_soon(tmp_path):
    entries = b"".join(struct.pack("<HHII", 0x8769, 4, 999, 8) for _ in range(5000))
    path = tmp_path / "a.tiff"
    path.write_bytes(b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 5000) + entries + b"\x00" * 4)
    started = time.monotonic()
    assert read_exif(path) == Exif()
    assert time.monotonic() - started < 2


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(PhotoError, match="cannot be opened"):
        read_exif(tmp_path / "gone.jpg")
