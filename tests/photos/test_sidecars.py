"""The files beside a photo are found under all the names that programs give them."""

import json
import os

import pytest

from photopal.photos.sidecars import SidecarFinder, read_takeout, takeout_name

LONG = "Screenshot_20190812-123456_Some very long app name"


@pytest.mark.parametrize(
    ("photo", "name"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-me.json"),
        ("IMG_1.jpg", "IMG_1.jpg.s.json"),
        ("IMG_1(1).jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(1).jpg", "IMG_1.jpg.supplemental-metadata(1).json"),
        ("IMG_1(1).jpg", "IMG_1(1).jpg.json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1-bearbeitet.jpg", "IMG_1.jpg.json"),
        ("IMG_1-edited(1).jpg", "IMG_1.jpg(1).json"),
        (f"{LONG}.jpg", f"{LONG[:46]}.json"),
        (f"{LONG[:47]}.jpg", f"{LONG[:46]}.json"),
        ("IMG_1.HEIC", "IMG_1.HEIC.json"),
    ],
)
def test_takeouts_json_is_found_under_each_of_its_names(photo, name):
    others = ["IMG_2.jpg.json", "IMG_1.jpg(2).json", "metadata.json", "IMG_12.jpg.json", "IMG_1.png.json"]
    assert takeout_name(photo, [*others, name]) == name


@pytest.mark.parametrize(
    ("photo", "name"),
    [
        ("IMG_1.jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(1).jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_12.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.other.json"),
        ("IMG_1.jpg", "IMG_1.json"),
        ("IMG_12.jpg", "IMG_1.json"),
    ],
)
def test_another_photos_json_is_not_taken(photo, name):
    assert takeout_name(photo, [name]) is None


def test_a_photos_own_json_comes_before_its_originals():
    names = ["IMG_1.jpg.json", "IMG_1-edited.jpg.json"]
    assert takeout_name("IMG_1-edited.jpg", names) == "IMG_1-edited.jpg.json"


def test_sidecars_are_found_in_either_case_the_whole_name_first(tmp_path):
    for name in ("a.JPG", "a.XMP", "a.jpg.xmp", "a.jpg.json", "b.jpg", "._b.xmp"):
        (tmp_path / name).write_text("x")
    finder = SidecarFinder()
    found = finder.find(tmp_path / "a.JPG")
    assert [path.name for path in found.xmp] == ["a.jpg.xmp", "a.XMP"]
    assert finder.find(tmp_path / "b.jpg").xmp == ()
    assert finder.find(tmp_path / "b.jpg").stamp == ""


def test_the_stamp_changes_with_the_sidecars(tmp_path):
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.xmp"
    stamps = [SidecarFinder().find(photo).stamp]
    for content in ("one", "other"):
        sidecar.write_text(content)
        stamps.append(SidecarFinder().find(photo).stamp)
    sidecar.unlink()
    assert len(set(stamps)) == 3
    assert SidecarFinder().find(photo).stamp == ""


def test_a_folder_is_listed_once_for_all_its_photos(tmp_path, monkeypatch):
    listed = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or real(folder))
    finder = SidecarFinder()
    for number in range(20):
        finder.find(tmp_path / f"{number}.jpg")
    assert len(listed) == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"title": "a"}', "[" * 100_000, "\x00"])
def test_json_that_is_not_takeouts_says_nothing(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    assert read_takeout(tmp_path / "a.json") == {}
    assert read_takeout(tmp_path / "gone.json") == {}


def test_a_huge_json_is_not_read(tmp_path):
    said = {"photoTakenTime": {"timestamp": "1"}, "description": "a" * 2_000_000}
    (tmp_path / "a.json").write_text(json.dumps(said))
    assert read_takeout(tmp_path / "a.json") == {}
