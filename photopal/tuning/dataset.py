"""Gathers what tuning learns from out of the library: photos, who is on them, what they look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageOps

from photopal.box import Box
from photopal.concepts import Bank
from photopal.concepts.localize import cells_extent, contested_maps, location_maps, map_scores
from photopal.concepts.references import FeatureStore, sample_strangers
from photopal.concepts.sync import find_all
from photopal.errors import PhotoError
from photopal.library import ConceptRecord, Library, PhotoRecord, ReferencePhoto
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.prompts import build_prompt
from photopal.prompts import templates as questions
from photopal.tuning.examples import TuningConcept, TuningPhoto
from photopal.vlm.protocol import PhotoFeatures, VisionModel

MOST_DESCRIPTIONS = 3


def gather_photos(
    library: Library, store: FeatureStore, bank: Bank, *, negatives: int = 16, seed: int = 0
) -> list[TuningPhoto]:
    """Encode every reference photo, mirrored too, and random photos of the library that show nobody.

    A photo of one concept may show another that is not registered for it. So whoever the maps see there is
    `likely`, and no negative; library photos with anybody likely are left out.

    Args:
        library: Where the photos are.
        store: Encodes them.
        bank: Registered concepts with thresholds.
        negatives: How many random photos to take.
        seed: Chooses them.
    """
    rows: dict[str, PhotoRecord] = {}
    present: dict[str, set[int]] = {}
    for concept_id in bank.concepts:
        for reference in library.concepts.references(concept_id):
            rows[reference.photo.content_hash] = reference.photo
            present.setdefault(reference.photo.content_hash, set()).add(concept_id)
    photos = []
    for key, row in rows.items():
        try:
            features = store.of(row)
            mirrored = mirror(store.model, row)
        except PhotoError:
            continue
        likely = likely_concepts(bank, features) - present[key]
        photos.append(TuningPhoto(key, features, mirrored, frozenset(present[key]), frozenset(likely)))
    strangers = sample_strangers(library, store, avoid=set(rows), count=negatives, seed=seed)
    for row, features in strangers:
        if not likely_concepts(bank, features):
            photos.append(TuningPhoto(row.content_hash, features, None, frozenset()))
    return photos


def mirror(model: VisionModel, row: PhotoRecord) -> PhotoFeatures:
    """Encode a photo with left and right exchanged."""
    mirrored = ImageOps.mirror(open_photo(row.path, max_side_px=MODEL_SIDE_PX))
    return model.encode_photos([mirrored], keys=[f"{row.content_hash}-mirrored"])[0]


def likely_concepts(bank: Bank, features: PhotoFeatures) -> set[int]:
    """Ids of the concepts that the maps see on a photo, or cannot exclude."""
    ids = list(bank.concepts)
    scores = map_scores(contested_maps(location_maps(features.patches, bank.directions(ids))))
    return {i for place, i in enumerate(ids) if float(scores[place]) > bank.concepts[i].calibration.threshold}


def describe_concepts(
    library: Library, store: FeatureStore, concepts: Sequence[ConceptRecord]
) -> dict[int, TuningConcept]:
    """Put the looks of concepts into words: the user's own, else the model's about the cut-out subject."""
    described = {}
    for concept in concepts:
        references = library.concepts.references(concept.id)
        if concept.about:
            words: tuple[str, ...] = (concept.about.strip().rstrip("."),)
        else:
            words = _describe(library, store, concept, references)
        described[concept.id] = TuningConcept(concept.id, concept.kind, words)
    return described


def _describe(
    library: Library, store: FeatureStore, concept: ConceptRecord, references: Sequence[ReferencePhoto]
) -> tuple[str, ...]:
    subjects, _ = find_all(library, store, {concept.id: references})
    found = subjects.get(concept.id, [])
    boxes: Mapping[str, Box] = {
        f.reference.key: cells_extent(f.cells, f.reference.features.frame) for f in found
    }
    words: list[str] = []
    for reference in references:
        if reference.photo.content_hash not in boxes or len(words) >= MOST_DESCRIPTIONS:
            continue
        image = open_photo(reference.photo.path, max_side_px=MODEL_SIDE_PX)
        features = store.model.encode_photos([cut_out(image, boxes[reference.photo.content_hash])])[0]
        prompt = build_prompt(questions.describe_question(concept.kind))
        encoded = store.model.encode_prompt(prompt, features)
        answer = store.model.generate(encoded, features, max_new_tokens=48)
        cleaned = answer.strip().rstrip(".")
        if cleaned:
            words.append(cleaned[0].lower() + cleaned[1:])
    return tuple(dict.fromkeys(words))


def cut_out(image: Image.Image, box: Box, *, margin: float = 0.06) -> Image.Image:
    """Cut a square around a box out of a photo, with a margin."""
    width, height = image.size
    left, top, right, bottom = box.x * width, box.y * height, box.right * width, box.bottom * height
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    side = min(side, width, height)
    x = min(max(0.0, (left + right - side) / 2), width - side)
    y = min(max(0.0, (top + bottom - side) / 2), height - side)
    return image.crop((round(x), round(y), round(x + side), round(y + side)))


__all__ = ["describe_concepts", "gather_photos", "likely_concepts"]
