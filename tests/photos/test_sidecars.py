"""The files beside a photo are found under all the names that programs give them."""

import json
import os
import unicodedata

import pytest

from photopal.photos.sidecars import (
    SidecarFinder,
    photos_of_sidecar,
    read_takeout,
    sidecar_to_write,
    takeout_name,
)

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


def test_of_photos_whose_long_names_were_cut_alike_each_has_its_own_json():
    names = [f"{LONG[:46]}.json", f"{LONG[:46]}(1).json"]
    assert takeout_name(f"{LONG[:47]}.jpg", names) == names[0]
    assert takeout_name(f"{LONG[:47]}(1).jpg", names) == names[1]
    assert takeout_name(f"{LONG[:47]}(1).jpg", names[:1]) is None


@pytest.mark.parametrize(
    ("photo", "title", "is_about"),
    [
        (f"{LONG[:46]}1.jpg", f"{LONG[:46]}1.jpg", True),
        (f"{LONG[:46]}2.jpg", f"{LONG[:46]}1.jpg", False),
        (f"{LONG[:46]}1(1).jpg", f"{LONG[:46]}1.jpg", True),
        (f"{LONG[:46]}1-edited.jpg", f"{LONG[:46]}1.jpg", True),
        (f"{LONG[:40]}_39_s 12.jpg", f"{LONG[:40]}&#39;s 12.jpg", True),
        (f"{LONG[:40]}_s 1234.jpg", f"{LONG[:40]}&#39;s 1234.jpg", True),
        (f"{LONG[:40]}_s 1234.jpg", None, True),
    ],
)
def test_a_json_whose_name_was_cut_is_the_photos_that_has_its_title(tmp_path, photo, title, is_about):
    json_path = tmp_path / f"{photo[:46]}.json"
    json_path.write_text(json.dumps({"title": title, "photoTakenTime": {"timestamp": "1"}}))
    assert bool(read_takeout(json_path, photo)) is is_about


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


def test_a_sidecar_is_the_photos_that_is_called_exactly_so(tmp_path):
    for name in (
        "IMG_1.jpg",
        "img_1.jpg",
        "IMG_1.jpg.xmp",
        "img_1.jpg.xmp",
        "B.cr2",
        "B.jpg",
        "b.png",
        "B.xmp",
    ):
        (tmp_path / name).write_text("x")
    finder = SidecarFinder()
    for name in ("IMG_1.jpg", "img_1.jpg"):
        assert [path.name for path in finder.find(tmp_path / name).xmp] == [f"{name}.xmp"]
        assert sidecar_to_write(tmp_path / name, finder, is_short=False).name == f"{name}.xmp"
    assert [path.name for path in finder.find(tmp_path / "B.jpg").xmp] == ["B.xmp"]
    assert finder.find(tmp_path / "b.png").xmp == ()
    (tmp_path / "img_1.jpg.xmp").unlink()
    assert SidecarFinder().find(tmp_path / "img_1.jpg").xmp == ()


def test_accents_are_the_same_in_either_encoding(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    for here, there in ((composed, decomposed), (decomposed, composed)):
        folder = tmp_path / here
        folder.mkdir()
        photo = folder / f"{here}.jpg"
        for name in (photo.name, f"{there}.jpg.xmp", f"{there}.jpg.json"):
            (folder / name).write_text("x")
        (folder / ".picasa.ini").write_text(
            f"[{there}.jpg]\nfaces=rect64(400040008000c000),a1\n[Contacts2]\na1=Zoë;;\n"
        )
        found = SidecarFinder().find(photo)
        assert [path.name for path in found.xmp] == [f"{there}.jpg.xmp"]
        assert found.takeout == folder / f"{there}.jpg.json"
        assert [face.name for face in found.picasa] == ["Zoë"]
        for sidecar in (*found.xmp, found.takeout):
            assert photos_of_sidecar(sidecar) == [photo]
        assert sidecar_to_write(photo, SidecarFinder(), is_short=False) == found.xmp[0]


def test_the_stamp_changes_with_the_sidecars(tmp_path):
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.xmp"
    stamps = [SidecarFinder().find(photo).stamp]
    for content in ("one", "other"):
        sidecar.write_text(content)
        stamps.append(SidecarFinder().find(photo).stamp)
    sidecar.unlink()
    assert len(set(stamps)) == 3
    assert SidecarFinder().find(photo).stamp == ""


def test_the_stamp_changes_when_a_sidecar_becomes_readable(tmp_path, monkeypatch):
    photo, sidecar = tmp_path / "a.jpg", tmp_path / "a.xmp"
    sidecar.write_text("x")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(sidecar) and real(path, mode))
    closed = SidecarFinder().find(photo).stamp
    monkeypatch.undo()
    assert SidecarFinder().find(photo).stamp not in (closed, "")


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
