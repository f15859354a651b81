"""What indexing found, in numbers and reasons; knows no words for a screen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from photopal.photos import Skipped


@dataclass
class IndexReport:
    """What indexing found.

    Attributes:
        added: Photos the library did not know.
        changed: Paths that hold other contents than before, be it only other metadata.
        edited: Of these, photos with other pixels, which what the user had said followed.
        moved: Photos found at a new path, their old one gone.
        removed: Photos whose last file is gone; marked missing.
        unchanged: Files not opened, or opened and found the same.
        revived: Photos that were missing and are there again.
        skipped: Files and folders that could not be read, and why.
        unread_sidecars: Sidecars from which nothing can be read, and why; their photos are read all the same.
        left_out: What is not read although it is a picture or video, or not wanted, with how many there are.
        parts: Temporary files removed that a killed run of `write-metadata` left beside photos.
        offline: Roots of which too much is gone to believe it; nothing of them is marked.
    """

    added: int = 0
    changed: int = 0
    edited: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    revived: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    unread_sidecars: list[Skipped] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    offline: list[Path] = field(default_factory=list)
