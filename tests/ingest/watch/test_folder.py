"""Folders that go, come back, loop, are closed, lie on network drives, or are too many to watch."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import photopal.ingest.watch.folder
from photopal.ingest.watch.mounts import Mount


@pytest.mark.parametrize("poll", [False, True])
def test_a_folder_that_is_removed_and_made_again_is_watched_again(make_watch, folder, save, until, poll):
    first = save(folder / "first.jpg", 1)
    watch = make_watch(folder, poll=poll).start()
    watch.wait_for(first)
    shutil.rmtree(folder)
    until(lambda: watch.told("gone", path=folder))
    folder.mkdir()
    until(lambda: watch.told("back", path=folder))
    second = save(folder / "second.jpg", 2)
    watch.wait_for(second)
    report = watch.end()
    assert watch.handed == [first, second]
    assert report.is_complete
    assert "does not exist" in watch.told("gone")[0].reason


@pytest.mark.slow
def test_a_folder_that_is_replaced_in_no_time_is_watched_again(make_watch, folder, save):
    watch = make_watch(folder).start()
    for number in range(3):
        shutil.rmtree(folder)
        watch.wait_for(save(folder / f"{number}.jpg", number))


def test_a_folder_that_is_not_there_yet_is_waited_for(make_watch, tmp_path, save):
    folder = tmp_path / "stick" / "DCIM"
    watch = make_watch(folder).start()
    assert watch.told("gone", path=folder)
    watch.wait_for(save(folder / "a.jpg"))
    assert watch.end().offline == []


def test_a_folder_that_stays_away_is_offline(make_watch, tmp_path, folder, save):
    watch = make_watch(tmp_path / "away", folder).start()
    watch.wait_for(save(folder / "a.jpg"))
    assert watch.end().offline == [tmp_path / "away"]


def test_a_folder_renamed_away_is_watched_no_more(make_watch, folder, save, until, tmp_path):
    watch = make_watch(folder).start()
    away = folder.rename(tmp_path / "away")
    save(away / "a.jpg", 1)
    until(lambda: watch.told("gone"))
    watch.wait_for(save(folder / "b.jpg", 2))
    assert watch.handed == [folder / "b.jpg"]


def test_a_link_that_leads_in_a_circle_does_no_harm(make_watch, folder, save, until):
    (folder / "a").mkdir()
    for name in ("loop", "other loop"):
        (folder / "a" / name).symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    watch = make_watch(folder).start()
    path = save(folder / "a" / "photo.jpg")
    watch.wait_for(path)
    watch.end()
    assert watch.handed == [path]


def test_a_folder_named_by_a_link_keeps_the_name_of_the_link(make_watch, folder, save, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(folder)
    watch = make_watch(link).start()
    save(folder / "new" / "a.jpg", 1)
    watch.wait_for(link / "new" / "a.jpg")


def test_what_comes_to_a_linked_folder_is_seen_too(make_watch, folder, save, tmp_path):
    elsewhere = save(tmp_path / "elsewhere" / "a.jpg", 1).parent
    (folder / "link").symlink_to(elsewhere)
    watch = make_watch(folder).start()
    watch.wait_for(folder / "link" / "a.jpg")
    save(elsewhere / "deep" / "b.jpg", 2)
    watch.wait_for(folder / "link" / "deep" / "b.jpg")
    later = save(tmp_path / "later" / "c.jpg", 3).parent
    (folder / "later").symlink_to(later)
    watch.wait_for(folder / "later" / "c.jpg")
    save(later / "d.jpg", 4)
    watch.wait_for(folder / "later" / "d.jpg")


def test_names_that_are_no_text_are_fine(make_watch, folder, save):
    watch = make_watch(folder).start()
    path = save(folder / os.fsdecode(b"stra\xdfe") / os.fsdecode(b"\xff.jpg"))
    watch.wait_for(path)
    assert watch.end().is_complete


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_drive_is_polled_and_the_watch_says_so(
    make_watch, folder, save, tmp_path, monkeypatch, kind
):
    share = folder / "share"
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {share} {kind} rw 0 0\n")
    monkeypatch.setattr("photopal.ingest.watch.mounts.read_mounts.__defaults__", (table,))
    watch = make_watch(folder).start()
    watch.wait_for(save(share / "a.jpg"))
    [event] = watch.told("polling")
    assert event.reason == f"{share} is a network drive ({kind})"


def test_a_share_that_is_mounted_later_is_noticed(make_watch, folder, save, tmp_path, monkeypatch, until):
    table = tmp_path / "mounts"
    table.write_text("/dev/vda / ext4 rw 0 0\n")
    monkeypatch.setattr("photopal.ingest.watch.mounts.read_mounts.__defaults__", (table,))
    watch = make_watch(folder).start()
    assert watch.told("watching")
    table.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {folder} nfs rw 0 0\n")
    until(lambda: watch.told("polling"))
    watch.wait_for(save(folder / "a.jpg"))


def test_no_room_for_another_watched_folder_means_polling(make_watch, folder, save, monkeypatch):
    def refuse(handlers):
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(photopal.ingest.watch.folder, "_observe", refuse)
    watch = make_watch(folder).start()
    assert watch.told("polling")[0].reason == "inotify watch limit reached"
    watch.wait_for(save(folder / "a.jpg"))


def test_an_observer_that_dies_is_replaced(make_watch, folder, save, monkeypatch, until):
    observers = []
    observe = photopal.ingest.watch.folder._observe

    def remember(handlers):
        observers.append(observe(handlers))
        return observers[-1]

    monkeypatch.setattr(photopal.ingest.watch.folder, "_observe", remember)
    watch = make_watch(folder).start()
    until(lambda: observers)
    observers[0].stop()
    until(lambda: len(observers) == 2)
    watch.wait_for(save(folder / "a.jpg"))


# In a user namespace of its own a process is root: it has limits and mounts that concern nobody else.
def in_namespace(script, *arguments, needs="true"):
    prepare = f'{needs} || exit 77; exec "$@"'
    wrapped = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", prepare]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    command = [*wrapped, "bash", sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this system lends no namespaces")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


WATCH_FOR_ONE = """
import sys, threading
from pathlib import Path
from photopal.ingest.watch import WatchOptions, watch_folders
stop, handed, folder = threading.Event(), [], Path(sys.argv[1])
def tell(event):
    if event.kind in ("watching", "polling", "gone", "back", "skipped"):
        print(event.kind, event.path.name, event.reason, flush=True)
    act(event)
def take(paths):
    handed.extend(path.name for path in paths)
    if "last.jpg" in handed:
        stop.set()
def run():
    threading.Timer(120, stop.set).start()
    options = WatchOptions(settle_s=0.15, poll_s=0.2)
    report = watch_folders([folder], options=options, on_photos=take, on_event=tell,
                           is_known=lambda path: False, stop=stop)
    print(sorted(handed), report.waiting, flush=True)
    import os; os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_a_real_limit_of_watches_below_the_folder_is_noticed(folder, save, tmp_path):
    for number in range(6):
        (folder / str(number)).mkdir()
    source = save(tmp_path / "last.jpg")
    script = f"""{WATCH_FOR_ONE}
def act(event):
    if event.kind == "polling":
        Path(sys.argv[2]).rename(folder / "5" / "last.jpg")
run()
"""
    limit = "echo 3 > /proc/sys/user/max_inotify_watches"
    said = in_namespace(script, folder, source, needs=limit).splitlines()
    assert said == ["polling photos the system limit for watched folders has been reached", "['last.jpg'] 0"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="mounts are made as on Linux")
def test_a_drive_that_is_unmounted_and_mounted_again_is_watched_again(folder, save, tmp_path):
    source = save(tmp_path / "last.jpg")
    script = f"""{WATCH_FOR_ONE}
import shutil, subprocess
step = 0
def act(event):
    global step
    if event.kind == "watching":
        subprocess.run(["umount", folder], check=True)
    if event.kind == "back":
        step += 1
        if step == 1:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        if step == 2:
            threading.Timer(0.5, shutil.copy, (sys.argv[2], folder / "last.jpg")).start()
run()
"""
    mounted = f"mount -t tmpfs tmpfs {folder}"
    said = in_namespace(script, folder, source, needs=mounted).splitlines()
    place = "back photos another folder or drive is in its place"
    assert said == ["watching photos ", place, place, "['last.jpg'] 0"]
    assert list(folder.iterdir()) == []


@pytest.fixture
def open_folder():
    """A folder that every user may enter, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name).resolve()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can be somebody else")
def test_folders_that_may_not_be_opened_are_reported_and_the_rest_is_watched(open_folder, save, tmp_path):
    for name in ("closed", "also closed"):
        (open_folder / name).mkdir(mode=0)
    script = f"""{WATCH_FOR_ONE}
import os
from photopal.photos import open_photo
content = Path(sys.argv[2]).read_bytes()
open_photo(Path(sys.argv[2]))
os.setgid(65534); os.setuid(65534)
def act(event):
    if event.kind == "skipped" and not (folder / "last.jpg").exists():
        (folder / "last.jpg").write_bytes(content)
run()
"""
    arguments = [str(open_folder), str(save(tmp_path / "a.jpg"))]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments], capture_output=True, text=True, timeout=240
    )
    assert (done.returncode, done.stderr) == (0, "")
    denied = "cannot be opened: Permission denied"
    said = [f"skipped {name} {denied}" for name in ("also closed", "closed")]
    assert done.stdout.splitlines() == [f"watching {open_folder.name} ", *said, "['last.jpg'] 0"]


def test_the_mount_of_a_folder_is_the_innermost_and_the_latest():
    from photopal.ingest.watch.mounts import mounts_under

    outer, hidden = Mount("/dev/a", "/", "ext4"), Mount("auto", "/nas", "autofs")
    share, below = Mount("nas:/x", "/nas", "nfs4"), Mount("/dev/b", "/nas/p/stick", "vfat")
    beside = Mount("/dev/c", "/nas/photos", "vfat")
    mounts = [outer, hidden, share, below, beside]
    assert mounts_under("/nas/p", mounts) == (share, below)
    assert mounts_under("/home", mounts) == (outer,)
    assert share.is_network
    assert not below.is_network


def test_the_table_of_mounts_is_read_with_its_escapes(tmp_path):
    from photopal.ingest.watch.mounts import read_mounts

    table = tmp_path / "mounts"
    table.write_text("//nas/My\\040Photos /mnt/My\\040Photos\\134 cifs rw 0 0\n\n")
    assert read_mounts(table) == [Mount("//nas/My Photos", "/mnt/My Photos\\", "cifs")]
    assert read_mounts(tmp_path / "none") == []
