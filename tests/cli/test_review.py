"""`photopal review` as a user at a terminal and a script meet it."""

import json
import os
import select
import signal
import sys
import time

import pytest

from photopal.library import Library
from tests.faces.doubtful import make_doubtful


@pytest.fixture
def doubtful(home, tmp_path):
    with Library(home / "library.db") as library:
        make_doubtful(library, tmp_path / "photos", count=60)
    return home


def answers_in(home):
    """What the user has said so far: the photo's name, and whether Anna is in it."""
    with Library(home / "library.db", read_only=True) as library:
        anna = library.concepts.get("Anna")
        said = library.corrections.of_concept(anna.id, most=100)
        return {one.photo.path.name: one.is_present for one in said}


@pytest.mark.slow
def test_answers_are_read_from_lines_and_the_pictures_are_on_a_contact_sheet(run, doubtful):
    questions = json.loads(run("review", "--json").stdout)
    names = [question["path"].rsplit("/", 1)[1] for question in questions]
    assert questions[0]["sources"][0]["source"] == "face"
    result = run("review", "Anna", typed="y\nwhat\nn\ns\nu\nn\nq\n")
    assert result.exit_code == 0
    assert f"1. Is Anna in {questions[0]['path']}?" in result.stderr
    assert f"Saved {doubtful / 'review.jpg'}" in result.stderr
    assert (doubtful / "review.jpg").stat().st_size > 1000
    said = answers_in(doubtful)
    assert said[names[0]] is True
    # The no was undone and said again.
    assert list(said.values()).count(False) == 1
    assert result.stdout.splitlines()[0] == f"Anna is in {questions[0]['path']}"
    assert "2 answers saved." in result.stderr
    run("undo")
    assert len(answers_in(doubtful)) == 1


@pytest.mark.slow
def test_the_last_answer_can_be_undone_when_nothing_more_is_asked(run, doubtful):
    result = run("review", "--limit", "2", "--no-pictures", typed="n\nn\ny\nu\ny\nq\n")
    assert result.exit_code == 0
    assert result.stderr.count("Is Anna in") == 3
    # What is no answer to it is asked again.
    assert result.stderr.count("No more questions.") == 3
    assert sorted(answers_in(doubtful).values()) == [False, True]
    assert "2 answers saved." in result.stderr


@pytest.mark.slow
def test_without_a_limit_all_is_asked(run, doubtful, monkeypatch):
    monkeypatch.setattr("photopal.cli.commands.review._AT_ONCE", 5)
    questions = json.loads(run("review", "--json").stdout)
    assert len(questions) > 10
    result = run("review", "--no-pictures", typed="s\n" * 100)
    assert result.stderr.count("Is Anna in") == len(questions)
    assert "No more questions." not in result.stderr  # nothing was answered


def test_there_is_nothing_to_ask_where_everything_is_sure(run, family):
    result = run("review", "--no-pictures")
    assert (result.exit_code, "nothing to ask" in result.stderr) == (4, True)
    assert run("review", "Nobody").exit_code == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_twenty_keys_and_ctrl_c_in_the_middle_lose_nothing(doubtful):
    import pty

    pid, terminal = pty.fork()
    if not pid:
        environ = {**os.environ, "PHOTOPAL_HOME": str(doubtful), "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "photopal", "review", "--no-pictures"]
        os.execve(sys.executable, command, environ)
    told, keys = b"", iter("ynynsynyunynynynynynyny")
    pressed, asked, end = [], 0, time.monotonic() + 120
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 1)
        if not ready:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        told += piece
        # A key for each question; Ctrl-C in place of the last.
        while told.count(b"[q]uit") > asked:
            asked += 1
            key = next(keys, None)
            if key is None:
                # A person is not so fast that the question is still being written.
                time.sleep(0.5)
                os.write(terminal, b"\x03")
            else:
                pressed.append(key)
                os.write(terminal, key.encode())
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130, told.decode(errors="replace")
    assert pressed == list("ynynsynyunynynynynynyny")
    # One was skipped, and one undone and answered anew.
    assert len(answers_in(doubtful)) == 20
    assert b"20 answers saved." in told
    assert b"By these answers, Anna is" in told
    # The first answer was shown before the second question was answered.
    assert told.index(b"Anna is not in ") < told.rindex(b"Is Anna in ")
    with Library(doubtful / "library.db", read_only=True) as library:
        assert library.history.entries(1)[0].what.startswith('"Anna" is in ')
