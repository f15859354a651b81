"""Keeps a bank in step with the library: registers what is new or changed, forgets what is gone."""

from __future__ import annotations

import hashlib
import io
import random
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from photopal.concepts.bank import Bank, load_bank, save_bank
from photopal.concepts.maps import contested_maps, location_maps, map_scores
from photopal.concepts.masks import box_mask
from photopal.concepts.register import (
    FoundSubject,
    Reference,
    RegisterOptions,
    background_direction,
    calibrate_concepts,
    find_subjects,
    register_concept,
)
from photopal.errors import BankError, ConceptError, PhotoError
from photopal.library import Library, PhotoRow, ReferencePhoto
from photopal.photos import open_photo
from photopal.vision.protocol import PhotoFeatures, VisionModel

STRANGER_PHOTOS = 24


class FeatureStore:
    """Encodes photos of the library and keeps the latest ones, at most a number of bytes."""

    def __init__(self, model: VisionModel, *, most_bytes: int = 1 << 29) -> None:
        """Encode with one model."""
        self.model = model
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, PhotoFeatures] = OrderedDict()
        self._bytes = 0

    def of(self, photo: PhotoRow) -> PhotoFeatures:
        """The features of a photo.

        Raises:
            PhotoError: The file is gone or cannot be read.
        """
        key = photo.content_hash
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        features = self.model.encode_photos([open_photo(photo.path, max_side_px=2048)])[0]
        self._held[key] = features
        self._bytes += _size(features)
        while self._bytes > self._most_bytes and len(self._held) > 1:
            self._bytes -= _size(self._held.popitem(last=False)[1])
        return features


def _size(features: PhotoFeatures) -> int:
    return features.tokens.nbytes + features.patches.nbytes


def references_key(references: Sequence[ReferencePhoto]) -> str:
    """Hash what a concept is made from: its photos, boxes and masks, in any order."""
    parts = sorted(
        f"{r.photo.content_hash}|{r.box}|{hashlib.blake2b(r.mask_png or b'', digest_size=8).hexdigest()}"
        for r in references
    )
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def reference_mask(reference: ReferencePhoto) -> NDArray[np.bool_] | None:
    """The mask of a reference photo over its upright pixels, from its mask file or its box; None without.

    Raises:
        ConceptError: The mask cannot be read or is not as large as the photo.
    """
    size = (reference.photo.width_px, reference.photo.height_px)
    if reference.mask_png is not None:
        try:
            with Image.open(io.BytesIO(reference.mask_png)) as picture:
                mask = np.asarray(picture.convert("L")) > 127
        except OSError as error:
            raise ConceptError(f"the mask of {reference.photo.path} cannot be read") from error
        if (mask.shape[1], mask.shape[0]) != size:
            raise ConceptError(
                f"the mask of {reference.photo.path} has {mask.shape[1]}×{mask.shape[0]} pixels, "
                f"the photo {size[0]}×{size[1]}",
                hint="Give a mask as large as the upright photo.",
            )
        return mask
    return box_mask(reference.box, size) if reference.box is not None else None


def read_references(store: FeatureStore, references: Sequence[ReferencePhoto]) -> list[Reference]:
    """Encode reference photos; those whose files are gone are left out."""
    read = []
    for reference in references:
        try:
            features = store.of(reference.photo)
        except PhotoError:
            continue
        read.append(Reference(reference.photo.content_hash, features, reference_mask(reference)))
    return read


def sample_strangers(
    library: Library, store: FeatureStore, *, avoid: set[str], count: int = STRANGER_PHOTOS, seed: int = 0
) -> list[tuple[PhotoRow, PhotoFeatures]]:
    """Encode photos of the library that are no reference photos, chosen at random by a seed."""
    rows = [row for row in library.photos() if row.content_hash not in avoid]
    random.Random(seed).shuffle(rows)
    found: list[tuple[PhotoRow, PhotoFeatures]] = []
    for row in rows:
        if len(found) >= count:
            break
        try:
            found.append((row, store.of(row)))
        except PhotoError:
            continue
    return found


def unlikely(bank: Bank, features: PhotoFeatures, positives: dict[int, float]) -> bool:
    """Whether a photo seems to show none of the concepts, by scores well under those of their own photos."""
    ids = list(positives)
    maps = contested_maps(location_maps(features.patches.cpu(), bank.directions(ids)))
    scores = map_scores(maps)
    return all(float(scores[place]) < 0.6 * positives[concept_id] for place, concept_id in enumerate(ids))


def refresh_bank(
    library: Library,
    model: VisionModel,
    path: Path,
    *,
    options: RegisterOptions | None = None,
    store: FeatureStore | None = None,
    on_progress: Callable[[int, int | None, object], None] | None = None,
) -> Bank:
    """Load the bank and bring it in step with the library; saves it if anything changed.

    Concepts that are new, or whose reference photos changed, are registered from their photos; tuned rows of
    unchanged concepts stay. A bank of another model, or a broken one, is made anew.

    Raises:
        ConceptError: No photo of a concept can be read.
        BankError: The bank cannot be written.
    """
    options = options or RegisterOptions()
    store = store or FeatureStore(model)
    try:
        bank = load_bank(path, fingerprint=model.fingerprint)
    except BankError:
        bank = Bank(fingerprint=model.fingerprint, prompt_version="")
    wanted = {concept.id: library.references(concept.id) for concept in library.concepts()}
    wanted = {concept_id: references for concept_id, references in wanted.items() if references}
    keys = {concept_id: references_key(references) for concept_id, references in wanted.items()}
    stale = [i for i, key in keys.items() if i not in bank.concepts or bank.concepts[i].references_key != key]
    gone = [i for i in bank.concepts if i not in wanted]
    if not stale and not gone:
        return bank
    bank = bank.only([i for i in bank.concepts if i in wanted and i not in stale])
    names = {concept.id: concept.name for concept in library.concepts()}
    found = find_all(library, store, wanted, on_progress=on_progress)
    fresh = [
        register_concept(model, i, found[i], name=names[i], references_key=keys[i], options=options)
        for i in stale
        if i in found
    ]
    bank = bank.with_concepts(fresh)
    background = background_direction([subject for subjects in found.values() for subject in subjects])
    bank = replace(bank, background=background)
    if found:
        bank = calibrate_concepts(bank, found, screened_strangers(library, store, bank, found))
    save_bank(bank, path)
    return bank


def screened_strangers(
    library: Library, store: FeatureStore, bank: Bank, found: dict[int, list[FoundSubject]]
) -> list[PhotoFeatures]:
    """Photos of the library that seem to show no concept, to learn thresholds and negatives from."""
    avoid = {f.reference.key for subjects in found.values() for f in subjects}
    positives = {}
    for concept_id, subjects in found.items():
        own = [f.reference.features.patches[f.cells].cpu() for f in subjects]
        units = torch.nn.functional.normalize(torch.cat(own).float(), dim=-1)
        positives[concept_id] = float((units @ bank.concepts[concept_id].direction).mean())
    strangers = sample_strangers(library, store, avoid=avoid)
    return [features for _, features in strangers if unlikely(bank, features, positives)]


def find_all(
    library: Library,
    store: FeatureStore,
    wanted: dict[int, list[ReferencePhoto]],
    *,
    on_progress: Callable[[int, int | None, object], None] | None = None,
) -> dict[int, list[FoundSubject]]:
    """Find the subject on every reference photo of the wanted concepts.

    Raises:
        ConceptError: No photo of a concept can be read.
    """
    total = sum(len(references) for references in wanted.values())
    done = 0
    read: dict[int, list[Reference]] = {}
    for concept_id, references in wanted.items():
        read[concept_id] = read_references(store, references)
        if not read[concept_id]:
            raise ConceptError(
                f"none of the {len(references)} reference photos of concept {concept_id} can be read",
                hint=f"The first one is {references[0].photo.path}. Bring it back or remove the concept.",
            )
        done += len(references)
        if on_progress:
            on_progress(done, total, concept_id)
    found = {}
    for concept_id, references_read in read.items():
        own = {r.key for r in references_read}
        others = [r.features for i, rs in read.items() if i != concept_id for r in rs if r.key not in own]
        if not others:
            others = [features for _, features in sample_strangers(library, store, avoid=own, count=8)]
        found[concept_id] = find_subjects(references_read, others)
    return found
