"""A watch on real folders: what comes to rest is handed over, once, whatever else happens."""

import os
import threading
import time

import pytest

from photopal.errors import LibraryLockedError, UsageError
from photopal.ingest.watch import WatchOptions, WatchOutcome, watch_folders
from photopal.photos import Skipped


@pytest.mark.parametrize("poll", [False, True])
def test_what_is_there_what_comes_and_what_changes_is_handed_over_once(make_watch, folder, save, until, poll):
    there, known = save(folder / "there.jpg", 1), save(folder / "known.jpg", 2)
    watch = make_watch(folder, poll=poll)
    watch.known.add(known)
    watch.start().wait_for(there)
    comes = save(folder / "new" / "deep" / "comes.jpg", 3)
    watch.wait_for(comes)
    save(known, 4)
    watch.wait_for(known)
    save(there, 5)
    until(lambda: watch.handed.count(there) == 2)
    report = watch.end()
    assert sorted(watch.handed) == sorted([there, comes, known, there])
    assert report.handed == 4
    assert report.is_complete
    assert watch.told("polling" if poll else "watching", path=folder)


@pytest.mark.slow
@pytest.mark.parametrize("poll", [False, True])
def test_a_file_that_is_copied_slowly_waits_until_it_is_whole(make_watch, folder, save, jpeg, poll):
    watch = make_watch(folder, poll=poll, settle_s=1.0).start()
    whole, path = jpeg(1), folder / "slow.jpg"
    other = save(folder / "other.jpg", 2)
    with path.open("wb") as file:
        sent = 0
        while other not in watch.handed:
            # It grows for as long as a file beside it needs to come to rest.
            sent = min(sent + 60, len(whole) - 60)
            file.seek(0)
            file.write(whole[:sent])
            file.flush()
            os.utime(path)
            time.sleep(0.05)
        assert path not in watch.handed
        file.seek(0)
        file.write(whole)
    watch.wait_for(path)
    report = watch.end()
    assert watch.handed.count(path) == 1
    assert report.is_complete
    assert not watch.told("skipped")


def test_a_copy_that_stalls_is_reported_and_taken_when_it_goes_on(make_watch, folder, until, jpeg):
    watch = make_watch(folder).start()
    whole, path = jpeg(1), folder / "stalls.jpg"
    with path.open("wb") as file:
        file.write(whole[: len(whole) // 2])
        file.flush()
        until(lambda: watch.told("skipped", path=path))
        file.write(whole[len(whole) // 2 :])
    watch.wait_for(path)
    assert watch.end().skipped == []


@pytest.mark.parametrize("name", [".photo.jpg.Xa12", "photo.jpg.part", "photo.jpg.crdownload", ".photo.jpg"])
def test_a_temporary_file_is_left_alone_until_it_is_renamed_into_place(
    make_watch, folder, save, tmp_path, name
):
    watch = make_watch(folder).start()
    part = save(folder / name, 1)
    other = save(folder / "other.jpg", 2)
    watch.wait_for(other)
    path = part.rename(folder / "photo.jpg")
    watch.wait_for(path)
    moved_in = save(tmp_path / "elsewhere.jpg", 3).rename(folder / "moved in.jpg")
    watch.wait_for(moved_in)
    watch.end()
    assert watch.handed == [other, path, moved_in]


def test_a_rename_during_the_copy_is_followed(make_watch, folder, until, jpeg):
    watch = make_watch(folder).start()
    whole, before, after = jpeg(1), folder / "before.jpg", folder / "after.jpg"
    with before.open("wb") as file:
        file.write(whole[:500])
        file.flush()
        before.rename(after)
        file.write(whole[500:])
    watch.wait_for(after)
    assert watch.end().is_complete
    assert watch.handed == [after]


def test_a_folder_moved_in_is_looked_through(make_watch, folder, save, tmp_path):
    watch = make_watch(folder).start()
    for number in range(3):
        save(tmp_path / "trip" / "day" / f"{number}.jpg", number)
    (tmp_path / "trip").rename(folder / "trip")
    watch.wait_for(*(folder / "trip" / "day" / f"{number}.jpg" for number in range(3)))
    (folder / "trip").rename(folder / "journey")
    watch.wait_for(*(folder / "journey" / "day" / f"{number}.jpg" for number in range(3)))
    later = save(folder / "journey" / "day" / "later.jpg", 9)
    watch.wait_for(later)


@pytest.mark.slow
def test_a_burst_is_handed_over_in_batches_each_photo_once(make_watch, folder, save):
    watch = make_watch(folder).start()
    photos = [save(folder / f"{number % 7}" / f"{number}.jpg", number) for number in range(300)]
    watch.wait_for(*photos)
    report = watch.end()
    assert sorted(watch.handed) == sorted(photos)
    assert max(map(len, watch.batches)) == 32
    assert report.handed == 300


def test_a_bad_file_is_reported_once_and_tried_again_only_when_it_changes(
    make_watch, folder, save, until, jpeg
):
    path, good = folder / "bad.jpg", save(folder / "good.jpg", 1)
    path.write_bytes(jpeg(2)[:700])
    watch = make_watch(folder, rescan_s=0.2).start()
    watch.wait_for(good)
    until(lambda: watch.told("skipped"))
    watch.wait_for(save(folder / "later.jpg", 3), save(folder / "even later.jpg", 4))
    path.write_bytes(jpeg(2)[:900])
    until(lambda: len(watch.told("skipped")) == 2)
    assert {event.path for event in watch.told("skipped")} == {path}
    assert "cut short" in watch.told("skipped")[0].reason
    path.write_bytes(jpeg(2))
    watch.wait_for(path)
    assert len(watch.told("skipped")) == 2
    assert watch.end().is_complete


def test_a_bad_file_that_stays_is_in_the_report(make_watch, folder, until):
    (folder / "fake.jpg").write_text("no photo at all")
    (folder / "empty.png").touch()
    watch = make_watch(folder).start()
    until(lambda: len(watch.told("skipped")) == 2)
    report = watch.end()
    assert {skipped.path.name for skipped in report.skipped} == {"fake.jpg", "empty.png"}
    assert not report.is_complete
    assert watch.handed == []


def test_a_reserved_name_without_content_is_waited_for(make_watch, folder, jpeg, save):
    watch = make_watch(folder, empty_s=600.0).start()
    reserved = folder / "download.jpg"
    reserved.touch()
    watch.wait_for(save(folder / "other.jpg", 1))
    (folder / "download.jpg.part").write_bytes(jpeg(2))
    (folder / "download.jpg.part").replace(reserved)
    watch.wait_for(reserved)
    assert not watch.told("skipped")


def test_photos_that_are_refused_are_offered_again_until_they_are_taken(make_watch, folder, save, until):
    photos = [save(folder / f"{number}.jpg", number) for number in range(8)]
    watch = make_watch(folder, batch_size=8)

    def refuse_twice(paths):
        if len(watch.batches) <= 2:
            raise LibraryLockedError("process 1 is writing", hint="wait")

    watch.on_photos = refuse_twice
    watch.start()
    until(lambda: sum(event.count for event in watch.told("handed")) == 8)
    report = watch.end()
    first, second = watch.told("failed")[:2]
    assert (first.count, first.reason, first.hint) == (8, "process 1 is writing", "wait")
    assert second.retry_s > first.retry_s
    assert report.handed == len(photos)
    assert report.is_complete


def test_a_photo_that_is_always_refused_is_given_up_and_takes_no_other_with_it(
    make_watch, folder, save, until
):
    poison = save(folder / "3.jpg", 3)
    good = {save(folder / f"{number}.jpg", number) for number in (0, 1, 2, 4, 5, 6, 7)}
    watch = make_watch(folder, batch_size=8, tries=5, rescan_s=0.2, retry_s=0.05)
    taken = set()

    def refuse_poison(paths):
        if poison in paths:
            raise LibraryLockedError("poison")
        taken.update(paths)

    watch.on_photos = refuse_poison
    watch.start()
    until(lambda: watch.told("given up"))
    later = save(folder / "later.jpg", 20)
    watch.wait_for(later)
    assert taken == good | {later}
    assert watch.handed.count(poison) == 5
    watch.on_photos = lambda paths: None
    save(poison, 33)
    until(lambda: watch.handed.count(poison) == 6)
    assert watch.end().is_complete


def test_what_was_given_up_is_in_the_report(make_watch, folder, save, until):
    path = save(folder / "a.jpg")
    watch = make_watch(folder, tries=1)

    def refuse(paths):
        raise LibraryLockedError("locked")

    watch.on_photos = refuse
    watch.start()
    until(lambda: watch.told("given up"))
    report = watch.end()
    assert report.given_up == [Skipped(path, "locked")]
    assert not report.is_complete


def test_photos_found_unusable_later_are_reported_and_not_counted(make_watch, folder, save, until):
    path, good = save(folder / "a.jpg", 1), save(folder / "b.jpg", 2)
    watch = make_watch(folder)
    watch.on_photos = lambda paths: WatchOutcome([Skipped(path, "too dark")] if path in paths else [])
    watch.start().wait_for(path, good)
    until(lambda: watch.told("skipped"))
    report = watch.end()
    assert report.skipped == [Skipped(path, "too dark")]
    assert report.handed == 1


def test_any_other_error_ends_the_watch(make_watch, folder, save):
    save(folder / "a.jpg")
    watch = make_watch(folder)

    def fail(paths):
        raise ZeroDivisionError

    watch.on_photos = fail
    watch.start()
    with pytest.raises(ZeroDivisionError):
        watch.join()


def test_stopping_waits_for_the_batch_at_hand_and_begins_no_other(make_watch, folder, save, until):
    for number in range(5):
        save(folder / f"{number}.jpg", number)
    watch = make_watch(folder, batch_size=2)
    is_going_on = threading.Event()
    watch.on_photos = lambda paths: is_going_on.wait(30) and None
    watch.start()
    until(lambda: watch.batches)
    watch.stop.set()
    is_going_on.set()
    report = watch.join()
    assert (len(watch.batches), report.handed, report.waiting) == (1, 2, 3)
    assert report.is_complete


def test_once_hands_over_everything_and_ends(make_watch, folder, save, until, jpeg):
    photos = [save(folder / f"{number}.jpg", number) for number in range(5)]
    known = save(folder / "known.jpg", 6)
    (folder / "bad.jpg").write_bytes(b"bad")
    (folder / "empty.jpg").touch()
    watch = make_watch(folder, once=True)
    watch.known.add(known)
    late = folder / "late.jpg"
    watch.on_photos = lambda paths: None if late.exists() else (save(late, 7), None)[1]
    report = watch.start().join()
    assert sorted(watch.handed) == sorted([*photos, late])
    assert [skipped.path.name for skipped in report.skipped] == ["bad.jpg", "empty.jpg"]
    assert (report.handed, report.waiting) == (6, 0)
    assert not watch.told("watching", "polling")


def test_once_tries_refused_photos_again_and_gives_up(make_watch, folder, save):
    path = save(folder / "a.jpg")
    watch = make_watch(folder, once=True, tries=3, retry_s=0.05)

    def refuse(paths):
        raise LibraryLockedError("locked")

    watch.on_photos = refuse
    report = watch.start().join()
    assert watch.handed == [path] * 3
    assert [skipped.path for skipped in report.given_up] == [path]


def test_once_on_a_missing_folder_says_so_and_does_the_others(make_watch, folder, save, tmp_path):
    path = save(folder / "a.jpg")
    watch = make_watch(tmp_path / "missing", folder, once=True)
    report = watch.start().join()
    assert watch.handed == [path]
    assert report.offline == [tmp_path / "missing"]
    assert not report.is_complete


def test_a_photo_that_is_deleted_and_restored_is_handed_over_again(make_watch, folder, save, until, tmp_path):
    path = save(folder / "a.jpg")
    watch = make_watch(folder).start()
    watch.wait_for(path)
    away = path.rename(tmp_path / "away.jpg")
    watch.wait_for(save(folder / "b.jpg", 2))
    away.rename(path)
    until(lambda: watch.handed.count(path) == 2)


def test_a_photo_that_is_not_changed_is_not_handed_over_again(make_watch, folder, save):
    path = save(folder / "a.jpg")
    watch = make_watch(folder, rescan_s=0.2).start()
    watch.wait_for(path)
    path.chmod(0o600)
    path.read_bytes()
    os.link(path, folder / "same.jpg")
    watch.wait_for(folder / "same.jpg", save(folder / "b.jpg", 2))
    watch.end()
    assert watch.handed.count(path) == 1


def test_no_folder_and_a_file_are_usage_errors(folder, save):
    def watch(*folders):
        watch_folders(
            folders,
            options=WatchOptions(once=True),
            on_photos=lambda paths: None,
            on_event=lambda event: None,
            is_known=lambda path: False,
            stop=threading.Event(),
        )

    with pytest.raises(UsageError, match="no folder"):
        watch()
    with pytest.raises(UsageError, match="is a file"):
        watch(save(folder / "a.jpg"))


@pytest.mark.parametrize("options", [{"settle_s": 0}, {"poll_s": -1}, {"tries": 0}, {"batch_size": 0}])
def test_options_that_cannot_be_meant_are_refused(options):
    with pytest.raises(UsageError):
        WatchOptions(**options)


def test_what_is_not_wanted_is_not_handed_over(make_watch, folder, save):
    (folder / "cache").mkdir()
    (folder / "cache" / ".nomedia").touch()
    there, _, _ = save(folder / "a.jpg", 1), save(folder / "shot.png", 2), save(folder / "cache" / "b.jpg", 3)
    watch = make_watch(folder, globs={folder: ["*.png"]}).start()
    watch.wait_for(there)
    save(folder / "other.png", 4)
    save(folder / "cache" / "d.jpg", 5)
    comes = save(folder / "c.jpg", 6)
    watch.wait_for(comes)
    watch.end()
    assert sorted(watch.handed) == [there, comes]


def test_a_photo_is_handed_over_again_when_its_sidecar_changes(make_watch, folder, save, until):
    photo, other = save(folder / "a.jpg", 1), save(folder / "b.jpg", 2)
    watch = make_watch(folder).start()
    watch.wait_for(photo, other)
    (folder / "a.xmp").write_text("<xmp/>")
    until(lambda: watch.handed.count(photo) == 2)
    watch.end()
    assert watch.handed.count(other) == 1
