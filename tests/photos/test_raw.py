"""Of a RAW file the camera's own picture is taken; without rawpy such files are passed over."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

import photopal.photos.raw
from photopal.errors import PhotoError
from photopal.photos import find_photos, open_photo, record_photo
from photopal.photos.decode import photo_size_px


def preview(colour=(200, 30, 30)):
    encoded = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(encoded, "JPEG", quality=95)
    return encoded.getvalue()


def make_dng(jpeg, *, orientation=1, side_px=64):
    """The bytes of a DNG file: a JPEG preview in the first directory, a sensor's readings in the second."""
    sensor = np.random.default_rng(1).integers(0, 4000, (side_px, side_px), dtype=np.uint16).tobytes()
    camera = b"Camera\0\0"
    places = {"jpeg": 8, "sensor": 8 + len(jpeg) + len(jpeg) % 2}
    places["camera"] = places["sensor"] + len(sensor)
    places["matrix"] = places["camera"] + len(camera)
    places["neutral"] = places["matrix"] + 72
    places["first"] = places["neutral"] + 24
    first = [
        (254, 4, 1, 1), (256, 4, 1, 320), (257, 4, 1, 240), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 6),
        (271, 2, 7, places["camera"]), (272, 2, 7, places["camera"]), (273, 4, 1, places["jpeg"]),
        (274, 3, 1, orientation), (277, 3, 1, 3), (278, 4, 1, 240), (279, 4, 1, len(jpeg)),
        (330, 4, 1, places["first"] + 2 + 12 * 19 + 4), (50706, 1, 4, 0x00000401),
        (50708, 2, 7, places["camera"]), (50721, 10, 9, places["matrix"]), (50728, 5, 3, places["neutral"]),
        (50778, 3, 1, 21),
    ]  # fmt: skip
    second = [
        (254, 4, 1, 0), (256, 4, 1, side_px), (257, 4, 1, side_px), (258, 3, 1, 16), (259, 3, 1, 1),
        (262, 3, 1, 32803), (273, 4, 1, places["sensor"]), (277, 3, 1, 1), (278, 4, 1, side_px),
        (279, 4, 1, len(sensor)), (33421, 3, 2, 2 | 2 << 16), (33422, 1, 4, 0x02010100),
    ]  # fmt: skip
    matrix = struct.pack("<18i", *(number for place in range(9) for number in (place % 4 == 0, 1)))
    whole = struct.pack("<2sHI", b"II", 42, places["first"]) + jpeg + b"\0" * (len(jpeg) % 2) + sensor
    whole += camera + matrix + struct.pack("<6I", 1, 1, 1, 1, 1, 1)
    for tags in (first, second):
        whole += (
            struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
        )
    return whole


@pytest.fixture
def with_rawpy():
    return pytest.importorskip("rawpy")


@pytest.mark.usefixtures("with_rawpy")
def test_a_raw_files_own_picture_is_the_photo(tmp_path):
    path = tmp_path / "a.DNG"
    path.write_bytes(make_dng(preview()))
    assert list(find_photos([tmp_path], on_skip=print)) == [path]
    photo = record_photo(path)
    assert (photo.format, photo.width_px, photo.height_px) == ("RAW", 320, 240)
    assert photo.exif.model == "Camera"
    red, green, blue = open_photo(path).getpixel((10, 10))
    assert red > 190
    assert max(green, blue) < 45
    assert photo_size_px(path) == (320, 240)


@pytest.mark.usefixtures("with_rawpy")
def test_a_raw_files_picture_is_turned_as_the_sensor_was_held(tmp_path):
    path = tmp_path / "a.dng"
    path.write_bytes(make_dng(preview(), orientation=6))
    assert open_photo(path).size == (240, 320)
    assert record_photo(path).width_px == 240


@pytest.mark.usefixtures("with_rawpy")
@pytest.mark.parametrize("kept", [0, 4, 100, 600])
def test_a_raw_file_that_is_cut_short_is_an_error(tmp_path, kept):
    path = tmp_path / "a.dng"
    path.write_bytes(make_dng(preview())[:kept])
    with pytest.raises(PhotoError, match=r"a\.dng: "):
        record_photo(path)


def test_without_rawpy_raw_files_are_passed_over_and_opening_one_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(photopal.photos.raw, "can_read_raw", lambda: False)
    monkeypatch.setattr(photopal.photos.discover, "can_read_raw", lambda: False)
    path = tmp_path / "a.dng"
    path.write_bytes(make_dng(preview()))
    assert list(find_photos([tmp_path], on_skip=print)) == []
    with pytest.raises(PhotoError, match="RAW files need the rawpy package") as caught:
        open_photo(path)
    assert caught.value.hint == 'pip install "photopal[raw]"'
