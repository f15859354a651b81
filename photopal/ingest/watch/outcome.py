"""What a watch tells: events while it runs and a report at its end; facts, no words for a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from photopal.photos import Skipped

EventKind = Literal[
    "watching", "polling", "gone", "back", "handed", "skipped", "sidecar", "failed", "given up",
    "missing", "looked", "backlog",
]  # fmt: skip


@dataclass(frozen=True)
class WatchEvent:
    """One thing that happened.

    Attributes:
        kind: `watching`: the system gives notice of changes in a folder. `polling`: it does not, so the
            folder is looked through again and again. `gone`: a folder is not there or cannot be opened.
            `back`: it is there again, or another one is in its place. `handed`: photos were handed over
            and taken. `skipped`: a file cannot be read as a photo, or a folder or link below a watched
            folder cannot be searched. `sidecar`: nothing can be read from a file beside photos, which were
            taken without it. `failed`: photos were handed over, refused, and will be handed over
            again. `given up`: they were refused for the last time. `missing`: a photo that was dealt with has
            been gone from its folder for a while. `looked`: a folder was looked through. `backlog`: how many
            photos wait or are being handed over; told about once a second.
        path: The folder or file, where there is one.
        count: The number of photos, where it is about photos.
        reason: Why, in words for the user, where there is a why.
        hint: What the user can try, where an error came with a hint.
        retry_s: Seconds until the next try, where there is one.
    """

    kind: EventKind
    path: Path | None = None
    count: int = 0
    reason: str = ""
    hint: str | None = None
    retry_s: float | None = None


@dataclass(frozen=True)
class WatchOutcome:
    """What became of photos that were handed over.

    Attributes:
        skipped: Those of them that turned out to be unusable, and why. They are reported, and handed over
            again only when they change.
        unread_sidecars: Files beside them from which nothing can be read, and why.
    """

    skipped: Sequence[Skipped] = ()
    unread_sidecars: Sequence[Skipped] = ()


@dataclass
class WatchReport:
    """What a watch did.

    Attributes:
        handed: Photos that were handed over and taken. One that changed was counted each time.
        skipped: Files that cannot be read as photos, folders and links that cannot be searched; those only
            that are still there and still as bad.
        given_up: Photos that were refused as often as the options allow, with the last reason.
        offline: Folders that are not there, or cannot be opened.
        waiting: Photos that were found and not handed over before the end; a later watch finds them again.
    """

    handed: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    given_up: list[Skipped] = field(default_factory=list)
    offline: list[Path] = field(default_factory=list)
    waiting: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing failed; photos that wait are no failure."""
        return not (self.skipped or self.given_up or self.offline)
