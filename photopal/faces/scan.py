"""Searches the photos of a library for faces, and groups what it finds; each photo once."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from photopal.errors import PhotoChangedError, PhotoError
from photopal.faces.detector import DETECTOR, FaceDetector, load_detector
from photopal.faces.groups import FaceGroups, Group
from photopal.library import Library
from photopal.library.models import Face, FaceGroup, FaceRecord, PhotoRecord
from photopal.library.originals import checked
from photopal.photos import Skipped
from photopal.progress import OnProgress

_MOST_THREADS = 4
_COMMIT_EVERY_S = 2.0

Wanted = TypeVar("Wanted")


@dataclass
class ScanReport:
    """What came of a search.

    Attributes:
        photos: How many photos were searched.
        faces: How many faces were found.
        skipped: Photos that could not be read. Those whose file was not there, or was another picture, are
            tried again next time.
    """

    photos: int = 0
    faces: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def scan_library(
    library: Library,
    *,
    detector: FaceDetector | None = None,
    photos: Iterable[PhotoRecord] | None = None,
    on_progress: OnProgress | None = None,
) -> ScanReport:
    """Search the photos that were not searched yet, and put their faces into groups.

    Photos are searched in several threads and committed every two seconds, so that a run that is killed
    loses no more, and the next one searches nothing again.

    Args:
        library: Open for writing.
        detector: The one that is loaded once where it is left out.
        photos: Only these; those that were searched are passed over.
        on_progress: Told of each photo, in the thread that calls this.

    Raises:
        ModelError: Faces cannot be found on this machine.
        LibraryLockedError: Another process is writing and does not stop.
    """
    report = ScanReport()
    wanted: Iterable[PhotoRecord]
    if photos is None:
        total = library.faces.counts(detector=DETECTOR)["unscanned"]
        wanted = library.faces.unscanned(detector=DETECTOR)
    else:
        wanted = [photo for photo in photos if not library.faces.is_scanned(photo.id, detector=DETECTOR)]
        total = len(wanted)
    if total == 0:
        return report
    detector = detector or load_detector()
    pending: list[tuple[PhotoRecord, list[Face]]] = []
    groups = _load_groups(library)
    committed_at_s = time.monotonic()
    found = find_ahead(detector, wanted, lambda photo: photo.path)
    try:
        with closing(found):
            for done, (photo, faces_found) in enumerate(found, start=1):
                faces = checked(photo, faces_found)
                if isinstance(faces, PhotoError):
                    report.skipped.append(Skipped.by(photo.path, faces))
                    # A file that cannot be opened, or is another photo now, may be right tomorrow; a broken
                    # one has no faces.
                    if isinstance(faces, PhotoChangedError) or isinstance(faces.__cause__, OSError):
                        continue
                    faces = []
                pending.append((photo, faces))
                report.photos += 1
                report.faces += len(faces)
                if on_progress is not None:
                    on_progress(done, total, photo.path)
                if time.monotonic() - committed_at_s >= _COMMIT_EVERY_S:
                    _commit(library, groups, pending)
                    committed_at_s = time.monotonic()
    finally:
        # What was found before an interrupt or an error is kept too.
        _commit(library, groups, pending)
    return report


def find_ahead(
    detector: FaceDetector, wanted: Iterable[Wanted], path_of: Callable[[Wanted], Path]
) -> Generator[tuple[Wanted, list[Face] | PhotoError], None, None]:
    """Find faces in photos, a few ahead of whoever takes them; one decoded photo per thread is in memory.

    Close the iterator when leaving early.

    Args:
        detector: Searches in several threads; only describing a face, a tenth of the time, is done by one.
        wanted: Photos, or whatever stands for them; taken as they are needed, in the caller's thread.
        path_of: Where one lies.

    Yields:
        Each, in their order, with its faces or the error that kept it from being read.
    """
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="photopal-faces")
    at_work: deque[tuple[Wanted, Future[list[Face] | PhotoError]]] = deque()
    try:
        for one in wanted:
            at_work.append((one, pool.submit(_find, detector, path_of(one))))
            if len(at_work) > 2 * threads:
                first, future = at_work.popleft()
                yield first, future.result()
        while at_work:
            first, future = at_work.popleft()
            yield first, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _find(detector: FaceDetector, path: Path) -> list[Face] | PhotoError:
    try:
        return detector.find_in_file(path)
    except PhotoError as error:
        return error


def store_faces(library: Library, found: Sequence[tuple[PhotoRecord, Sequence[Face]]]) -> None:
    """Store the faces that were found on photos, in their groups.

    Args:
        library: Open for writing.
        found: Each photo that was searched, with its faces.
    """
    if found:
        _commit(library, _load_groups(library), [(photo, list(faces)) for photo, faces in found])


def settle_groups(library: Library) -> None:
    """Merge groups that are one person's and were left apart, before they are shown; those that changed only.

    Args:
        library: Open for writing.
    """
    if all(group.is_settled for group in library.faces.groups()):
        return
    with library.writing():
        groups = _load_groups(library)
        merged = groups.settle()
        library.faces.put_groups(
            [FaceGroup(group.id, group.total, group.count, is_settled=True) for group in groups.all()],
            faces={},
            merged=merged,
        )


def _load_groups(library: Library) -> FaceGroups:
    return FaceGroups(
        (
            Group(
                id=group.id,
                total=group.total,
                count=group.face_count,
                is_fixed=group.is_fixed or group.is_ignored,
                is_settled=group.is_settled,
            )
            for group in library.faces.groups()
        ),
        next_id=library.faces.next_group_id(),
        share_photo=library.faces.share_photo,
    )


def _commit(library: Library, groups: FaceGroups, pending: list[tuple[PhotoRecord, list[Face]]]) -> None:
    """Write down what was found, the faces with their groups, in one short transaction."""
    if not pending:
        return
    with library.writing():
        for photo, faces in pending:
            if not library.photos.is_still(photo):  # another program has indexed it as another picture
                continue
            for old in library.faces.of_photo(photo.id):
                if old.group_id is not None:
                    groups.remove(old.group_id, old.face.vector)
            library.faces.put(photo.id, faces, detector=DETECTOR)
            if faces:
                _group(library, groups, library.faces.of_photo(photo.id))
    pending.clear()


def _group(library: Library, groups: FaceGroups, records: Sequence[FaceRecord]) -> None:
    done = groups.add(
        [record.face.vector for record in records], qualities=[record.face.quality for record in records]
    )
    changed = sorted({group_id for group_id in done.groups if group_id is not None})
    library.faces.put_groups(
        [FaceGroup(group_id, groups[group_id].total, groups[group_id].count) for group_id in changed],
        faces=dict(zip((record.id for record in records), done.groups, strict=True)),
        merged=done.merged,
    )
