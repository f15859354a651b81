"""What can be chosen about a watch; knows no folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from photopal.errors import UsageError


@dataclass(frozen=True)
class WatchOptions:
    """How to watch.

    Attributes:
        settle_s: A file is at rest when its size and time are the same twice, this many seconds apart.
        empty_s: How long a file without a byte may wait for its content before it counts as broken.
        poll_s: Seconds between two looks through a folder that the system gives no notice of.
        rescan_s: Seconds between two looks through any other folder, for what no notice told of.
        batch_size: The most photos that are handed over at once.
        tries: How often photos are handed over before they are given up.
        retry_s: Seconds before the second try; each further wait is twice as long.
        poll: Look through every folder again and again instead of asking the system for notice.
        once: Hand over what is there, with everything that is still being copied, and end.
        globs: What is not wanted, by the folder it is relative to; see `Excludes`.
    """

    settle_s: float = 2.0
    empty_s: float = 60.0
    poll_s: float = 10.0
    rescan_s: float = 600.0
    batch_size: int = 32
    tries: int = 8
    retry_s: float = 2.0
    poll: bool = False
    once: bool = False
    globs: Mapping[Path, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UsageError: A length of time is not above zero, or a number is below one.
        """
        for name in ("settle_s", "poll_s", "rescan_s", "retry_s"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be more than 0 seconds, not {getattr(self, name)}")
        for name in ("batch_size", "tries"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}")
