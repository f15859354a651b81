"""Finds the face that recurs on the reference photos of a person; knows vectors only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photopal.faces.people import THRESHOLD

SAME = 0.55
"""Two single faces of one person seldom lie farther apart."""

_ROUNDS = 3


@dataclass(frozen=True)
class RecurringFace:
    """The face that the most photos have in common.

    Attributes:
        indexes: For each photo the index of the face, None where it is on none of the photo's.
        rivals: The same of other faces that recur as often, so that only the user can tell; empty
            where there is no tie.
    """

    indexes: tuple[int | None, ...]
    rivals: tuple[tuple[int | None, ...], ...] = ()

    @property
    def is_tie(self) -> bool:
        """Whether another face recurs as often."""
        return bool(self.rivals)


def find_recurring(photos: Sequence[NDArray[np.float32]]) -> RecurringFace | None:
    """Find whose face it is on photos that all show one person, some with other people.

    Args:
        photos: For each photo `[faces, 128]`; an empty array for a photo without faces.

    Returns:
        None where no photo has a face. With one photo, or where two people are on every photo together, the
        faces that recur as often are in `rivals`.
    """
    choices: list[tuple[tuple[int | None, ...], float]] = []
    for photo, vectors in enumerate(photos):
        for face in range(len(vectors)):
            if any(indexes[photo] == face for indexes, _ in choices):
                continue
            choices.append(_follow(photos, vectors[face]))
    if not choices:
        return None
    choices.sort(key=lambda choice: (-_photo_count(choice[0]), choice[1]))
    best = choices[0][0]
    rivals = [
        indexes
        for indexes, _ in dict(choices).items()
        if _photo_count(indexes) == _photo_count(best) and not _share_face(indexes, best)
    ]
    return RecurringFace(best, tuple(rivals))


def _follow(
    photos: Sequence[NDArray[np.float32]], seed: NDArray[np.float32]
) -> tuple[tuple[int | None, ...], float]:
    """The faces like one, one of each photo at most, and how far they lie from their mean on average."""
    center, limit = seed, SAME
    indexes: tuple[int | None, ...] = ()
    for _ in range(_ROUNDS):
        indexes = tuple(_nearest(vectors, center, limit) for vectors in photos)
        chosen = [vectors[index] for vectors, index in zip(photos, indexes, strict=True) if index is not None]
        if not chosen:
            return indexes, limit
        # From the second round the mean of several faces is compared, which lies closer to each.
        center, limit = np.mean(chosen, axis=0), max(THRESHOLD, SAME - 0.02 * len(chosen))
    mean_distance = float(np.mean([np.linalg.norm(vector - center) for vector in chosen]))
    return indexes, mean_distance


def _nearest(vectors: NDArray[np.float32], center: NDArray[np.float32], limit: float) -> int | None:
    if not len(vectors):
        return None
    spread = np.linalg.norm(vectors - center, axis=1)
    index = int(np.argmin(spread))
    return index if spread[index] <= limit else None


def _photo_count(indexes: Sequence[int | None]) -> int:
    return sum(index is not None for index in indexes)


def _share_face(first: Sequence[int | None], second: Sequence[int | None]) -> bool:
    return any(a is not None and a == b for a, b in zip(first, second, strict=True))
