"""Keeps a library in line with folders that are being watched; knows what is to be done, not when.

What cannot be written because another program writes is kept in mind and done the next time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from photopal.errors import LibraryLockedError
from photopal.files import is_file, leads_nowhere, stamp_of
from photopal.ingest.indexer import forget_gone, index_folders
from photopal.ingest.report import IndexReport
from photopal.library.connection import path_bytes
from photopal.library.library import Library
from photopal.photos import Skipped
from photopal.photos.geocode import PlaceNames
from photopal.photos.sidecars import SidecarFinder

# So many files that go at once may be a drive that goes: the whole folder is looked at before it is believed.
_MANY = 5
_QUIET_S = 3.0


class LibrarySync:
    """Takes in what comes, and marks what goes.

    Args:
        library: Open for writing.

    Attributes:
        unread_sidecars: Sidecars of the photos taken last from which nothing can be read, and why.
    """

    def __init__(self, library: Library) -> None:
        self.unread_sidecars: list[Skipped] = []
        self._library = library
        self._folders: dict[Path, None] = {}
        self._place_names = PlaceNames()
        self._gone: dict[Path, None] = {}
        self._missed_at_s = float("-inf")
        self._to_look_through: dict[Path, None] = {}
        self._sidecars = SidecarFinder()

    def take(self, paths: Sequence[Path]) -> IndexReport:
        """Take in photos that came or changed.

        Raises:
            LibraryLockedError: Another process is writing and does not stop.
        """
        report = index_folders(self._library, paths, place_names=self._place_names)
        self.unread_sidecars = report.unread_sidecars
        return report

    def has(self, path: Path) -> bool:
        """Whether a file is in the library with its sidecars, or among its problems, as it is on disk."""
        stamp = stamp_of(path)
        if stamp is None:
            return False
        if self._library.paths.stamp_at(path) == stamp:
            key = path_bytes(path)
            return self._library.facts.stamps_at([key]).get(key) == self._sidecars.find(path).stamp
        problems = self._library.paths.known_problems_at([os.fsencode(path)])
        return any(problem.stamp == stamp for problem in problems.values())

    def note_bad(self, path: Path) -> None:
        """Keep in mind a file that is no photo, to have it among the problems."""
        if is_file(path):
            self._gone[path] = None

    def note_missing(self, path: Path) -> None:
        """Keep in mind a file that is gone."""
        self._gone[path] = None
        self._missed_at_s = time.monotonic()

    def note_looked(self, folder: Path) -> None:
        """Keep in mind a watched folder, below which files may have gone while nobody watched."""
        self._folders[folder] = None
        self._sidecars = SidecarFinder()
        self._to_look_through[folder] = None

    def catch_up(self) -> None:
        """Do what is kept in mind; what another program holds up stays there, and what may be going on."""
        if time.monotonic() - self._missed_at_s < _QUIET_S:
            return
        try:
            if len(self._gone) >= _MANY:
                self._to_look_through |= self._folders
            while self._to_look_through:
                forget_gone(self._library, next(iter(self._to_look_through)))
                del self._to_look_through[next(iter(self._to_look_through))]
            rest = [path for path in self._gone if not self._is_settled(path)]
            if rest:
                index_folders(self._library, rest, place_names=self._place_names)
            self._gone.clear()
        except LibraryLockedError:
            return

    def _is_settled(self, path: Path) -> bool:
        """Tell whether the library has nothing at a path where there is nothing."""
        return leads_nowhere(path) and (len(self._gone) >= _MANY or not self._library.paths.has_seen(path))
