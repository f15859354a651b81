"""Groups photos that are the same, nearly the same, or of one burst; deletes nothing and opens no photo.

Nearly the same means that perceptual hashes differ in at most five of their 64 bits: a photo that was shrunk,
saved again or slightly edited. If two hashes differ in five bits, one of six parts of them is equal, so only
photos with an equal part are compared. A burst is a run of photos by one camera, seconds apart, each like
the one before.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from photopal.library.library import Library
from photopal.library.photos import PhashRecord
from photopal.photos import bits_apart, phash_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GroupKind = Literal["copies", "alike", "burst"]

_ALIKE_BITS = 5
_BURST_BITS = 18
_BURST_S = 3.0
# Frames that look the same may be further apart.
_SAME_SCENE_S = 10.0
_GRAY_SIDE_PX = 32
_FRAME_LEVELS = 24.0
_PARTS = ((0, 11), (11, 11), (22, 11), (33, 11), (44, 10), (54, 10))
_PAIRS_AT_ONCE = 4_000_000
_FILLED_AT_ONCE = 200


@dataclass(frozen=True)
class PhotoGroup:
    """Photos that belong together.

    Attributes:
        kind: `copies`: files with the same picture; `alike`: photos that look the same; `burst`: photos taken
            one right after the other.
        paths: At least two, each another file; of a burst the earliest first, else the best: the largest, of
            these the one of the highest quality, of these the one of which most is known.
    """

    kind: GroupKind
    paths: tuple[Path, ...]


def fill_in_phashes(library: Library) -> int:
    """Compute the hashes of photos that an older photopal added, from thumbnails; returns how many."""
    from PIL import Image

    filled = 0
    while rows := library.photos.thumbnails_without_phash(_FILLED_AT_ONCE):
        with library.writing():
            for photo_id, jpeg in rows:
                try:
                    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as thumbnail:
                        phash = phash_of(thumbnail)
                except (OSError, ValueError, SyntaxError):
                    phash = None
                library.photos.set_phash(photo_id, phash)
        filled += len(rows)
    return filled


def group_photos(library: Library) -> list[PhotoGroup]:
    """Group the photos whose files are there: copies first, then photos alike, then bursts.

    Frames of a burst are not alike, however little they differ. Of photos alike only the best may be a frame.
    """
    groups = []
    for photo_id, paths in library.paths.copies():
        distinct = _distinct_files(paths)
        if len(distinct) > 1:
            best = library.photos.get(photo_id).path
            groups.append(PhotoGroup("copies", tuple(sorted(distinct, key=lambda path: path != best))))
    rows = list(library.photos.phashes())
    thumbnails = _Thumbnails(library)
    pairs = (
        (one, other)
        for one, other in _alike_pairs(rows)
        if not _are_frames(rows[one], rows[other], thumbnails)
    )
    others: set[int] = set()
    for places in _grouped(rows, pairs):
        best_first = sorted(places, key=lambda place: _worth(rows[place]))
        group = _group("alike", library, [rows[place] for place in best_first])
        if group is not None:
            groups.append(group)
            others |= set(best_first[1:])
    rest = [row for place, row in enumerate(rows) if place not in others]
    groups += [group for burst in _bursts(rest) if (group := _group("burst", library, burst)) is not None]
    return groups


def _worth(row: PhashRecord) -> tuple[int, ...]:
    """What puts a photo before others that show the same: pixels, then quality, then what is known of it."""
    return -row.pixels, -row.picture_bytes, -row.known_facts, row.photo_id


def _group(kind: GroupKind, library: Library, rows: Iterable[PhashRecord]) -> PhotoGroup | None:
    paths = _distinct_files([library.photos.get(row.photo_id).path for row in rows])
    return PhotoGroup(kind, tuple(paths)) if len(paths) > 1 else None


def _distinct_files(paths: Sequence[Path]) -> list[Path]:
    """Return one path for each file that is there: links to one file are no copies of it.

    Files of which none can be reached, as on a drive that is away, are taken as the library knows them. Of
    several names of a file the first that is no link to another counts, in the place of the first of all.
    """
    files: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - of the file that a link leads to
        except OSError:
            continue
        key = (status.st_dev, status.st_ino)
        if key not in files or (_is_link(files[key]) and not _is_link(path)):
            files[key] = path
    return list(files.values()) if files else [path for path in paths if not path.is_symlink()]


def _is_link(path: Path) -> bool:
    """Whether a path, or a folder above it, is a link."""
    return os.path.realpath(path) != os.path.abspath(path)  # noqa: PTH100 - resolve follows links


class _Thumbnails:
    """Small gray pictures of photos, to tell a photo that was saved again from the next frame."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def differ(self, one: int, other: int) -> bool:
        """Whether two photos differ anywhere by more than saving again does."""
        import numpy as np
        from PIL import Image

        pictures = []
        for photo_id in (one, other):
            jpeg = self._library.photos.thumbnail_or_none(photo_id)
            try:
                with Image.open(io.BytesIO(jpeg or b"")) as thumbnail:
                    gray = thumbnail.convert("L").resize((_GRAY_SIDE_PX, _GRAY_SIDE_PX), Image.Resampling.BOX)
                    pictures.append(np.asarray(gray, dtype=np.float32))
            except (OSError, ValueError, SyntaxError):
                return False
        apart = pictures[0] - pictures[1]
        # A photo that was made lighter or darker is the same all over.
        return float(np.abs(apart - np.median(apart)).max()) > _FRAME_LEVELS


def _are_frames(one: PhashRecord, other: PhashRecord, thumbnails: _Thumbnails) -> bool:
    """Whether two photos that look the same are two exposures, taken seconds apart."""
    moments = _moment(one.taken_at), _moment(other.taken_at)
    if moments[0] is None or moments[1] is None or one.camera != other.camera:
        return False
    apart_s = abs(moments[0] - moments[1])
    if apart_s == 0:
        return one.pixels == other.pixels and thumbnails.differ(one.photo_id, other.photo_id)
    return apart_s <= _SAME_SCENE_S


def _bursts(rows: Iterable[PhashRecord]) -> Iterator[list[PhashRecord]]:
    timed = [(moment, row) for row in rows if (moment := _moment(row.taken_at)) is not None]
    timed.sort(key=lambda one: (one[1].camera or "", one[0], one[1].photo_id))
    burst: list[PhashRecord] = [timed[0][1]] if timed else []
    for (before_s, before), (now_s, now) in pairwise(timed):
        is_next = (
            now.camera == before.camera
            and now_s - before_s
            <= (_SAME_SCENE_S if bits_apart(now.phash, before.phash) <= _ALIKE_BITS else _BURST_S)
            and bits_apart(now.phash, before.phash) <= _BURST_BITS
        )
        if not is_next:
            if len(burst) > 1:
                yield burst
            burst = []
        burst.append(now)
    if len(burst) > 1:
        yield burst


def _moment(taken_at: str | None) -> float | None:
    """Return seconds that may be compared within a camera; the offset from UTC does not count."""
    try:
        return (datetime.fromisoformat((taken_at or "")[:19]) - datetime(1970, 1, 1)).total_seconds()
    except ValueError:
        return None


def _grouped(rows: Sequence[PhashRecord], pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Join pairs to groups of places in `rows`; each group and their list in order."""
    first = list(range(len(rows)))

    def root(place: int) -> int:
        while first[place] != place:
            first[place] = first[first[place]]
            place = first[place]
        return place

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        first[high] = low
    groups: dict[int, list[int]] = {}
    for place in range(len(rows)):
        groups.setdefault(root(place), []).append(place)
    return [places for places in groups.values() if len(places) > 1]


def _alike_pairs(rows: Sequence[PhashRecord]) -> Iterator[tuple[int, int]]:
    """Yield the places of photos whose hashes are at most a few bits apart; chains of equal hashes once."""
    import numpy as np

    if not rows:
        return
    phashes = np.array([row.phash for row in rows], dtype=np.int64).view(np.uint64)  # [photos]
    unique, which = np.unique(phashes, return_inverse=True)
    places = np.argsort(which, kind="stable")
    owners = places[np.searchsorted(which[places], np.arange(len(unique)))]  # [unique hashes]
    for place, number in enumerate(which):
        if owners[number] != place:
            yield int(owners[number]), place
    for start_bit, bits in _PARTS:
        part = (unique >> np.uint64(start_bit)) & np.uint64((1 << bits) - 1)
        order = np.argsort(part, kind="stable")
        for one, other in _pairs_with_equal_part(part[order]):
            apart = np.bitwise_count(unique[order[one]] ^ unique[order[other]])
            for near in np.flatnonzero(apart <= _ALIKE_BITS):
                yield int(owners[order[one[near]]]), int(owners[order[other[near]]])


def _pairs_with_equal_part(
    part: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of places in a sorted row that hold the same number, in portions.

    The pairs are those that lie one place apart, then two, and so on, until none is equal any more.
    """
    import numpy as np

    near = np.arange(len(part))
    for apart in range(1, len(part)):
        near = near[near + apart < len(part)]
        near = near[part[near] == part[near + apart]]
        if not len(near):
            return
        for start in range(0, len(near), _PAIRS_AT_ONCE):
            portion = near[start : start + _PAIRS_AT_ONCE]
            yield portion, portion + apart
