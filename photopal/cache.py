"""Keeps what was used last, up to a limit; knows nothing of what it keeps."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """Drops the least recently used values beyond a limit, but never the newest, however large.

    A single value over the limit is in memory anyway while it is used; without it, it would be computed anew.

    Args:
        limit: What the sizes of all values may add up to.
        size_of: The size of a value, mostly in bytes; taken once, when it is put in.
    """

    def __init__(self, limit: int, size_of: Callable[[V], int]) -> None:
        self._limit = limit
        self._size_of = size_of
        self._items: OrderedDict[K, tuple[V, int]] = OrderedDict()  # the least recently used first
        self._size = 0

    def __len__(self) -> int:
        """The number of values."""
        return len(self._items)

    def get(self, key: K) -> V | None:
        """A value, from now on the most recently used; None where there is none."""
        if key not in self._items:
            return None
        self._items.move_to_end(key)
        return self._items[key][0]

    def put(self, key: K, value: V) -> None:
        """Add or replace a value, and drop what no longer fits."""
        size = self._size_of(value)
        _, old_size = self._items.pop(key, (None, 0))
        self._items[key] = (value, size)
        self._size += size - old_size
        while self._size > self._limit and len(self._items) > 1:
            _, (_, dropped_size) = self._items.popitem(last=False)
            self._size -= dropped_size
