"""The program's streams: output that cannot be written, pipes that close, and what libraries print."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import photopal
from photopal.library import Library
from photopal.photos import Exif, Photo
from tests.marks import slow

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def environ(home):
    root = str(Path(photopal.__file__).parent.parent)
    return {**os.environ, "PHOTOPAL_HOME": str(home), "PYTHONPATH": root, "COLUMNS": "80"}


@pytest.fixture
def program(environ):
    """Run the program as a process of its own, or some code that does."""

    def run(*words, code=None, **rest):
        start = ["-m", "photopal"] if code is None else ["-c", textwrap.dedent(code)]
        settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environ}
        return subprocess.run([sys.executable, *start, *map(str, words)], check=False, **{**settings, **rest})

    return run


@pytest.fixture
def large(home):
    """A library with so many names and photos that no pipe holds their listing."""
    with Library(home / "library.db") as library, library.writing():
        for number in range(700):
            library.concepts.add(f"Somebody {number}", about="x" * 200)
            path = Path(f"/p/{number}-{'x' * 80}.jpg")
            library.photos.add(Photo(path, f"{number:032x}", 1, 1, 64, 48, "JPEG", Exif(), b"jpeg"))
    return home


@needs_full
@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "where --json",
        *slow("index --help", "--version", "where", "concepts", "search rex", "status", "undo --list"),
    ],
)
def test_a_full_disk_behind_the_output_is_one_line(program, family, words):
    with FULL.open("w") as full:
        done = program(*words.split(), stdout=full)
    assert done.stderr == "Error: cannot write the output: No space left on device\n"
    assert done.returncode == 1


@pytest.mark.slow
@needs_full
def test_results_are_written_though_the_words_beside_them_cannot_be(program, family):
    with FULL.open("w") as full:
        done = program("concepts", stderr=full)
    assert (done.returncode, done.stdout.count("\n")) == (0, 2)
    with FULL.open("w") as full:
        assert program("search", "nothing at all", stderr=full).returncode == 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", ["concepts --json", *slow("concepts", "search --paths --limit 2000", "--help")]
)
def test_a_reader_that_goes_is_no_error(environ, large, words):
    command = f'"{sys.executable}" -m photopal {words} | head -n 1 >/dev/null; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.slow
def test_work_goes_on_when_nobody_reads_the_words_beside_it(program, drawn_family, home):
    reader, writer = os.pipe()
    os.close(reader)
    done = program("index", drawn_family.folder, stderr=writer)
    os.close(writer)
    assert done.returncode == 0
    assert json.loads(program("status", "--json").stdout)["photos"] == 10


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", *slow(">&-", "2>&-", ">&- 2>&-")])
def test_streams_that_are_closed_from_the_start_are_no_error(environ, family, closed):
    command = f'"{sys.executable}" -m photopal concepts {closed}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stderr) == (0, "")


CHATTY = """
    import logging, os, sys, threading, warnings
    import photopal.cli.commands.status as module
    from photopal.cli import main

    def chat(ctx):
        os.write(2, b"words from C\\n")
        warnings.warn("words from warnings")
        logging.getLogger("transformers").warning("words from logging")
        print("words from print", file=sys.stderr)
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        session_of(ctx).say("words from photopal")

    session_of = module.session_of
    chat.__name__, chat.__doc__ = "status", module.status.__doc__
    module.status = chat
    chat.__annotations__["ctx"] = __import__("typer").Context
    main()
    """


@pytest.mark.slow
def test_what_libraries_print_is_in_the_log_and_not_on_the_terminal(program, family, home):
    done = program("status", code=CHATTY)
    assert (done.returncode, done.stderr) == (0, "words from photopal\n")
    log = (home / "photopal.log").read_text(encoding="utf-8")
    for source in ("C", "warnings", "logging", "print"):
        assert f"words from {source}" in log
    assert "ZeroDivisionError" in log


@pytest.mark.slow
def test_debug_shows_what_libraries_print(program, family, home):
    done = program("status", "--debug", code=CHATTY)
    for source in ("C", "warnings", "logging", "print", "photopal"):
        assert f"words from {source}" in done.stderr
    assert not (home / "photopal.log").exists()


@pytest.mark.slow
def test_a_damaged_tiff_says_nothing_on_the_terminal_and_something_in_problems(program, tmp_path):
    import numpy as np
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    path = folder / "fax.tif"
    levels = np.random.default_rng(0).integers(0, 255, (150, 200), dtype=np.uint8)
    Image.fromarray(levels).convert("1").save(path, compression="group4")
    data = bytearray(path.read_bytes())
    data[600:660] = bytes(byte ^ 0xA5 for byte in data[600:660])
    path.write_bytes(data)
    done = program("index", folder)
    assert (done.returncode, done.stderr) == (0, "")
    [problem] = json.loads(program("problems", "--json").stdout)
    assert problem["is_readable"]
    assert problem["reason"].startswith("Fax4Decode: ")
    assert "readable, but: Fax4Decode" in program("problems").stdout


def interrupt(environ, *words, when):
    """Start the program, press Ctrl-C when a word stands on its stderr or its stdout, and wait."""
    with subprocess.Popen(
        [sys.executable, "-m", "photopal", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        seen = ""
        while when not in seen:
            line = process.stdout.readline()
            assert line, seen
            seen += line
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        seen += process.communicate(timeout=60)[0]
    return process.returncode, seen


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_with_130(environ, tmp_path):
    code, seen = interrupt(environ, "demo", "--into", tmp_path / "demo", when="photopal index")
    assert code == 130
    assert seen.count("Interrupted. Finished work is saved.") == 1
    assert "Traceback" not in seen


@pytest.mark.slow
def test_ctrl_c_ends_tuning_with_130(run, environ, tiny_llava, drawn_family):
    environ["PHOTOPAL_MODEL"] = str(tiny_llava)
    photos = map(str, drawn_family.photos["Anna"])
    assert run("add-concept", "Anna", *photos, PHOTOPAL_MODEL=str(tiny_llava)).exit_code == 0
    code, seen = interrupt(environ, "tune", "--epochs", "999", "--patience", "999", when="1/999")
    assert code == 130
    assert "Interrupted" in seen
    assert "Traceback" not in seen


def test_ctrl_c_while_the_program_is_loaded_is_no_traceback(program):
    code = """
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "photopal.cli.app":
                    raise KeyboardInterrupt
        sys.meta_path.insert(0, Finder())
        from photopal.cli import main
        main()
        """
    done = program("status", code=code)
    assert (done.returncode, done.stderr) == (130, "")


@pytest.mark.slow
def test_a_second_ctrl_c_at_the_end_is_no_traceback(program, family):
    code = """
        import atexit, threading
        from photopal.cli import main
        def interrupt():
            raise KeyboardInterrupt
        threading._register_atexit(interrupt)
        main()
        """
    done = program("status", code=code)
    assert (done.returncode, done.stderr) == (0, "")


@contextlib.contextmanager
def disk(folder, *, options):
    """A small disk at a folder, for whoever may mount one."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Write until nothing more fits."""
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.mark.slow
def test_a_full_disk_under_the_library_is_a_clear_error(program, tmp_path, drawn_family, environ):
    with disk(tmp_path / "disk", options="size=1m") as folder:
        environ["PHOTOPAL_HOME"] = str(folder)
        with Library(folder / "library.db"):
            pass
        fill(folder)
        done = program("index", drawn_family.folder)
        assert done.returncode == 1
        assert "library.db: cannot be written: No space left on device" in done.stderr
        assert "Traceback" not in done.stderr
        (folder / "filler").unlink()
        assert program("status").returncode == 0


@pytest.mark.slow
def test_a_full_disk_under_the_bank_adds_no_name(run, tmp_path, drawn_family, tiny_llava):
    with disk(tmp_path / "disk", options="size=2m") as folder:
        environ = {
            "PHOTOPAL_MODEL": str(tiny_llava),
            "PHOTOPAL_HOME": str(folder / "home"),
            "PHOTOPAL_BANKS": str(folder / "banks"),
            "PHOTOPAL_LIBRARY": str(tmp_path / "library.db"),
        }
        fill(folder)
        add = ["add-concept", "Anna", *map(str, drawn_family.photos["Anna"])]
        done = run(*add, **environ)
        assert done.exit_code == 1, done.stderr
        assert "No space left" in done.stderr
        assert "Nothing was added to the library." in done.stderr
        assert run("concepts", **environ).stdout == ""
        (folder / "filler").unlink()
        assert run(*add, **environ).exit_code == 0


@pytest.mark.slow
def test_a_disk_without_room_for_features_is_no_error(run, home, drawn_family, tiny_llava):
    environ = {"PHOTOPAL_MODEL": str(tiny_llava)}
    assert run("add-concept", "Anna", *map(str, drawn_family.photos["Anna"]), **environ).exit_code == 0
    features = home / "features"
    for path in features.rglob("*.features"):
        path.write_bytes(path.read_bytes()[:100])
    assert run("locate", str(drawn_family.both), **environ).exit_code == 0
    shutil.rmtree(features)
    features.write_bytes(b"a file where the folder was")
    assert run("locate", str(drawn_family.both), **environ).exit_code == 0


@pytest.mark.slow
def test_a_home_that_is_read_only_is_named(program, tmp_path, drawn_family, environ):
    with disk(tmp_path / "disk", options="size=4m") as folder:
        environ["PHOTOPAL_HOME"] = str(folder)
        assert program("index", drawn_family.folder).returncode == 0
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        done = program("edit-caption", drawn_family.both, "At home")
        assert done.returncode == 1
        assert "cannot be written: Read-only file system" in done.stderr
        assert "Traceback" not in program("index", drawn_family.folder).stderr
        assert program("search", "stranger0").returncode == 0


@pytest.mark.slow
def test_a_new_home_that_cannot_be_written_is_named(program, tmp_path, drawn_family, environ):
    with disk(tmp_path / "disk", options="size=1m,ro") as folder:
        for home in (folder, folder / "new"):
            environ["PHOTOPAL_HOME"] = str(home)
            done = program("index", drawn_family.folder)
            assert done.returncode == 1
            assert "cannot be" in done.stderr
            assert "not a photopal library" not in done.stderr


@pytest.mark.slow
def test_a_broken_library_is_named_and_an_empty_one_is_made_anew(program, home, family):
    whole = family.read_bytes()
    for broken, words in (
        (b"no database at all, but long enough" * 99, "not a photopal library"),
        (whole[: len(whole) // 2], "library.db: damaged"),
        (whole[:5000], "library.db: damaged"),
    ):
        family.write_bytes(broken)
        done = program("search", "rex")
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    family.write_bytes(b"")
    assert program("concepts").returncode == 0


@pytest.mark.slow
def test_a_folder_in_the_place_of_the_library_is_named(program, home):
    (home / "library.db").mkdir(parents=True)
    for words in (("status",), ("index", home)):
        done = program(*words)
        assert done.returncode == 1
        assert "library.db: is a folder, not a library file" in done.stderr
