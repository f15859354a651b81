"""Folders are brought into the library, and nothing the user said is lost on the way."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

import photopal
from photopal.ingest.indexer import forget_gone, index_folders
from photopal.ingest.report import IndexReport
from photopal.library import Library, SearchQuery


@pytest.fixture
def folder(tmp_path, save_photo):
    """A folder of ten photos in two folders."""
    for number in range(10):
        save_photo(tmp_path / "photos" / ("a" if number < 5 else "b") / f"{number}.png", number)
    return tmp_path / "photos"


def captioned(library, path, text="A dog."):
    photo = library.photos.at(path)
    concept = library.concepts.add("Rex")
    library.concepts.add_reference(concept.id, photo.id)
    library.captions.put(photo.id, text, model="m", bank=None, prompt_version="1", appearances=[])
    return photo


def problems_of(library):
    return [(problem.path.name, problem.reason) for problem in library.paths.problems()]


def test_photos_are_added_and_a_second_run_opens_none_of_them(library, folder, monkeypatch):
    told = []
    report = index_folders(library, [folder], on_progress=lambda *step: told.append(step))
    assert report == IndexReport(added=10)
    assert (told[0][0], told[0][2]) == (1, folder / "a" / "0.png")
    assert all(total in (None, 10) for _, total, _ in told)
    assert [step[0] for step in told] == list(range(1, 11))
    monkeypatch.setattr(Path, "open", None)
    assert index_folders(library, [folder]) == IndexReport(unchanged=10)


def test_relative_and_repeated_roots_are_the_same_folder(library, folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert index_folders(library, [Path("photos"), Path("photos/a"), folder]).added == 10
    assert index_folders(library, [folder / ".." / "photos"]) == IndexReport(unchanged=10)


def test_a_single_file_can_be_indexed_and_the_rest_is_left_alone(library, folder, save_photo):
    index_folders(library, [folder])
    save_photo(folder / "a" / "0.png", 99)
    shutil.rmtree(folder / "b")
    assert index_folders(library, [folder / "a" / "0.png"]) == IndexReport(changed=1)
    assert library.counts()["photos"] == 10


def test_a_renamed_photo_keeps_its_caption_and_names(library, folder):
    index_folders(library, [folder])
    photo = captioned(library, folder / "a" / "3.png")
    new_path = (folder / "a" / "3.png").rename(folder / "b" / "renamed.png")
    assert index_folders(library, [folder]) == IndexReport(moved=1, unchanged=9)
    assert library.photos.at(new_path).id == photo.id
    assert library.photos.get(photo.id).path == new_path
    assert library.captions.get(photo.id).text == "A dog."
    assert [hit.names for hit in library.search.find(SearchQuery(text="renamed dog"))] == [["Rex"]]
    assert library.search.find(SearchQuery(text="3.png")) == []


def test_a_moved_folder_is_moved_and_not_missing(library, folder, tmp_path):
    index_folders(library, [folder])
    photo = captioned(library, folder / "a" / "3.png")
    (folder / "a").rename(folder / "c")
    assert index_folders(library, [folder]) == IndexReport(moved=5, unchanged=5)
    folder.rename(tmp_path / "elsewhere")
    assert index_folders(library, [tmp_path / "elsewhere"]) == IndexReport(moved=10)
    assert library.photos.get(photo.id).path == tmp_path / "elsewhere" / "c" / "3.png"
    assert library.counts()["missing"] == 0


def test_two_photos_that_change_places_keep_their_captions(library, folder):
    index_folders(library, [folder])
    one, other = folder / "a" / "0.png", folder / "a" / "1.png"
    photo = captioned(library, one)
    one.rename(folder / "x.png")
    other.rename(one)
    (folder / "x.png").rename(other)
    index_folders(library, [folder])
    assert library.photos.at(other).id == photo.id
    assert library.photos.get(photo.id).path == other
    assert library.counts()["missing"] == 0


def test_a_copy_is_the_same_photo_with_two_paths(library, folder):
    index_folders(library, [folder])
    shutil.copy(folder / "a" / "0.png", folder / "copy.png")
    assert index_folders(library, [folder]) == IndexReport(unchanged=11)
    assert library.counts()["photos"] == 10
    (folder / "a" / "0.png").unlink()
    assert index_folders(library, [folder]).removed == 0
    assert library.photos.at(folder / "copy.png").path == folder / "copy.png"


def test_copies_in_one_run_are_one_photo(library, folder):
    shutil.copytree(folder / "a", folder / "c")
    assert index_folders(library, [folder]) == IndexReport(added=10, unchanged=5)


def test_a_deleted_photo_is_only_marked_and_revives_with_its_old_time(library, folder, tmp_path):
    index_folders(library, [folder])
    path = folder / "a" / "3.png"
    photo = captioned(library, path)
    shutil.move(path, tmp_path / "bin.png")
    assert index_folders(library, [folder]) == IndexReport(removed=1, unchanged=9)
    assert (library.counts()["photos"], library.counts()["missing"]) == (9, 1)
    assert index_folders(library, [folder]) == IndexReport(unchanged=9)
    shutil.move(tmp_path / "bin.png", path)
    assert index_folders(library, [folder]) == IndexReport(revived=1, unchanged=9)
    assert library.photos.at(path).id == photo.id
    assert library.captions.get(photo.id).text == "A dog."


def test_a_deleted_photo_revives_at_another_path_and_with_another_time(library, folder, tmp_path):
    index_folders(library, [folder])
    photo = captioned(library, folder / "a" / "3.png")
    shutil.move(folder / "a" / "3.png", tmp_path / "bin.png")
    index_folders(library, [folder])
    shutil.copyfile(tmp_path / "bin.png", folder / "back.png")
    assert index_folders(library, [folder]) == IndexReport(revived=1, unchanged=9)
    assert library.photos.at(folder / "back.png").id == photo.id


def test_a_path_with_another_picture_is_another_photo_if_the_user_had_said_nothing(
    library, folder, save_photo
):
    index_folders(library, [folder])
    photo = library.photos.at(folder / "a" / "3.png")
    library.captions.put(photo.id, "A dog.", model="m", bank=None, prompt_version="1", appearances=[])
    save_photo(folder / "a" / "3.png", 99)
    assert index_folders(library, [folder]) == IndexReport(changed=1, unchanged=9)
    assert library.captions.get(library.photos.at(folder / "a" / "3.png").id) is None
    assert library.photos.is_missing(photo.id)


def test_a_touched_photo_is_the_same_photo(library, folder):
    index_folders(library, [folder])
    os.utime(folder / "a" / "3.png", (1, 1))
    assert index_folders(library, [folder]) == IndexReport(unchanged=10)
    assert index_folders(library, [folder]) == IndexReport(unchanged=10)


def test_bad_files_are_reported_recorded_and_not_fatal(library, folder, monkeypatch):
    whole = (folder / "a" / "0.png").read_bytes()
    (folder / "empty.jpg").touch()
    (folder / "fake.jpg").write_text("not a photo")
    (folder / "half.png").write_bytes(whole[: len(whole) // 2])
    report = index_folders(library, [folder])
    assert report.added == 10
    assert [skipped.path.name for skipped in report.skipped] == ["empty.jpg", "fake.jpg", "half.png"]
    assert report.skipped[0].reason == "the file is empty"
    assert problems_of(library)[:2] == [
        ("empty.jpg", "the file is empty"), ("fake.jpg", "not a photo that photopal can read")
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", None)  # what is known to be bad is not opened again
        assert index_folders(library, [folder]).skipped == report.skipped
    (folder / "half.png").write_bytes(whole + b"x")
    (folder / "fake.jpg").unlink()
    assert index_folders(library, [folder]).unchanged == 11
    assert problems_of(library) == [("empty.jpg", "the file is empty")]


def test_a_file_that_cannot_be_opened_is_tried_again(library, folder, monkeypatch):
    index_folders(library, [folder / "b"])
    real_open = Path.open

    def refuse(path, *arguments, **options):
        if path.name == "0.png":
            raise PermissionError(13, "Permission denied")
        return real_open(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert index_folders(library, [folder]).added == 4
    assert problems_of(library) == [("0.png", "cannot be opened: Permission denied")]
    assert index_folders(library, [folder]).added == 1
    assert problems_of(library) == []


def test_a_photo_that_breaks_is_missing_until_it_is_whole_again(library, folder):
    index_folders(library, [folder])
    path = folder / "a" / "3.png"
    photo, whole = captioned(library, path), path.read_bytes()
    path.write_bytes(whole[:100])
    assert len(index_folders(library, [folder]).skipped) == 1
    assert library.photos.is_missing(photo.id)
    path.write_bytes(whole)
    assert index_folders(library, [folder]).revived == 1
    assert library.captions.get(library.photos.at(path).id).text == "A dog."
    assert problems_of(library) == []


@pytest.mark.parametrize("how", ["missing", "empty", "half"])
def test_a_drive_that_is_away_takes_nothing_from_the_library(library, folder, tmp_path, how):
    index_folders(library, [folder])
    if how == "half":
        (folder / "a").rename(tmp_path / "away")
    else:
        folder.rename(tmp_path / "away")
    if how == "empty":
        folder.mkdir()
    report = index_folders(library, [folder])
    assert (report.offline, report.removed, report.skipped) == ([folder], 0, [])
    assert library.counts()["photos"] == 10
    if how == "half":
        (tmp_path / "away").rename(folder / "a")
    else:
        shutil.rmtree(folder, ignore_errors=True)
        (tmp_path / "away").rename(folder)
    assert index_folders(library, [folder]) == IndexReport(unchanged=10)


def test_a_loss_can_be_accepted(library, folder):
    index_folders(library, [folder])
    shutil.rmtree(folder / "a")
    assert index_folders(library, [folder]).offline == [folder]
    assert index_folders(library, [folder], accept_loss=True).removed == 5
    assert library.counts()["missing"] == 5


def test_a_few_photos_may_go_at_once(library, folder):
    index_folders(library, [folder])
    for number in range(4):
        (folder / "a" / f"{number}.png").unlink()
    assert index_folders(library, [folder]).removed == 4


def test_one_root_offline_does_not_hold_up_the_other(library, folder, tmp_path):
    index_folders(library, [folder / "a", folder / "b"])
    (folder / "a").rename(tmp_path / "away")
    (folder / "b" / "9.png").unlink()
    report = index_folders(library, [folder / "a", folder / "b"])
    assert (report.offline, report.removed, report.unchanged) == ([folder / "a"], 1, 4)


def test_a_root_that_never_was_is_skipped(library, tmp_path):
    report = index_folders(library, [tmp_path / "nowhere"])
    assert [(skipped.path, skipped.reason) for skipped in report.skipped] == [
        (tmp_path / "nowhere", "does not exist")
    ]
    assert report.offline == []


def test_a_deleted_single_file_is_marked_missing(library, folder):
    index_folders(library, [folder])
    (folder / "a" / "3.png").unlink()
    assert index_folders(library, [folder / "a" / "3.png"]) == IndexReport(removed=1)


def test_photos_below_an_unreadable_folder_are_not_missing(library, folder, monkeypatch):
    index_folders(library, [folder])
    real_scandir = os.scandir

    def refuse(place):
        if place == str(folder / "a"):
            raise PermissionError(13, "Permission denied")
        return real_scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    report = index_folders(library, [folder], accept_loss=True)
    assert (report.removed, len(report.skipped)) == (0, 1)
    assert library.counts()["photos"] == 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps names that are not UTF-8")
def test_names_that_are_not_utf_8_are_indexed(library, folder, save_photo):
    names = [os.fsencode(folder) + name for name in (b"/caf\xe9.png", b"/\xff\xfe.png", b"/bad\xff.jpg")]
    save_photo(Path(os.fsdecode(names[0])), 50)
    save_photo(Path(os.fsdecode(names[1])), 51)
    Path(os.fsdecode(names[2])).write_bytes(b"no photo")
    report = index_folders(library, [folder])
    assert (report.added, len(report.skipped)) == (12, 1)
    assert os.fsencode(library.paths.problems()[0].path) == names[2]
    assert {os.fsencode(photo.path) for photo in library.photos.all()} > set(names[:2])
    assert index_folders(library, [folder]).unchanged == 12


def test_links_do_not_make_photos_twice(library, folder):
    (folder / "a" / "loop").symlink_to(folder)
    report = index_folders(library, [folder])
    assert (report.added, len(report.skipped)) == (10, 1)


def test_a_photo_is_missing_once_its_link_leads_nowhere_and_there_again_with_its_file(
    library, folder, tmp_path, save_photo
):
    target = save_photo(tmp_path / "elsewhere" / "far.png", 20)
    link = folder / "a" / "link.png"
    link.symlink_to(target)
    index_folders(library, [folder])
    photo_id = library.photos.at(link).id
    target.rename(tmp_path / "aside.png")
    report = index_folders(library, [folder])
    assert (report.removed, report.unchanged) == (1, 10)
    assert [(skipped.path, skipped.reason) for skipped in report.skipped] == [(link, "broken link")]
    assert library.photos.is_missing(photo_id)
    (tmp_path / "aside.png").rename(target)
    assert index_folders(library, [folder]).revived == 1
    target.unlink()
    assert forget_gone(library, folder).removed == 1


def test_many_links_that_lead_nowhere_at_once_are_a_drive_that_is_away(library, folder, tmp_path):
    (tmp_path / "links").mkdir()
    for path in folder.rglob("*.png"):
        (tmp_path / "links" / path.name).symlink_to(path)
    index_folders(library, [tmp_path / "links"])
    folder.rename(tmp_path / "away")
    report = index_folders(library, [tmp_path / "links"])
    assert (report.removed, report.offline) == (0, [tmp_path / "links"])


@pytest.mark.parametrize("is_watched", [False, True])
def test_what_cannot_be_reached_is_not_gone(library, folder, tmp_path, monkeypatch, is_watched):
    moved = tmp_path / "elsewhere" / "0.png"
    moved.parent.mkdir()
    shutil.copy(folder / "a" / "0.png", moved)
    index_folders(library, [folder])
    stat, lstat = os.stat, os.lstat

    def refuse(path, *args, **options):
        if os.fsencode(path).startswith(os.fsencode(folder / "a") + b"/"):
            raise PermissionError(13, "Permission denied")
        return (stat if options.get("follow_symlinks", True) else lstat)(path)

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(os, "lstat", lambda path: refuse(path, follow_symlinks=False))
    if is_watched:
        assert forget_gone(library, folder).removed == 0
    else:
        assert index_folders(library, [moved]).moved == 0
        closed = index_folders(library, [folder / "a" / "0.png"])
        assert (closed.removed, closed.offline) == (0, [])
        assert closed.skipped[0].reason == "cannot be opened: Permission denied"
    assert len(library.paths.of(library.photos.at(folder / "a" / "0.png").id)) == 2 - is_watched


def test_originals_are_as_they_were(library, folder):
    def tree_hash():
        digest = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            status = path.stat()
            digest.update(f"{path} {status.st_mode} {status.st_size} {status.st_mtime_ns}".encode())
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.digest()

    for path in folder.rglob("*.png"):
        path.chmod(0o444)
    before = tree_hash()
    index_folders(library, [folder])
    index_folders(library, [folder])
    assert tree_hash() == before


@pytest.mark.slow
def test_a_run_that_is_killed_keeps_what_it_committed(tmp_path):
    for number in range(150):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(tmp_path / f"{number:03}.png")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from photopal.ingest.indexer import index_folders\n"
        "from photopal.library import Library\n"
        "def slow(done, total, path):\n    time.sleep(0.03)\n    print(done, flush=True)\n"
        "with Library(Path(sys.argv[1])) as library:\n"
        "    index_folders(library, [Path(sys.argv[2])], on_progress=slow)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(photopal.__file__).parent.parent)}
    command = [sys.executable, "-c", program, str(tmp_path / "library.db"), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as indexer:
        indexer.stdout.readline()
        started = time.monotonic()
        while time.monotonic() - started < 2.5:
            indexer.stdout.readline()
        os.kill(indexer.pid, signal.SIGKILL)
    with Library(tmp_path / "library.db") as library:
        committed = library.counts()["photos"]
        assert 0 < committed < 150
        assert index_folders(library, [tmp_path]) == IndexReport(added=150 - committed, unchanged=committed)


@pytest.mark.slow
def test_no_file_of_an_unchanged_folder_is_opened(library, tmp_path, save_photo, monkeypatch):
    for number in range(300):
        save_photo(tmp_path / "many" / f"{number}.bmp", number)
    index_folders(library, [tmp_path / "many"])
    monkeypatch.setattr(Path, "open", lambda path, *args: pytest.fail(f"{path} was opened"))
    assert index_folders(library, [tmp_path / "many"]).unchanged == 300


@pytest.mark.slow
def test_memory_stays_the_same_however_many_files_there_are(library, tmp_path):
    Image.new("RGB", (2, 2), "red").save(tmp_path / "one.bmp")
    content, peaks = (tmp_path / "one.bmp").read_bytes(), []
    for count in (700, 2400):
        for number in range(count):
            path = tmp_path / f"{count}" / f"{number // 500}" / f"photo number {number}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content + number.to_bytes(4, "big") + count.to_bytes(4, "big"))
        index_folders(library, [tmp_path / f"{count}"])
        tracemalloc.start()
        assert index_folders(library, [tmp_path / f"{count}"]).unchanged == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 400_000
