"""Groups faces that nobody has named, one photo at a time; knows vectors, no library.

A new face joins the group whose mean is nearest, or founds one. Only the groups that it changes are looked at
again: two whose means have come close together become one. So a photo more never regroups all. Before groups
are shown, those that changed are settled: what the order in which the faces came left apart becomes one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from photopal.faces.detector import VECTOR_WIDTH
from photopal.faces.people import default_threshold

_MERGE = 0.33
"""Groups of at least two faces whose means are closer than this are one person's."""

# A face has as many chances to join a wrong group as there are groups: it must lie closer than for a name.
_CAREFULLY = 0.06

# Two groups are one person's if their faces lie no farther apart, as a root mean square over all pairs; with
# more faces around, strangers that are as close become more frequent.
_SETTLE, _SETTLED_FACES, _SETTLE_PER_TENFOLD, _SETTLE_LEAST = 0.52, 200, 0.03, 0.44
# The mean squared distance of a person's faces from their mean: 128 components of real photos.
_SPREAD = 0.1
_SETTLED_AT_ONCE = 256

MIN_QUALITY = 0.1
"""A face below this quality joins a group but founds none."""


@dataclass
class Group:
    """Faces of one person, as far as can be told.

    Attributes:
        id: Its number.
        total: `[128]`, the sum of the vectors.
        count: How many faces it has.
        is_fixed: Whether the user formed it, so that it is never merged unasked.
        is_settled: Whether it has not changed since groups were last settled.
    """

    id: int
    total: NDArray[np.float64]
    count: int
    is_fixed: bool = False
    is_settled: bool = False

    @property
    def center(self) -> NDArray[np.float64]:
        """`[128]`, the mean of the vectors."""
        return self.total / self.count


@dataclass
class Grouping:
    """What became of the faces of one photo.

    Attributes:
        groups: For each face the id of its group; None for a face too poor to found one.
        merged: Groups that are no more, with those that took them in, in this order.
    """

    groups: list[int | None] = field(default_factory=list)
    merged: list[tuple[int, int]] = field(default_factory=list)


class FaceGroups:
    """All groups of a library, in memory: 128 numbers each.

    Args:
        groups: Those there are.
        next_id: The number of the next one.
        share_photo: Tells whether some photo shows both of two groups, which then are two people.
    """

    def __init__(
        self,
        groups: Iterable[Group] = (),
        *,
        next_id: int = 1,
        share_photo: Callable[[int, int], bool] = lambda first, second: False,
    ) -> None:
        self._groups = {group.id: group for group in groups}
        self._next_id = next_id
        self._share_photo = share_photo
        # The rows of a matrix that grows by doubling, so that one face never costs a new matrix.
        self._rows: list[int] = []
        self._row_of: dict[int, int] = {}
        self._centers = np.empty((64, VECTOR_WIDTH), np.float32)
        for group in self._groups.values():
            self._place(group)

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._groups)

    def __getitem__(self, group_id: int) -> Group:
        """The group with a number."""
        return self._groups[group_id]

    def all(self) -> list[Group]:
        """All groups there are."""
        return list(self._groups.values())

    def add(
        self, vectors: Sequence[NDArray[np.float32]], *, qualities: Sequence[float] | None = None
    ) -> Grouping:
        """Put the faces of one photo into groups; no two of them into one.

        Args:
            vectors: `[128]` each.
            qualities: Of each face, 0 to 1; all are good when left out.
        """
        done = Grouping(groups=[None] * len(vectors))
        pairs = []
        for index, vector in enumerate(vectors):
            pairs += [(distance - limit, index, group_id) for group_id, distance, limit in self._near(vector)]
        taken: set[int] = set()
        for _, index, group_id in sorted(pairs):
            if done.groups[index] is None and group_id not in taken:
                done.groups[index] = group_id
                taken.add(group_id)
        for index, vector in enumerate(vectors):
            joined = done.groups[index]
            if joined is not None:
                self._join(self._groups[joined], vector)
            elif qualities is None or qualities[index] >= MIN_QUALITY:
                done.groups[index] = self._found(vector)
        for group_id in sorted(taken):
            self._merge_around(group_id, done, keep=[one for one in done.groups if one is not None])
        return done

    def remove(self, group_id: int, vector: NDArray[np.float32]) -> None:
        """Take a face out of its group."""
        group = self._groups[group_id]
        group.total = group.total - vector
        group.count -= 1
        if group.count:
            self._place(group)
        else:
            del self._groups[group_id]
            self._drop(group_id)

    def merge(self, group_id: int, into: int) -> None:
        """Make two groups one."""
        group, other = self._groups[into], self._groups.pop(group_id)
        group.total = group.total + other.total
        group.count += other.count
        group.is_settled = False
        self._drop(group_id)
        self._place(group)

    def settle(self) -> list[tuple[int, int]]:
        """Merge groups whose faces are alike, the closest pair first; of two at least one has changed.

        Returns:
            Groups that are no more, with those that took them in, in this order.
        """
        changed = [group.id for group in self._groups.values() if not group.is_settled]
        pairs: list[tuple[float, int, int, int]] = []
        for start in range(0, len(changed), _SETTLED_AT_ONCE):
            pairs += self._close_pairs(changed[start : start + _SETTLED_AT_ONCE])
        heapq.heapify(pairs)
        merged = []
        while pairs:
            _, first, second, count = heapq.heappop(pairs)
            if first not in self._groups or second not in self._groups:
                continue
            # A pair of which one has grown since stands in the heap again.
            if count != self._groups[first].count + self._groups[second].count:
                continue
            if self._share_photo(first, second):
                continue
            self.merge(second, first)
            merged.append((second, first))
            for pair in self._close_pairs([first]):
                heapq.heappush(pairs, pair)
        for group in self._groups.values():
            group.is_settled = True
        return merged

    def _close_pairs(self, ids: Sequence[int]) -> list[tuple[float, int, int, int]]:
        """Pairs to settle: how far apart they are, the older, the younger, and how many faces they have."""
        ids = [group_id for group_id in ids if not self._groups[group_id].is_fixed]
        if not ids:
            return []
        counts = np.array([self._groups[group_id].count for group_id in self._rows])
        faces = max(1.0, float(counts.sum()) / _SETTLED_FACES)
        limit = max(_SETTLE_LEAST, _SETTLE - _SETTLE_PER_TENFOLD * float(np.log10(faces)))
        centers = self._centers[: len(self._rows)]
        rows = [self._row_of[group_id] for group_id in ids]
        squares = (centers**2).sum(axis=1)
        # Of shape ids by groups: |a - b|², and how much the faces of each lie around its mean.
        spread = squares[rows][:, None] + squares[None] - 2 * centers[rows] @ centers.T
        around = _SPREAD * (1 - 1 / counts)
        spread = spread + around[rows][:, None] + around[None]
        found = []
        for index, row in zip(*np.nonzero(spread <= limit * limit), strict=True):
            first, second = sorted((ids[index], self._rows[row]))
            if first != second and not self._groups[self._rows[row]].is_fixed:
                count = self._groups[first].count + self._groups[second].count
                found.append((float(spread[index, row]), first, second, count))
        return found

    def _near(self, vector: NDArray[np.float32]) -> list[tuple[int, float, float]]:
        """Groups that a face may belong to: number, distance and how far it may be."""
        if not self._rows:
            return []
        spread = np.linalg.norm(self._centers[: len(self._rows)] - vector, axis=1)
        found = []
        for row in np.flatnonzero(spread <= _limit(1)):
            group_id = self._rows[row]
            limit = _limit(self._groups[group_id].count)
            if spread[row] <= limit:
                found.append((group_id, float(spread[row]), limit))
        return found

    def _join(self, group: Group, vector: NDArray[np.float32]) -> None:
        group.total = group.total + vector
        group.count += 1
        group.is_settled = False
        self._place(group)

    def _found(self, vector: NDArray[np.float32]) -> int:
        group = Group(id=self._next_id, total=vector.astype(np.float64), count=1)
        self._next_id += 1
        self._groups[group.id] = group
        self._place(group)
        return group.id

    def _merge_around(self, group_id: int, done: Grouping, *, keep: Collection[int]) -> None:
        """Merge a group that has changed with those that have come close."""
        while group_id in self._groups:
            group = self._groups[group_id]
            if group.is_fixed or group.count < 2:
                return
            spread = np.linalg.norm(self._centers[: len(self._rows)] - group.center, axis=1)
            near = [self._rows[row] for row in np.argsort(spread, kind="stable") if spread[row] <= _MERGE]
            other = next((one for one in near if one != group_id and self._may_merge(group, one, keep)), None)
            if other is None:
                return
            # The older number stays: the user may have seen it.
            into, gone = sorted((group_id, other))
            self.merge(gone, into)
            done.merged.append((gone, into))
            done.groups = [into if one == gone else one for one in done.groups]
            group_id = into

    def _may_merge(self, group: Group, other_id: int, keep: Collection[int]) -> bool:
        other = self._groups[other_id]
        is_same_photo = group.id in keep and other_id in keep
        return not (
            other.is_fixed or other.count < 2 or is_same_photo or self._share_photo(group.id, other_id)
        )

    def _place(self, group: Group) -> None:
        row = self._row_of.get(group.id)
        if row is None:
            row = len(self._rows)
            if row == len(self._centers):
                self._centers = np.concatenate([self._centers, np.empty_like(self._centers)])
            self._rows.append(group.id)
            self._row_of[group.id] = row
        self._centers[row] = group.center

    def _drop(self, group_id: int) -> None:
        """Take a group's row out; the last row takes its place."""
        row, last = self._row_of.pop(group_id), self._rows.pop()
        if last != group_id:
            self._rows[row] = last
            self._row_of[last] = row
            self._centers[row] = self._centers[len(self._rows)]


def _limit(count: int) -> float:
    """How far from the mean of so many faces another may lie."""
    return default_threshold(count, 1) - _CAREFULLY
