"""Brings a library in line with folders on disk; reads photos, decides what came, moved and went.

A file whose path, size and time are known is not opened again. Contents are what a photo is, so a file
that moves keeps its caption and its names. What is gone is only marked, and not even that when so much
is gone at once that a drive is more likely missing than its photos.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from photopal.errors import PhotoError
from photopal.library.connection import path_bytes, path_of
from photopal.library.places import PlaceNames
from photopal.library.store import Library
from photopal.photos import Photo, Skipped, find_photos, hash_file, record_photo

OnProgress = Callable[[int, int, Path], None]
"""Called with the number of files done, the number of files, and the file at hand."""

_COMMIT_EVERY_S = 1.0
_SUDDEN_LOSS = 0.3
_SUDDEN_LOSS_PHOTOS = 5


@dataclass
class IndexReport:
    """What indexing found.

    Attributes:
        added: Photos the library did not know.
        changed: Paths that hold other contents than before.
        moved: Photos found at a new path, their old one gone.
        removed: Photos whose last file is gone; marked missing.
        unchanged: Files not opened, or opened and found the same.
        revived: Photos that were missing and are there again.
        skipped: Files and folders that could not be read, and why.
        offline: Roots of which too much is gone to believe it; nothing of them is marked.
    """

    added: int = 0
    changed: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    revived: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    offline: list[Path] = field(default_factory=list)


class _KnownPath(NamedTuple):
    photo_id: int
    stamp: tuple[int, int]  # size in bytes, modification time in nanoseconds
    is_missing: bool


class _ReadFile(NamedTuple):
    path: Path
    stamp: tuple[int, int]
    content_hash: str
    photo: Photo | None  # None where the library has the contents already
    place: str | None


class _KnownProblem(NamedTuple):
    reason: str
    stamp: tuple[int | None, int | None]


def index_folders(
    library: Library,
    roots: Sequence[Path],
    *,
    on_progress: OnProgress | None = None,
    accept_loss: bool = False,
) -> IndexReport:
    """Record the photos under folders, and mark those that are gone from them.

    Commits at least every two seconds of reading, so that a run that is killed loses no more.

    Args:
        library: Open for writing.
        roots: Folders or single files; what the library knows elsewhere is left alone.
        on_progress: Told of each file.
        accept_loss: Mark photos missing even where a root looks offline.

    Raises:
        LibraryLockedError: Another process is writing and does not stop.
    """
    run = _Run(library, IndexReport())
    absolute_roots = [path_of(path_bytes(root)) for root in roots]
    files = list(find_photos(absolute_roots, on_skip=run.skip))
    for number, path in enumerate(files, start=1):
        run.visit(path)
        if on_progress is not None:
            on_progress(number, len(files), path)
    run.commit()
    for root in dict.fromkeys(absolute_roots):
        run.settle_root(root, accept_loss=accept_loss)
    return run.report


class _Run:
    """One run over some folders: what was known before, what is found, what is not committed yet."""

    def __init__(self, library: Library, report: IndexReport) -> None:
        self.report = report
        self._library = library
        self._known = {
            path: _KnownPath(photo_id, (size_bytes, mtime_ns), is_missing)
            for path, photo_id, size_bytes, mtime_ns, is_missing in library.known_paths()
        }
        self._problems = {
            path: _KnownProblem(reason, (size_bytes, mtime_ns))
            for path, reason, size_bytes, mtime_ns in library.known_problems()
        }
        self._found: set[bytes] = set()
        self._unreachable: list[bytes] = []
        self._place_names = PlaceNames()
        self._known_sizes = {known.stamp[0] for known in self._known.values()}
        self._read_files: list[_ReadFile] = []
        self._solved: list[Path] = []
        self._revived: list[Path] = []
        self._bad: list[tuple[Skipped, tuple[int | None, int | None]]] = []
        self._committed_at = time.monotonic()

    def skip(self, skipped: Skipped) -> None:
        """Note a folder or link that cannot be searched; nothing below it counts as gone."""
        self.report.skipped.append(skipped)
        self._unreachable.append(path_bytes(skipped.path))

    def visit(self, path: Path) -> None:
        """Take one file in, reading it only if it may be new."""
        key = path_bytes(path)
        self._found.add(key)
        known, problem = self._known.get(key), self._problems.get(key)
        try:
            status = path.stat()
        except OSError as error:
            self._note_bad(Skipped(path, f"cannot be opened: {error.strerror or error}"), (None, None))
            return
        stamp = (status.st_size, status.st_mtime_ns)
        if problem is not None and problem.stamp == stamp:
            self.report.skipped.append(Skipped(path, problem.reason))
        elif known is not None and known.stamp == stamp:
            if known.is_missing:
                self._revived.append(path)
            else:
                self.report.unchanged += 1
            if problem is not None:
                self._solved.append(path)
        else:
            self._read(path, stamp)
        if time.monotonic() - self._committed_at >= _COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """Write down what was read since the last commit, in one short transaction."""
        if self._read_files or self._revived or self._bad or self._solved:
            with self._library.writing():
                for file in self._read_files:
                    self._record(file)
                for path in self._revived:
                    self._revive(path)
                for skipped, stamp in self._bad:
                    self._record_bad(skipped, stamp)
                self._library.clear_problems(self._solved)
        self._read_files, self._revived, self._bad, self._solved = [], [], [], []
        self._committed_at = time.monotonic()

    def settle_root(self, root: Path, *, accept_loss: bool) -> None:
        """Mark what is gone from a root, unless the root looks offline."""
        root_key = path_bytes(root)
        present = {
            key for key, known in self._known.items() if not known.is_missing and _is_below(key, root_key)
        }
        gone = {key for key in present - self._found if not self._is_unreachable(key, root_key)}
        lost = {key for key in gone if not self._is_elsewhere(key, gone)}
        if lost and not accept_loss and self._looks_offline(root_key, lost, present):
            self.report.offline.append(root)
            gone -= lost
        elif root_key not in gone:
            self._forget_problems_below(root_key)
        if gone or root in self.report.offline:
            self.report.skipped = [skipped for skipped in self.report.skipped if skipped.path != root]
        self.report.removed += self._library.mark_missing(map(path_of, sorted(gone)))

    def _looks_offline(self, root_key: bytes, lost: set[bytes], present: set[bytes]) -> bool:
        """Tell a missing drive from missing photos: nothing is left, or much is gone at once."""
        if root_key in lost:
            # A single file was asked for; its folder tells whether the drive is there.
            return not path_of(root_key).parent.is_dir()
        if not any(_is_below(key, root_key) for key in self._found):
            return True
        return len(lost) >= _SUDDEN_LOSS_PHOTOS and len(lost) > _SUDDEN_LOSS * len(present)

    def _forget_problems_below(self, root_key: bytes) -> None:
        self._library.clear_problems(
            path_of(key) for key in self._problems if key not in self._found and _is_below(key, root_key)
        )

    def _read(self, path: Path, stamp: tuple[int, int]) -> None:
        """Read a file that is new or touched; known contents are only hashed."""
        photo, place = None, None
        try:
            content_hash = hash_file(path) if stamp[0] in self._known_sizes else ""
            if not content_hash or self._library.photo_with_hash(content_hash) is None:
                photo = record_photo(path)
                content_hash, stamp = photo.content_hash, (photo.size_bytes, photo.mtime_ns)
                place = self._place_names.name(photo.exif.latitude, photo.exif.longitude)
        except PhotoError as error:
            # A file that cannot be opened may be readable tomorrow without having changed.
            is_lasting = not (isinstance(error.__cause__, OSError) and error.__cause__.errno)
            reason = error.message.removeprefix(f"{path} ")
            self._note_bad(Skipped(path, reason), stamp if is_lasting else (None, None))
            return
        self._known_sizes.add(stamp[0])
        self._read_files.append(_ReadFile(path, stamp, content_hash, photo, place))

    def _note_bad(self, skipped: Skipped, stamp: tuple[int | None, int | None]) -> None:
        self.report.skipped.append(skipped)
        self._bad.append((skipped, stamp))

    def _record(self, file: _ReadFile) -> None:
        """Write a file down and count it as what it is: new, changed, moved, revived or only touched."""
        library, key = self._library, path_bytes(file.path)
        known, same = self._known.get(key), library.photo_with_hash(file.content_hash)
        was_missing = same is not None and library.is_missing(same.id)
        gone_paths = [] if same is None else [p for p in library.paths(same.id) if not os.path.lexists(p)]
        if file.photo is not None:
            photo_id = library.add_photo(file.photo, place=file.place)
        else:
            assert same is not None, "contents are only hashed where the library has them"
            photo_id = same.id
            library.add_path(photo_id, file.path, size_bytes=file.stamp[0], mtime_ns=file.stamp[1])
        library.mark_missing(path for path in gone_paths if path != file.path)
        self._known[key] = _KnownPath(photo_id, file.stamp, is_missing=False)
        if known is not None and not known.is_missing and known.photo_id != photo_id:
            self.report.changed += 1
        elif was_missing:
            self.report.revived += 1
        elif same is None:
            self.report.added += 1
        elif gone_paths:
            self.report.moved += 1
        else:
            self.report.unchanged += 1

    def _record_bad(self, skipped: Skipped, stamp: tuple[int | None, int | None]) -> None:
        self._library.add_problem(skipped, size_bytes=stamp[0], mtime_ns=stamp[1])
        if stamp != (None, None):
            # The file was read and is broken: the photo that was at this path is not there now.
            self._library.mark_missing([skipped.path])

    def _revive(self, path: Path) -> None:
        known = self._known[path_bytes(path)]
        if self._library.is_missing(known.photo_id):
            self.report.revived += 1
        else:
            self.report.unchanged += 1
        self._library.mark_present([path])

    def _is_unreachable(self, key: bytes, root_key: bytes) -> bool:
        return any(_is_below(key, folder) for folder in self._unreachable if folder != root_key)

    def _is_elsewhere(self, key: bytes, gone: set[bytes]) -> bool:
        photo_id = self._known[key].photo_id
        return any(path_bytes(path) not in gone for path in self._library.paths(photo_id))


def _is_below(key: bytes, folder: bytes) -> bool:
    """Tell whether a path is a folder's or is the folder itself."""
    return key == folder or key.startswith(folder.rstrip(os.sep.encode()) + os.sep.encode())
