"""Tells which people of a library its photos show, by the faces that were found on them; opens no photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from photopal.errors import ConceptError
from photopal.faces.detector import VECTOR_WIDTH
from photopal.faces.people import (
    MARGIN,
    UNSURE_UP_TO,
    FaceEvidence,
    Person,
    Vectors,
    distances,
    learn_people,
    name_faces,
)
from photopal.faces.recurring import SAME, RecurringFace, find_recurring
from photopal.library import Library
from photopal.library.models import ConceptRecord, FaceRecord, PhotoRecord, ReferencePhoto

_NO_VECTORS = np.empty((0, VECTOR_WIDTH), np.float32)


# What the user said of the latest photos teaches; older words change a mean of so many no more.
_MOST_CONFIRMED, _MOST_DENIED = 64, 1024


@dataclass(frozen=True)
class ReferenceFaces:
    """Whose face it is on a concept's reference photos, and on those the user confirmed.

    Attributes:
        concept: The person.
        faces: The face of the person on each photo that has it.
        others: The other faces on these photos, which are somebody else's.
        recurring: How they were found; None where no reference photo has a face. In a tie `faces` and
            `others` are empty, as only the user can tell.
        candidates: For each photo, reference photos first, its faces, which the indexes of `recurring` are
            of; it may have none for the photos that the user only confirmed.
    """

    concept: ConceptRecord
    faces: tuple[FaceRecord, ...]
    others: tuple[FaceRecord, ...]
    recurring: RecurringFace | None
    candidates: tuple[tuple[FaceRecord, ...], ...]

    @property
    def is_tie(self) -> bool:
        """Whether two faces recur as often, so that a box on one photo must say whose is meant."""
        return self.recurring is not None and self.recurring.is_tie


def find_reference_faces(library: Library, concept: ConceptRecord) -> ReferenceFaces:
    """Find a person's face on their reference photos: the one that recurs.

    On further photos of which the user said that they show the person, it is the face in the box, or the one
    that is clearly like theirs. These photos decide where the reference photos alone do not. Where a photo
    has a box or mask, only faces in it count, and nowhere those that are somebody else's by a box.

    Args:
        library: Its reference photos have been searched for faces (`scan_library`).
        concept: A person.
    """
    references = library.concepts.references(concept.id)
    known = {reference.photo.id for reference in references}
    confirmed = [
        ReferencePhoto(concept.id, one.photo, one.box, mask_png=None)
        for one in library.corrections.of_concept(concept.id, most=_MOST_CONFIRMED)
        if one.is_present and one.photo.id not in known
    ]
    all_faces = [library.faces.of_photo(photo.photo.id) for photo in (*references, *confirmed)]
    candidates = tuple(
        tuple(_may_be(library, concept, photo, faces))
        for photo, faces in zip((*references, *confirmed), all_faces, strict=True)
    )
    recurring = find_recurring([_vectors(faces) for faces in candidates[: len(references)]])
    if recurring is None or recurring.is_tie:
        recurring = find_recurring([_vectors(faces) for faces in candidates])
    chosen: list[FaceRecord] = []
    others: list[FaceRecord] = []
    if recurring is not None and not recurring.is_tie:
        indexes = list(recurring.indexes)
        own = [
            faces[index].face for faces, index in zip(candidates, indexes, strict=False) if index is not None
        ]
        center = np.mean([face.vector for face in own], axis=0)
        rest = confirmed[len(indexes) - len(references) :]
        indexes += [
            _clear_face(faces, center, is_boxed=photo.box is not None)
            for photo, faces in zip(rest, candidates[len(indexes) :], strict=True)
        ]
        for index, faces, everybody in zip(indexes, candidates, all_faces, strict=True):
            if index is not None:
                chosen.append(faces[index])
                others += [face for face in everybody if face.id != faces[index].id]
    return ReferenceFaces(
        concept=concept,
        faces=tuple(chosen),
        others=tuple(others),
        recurring=recurring,
        candidates=candidates,
    )


def _clear_face(faces: Sequence[FaceRecord], center: Vectors, *, is_boxed: bool) -> int | None:
    """The index of the face that is meant on a photo that shows somebody; None where that is not clear."""
    if is_boxed and len(faces) == 1:
        return 0
    if not faces:
        return None
    spread = distances(_vectors(faces), center)
    nearest = int(np.argmin(spread))
    rivals = np.delete(spread, nearest)
    is_clear = spread[nearest] <= SAME and (not len(rivals) or rivals.min() - spread[nearest] >= MARGIN)
    return nearest if is_clear else None


def photos_of_people(library: Library) -> list[PhotoRecord]:
    """Return the photos by which people are known: reference photos, and those the user spoke of."""
    photos: dict[int, PhotoRecord] = {}
    for concept in library.concepts.all():
        if concept.kind == "person":
            said = library.corrections.of_concept(concept.id, most=_MOST_CONFIRMED)
            references = library.concepts.references(concept.id)
            for photo in (*(one.photo for one in references), *(one.photo for one in said)):
                photos.setdefault(photo.id, photo)
    return [photo for photo in photos.values() if not library.photos.is_missing(photo.id)]


def refuse_tie(found: ReferenceFaces) -> None:
    """Raise where the reference photos do not tell which face is the person's.

    Raises:
        ConceptError: The hint says how to tell.
    """
    if found.is_tie:
        count = 1 + len(found.recurring.rivals) if found.recurring is not None else 0
        raise ConceptError(
            f"{found.concept.name}: {count} faces are on the same number of reference photos",
            hint="Mark the person on one photo with --box, or add a photo of them alone.",
        )


def learn_library(library: Library) -> list[Person]:
    """Learn the faces of all people of a library; those whose photos have no face, or a tie, are left out.

    Takes milliseconds for each reference photo; do it once for many photos.
    """
    found = [
        find_reference_faces(library, concept)
        for concept in library.concepts.all()
        if concept.kind == "person"
    ]
    found = [one for one in found if one.faces]
    own = {face.id for one in found for face in one.faces}
    return learn_people(
        {one.concept.id: _vectors(one.faces) for one in found},
        denied={one.concept.id: _vectors(_denied_faces(library, one)) for one in found},
        others={
            one.concept.id: _vectors([face for face in one.others if face.id not in own]) for one in found
        },
        born={one.concept.id: one.concept.born for one in found if one.concept.born is not None},
        children={one.concept.id for one in found if one.concept.is_child},
    )


def _denied_faces(library: Library, found: ReferenceFaces) -> list[FaceRecord]:
    """The faces on photos of which the user said that they do not show a person."""
    denied = library.corrections.of_concept(found.concept.id, most=_MOST_DENIED)
    return [face for one in denied if not one.is_present for face in library.faces.of_photo(one.photo.id)]


def find_evidence(
    library: Library,
    people: Sequence[Person],
    photo: PhotoRecord,
    faces: Sequence[FaceRecord] | None = None,
) -> list[tuple[FaceEvidence, FaceRecord | None]]:
    """Tell which people a photo shows, each with the face that says so.

    A face that is somebody's by the user's box, or that of a reference photo, is nobody else's.

    Args:
        library: The photo has been searched for faces (`scan_library`), unless they are given.
        people: As `learn_library` gives them.
        photo: A photo.
        faces: Those on it.

    Returns:
        One for each person. Where no face is left for somebody, as the photo has none or boxes say whose all
        of them are, there is nothing for them: they may still be there, from behind.
    """
    faces = library.faces.of_photo(photo.id) if faces is None else faces
    vectors, year = _vectors(faces), year_of(photo)
    owners = _owners(library, photo, faces)
    index_of = {concept_id: index for index, concept_id in owners.items()}
    others = [person for person in people if person.concept_id not in index_of]
    found = {one.concept_id: one for one in name_faces(others, vectors, year=year, exclude=owners)}
    for person in people:
        if (index := index_of.get(person.concept_id)) is not None:
            [one] = name_faces([person], vectors[index : index + 1], year=year)
            found[person.concept_id] = replace(one, face=None if one.face is None else index)
    evidence = [found[person.concept_id] for person in people if person.concept_id in found]
    return [(one, None if one.face is None else faces[one.face]) for one in evidence]


def find_photos_of(library: Library, people: Sequence[Person]) -> list[list[tuple[FaceRecord, float]]]:
    """Return for each person the faces of a library that may be theirs, with distances, the nearest first.

    A few that are nearer to somebody else are among them; `find_evidence` tells.
    """
    if not people:
        return []
    centers = np.array([person.center for person in people], np.float32)
    return library.faces.near(
        centers, np.array([person.threshold + UNSURE_UP_TO for person in people], np.float32)
    )


def year_of(photo: PhotoRecord) -> int | None:
    """The year in which a photo was taken, if it is known."""
    digits = (photo.taken_at or "")[:4]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 4 else None


def _vectors(faces: Sequence[FaceRecord]) -> Vectors:
    return np.array([record.face.vector for record in faces]) if faces else _NO_VECTORS


def _may_be(
    library: Library, concept: ConceptRecord, photo: ReferencePhoto, faces: Sequence[FaceRecord]
) -> list[FaceRecord]:
    """The faces on a photo of a person that may be theirs."""
    owners = _owners(library, photo.photo, faces)
    others = {faces[index].id for index, concept_id in owners.items() if concept_id != concept.id}
    return [face for face in _in_subject(photo, faces) if face.id not in others]


def _owners(library: Library, photo: PhotoRecord, faces: Sequence[FaceRecord]) -> dict[int, int]:
    """Whose faces boxes on a photo say, by the index of the face."""
    return library.corrections.owners_of_faces(photo.id, [one.face.box for one in faces])


def _in_subject(reference: ReferencePhoto, faces: Sequence[FaceRecord]) -> list[FaceRecord]:
    """The faces whose middle lies in a reference photo's box or mask; all where it has neither."""
    if reference.box is None and reference.mask_png is None:
        return list(faces)
    width, height = reference.photo.width_px, reference.photo.height_px
    mask = None if reference.mask_png is None else Image.open(io.BytesIO(reference.mask_png)).convert("L")
    inside = []
    for record in faces:
        x, y, face_width, face_height = record.face.box
        middle = (round((x + face_width / 2) * width), round((y + face_height / 2) * height))
        if mask is not None:
            is_inside = bool(mask.getpixel((min(middle[0], width - 1), min(middle[1], height - 1))))
        else:
            assert reference.box is not None
            left, top, box_width, box_height = reference.box
            is_inside = left <= middle[0] <= left + box_width and top <= middle[1] <= top + box_height
        if is_inside:
            inside.append(record)
    return inside
