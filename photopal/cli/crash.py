"""Puts an unexpected exception into one paragraph, and its traceback into a file; imports next to nothing.

It runs when anything may be broken, the installation too, so it needs the standard library only.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from photopal import __version__
from photopal.errors import in_a_line, is_out_of_memory
from photopal.files import is_folder

_MOST_REPORTS = 20


def is_interrupt(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an exception: libraries written in C turn it into others while they load."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def describe_crash(error: BaseException, *, doing: str, report: Path | None) -> str:
    """What happened, where more is to be read and how to report it, in one paragraph.

    Args:
        error: What was raised and not expected.
        doing: What photopal was at, such as `photopal tune, loading the model`.
        report: The file with the traceback, if it could be written.
    """
    sentences = [f"{doing} failed with an unexpected error: {in_a_line(error)}."]
    sentences += getattr(error, "__notes__", ())
    if is_out_of_memory(error):
        sentences.append("Close other programs, or use a smaller model or another --device.")
    sentences.append(where_to_read(report))
    if report is not None:
        sentences.append(
            "If it happens again, please report it with that file and the output of `photopal doctor`."
        )
    return " ".join(sentences)


def where_to_read(report: Path | None) -> str:
    """A sentence about the file with the traceback."""
    if report is None:
        return "The traceback could not be saved; use --debug to see it."
    return f"The full traceback is in {report}."


def write_report(error: BaseException, home: Path | None, *, doing: str) -> Path | None:
    """Write an exception's traceback into the home folder's `crashes`, else among temporary files.

    Args:
        error: What was raised.
        home: The home folder, if it is known; it is not made for this.
        doing: What photopal was at.

    Returns:
        The file; None where none can be written.
    """
    text = "\n".join(_lines(error, doing))
    name = f"{datetime.now().strftime('%Y%m%d-%H%M%S-%f')}-{os.getpid()}.txt"
    if home is not None and is_folder(home):
        folder = home / "crashes"
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            for path in sorted(folder.glob("*.txt"))[: -(_MOST_REPORTS - 1)]:
                path.unlink(missing_ok=True)
            return _written(folder / name, text)
    with suppress(OSError):
        return _written(Path(tempfile.gettempdir()) / f"photopal-crash-{name}", text)
    return None


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
    return path


def _lines(error: BaseException, doing: str) -> Iterable[str]:
    import platform

    yield f"photopal {__version__}, Python {platform.python_version()} on {platform.platform()}"
    yield f"arguments: {sys.argv[1:]}"
    yield f"at: {doing}"
    yield ""
    try:
        yield from (line.rstrip("\n") for line in traceback.format_exception(error))
    except Exception as failure:  # noqa: BLE001 - an exception's own __str__ may fail, or memory be short
        yield f"{type(error).__name__}; its traceback cannot be written: {type(failure).__name__}"
