"""Reads the files and the questions of a dataset and says what is missing or malformed; knows no layout."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from photopal.errors import DatasetError

SUFFIXES = (".png", ".jpg", ".jpeg")
_DERIVED = re.compile(r"_(mask|som|bbox(es)?)$")

T = TypeVar("T")


def read_json(path: Path, kind: type[T]) -> T:
    """Read a JSON file that holds a list or an object.

    Raises:
        DatasetError: It is missing, no JSON, or holds something else.
    """
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(f"{path}: the file is missing") from error
    except OSError as error:
        raise DatasetError(f"{path}: the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: the file is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}: no JSON: {error.msg} in line {error.lineno}") from error
    if not isinstance(value, kind):
        wanted = "a list" if kind is list else "an object"
        raise DatasetError(f"{path}: {wanted} is expected, not {_name(value)}")
    return value


def read_json_if_there(path: Path, kind: type[T]) -> T | None:
    """The same, or None where there is no such file."""
    return read_json(path, kind) if path.exists() else None


def text_of(value: Any, key: str, path: Path) -> str:
    """A text entry of an object in a JSON file.

    Raises:
        DatasetError: It is missing or no text.
    """
    if not isinstance(value, dict) or not isinstance(value.get(key), str):
        raise DatasetError(f"{path}: an entry lacks the text {key!r}")
    text: str = value[key]
    return text.strip()


def list_photos(folder: Path) -> list[Path]:
    """The photos of a folder, in the order of their numbers; masks and marked copies are left out.

    Raises:
        DatasetError: There is no such folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: the folder is missing")
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not _DERIVED.search(path.stem) and path.is_file()
    ]
    return sorted(found, key=_in_order)


def need_photos(folder: Path) -> list[Path]:
    """The same.

    Raises:
        DatasetError: There is no such folder, or no photo in it.
    """
    photos = list_photos(folder)
    if not photos:
        raise DatasetError(f"{folder}: no photos (PNG or JPEG)")
    return photos


def list_folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name.

    Raises:
        DatasetError: There is no such folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: the folder is missing")
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def resolve_photo(written: str, root: Path, beside: Path) -> Path:
    """Find the photo a JSON file names.

    Such files name photos by paths of the machine they were written on. What is taken is the longest end of
    the path that exists below the root, else the file of that name beside the JSON file.

    Args:
        written: The path as it is written.
        root: The dataset's folder.
        beside: The JSON file.

    Raises:
        DatasetError: There is no such photo.
    """
    parts = [part for part in re.split(r"[/\\]+", written) if part not in ("", ".", "..")]
    for start in range(len(parts)):
        path = root.joinpath(*parts[start:])
        if path.is_file() and start < len(parts) - 1:
            return path
    path = beside.parent / (parts[-1] if parts else "")
    if path.is_file():
        return path
    raise DatasetError(f"{beside}: names the photo {written}, which is not there")


def split_off(ordered: Sequence[T], share: float, seed: str) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Hold out a share at random, at least one of three or more, none of fewer: the kept, the held out."""
    count = max(1, round(share * len(ordered))) if len(ordered) >= 3 else 0
    held = set(random.Random(seed).sample(range(len(ordered)), count))
    kept = tuple(one for place, one in enumerate(ordered) if place not in held)
    return kept, tuple(one for place, one in enumerate(ordered) if place in held)


def _in_order(path: Path) -> tuple[bool, int, str]:
    return (not path.stem.isdecimal(), int(path.stem) if path.stem.isdecimal() else 0, path.name)


def _name(value: Any) -> str:
    kinds: dict[type, str] = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return kinds.get(type(value), "a number")


LETTERS = "ABCDEFGH"
_OPTION = re.compile(r"(?:^|(?<=\s))\(?([A-H])[.):]\s+")
_REQUEST = re.compile(
    r"\s*(?:IMPORTANT:)?\s*Answer (?:the question using a single letter|with the letter)[^.]*\.\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Parts:
    """A question and its options."""

    text: str
    options: tuple[str, ...]


def bare_names(text: str, names: Sequence[str]) -> str:
    """Write `<Anna>` as `Anna` for the names of a scenario, `<sks>` for the only one; others stay."""
    for name in names:
        text = text.replace(f"<{name}>", name)
    return text.replace("<sks>", names[0]) if len(names) == 1 else text


def take_apart(text: str) -> Parts:
    """Split a question from its options `A. … B. …`; without at least two in order there are none."""
    text = _REQUEST.sub("", text.strip())
    found = list(_OPTION.finditer(text))
    runs = [start for start, match in enumerate(found) if match[1] == "A"]
    for start in reversed(runs):
        run = found[start:]
        letters = "".join(match[1] for match in run)
        if len(run) < 2 or letters != LETTERS[: len(run)]:
            continue
        ends = [match.start() for match in run[1:]] + [len(text)]
        options = tuple(text[m.end() : end].strip(" ;,\n\t") for m, end in zip(run, ends, strict=True))
        if all(options):
            return Parts(text[: run[0].start()].strip(), options)
    return Parts(text, ())


def letter_of(answer: str) -> str:
    """The letter an answer gives: of "B", "B." and "(B) on the left"; empty where there is none."""
    match = re.match(r"\s*\(?([A-H])(?:[.):\s]|$)", answer)
    return match[1] if match else ""


def with_options(text: str, options: Sequence[str]) -> str:
    """A question with its options, as it is asked."""
    listed = " ".join(f"{letter}. {words}" for letter, words in zip(LETTERS, options, strict=False))
    return f"{text} {listed} Answer with the letter."
