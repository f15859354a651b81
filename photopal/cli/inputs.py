"""Which photos a command is about: paths, folders, lists on stdin; knows nothing of what is done to them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from photopal.cli.context import Session
from photopal.errors import NothingFoundError, PhotopalError, UsageError
from photopal.files import is_folder, leads_nowhere
from photopal.text import count

if TYPE_CHECKING:
    from photopal.library import Library, PhotoRecord
    from photopal.photos import Skipped

STDIN = Path("-")

MOST_SEED = 2**32 - 1
"""The largest random seed: PyTorch and NumPy take it, and those that follow it too."""


@dataclass(frozen=True)
class Chosen:
    """Photos of the library that paths name, each once.

    Attributes:
        photos: The photos.
        skipped: The paths that could not be read.
        offline: Folders of which too much is gone to believe it; what is there is among the photos.
    """

    photos: list[PhotoRecord]
    skipped: list[Skipped]
    offline: list[Path]

    @property
    def is_partial(self) -> bool:
        """Whether photos may be missing of what was asked for."""
        return bool(self.skipped or self.offline)


def parse_box(text: str, *, example: str = "--box 410,120,300,620") -> tuple[int, int, int, int]:
    """Read a box: x, y, width, height in pixels.

    Raises:
        UsageError: It is not four whole numbers.
    """
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"invalid box {text!r}", hint=f"Give left, top, width and height in pixels: {example}"
        ) from error
    return (x, y, width, height)


def read_paths(paths: Sequence[Path]) -> list[Path]:
    """The paths, those on stdin in the place of `-`, one a line.

    Raises:
        UsageError: stdin was asked for and holds no path, or something that cannot be one.
    """
    read: list[Path] = []
    for path in paths:
        if path != STDIN:
            read.append(path)
            continue
        # Bytes, because a file name may be in no encoding at all.
        lines = [line for line in sys.stdin.buffer.read().splitlines() if line]
        if not lines:
            raise UsageError("no paths on stdin")
        if any(b"\0" in line for line in lines):
            raise UsageError(
                "stdin holds a zero byte, which no path has",
                hint="Write one path a line, as find does with -print.",
            )
        read += [Path(os.fsdecode(line)) for line in lines]
    return read


def show_paths(session: Session, paths: Iterable[Path]) -> None:
    """Print paths as `read_paths` takes them, one a line; one that it would read as several is left out."""
    left_out = 0
    for path in paths:
        # Bytes, because a file name may hold what no encoding can print.
        line = os.fsencode(path)
        if len(line.splitlines()) == 1:
            typer.echo(line)
        else:
            left_out += 1
    if left_out:
        have = "path has" if left_out == 1 else "paths have"
        session.warn(f"{left_out:,} {have} a line break and cannot be printed on one line; use --json.")


def list_photos(
    library: Library, paths: Sequence[Path], *, on_skip: Callable[[Skipped], None] = lambda skipped: None
) -> Iterator[Path]:
    """The photo files that paths name, without what the user excluded of folders; see `find_photos`."""
    from photopal.photos import find_photos
    from photopal.photos.exclude import Excludes

    return find_photos(paths, on_skip=on_skip, excludes=Excludes(paths, library.facts.globs()))


def photo_named(library: Library, path: Path) -> PhotoRecord:
    """Return the photo of the library that a path names; its file may be away.

    Raises:
        UsageError: It is a folder.
        NothingFoundError: The library has none there.
        PhotoChangedError: The file is another picture by now.
    """
    from photopal.library.originals import known_photo_at

    photo = known_photo_at(library, path)
    if photo is None:
        raise unknown_photo(path)
    return photo


def unknown_photo(path: Path) -> PhotopalError:
    """What to say of a path at which the library has no photo."""
    if is_folder(path):
        return UsageError(f"{path}: is a folder", hint="Name the photos in it.")
    hint = "Check the path: there is no such file." if leads_nowhere(path) else "photopal index FOLDER"
    return NothingFoundError(f"{path}: not in the library", hint=hint)


def choose_photos(session: Session, library: Library, paths: Sequence[Path]) -> Chosen:
    """Take the photos that paths name into the library where they are new or changed, and list them."""
    from photopal.ingest.indexer import index_folders
    from photopal.photos import Skipped

    with session.progress("Reading photos") as on_progress:
        report = index_folders(library, paths, on_progress=on_progress)
    bad = {skipped.path for skipped in report.skipped}
    offline = [root for root in report.offline if root not in bad]
    missing = [root for root in offline if not os.path.lexists(root)]
    rows = [library.photos.at(path) for path in list_photos(library, paths)]
    photos = list({row.id: row for row in rows if row is not None}.values())
    return Chosen(
        photos,
        skipped=[*report.skipped, *(Skipped(root, "does not exist") for root in missing)],
        offline=[root for root in offline if root not in missing],
    )


def warn_of_offline(session: Session, folders: Sequence[Path]) -> None:
    """Name the folders of which too much is gone to believe it."""
    for folder in folders:
        session.warn(
            f"{folder} is unavailable, or most of its photos have disappeared; none were marked as missing."
        )
        session.warn("If they are really gone, run `photopal index --accept-loss FOLDER`.", style="")


def say_of_missing(session: Session, missing: int) -> None:
    """Tell that photos are marked as missing, which nothing else of a command's result shows."""
    if missing:
        their, them = ("its", "it") if missing == 1 else ("their", "them")
        session.say(
            f"{count(missing, 'photo')} marked as missing; {their} captions, names and dates are kept. If the"
            f" files turn up, `photopal index FOLDER` finds {them} again."
        )


def warn_of_skipped(session: Session, skipped: Sequence[Skipped]) -> None:
    """Name the photos that could not be read."""
    for entry in skipped:
        session.warn(f"Skipped {entry.path}: {entry.reason}")


def say_what_is_left_out(session: Session, left_out: Mapping[str, int]) -> None:
    """Name and count what is not read, with the way to have RAW files read."""
    from photopal.photos.discover import EXCLUDED, RAW_LEFT_OUT

    for what, number in sorted(left_out.items(), key=lambda item: (item[0] == EXCLUDED, -item[1])):
        hint = ': pip install "photopal[raw]"' if what == RAW_LEFT_OUT else ""
        session.say(f"{count(number, what)} left out{hint}")
