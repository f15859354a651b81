"""The errors photopal raises on purpose; knows nothing of terminals or exit.

The tree::

    PhotopalError             1  anything photopal can explain
    ├── UsageError            2  a value the user gave cannot be used
    │   ├── ConceptError      2  a concept's name, photos, box or mask
    │   └── DatasetError      2  a file or folder of a dataset to measure on
    ├── SettingsError         2  configuration file or environment
    ├── PhotoError            1  one photo cannot be read
    │   └── PhotoChangedError    its file is another picture than the one that was indexed
    ├── LibraryError          1  the library file cannot be used
    │   └── LibraryLockedError   another process is writing to it
    ├── ModelError            1  the model cannot be had or used
    ├── BankError             1  a bank file is missing, broken or of another model
    └── NothingFoundError     4  the question has an empty answer

The number is the exit code of the command that lets the error through.
"""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import Path
from typing import ClassVar

_MOST_LETTERS = 400
# How torch says it where it raises no kind of error of its own, as on the CPU and on Apple's GPUs.
_OUT_OF_MEMORY = re.compile("out of memory|can't allocate memory|not enough memory")


class ExitCode(IntEnum):
    """What the program exits with."""

    OK = 0
    ERROR = 1
    USAGE = 2
    PARTIAL = 3
    NOTHING_FOUND = 4
    INTERRUPTED = 130


class PhotopalError(Exception):
    """An error with words for the user.

    Args:
        message: What happened, with the path or the name it happened to.
        hint: The command or flag to try next, if there is one.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PhotopalError):
    """A value the user gave cannot be used."""

    exit_code = ExitCode.USAGE


class ConceptError(UsageError):
    """A concept's name, reference photos, box or mask cannot be used."""


class DatasetError(UsageError):
    """A file or folder of a dataset to measure on is missing or malformed."""


class SettingsError(PhotopalError):
    """The configuration file or an environment variable cannot be used."""

    exit_code = ExitCode.USAGE


class PhotoError(PhotopalError):
    """One photo cannot be read.

    Args:
        path: The photo.
        reason: What is wrong with it, without the path.
        hint: What to try next, if there is anything.
    """

    def __init__(self, path: Path, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path}: {reason}", hint=hint)
        self.path = path
        self.reason = reason


class PhotoChangedError(PhotoError):
    """A photo's file is another picture than the one that was indexed.

    Args:
        path: The photo.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "changed since it was indexed; run `photopal index` first")


class LibraryError(PhotopalError):
    """The library file cannot be used."""


class LibraryLockedError(LibraryError):
    """Another process is writing to the library."""


class ModelError(PhotopalError):
    """The model cannot be had or used."""


class BankError(PhotopalError):
    """A bank file is missing, broken or belongs to another model."""


class NothingFoundError(PhotopalError):
    """The question is fine and the answer is empty."""

    exit_code = ExitCode.NOTHING_FOUND


def in_a_line(error: BaseException) -> str:
    """An exception in one line: the message of one of photopal's own, else its kind and what it says."""
    if isinstance(error, PhotopalError):
        return error.message
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a library's exception that cannot say what it is
        text = ""
    if len(text) > _MOST_LETTERS:
        text = f"{text[:_MOST_LETTERS]} …"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, the computer's or a device's; needs no torch."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error)) is not None
