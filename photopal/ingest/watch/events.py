"""Gathers what the system says about changed files; a notice is a hint where to look, never a fact.

Notices come in another thread, many for one file, and some are lost. So they are kept as a set of paths
and one wish to look through the folder, and both are taken when there is time.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from photopal.files import is_folder
from photopal.photos import is_photo_named
from photopal.photos.sidecars import is_sidecar_named

_MOST_PATHS = 10_000


def wanted_events() -> list[type[FileSystemEvent]]:
    """The kinds of events that can mean a new, changed or missing photo.

    Where the system says that a file was closed after writing, its hundreds of single writes are left
    out: a long queue of them would push out others.
    """
    end_of_writing = FileClosedEvent if sys.platform == "linux" else FileModifiedEvent
    files = [FileCreatedEvent, FileMovedEvent, FileDeletedEvent, end_of_writing]
    return [*files, DirCreatedEvent, DirMovedEvent, DirDeletedEvent]


class Notices(FileSystemEventHandler):
    """The notices of one folder that were not taken yet.

    Args:
        folder: The folder as the user named it.
        real_folder: The same folder without links, as notices name it.
    """

    def __init__(self, folder: str, real_folder: str) -> None:
        self._folder, self._real_folder = folder, real_folder.rstrip(os.sep)
        self._lock = threading.Lock()
        self._paths: set[str] = set()
        self._is_scan_wanted = False

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note one event; called by watchdog in its own thread."""
        for path in filter(None, (os.fsdecode(event.src_path), os.fsdecode(event.dest_path))):
            self._note(path, is_directory=event.is_directory)

    def _note(self, path: str, *, is_directory: bool) -> None:
        if not path.startswith(self._real_folder + os.sep):
            # It is about the folder itself, or a place outside it.
            return
        inside = Path(path[len(self._real_folder) + 1 :])
        if any(step.startswith(".") for step in inside.parts):
            return
        if (is_photo_named(inside.name) or is_sidecar_named(inside.name)) and not is_directory:
            self._add(os.path.join(self._folder, inside))  # noqa: PTH118 - paths are text here
        elif is_directory or is_folder(Path(path)):
            # A new folder, or a link to one: files were in it before anybody watched it.
            self.want_scan()

    def want_scan(self) -> None:
        """Wish for a look through the whole folder."""
        with self._lock:
            self._is_scan_wanted = True

    def take(self) -> tuple[set[str], bool]:
        """Return the paths to look at and whether to look through the whole folder; forget both."""
        with self._lock:
            taken = self._paths, self._is_scan_wanted
            self._paths, self._is_scan_wanted = set(), False
        return taken

    def _add(self, path: str) -> None:
        with self._lock:
            if len(self._paths) < _MOST_PATHS:
                self._paths.add(path)
            else:
                self._is_scan_wanted = True


class LinkNotices(FileSystemEventHandler):
    """Notices from a folder that a link leads to.

    The path by which the user knows a photo there leads over the link, so the folder with the link is
    looked through.

    Args:
        notices: Those of the folder with the link.
    """

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Note one event."""
        self._notices.want_scan()


class LogCapture(logging.Handler):
    """Hears what watchdog writes to its log; after a complaint, such as lost notices, look everywhere.

    That watchdog finds a listener also keeps its words off the terminal.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._is_heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Note that there was a complaint."""
        self._is_heard.set()

    def take(self) -> bool:
        """Tell whether there was a complaint since the last call."""
        is_heard = self._is_heard.is_set()
        self._is_heard.clear()
        return is_heard


@contextmanager
def watchdog_silenced() -> Iterator[LogCapture]:
    """Listen to watchdog's complaints, which would go to the terminal, while the block runs."""
    complaints, log = LogCapture(), logging.getLogger("watchdog")
    log.addHandler(complaints)
    try:
        with warnings.catch_warnings():
            # It warns of the second folder that it may not open.
            warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
            yield complaints
    finally:
        log.removeHandler(complaints)
