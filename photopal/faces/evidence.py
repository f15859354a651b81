"""Tells which people of a library its photos show, by the faces that were found on them; opens no photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from photopal.errors import ConceptError
from photopal.faces.people import UNSURE_UP_TO, FaceEvidence, Person, Vectors, learn_people, name_faces
from photopal.faces.recurring import RecurringFace, find_recurring
from photopal.library import Library
from photopal.library.models import ConceptRecord, FaceRecord, PhotoRecord, ReferencePhoto

_NO_VECTORS = np.empty((0, 128), np.float32)


@dataclass(frozen=True)
class ReferenceFaces:
    """Whose face it is on a concept's reference photos.

    Attributes:
        concept: The person.
        faces: The face of the person on each photo that has it.
        others: The other faces on these photos, which are somebody else's.
        recurring: How they were found; None where no reference photo has a face. In a tie `faces` and
            `others` are empty, as only the user can tell.
        candidates: For each photo its faces, which the indexes of `recurring` are of.
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

    Where a photo has a box or mask, only faces in it count.

    Args:
        library: Its reference photos have been searched for faces (`scan_library`).
        concept: A person.
    """
    references = library.concepts.references(concept.id)
    all_faces = [library.faces.of_photo(reference.photo.id) for reference in references]
    candidates = tuple(
        tuple(_in_subject(reference, faces)) for reference, faces in zip(references, all_faces, strict=True)
    )
    recurring = find_recurring([_vectors(faces) for faces in candidates])
    chosen: list[FaceRecord] = []
    others: list[FaceRecord] = []
    if recurring is not None and not recurring.is_tie:
        for index, faces, everybody in zip(recurring.indexes, candidates, all_faces, strict=True):
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
        others={
            one.concept.id: _vectors([face for face in one.others if face.id not in own]) for one in found
        },
        born={one.concept.id: one.concept.born for one in found if one.concept.born is not None},
        children={one.concept.id for one in found if one.concept.is_child},
    )


def find_evidence(
    library: Library, people: Sequence[Person], photo: PhotoRecord
) -> list[tuple[FaceEvidence, FaceRecord | None]]:
    """Tell which people a photo shows, each with the face that says so.

    Args:
        library: The photo has been searched for faces (`scan_library`).
        people: As `learn_library` gives them.
        photo: A photo of the library.

    Returns:
        One for each person; nothing for a photo on which no face was found.
    """
    faces = library.faces.of_photo(photo.id)
    evidence = name_faces(people, _vectors(faces), year=year_of(photo))
    return [(one, None if one.face is None else faces[one.face]) for one in evidence]


def find_photos_of(library: Library, person: Person) -> list[tuple[FaceRecord, float]]:
    """Return the faces of a library that may be a person's, with their distances, the nearest first.

    A few that are nearer to somebody else are among them; `find_evidence` tells.
    """
    return library.faces.near(person.center, person.threshold + UNSURE_UP_TO)


def year_of(photo: PhotoRecord) -> int | None:
    """The year in which a photo was taken, if it is known."""
    digits = (photo.taken_at or "")[:4]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 4 else None


def _vectors(faces: Sequence[FaceRecord]) -> Vectors:
    return np.array([record.face.vector for record in faces]) if faces else _NO_VECTORS


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
