"""Photo files are found whatever the folders look like."""

import os
import sys
from pathlib import Path

import pytest

from photopal.photos import Skipped, find_photos


def found(*roots: Path) -> tuple[list[Path], list[Skipped]]:
    skipped: list[Skipped] = []
    return list(find_photos(roots, on_skip=skipped.append)), skipped


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_photos_are_found_by_their_ending_in_either_case(tmp_path):
    photos = [touch(tmp_path / name) for name in ("a.JPG", "b/c.heic", "b/d.Tiff")]
    for name in ("notes.txt", ".hidden.jpg", "._a.jpg", ".trash/e.jpg", "b/@eaDir/f.jpg", "g"):
        touch(tmp_path / name)
    assert found(tmp_path) == (photos, [])


def test_the_order_is_stable(tmp_path):
    for name in "cab":
        touch(tmp_path / name / "x.png")
    assert [path.parent.name for path in found(tmp_path)[0]] == ["a", "b", "c"]


def test_a_single_file_is_a_root(tmp_path):
    photo = touch(tmp_path / "a.jpg")
    assert found(photo, photo) == ([photo], [])


def test_overlapping_roots_yield_each_photo_once(tmp_path):
    photo = touch(tmp_path / "a" / "b.jpg")
    assert found(tmp_path, tmp_path / "a", photo) == ([photo], [])


def test_a_missing_root_is_reported(tmp_path):
    paths, skipped = found(tmp_path / "nowhere")
    assert paths == []
    assert skipped == [Skipped(tmp_path / "nowhere", "does not exist")]


def test_a_loop_of_links_ends_and_is_reported(tmp_path):
    photo = touch(tmp_path / "a" / "b.jpg")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    paths, skipped = found(tmp_path)
    assert paths == [photo]
    assert [skip.path for skip in skipped] == [tmp_path / "a" / "loop"]


def test_a_link_that_points_to_itself_is_survived(tmp_path):
    photo = touch(tmp_path / "z.jpg")
    (tmp_path / "a.jpg").symlink_to(tmp_path / "a.jpg")
    (tmp_path / "b").symlink_to(tmp_path / "b")
    paths, skipped = found(tmp_path)
    assert paths == [photo]
    assert [skip.path.name for skip in skipped] == ["a.jpg", "b"]


def test_a_link_to_a_folder_elsewhere_is_followed_after_the_real_folders(tmp_path):
    elsewhere = touch(tmp_path / "elsewhere" / "far.jpg")
    near = touch(tmp_path / "root" / "z" / "near.jpg")
    (tmp_path / "root" / "a").symlink_to(elsewhere.parent)
    assert found(tmp_path / "root") == ([near, tmp_path / "root" / "a" / "far.jpg"], [])


def test_a_broken_link_is_reported(tmp_path):
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing.jpg")
    assert [skip.path.name for skip in found(tmp_path)[1]] == ["gone.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps names that are not UTF-8")
def test_a_name_that_is_not_utf_8_survives(tmp_path):
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    touch(Path(os.fsdecode(name)))
    paths, skipped = found(tmp_path)
    assert [os.fsencode(path) for path in paths] == [name]
    assert skipped == []


def test_an_unreadable_folder_is_reported(tmp_path, monkeypatch):
    photo = touch(tmp_path / "a.jpg")
    closed = touch(tmp_path / "closed" / "b.jpg").parent
    real_scandir = os.scandir

    def scandir(folder):
        if folder == str(closed):
            raise PermissionError(13, "Permission denied", folder)
        return real_scandir(folder)

    monkeypatch.setattr(os, "scandir", scandir)  # root may read a folder of mode 0
    assert found(tmp_path) == ([photo], [Skipped(closed, "cannot be opened: Permission denied")])
