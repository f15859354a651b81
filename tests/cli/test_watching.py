"""What a watch says on the command line, and how it ends."""

import os
import signal
import threading
from pathlib import Path

import pytest
import typer
from PIL import Image

from photopal.cli.context import Session
from photopal.cli.watching import run_watch
from photopal.errors import LibraryLockedError
from photopal.ingest.watch import WatchOptions, WatchOutcome
from photopal.photos import Skipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (32, 24), "red").save(folder / "lake.jpg")
    return folder


def watch(folder, *, on_photos=lambda paths: None, is_quiet=False, **options):
    quick = WatchOptions(**{"settle_s": 0.1, "retry_s": 0.05, "once": True, **options})
    session = Session(home=folder.parent / "home", is_quiet=is_quiet)
    run_watch(session, [folder], options=quick, on_photos=on_photos, is_known=lambda path: False)


def test_a_watch_says_what_it_does_on_stderr(folder, capsys):
    watch(folder)
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["1 photo done.", "1 photo done."]
    assert printed.out == ""


def test_a_quiet_watch_says_nothing_while_all_is_well(folder, capsys):
    watch(folder, is_quiet=True)
    assert capsys.readouterr().err == ""


def test_a_bad_file_is_named_and_ends_with_3(folder, capsys):
    (folder / "broken \x1b.jpg").write_bytes(b"no photo")
    with pytest.raises(typer.Exit) as ended:
        watch(folder)
    assert ended.value.exit_code == 3
    assert "Skipped" in (words := capsys.readouterr().err)
    assert r"broken \x1b.jpg: not a photo" in words


def test_a_bad_sidecar_is_named_once_and_is_no_failure(folder, capsys):
    sidecar = Skipped(folder / "lake.xmp", "sidecar not read: no valid XMP")
    watch(folder, on_photos=lambda paths: WatchOutcome(unread_sidecars=[sidecar]))
    words = capsys.readouterr().err
    assert words.count(f"{sidecar.path}: {sidecar.reason}") == 1
    assert "Save it again in the program that wrote it" in words


def test_refused_photos_are_named_with_the_reason_and_the_hint(folder, capsys):
    def refuse(paths):
        raise LibraryLockedError("process 1 is writing", hint="wait for it")

    with pytest.raises(typer.Exit) as ended:
        watch(folder, on_photos=refuse, tries=2)
    assert ended.value.exit_code == 3
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "1 photo failed, retrying in 0 s: process 1 is writing"
    assert lines[1] == "Hint: wait for it"
    assert lines[2] == "Giving up on 1 photo: process 1 is writing"
    assert lines[-1] == f"Not done: {folder / 'lake.jpg'}: process 1 is writing"


def test_a_missing_folder_is_waited_for_and_ends_with_3(tmp_path, capsys):
    with pytest.raises(typer.Exit):
        watch(tmp_path / "away")
    words = capsys.readouterr().err
    assert f"{tmp_path / 'away'}: does not exist; waiting for it to come back." in words
    assert f"{tmp_path / 'away'} was still unavailable at the end." in words


def test_a_signal_ends_a_watch_with_0(folder, capsys):
    def interrupt(paths):
        os.kill(os.getpid(), signal.SIGINT)

    watch(folder, on_photos=interrupt, once=False, poll=True)
    assert capsys.readouterr().err.splitlines()[-1] == "1 photo done."
    assert threading.active_count() < 20
