"""Decodes photos on threads before they are asked for, in order; knows nothing of what they are for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from PIL import Image

from photopal.errors import PhotoError
from photopal.photos.decode import open_photo

AHEAD = 8
"""How many photos are decoded before the one in hand; together with their threads they bound the memory."""

_MOST_THREADS = 4

Wanted = TypeVar("Wanted")
Opened = Image.Image | PhotoError | None


def open_ahead(
    wanted: Iterable[Wanted],
    path_of: Callable[[Wanted], Path | None],
    *,
    max_side_px: int | None = None,
    ahead: int = AHEAD,
) -> Generator[tuple[Wanted, Opened], None, None]:
    """Decode photos as `open_photo` does, a few ahead of whoever takes them.

    Close the iterator when leaving early; what was not begun is then left undone.

    Args:
        wanted: Photos, or whatever stands for them; taken as they are needed, in the caller's thread.
        path_of: Where one lies; None leaves it undecoded.
        max_side_px: See `open_photo`.
        ahead: How many to decode before they are asked for, at least 1.

    Yields:
        Each with its picture, the error that kept it from being read, or None where it has no path.
    """
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="photopal-decode")
    at_work: deque[tuple[Wanted, Future[Opened] | None]] = deque()
    try:
        for one in wanted:
            path = path_of(one)
            at_work.append((one, None if path is None else pool.submit(_open, path, max_side_px)))
            if len(at_work) > ahead:
                yield _taken(at_work)
        while at_work:
            yield _taken(at_work)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _taken(at_work: deque[tuple[Wanted, Future[Opened] | None]]) -> tuple[Wanted, Opened]:
    one, future = at_work.popleft()
    return one, None if future is None else future.result()


def _open(path: Path, max_side_px: int | None) -> Opened:
    try:
        return open_photo(path, max_side_px=max_side_px)
    except PhotoError as error:
        return error
