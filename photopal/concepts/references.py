"""Encodes reference photos, and other photos of a library beside them; knows no bank."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.cache import LRUCache
from photopal.concepts.initialize import CorrectedPhotos, Reference
from photopal.concepts.localize import box_mask
from photopal.errors import ConceptError, PhotoError
from photopal.library import Correction, Library, PhotoRecord, ReferencePhoto
from photopal.photos import MODEL_SIDE_PX, Photo, open_photo
from photopal.vlm.protocol import PhotoFeatures, VisionModel

STRANGER_PHOTOS = 24

MOST_CORRECTED = 24
"""Of how many photos, the latest, the user's word is learned from, for each concept and either way."""


class FeatureStore:
    """Encodes photos of the library and keeps the latest ones, at most a number of bytes."""

    def __init__(self, model: VisionModel, *, most_bytes: int = 1 << 29) -> None:
        """Encode with one model."""
        self.model = model
        self._cached: LRUCache[str, PhotoFeatures] = LRUCache(most_bytes, lambda features: features.nbytes)

    def of(self, photo: PhotoRecord | Photo) -> PhotoFeatures:
        """The features of a photo.

        Raises:
            PhotoError: The file is gone or cannot be read.
        """
        key = photo.content_hash
        features = self._cached.get(key)
        if features is None:
            image = open_photo(photo.path, max_side_px=MODEL_SIDE_PX)
            [features] = self.model.encode_photos([image], keys=[key])
            self._cached.put(key, features)
        return features


def references_key(references: Sequence[ReferencePhoto]) -> str:
    """Hash what a concept is made from: its photos, boxes and masks, in any order."""
    parts = sorted(
        f"{r.photo.content_hash}|{r.box}|{hashlib.blake2b(r.mask_png or b'', digest_size=8).hexdigest()}"
        for r in references
    )
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def corrections_key(corrections: Sequence[Correction]) -> str:
    """Hash what the user said of a concept on photos, in any order; empty where nothing was said."""
    if not corrections:
        return ""
    parts = sorted(f"{c.photo.content_hash}|{c.is_present}|{c.box}" for c in corrections)
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


def read_corrections(store: FeatureStore, corrections: Sequence[Correction]) -> CorrectedPhotos:
    """Encode the photos that the user has corrected; those whose files are gone are left out."""
    read: dict[bool, list[Reference]] = {True: [], False: []}
    for one in corrections:
        size = (one.photo.width_px, one.photo.height_px)
        mask = None if one.box is None else box_mask(one.box, size)
        try:
            reference = Reference(one.photo.content_hash, store.of(one.photo), mask)
        except PhotoError:
            continue
        read[one.is_present].append(reference)
    return CorrectedPhotos(read[True], read[False])


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
            raise ConceptError(f"{reference.photo.path}: the mask cannot be read") from error
        if (mask.shape[1], mask.shape[0]) != size:
            raise ConceptError(
                f"{reference.photo.path}: the mask has {mask.shape[1]} x {mask.shape[0]} pixels, "
                f"the photo {size[0]} x {size[1]}",
                hint="Use a mask of the same size as the upright photo.",
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
) -> list[tuple[PhotoRecord, PhotoFeatures]]:
    """Encode photos of the library that are no reference photos, chosen at random by a seed.

    Photos that show somebody by the user's own word are left out too.
    """
    avoid = avoid | library.corrections.shown_hashes()
    rows = [row for row in library.photos.all() if row.content_hash not in avoid]
    random.Random(seed).shuffle(rows)
    found: list[tuple[PhotoRecord, PhotoFeatures]] = []
    for row in rows:
        if len(found) >= count:
            break
        try:
            found.append((row, store.of(row)))
        except PhotoError:
            continue
    return found


def encode_ahead(library: Library, store: FeatureStore, photos: Iterable[Photo]) -> None:
    """Encode what registering a concept takes: its photos, those of the others, and a few of strangers.

    It is the slow part of registering. Done before, it need not be done while the library is locked.
    """
    known = [r.photo for concept in library.concepts.all() for r in library.concepts.references(concept.id)]
    known += [
        one.photo
        for concept in library.concepts.all()
        for one in library.corrections.of_concept(concept.id, most=MOST_CORRECTED)
    ]
    wanted: list[PhotoRecord | Photo] = [*photos, *known]
    for photo in wanted:
        try:
            store.of(photo)
        except Exception:  # noqa: BLE001 - it fails again, and is told, when its concept is registered
            continue
    with suppress(Exception):
        sample_strangers(library, store, avoid={photo.content_hash for photo in wanted})
