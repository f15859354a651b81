"""Remembers files that are no longer where they were, for as long as a move may take; knows no folder."""

from __future__ import annotations

import os


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
            if not os.path.lexists(path):
                due.append(path)
        return due
