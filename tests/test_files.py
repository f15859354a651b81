from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from photopal.files import (
    Stamp,
    atomic_path,
    atomic_write,
    is_file,
    is_folder,
    is_there,
    path_and_parents,
    stamp_of,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    return path


def no_room(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def is_untouched(path):
    return path.read_bytes() == b"old" and names_in(path.parent) == [path.name]


def write_half(path, error, **options):
    with atomic_path(path, **options) as part:
        part.write_bytes(b"half")
        raise error


@pytest.mark.parametrize("content", ["né\n", "né\n".encode()])
@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_written_and_replaced(path, content, durable):
    atomic_write(path, content, durable=durable)
    atomic_write(path.with_name("new"), content, durable=durable)
    assert path.read_bytes() == path.with_name("new").read_bytes() == "né\n".encode()
    assert names_in(path.parent) == ["file.txt", "new"]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("replace", [True, False])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(path, error, replace):
    with pytest.raises(error):
        write_half(path, error, replace=replace)
    assert is_untouched(path)


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(path, step, monkeypatch):
    monkeypatch.setattr(Path, step, no_room)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, b"new")
    monkeypatch.undo()
    assert is_untouched(path)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_never_came_to_the_disk_replaces_nothing(path, error, monkeypatch):
    def fail(_):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        atomic_write(path, b"new")
    assert is_untouched(path)
    atomic_write(path, b"new", durable=False)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="Windows opens no folders")
def test_content_is_on_the_disk_before_its_name_and_its_name_at_the_end(path, monkeypatch):
    synced = []

    def note(handle):
        synced.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", note)
    atomic_write(path, b"new")
    assert synced == [(False, b"old"), (True, b"new")]


def test_a_folder_that_cannot_be_synced_is_no_error(path, monkeypatch):
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda h: no_room() if stat.S_ISDIR(os.fstat(h).st_mode) else fsync(h))
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"


def test_readers_see_the_old_file_until_the_block_ends(path):
    with atomic_path(path) as one, atomic_path(path) as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"one"


def test_a_library_may_replace_the_temporary_file_itself(path):
    with atomic_path(path) as part:
        part.with_name("own").write_bytes(b"new")
        part.with_name("own").replace(part)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_a_mode_is_kept_and_a_new_file_has_that_of_the_umask(path):
    path.chmod(0o640)
    old = os.umask(0o027)
    try:
        atomic_write(path, b"new")
        atomic_write(path.with_name("other"), b"new")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(path.with_name("other").stat().st_mode) == 0o640


@pytest.mark.parametrize("has_links", [True, False])
def test_an_existing_file_is_not_replaced_unless_asked(path, has_links, monkeypatch):
    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", no_room)
    with pytest.raises(FileExistsError), atomic_path(path, replace=False) as part:
        part.write_bytes(b"new")
    assert is_untouched(path)
    path.unlink()
    with atomic_path(path, replace=False) as part:
        part.write_bytes(b"old")
    assert is_untouched(path)


def test_a_claimed_name_is_given_back_when_the_move_fails(path, monkeypatch):
    path.unlink()
    monkeypatch.setattr(Path, "hardlink_to", no_room)
    monkeypatch.setattr(Path, "replace", no_room)
    with pytest.raises(OSError, match="No space left"), atomic_path(path, replace=False):
        pass
    assert names_in(path.parent) == []


def test_the_longest_name_and_no_folder(tmp_path):
    path = tmp_path / ("é" * 127)
    atomic_write(path, "x")
    assert path.read_text() == "x"
    with pytest.raises(FileNotFoundError):
        atomic_write(tmp_path / "none" / "file", "x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        atomic_write(tmp_path / "folder", "x")
    assert len(names_in(tmp_path)) == 2


def test_a_stamp_changes_with_size_and_time_and_none_is_of_no_file(path):
    first = stamp_of(path)
    assert first == stamp_of(str(path)) == Stamp.of(path.stat()) == (3, path.stat().st_mtime_ns)
    os.utime(path, ns=(0, 5))
    assert stamp_of(path) == (3, 5)
    path.write_bytes(b"longer")
    os.utime(path, ns=(0, 5))
    assert stamp_of(path) == (6, 5)
    assert [stamp_of(p) for p in (path.parent, path / "x", path.with_name("none"), "a\0b")] == [None] * 4


def test_a_path_is_followed_by_all_folders_above_it_as_text_and_as_bytes():
    assert list(path_and_parents("/photos/2024/a.jpg")) == [
        "/photos/2024/a.jpg",
        "/photos/2024",
        "/photos",
        "/",
    ]
    assert list(path_and_parents(b"/photos/\xff")) == [b"/photos/\xff", b"/photos", b"/"]


@pytest.mark.parametrize("name", ["a" * 256, "é" * 128, "a\0b", "none", "file/inner", "/".join("b" * 5000)])
def test_what_cannot_be_there_is_not_there(path, name):
    path.with_name("file").touch()
    nowhere = path.parent / name
    assert not is_there(nowhere)
    assert not is_file(nowhere)
    assert not is_folder(nowhere)
    assert (is_there(path), is_file(path), is_folder(path)) == (True, True, False)
    assert (is_there(path.parent), is_file(path.parent), is_folder(path.parent)) == (True, False, True)
