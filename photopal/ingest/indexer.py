"""Brings a library in line with folders on disk; decides what came, moved and went.

A file whose path, size and time are known is not opened again. Its picture is what a photo is, so a file that
moves or gets other metadata keeps its caption and its names. What is gone is only marked, and not even that
when so much is gone at once that a drive is more likely missing than its photos. However many files there
are, only a few of them are in memory: the library is asked about some hundred at a time, and one bit is kept
for each.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from stat import S_ISLNK

from photopal.errors import PhotoError
from photopal.files import Stamp, is_folder, leads_nowhere
from photopal.ingest.missing import Gone
from photopal.ingest.reader import BadFile, PhotoCount, Reader, ReadFile
from photopal.ingest.report import IndexReport
from photopal.library.connection import path_bytes, path_of
from photopal.library.library import Library
from photopal.library.paths import KnownPath, KnownProblem
from photopal.photos import Skipped, find_photos, hash_bytes_of, record_photo
from photopal.photos.exclude import Excludes, compile_globs
from photopal.photos.geocode import PlaceNames
from photopal.photos.picasa import is_picasa_named
from photopal.photos.sidecars import SidecarFinder, Sidecars, is_sidecar_named, photos_of_sidecar
from photopal.progress import OnProgress

_COMMIT_EVERY_S = 1.0

_Stamp = tuple[int | None, int | None]


class IndexRun:
    """One run: what is being read, and what is read but not committed yet.

    Args:
        library: Open for writing.
        reader: Reads files.
        gone: Told of each file that is found.
        on_done: Told of each file when nothing more is to be read of it.
    """

    def __init__(
        self, library: Library, reader: Reader, gone: Gone, *, on_done: Callable[[Path], None]
    ) -> None:
        self.report = IndexReport()
        self._library, self._reader, self._gone, self._on_done = library, reader, gone, on_done
        # What a file that is being read looked like when it was found, what was known of its path, and what
        # lies beside it.
        self._asked: dict[Path, tuple[tuple[int, int], KnownPath | None, Sidecars]] = {}
        self._sidecars = SidecarFinder()
        self._folder, self._is_linked_folder = "", False
        self._links: list[bytes] = []
        self._read_files: list[tuple[ReadFile, KnownPath | None, Sidecars]] = []
        self._solved: list[Path] = []
        self._revived: list[tuple[Path, int]] = []
        self._bad: list[tuple[Skipped, _Stamp]] = []
        self._committed_at_s = time.monotonic()

    def skip(self, skipped: Skipped) -> None:
        """Note a folder or link that cannot be searched."""
        self.report.skipped.append(skipped)
        self._gone.leave_out(skipped.path)

    def visit(self, paths: Sequence[Path]) -> None:
        """Take in files that were found, and have those read that may be new."""
        keys = [os.fsencode(path) for path in paths]
        known, problems = self._library.paths.known_at(keys), self._library.paths.known_problems_at(keys)
        read_before = self._library.facts.stamps_at(keys)
        for path, key in zip(paths, keys, strict=True):
            self._gone.note_found(key, known[key].number if key in known else None)
            sidecars = self._sidecars.find(path)
            is_read = read_before.get(key) == sidecars.stamp
            self._visit(path, known.get(key), problems.get(key), sidecars=sidecars, is_read=is_read)
            self._take_in(until=self._reader.room)
            self._commit_when_due()
        if self._links:
            self._library.paths.prefer_files(self._links)
            self._links = []

    def finish_reading(self) -> None:
        """Wait for all that is being read, and remove what a killed run left beside the photos."""
        self._take_in(until=0)
        self._record_picasa_files()
        self.report.parts = self._library.sidecars.remove_parts(self._sidecars.parts)

    def commit(self) -> None:
        """Write down what was read since the last commit, in one short transaction."""
        if self._read_files or self._revived or self._bad or self._solved:
            with self._library.writing():
                for file, known, sidecars in self._read_files:
                    self._record(file, known)
                    self._record_sidecars(file, sidecars)
                for path, photo_id in self._revived:
                    self._revive(path, photo_id)
                for skipped, stamp in self._bad:
                    self._library.paths.add_problem(skipped, size_bytes=stamp[0], mtime_ns=stamp[1])
                    if stamp != (None, None):
                        # The file was read and is broken: the photo that was at this path is not there now.
                        self._library.paths.mark_missing([skipped.path])
                self._library.paths.clear_problems(self._solved)
        self._read_files, self._revived, self._bad, self._solved = [], [], [], []
        self._committed_at_s = time.monotonic()

    def _visit(
        self,
        path: Path,
        known: KnownPath | None,
        problem: KnownProblem | None,
        *,
        sidecars: Sidecars,
        is_read: bool,
    ) -> None:
        try:
            status = path.lstat()
            is_link = S_ISLNK(status.st_mode)
            stamp = Stamp.of(path.stat() if is_link else status)
        except OSError as error:
            self._note_bad(Skipped(path, f"cannot be opened: {error.strerror or error}"), (None, None))
            return
        if known is not None and (is_link or self._is_in_linked_folder(path)):
            self._links.append(os.fsencode(path))
        if problem is not None and problem.stamp == stamp:
            self.report.skipped.append(Skipped(path, problem.reason))
        elif known is not None and known.stamp == stamp and known.is_hashed:
            if known.is_missing:
                self._revived.append((path, known.photo_id))
            elif is_read:
                self.report.unchanged += 1
            if problem is not None:
                self._solved.append(path)
            if not is_read and not known.is_missing:
                # The picture is as it was: only what is said of it is read again.
                self._asked[path] = (stamp, known, sidecars)
                self._reader.read_metadata(path, None, sidecars)
                return
        else:
            self._asked[path] = (stamp, known, sidecars)
            self._reader.fingerprint(path)
            return
        self._on_done(path)

    def _is_in_linked_folder(self, path: Path) -> bool:
        """Whether a path leads through a link to a folder; files of one folder come one after the other."""
        folder = os.path.dirname(path)  # noqa: PTH120
        if folder != self._folder:
            self._folder, self._is_linked_folder = folder, os.path.realpath(folder) != folder
        return self._is_linked_folder

    def _take_in(self, *, until: int) -> None:
        """Take in what the reader has read, until no more than some files are at work."""
        while len(self._reader) > until:
            done = self._reader.take(timeout_s=self._committed_at_s + _COMMIT_EVERY_S - time.monotonic())
            if isinstance(done, BadFile):
                # A file that cannot be opened may be readable tomorrow without having changed.
                is_lasting = not (isinstance(done.error.__cause__, OSError) and done.error.__cause__.errno)
                stamp = self._end(done.path)[0]
                self._note_bad(
                    Skipped.by(done.path, done.error), stamp if is_lasting else (None, None), is_told=True
                )
            elif done is not None and done.metadata is None and done.fingerprint is not None:
                sidecars = self._asked[done.path][2]
                if self._needs_no_more(done):
                    self._reader.read_metadata(done.path, done.fingerprint, sidecars)
                else:
                    self._reader.read_photo(done.path, done.fingerprint, sidecars)
            elif done is not None:
                _, known, sidecars = self._end(done.path)
                self._read_files.append((done, known, sidecars))
            self._commit_when_due()

    def _end(self, path: Path) -> tuple[tuple[int, int], KnownPath | None, Sidecars]:
        self._on_done(path)
        return self._asked.pop(path)

    def _needs_no_more(self, file: ReadFile) -> bool:
        """Whether a fingerprint says all: the file is as it was, or its bytes were read before."""
        pictures, print_ = self._library.pictures, file.fingerprint
        assert print_ is not None, "asked of files that were fingerprinted"
        if self._is_only_hashed(file, self._asked[file.path][1]) or pictures.has_bytes(print_.content_hash):
            return True
        if not pictures.has_unread(print_.size_bytes):
            return False
        try:
            return pictures.identify(hash_bytes_of(file.path), print_.picture_hash)
        except PhotoError:
            return False

    @staticmethod
    def _is_only_hashed(file: ReadFile, known: KnownPath | None) -> bool:
        """Whether a file that an earlier version indexed was read for its hashes alone."""
        stamp = None if file.fingerprint is None else file.fingerprint.stamp
        return known is not None and not known.is_hashed and known.stamp == stamp

    def _commit_when_due(self) -> None:
        if time.monotonic() - self._committed_at_s >= _COMMIT_EVERY_S:
            self.commit()

    def _note_bad(self, skipped: Skipped, stamp: _Stamp, *, is_told: bool = False) -> None:
        self.report.skipped.append(skipped)
        self._bad.append((skipped, stamp))
        if not is_told:
            self._on_done(skipped.path)

    def _record(self, file: ReadFile, known: KnownPath | None) -> None:
        """Write a file down and count it as what it is: new, changed, moved, revived or only touched."""
        library, print_ = self._library, file.fingerprint
        if print_ is None:
            self._put_facts(file)
            self.report.unchanged += 1
            return
        if file.photo is None and self._is_only_hashed(file, known):
            self._complete(file, known)
            return
        same_id = library.pictures.find(
            print_.content_hash, print_.picture_hash, photo_id=None if known is None else known.photo_id
        )
        if file.photo is None and same_id is None:
            self._record_whole(file, known)
            return
        was_missing = same_id is not None and library.photos.is_missing(same_id)
        is_edited = not library.pictures.has_bytes(print_.content_hash)
        gone_paths = [] if same_id is None else [p for p in library.paths.of(same_id) if leads_nowhere(p)]
        if file.photo is not None:
            photo_id = library.photos.add(file.photo, place=file.place)
        else:
            assert same_id is not None, "a file of no known photo was read whole"
            photo_id = same_id
            library.paths.add(
                photo_id,
                file.path,
                size_bytes=print_.size_bytes,
                mtime_ns=print_.mtime_ns,
                content_hash=print_.content_hash,
                orientation=None if file.metadata is None else file.metadata.value("orientation") or 1,
            )
            self._put_facts(file)
        library.paths.mark_missing(path for path in gone_paths if path != file.path)
        if known is not None and not known.is_missing and (known.photo_id != photo_id or is_edited):
            self.report.changed += 1
        elif was_missing:
            self.report.revived += 1
        elif same_id is None:
            self.report.added += 1
        elif gone_paths:
            self.report.moved += 1
        else:
            self.report.unchanged += 1

    def _record_sidecars(self, file: ReadFile, sidecars: Sidecars) -> None:
        """Write down which of a photo's sidecars cannot be read, and that the others can be."""
        unread = () if file.metadata is None else file.metadata.unread
        self._library.paths.clear_problems(set(sidecars.paths) - {skipped.path for skipped in unread})
        for skipped in unread:
            self._note_unread(skipped)

    def _record_picasa_files(self) -> None:
        """Write down which of Picasa's files cannot be read, and that the others can be."""
        if files := self._sidecars.picasa_files:
            with self._library.writing():
                self._library.paths.clear_problems(path for path, reason in files.items() if reason is None)
                for path, reason in files.items():
                    if reason is not None:
                        self._note_unread(Skipped(path, f"sidecar not read: {reason}"))

    def _note_unread(self, sidecar: Skipped) -> None:
        self.report.unread_sidecars.append(sidecar)
        self._library.paths.add_problem(sidecar, size_bytes=None, mtime_ns=None)

    def _record_whole(self, file: ReadFile, known: KnownPath | None) -> None:
        """Write down a file that was only fingerprinted, as the photo with its bytes has changed since."""
        try:
            photo = record_photo(file.path, fingerprint=file.fingerprint)
        except PhotoError as error:
            self._note_bad(Skipped.by(file.path, error), (None, None), is_told=True)
            return
        self._record(replace(file, photo=photo), known)

    def _complete(self, file: ReadFile, known: KnownPath | None) -> None:
        print_ = file.fingerprint
        assert print_ is not None, "the file was read for its hashes"
        self._library.pictures.complete(
            path_bytes(file.path),
            content_hash=print_.content_hash,
            picture_hash=print_.picture_hash,
            picture_bytes=print_.picture_bytes,
        )
        self._put_facts(file)
        if known is not None and known.is_missing:
            self._revive(file.path, known.photo_id)
        else:
            self.report.unchanged += 1

    def _put_facts(self, file: ReadFile) -> None:
        assert file.metadata is not None, "only a file that was read is recorded"
        self._library.facts.put(file.path, file.metadata, sidecars=file.sidecars, place=file.place)

    def _revive(self, path: Path, photo_id: int) -> None:
        if self._library.photos.is_missing(photo_id):
            self.report.revived += 1
        else:
            self.report.unchanged += 1
        self._library.paths.mark_present([path])


_FILES_AT_ONCE = 200
_COUNT_AFTER_S = 1.0


def index_folders(
    library: Library,
    roots: Sequence[Path],
    *,
    on_progress: OnProgress | None = None,
    accept_loss: bool = False,
    globs: Sequence[str] | None = None,
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
        globs: What is not wanted of the roots, remembered for each; left out, what is remembered counts.
        place_names: For callers that index often: reading the names takes seconds.

    Raises:
        LibraryLockedError: Another process is writing and does not stop.
        UsageError: A glob cannot be read.
    """
    absolute_roots = list(dict.fromkeys(path_of(path_bytes(root)) for root in roots))
    if globs is not None:
        compile_globs(globs)
    for root in filter(Path.is_dir, absolute_roots if globs is not None else ()):
        library.facts.set_globs(root, globs or ())
    excludes = Excludes(absolute_roots, library.facts.globs())
    gone = Gone(library, absolute_roots, excludes)
    # What is counted beside the run is counted in a thread of its own.
    progress = _Progress(absolute_roots, on_progress, Excludes(absolute_roots, library.facts.globs()))
    with Reader(place_names or PlaceNames()) as reader:
        run = IndexRun(library, reader, gone, on_done=progress.step)
        try:
            photos = find_photos(
                absolute_roots,
                on_skip=run.skip,
                excludes=excludes,
                on_left_out=lambda what, number: run.report.left_out.update({what: number}),
            )
            for paths in _portions(photos):
                run.visit(paths)
            run.finish_reading()
        except KeyboardInterrupt:
            run.commit()
            raise
        finally:
            progress.end()
        run.commit()
    gone.settle(run.report, accept_loss=accept_loss)
    run.report.unread_sidecars = _unread_sidecars(library, absolute_roots, run.report.unread_sidecars)
    run.report.edited = library.pictures.settle()
    library.corrections.renew_words()
    return run.report


def _unread_sidecars(library: Library, roots: Sequence[Path], read: Sequence[Skipped]) -> list[Skipped]:
    """Return the sidecars that cannot be read, of those read just now and of those below folders.

    Those of which no photo is there, and those that are gone from beside a single photo, are forgotten.
    """
    found = {skipped.path: skipped.reason for skipped in read}
    for root in roots:
        found |= _sidecar_problems_below(library, root)
    beside = {root.parent for root in roots if not is_folder(root)}
    gone = [
        path
        for folder in beside
        for path in _sidecar_problems_below(library, folder)
        if leads_nowhere(path) and is_folder(path.parent)
    ]
    alone = [
        path
        for path in found
        if is_sidecar_named(path.name) and is_folder(path.parent) and not photos_of_sidecar(path)
    ]
    library.paths.clear_problems([*alone, *gone])
    return [Skipped(path, reason) for path, reason in found.items() if path not in alone]


def _sidecar_problems_below(library: Library, folder: Path) -> dict[Path, str]:
    return {
        path: reason
        for path, reason in library.paths.problems_below(folder)
        if is_sidecar_named(path.name) or is_picasa_named(path.name)
    }


def forget_gone(library: Library, root: Path) -> IndexReport:
    """Mark what the library knows below a folder and is not there any more; no photo is read or looked for.

    As for `index_folders`, nothing is marked where so much is gone that the folder looks offline.
    """
    gone, report = Gone(library, [root]), IndexReport()
    for file in library.paths.files_below(root):
        if not leads_nowhere(file.path):
            gone.note_found(path_bytes(file.path), file.number)
    gone.settle(report, accept_loss=False)
    return report


class _Progress:
    """Tells how far a run is; counts the files beside it when it takes its time."""

    def __init__(self, roots: Sequence[Path], on_progress: OnProgress | None, excludes: Excludes) -> None:
        self._tell = on_progress
        self._done = 0
        self._count = PhotoCount(roots, excludes)
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
