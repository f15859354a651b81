"""Says how many photos make a batch, so that each batch takes a second or two; knows no photo."""

from __future__ import annotations

import time

BATCH_S = 1.5
"""How long a batch should take: results are stored after each, so this is what an interrupt may lose."""

MOST_AT_ONCE = 32
_GROWTH = 16


class Pace:
    """Measures batches and sizes the next; the first is a single photo.

    Attributes:
        size: Photos in the next batch.
    """

    def __init__(self, *, batch_s: float = BATCH_S, most: int = MOST_AT_ONCE) -> None:
        self.size = 1
        self._batch_s, self._most = batch_s, most
        self._since = time.monotonic()

    def is_full(self, count: int) -> bool:
        """Whether a batch of this many photos should begin, large enough or waited for long enough."""
        return count >= self.size or time.monotonic() - self._since >= self._batch_s

    def note(self, count: int) -> None:
        """Note that a batch of this many photos, one or more, is stored."""
        now = time.monotonic()
        took_s, self._since = max(1e-6, now - self._since), now
        fitting = int(self._batch_s * count / took_s)
        self.size = max(1, min(fitting, self._most, _GROWTH * self.size))
