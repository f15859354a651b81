"""Faces are found whichever side of the photo is up, and where they are on the upright photo."""

import importlib.util
import threading

import numpy as np
import pytest
from PIL import Image

from photopal.errors import ModelError, PhotoError
from photopal.faces import detector as detector_module
from photopal.faces.detector import FaceDetector, find_model_files
from photopal.faces.scan import find_ahead

needs_dlib = pytest.mark.skipif(
    isinstance(find_model_files(), str), reason=f"no faces on this platform: {find_model_files()}"
)


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


def middle(face):
    x, y, width, height = face.box
    return (x + width / 2, y + height / 2)


@needs_dlib
def test_a_face_is_found_where_it_is(detector, face_photo, tmp_path):
    face_photo.save(tmp_path / "anna.png")
    [face] = detector.find_in_file(tmp_path / "anna.png")
    assert middle(face) == pytest.approx((0.42, 0.47), abs=0.03)
    assert face.vector.shape == (128,)
    assert face.vector.dtype == np.float32
    assert face.score > 1
    assert abs(face.yaw) < 0.2
    assert 80 < face.side_px < 130
    assert 0 < face.quality < 1


@needs_dlib
def test_a_photo_is_searched_as_its_exif_says(detector, face_photo, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    face_photo.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "anna.jpg", exif=exif, quality=95)
    [face] = detector.find_in_file(tmp_path / "anna.jpg")
    assert middle(face) == pytest.approx((0.42, 0.47), abs=0.03)


@pytest.mark.slow
@needs_dlib
@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (Image.Transpose.ROTATE_90, (0.47, 0.58)),
        (Image.Transpose.ROTATE_180, (0.58, 0.53)),
        (Image.Transpose.ROTATE_270, (0.53, 0.42)),
    ],
)
def test_a_scan_that_lies_on_its_side_is_turned(detector, face_photo, tmp_path, turn, expected):
    face_photo.transpose(turn).save(tmp_path / "scan.png")
    [face] = detector.find_in_file(tmp_path / "scan.png")
    assert middle(face) == pytest.approx(expected, abs=0.03)
    [upright] = detector.find(face_photo)
    assert np.linalg.norm(face.vector - upright.vector) < 0.1


@needs_dlib
def test_a_photo_whose_exif_says_which_side_is_up_is_not_turned(detector, face_photo, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 1
    face_photo.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "anna.jpg", exif=exif)
    assert detector.find_in_file(tmp_path / "anna.jpg") == []


@pytest.mark.slow
@needs_dlib
def test_the_size_of_a_face_is_that_in_the_file(detector, face_photo, tmp_path):
    face_photo.resize((2400, 1800)).save(tmp_path / "anna.png")
    [face] = detector.find_in_file(tmp_path / "anna.png")
    assert 320 < face.side_px < 520


@pytest.mark.slow
@needs_dlib
def test_photos_are_searched_in_their_order_and_a_broken_one_stops_none(detector, face_photo, tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(6)]
    for path in paths:
        face_photo.save(path)
    paths[2].write_bytes(b"no photo")
    found = list(find_ahead(detector, paths, lambda path: path))
    assert [path for path, _ in found] == paths
    assert isinstance(found[2][1], PhotoError)
    assert [len(faces) for number, (_, faces) in enumerate(found) if number != 2] == [1] * 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("photopal-faces")]


def test_without_the_package_the_error_says_which_is_missing(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        detector_module.importlib.util, "find_spec", lambda name: None if name == "dlib" else real(name)
    )
    assert find_model_files() == "the package dlib-bin is not installed"
    with pytest.raises(ModelError, match="dlib-bin is not installed"):
        FaceDetector()


@needs_dlib
def test_the_landmarks_without_a_commercial_license_are_never_opened():
    files = find_model_files()
    assert not any("68" in path.name for path in files.values())
