"""Lines up photos that are ready and hands them over; knows who gets them, not what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from photopal.files import Stamp
from photopal.ingest.watch.options import WatchOptions
from photopal.ingest.watch.outcome import WatchOutcome

OnPhotos = Callable[[Sequence[Path]], WatchOutcome | None]
"""Takes photos at rest; None means that all is well with them. May raise PhotopalError to be asked again."""

_LONGEST_WAIT_S = 300.0


class _Turn(NamedTuple):
    stamp: Stamp
    tries: int
    due_s: float


class Batch(NamedTuple):
    """Photos that are offered together, and how often they were offered before."""

    stamps: dict[str, Stamp]
    tries: int


class RetryQueue:
    """Photos at rest, in the order in which they came to rest, each once.

    Photos that were refused together are offered again after a growing wait, in half as large a batch each
    time, so that one that is always refused does not take others with it.
    """

    def __init__(self, options: WatchOptions) -> None:
        self._options = options
        self._ready: dict[str, _Turn] = {}
        self._later: dict[str, _Turn] = {}

    def __len__(self) -> int:
        """The number of photos that are lined up."""
        return len(self._ready) + len(self._later)

    def __contains__(self, path: str) -> bool:
        """Whether a photo is lined up."""
        return path in self._ready or path in self._later

    def add(self, path: str, stamp: Stamp) -> None:
        """Line up a photo at rest."""
        self._ready.setdefault(path, _Turn(stamp, 0, 0.0))

    def take_batch(self, *, now_s: float) -> Batch:
        """Take out the photos that come next, all offered equally often; empty when none is ready."""
        for path in [path for path, turn in self._later.items() if turn.due_s <= now_s]:
            self._ready[path] = self._later.pop(path)
        tries = next((turn.tries for turn in self._ready.values()), 0)
        limit = max(1, self._options.batch_size >> tries)
        same = (path for path, turn in self._ready.items() if turn.tries == tries)
        return Batch({path: self._ready.pop(path).stamp for path in list(islice(same, limit))}, tries)

    def put_back(self, batch: Batch) -> None:
        """Line up photos that were taken out and not offered."""
        turns = {path: _Turn(stamp, batch.tries, 0.0) for path, stamp in batch.stamps.items()}
        self._ready = turns | self._ready

    def refuse(self, batch: Batch, *, now_s: float) -> float | None:
        """Line up refused photos for another try; return the seconds until then, None if it was the last."""
        tries = batch.tries + 1
        if tries >= self._options.tries:
            return None
        wait_s = min(self._options.retry_s * (1 << batch.tries), _LONGEST_WAIT_S)
        for path, stamp in batch.stamps.items():
            self._later[path] = _Turn(stamp, tries, now_s + wait_s)
        return wait_s
