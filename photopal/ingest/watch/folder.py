"""Keeps one folder under watch, whether it goes, comes back or gives no notice; knows no photo in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer

from photopal.ingest.watch.events import LinkNotices, Notices, wanted_events
from photopal.ingest.watch.mounts import Mount, is_below, mounts_under, read_mounts
from photopal.ingest.watch.options import WatchOptions
from photopal.ingest.watch.outcome import EventKind, WatchEvent

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

# Looking through folders takes at most this share of the time, however large they are.
_SCAN_SHARE = 0.1
_NO_ROOM = "the system limit for watched folders has been reached"


class _Identity(NamedTuple):
    """What differs when another folder stands at the same path, or another drive below it."""

    real_path: str
    device: int
    inode: int
    mounts: tuple[Mount, ...]


class WatchedFolder:
    """One folder that was named by the user.

    Args:
        path: Absolute; links stay as they are, so that photos keep the path the user knows.
        options: How to watch.
        tell: Told when the folder is watched, polled, gone and back.
    """

    def __init__(self, path: Path, *, options: WatchOptions, tell: Callable[[WatchEvent], None]) -> None:
        self.path = path
        self._options, self._tell_event = options, tell
        self._name = os.fspath(path)
        self._notices = Notices(self._name, self._name)
        self._identity: _Identity | None = None
        self._was_there: bool | None = None
        self._observer: BaseObserver | None = None
        self._links: list[str] = []
        self._told: tuple[EventKind, str] | None = None
        self._scanned_at_s = float("-inf")
        self._scan_took_s = 0.0
        self._is_scan_wanted = False

    @property
    def is_there(self) -> bool:
        """Whether the folder could be opened when it was last checked."""
        return self._identity is not None

    def check(self) -> None:
        """See whether the folder went, came, was replaced or is watched no more, and watch it anew."""
        identity, reason = _identify(self._name)
        if identity is None:
            if self._was_there is not False:
                self.close()
                self._tell("gone", reason)
            self._was_there, self._identity = False, None
            return
        if identity != self._identity:
            if self._was_there is not None:
                self._tell("back", "another folder or drive is in its place" if self._was_there else "")
            self._was_there, self._identity = True, identity
            self._watch(identity)
        elif self._observer is not None and not _is_alive(self._observer):
            # Its folder was removed and made again between two checks, or watchdog failed.
            self._watch(identity)

    def take_paths(self) -> set[str]:
        """Return the photo paths that notices told of since the last call."""
        paths, is_scan_wanted = self._notices.take()
        self._is_scan_wanted |= is_scan_wanted
        return paths

    def want_scan(self) -> None:
        """Wish for a look through the folder as soon as the last one is long enough ago."""
        self._is_scan_wanted = True

    def is_scan_due(self, *, now_s: float) -> bool:
        """Tell whether it is time to look through the folder."""
        if not self.is_there:
            return False
        options = self._options
        if options.once:
            return self._scanned_at_s == float("-inf")
        if self._is_scan_wanted:
            interval_s = options.settle_s
        else:
            interval_s = options.rescan_s if self._observer is not None else options.poll_s
        return now_s - self._scanned_at_s >= max(interval_s, self._scan_took_s / _SCAN_SHARE)

    def begin_scan(self) -> None:
        """Note that the folder is looked through now: wishes from here on are for the next time."""
        self._is_scan_wanted = False
        self._scanned_at_s = time.monotonic()

    def end_scan(self) -> None:
        """Note that the folder was looked through, and watch links and new folders in it too."""
        now_s = time.monotonic()
        self._scan_took_s, self._scanned_at_s = now_s - self._scanned_at_s, now_s
        if self._observer is None or self._identity is None:
            return
        if _linked_folders(self._identity.real_path) != self._links:
            self._watch(self._identity)
        elif not _has_room(self._identity.real_path):
            self._poll(_NO_ROOM)

    def close(self) -> None:
        """Stop asking the system for notice."""
        observer, self._observer = self._observer, None
        if observer is not None:
            _stop(observer)

    def _watch(self, identity: _Identity) -> None:
        """Ask for notice of what happens in the folder, or settle for looking through it."""
        self.close()
        self._is_scan_wanted, self._scan_took_s = True, 0.0
        self._scanned_at_s = float("-inf")
        if self._options.once:
            return
        if self._options.poll:
            self._poll("polling was requested")
            return
        self._links = _linked_folders(identity.real_path)
        # A network drive on which folders lie, or which they contain.
        real_folders = [identity.real_path, *self._links]
        mounts = read_mounts()
        under = (mount for folder in real_folders for mount in mounts_under(folder, mounts))
        network = next((mount for mount in under if mount.is_network), None)
        if network is not None:
            self._poll(f"{network.folder} is a network drive ({network.kind})")
            return
        self._notices = Notices(self._name, identity.real_path)
        handlers: dict[str, FileSystemEventHandler] = {identity.real_path: self._notices}
        handlers |= {link: LinkNotices(self._notices) for link in self._links}
        try:
            self._observer = _observe(handlers)
        except OSError as error:
            self._poll(error.strerror or str(error))
            return
        if _has_room(identity.real_path):
            self._tell_state("watching")
        else:
            # watchdog passes over folders below the first for which the system has no room.
            self._poll(_NO_ROOM)

    def _poll(self, reason: str) -> None:
        self.close()
        self._tell_state("polling", reason)

    def _tell_state(self, kind: EventKind, reason: str = "") -> None:
        if (kind, reason) != self._told:
            self._told = (kind, reason)
            self._tell(kind, reason)

    def _tell(self, kind: EventKind, reason: str = "") -> None:
        self._tell_event(WatchEvent(kind, self.path, reason=reason))


def _identify(folder: str) -> tuple[_Identity | None, str]:
    """Return what a folder is at this moment, or None and why it cannot be searched."""
    try:
        real_path = os.path.realpath(folder, strict=True)
        with os.scandir(real_path):
            # A folder that cannot be listed is no folder to watch, even if it is there.
            status = os.stat(real_path)  # noqa: PTH116
    except FileNotFoundError:
        return None, "does not exist"
    except OSError as error:
        return None, f"cannot be opened: {error.strerror or error}"
    mounts = mounts_under(real_path, read_mounts())
    return _Identity(real_path, status.st_dev, status.st_ino, mounts), ""


def _linked_folders(real_root: str) -> list[str]:
    """Return the folders elsewhere to which links in a folder lead, links in those included."""
    found: list[str] = []
    waiting = [real_root]
    while waiting:
        for parent, names, _ in os.walk(waiting.pop()):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in names:
                path = os.path.join(parent, name)  # noqa: PTH118
                if not os.path.islink(path):  # noqa: PTH114
                    continue
                target = os.path.realpath(path)
                if not any(is_below(target, known) for known in (real_root, *found)):
                    found.append(target)
                    waiting.append(target)
    return found


def _observe(handlers: dict[str, FileSystemEventHandler]) -> BaseObserver:
    """Start to listen for what happens in folders and below them.

    Raises:
        OSError: The system gives no notice there, or of no more folders.
    """
    observer = Observer()
    try:
        for folder, handler in handlers.items():
            observer.schedule(handler, folder, recursive=True, event_filter=wanted_events())
        observer.start()
    except OSError:
        _stop(observer)
        raise
    return observer


def _has_room(folder: str) -> bool:
    """Tell whether the system would give notice of one more folder, by asking for it."""
    try:
        observer = Observer()
    except OSError:
        return False
    try:
        observer.schedule(FileSystemEventHandler(), folder, recursive=False, event_filter=wanted_events())
        observer.start()
    except OSError:
        return False
    finally:
        _stop(observer)
    return True


def _is_alive(observer: BaseObserver) -> bool:
    return observer.is_alive() and all(emitter.is_alive() for emitter in observer.emitters)


def _stop(observer: BaseObserver) -> None:
    # One that never started, or whose folder is gone, cannot be stopped in every way.
    with suppress(OSError, RuntimeError):
        observer.stop()
    if observer.is_alive():
        observer.join()
