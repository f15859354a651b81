"""Gathers from the library what tuning learns from: photos, who is on them, and how they look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from PIL import ImageOps

from photopal.concepts import Bank
from photopal.concepts.initialize import FoundSubject
from photopal.concepts.localize import location_maps, map_scores
from photopal.concepts.registration import MOST_CORRECTED, FeatureStore, likely_concepts, sample_negatives
from photopal.concepts.wording import describe_concept
from photopal.errors import PhotoError
from photopal.library import ConceptRecord, Library, PhotoRecord
from photopal.library.originals import open_original
from photopal.tuning.examples import TuningConcept, TuningPhoto
from photopal.vlm.protocol import PhotoFeatures, VisionModel

NEGATIVES = 16
"""How many photos without a concept it learns from, where it alone is tuned or joins others."""


def gather_photos(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    *,
    trained: Collection[int] | None = None,
    negatives: int = NEGATIVES,
    seed: int = 0,
) -> list[TuningPhoto]:
    """Encode every reference photo, and random photos of the library that show nobody.

    Those of the concepts to tune are encoded mirrored too.

    Photos of which the user said that somebody is there, or is not, are among them, and those where a face or
    look says that whom the model saw is not there. A photo of one concept may show another that is not
    registered for it. So whoever the maps see there is `likely`, and no negative unless the user, a face or a
    look says so; nor is anybody whom one of these finds there or is unsure of. Library photos with anybody
    likely are left out.

    Args:
        library: Where the photos are.
        store: Encodes them.
        bank: Registered concepts with thresholds.
        trained: Ids of the concepts to tune; all by default.
        negatives: How many random photos to take.
        seed: Chooses them.
    """
    to_tune = bank.concepts if trained is None else trained
    photos_by_hash: dict[str, PhotoRecord] = {}
    present: defaultdict[str, set[int]] = defaultdict(set)
    absent: defaultdict[str, set[int]] = defaultdict(set)
    for concept_id in bank.concepts:
        for reference in library.concepts.references(concept_id):
            photos_by_hash[reference.photo.content_hash] = reference.photo
            present[reference.photo.content_hash].add(concept_id)
        for correction in library.corrections.of_concept(concept_id, most=MOST_CORRECTED):
            photos_by_hash[correction.photo.content_hash] = correction.photo
            (present if correction.is_present else absent)[correction.photo.content_hash].add(concept_id)
        for photo in map(library.photos.get, library.findings.without(concept_id, most=MOST_CORRECTED)):
            photos_by_hash.setdefault(photo.content_hash, photo)
    photos = []
    for key, row in photos_by_hash.items():
        try:
            features = store.of(row)
            mirrored = mirror(store.model, row) if present[key].intersection(to_tune) else None
        except PhotoError:
            continue
        possible, denied = evidence_on_photo(library, row)
        absent[key] |= denied & bank.concepts.keys() - present[key]
        likely = (likely_concepts(bank, features) | possible) - present[key] - absent[key]
        photos.append(
            TuningPhoto(
                key=key,
                features=features,
                mirrored=mirrored,
                present=frozenset(present[key]),
                likely=frozenset(likely),
                absent=frozenset(absent[key]),
            )
        )
    sampled = sample_negatives(library, store, avoid=set(photos_by_hash), count=negatives, seed=seed)
    for row, features in sampled:
        # The user's own photos, so a concept may well be on one: a No learned there would be wrong.
        possible, denied = evidence_on_photo(library, row)
        if not (likely_concepts(bank, features) - denied) | possible:
            photos.append(
                TuningPhoto(key=row.content_hash, features=features, mirrored=None, present=frozenset())
            )
    return photos


def photos_for_newcomers(
    photos: Sequence[TuningPhoto], bank: Bank, concepts: Mapping[int, TuningConcept]
) -> list[TuningPhoto]:
    """Choose the photos that concepts learn from which join others, whose embeddings are frozen.

    Their own photos, those that the user took their names off, and of all others `NEGATIVES` for each of
    them: half of those the ones that look most like them, so that what they cost does not grow with the bank.

    Args:
        photos: All there are; returned as they are if no concept is frozen.
        bank: Has directions of all concepts.
        concepts: Everyone, by id.
    """
    trained = [concept_id for concept_id, concept in concepts.items() if not concept.is_frozen]
    if len(trained) == len(concepts):
        return list(photos)
    own = [photo for photo in photos if photo.present.union(photo.absent).intersection(trained)]
    taken = {photo.key for photo in own}
    others = [photo for photo in photos if photo.key not in taken and not photo.likely.issuperset(trained)]
    directions = bank.directions(trained)
    likeness = {
        photo.key: float(map_scores(location_maps(photo.features.patches, directions)).max())
        for photo in others
    }
    others.sort(key=lambda photo: (-likeness[photo.key], photo.key))
    wanted = NEGATIVES * len(trained)
    alike, rest = others[: wanted // 2], others[wanted // 2 :]
    step = max(1, -(-len(rest) // (wanted - wanted // 2)))
    return own + alike + rest[::step]


def evidence_on_photo(library: Library, photo: PhotoRecord) -> tuple[set[int], set[int]]:
    """Tell who may be on a photo and who is not, by the user's words, faces and looks; not by a model's.

    Returns:
        The ids of both. Of all others nothing is known but what a model says.
    """
    words = library.corrections.known(photo.id)
    denied = {concept_id for concept_id, word in words.items() if word.verdict == "no"}
    return words.keys() - denied, denied


def mirror(model: VisionModel, row: PhotoRecord) -> PhotoFeatures:
    """Encode a photo with left and right exchanged."""
    mirrored = ImageOps.mirror(open_original(row))
    return model.encode_photos([mirrored], keys=[f"{row.content_hash}-mirrored"])[0].on_cpu()


def describe_concepts(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    concepts: Sequence[ConceptRecord],
    found: Mapping[int, Sequence[FoundSubject]],
) -> dict[int, TuningConcept]:
    """Put the looks of concepts into words, by id; see `describe_concept`.

    Args:
        library: Has their reference photos.
        store: Has the model.
        bank: Has the concepts.
        concepts: Whom to describe.
        found: Where registration found them, by concept id.
    """
    return {
        concept.id: TuningConcept(
            concept.id, concept.kind, describe_concept(library, store, bank, concept, found)
        )
        for concept in concepts
    }
