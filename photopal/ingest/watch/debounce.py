"""Waits until files are at rest, or surely gone; knows sizes and times, never contents."""

from __future__ import annotations

from typing import NamedTuple

from photopal.files import Stamp, leads_nowhere, stamp_of


class _Check(NamedTuple):
    stamp: Stamp
    due_s: float
    same_since_s: float


class Debouncer:
    """Files that may be incomplete. One small entry for each file, however many events it made.

    Args:
        settle_s: Seconds between the two looks at which a file at rest is the same.
        empty_s: Seconds for which an empty file is waited for: programs reserve a name that way.
    """

    def __init__(self, *, settle_s: float, empty_s: float) -> None:
        self._settle_s, self._empty_s = settle_s, empty_s
        # Every wait is equally long, so the order of entry is the order of the next looks.
        self._checks: dict[str, _Check] = {}

    def __len__(self) -> int:
        """The number of files that are looked at."""
        return len(self._checks)

    def __contains__(self, path: str) -> bool:
        """Whether a file is looked at."""
        return path in self._checks

    def add(self, path: str, stamp: Stamp, *, now_s: float) -> None:
        """Begin to look at a file; one that is looked at already stays as it is."""
        self._checks.setdefault(path, _Check(stamp, now_s + self._settle_s, now_s))

    def take_settled(self, *, now_s: float) -> list[tuple[str, Stamp]]:
        """Look at the files whose next look is due; return those at rest, forget those that are gone."""
        settled: list[tuple[str, Stamp]] = []
        while self._checks:
            path, check = next(iter(self._checks.items()))
            if check.due_s > now_s:
                break
            del self._checks[path]
            stamp = stamp_of(path)
            if stamp is None:
                continue
            same_since_s = check.same_since_s if stamp == check.stamp else now_s
            is_promise = stamp.size_bytes == 0 and now_s - same_since_s < self._empty_s
            if stamp == check.stamp and not is_promise:
                settled.append((path, stamp))
            else:
                self._checks[path] = _Check(stamp, now_s + self._settle_s, same_since_s)
        return settled


class MissingFiles:
    """Files that are gone and may only be on their way to another name.

    Args:
        wait_s: How long a file has to be gone before that is told.
    """

    def __init__(self, *, wait_s: float) -> None:
        self._wait_s = wait_s
        # Every wait is equally long, so the order of entry is the order in which they end.
        self._due_s: dict[str, float] = {}

    def add(self, path: str, *, now_s: float) -> None:
        """Remember a file that is gone."""
        self._due_s.setdefault(path, now_s + self._wait_s)

    def take_due(self, *, now_s: float) -> list[str]:
        """Return the files that have been gone long enough and still are; forget the others."""
        due: list[str] = []
        while self._due_s:
            path, due_s = next(iter(self._due_s.items()))
            if due_s > now_s:
                break
            del self._due_s[path]
            if leads_nowhere(path):
                due.append(path)
        return due
