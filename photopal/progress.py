"""How a long call says how far it is; knows nothing of who listens."""

from __future__ import annotations

from typing import Protocol


class OnProgress(Protocol):
    """Called as a long call goes on, in its own thread."""

    def __call__(self, done: int, total: int | None, item: object = None, /) -> None:
        """Take note.

        Args:
            done: How many are done.
            total: Of how many, if that is known.
            item: The one at hand.
        """
