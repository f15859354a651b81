"""Brings a library in line with folders on disk; decides what came, moved and went.

A file whose path, size and time are known is not opened again. Contents are what a photo is, so a file that
moves keeps its caption and its names. What is gone is only marked, and not even that when so much is gone at
once that a drive is more likely missing than its photos. However many files there are, only a few of them are
in memory: the library is asked about some hundred at a time, and one bit is kept for each.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from photopal.library.connection import path_bytes, path_of
from photopal.library.index_gone import Gone
from photopal.library.index_reading import PhotoCount, Reader
from photopal.library.index_report import IndexReport
from photopal.library.index_run import IndexRun
from photopal.library.places import PlaceNames
from photopal.library.store import Library
from photopal.photos import find_photos

OnProgress = Callable[[int, int | None, Path], None]
"""Called with the number of files done, the number of files once it is known, and the file at hand."""

_FILES_AT_ONCE = 200
_COUNT_AFTER_S = 1.0


def index_folders(
    library: Library,
    roots: Sequence[Path],
    *,
    on_progress: OnProgress | None = None,
    accept_loss: bool = False,
    place_names: PlaceNames | None = None,
) -> IndexReport:
    """Record the photos under folders, and mark those that are gone from them.

    Files are read in several threads and committed at most two seconds apart, so that a run that is killed
    loses no more, and the next one reads nothing again.

    Args:
        library: Open for writing.
        roots: Folders or single files; what the library knows elsewhere is left alone.
        on_progress: Told of each file, in the thread that calls this.
        accept_loss: Mark photos missing even where a root looks offline.
        place_names: For callers that index often: reading the names takes seconds.

    Raises:
        LibraryLockedError: Another process is writing and does not stop.
    """
    absolute_roots = list(dict.fromkeys(path_of(path_bytes(root)) for root in roots))
    gone = Gone(library, absolute_roots)
    progress = _Progress(absolute_roots, on_progress)
    with Reader(place_names or PlaceNames()) as reader:
        run = IndexRun(library, reader, gone, on_done=progress.step)
        try:
            for paths in _portions(find_photos(absolute_roots, on_skip=run.skip)):
                run.visit(paths)
            run.finish_reading()
        except KeyboardInterrupt:
            run.commit()
            raise
        finally:
            progress.end()
        run.commit()
    gone.settle(run.report, accept_loss=accept_loss)
    return run.report


def forget_gone(library: Library, root: Path) -> IndexReport:
    """Mark what the library knows below a folder and is not there any more; no photo is read or looked for.

    As for `index_folders`, nothing is marked where so much is gone that the folder looks offline.
    """
    gone, report = Gone(library, [root]), IndexReport()
    for file in library.files_below(root):
        if os.path.lexists(file.path):
            gone.note_found(path_bytes(file.path), file.number)
    gone.settle(report, accept_loss=False)
    return report


class _Progress:
    """Tells how far a run is; counts the files beside it when it takes its time."""

    def __init__(self, roots: Sequence[Path], on_progress: OnProgress | None) -> None:
        self._tell = on_progress
        self._done = 0
        self._count = PhotoCount(roots)
        self._count_at_s = time.monotonic() + _COUNT_AFTER_S

    def step(self, path: Path) -> None:
        self._done += 1
        if self._tell is None:
            return
        if self._count.ident is None and time.monotonic() >= self._count_at_s:
            self._count.start()
        self._tell(self._done, self._count.total, path)

    def end(self) -> None:
        self._count.end()
        if self._count.ident is not None:
            self._count.join()


def _portions(paths: Iterable[Path]) -> Iterator[list[Path]]:
    remaining = iter(paths)
    while portion := list(itertools.islice(remaining, _FILES_AT_ONCE)):
        yield portion
