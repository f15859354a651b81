"""Reads and decodes photos on threads before they are asked for, in order; knows not what they are for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from PIL import Image

from photopal.errors import PhotoError
from photopal.photos.decode import open_photo

AHEAD = 8
"""How many photos are decoded before the one in hand; together with their threads they bound the memory."""

_MOST_THREADS = 4

Wanted = TypeVar("Wanted")
Read = TypeVar("Read")
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
    return read_ahead(wanted, path_of, partial(open_photo, max_side_px=max_side_px), ahead=ahead)


def read_photo(path: Path) -> bytes:
    """Read the bytes of a photo's file.

    Raises:
        PhotoError: The file cannot be opened.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise PhotoError(path, f"cannot be opened: {error.strerror or error}") from error


def read_ahead(
    wanted: Iterable[Wanted],
    path_of: Callable[[Wanted], Path | None],
    read: Callable[[Path], Read],
    *,
    ahead: int = AHEAD,
) -> Generator[tuple[Wanted, Read | PhotoError | None], None, None]:
    """Read photos as `open_ahead` does, each by a call that may raise `PhotoError`."""
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="photopal-decode")
    at_work: deque[tuple[Wanted, Future[Read | PhotoError] | None]] = deque()

    def taken() -> tuple[Wanted, Read | PhotoError | None]:
        one, future = at_work.popleft()
        return one, None if future is None else future.result()

    def tried(path: Path) -> Read | PhotoError:
        try:
            return read(path)
        except PhotoError as error:
            return error

    try:
        for one in wanted:
            path = path_of(one)
            at_work.append((one, None if path is None else pool.submit(tried, path)))
            if len(at_work) > ahead:
                yield taken()
        while at_work:
            yield taken()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
