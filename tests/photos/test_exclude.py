"""What the user does not want is not found, and what is not read is counted by kind."""

from collections import Counter
from pathlib import Path

import pytest

from photopal.errors import UsageError
from photopal.photos import find_photos
from photopal.photos.exclude import Excludes, compile_globs


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def found(root: Path, globs=()) -> tuple[list[str], dict[str, int]]:
    left_out: Counter[str] = Counter()
    paths = find_photos(
        [root],
        on_skip=print,
        excludes=Excludes([root], {root: globs}),
        on_left_out=lambda what, number: left_out.update({what: number}),
    )
    return [path.relative_to(root).as_posix() for path in paths], dict(left_out)


def test_folders_of_trash_and_systems_are_left_out(tmp_path):
    touch(tmp_path / "a.jpg")
    for name in ("$RECYCLE.BIN", ".Trash-1000", ".trash", "@eaDir", "#recycle", "lost+found", ".thumbnails"):
        touch(tmp_path / name / "b.jpg")
    assert found(tmp_path) == (["a.jpg"], {})


def test_a_folder_with_nomedia_is_left_out_with_all_below_it(tmp_path):
    touch(tmp_path / "a.jpg")
    touch(tmp_path / "cache" / ".nomedia")
    touch(tmp_path / "cache" / "deep" / "b.jpg")
    assert found(tmp_path)[0] == ["a.jpg"]
    # A folder that is named is wanted.
    assert found(tmp_path / "cache")[0] == ["deep/b.jpg"]


def test_globs_are_relative_to_the_root_and_the_last_counts(tmp_path):
    for name in ("a.jpg", "a.png", "b/c.png", "b/keep.png", "private/d.jpg", "b/private/e.jpg"):
        touch(tmp_path / name)
    globs = ["*.png", "!keep.png", "/private"]
    assert found(tmp_path, globs)[0] == ["a.jpg", "b/keep.png", "b/private/e.jpg"]
    assert found(tmp_path, ["private/"])[0] == ["a.jpg", "a.png", "b/c.png", "b/keep.png"]


def test_an_ignore_file_counts_from_its_folder_down_and_the_deepest_is_heard_first(tmp_path):
    for name in ("a.png", "b/c.png", "b/d/e.png", "b/d/f.jpg"):
        touch(tmp_path / name)
    (tmp_path / ".photopalignore").write_text("# screenshots\n*.png\n")
    (tmp_path / "b" / "d" / ".photopalignore").write_text("!e.png\nf.jpg\n")
    assert found(tmp_path)[0] == ["b/d/e.png"]


def test_globs_of_a_folder_above_the_root_count_unless_they_exclude_the_root_that_was_named(tmp_path):
    root = tmp_path / "2020"
    for name in ("a.jpg", "Screenshots/b.jpg"):
        touch(root / name)

    def names(*globs):
        excludes = Excludes([root], {tmp_path: globs})
        return [path.name for path in find_photos([root], on_skip=print, excludes=excludes)]

    assert names("Screenshots/") == ["a.jpg"]
    assert names("2020/") == ["a.jpg", "b.jpg"]


def test_a_path_is_excluded_with_the_folder_it_is_in(tmp_path):
    touch(tmp_path / "cache" / ".nomedia")
    excludes = Excludes([tmp_path], {tmp_path: ["private/"]})
    assert tmp_path / "private" / "deep" / "a.jpg" in excludes
    assert tmp_path / "cache" / "a.jpg" in excludes
    assert tmp_path / ".trash" / "a.jpg" in excludes
    assert tmp_path / "b" / "a.jpg" not in excludes


def test_a_glob_that_is_none_is_an_error():
    with pytest.raises(UsageError, match="invalid glob"):
        compile_globs(["!"])


def test_a_broken_ignore_file_says_nothing(tmp_path):
    touch(tmp_path / "a.jpg")
    (tmp_path / ".photopalignore").write_bytes(b"\xff\xfe!\n!\n\x00")
    assert found(tmp_path)[0] == ["a.jpg"]


def test_what_is_not_read_is_counted_by_kind(tmp_path, monkeypatch):
    monkeypatch.setattr("photopal.photos.discover.can_read_raw", lambda: False)
    for name in (
        "IMG_1.HEIC", "IMG_1.MOV", "holiday.mov", "b/clip.MP4", "a.dng", "b/c.CR2", "old.crw", "new.jxl",
        "notes.txt", "IMG_1.json", ".hidden.mp4", "shot.png",
    ):  # fmt: skip
        touch(tmp_path / name)
    assert found(tmp_path, ["*.png"]) == (
        ["IMG_1.HEIC"],
        {
            "RAW file": 2,
            "unsupported RAW file": 1,
            "video": 2,
            "Live Photo video": 1,
            "JPEG XL file": 1,
            "excluded item": 1,
        },
    )
