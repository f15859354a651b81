"""A watched folder's library follows what goes, and what is held up is done later."""

import pytest
from PIL.PngImagePlugin import PngInfo

from photopal.errors import LibraryLockedError
from photopal.ingest import sync as index_keep
from photopal.ingest.indexer import index_folders
from photopal.ingest.sync import LibrarySync
from photopal.library import SearchQuery


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


def test_metadata_written_into_watched_photos_and_edits_of_pixels_keep_what_the_user_said(
    library, folder, save_photo
):
    paths = [folder / f"{number:02}.png" for number in range(3)]
    ids = [library.photos.at(path).id for path in paths]
    for photo_id in ids:
        library.captions.edit(photo_id, "Grandma's 80th birthday")
    keeper = LibrarySync(library)
    keeper.note_looked(folder)
    text = PngInfo()
    text.add_text("Rating", "5")
    save_photo(paths[0], 0, pnginfo=text)
    save_photo(paths[1], 99)
    new_path = paths[2].with_name("moved.png")
    save_photo(paths[2], 2, pnginfo=text)
    paths[2].rename(new_path)
    keeper.note_missing(paths[2])
    assert not any(keeper.has(path) for path in (*paths[:2], new_path))
    assert keeper.take([*paths[:2], new_path]).skipped == []
    keeper.catch_up()
    found = library.search.find(SearchQuery(text="Grandma's 80th birthday"))
    assert {hit.photo.path for hit in found} == {paths[0], paths[1], new_path}
    assert [library.photos.at(path).id for path in (paths[0], paths[1], new_path)] == ids
    assert [hit.photo.path for hit in found if hit.photo.picture_changed_at] == [paths[1]]


def test_a_sidecar_that_cannot_be_read_is_told_when_its_photo_is_taken_and_forgotten_when_it_goes(
    library, folder
):
    keeper = LibrarySync(library)
    photo, sidecar = folder / "03.png", folder / "03.png.xmp"
    sidecar.write_text("<x:xmpmeta")
    keeper.take([photo, folder / "04.png"])
    assert [each.path for each in keeper.unread_sidecars] == [sidecar]
    sidecar.unlink()
    keeper.take([photo])
    assert keeper.unread_sidecars == []
    assert library.paths.problems() == []
