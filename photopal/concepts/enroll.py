"""Keeps a bank in step with the library: registers what is new or changed, forgets what is gone."""

from __future__ import annotations

import hashlib
import io
import random
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from photopal.concepts.bank import Bank, NewerBankError, load_bank, save_bank
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
from photopal.photos import MODEL_SIDE_PX, open_photo
from photopal.vision.protocol import PhotoFeatures, VisionModel

STRANGER_PHOTOS = 24

OnProgress = Callable[[int, int | None, object], None]
"""Told how many are done, of how many, and which is at hand."""


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
        image = open_photo(photo.path, max_side_px=MODEL_SIDE_PX)
        features = self.model.encode_photos([image], keys=[key])[0]
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
    maps = contested_maps(location_maps(features.patches, bank.directions(ids)))
    scores = map_scores(maps)
    return all(float(scores[place]) < 0.6 * positives[concept_id] for place, concept_id in enumerate(ids))


@dataclass(frozen=True, eq=False)
class Enrolment:
    """What came of bringing a bank in step with the library.

    Attributes:
        bank: The bank.
        found: For each concept where it was found on its photos; empty where nothing had to be learned.
        registered: Ids of the concepts that were registered from their photos.
    """

    bank: Bank
    found: dict[int, list[FoundSubject]] = field(default_factory=dict)
    registered: tuple[int, ...] = ()


def refresh_bank(
    library: Library,
    model: VisionModel,
    path: Path,
    *,
    options: RegisterOptions | None = None,
    store: FeatureStore | None = None,
    on_progress: OnProgress | None = None,
) -> Enrolment:
    """Load the bank and bring it in step with the library; saves it if anything changed.

    Concepts that are new, or whose reference photos changed, are registered from their photos; tuned rows of
    unchanged concepts stay. A bank of another model, or a broken one, is made anew.

    Raises:
        BankError: The bank cannot be written, or a newer photopal wrote it.
    """
    store = store or FeatureStore(model)
    bank = open_bank(path, fingerprint=model.fingerprint)
    enrolment = enrol(library, store, bank, options=options, on_progress=on_progress)
    if enrolment.bank is not bank:
        save_bank(enrolment.bank, path)
    return enrolment


def open_bank(path: Path, *, fingerprint: str) -> Bank:
    """Load a model's bank; an empty one where there is none that can be read.

    Raises:
        BankError: A newer photopal wrote it.
    """
    try:
        return load_bank(path, fingerprint=fingerprint)
    except NewerBankError:
        raise
    except BankError:
        return Bank(fingerprint=fingerprint, prompt_version="")


def enrol(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    *,
    anew: Collection[int] = (),
    options: RegisterOptions | None = None,
    on_progress: OnProgress | None = None,
) -> Enrolment:
    """Register what is new or changed, forget what is gone; the same bank comes back when nothing is.

    A concept none of whose photos can be read now keeps what is known of it.

    Args:
        library: Its concepts and reference photos.
        store: Encodes photos.
        bank: What is known so far.
        anew: Ids of concepts to register in any case.
        options: Of registration.
        on_progress: Told of every concept.
    """
    concepts = {concept.id: concept for concept in library.concepts()}
    wanted = {i: library.references(i) for i in concepts}
    wanted = {i: references for i, references in wanted.items() if references}
    keys = {i: references_key(references) for i, references in wanted.items()}
    stale = {i for i, key in keys.items() if i not in bank.concepts or bank.concepts[i].references_key != key}
    stale = {i for i in stale | (set(anew) & keys.keys()) if any(_is_there(r.photo) for r in wanted[i])}
    kept = [i for i in bank.concepts if i in wanted]
    if not stale and len(kept) == len(bank.concepts):
        return Enrolment(bank)
    found = find_all(library, store, wanted, on_progress=on_progress)
    bank = bank.only(kept)
    registered = tuple(i for i in sorted(stale) if i in found)
    bank = bank.with_concepts(
        [
            register_concept(
                store.model,
                i,
                found[i],
                name=concepts[i].name,
                references_key=keys[i],
                options=options or RegisterOptions(),
            )
            for i in registered
        ]
    )
    if found:
        background = background_direction([subject for subjects in found.values() for subject in subjects])
        bank = replace(bank, background=background)
        known = {i: subjects for i, subjects in found.items() if i in bank.concepts}
        bank = calibrate_concepts(bank, known, screened_strangers(library, store, bank, known))
    return Enrolment(bank, found, registered)


def _is_there(photo: PhotoRow) -> bool:
    return photo.path.is_file()


def screened_strangers(
    library: Library, store: FeatureStore, bank: Bank, found: dict[int, list[FoundSubject]]
) -> list[PhotoFeatures]:
    """Photos of the library that seem to show no concept, to learn thresholds and negatives from."""
    avoid = {f.reference.key for subjects in found.values() for f in subjects}
    positives = {}
    for concept_id, subjects in found.items():
        own = [f.reference.features.patches[f.cells] for f in subjects]
        units = torch.nn.functional.normalize(torch.cat(own), dim=-1)
        positives[concept_id] = float((units @ bank.concepts[concept_id].direction).mean())
    strangers = sample_strangers(library, store, avoid=avoid)
    return [features for _, features in strangers if unlikely(bank, features, positives)]


def find_all(
    library: Library,
    store: FeatureStore,
    wanted: dict[int, list[ReferencePhoto]],
    *,
    on_progress: OnProgress | None = None,
) -> dict[int, list[FoundSubject]]:
    """Find the subject on every reference photo of the wanted concepts that can be read.

    A concept none of whose photos can be read is left out.
    """
    read: dict[int, list[Reference]] = {}
    for done, (concept_id, references) in enumerate(wanted.items()):
        if on_progress:
            on_progress(done, len(wanted), concept_id)
        readable = read_references(store, references)
        if readable:
            read[concept_id] = readable
    found = {}
    for concept_id, references_read in read.items():
        own = {r.key for r in references_read}
        others = [r.features for i, rs in read.items() if i != concept_id for r in rs if r.key not in own]
        if not others:
            others = [features for _, features in sample_strangers(library, store, avoid=own, count=8)]
        found[concept_id] = find_subjects(references_read, others)
    return found
