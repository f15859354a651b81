"""Finds the photo files under folders; knows names and folders only, never what is inside a file.

Every real folder is walked before any linked one, so that a photo's path does not change the day
somebody adds a link that sorts earlier.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from photopal.errors import PhotopalError
from photopal.photos.raw import RAW_SUFFIXES, can_read_raw

PHOTO_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff",
        ".gif", ".bmp", ".dib", ".heic", ".heif", ".hif", ".avif",
    }
)  # fmt: skip
"""The file name endings, in lower case, of photos; those of RAW files come on top where they can be read."""

# Folders that network drives, archives and systems fill with copies and thumbnails.
_FOREIGN_FOLDERS = frozenset(
    {"@eadir", "__macosx", "$recycle.bin", "system volume information", "lost+found"}
)


@dataclass(frozen=True)
class Skipped:
    """A file or folder that was passed over, and why, in words for the user."""

    path: Path
    reason: str

    @classmethod
    def by(cls, path: Path, error: PhotopalError) -> Skipped:
        """A photo that raised an error, whose message begins with the path."""
        return cls(path, error.message.removeprefix(f"{path}: "))


def find_photos(roots: Sequence[Path], *, on_skip: Callable[[Skipped], None]) -> Iterator[Path]:
    """Yield the absolute path of every photo file under the roots, each once, in a stable order.

    Hidden files and folders are left out without a word. Links to folders are followed, each
    folder is searched once. Names that are not UTF-8 come as Python gives them, with surrogates.

    Args:
        roots: Folders, or single files, which are yielded whatever their ending.
        on_skip: Called with each root, folder or link that cannot be searched. Nothing is raised.
    """
    searched: set[tuple[int, int]] = set()
    # A folder is searched once, so only a file that was named by itself can come up again.
    named_files: set[str] = set()
    folders: deque[tuple[str, bool]] = deque()
    linked_folders: deque[tuple[str, bool]] = deque()
    for root in roots:
        absolute = os.path.abspath(root)  # noqa: PTH100 - Path.absolute keeps "..", resolve follows links
        if os.path.isfile(absolute):  # noqa: PTH113
            if absolute not in named_files:
                named_files.add(absolute)
                yield Path(absolute)
        else:
            folders.append((absolute, True))
    while folders or linked_folders:
        folder, is_named = folders.popleft() if folders else linked_folders.popleft()
        photos, below, linked = _list_folder(folder, searched, is_named=is_named, on_skip=on_skip)
        for name in photos:
            path = os.path.join(folder, name)  # noqa: PTH118
            if path not in named_files:
                yield Path(path)
        folders.extendleft((os.path.join(folder, name), False) for name in reversed(below))  # noqa: PTH118
        linked_folders.extend((os.path.join(folder, name), False) for name in linked)  # noqa: PTH118


def is_photo_named(name: str) -> bool:
    """Tell whether a file's name ends as a photo's; RAW files count where they can be read."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    return suffix in PHOTO_SUFFIXES or (suffix in RAW_SUFFIXES and can_read_raw())


def _list_folder(
    folder: str, searched: set[tuple[int, int]], *, is_named: bool, on_skip: Callable[[Skipped], None]
) -> tuple[list[str], list[str], list[str]]:
    """Return the names of photos, folders and linked folders in a folder, unless it was searched."""
    names: dict[str, list[str]] = {"photo": [], "folder": [], "linked folder": []}
    skips: list[Skipped] = []
    try:
        status = os.stat(folder)  # noqa: PTH116
        place = (status.st_dev, status.st_ino)
        if place in searched:
            if not is_named:
                on_skip(Skipped(Path(folder), "links to a folder that was already searched"))
            return [], [], []
        searched.add(place)
        # Only names are kept: a folder can hold hundreds of thousands of photos.
        with os.scandir(folder) as entries:
            for entry in entries:
                kind = _kind_of(entry, skips.append)
                if kind is not None:
                    names[kind].append(entry.name)
    except FileNotFoundError:
        skips.append(Skipped(Path(folder), "does not exist"))
    except NotADirectoryError:
        skips.append(Skipped(Path(folder), "neither a folder nor a photo"))
    except OSError as error:
        skips.append(Skipped(Path(folder), f"cannot be opened: {error.strerror or error}"))
    for skipped in sorted(skips, key=lambda skipped: skipped.path):
        on_skip(skipped)
    return sorted(names["photo"]), sorted(names["folder"]), sorted(names["linked folder"])


def _kind_of(entry: os.DirEntry[str], on_skip: Callable[[Skipped], None]) -> str | None:
    """Tell a photo, a folder and a linked folder apart; anything else is None."""
    name = entry.name
    if name.startswith(".") or name.casefold() in _FOREIGN_FOLDERS:
        return None
    is_photo_name = is_photo_named(name)
    try:
        if entry.is_dir():
            return "linked folder" if entry.is_symlink() else "folder"
        if not is_photo_name:
            return None
        if entry.is_file():
            return "photo"
        if entry.is_symlink():
            on_skip(Skipped(Path(entry.path), "broken link"))
    except OSError as error:
        # A link that leads to itself, most often.
        on_skip(Skipped(Path(entry.path), f"cannot be accessed: {error.strerror or error}"))
    return None
