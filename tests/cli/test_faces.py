"""`index --faces` searches each photo once, and says what is missing where faces are off."""

import json
import threading

import pytest
from PIL import Image

from photopal.faces import DETECTOR, find_model_files
from photopal.faces import detector as detector_module
from photopal.lab.camera import faces as measured
from photopal.library import Library
from tests.faces.made_up import Crowd, picture_with_face

needs_dlib = pytest.mark.skipif(
    isinstance(find_model_files(), str), reason=f"no faces on this platform: {find_model_files()}"
)


@pytest.fixture
def face_photo():
    return picture_with_face()


@pytest.fixture
def without_dlib(monkeypatch):
    detector_module.load_detector.cache_clear()
    real = detector_module.importlib.util.find_spec
    monkeypatch.setattr(
        detector_module.importlib.util, "find_spec", lambda name: None if name == "dlib" else real(name)
    )


@pytest.mark.slow
@needs_dlib
def test_faces_are_found_once_and_stay_in_the_library(run, home, tmp_path, face_photo):
    folder = tmp_path / "photos"
    folder.mkdir()
    face_photo.save(folder / "anna.png")
    Image.new("RGB", (64, 48), "red").save(folder / "red.png")
    first = run("index", str(folder), "--faces", "--json")
    assert first.exit_code == 0
    facts = json.loads(first.stdout)
    assert (facts["added"], facts["searched_for_faces"], facts["faces"]) == (2, 2, 1)
    second = run("index", str(folder), "--faces")
    assert "searched for faces\t0\nfaces\t0\n" in second.stdout
    assert "faces" not in run("index", str(folder)).stdout
    with Library(home / "library.db") as library:
        assert library.faces.counts(detector=DETECTOR) == {"unscanned": 0, "scanned": 2, "faces": 1}


@pytest.mark.slow
@needs_dlib
def test_photos_that_arrive_are_searched_too(run, home, tmp_path, face_photo):
    folder = tmp_path / "photos"
    folder.mkdir()
    face_photo.save(folder / "anna.png")
    done = run("index", "--watch", "--once", "--faces", str(folder))
    assert done.exit_code == 0
    with Library(home / "library.db") as library:
        assert library.faces.counts(detector=DETECTOR) == {"unscanned": 0, "scanned": 1, "faces": 1}


def test_without_dlib_faces_are_refused_and_everything_else_works(run, tmp_path, without_dlib):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (64, 48), "red").save(folder / "red.png")
    refused = run("index", str(folder), "--faces")
    assert refused.exit_code == 1
    assert "the package dlib-bin is not installed" in refused.stderr
    assert run("index", str(folder)).exit_code == 0
    checks = json.loads(run("doctor", "--json", PHOTOPAL_FACES="on").stdout)
    [check] = [check for check in checks if check["what"] == "faces"]
    assert (check["state"], check["words"]) == ("note", "off: the package dlib-bin is not installed")


@pytest.mark.slow
@needs_dlib
def test_a_person_is_learned_by_their_face_and_photos_are_searched_before_captions(
    run, home, tmp_path, face_photo, tiny_llava
):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, picture in (("anna", face_photo), ("red", Image.new("RGB", (64, 48), "red"))):
        picture.save(folder / f"{name}.png")
    on = {"PHOTOPAL_FACES": "on", "PHOTOPAL_MODEL": str(tiny_llava)}
    added = run("add-concept", "Anna", str(folder / "anna.png"), **on)
    assert "Found the face of Anna on 1 of 1 photo." in added.stderr
    off = run("caption", str(folder), "--no-faces", "--limit", "1", **on)
    assert off.exit_code == 0
    with Library(home / "library.db") as library:
        assert library.faces.counts(detector=DETECTOR)["unscanned"] == 1
    assert run("caption", **on).exit_code == 0
    with Library(home / "library.db") as library:
        assert library.faces.counts(detector=DETECTOR) == {"unscanned": 0, "scanned": 2, "faces": 1}
    doctor = json.loads(run("doctor", "--json").stdout)
    [check] = [check for check in doctor if check["what"] == "faces"]
    assert check["words"] == "off: set by the environment"


class PretendDetector:
    """Finds the person that a photo's folder is named after; each photo shows another face of them."""

    def __init__(self):
        self.crowd = Crowd()
        self.lock = threading.Lock()

    def find_in_file(self, path):
        with self.lock:
            return [self.crowd.face(path.parent.name)]


def test_faces_are_measured_on_folders_of_people(run, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FaceDetector", PretendDetector)
    monkeypatch.setattr(measured, "_LARGE_PX", (40, 30))
    for person in range(15):
        folder = tmp_path / "people" / f"person {person}"
        folder.mkdir(parents=True)
        for number in range(7 if person < 12 else 1):
            Image.new("RGB", (40, 30), (person, number, 0)).save(folder / f"{number}.png")
    done = run("eval", "camera", str(tmp_path / "people"), "--json", "--seeds", "2")
    assert done.exit_code == 0
    facts = json.loads(done.stdout)
    assert facts["identities"] == [15, 12]
    assert facts["photos"] == [12 * 7 + 3, 0]
    [ten] = facts["naming"]
    assert (ten["registered"], ten["tests"], ten["strangers"]) == (10, 2 * 10 * 2, 2 * 5)
    assert (ten["right"], ten["wrong"], ten["named"], ten["auroc"]) == (40, 0, 0, 1.0)
    assert facts["groups"]["people"] == 12
    assert facts["groups"]["purity"] == 1.0
    table = run("eval", "camera", str(tmp_path / "people"), "--seeds", "1").stdout
    assert "10 registered: named right\t1.0000\t20 of 20\n" in table


def test_a_folder_without_people_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FaceDetector", PretendDetector)
    refused = run("eval", "camera", str(tmp_path))
    assert refused.exit_code == 2
    assert "no folder with more than 5 photos" in refused.stderr
