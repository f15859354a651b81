"""Captions photos as they come: into the library, then a caption; keeps up with a bank that others change."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import (
    CaptionedPhoto,
    RemoteAssistant,
    caption_photos,
    is_current,
    made_with,
)
from photopal.files import Stamp, stamp_of
from photopal.ingest.sync import LibrarySync
from photopal.library import Library, PhotoRecord
from photopal.library.photo_vectors import VectorFile
from photopal.photos import Skipped

IDLE_S = 300.0
"""After how many seconds without photos the model is let go."""


class _RestingSync(LibrarySync):
    """Keeps the library in step with folders; about once a second it calls when there is time to rest."""

    def __init__(self, library: Library, on_rest: Callable[[], None]) -> None:
        super().__init__(library)
        self._on_rest = on_rest

    def catch_up(self) -> None:
        """Do what is noted, then call."""
        super().catch_up()
        self._on_rest()


class WatchCaptioner:
    """Takes photos that came to rest and captions them.

    Where none came for long, the assistant and its model are let go, and opened again for the next.

    Args:
        library: Open for writing.
        bank_path: The bank's file; when it changes, a new assistant is opened.
        open_assistant: Opens one with the bank as it is now; must not hold the model itself.
        vectors: Where to store what makes photos comparable.
        before_caption: Called with photos that have come into the library.
        on_caption: Called with every new caption.
    """

    def __init__(
        self,
        library: Library,
        bank_path: Path,
        open_assistant: Callable[[], Assistant | RemoteAssistant],
        *,
        vectors: VectorFile | None = None,
        before_caption: Callable[[Collection[PhotoRecord]], object] = lambda photos: None,
        on_caption: Callable[[CaptionedPhoto], None],
    ) -> None:
        self._library, self._bank_path = library, bank_path
        self.sync = _RestingSync(library, self.rest)
        self.idle_s = IDLE_S
        self._open_assistant, self._on_caption, self._vectors = open_assistant, on_caption, vectors
        self._before_caption = before_caption
        self._assistant: Assistant | RemoteAssistant | None = None
        self._stamp: Stamp | None = None
        self._said: tuple[object, ...] = ()
        self._awake()

    @property
    def is_resting(self) -> bool:
        """Whether the assistant was let go."""
        return self._assistant is None

    def rest(self) -> None:
        """Let the assistant and its model go, if no photo came for long; call it whenever there is time."""
        if self._assistant is not None and time.monotonic() - self._since_s >= self.idle_s:
            if isinstance(self._assistant, RemoteAssistant):
                self._assistant.workers.close()
            self._assistant = None
            gc.collect()

    def take(self, paths: Sequence[Path]) -> list[Skipped]:
        """Index and caption photos; returns those that cannot be read."""
        assistant = self._awake()
        report = self.sync.take(paths)
        found = [self._library.photos.at(path) for path in paths]
        photos = {photo.id: photo for photo in found if photo is not None}.values()
        self._before_caption(photos)
        captions = caption_photos(
            self._library, assistant, photos, vectors=self._vectors, on_caption=self._on_caption
        )
        self._since_s = time.monotonic()
        return [*report.skipped, *captions.skipped]

    def has(self, path: Path) -> bool:
        """Whether a photo as it is on disk has a caption that is still good, or is known to be broken."""
        if not self.sync.has(path):
            return False
        photo = self._library.photos.at(path)
        return photo is None or is_current(self._library, photo, self._made_with)

    def _awake(self) -> Assistant | RemoteAssistant:
        """The assistant; a new one where it was let go, or there is something new to know names by since."""
        said = self._library.corrections.stamp()
        is_stale = (
            stamp_of(self._bank_path) != self._stamp or said != self._said or self._has_other_concepts()
        )
        if self._assistant is None or is_stale:
            self._said = said
            self._assistant = self._open_assistant()
            self._stamp = stamp_of(self._bank_path)
            self._made_with = made_with(self._library, self._assistant)
        self._since_s = time.monotonic()
        return self._assistant

    def _has_other_concepts(self) -> bool:
        if self._assistant is None:
            return True
        known = {concept.id: concept.name for concept in self._assistant.concepts}
        learned = self._assistant.bank.concepts
        return known != {c.id: c.name for c in self._library.concepts.all() if c.id in learned}
