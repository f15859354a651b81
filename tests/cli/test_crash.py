"""What nobody expected is one paragraph with a file to report, in every part of the program."""

import re

import pytest
import torch

from photopal.cli import crash


@pytest.fixture
def break_status(monkeypatch):
    """Make `photopal status` fail where nobody expects it."""

    def set_error(error):
        def fail(*_words):
            raise error

        monkeypatch.setattr("photopal.library.Library.counts", fail)

    return set_error


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("division by zero"),
        MemoryError(),
        RecursionError("maximum recursion depth exceeded"),
        torch.OutOfMemoryError("CUDA out of memory"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"),
        EOFError(),
        SystemError("two\n lines"),
    ],
)
def test_a_crash_is_a_paragraph_with_a_file(run, family, home, break_status, words, error):
    break_status(error)
    result = run("status")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    said = words(result.stderr)
    assert said.startswith(f"photopal status failed with an unexpected error: {type(error).__name__}")
    assert "please report it with that file and the output of `photopal doctor`" in said
    [report] = (home / "crashes").glob("*.txt")
    assert f"The full traceback is in {report}." in said
    text = report.read_text(encoding="utf-8")
    assert "Traceback (most recent call last)" in text
    assert "arguments: " in text


def test_want_of_memory_says_what_may_help(run, family, break_status, words):
    break_status(torch.OutOfMemoryError("CUDA out of memory"))
    assert "use a smaller model or another --device" in words(run("status").stderr)


def test_debug_shows_the_traceback_too(run, family, break_status):
    break_status(ZeroDivisionError("none"))
    for line in (("status", "--debug"), ("--debug", "status")):
        result = run(*line)
        assert result.exit_code == 1
        assert "Traceback (most recent call last):\n  File" in result.stderr
    assert "Traceback" in run("search", "rex", "--since", "nonsense", "--debug").stderr


def test_a_crash_says_at_which_step_it_was(run, family, monkeypatch, words):
    def fail(*_words, **_rest):
        raise ZeroDivisionError

    monkeypatch.setattr("photopal.library.integrity.check_library", fail)
    assert words(run("verify").stderr).startswith(
        "photopal verify (checking) failed with an unexpected error"
    )


def test_without_a_home_the_file_is_a_temporary_one(run, monkeypatch, tmp_path, words):
    def fail(*_words, **_rest):
        raise ZeroDivisionError

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("photopal.config.load_settings", fail)
    result = run("status")
    assert result.exit_code == 1
    [report] = tmp_path.glob("photopal-crash-*.txt")
    assert str(report) in re.sub(r"\s", "", result.stderr)


def test_where_no_file_can_be_written_debug_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    error = ZeroDivisionError("none")
    assert crash.write_report(error, tmp_path / "no home", doing="photopal") is None
    assert "use --debug to see it" in crash.describe_crash(error, doing="photopal", report=None)


def test_only_the_latest_reports_are_kept(tmp_path):
    written = [crash.write_report(ZeroDivisionError(), tmp_path, doing="photopal") for _ in range(25)]
    assert sorted((tmp_path / "crashes").iterdir()) == sorted(written)[-20:]


def test_an_exception_that_cannot_be_put_into_words_is_named(tmp_path):
    class OddError(Exception):
        def __str__(self):
            raise ValueError

    report = crash.write_report(OddError(), tmp_path, doing="photopal")
    assert "OddError" in report.read_text(encoding="utf-8")
    assert "OddError" in crash.describe_crash(OddError(), doing="photopal", report=report)


def test_a_line_that_cannot_be_read_may_crash_too(run, monkeypatch, words):
    def fail(*_words):
        raise ZeroDivisionError("none")

    monkeypatch.setattr("photopal.cli.app._globals_first", fail)
    result = run("status")
    assert result.exit_code == 1
    assert words(result.stderr).startswith(
        "photopal failed with an unexpected error: ZeroDivisionError: none."
    )


def test_what_a_disk_refuses_is_no_bug(run, family, home, break_status):
    break_status(OSError(28, "No space left on device", "/some/file"))
    result = run("status")
    assert (result.exit_code, result.stderr) == (1, "Error: /some/file: No space left on device\n")
    assert not (home / "crashes").exists()
