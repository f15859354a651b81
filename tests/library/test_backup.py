"""A library is copied whole while it is in use, and a copy is put back whole or not at all."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import photopal
from photopal.errors import LibraryError, LibraryLockedError, UsageError
from photopal.library import Library
from photopal.library import migrations as schema
from photopal.library.backup import back_up, check_backup, compare, find_damage, replace_damaged, restore

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(photopal.__file__).parent.parent)}


def counts_in(copy):
    return {one.what: one.backup for one in compare(copy, copy)}


def names(path):
    with Library(path, read_only=True) as library:
        return [concept.name for concept in library.concepts.all()]


@pytest.fixture
def copy(library, make_photo, tmp_path):
    """A backup that knows Rex and two photos; the library has learned of Anna since."""
    for number in (1, 2):
        library.photos.add(make_photo(number))
    library.concepts.add("Rex")
    back_up(library, tmp_path / "copy.db")
    library.concepts.add("Anna")
    return tmp_path / "copy.db"


def test_a_backup_is_one_whole_file_that_is_a_library(library, copy, tmp_path):
    assert names(copy) == ["Rex"]
    assert counts_in(copy) == {
        "photos": 2, "missing photos": 0, "captions": 0, "concepts": 1, "reference photos": 0,
    }  # fmt: skip
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.db"]
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_file_that_is_there_is_not_written_over_unless_told(library, copy, tmp_path):
    before = copy.read_bytes()
    with pytest.raises(UsageError, match="already exists"):
        back_up(library, copy)
    assert copy.read_bytes() == before
    back_up(library, copy, force=True)
    assert names(copy) == ["Anna", "Rex"]
    for target in (tmp_path, tmp_path / "library.db"):
        with pytest.raises(UsageError):
            back_up(library, target, force=True)


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(library, tmp_path):
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "none" / "copy.db", tmp_path / "file" / "copy.db"):
        with pytest.raises(LibraryError, match="cannot be written"):
            back_up(library, target)
    assert not list(tmp_path.glob("*.part*"))


def test_a_backup_is_made_while_another_process_writes(library, tmp_path, make_photo):
    with library.writing():
        library.photos.add(make_photo(1))
        with Library(tmp_path / "library.db", read_only=True) as reader:
            back_up(reader, tmp_path / "copy.db")
    assert counts_in(tmp_path / "copy.db")["photos"] == 0


def test_restoring_brings_back_the_backup_and_keeps_what_was_there(library, copy, tmp_path):
    with Library(tmp_path / "library.db", read_only=True) as reader:
        aside = restore(library, copy)
        assert [concept.name for concept in library.concepts.all()] == ["Rex"]
        assert [concept.name for concept in reader.concepts.all()] == ["Rex"]
    assert names(aside) == ["Anna", "Rex"]
    library.concepts.add("Bo")
    assert names(tmp_path / "library.db") == ["Bo", "Rex"]
    assert library.connection.sqlite.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_backup_of_an_older_photopal_is_restored_and_brought_up_to_date(library, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(schema, "_STEPS", schema._STEPS[:4])
        Library(tmp_path / "old.db").close()
    restore(library, tmp_path / "old.db")
    library.concepts.add("Anna")
    assert library.history.entries()[0].what == 'added "Anna"'
    assert schema.is_current(library.connection.sqlite)


def _truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scribbled(path):
    scribbled = bytearray(path.read_bytes())
    scribbled[8192:40960] = b"\x55" * (40960 - 8192)
    path.write_bytes(scribbled)


def _emptied(path):
    path.write_bytes(b"")


def _made_newer(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()


def _made_text(path):
    path.write_text("no library at all" * 1000)


def _made_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [_truncated, _scribbled, _emptied, _made_newer, _made_text, _made_folder])
def test_a_spoilt_backup_is_refused_and_the_library_stays(library, copy, tmp_path, spoil):
    spoil(copy)
    with pytest.raises(LibraryError):
        check_backup(copy)
    with pytest.raises(LibraryError):
        restore(library, copy)
    assert [concept.name for concept in library.concepts.all()] == ["Anna", "Rex"]
    assert not list(tmp_path.glob("*before-restore*"))


def test_a_backup_that_is_only_closed_is_not_called_damaged(copy, monkeypatch):
    def refuse(path, *args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(LibraryError, match="cannot be opened: Permission denied"):
        check_backup(copy)


@pytest.fixture
def damaged(library, tmp_path):
    """Make a spoilt library that has a log, as a crash leaves one."""

    def make(spoil):
        path = tmp_path / "damaged" / "library.db"
        path.parent.mkdir()
        back_up(library, path)
        path.with_name("library.db-wal").write_bytes(b"what the log has")
        spoil(path)
        return path

    return make


def _headless(path):
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def contents(folder):
    return {path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("spoil", [_truncated, _scribbled, _made_text, _headless])
def test_a_damaged_library_makes_room_for_the_backup_and_its_bytes_are_kept(damaged, copy, spoil):
    path = damaged(spoil)
    spoilt = path.read_bytes()
    assert find_damage(path)
    aside = replace_damaged(path, copy)
    assert aside.read_bytes() == spoilt
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"what the log has"
    assert find_damage(path) is None
    with Library(path) as library:
        assert [concept.name for concept in library.concepts.all()] == ["Rex"]
        assert library.connection.sqlite.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        library.concepts.add("Bo")
    assert names(path) == ["Bo", "Rex"]


def test_what_is_sound_or_not_there_is_not_damaged(library, copy, tmp_path):
    (tmp_path / "empty.db").touch()
    for path in (tmp_path / "library.db", copy, tmp_path / "empty.db", tmp_path / "none.db", tmp_path):
        assert find_damage(path) is None
    assert {one.now for one in compare(tmp_path / "empty.db", copy)} == {0}


def test_of_a_damaged_library_no_spoilt_backup_takes_the_place(damaged, copy):
    path = damaged(_scribbled)
    before = contents(path.parent)
    _scribbled(copy)
    with pytest.raises(LibraryError):
        replace_damaged(path, copy)
    assert contents(path.parent) == before


@pytest.mark.parametrize("has_links", [True, False])
@pytest.mark.parametrize("stopped_at", ["-wal", "library.db"])
def test_stopped_anywhere_the_damaged_bytes_are_kept_and_restoring_again_works(
    damaged, copy, monkeypatch, stopped_at, has_links
):
    path = damaged(_scribbled)
    spoilt = path.read_bytes()
    replace = Path.replace

    def stop(self, target):
        if self.name.endswith(stopped_at) or Path(target).name == stopped_at:
            raise KeyboardInterrupt
        return replace(self, target)

    def refuse(self, target):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        if not has_links:
            patch.setattr(Path, "hardlink_to", refuse)
        with pytest.raises(KeyboardInterrupt):
            replace_damaged(path, copy)
    assert path.read_bytes() == spoilt
    assert b"what the log has" in contents(path.parent)
    aside = replace_damaged(path, copy)
    assert aside.read_bytes() == spoilt
    assert b"what the log has" in contents(path.parent)
    assert names(path) == ["Rex"]


@pytest.mark.skipif(sys.platform == "win32", reason="no file that is open is replaced there")
def test_a_damaged_library_that_another_process_has_open_is_left_alone(copy, tmp_path):
    path = tmp_path / "damaged" / "library.db"
    Library(path).close()
    _scribbled(path)
    program = """
        import sys
        from pathlib import Path
        from photopal.library import Library
        with Library(Path(sys.argv[1]), read_only=True):
            print("open", flush=True)
            input()
        """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout.readline() == "open\n"
        before = contents(path.parent)
        with pytest.raises(LibraryLockedError, match="another process has the library open"):
            replace_damaged(path, copy)
        assert contents(path.parent) == before
        process.communicate("\n")
    replace_damaged(path, copy)
    assert names(path) == ["Rex"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_damaged_library_behind_a_link_is_replaced_where_it_lies(damaged, copy, tmp_path):
    path = damaged(_headless)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    aside = replace_damaged(link, copy)
    assert link.is_symlink()
    assert aside.parent == path.parent
    assert names(link) == ["Rex"]


def test_a_restore_waits_for_nobody_for_ever(library, copy, tmp_path):
    with library.writing(), Library(tmp_path / "library.db", wait_s=0.1) as other:
        library.concepts.add("Held")
        with pytest.raises(LibraryLockedError, match=f"locked by process {os.getpid()}$"):
            restore(other, copy)


@pytest.mark.slow
def test_killed_in_the_middle_of_a_restore_the_library_is_the_old_or_the_new_one(
    library, tmp_path, make_photo
):
    with library.writing():
        for number in range(3000):
            library.photos.add(make_photo(number))
    back_up(library, tmp_path / "copy.db")
    library.concepts.add("Anna")
    program = """
        import sys
        from pathlib import Path
        from photopal.library import Library
        from photopal.library.backup import restore
        with Library(Path(sys.argv[1])) as library:
            print("open", flush=True)
            restore(library, Path(sys.argv[2]))
            print("done", flush=True)
        """
    arguments = [tmp_path / "library.db", tmp_path / "copy.db"]
    outcomes = set()
    for delay_s in (0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 5.0):
        command = [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
            assert process.stdout.readline() == "open\n"
            time.sleep(delay_s)
            os.kill(process.pid, signal.SIGKILL)
        with Library(tmp_path / "library.db") as after:
            assert after.connection.sqlite.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert after.counts()["photos"] == 3000
            outcomes.add(tuple(concept.name for concept in after.concepts.all()))
    assert outcomes <= {("Anna",), ()}
