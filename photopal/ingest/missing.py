"""Finds out which known files are gone, and whether to believe it; reads no photo.

A root of which nothing is left, or much is gone at once, is more likely a drive that is not there.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from photopal.files import is_folder, is_there, leads_nowhere, path_and_parents
from photopal.ingest.report import IndexReport
from photopal.library.connection import path_bytes
from photopal.library.library import Library
from photopal.library.paths import KnownFile
from photopal.photos.exclude import Excludes

_SUDDEN_LOSS = 0.3
_SUDDEN_LOSS_PHOTOS = 5
_MARKED_AT_ONCE = 500

_IsGone = Callable[[KnownFile], bool]


class Gone:
    """What a run over some roots has not found.

    Args:
        library: Open for writing. Rows that others add during the run are left alone.
        roots: Absolute.
        excludes: What is no loss although it is not found.
    """

    def __init__(self, library: Library, roots: Sequence[Path], excludes: Excludes | None = None) -> None:
        self._library, self._roots = library, roots
        self._excludes = Excludes() if excludes is None else excludes
        self._keys = {path_bytes(root): root for root in roots}
        self._present = {root: library.paths.count_below(root) for root in roots}
        self._last_number = library.paths.last_number()
        self._found = bytearray(self._last_number // 8 + 1)
        self._found_roots: set[Path] = set()
        self._folder = b""
        self._closed: list[bytes] = []

    def leave_out(self, place: Path) -> None:
        """Note a place that cannot be searched: nothing below it counts as gone.

        Unless it is a link that leads nowhere any more, which is as good as gone; a root may be a drive's.
        """
        key = path_bytes(place)
        if key in self._keys or not leads_nowhere(place):
            self._closed.append(key)

    def note_found(self, key: bytes, number: int | None) -> None:
        """Note a file that is there, with its row's number where the library knows its path."""
        if number is not None and number <= self._last_number:
            self._found[number >> 3] |= 1 << (number & 7)
        folder = os.path.dirname(key)  # noqa: PTH120 - a key is bytes
        if folder != self._folder or key in self._keys:
            self._folder = folder
            self._found_roots |= {self._keys[path] for path in path_and_parents(key) if path in self._keys}

    def settle(self, report: IndexReport, *, accept_loss: bool) -> None:
        """Mark what is gone, unless the root looks offline, and drop problems that are gone."""
        for root in self._roots:
            self._settle_root(root, report, accept_loss=accept_loss)

    def _settle_root(self, root: Path, report: IndexReport, *, accept_loss: bool) -> None:
        gone, lost = self._count(root)
        if lost and not accept_loss and self._looks_offline(root, lost):
            report.offline.append(root)
            report.removed += self._mark(root, lambda file: not self._is_lost(file, root))
        else:
            stale = (
                path
                for path, _ in self._library.paths.problems_below(root)
                if leads_nowhere(path)
                # A folder that is not there takes its problems along; a file may really be gone.
                and (os.path.lexists(root) or (path == root and is_folder(root.parent)))
            )
            while some := list(itertools.islice(stale, _MARKED_AT_ONCE)):
                self._library.paths.clear_problems(some)
            report.removed += self._mark(root, lambda file: True)
        if gone:
            report.skipped = [skipped for skipped in report.skipped if skipped.path != root]

    def _looks_offline(self, root: Path, lost: int) -> bool:
        """Tell a missing drive from missing photos: nothing is left, or much is gone at once."""
        if self._is_single_file(root):
            # A single file was asked for; its folder tells whether the drive is there.
            return not is_folder(root.parent)
        if root not in self._found_roots:
            return True
        return lost >= _SUDDEN_LOSS_PHOTOS and lost > _SUDDEN_LOSS * self._present[root]

    def _is_single_file(self, root: Path) -> bool:
        return any(file.path == root for file in itertools.islice(self._library.paths.files_below(root), 1))

    def _count(self, root: Path) -> tuple[int, int]:
        """Count the files that are gone from a root, and those of them whose photo is nowhere else."""
        gone = lost = 0
        for file in self._gone_below(root):
            gone += 1
            lost += self._is_lost(file, root)
        return gone, lost

    def _mark(self, root: Path, is_wanted: _IsGone) -> int:
        files = (file.path for file in self._gone_below(root) if is_wanted(file))
        removed = 0
        while some := list(itertools.islice(files, _MARKED_AT_ONCE)):
            removed += self._library.paths.mark_missing(some)
        return removed

    def _gone_below(self, root: Path) -> Iterator[KnownFile]:
        return (file for file in self._library.paths.files_below(root) if self._is_gone(file, root))

    def _is_gone(self, file: KnownFile, root: Path) -> bool:
        if file.number > self._last_number or self._found[file.number >> 3] & 1 << (file.number & 7):
            return False
        key, root_key = path_bytes(file.path), path_bytes(root)
        if key == root_key and not (leads_nowhere(root) or is_there(root)):
            # A single file that is only out of reach.
            return False
        return not any(_is_below(key, place) for place in self._closed if place != root_key)

    def _is_lost(self, file: KnownFile, root: Path) -> bool:
        """Tell whether a file that is gone was the last of its photo; one that is not wanted is no loss."""
        if file.path in self._excludes:
            return False
        root_key = path_bytes(root)
        others = self._library.paths.files_of(file.photo_id)
        return all(_is_below(path_bytes(o.path), root_key) and self._is_gone(o, root) for o in others)


def _is_below(key: bytes, folder: bytes) -> bool:
    """Tell whether a path is a folder's or is the folder itself."""
    return key == folder or key.startswith(folder.rstrip(os.sep.encode()) + os.sep.encode())
