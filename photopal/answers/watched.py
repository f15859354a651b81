"""Captions photos as they come: into the library, then a caption; keeps up with a bank that others change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from photopal.answers.assistant import Assistant
from photopal.answers.caption import CaptionedPhoto, caption_photos, is_current
from photopal.library import Library
from photopal.library.index_keep import FolderKeeper
from photopal.library.vectors import VectorFile
from photopal.photos import Skipped


class Newcomers:
    """Takes photos that came to rest and captions them.

    Args:
        library: Open for writing.
        bank_path: The bank's file; when it changes, a new assistant is opened.
        open_assistant: Opens one with the bank as it is now.
        vectors: Where to keep what makes photos comparable.
        on_caption: Told of every new caption.
    """

    def __init__(
        self,
        library: Library,
        bank_path: Path,
        open_assistant: Callable[[], Assistant],
        *,
        vectors: VectorFile | None = None,
        on_caption: Callable[[CaptionedPhoto], None],
    ) -> None:
        self._library, self._bank_path = library, bank_path
        self.keeper = FolderKeeper(library)
        self._open_assistant, self._on_caption, self._vectors = open_assistant, on_caption, vectors
        self._assistant = open_assistant()
        self._stamp = _stamp(bank_path)

    def take(self, paths: Sequence[Path]) -> list[Skipped]:
        """Index and caption photos; returns those that cannot be read."""
        self._keep_up()
        report = self.keeper.take(paths)
        rows = [self._library.photo_at(path) for path in paths]
        photos = {row.id: row for row in rows if row is not None}.values()
        captions = caption_photos(
            self._library, self._assistant, photos, vectors=self._vectors, on_caption=self._on_caption
        )
        return [*report.skipped, *captions.skipped]

    def has(self, path: Path) -> bool:
        """Whether a photo as it is on disk has a caption that is still good, or is known to be broken."""
        if not self.keeper.has(path):
            return False
        row = self._library.photo_at(path)
        if row is None:
            return True
        version = self._assistant.bank.version if self._assistant.concepts else None
        return is_current(self._library, self._assistant, row, version)

    def _keep_up(self) -> None:
        """Open a new assistant when names were added, removed or tuned since."""
        if _stamp(self._bank_path) != self._stamp or self._has_other_concepts():
            self._assistant = self._open_assistant()
            self._stamp = _stamp(self._bank_path)

    def _has_other_concepts(self) -> bool:
        known = {concept.id: concept.name for concept in self._assistant.concepts}
        return known != {
            c.id: c.name for c in self._library.concepts() if c.id in self._assistant.bank.concepts
        }


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size in bytes and modification time in nanoseconds; None where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns)
