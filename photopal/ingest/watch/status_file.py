"""Writes down how a running watch gets on, for other programs to read; knows no photo.

Each watch has a file of its own and holds a lock beside it. The system drops the lock when the watch ends, in
whatever way, so a file without one is of a watch that was killed.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from photopal.errors import LibraryError, LibraryLockedError
from photopal.files import atomic_write
from photopal.ingest.watch.outcome import WatchEvent
from photopal.library.lock import WriterLock

_WRITE_EVERY_S = 1.0
_RATE_OVER_S = 300.0


@dataclass(frozen=True)
class FolderStatus:
    """A watched folder: `starting`, `watching`, `polling` or `gone`, and why where there is a why."""

    path: str
    state: str
    reason: str = ""


@dataclass(frozen=True)
class WatchStatus:
    """How a watch gets on.

    Attributes:
        pid: The watching process.
        started_at: ISO 8601 in UTC.
        updated_at: ISO 8601 in UTC; while one photo takes long, this is a while ago.
        folders: What is watched.
        backlog: Photos that are settling, waiting or at hand.
        done: Photos that were handed over and taken.
        skipped: Files that were reported as no use.
        per_minute: Photos done a minute, over the last minutes; None before the first.
        eta_s: Seconds until the backlog is done at this rate; None where that cannot be told.
        last_error: What went wrong last, in words.
        last_error_at: ISO 8601 in UTC.
    """

    pid: int
    started_at: str
    updated_at: str
    folders: tuple[FolderStatus, ...]
    backlog: int = 0
    done: int = 0
    skipped: int = 0
    per_minute: float | None = None
    eta_s: float | None = None
    last_error: str | None = None
    last_error_at: str | None = None


class StatusFile:
    """The file of one running watch; there inside a `with`.

    Args:
        folder: Where the files of all watches are; made where it is missing.
        watched: The watched folders.
    """

    def __init__(self, folder: Path, *, watched: Sequence[Path]) -> None:
        self._path = folder / f"{os.getpid()}.json"
        self._started_at = _now()
        paths = [os.path.abspath(path) for path in watched]  # noqa: PTH100
        self._folders = {path: FolderStatus(path, "starting") for path in paths}
        self._backlog = self._done = self._skipped = 0
        self._handed: deque[tuple[float, int]] = deque()
        self._began_s = self._written_s = float("-inf")
        self._error: tuple[str, str] | None = None
        self._lock = ExitStack()

    def __enter__(self) -> Self:
        """Make the file."""
        with suppress(OSError, LibraryError):
            # A home folder that cannot be written to is no reason not to watch.
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.enter_context(WriterLock(_lock_of(self._path), wait_s=0))
        self._began_s = time.monotonic()
        self._write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove the file."""
        self._lock.close()
        _remove(self._path)

    def note(self, event: WatchEvent) -> None:
        """Take down an event; the file is written about once a second."""
        if event.kind in ("watching", "polling", "gone") and event.path is not None:
            path = os.fspath(event.path)
            self._folders[path] = FolderStatus(path, event.kind, event.reason)
        elif event.kind == "handed":
            self._done += event.count
            self._handed.append((time.monotonic(), event.count))
        elif event.kind == "backlog":
            self._backlog = event.count
        self._note_error(event)
        if event.kind != "backlog" or time.monotonic() - self._written_s >= _WRITE_EVERY_S:
            self._write()

    def status(self) -> WatchStatus:
        """Sum up."""
        now_s = time.monotonic()
        while self._handed and now_s - self._handed[0][0] > _RATE_OVER_S:
            self._handed.popleft()
        if not self._handed:
            per_minute = None
        else:
            span_s = max(1.0, min(now_s - self._began_s, _RATE_OVER_S))
            per_minute = round(60 * sum(number for _, number in self._handed) / span_s, 2)
        return WatchStatus(
            pid=os.getpid(),
            started_at=self._started_at,
            updated_at=_now(),
            folders=tuple(self._folders.values()),
            backlog=self._backlog,
            done=self._done,
            skipped=self._skipped,
            per_minute=per_minute,
            eta_s=round(60 * self._backlog / per_minute, 1) if per_minute else None,
            last_error=self._error[0] if self._error else None,
            last_error_at=self._error[1] if self._error else None,
        )

    def _note_error(self, event: WatchEvent) -> None:
        if event.kind not in ("skipped", "sidecar", "failed", "given up"):
            return
        self._skipped += event.kind == "skipped"
        where = f"{event.path}: " if event.path is not None else ""
        self._error = (f"{where}{event.reason}", _now())

    def _write(self) -> None:
        self._written_s = time.monotonic()
        words = json.dumps(asdict(self.status()))
        with suppress(OSError):
            # Each second, and of no use once the watch has ended: not worth waiting for the disk.
            atomic_write(self._path, words, durable=False)


def read_statuses(folder: Path) -> list[WatchStatus]:
    """Return how the running watches get on, the oldest first; what a killed one left behind is removed."""
    found: list[WatchStatus] = []
    for path in sorted(folder.glob("*.json")):
        if not _is_alive(path):
            _remove(path)
            continue
        with suppress(OSError, ValueError, TypeError, KeyError):
            facts = json.loads(path.read_text(encoding="utf-8"))
            folders = tuple(FolderStatus(**folder) for folder in facts["folders"])
            found.append(WatchStatus(**{**facts, "folders": folders}))
    return sorted(found, key=lambda status: status.started_at)


def _is_alive(path: Path) -> bool:
    try:
        with WriterLock(_lock_of(path), wait_s=0):
            return False
    except LibraryLockedError:
        return True
    except LibraryError:
        # The folder belongs to somebody else; the file says what it says.
        return True


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _remove(path: Path) -> None:
    for left in (path, _lock_of(path), *path.parent.glob(f".{path.name}.*.part")):
        with suppress(OSError):
            left.unlink(missing_ok=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
