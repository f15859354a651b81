"""A watch that runs in a thread beside the test, on real folders, with waits that end as soon as they can."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from photopal.ingest.watch import WatchEvent, WatchOptions, WatchOutcome, WatchReport, watch_folders

QUICK = {"settle_s": 0.15, "retry_s": 0.1, "poll_s": 0.2, "empty_s": 0.5}
PATIENCE_S = 120.0


def make_jpeg(seed: int = 0) -> bytes:
    """Make a JPEG file's bytes, unlike those of any other seed."""
    encoded = io.BytesIO()
    levels = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(levels).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def wait_for(condition: Callable[[], object], what: str = "") -> None:
    """Wait until something is so; fail when it is not for a long time."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)


class Watch:
    """A running watch, what it told and what it handed over."""

    def __init__(self, *folders: Path, **options: object) -> None:
        self.folders, self.options = folders, WatchOptions(**{**QUICK, **options})
        self.stop = threading.Event()
        self.events: list[WatchEvent] = []
        self.batches: list[list[Path]] = []
        self.known: set[Path] = set()
        self.on_photos: Callable[[list[Path]], WatchOutcome | None] = lambda photos: None
        self.report: WatchReport | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Watch:
        """Start, and wait until each folder is watched, polled or known to be gone."""
        self._thread.start()
        if not self.options.once:
            for folder in self.folders:
                wait_for(lambda folder=folder: self.told("watching", "polling", "gone", path=folder))
        return self

    def end(self) -> WatchReport:
        """Ask the watch to stop, wait, and return its report."""
        self.stop.set()
        return self.join()

    def join(self) -> WatchReport:
        """Wait for the watch's end."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the watch does not end"
        if self.error is not None:
            raise self.error
        assert self.report is not None
        return self.report

    @property
    def handed(self) -> list[Path]:
        """Everything that was handed over, taken or not, in order."""
        return [path for batch in self.batches for path in batch]

    def told(self, *kinds: str, path: Path | None = None) -> list[WatchEvent]:
        """Events of some kinds, of one path if it is given."""
        return [
            event
            for event in list(self.events)
            if event.kind in kinds and (path is None or event.path == path)
        ]

    def wait_for(self, *paths: Path) -> None:
        """Wait until photos were handed over."""
        wait_for(lambda: set(paths) <= set(self.handed), f"{paths} in {self.handed}; {self.events}")

    def _take(self, photos: list[Path]) -> WatchOutcome | None:
        self.batches.append(list(photos))
        return self.on_photos(list(photos))

    def _run(self) -> None:
        try:
            self.report = watch_folders(
                self.folders,
                options=self.options,
                on_photos=self._take,
                on_event=self.events.append,
                is_known=lambda path: path in self.known,
                stop=self.stop,
            )
        except BaseException as error:  # noqa: BLE001 - it is the test's, in another thread
            self.error = error


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to watch."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


@pytest.fixture
def make_watch() -> Iterator[Callable[..., Watch]]:
    """Make watches, and end those that the test leaves running."""
    watches: list[Watch] = []

    def make(*folders: Path, **options: object) -> Watch:
        watches.append(Watch(*folders, **options))
        return watches[-1]

    yield make
    for watch in watches:
        watch.stop.set()
    for watch in watches:
        if watch._thread.ident is not None:
            watch._thread.join(PATIENCE_S)


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    """Make a JPEG file's bytes, unlike those of any other seed."""
    return make_jpeg


@pytest.fixture
def save() -> Callable[..., Path]:
    """Write a photo in one go, its folder too."""

    def save_photo(path: Path, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_jpeg(seed))
        return path

    return save_photo


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until something is so."""
    return wait_for
