"""A watched folder's library follows what goes, and what is held up is done later."""

import pytest

from photopal.errors import LibraryLockedError
from photopal.ingest import sync as index_keep
from photopal.ingest.indexer import index_folders
from photopal.ingest.sync import LibrarySync


@pytest.fixture
def folder(library, tmp_path, save_photo, monkeypatch):
    monkeypatch.setattr(index_keep, "_QUIET_S", 0.0)
    for number in range(20):
        save_photo(tmp_path / "photos" / f"{number:02}.png", number)
    index_folders(library, [tmp_path / "photos"])
    return tmp_path / "photos"


def go(keeper, folder, count):
    for path in sorted(folder.iterdir())[:count]:
        path.unlink()
        keeper.note_missing(path)


def missing(library):
    return library.counts()["missing"]


def test_a_few_files_that_go_are_marked(library, folder):
    keeper = LibrarySync(library)
    keeper.note_looked(folder)
    go(keeper, folder, 3)
    keeper.catch_up()
    assert missing(library) == 3


def test_many_files_that_go_at_once_are_not_believed(library, folder):
    keeper = LibrarySync(library)
    keeper.note_looked(folder)
    keeper.catch_up()
    go(keeper, folder, 12)
    keeper.catch_up()
    assert missing(library) == 0


def test_what_went_while_nobody_watched_is_marked_after_a_look(library, folder):
    keeper = LibrarySync(library)
    (folder / "03.png").unlink()
    keeper.catch_up()
    assert missing(library) == 0
    keeper.note_looked(folder)
    keeper.catch_up()
    assert missing(library) == 1


def test_what_another_program_holds_up_is_done_later(library, folder, monkeypatch):
    keeper = LibrarySync(library)

    def refuse(library, root):
        raise LibraryLockedError("process 1 is writing")

    keeper.note_looked(folder)
    (folder / "03.png").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(index_keep, "forget_gone", refuse)
        keeper.catch_up()
    assert missing(library) == 0
    keeper.catch_up()
    assert missing(library) == 1


def test_a_bad_file_is_a_problem_and_known_as_long_as_it_stays_the_same(library, folder):
    keeper = LibrarySync(library)
    bad = folder / "bad.jpg"
    bad.write_bytes(b"no photo")
    assert not keeper.has(bad)
    keeper.note_bad(bad)
    keeper.catch_up()
    assert [problem.path for problem in library.paths.problems()] == [bad]
    assert keeper.has(bad)
    bad.write_bytes(b"no photo either")
    assert not keeper.has(bad)
    bad.unlink()
    keeper.note_missing(bad)
    keeper.catch_up()
    assert library.paths.problems() == []
