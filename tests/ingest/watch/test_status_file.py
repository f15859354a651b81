"""A watch tells other programs how it gets on, and a killed one is not taken for a running one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import photopal
from photopal.ingest.watch import WatchEvent
from photopal.ingest.watch.status_file import StatusFile, read_statuses


@pytest.fixture
def places(tmp_path):
    return tmp_path / "watches", tmp_path / "photos"


def test_a_running_watch_tells_backlog_rate_time_left_and_last_error(places, monkeypatch):
    home, folder = places
    now_s = [100.0]
    monkeypatch.setattr("photopal.ingest.watch.status_file.time.monotonic", lambda: now_s[0])
    with StatusFile(home, watched=[folder]) as file:
        [status] = read_statuses(home)
        assert (status.pid, status.backlog, status.per_minute, status.eta_s) == (os.getpid(), 0, None, None)
        assert [(one.path, one.state) for one in status.folders] == [(str(folder), "starting")]
        file.note(WatchEvent("polling", folder, reason="it is a network drive (nfs4)"))
        now_s[0] += 30
        file.note(WatchEvent("handed", count=10))
        file.note(WatchEvent("skipped", folder / "a.jpg", reason="is empty"))
        file.note(WatchEvent("backlog", count=40))
        now_s[0] += 2
        file.note(WatchEvent("backlog", count=41))
        [status] = read_statuses(home)
        assert (status.backlog, status.done, status.skipped) == (41, 10, 1)
        assert status.per_minute == pytest.approx(60 * 10 / 32, abs=0.01)
        assert status.eta_s == pytest.approx(41 / 10 * 32, rel=0.01)
        assert status.last_error == f"{folder / 'a.jpg'}: is empty"
        assert status.folders[0].reason == "it is a network drive (nfs4)"
    assert read_statuses(home) == []
    assert list(home.iterdir()) == []


def test_a_rate_is_of_the_last_minutes(places, monkeypatch):
    home, folder = places
    now_s = [0.0]
    monkeypatch.setattr("photopal.ingest.watch.status_file.time.monotonic", lambda: now_s[0])
    with StatusFile(home, watched=[folder]) as file:
        now_s[0] = 10.0
        file.note(WatchEvent("handed", count=1000))
        now_s[0] = 1000.0
        file.note(WatchEvent("handed", count=5))
        assert file.status().per_minute == 1.0


def test_what_a_killed_watch_left_behind_is_removed(places):
    home, folder = places
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from photopal.ingest.watch.status_file import StatusFile\n"
        "StatusFile(Path(sys.argv[1]), watched=[Path(sys.argv[2])]).__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(photopal.__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", program, str(home), str(folder)], env=environment, check=False)
    [left] = home.glob("*.json")
    assert json.loads(left.read_text())["pid"]
    (home / f".{left.name}.0123.part").touch()  # killed while it wrote
    assert read_statuses(home) == []
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written_to_does_not_stop_the_watch(places, tmp_path):
    (tmp_path / "file").touch()
    with StatusFile(tmp_path / "file" / "watches", watched=[places[1]]) as file:
        file.note(WatchEvent("handed", count=1))
        assert file.status().done == 1


def test_half_a_file_is_passed_over(places):
    home, folder = places
    with StatusFile(home, watched=[folder]):
        next(home.glob("*.json")).write_text('{"pid": 1,')
        assert read_statuses(home) == []
