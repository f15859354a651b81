"""Finds the people of a library who have no name yet, and photos that may show those who have one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from photopal.box import Box, PixelBox
from photopal.faces.evidence import find_photos_of, find_reference_faces, year_of
from photopal.faces.people import MARGIN, Person, is_small_child, probability_of
from photopal.library import Library
from photopal.library.models import FaceRecord

# How much larger than its face a person's box is: with hair, chin and neck.
_HEAD = 0.35
_MOST_REFERENCES, _FEWEST_SHARP = 8, 4
_CLOSE_TO_MEAN = 0.47
_ROUNDS = 10


@dataclass(frozen=True)
class UnnamedGroup:
    """Faces of one person without a name, as far as can be told.

    Attributes:
        id: The number of the group.
        faces: The numbers of its faces, but for those that show somebody who has a name.
        photos: The numbers of their photos, each once.
        looks_like: The id of the person most of the faces may be; None where they are like nobody.
        is_ignored: Whether the user does not want to name it.
    """

    id: int
    faces: tuple[int, ...]
    photos: tuple[int, ...]
    looks_like: int | None = None
    is_ignored: bool = False


@dataclass(frozen=True)
class Suggestion:
    """A photo that may show somebody who has a name, with the face and how probably it is theirs."""

    face: FaceRecord
    probability: float


@dataclass(frozen=True)
class UnnamedFaces:
    """What a library's faces leave open.

    Attributes:
        groups: The groups of people without a name, the one on the most photos first.
        suggestions: For each person with a name the photos that may show them, the likeliest first; no photo
            of which anything is known about them.
    """

    groups: tuple[UnnamedGroup, ...]
    suggestions: Mapping[int, tuple[Suggestion, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Claim:
    """Whose face it may be; `excess` is how much farther than the threshold it lies from their mean."""

    concept_id: int
    face: FaceRecord
    excess: float
    is_sure: bool


def find_unnamed(library: Library, people: Sequence[Person]) -> UnnamedFaces:
    """Find the groups of faces that are nobody's who has a name, and photos that may show those who have.

    Takes milliseconds for each person and for a thousand faces; no photo is opened.

    Args:
        library: Its groups are settled (`settle_groups`).
        people: As `learn_library` gives them.
    """
    claims = _claim_faces(library, people)
    by_id = {person.concept_id: person for person in people}
    ignored = library.faces.ignored_groups()
    members: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for face_id, photo_id, group_id in library.faces.grouped():
        members[group_id].append((face_id, photo_id))
    groups = []
    unsure = [claim for claim in claims.values() if not claim.is_sure]
    for group_id, faces in members.items():
        owner_id = _owner_of([claims[f] for f, _ in faces if f in claims], len(faces))
        owner = None if owner_id is None else by_id.get(owner_id)
        open_faces = [(f, p) for f, p in faces if f not in claims or not claims[f].is_sure]
        if owner is not None:
            unsure += _rest_of(library, owner, [f for f, _ in open_faces if f not in claims])
        elif open_faces:
            maybe = Counter(claims[f].concept_id for f, _ in open_faces if f in claims)
            likely = [key for key, number in maybe.items() if 2 * number >= len(open_faces)]
            groups.append(
                UnnamedGroup(
                    id=group_id,
                    faces=tuple(f for f, _ in open_faces),
                    photos=tuple(dict.fromkeys(p for _, p in open_faces)),
                    looks_like=likely[0] if likely else None,
                    is_ignored=group_id in ignored,
                )
            )
    groups.sort(key=lambda group: (-len(group.photos), -len(group.faces), group.id))
    return UnnamedFaces(tuple(groups), _suggestions(library, unsure))


def choose_references(
    faces: Sequence[FaceRecord], *, most: int = _MOST_REFERENCES, within: float = _CLOSE_TO_MEAN
) -> list[FaceRecord]:
    """Choose faces of one person to learn them by: large and sharp ones, as different as they are.

    Args:
        faces: At least one, of one group.
        most: How many to choose at most.
        within: How far from their mean, as what lies farther may be somebody else.

    Returns:
        One face of a photo at most, the most typical first.
    """
    best: dict[int, FaceRecord] = {}
    for record in faces:
        if record.photo_id not in best or record.face.quality > best[record.photo_id].face.quality:
            best[record.photo_id] = record
    ordered = sorted(best.values(), key=lambda record: (-record.face.quality, record.id))
    # Half the usual quality will do, and any where that leaves only a few to choose from.
    enough = 0.5 * ordered[len(ordered) // 2].face.quality
    sharp = [
        record
        for index, record in enumerate(ordered)
        if index < _FEWEST_SHARP or record.face.quality >= enough
    ]
    vectors = np.array([record.face.vector for record in sharp])
    from_mean = np.linalg.norm(vectors - np.mean([record.face.vector for record in faces], axis=0), axis=1)
    order = [int(index) for index in np.argsort(from_mean, kind="stable")]
    typical = [index for index in order if from_mean[index] <= within] or order[:1]
    chosen = [typical[0]]
    while len(chosen) < min(most, len(typical)):
        spread = np.linalg.norm(vectors[typical][:, None] - vectors[chosen][None], axis=2).min(axis=1)
        chosen.append(typical[int(np.argmax(spread))])
    return [sharp[index] for index in chosen]


def head_box(record: FaceRecord, size_px: tuple[int, int], *, others: Iterable[FaceRecord] = ()) -> PixelBox:
    """Return a box around a head in pixels of the upright photo; only the face where others are beside it.

    Args:
        record: The face.
        size_px: Width and height of the upright photo.
        others: The faces on the photo.
    """
    x, y, width, height = record.face.box
    box = Box.from_edges(
        x - _HEAD * width, y - _HEAD * height, x + (1 + _HEAD) * width, y + (1 + _HEAD) * height
    )
    for other in others:
        left, top, other_width, other_height = other.face.box
        middle = (left + other_width / 2, top + other_height / 2)
        is_inside = box.x <= middle[0] <= box.right and box.y <= middle[1] <= box.bottom
        if other.id != record.id and is_inside:
            box = Box(x, y, width, height)
    return box.to_pixels(*size_px)


def divide_group(faces: Sequence[FaceRecord]) -> tuple[list[int], list[int]]:
    """Divide a group of two people into the faces of each, by number, the more numerous first.

    Args:
        faces: At least two.
    """
    vectors = np.array([record.face.vector for record in faces])
    from_mean = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)
    first = vectors[int(np.argmax(from_mean))]
    centers = np.array([first, vectors[int(np.argmax(np.linalg.norm(vectors - first, axis=1)))]])
    labels = np.zeros(len(vectors), dtype=int)
    for _ in range(_ROUNDS):
        labels = np.linalg.norm(vectors[:, None] - centers[None], axis=2).argmin(axis=1)
        if len(set(labels.tolist())) < 2:
            # All alike: any division is as good.
            labels[-1] = 1 - labels[-1]
        centers = np.array([vectors[labels == label].mean(axis=0) for label in (0, 1)])
    parts = [[f.id for f, label in zip(faces, labels, strict=True) if label == which] for which in (0, 1)]
    parts.sort(key=len, reverse=True)
    return parts[0], parts[1]


def _claim_faces(library: Library, people: Sequence[Person]) -> dict[int, _Claim]:
    """For each face near a person whose it may be, by number."""
    near: dict[int, list[_Claim]] = defaultdict(list)
    own: dict[int, _Claim] = {}
    concepts = {concept.id: concept for concept in library.concepts.all()}
    for person, faces in zip(people, find_photos_of(library, people), strict=True):
        denied = {
            one.photo.id
            for one in library.corrections.of_concept(person.concept_id, most=_EVERY)
            if not one.is_present
        }
        for record, distance in faces:
            if record.photo_id not in denied:
                near[record.id].append(
                    _Claim(person.concept_id, record, distance - person.threshold, is_sure=False)
                )
        for record in find_reference_faces(library, concepts[person.concept_id]).faces:
            own[record.id] = _Claim(person.concept_id, record, -1.0, is_sure=True)
    own |= _claims_by_boxes(library)
    by_id = {person.concept_id: person for person in people}
    claims = {}
    for face_id, rivals in near.items():
        best, *others = sorted(rivals, key=lambda claim: claim.excess)
        is_sure = best.excess <= 0 and all(one.excess - best.excess >= MARGIN for one in others)
        person = by_id[best.concept_id]
        if is_sure and (person.is_child or person.born is not None):
            is_sure = not is_small_child(person, year_of(library.photos.get(best.face.photo_id)))
        claims[face_id] = _Claim(best.concept_id, best.face, best.excess, is_sure)
    return claims | own


_EVERY = 1 << 31


def _claims_by_boxes(library: Library) -> dict[int, _Claim]:
    """The faces that are somebody's by a box on their photo, by number."""
    photo_ids = set()
    for concept in library.concepts.all():
        if concept.kind == "person":
            references = library.concepts.references(concept.id)
            said = library.corrections.of_concept(concept.id, most=_EVERY)
            photo_ids |= {one.photo.id for one in references if one.box is not None}
            photo_ids |= {one.photo.id for one in said if one.box is not None}
    claims = {}
    for photo_id in photo_ids:
        faces = library.faces.of_photo(photo_id)
        owners = library.corrections.evidence(photo_id).faces_in_boxes([one.face.box for one in faces])
        for index, concept_id in owners.items():
            claims[faces[index].id] = _Claim(concept_id, faces[index], -1.0, is_sure=True)
    return claims


def _owner_of(claims: Sequence[_Claim], face_count: int) -> int | None:
    """The person half of a group's faces surely are."""
    sure = Counter(claim.concept_id for claim in claims if claim.is_sure)
    for concept_id, number in sure.most_common(1):
        if 2 * number >= face_count:
            return concept_id
    return None


def _rest_of(library: Library, person: Person, face_ids: Sequence[int]) -> list[_Claim]:
    """The faces of a person's group that are too far from their references to be found by themselves."""
    return [
        _Claim(
            person.concept_id,
            record,
            float(np.linalg.norm(record.face.vector - person.center)) - person.threshold,
            is_sure=False,
        )
        for record in library.faces.get(face_ids)
    ]


def _suggestions(library: Library, unsure: Sequence[_Claim]) -> dict[int, tuple[Suggestion, ...]]:
    found: dict[int, dict[int, _Claim]] = defaultdict(dict)
    for claim in sorted(unsure, key=lambda claim: (claim.excess, claim.face.id)):
        found[claim.concept_id].setdefault(claim.face.photo_id, claim)
    suggestions = {}
    for concept_id, claims in found.items():
        known = library.concepts.photo_ids(concept_id)
        suggestions[concept_id] = tuple(
            Suggestion(claim.face, probability_of(claim.excess))
            for photo_id, claim in claims.items()
            if photo_id not in known and not library.photos.is_missing(photo_id)
        )
    return {key: some for key, some in suggestions.items() if some}
