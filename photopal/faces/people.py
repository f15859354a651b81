"""Tells which registered people the faces of a photo show; knows vectors and years, no library.

A person is the mean of the vectors of their reference photos, which names better than the nearest of them.
A face within a threshold of the mean is theirs. The threshold is lower the more people it has to tell apart,
and lower still where somebody known not to be the person comes close. A name too few costs less than a wrong
one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from photopal.faces.detector import VECTOR_WIDTH

Vectors = NDArray[np.float32]
Verdict = Literal["present", "absent", "unsure"]

THRESHOLD = 0.47
"""Within this distance a face counts as a person's, with five references and up to ten people."""

# With fewer references their mean lies farther from everybody, the person too.
_THRESHOLDS = {1: 0.52, 2: 0.49, 3: 0.48, 4: 0.475}
_MANY_PEOPLE = 10
# Of strangers' distances a tenth as many lie below a threshold that is this much lower.
_PER_TENFOLD = 0.06
_LOWEST, _HIGHEST_RAISE = 0.36, 0.02
# How far a threshold stays below the nearest face that is known to be somebody else's.
_CLEARANCE = 0.04
MARGIN = 0.03
"""A face that two people share more evenly than this is neither's for sure."""
_SLOPE = 40.0
_NONE = np.empty((0, VECTOR_WIDTH), np.float32)
UNSURE_UP_TO = 0.075
"""A face this much farther than the threshold may still be the person's."""
_MOST_NEGATIVES_OUT = 0.005

# Faces of different children lie closer together than those of adults, the younger the closer.
_NO_VERDICT_BEFORE, _CAREFUL_BEFORE, _GROWN = 6, 10, 18
_CAREFULLY = 0.05


@dataclass(frozen=True)
class Person:
    """Somebody whose faces can be told.

    Attributes:
        concept_id: The concept.
        center: `[128]`, the mean of the references.
        reference_count: How many vectors it is the mean of.
        threshold: Faces up to this distance count as theirs.
        recall: The part of their references that the others would find; None with fewer than three.
        false_rate: The part of the faces known to be other people's that would be taken for theirs.
        born: The year, if it is known.
        is_child: Whether they are a child on every photo.
    """

    concept_id: int
    center: Vectors
    reference_count: int
    threshold: float
    recall: float | None = None
    false_rate: float = 0.0
    born: int | None = None
    is_child: bool = False


@dataclass(frozen=True)
class FaceEvidence:
    """What the faces of one photo say of one person.

    Attributes:
        concept_id: The person.
        verdict: Whether they are in the photo, as far as faces can tell.
        probability: That they are, 0 to 1.
        face: The index of the face that is theirs, or is most like them; None for absent people.
        distance: From that face to the mean of their references.
        is_suggestion: Whether they were a small child then, so that the probability supports a question
            to the user at most, never a name.
    """

    concept_id: int
    verdict: Verdict
    probability: float
    face: int | None
    distance: float
    is_suggestion: bool = False


def learn_people(
    references: Mapping[int, Vectors],
    *,
    others: Mapping[int, Vectors] | None = None,
    denied: Mapping[int, Vectors] | None = None,
    born: Mapping[int, int] | None = None,
    children: Collection[int] = (),
) -> list[Person]:
    """Learn people from their reference faces, each threshold calibrated by faces known not to be theirs.

    Args:
        references: For each concept `[faces, 128]`, at least one face.
        others: For each concept `[faces, 128]` of faces that are certainly not theirs and nobody's in
            `references`, such as the other faces on photos that show them. A face of somebody registered
            goes to the nearer of the two without this.
        denied: For each concept `[faces, 128]` of which the user said that they are not theirs: the threshold
            never reaches any of them.
        born: Years of birth by concept.
        children: Concepts that are children on every photo.

    Returns:
        The people, in the order of `references`.
    """
    base = {key: default_threshold(len(vectors), len(references)) for key, vectors in references.items()}
    people = []
    for key, vectors in references.items():
        center = vectors.mean(axis=0)
        foreign = distances((others or {}).get(key, _NONE), center)
        own = _leave_one_out(vectors)
        threshold = _calibrate(base[key], own, foreign)
        refused = distances((denied or {}).get(key, _NONE), center)
        if len(refused):
            threshold = min(threshold, max(0.0, float(refused.min()) - _CLEARANCE))
        people.append(
            Person(
                concept_id=key,
                center=center,
                reference_count=len(vectors),
                threshold=threshold,
                recall=float((own <= threshold).mean()) if len(own) >= 3 else None,
                false_rate=float((foreign <= threshold).mean()) if len(foreign) else 0.0,
                born=(born or {}).get(key),
                is_child=key in children,
            )
        )
    return people


def default_threshold(reference_count: int, people_count: int) -> float:
    """Return the threshold for somebody of whom nothing else is known.

    Args:
        reference_count: How many reference faces they have.
        people_count: How many people are told apart: strangers have as many chances to be mistaken.
    """
    many = max(1.0, people_count / _MANY_PEOPLE)
    return _THRESHOLDS.get(reference_count, THRESHOLD) - _PER_TENFOLD * float(np.log10(many))


def distances(vectors: Vectors, center: Vectors) -> Vectors:
    """Return the Euclidean distances `[faces]` of vectors `[faces, 128]` from one."""
    spread: Vectors = np.linalg.norm(vectors - center, axis=1)
    return spread


def name_faces(
    people: Sequence[Person], vectors: Vectors, *, year: int | None = None, exclude: Collection[int] = ()
) -> list[FaceEvidence]:
    """Tell which people the faces of one photo show.

    Nobody is on a photo twice, and no face is two people's.

    Args:
        people: As `learn_people` gives them.
        vectors: `[faces, 128]`, the photo's faces.
        year: When the photo was taken, if that is known.
        exclude: Indexes of faces that are known to be somebody else's.

    Returns:
        One for each person, in their order; nothing for a photo without faces, on which they may still be:
        from behind, from the side, or too small.
    """
    usable = [index for index in range(len(vectors)) if index not in exclude]
    if not people or not usable:
        return []
    # Of shape people by faces.
    spread = np.linalg.norm(
        vectors[usable][None] - np.array([person.center for person in people])[:, None], axis=2
    )
    limits = np.array([_threshold_in(person, year) for person in people])
    owners = _assign(spread - limits[:, None])
    evidence = []
    for row, person in enumerate(people):
        free = [column for column in range(len(usable)) if owners.get(column, row) == row]
        if not free:
            nearest, distance = None, float(spread[row].min())
        else:
            nearest = free[int(np.argmin(spread[row, free]))]
            distance = float(spread[row, nearest])
        rivals = np.delete(spread[:, nearest] - limits, row) if nearest is not None else np.empty(0)
        evidence.append(
            _evidence(
                person,
                face=None if nearest is None else usable[nearest],
                distance=distance,
                excess=distance - float(limits[row]),
                rival_excess=float(rivals.min()) if len(rivals) else np.inf,
                year=year,
            )
        )
    return evidence


def probability_of(excess: float) -> float:
    """Return how probably a face is a person's.

    Args:
        excess: Its distance less the threshold: negative for a face that is close.
    """
    return float(1.0 / (1.0 + np.exp(_SLOPE * min(max(excess, -1.0), 1.0))))


def is_small_child(person: Person, year: int | None) -> bool:
    """Tell whether a person was, or may have been, too young for their face to name them."""
    if person.is_child:
        return True
    if person.born is None:
        return False
    if year is None:
        from datetime import date

        # An undated photo of a grown-up may be one of their childhood, but seldom is.
        return date.today().year - person.born < _GROWN
    return year - person.born < _NO_VERDICT_BEFORE


def _threshold_in(person: Person, year: int | None) -> float:
    is_careful = person.born is not None and year is not None and year - person.born < _CAREFUL_BEFORE
    return person.threshold - (_CAREFULLY if is_careful or person.is_child else 0.0)


def _assign(excess: NDArray[np.floating]) -> dict[int, int]:
    """Give faces to people, the closest pair first: person by face, of `[people, faces]`."""
    owners: dict[int, int] = {}
    for flat in np.argsort(excess, axis=None, kind="stable"):
        row, column = (int(index) for index in np.unravel_index(flat, excess.shape))
        if excess[row, column] > 0:
            break
        if column not in owners and row not in owners.values():
            owners[column] = row
    return owners


def _evidence(
    person: Person, *, face: int | None, distance: float, excess: float, rival_excess: float, year: int | None
) -> FaceEvidence:
    probability = probability_of(excess) if face is not None else 0.0
    verdict: Verdict = "absent"
    if face is None:
        # Whatever is like them is somebody else's.
        pass
    elif excess <= 0 and rival_excess - excess >= MARGIN:
        verdict = "present"
    elif excess <= UNSURE_UP_TO:
        verdict = "unsure"
        if excess <= 0:
            # As like somebody else: at best an even chance.
            probability = min(probability, 0.5)
    is_suggestion = is_small_child(person, year)
    if is_suggestion and verdict == "present":
        verdict = "unsure"
    return FaceEvidence(
        concept_id=person.concept_id,
        verdict=verdict,
        probability=probability,
        face=face if verdict != "absent" else None,
        distance=distance,
        is_suggestion=is_suggestion,
    )


def _leave_one_out(vectors: Vectors) -> Vectors:
    """Distances `[n]` of each vector from the mean of the others."""
    count = len(vectors)
    if count < 2:
        return np.empty(0, np.float32)
    means = (vectors.sum(axis=0) - vectors) / (count - 1)
    spread: Vectors = np.linalg.norm(vectors - means, axis=1)
    return spread


def _calibrate(threshold: float, own: Vectors, foreign: Vectors) -> float:
    """Move a threshold away from the faces of others and, where those are far, out to the person's own."""
    if len(foreign):
        # Among many faces a few are labeled wrongly.
        nearest = float(np.quantile(foreign, _MOST_NEGATIVES_OUT, method="lower"))
        if nearest - _CLEARANCE < threshold:
            return max(_LOWEST, nearest - _CLEARANCE)
        if len(own) >= 5 and len(foreign) >= 50 and nearest > threshold + 3 * _CLEARANCE:
            return min(max(threshold, float(np.quantile(own, 0.95))), threshold + _HIGHEST_RAISE)
    return threshold
