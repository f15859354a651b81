"""Lets one process write at a time and says which; knows a lock file and nothing of SQLite.

The operating system drops the lock when its holder ends, however it ends, so no lock is ever stale.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from photopal.errors import LibraryError, LibraryLockedError

if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes against reading too, so the lock lies far behind the pid.
    _LOCK_AT = 1 << 30

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCK_AT, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCK_AT, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class WriterLock:
    """The right to write to one library, held inside a `with`.

    Args:
        path: The lock file; created where it is not there, and never removed.
        wait_s: How long to wait for another writer, in seconds.
    """

    def __init__(self, path: Path, *, wait_s: float) -> None:
        self._path = path
        self._wait_s = wait_s
        self._descriptor: int | None = None

    def __enter__(self) -> WriterLock:
        """Take the lock.

        Raises:
            LibraryLockedError: Another process still holds it after the wait; the message says which.
            LibraryError: The lock file cannot be written.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise LibraryError(f"{self._path}: cannot be written: {error.strerror or error}") from error
        deadline = time.monotonic() + self._wait_s
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                os.lseek(descriptor, 0, os.SEEK_SET)
                holder = (
                    os.read(descriptor, 32).decode("ascii", errors="replace").strip() or "of unknown number"
                )
                os.close(descriptor)
                raise LibraryLockedError(
                    f"{self._path}: the library is locked by process {holder}",
                    hint="Wait until it has finished, or stop that process.",
                )
            time.sleep(0.02)
        self._descriptor = descriptor
        # The number only serves the message of whoever waits: a full disk is no reason not to lock.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, str(os.getpid()).encode())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            _unlock(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
