"""`photopal index --watch` keeps a library in line with a folder, whatever happens in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import photopal
from photopal.library import Library

ROOT = Path(photopal.__file__).parent.parent
PATIENCE_S = 240
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="a watch is ended by a signal"),
]


def save(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (number * 20 % 256, number, 90)).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    for number in range(10):
        save(tmp_path / "photos" / f"{number}.png", number)
    return tmp_path / "photos"


@pytest.fixture
def start(home, folder):
    """Start a watch that is ended when the test ends."""
    running = []

    def start_watch(*options):
        words = [
            sys.executable,
            "-m",
            "photopal",
            "--home",
            str(home),
            "index",
            "--watch",
            str(folder),
            *options,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        running.append(subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment))
        return running[-1]

    yield start_watch
    for process in running:
        process.kill()
        process.communicate()


def wait_for(home, condition):
    """Wait until the library is as it should be."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if (home / "library.db").exists():
            with Library(home / "library.db", read_only=True) as library:
                if condition(library):
                    return
        time.sleep(0.1)
    pytest.fail("waited in vain")


def has(photos, missing=0):
    return lambda library: (library.counts()["photos"], library.counts()["missing"]) == (photos, missing)


def names(library):
    return {path.name for photo in library.photos.all() for path in library.paths.of(photo.id)}


def test_what_comes_is_renamed_and_goes_is_followed(start, home, folder):
    watch = start()
    wait_for(home, has(10))
    save(folder / "new" / "11.png", 11)
    wait_for(home, has(11))
    (folder / "1.png").rename(folder / "new" / "one.png")
    wait_for(home, lambda library: {"one.png"} <= names(library) and "1.png" not in names(library))
    wait_for(home, has(11))
    (folder / "2.png").unlink()
    wait_for(home, has(10, missing=1))
    watch.send_signal(signal.SIGTERM)
    assert "photos done" in watch.communicate(timeout=PATIENCE_S)[1]
    assert watch.returncode == 0


def test_what_went_while_nobody_watched_is_marked_and_revives(run, start, home, folder, tmp_path):
    run("index", str(folder))
    (folder / "3.png").rename(tmp_path / "3.png")
    assert start("--once").wait(PATIENCE_S) == 0
    wait_for(home, has(9, missing=1))
    (tmp_path / "3.png").rename(folder / "3.png")
    assert start("--once").wait(PATIENCE_S) == 0
    wait_for(home, has(10))


def test_a_folder_that_is_unmounted_and_mounted_again_loses_nothing(start, home, folder, tmp_path):
    watch = start()
    wait_for(home, has(10))
    folder.rename(tmp_path / "away")
    assert any("waiting for it" in line for line in watch.stderr)
    time.sleep(1)
    wait_for(home, has(10))
    (tmp_path / "away").rename(folder)
    save(folder / "new.png", 200)
    wait_for(home, has(11))


def test_a_drive_whose_files_vanish_under_the_watch_loses_nothing(start, home, folder, tmp_path):
    start()
    wait_for(home, has(10))
    shutil.copytree(folder, tmp_path / "away")
    for path in folder.iterdir():
        path.unlink()
    save(folder / "new.png", 200)
    wait_for(home, lambda library: "new.png" in names(library))
    time.sleep(6)
    wait_for(home, has(11))


def test_bad_files_are_problems_and_a_restart_does_not_read_them_again(start, home, folder):
    (folder / "bad.jpg").write_bytes(b"no photo at all")
    assert start("--once").wait(PATIENCE_S) == 3
    with Library(home / "library.db", read_only=True) as library:
        [problem] = library.paths.problems()
        assert (problem.path.name, problem.reason) == ("bad.jpg", "not a photo that photopal can read")
    again = start("--once")
    assert again.communicate(timeout=PATIENCE_S)[1].splitlines()[-1] == "0 photos done."
    assert again.returncode == 0


def test_watch_status_tells_of_a_running_watch_only(run, start, home, folder):
    assert run("watch-status").exit_code == 4
    start()
    wait_for(home, has(10))
    deadline = time.monotonic() + PATIENCE_S
    while True:
        result = run("watch-status", "--json")
        found = json.loads(result.stdout)
        if found and found[0]["done"] == 10 and found[0]["backlog"] == 0:
            break
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert result.exit_code == 0
    assert [one["path"] for one in found[0]["folders"]] == [str(folder)]
    assert found[0]["folders"][0]["state"] in ("watching", "polling")
    assert found[0]["per_minute"] > 0
    words = run("watch-status").stdout
    assert "backlog\t0\n" in words
    assert "time left\t0:00:00\n" in words


def test_options_that_do_not_fit_are_a_usage_error(run, folder):
    assert run("index", "--once", str(folder)).exit_code == 2
    assert run("index", "--watch", "--json", str(folder)).exit_code == 2


def test_a_burst_with_slow_damaged_and_renamed_files_is_indexed_once_each():
    script = ROOT / "tests" / "torture" / "arrivals.py"
    numbers = ["--photos", "60", "--slow", "5", "--damaged", "4", "--renamed", "3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script), *numbers], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "indexed 56 once each, 4 reported" in done.stdout
