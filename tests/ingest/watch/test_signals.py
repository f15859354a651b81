"""Signals end a watch in good order, in a process of its own."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from photopal.ingest.watch import stop_on_signals

SCRIPT = """
import sys, time
from pathlib import Path
from photopal.ingest.watch import WatchOptions, stop_on_signals, watch_folders

def take(paths):
    print("took", flush=True)
    time.sleep(float(sys.argv[2]))
    print("done", flush=True)

def tell(event):
    if event.kind not in ("looked", "backlog"):
        print(event.kind, flush=True)

with stop_on_signals() as stop:
    report = watch_folders([Path(sys.argv[1])], options=WatchOptions(settle_s=0.1), on_photos=take,
                           on_event=tell,
                           is_known=lambda path: False, stop=stop)
print("handed", report.handed, flush=True)
"""


def start(folder, batch_s):
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(folder), str(batch_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def read_until(process, word):
    for line in process.stdout:
        if line.strip() == word:
            return
    pytest.fail(f"{word} never came: {process.stderr.read()}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to others")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_watch_after_the_batch_at_hand(folder, save, number):
    save(folder / "a.jpg")
    with start(folder, 1.0) as process:
        read_until(process, "took")
        process.send_signal(number)
        rest, errors = process.communicate(timeout=120)
    assert rest.split("\n")[:-1] == ["done", "handed", "handed 1"]
    assert (process.returncode, errors) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to others")
def test_a_signal_ends_an_idle_watch(folder):
    with start(folder, 0) as process:
        read_until(process, "watching")
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=120)
    assert (rest, process.returncode, errors) == ("handed 0\n", 0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to others")
def test_a_second_signal_ends_at_once(folder, save):
    save(folder / "a.jpg")
    with start(folder, 3600) as process:
        read_until(process, "took")
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            threading.Event().wait(0.05)
        assert process.returncode == -signal.SIGTERM


def test_the_handlers_of_before_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals() as stop:
        assert signal.getsignal(signal.SIGTERM) is not before
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_set()
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_no_handler_is_installed():
    before, events = signal.getsignal(signal.SIGTERM), []

    def run():
        with stop_on_signals() as stop:
            events.append((stop.is_set(), signal.getsignal(signal.SIGTERM) is before))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert events == [(False, True)]
