"""Finds who is on camera photos: people by their faces, pets and things by how they look; stores nothing.

What is found depends on the concepts' reference photos, the user's words and what compares them, and is found
again when these change. Where a vision-language model sees the photo too, the one decides that separates a
concept's own photos better from others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from photopal.assistant.analysis import PhotoAnalysis, PhotoSightings, Sighting
from photopal.cache import LRUCache
from photopal.concepts.localize import box_mask, mask_cells
from photopal.concepts.registration import (
    MOST_CORRECTED,
    corrections_key,
    reference_mask,
    references_key,
    sample_negatives,
)
from photopal.errors import PhotoError
from photopal.faces import (
    DETECTOR,
    FaceEvidence,
    Person,
    find_evidence,
    find_photos_of,
    find_reference_faces,
    learn_library,
)
from photopal.instances import (
    ENCODER,
    SMALL_SUBJECT_SIDE_PX,
    CellMatches,
    InstanceEncoder,
    InstanceRecognizer,
    InstanceVerdict,
    Reference,
    learn_instances,
    load_encoder,
)
from photopal.library import ConceptRecord, Library, PhotoRecord
from photopal.library.models import Face, FaceRecord, Finding, FindingVerdict, PhotoFindings
from photopal.library.originals import open_original
from photopal.vlm.feature_cache import FeatureCache
from photopal.vlm.protocol import PhotoFeatures

CONFIRMED = 3
"""On how many photos the user has to confirm a pet or thing before it is named: many look like it."""

_SURE = 0.75
_LEAST_SIDE_PX = 50  # smaller faces are named wrongly more often
_LARGE_FACE_SHARE = 0.2

_VERSION = "3"  # to be changed with anything that changes what is found
_ALBUM_PHOTOS = 48
_DECODED_PX = 1280
_CACHE_BYTES = 1 << 27
_VERDICTS: Mapping[InstanceVerdict, FindingVerdict] = {
    InstanceVerdict.PRESENT: "present",
    InstanceVerdict.LOOKS_LIKE: "looks like",
    InstanceVerdict.UNSURE: "unsure",
    InstanceVerdict.ABSENT: "absent",
}


class FindingKeys(NamedTuple):
    """What findings are made from: people with their photos and faces, and pets and things with theirs."""

    face: str
    look: str


class LookedAt(NamedTuple):
    """What was found on a photo, and how many faces it has; None where it was not searched for them."""

    found: PhotoFindings
    faces: int | None


def finding_keys(library: Library) -> FindingKeys:
    """Tell what findings would be made from now."""
    parts: dict[bool, list[str]] = {True: [DETECTOR, _VERSION], False: [ENCODER, _VERSION]}
    for concept in library.concepts.all():
        references = library.concepts.references(concept.id)
        said = library.corrections.of_concept(concept.id, most=MOST_CORRECTED)
        facts: list[object] = [concept.id, concept.kind, references_key(references), corrections_key(said)]
        if concept.kind == "person":
            searched = [library.faces.is_scanned(one.photo.id, detector=DETECTOR) for one in references]
            facts += [concept.born, concept.is_child, sum(searched)]
        parts[concept.kind == "person"].append("|".join(map(str, facts)))
    digests = (
        hashlib.blake2b("\n".join(parts[is_face]).encode(), digest_size=12) for is_face in (True, False)
    )
    return FindingKeys(*(digest.hexdigest() for digest in digests))


def is_found_with(library: Library, photo: PhotoRecord, keys: FindingKeys) -> bool:
    """Whether what was found on a photo was found with people, pets and things as they are now."""
    found = library.findings.get(photo.id)
    if found is None or found.look_key != keys.look:
        return False
    return found.face_key == keys.face or not library.faces.is_scanned(photo.id, detector=DETECTOR)


def compare_faces(library: Library) -> None:
    """Compare the faces that were found on photos with the people as they are now, and store who is there.

    Photos of which a model wrote what it sees are left for the next captions, as its word counts there too.
    It takes milliseconds for each photo with a face that may be somebody's, and opens none.

    Args:
        library: Open for writing.
    """
    with library.writing():
        EvidenceFinder(library).compare_faces()


class EvidenceFinder:
    """Finds who is on photos of a library.

    It learns people, pets and things when it is first asked, and anew after `renew` if they changed.

    Args:
        library: Its concepts, faces and photos.
        cache: Stores what the encoder of looks makes of photos.
        detect: Finds the faces in a photo that was not searched for them, when it is asked about; gives None
            where faces are off.
    """

    def __init__(
        self,
        library: Library,
        *,
        cache: FeatureCache | None = None,
        detect: Callable[[Path], Sequence[Face] | None] = lambda path: None,
    ) -> None:
        self._library = library
        self._detect = detect
        self._cells = _Cells(cache)
        self._matches = CellMatches()
        self._keys: FindingKeys | None = None
        self._learned: FindingKeys | None = None
        self._people: list[Person] = []
        self._faces: dict[int, tuple[FaceRecord, ...]] = {}
        self._recognizer: InstanceRecognizer[int] | None = None
        self._reference_ids: dict[int, list[int]] = {}

    def renew(self) -> FindingKeys:
        """Take notice of what the library says of people, pets and things now, and tell what that is."""
        self._keys = finding_keys(self._library)
        return self._keys

    def find(
        self,
        photo: PhotoRecord,
        analysis: PhotoSightings | None = None,
        *,
        image: Image.Image | None = None,
        faces: Sequence[FaceRecord] | None = None,
        separations: Mapping[int, float | None] | None = None,
    ) -> PhotoFindings:
        """Find who is on a photo.

        Args:
            photo: A photo; read from its file where pixels are needed and not given.
            analysis: What a model sees on it, which counts where it understands the photo.
            image: The photo, upright, if it is open.
            faces: Those on it; the ones that the library has, if it was searched for them, when left out.
            separations: How well that model tells each concept; None where it is not known.

        Raises:
            PhotoError: The file is needed and cannot be read.
        """
        keys = self._learn()
        is_scanned = faces is not None or self._library.faces.is_scanned(photo.id, detector=DETECTOR)
        faces = self._library.faces.of_photo(photo.id) if faces is None else faces
        found = [
            *self.by_faces(photo, faces),
            *self._by_looks(photo, image),
        ]
        sightings = analysis.sightings if analysis is not None and analysis.is_understood else ()
        seen = {sighting.concept.id: sighting for sighting in sightings}
        if sightings:
            found = [self._decided(one, seen.get(one.concept_id), separations or {}) for one in found]
        return PhotoFindings(
            face_key=keys.face if is_scanned else None,
            look_key=keys.look,
            species=None if analysis is None or sightings else self._species(analysis.glance, faces),
            findings=tuple(
                sorted(
                    (
                        one
                        for one in found
                        # Who is not found is not there, and need not be written down for every photo.
                        if one.verdict != "absent" or _is_contradicting(one, seen.get(one.concept_id))
                    ),
                    key=lambda one: (one.concept_id, one.source),
                )
            ),
        )

    def look_at(
        self,
        photo: PhotoRecord,
        analysis: PhotoAnalysis,
        *,
        separations: Mapping[int, float | None] | None = None,
    ) -> LookedAt:
        """Find who is on a photo that is asked about now, as `find` does.

        What the library has is used where it is current and no model sees the photo: it may have been stored
        beside the sightings of another model, and has not all that might contradict those of this one.

        Args:
            photo: A photo, also one that the library does not have.
            analysis: The photo as a model sees it.
            separations: As of `find`.

        Raises:
            PhotoError: The file is needed and cannot be read.
        """
        keys = self._learn()
        faces: Sequence[FaceRecord] | None = None
        if self._library.faces.is_scanned(photo.id, detector=DETECTOR):
            faces = self._library.faces.of_photo(photo.id)
            is_seen = analysis.is_understood and bool(analysis.sightings)
            if not is_seen and is_found_with(self._library, photo, keys):
                stored = self._library.findings.get(photo.id) or PhotoFindings()
                # Where there is no model to beat, all that was found counts.
                alone = [replace(one, decides=True) for one in stored.findings if one.verdict != "absent"]
                species = stored.species or self._species(analysis.glance, faces)
                return LookedAt(replace(stored, species=species, findings=tuple(alone)), len(faces))
        elif (self._people or not analysis.is_understood) and (
            detected := self._detect(photo.path)
        ) is not None:
            faces = [FaceRecord(-number, photo.id, face, None) for number, face in enumerate(detected)]
        found = self.find(photo, analysis, image=analysis.image, faces=faces, separations=separations)
        return LookedAt(found, None if faces is None else len(faces))

    def compare_faces(self) -> None:
        """Do what `compare_faces` says."""
        keys = self.renew()
        self._learn_people()
        found_near = find_photos_of(self._library, self._people)
        near = {face.photo_id for faces in found_near for face, _ in faces}
        for photo_id in sorted(near | self._library.findings.found_by_face()):
            caption = self._library.captions.get(photo_id)
            if caption is not None and not caption.by_hand and caption.source == "model":
                continue
            before = self._library.findings.get(photo_id) or PhotoFindings()
            found = [one for one in before.findings if one.source != "face"]
            faces = self._library.faces.of_photo(photo_id)
            by_faces = self.by_faces(self._library.photos.get(photo_id), faces)
            found += [one for one in by_faces if one.verdict != "absent"]
            found.sort(key=lambda one: (one.concept_id, one.source))
            after = replace(before, face_key=keys.face, findings=tuple(found))
            self._library.findings.put(photo_id, after)

    def glance(self, images: Sequence[Image.Image]) -> list[PhotoFeatures] | None:
        """Look at photos as a classifier does, see `InstanceEncoder.glance`; None without the encoder."""
        return self._cells.glance(images)

    @property
    def compares_looks(self) -> bool:
        """Whether there are pets or things to compare photos with."""
        self._learn()
        return self._recognizer is not None

    def take_cells(self, photo: PhotoRecord, cells: PhotoFeatures) -> None:
        """Take over what the encoder of looks made of a photo elsewhere, for the next `find`."""
        self._cells.put(photo.content_hash, replace(cells, patches=cells.patches.float()))

    def _species(self, glance: PhotoFeatures | None, faces: Sequence[FaceRecord]) -> str | None:
        """The species of a pet; none on portraits, where a beard may be taken for fur."""
        is_portrait = any(one.face.box[3] > _LARGE_FACE_SHARE for one in faces)
        return None if glance is None or is_portrait else self._cells.species(glance)

    def by_faces(self, photo: PhotoRecord, faces: Sequence[FaceRecord]) -> list[Finding]:
        """Tell which people a photo shows by the faces on it; nothing where none was found."""
        thresholds = {person.concept_id: person.threshold for person in self._people}
        found = []
        for evidence, face in find_evidence(self._library, self._people, photo, faces):
            found.append(
                Finding(
                    concept_id=evidence.concept_id,
                    source="face",
                    verdict=_worded(evidence, face),
                    probability=evidence.probability,
                    score=evidence.distance,
                    threshold=thresholds[evidence.concept_id],
                    box=None if face is None else face.face.box,
                    reference_id=None if face is None else self._likest_reference(evidence.concept_id, face),
                )
            )
        return found

    def _likest_reference(self, concept_id: int, face: FaceRecord) -> int | None:
        """The reference photo, another one, with the most similar face; None if there is no other."""
        others = [known for known in self._faces[concept_id] if known.photo_id != face.photo_id]
        distances = [np.linalg.norm(known.face.vector - face.face.vector) for known in others]
        return others[int(np.argmin(distances))].photo_id if others else None

    def _by_looks(self, photo: PhotoRecord, image: Image.Image | None) -> list[Finding]:
        if self._recognizer is None:
            return []
        found = []
        judged = self._recognizer.judge(
            self._cells.of(photo, image), lambda: self._cells.larger(photo, image)
        )
        for concept_id, evidence in judged.items():
            likest = self._reference_ids[concept_id][evidence.nearest]
            found.append(
                Finding(
                    concept_id=concept_id,
                    source="look",
                    verdict=_VERDICTS[evidence.verdict],
                    probability=evidence.probability,
                    score=evidence.score,
                    threshold=evidence.threshold,
                    box=evidence.box,
                    reference_id=None if likest == photo.id else likest,
                )
            )
        return found

    def _decided(
        self, one: Finding, seen: Sighting | None, separations: Mapping[int, float | None]
    ) -> Finding:
        """Whether a finding counts more than what the model saw: only if it is sure and separates better."""
        if seen is None:
            return one
        theirs = separations.get(one.concept_id)
        decides = one.verdict in ("present", "absent")
        if theirs is not None:
            decides = decides and self._separation(one) >= theirs
        return replace(one, decides=decides)

    def _separation(self, one: Finding) -> float:
        """How well a finding's source tells the concept's reference photos, each left out, from others."""
        if one.source == "look":
            assert self._recognizer is not None
            return self._recognizer.separation[one.concept_id] or 0.0
        [person] = (person for person in self._people if person.concept_id == one.concept_id)
        return (1.0 if person.recall is None else person.recall) - person.false_rate

    def _learn(self) -> FindingKeys:
        """Learn people, pets and things, if that was not done since they were last taken notice of."""
        keys = self._keys or self.renew()
        if keys != self._learned:
            self._learn_people()
            self._learn_looks()
            self._learned = keys
        return keys

    def _learn_people(self) -> None:
        self._people = learn_library(self._library)
        concepts = {concept.id: concept for concept in self._library.concepts.all()}
        self._faces = {
            person.concept_id: find_reference_faces(self._library, concepts[person.concept_id]).faces
            for person in self._people
        }

    def _learn_looks(self) -> None:
        subjects = [concept for concept in self._library.concepts.all() if concept.kind != "person"]
        self._recognizer = None
        if not subjects or not self._cells.is_available:
            return
        references: dict[int, list[Reference]] = {}
        denied: list[PhotoFeatures] = []
        confirmed: dict[int, int] = {}
        own: set[str] = set()
        for concept in subjects:
            marked = self._marked_photos(concept)
            own |= {photo.content_hash for photo, _ in marked}
            read = [(photo, mask, self._cells.readable(photo)) for photo, mask in marked]
            references[concept.id] = [_reference(cells, mask) for _, mask, cells in read if cells is not None]
            self._reference_ids[concept.id] = [photo.id for photo, _, cells in read if cells is not None]
            for said in self._library.corrections.of_concept(concept.id, most=MOST_CORRECTED):
                confirmed[concept.id] = confirmed.get(concept.id, 0) + said.is_present
                if not said.is_present and (cells := self._cells.readable(said.photo)) is not None:
                    denied.append(cells)
        sampled = sample_negatives(self._library, self._cells, avoid=own, count=_ALBUM_PHOTOS)
        cautious = {c.id for c in subjects if confirmed.get(c.id, 0) < CONFIRMED}
        self._recognizer = learn_instances(
            references,
            [*denied, *(cells for _, cells in sampled)],
            cautious=frozenset(cautious),
            matches=self._matches,
        )

    def _marked_photos(self, concept: ConceptRecord) -> list[tuple[PhotoRecord, np.ndarray | None]]:
        """A concept's reference photos, and those on which the user has confirmed it, with their masks."""
        marked: dict[int, tuple[PhotoRecord, np.ndarray | None]] = {}
        for reference in self._library.concepts.references(concept.id):
            marked[reference.photo.id] = (reference.photo, reference_mask(reference))
        for said in self._library.corrections.of_concept(concept.id, most=MOST_CORRECTED):
            if said.is_present:
                size = (said.photo.width_px, said.photo.height_px)
                mask = None if said.box is None else box_mask(said.box, size)
                marked.setdefault(said.photo.id, (said.photo, mask))
        return list(marked.values())


def _worded(evidence: FaceEvidence, face: FaceRecord | None) -> FindingVerdict:
    """The verdict on a face, which only looks like somebody's where it is small or hardly near enough."""
    is_sure = evidence.probability >= _SURE and face is not None and face.face.side_px >= _LEAST_SIDE_PX
    return "looks like" if evidence.verdict == "present" and not is_sure else evidence.verdict


def _is_contradicting(one: Finding, seen: Sighting | None) -> bool:
    return one.decides and seen is not None and seen.is_present


def _reference(cells: PhotoFeatures, mask: np.ndarray | None) -> Reference:
    if mask is None:
        return Reference(cells)
    rows, cols = cells.patches.shape[:2]
    return Reference(cells, mask_cells(mask, (rows, cols), cells.frame))


class _Cells:
    """The cells of photos, of an encoder that is loaded when it is first needed."""

    def __init__(self, cache: FeatureCache | None) -> None:
        self._cache = cache
        self._latest: LRUCache[str, PhotoFeatures] = LRUCache(_CACHE_BYTES, lambda cells: cells.nbytes)
        self._encoder: InstanceEncoder | None = None
        self._is_loaded = False

    @property
    def is_available(self) -> bool:
        """Whether the encoder is installed."""
        return self._load() is not None

    def _load(self) -> InstanceEncoder | None:
        if not self._is_loaded:
            self._encoder, self._is_loaded = load_encoder(), True
        return self._encoder

    def glance(self, images: Sequence[Image.Image]) -> list[PhotoFeatures] | None:
        """What the encoder makes of photos at a glance."""
        encoder = self._load()
        return None if encoder is None else encoder.glance(images)

    def species(self, glance: PhotoFeatures) -> str | None:
        """Say "dog" or "cat" of a photo that shows one."""
        encoder = self._load()
        return None if encoder is None else encoder.species(glance)

    def of(self, photo: PhotoRecord, image: Image.Image | None = None) -> PhotoFeatures:
        """The cells of a photo, from its file where it is not given.

        Raises:
            PhotoError: The file is gone, cannot be read or is another picture by now.
        """
        key = photo.content_hash
        cells = self._latest.get(key) or (None if self._cache is None else self._cache.get(key))
        if cells is None:
            encoder = self._load()
            assert encoder is not None, "asked for cells without an encoder"
            image = image or open_original(photo, max_side_px=_DECODED_PX)
            [cells] = encoder.encode([image])
            self.put(key, cells)
        self._latest.put(key, cells)
        return cells

    def put(self, key: str, cells: PhotoFeatures) -> None:
        """Keep the cells of a photo by the hash of its content."""
        self._latest.put(key, cells)
        if self._cache is not None:
            self._cache.put(key, cells)

    def larger(self, photo: PhotoRecord, image: Image.Image | None = None) -> PhotoFeatures:
        """The cells of a photo for small subjects; few photos need them, so they are not kept.

        Raises:
            PhotoError: The file is gone, cannot be read or is another picture by now.
        """
        encoder = self._load()
        assert encoder is not None, "asked for cells without an encoder"
        image = image or open_original(photo, max_side_px=_DECODED_PX)
        return encoder.encode([image], side_px=SMALL_SUBJECT_SIDE_PX)[0]

    def readable(self, photo: PhotoRecord) -> PhotoFeatures | None:
        """The cells of a photo; None where its file cannot be read now."""
        try:
            return self.of(photo)
        except PhotoError:
            return None
