"""Finds the photo files under folders; knows names and folders only, never what is inside a file.

Every real folder is walked before any linked one, so that a photo's path does not change the day
somebody adds a link that sorts earlier.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from photopal.errors import PhotoError
from photopal.photos.exclude import Excludes, is_foreign
from photopal.photos.raw import RAW_SUFFIXES, can_read_raw

PHOTO_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff",
        ".gif", ".bmp", ".dib", ".heic", ".heif", ".hif", ".avif",
    }
)  # fmt: skip
"""The file name endings, in lower case, of photos; those of RAW files come on top where they can be read."""

VIDEO_SUFFIXES = frozenset(
    {
        ".mov", ".mp4", ".m4v", ".avi", ".mkv", ".3gp", ".3g2", ".mpg", ".mpeg", ".mts", ".m2ts", ".wmv",
        ".webm", ".flv", ".ogv", ".insv", ".lrv",
    }
)  # fmt: skip
"""The file name endings, in lower case, of videos, which are not read."""

_NOT_READ = {
    **dict.fromkeys(VIDEO_SUFFIXES, "video"),
    **dict.fromkeys((".crw", ".dcr", ".mos", ".mef", ".gpr", ".fff", ".mdc"), "unsupported RAW file"),
    ".jxl": "JPEG XL file",
    **dict.fromkeys((".jp2", ".j2k", ".jpf", ".jpx"), "JPEG 2000 file"),
    **dict.fromkeys((".psd", ".psb"), "Photoshop file"),
    ".xcf": "GIMP file",
    ".svg": "SVG file",
    ".exr": "OpenEXR file",
}
RAW_LEFT_OUT = "RAW file"
"""What a RAW file is called that is left out because rawpy is not installed."""

_LIVE_PHOTO = "Live Photo video"
EXCLUDED = "excluded item"
"""What is called that the user does not want."""


@dataclass(frozen=True)
class Skipped:
    """A file or folder that was passed over, and why, in words for the user."""

    path: Path
    reason: str

    @classmethod
    def by(cls, path: Path, error: PhotoError) -> Skipped:
        """A photo that could not be read."""
        return cls(path, error.reason)


def find_photos(
    roots: Sequence[Path],
    *,
    on_skip: Callable[[Skipped], None],
    excludes: Excludes | None = None,
    on_left_out: Callable[[str, int], None] | None = None,
) -> Iterator[Path]:
    """Yield the absolute path of every photo file under the roots, each once, in a stable order.

    Hidden files and folders and trash are left out without a word. Links to folders are followed, each
    folder is searched once. Names that are not UTF-8 come as Python gives them, with surrogates.

    Args:
        roots: Folders, or single files, which are yielded whatever their ending.
        on_skip: Called with each root, folder or link that cannot be searched. Nothing is raised.
        excludes: What is not wanted; left out, what `.photopalignore` files say.
        on_left_out: Called with what is not read although it is a picture or video, such as "video" or
            `RAW_LEFT_OUT`, and the number of them in a folder.
    """
    excludes = Excludes(roots) if excludes is None else excludes
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
        walk = _Walk(folder, excludes, on_skip)
        photos, below, linked = walk.list(searched, is_named=is_named)
        for what, number in walk.left_out.items() if on_left_out else ():
            on_left_out(what, number)  # type: ignore[misc]
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


class _Walk:
    """One folder that is searched."""

    def __init__(self, folder: str, excludes: Excludes, on_skip: Callable[[Skipped], None]) -> None:
        self.left_out: Counter[str] = Counter()
        self._folder, self._excludes, self._on_skip = folder, excludes, on_skip
        self._skips: list[Skipped] = []
        self._videos: list[str] = []

    def list(
        self, searched: set[tuple[int, int]], *, is_named: bool
    ) -> tuple[list[str], list[str], list[str]]:
        """Return the names of photos, folders and linked folders, unless the folder was searched."""
        names: dict[str, list[str]] = {"photo": [], "folder": [], "linked folder": []}
        try:
            status = os.stat(self._folder)  # noqa: PTH116
            place = (status.st_dev, status.st_ino)
            if place in searched:
                if not is_named:
                    reason = "links to a folder that was already searched"
                    self._on_skip(Skipped(Path(self._folder), reason))
                return [], [], []
            searched.add(place)
            # Only names are kept: a folder can hold hundreds of thousands of photos.
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    kind = self._kind_of(entry)
                    if kind is not None:
                        names[kind].append(entry.name)
        except FileNotFoundError:
            self._skips.append(Skipped(Path(self._folder), "does not exist"))
        except NotADirectoryError:
            self._skips.append(Skipped(Path(self._folder), "neither a folder nor a photo"))
        except OSError as error:
            reason = f"cannot be opened: {error.strerror or error}"
            self._skips.append(Skipped(Path(self._folder), reason))
        for skipped in sorted(self._skips, key=lambda skipped: skipped.path):
            self._on_skip(skipped)
        # Count the videos that belong to a photo apart.
        photos = names["photo"]
        if self._videos:
            stems = {os.path.splitext(name)[0] for name in photos}  # noqa: PTH122
            live = sum(video in stems for video in self._videos)
            self.left_out["video"] -= live
            self.left_out[_LIVE_PHOTO] += live
            self.left_out = +self.left_out
        return sorted(names["photo"]), sorted(names["folder"]), sorted(names["linked folder"])

    def _kind_of(self, entry: os.DirEntry[str]) -> str | None:
        """Tell a photo, a folder and a linked folder apart; anything else is None."""
        name = entry.name
        if name.startswith("."):
            return None
        is_photo_name = is_photo_named(name)
        try:
            if entry.is_dir():
                if is_foreign(name) or self._is_excluded(self._excludes.has_folder(entry.path)):
                    return None
                return "linked folder" if entry.is_symlink() else "folder"
            if not is_photo_name:
                suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
                what = RAW_LEFT_OUT if suffix in RAW_SUFFIXES else _NOT_READ.get(suffix)
                if what is not None:
                    self.left_out[what] += 1
                    if suffix == ".mov":
                        self._videos.append(name[: -len(suffix)])
                return None
            if entry.is_file():
                return None if self._is_excluded(self._excludes.has_file(entry.path)) else "photo"
            if entry.is_symlink():
                self._skips.append(Skipped(Path(entry.path), "broken link"))
        except OSError as error:
            # A link that leads to itself, most often.
            reason = f"cannot be accessed: {error.strerror or error}"
            self._skips.append(Skipped(Path(entry.path), reason))
        return None

    def _is_excluded(self, is_excluded: bool, /) -> bool:
        self.left_out.update([EXCLUDED] if is_excluded else [])
        return is_excluded
