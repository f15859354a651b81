"""`photopal similar` as a user sees it, with a tiny model."""

import errno
import json
from pathlib import Path

import pytest
from PIL import Image

from photopal.ingest.indexer import index_folders
from photopal.library import Library


@pytest.fixture
def album(home, drawn_family):
    with Library(home / "library.db") as library:
        index_folders(library, [drawn_family.folder])
    return drawn_family


@pytest.mark.slow
def test_the_most_alike_come_first_and_a_second_run_needs_no_look(run, album, tiny_llava, home, tmp_path):
    photo = str(album.photos["Anna"][0])
    first = run("similar", photo, "--model", str(tiny_llava), "--json")
    assert first.exit_code == 0, first.stderr
    found = json.loads(first.stdout)
    assert len(found) == 9
    assert photo not in [one["path"] for one in found]
    likenesses = [one["likeness"] for one in found]
    assert likenesses == sorted(likenesses, reverse=True)
    assert all(-1 <= likeness <= 1.001 for likeness in likenesses)
    before = {path: path.stat().st_mtime_ns for path in (home / "vectors").glob("*.f16")}
    again = run("similar", photo, "--model", str(tiny_llava), "--json")
    assert json.loads(again.stdout) == found
    assert {path: path.stat().st_mtime_ns for path in (home / "vectors").glob("*.f16")} == before
    lines = run("similar", photo, "--model", str(tiny_llava), "--limit", "2", "--paths").stdout.splitlines()
    assert lines == [one["path"] for one in found[:2]]


def test_a_copy_with_another_hash_is_the_most_alike(run, album, tiny_llava, tmp_path):
    copy = tmp_path / "copy.png"
    with Image.open(album.both) as picture:
        picture.save(copy, compress_level=1)
    result = run("similar", str(copy), "--model", str(tiny_llava), "--limit", "1")
    assert result.stdout == f"1.000\t{album.both}\n"


@pytest.mark.slow
def test_known_compares_only_with_what_was_looked_at(run, album, tiny_llava):
    alone = run("similar", str(album.both), "--model", str(tiny_llava), "--known")
    assert alone.exit_code == 4
    other = run("similar", str(album.strangers[0]), "--model", str(tiny_llava), "--known", "--paths")
    assert other.stdout == f"{album.both}\n"


def test_what_cannot_be_compared_is_said(run, album, tiny_llava, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    assert run("similar", str(tmp_path / "broken.jpg"), "--model", str(tiny_llava)).exit_code == 2
    assert run("similar", str(album.folder), "--model", str(tiny_llava)).exit_code == 2
    assert run("similar", str(album.both), "--json", "--paths").exit_code == 2


def test_a_photo_that_cannot_be_opened_any_more_cannot_be_compared(run, album, tiny_llava, monkeypatch):
    path_open = Path.open

    def refuse(path, *args, **options):
        if path == album.both:
            raise PermissionError(errno.EACCES, "Permission denied")
        return path_open(path, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    result = run("similar", str(album.both), "--model", str(tiny_llava), "--known")
    assert result.exit_code == 2
    assert "cannot be compared: cannot be opened: Permission denied" in " ".join(result.stderr.split())
