"""Keeps a bank in step with the library: registers what is new or changed, forgets what is gone."""

from __future__ import annotations

import hashlib
import io
import random
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from photopal.cache import LRUCache
from photopal.concepts.bank import Bank, BankConcept, NewerBankError, load_bank, save_bank
from photopal.concepts.initialize import (
    CorrectedPhotos,
    FoundSubject,
    Reference,
    RegisterOptions,
    background_direction,
    calibrate_concepts,
    find_subjects,
    register_concept,
)
from photopal.concepts.localize import box_mask, location_maps, map_scores, suppress_rivals
from photopal.errors import BankError, ConceptError, PhotoError, in_a_line
from photopal.files import is_file
from photopal.library import Correction, Library, PhotoRecord, ReferencePhoto
from photopal.library.originals import has_original, open_original
from photopal.library.unregistered import keep_reasons
from photopal.photos import Photo
from photopal.progress import OnProgress
from photopal.vlm.protocol import PhotoFeatures, VisionModel

NEGATIVE_PHOTOS = 24
"""How many photos of the library thresholds are learned from, beside the reference photos."""

MOST_CORRECTED = 24
"""Of how many photos, the latest, the user's word is learned from, for each concept and either way."""

_SCREENING_SHARE = 0.6


class PhotosAwayError(ConceptError):
    """A concept stays as it is known, as photos that it was made from cannot be found now."""


class EncodesPhotos(Protocol):
    """Whatever gives the features of photos of the library."""

    def of(self, photo: PhotoRecord, /) -> PhotoFeatures:
        """The features of a photo.

        Raises:
            PhotoError: The file is gone or cannot be read.
        """


class FeatureStore:
    """Encodes photos of the library and caches the latest ones, at most a number of bytes, on the CPU."""

    def __init__(self, model: VisionModel, *, most_bytes: int = 1 << 29) -> None:
        """Encode with one model."""
        self.model = model
        self._cached: LRUCache[str, PhotoFeatures] = LRUCache(most_bytes, lambda features: features.nbytes)

    def of(self, photo: PhotoRecord | Photo) -> PhotoFeatures:
        """The features of a photo.

        Raises:
            PhotoError: The file is gone, cannot be read or is another picture by now.
        """
        key = photo.content_hash
        features = self._cached.get(key)
        if features is None:
            image = open_original(photo)
            features = self.model.encode_photos([image], keys=[key])[0].on_cpu()
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


def sample_negatives(
    library: Library, store: EncodesPhotos, *, avoid: set[str], count: int = NEGATIVE_PHOTOS, seed: int = 0
) -> list[tuple[PhotoRecord, PhotoFeatures]]:
    """Encode photos of the library that are no reference photos, chosen at random by a seed.

    Photos that show somebody by the user's own word are left out too. The order in which photos are chosen
    does not depend on those left out, so that one more of them replaces one photo and not all.
    """
    avoid = avoid | library.corrections.shown_hashes()
    photos = list(library.photos.all())
    random.Random(seed).shuffle(photos)
    photos = [photo for photo in photos if photo.content_hash not in avoid]
    sampled: list[tuple[PhotoRecord, PhotoFeatures]] = []
    for photo in photos:
        if len(sampled) >= count:
            break
        try:
            sampled.append((photo, store.of(photo)))
        except PhotoError:
            continue
    return sampled


def encode_ahead(library: Library, store: FeatureStore, photos: Iterable[Photo]) -> None:
    """Encode what registering a concept takes: its photos, those of the others, and a few negatives.

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
        except Exception:  # noqa: BLE001 - it fails again, and is reported, when its concept is registered
            continue
    with suppress(Exception):
        sample_negatives(library, store, avoid={photo.content_hash for photo in wanted})


@dataclass(frozen=True, eq=False)
class SyncResult:
    """What came of bringing a bank in step with the library.

    Attributes:
        bank: The bank.
        found: For each concept where it was found on its photos; empty where nothing had to be learned.
        registered: Ids of the concepts that were registered from their photos.
        failed: Why others could not be, by id; one that was registered before keeps its embeddings.
    """

    bank: Bank
    found: dict[int, list[FoundSubject]] = field(default_factory=dict)
    registered: tuple[int, ...] = ()
    failed: Mapping[int, Exception] = field(default_factory=dict)


def refresh_bank(
    library: Library,
    model: VisionModel,
    path: Path,
    *,
    store: FeatureStore | None = None,
    required: int | None = None,
    on_progress: OnProgress | None = None,
) -> SyncResult:
    """Load the bank and bring it in step with the library; saves it if anything changed.

    Concepts that are new, or whose reference photos changed, are registered from their photos; tuned
    embeddings of unchanged concepts stay. A bank of another model, or a broken one, is made anew. One concept
    that cannot be registered does not keep the others from it: the reason is stored beside the bank, and it
    is tried again the next time.

    Args:
        library: Its concepts and reference photos.
        model: The frozen model.
        path: The bank's file.
        store: Encodes photos.
        required: Id of a concept without which nothing is saved: what keeps it from being registered is
            raised, unless it only waits for its earlier photos.
        on_progress: Called for every concept.

    Raises:
        BankError: The bank cannot be written, or a newer photopal wrote it.
    """
    store = store or FeatureStore(model)
    bank = open_bank(path, fingerprint=model.fingerprint)
    result = register_concepts(library, store, bank, on_progress=on_progress)
    failure = None if required is None else result.failed.get(required)
    if failure is not None and not isinstance(failure, PhotosAwayError):
        raise failure
    if result.registered:
        result = replace(result, bank=replace(result.bank, has_open_words=True))
    if result.bank is not bank:
        save_bank(result.bank, path)
    keep_reasons(path, model.name, {i: in_a_line(error) for i, error in result.failed.items()})
    return result


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


def register_concepts(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    *,
    anew: Collection[int] = (),
    options: RegisterOptions | None = None,
    on_progress: OnProgress | None = None,
) -> SyncResult:
    """Register what is new or changed, forget what is gone; the same bank comes back when nothing is.

    Thresholds are learned anew where the user has said something new of who is on a photo. A concept none of
    whose photos can be read now, or whose registration fails, keeps its embeddings; so does one whose photos
    changed while earlier ones cannot be read, if they would be made from fewer. What is made while photos
    cannot be read is made anew once more of them can.

    Args:
        library: Its concepts and reference photos.
        store: Encodes photos.
        bank: What is known so far.
        anew: Ids of concepts to register in any case.
        options: Of registration.
        on_progress: Called for every concept.
    """
    concepts = {concept.id: concept for concept in library.concepts.all()}
    wanted = {i: references for i in concepts if (references := library.concepts.references(i))}
    keys = {i: references_key(references) for i, references in wanted.items()}
    stale: dict[int, set[str]] = {}
    failed: dict[int, Exception] = {}
    for i, references in wanted.items():
        concept = bank.concepts.get(i)
        is_changed = concept is None or concept.references_key != keys[i]
        is_part = concept is not None and 0 < len(concept.made_from) < len(references)
        if not (is_changed or is_part or i in anew):
            continue
        there = {r.photo.content_hash for r in references if has_original(r.photo)}
        if concept is not None and there and is_changed and _is_poorer(library, concept, references, there):
            failed[i] = PhotosAwayError("earlier photos of it cannot be found")
        # A drive that is away, or a folder that moved: what was learned of a concept stays until a photo is
        # back.
        elif there and (is_changed or i in anew or (concept and len(there) > len(concept.made_from))):
            stale[i] = there
    failed |= {
        i: _why_unknown(library, wanted.get(i, ()))
        for i in concepts
        if i not in bank.concepts and i not in stale
    }
    remaining = bank.only([i for i in bank.concepts if i in wanted])
    is_smaller = len(remaining.concepts) < len(bank.concepts)
    said = {i: library.corrections.of_concept(i, most=MOST_CORRECTED) for i in wanted}
    is_corrected = any(
        concept.corrections_key != corrections_key(said[i])
        and any(has_original(reference.photo) for reference in wanted[i])
        for i, concept in remaining.concepts.items()
    )
    if not stale and not is_corrected and not is_smaller:
        return SyncResult(bank, failed=failed)
    # Everyone is looked for, not only who is new: thresholds are learned together, each concept's photos
    # being negatives of the others.
    found, not_found = find_all_subjects(library, store, wanted, on_progress=on_progress)
    failed |= {i: error for i, error in not_found.items() if i in stale}
    registered = {}
    for i in sorted(stale.keys() & found.keys()):
        try:
            made = register_concept(
                store.model,
                i,
                found[i],
                name=concepts[i].name,
                references_key=keys[i],
                options=options or RegisterOptions(),
            )
            registered[i] = replace(made, made_from=tuple(sorted(stale[i])), about=concepts[i].looks)
        except Exception as error:  # noqa: BLE001 - as in `find_all_subjects`
            failed[i] = _release_frames(error)
    if registered or is_corrected or is_smaller:
        try:
            known = remaining.with_concepts(list(registered.values()))
            bank = _calibrated(library, store, known, found, said)
        except Exception as error:  # noqa: BLE001 - thresholds are learned together, so it may be any of them
            # What is not new was calibrated before; only what is gone is forgotten now.
            bank = remaining if is_smaller else bank
            failed |= dict.fromkeys(registered, _release_frames(error))
            registered = {}
    return SyncResult(bank, found, tuple(registered), failed)


def _why_unknown(library: Library, references: Sequence[ReferencePhoto]) -> ConceptError:
    """Why a concept was not registered, none of whose photos is there."""
    photos = [reference.photo for reference in references]
    # At the path of a missing photo another one may be, which indexing has noted already.
    if any(is_file(photo.path) and not library.photos.is_missing(photo.id) for photo in photos):
        return ConceptError("its photos changed since they were indexed; run `photopal index` first")
    return ConceptError("none of its photos can be found" if references else "no reference photos")


def _is_poorer(
    library: Library, concept: BankConcept, references: Sequence[ReferencePhoto], there: Collection[str]
) -> bool:
    """Whether a concept would be made from fewer photos now than it was, as their files are away."""
    # It would lose more than it gains, and its tuning, only because a drive is unplugged. Photos that the
    # library has as missing may never come back, as it takes no drive that is away for a loss.
    former = {
        r.photo.content_hash
        for r in references
        if not concept.made_from or r.photo.content_hash in concept.made_from
        if r.photo.content_hash in there or not library.photos.is_missing(r.photo.id)
    }
    return len(there) < len(former)


def _calibrated(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    found: Mapping[int, list[FoundSubject]],
    said: Mapping[int, Sequence[Correction]],
) -> Bank:
    """Learn the background and the thresholds of those concepts of a bank that were found."""
    if not found:
        return bank
    background = background_direction([subject for subjects in found.values() for subject in subjects])
    bank = replace(bank, background=background)
    known = {i: subjects for i, subjects in found.items() if i in bank.concepts}
    corrected = {i: read_corrections(store, said[i]) for i in known}
    bank = calibrate_concepts(bank, known, screened_negatives(library, store, bank, known), corrected)
    return bank.with_concepts(
        [replace(bank.concepts[i], corrections_key=corrections_key(said[i])) for i in known]
    )


def _release_frames(error: Exception) -> Exception:
    """Free what the frames of an error's traceback hold: after want of memory it may be gigabytes."""
    traceback.clear_frames(error.__traceback__)
    return error


def screened_negatives(
    library: Library, store: FeatureStore, bank: Bank, found: dict[int, list[FoundSubject]]
) -> list[PhotoFeatures]:
    """Photos of the library that seem to show no concept, to learn thresholds from.

    Neither the maps nor faces or looks find one there, or are unsure of it.
    """
    avoid = {f.reference.key for subjects in found.values() for f in subjects}
    positives = {}
    for concept_id, subjects in found.items():
        own = [f.reference.features.patches[f.cells] for f in subjects]
        units = torch.nn.functional.normalize(torch.cat(own), dim=-1)
        # [patches of the subject, width] times [width]: the mean cosine of its own patches with its
        # direction.
        positives[concept_id] = float((units @ bank.concepts[concept_id].direction).mean())
    ids = list(positives)
    negatives = []
    for photo, features in sample_negatives(library, store, avoid=avoid):
        if any(word.verdict != "no" for word in library.corrections.known(photo.id).values()):
            continue
        scores = map_scores(suppress_rivals(location_maps(features.patches, bank.directions(ids))))
        # Screened well below the scores of their own photos, as there are no thresholds yet: a photo of the
        # user's library may show a concept that it is not registered for, and would push its threshold up.
        if all(float(scores[n]) < _SCREENING_SHARE * positives[i] for n, i in enumerate(ids)):
            negatives.append(features)
    return negatives


def likely_concepts(bank: Bank, features: PhotoFeatures) -> set[int]:
    """Ids of the concepts that the maps see on a photo, or cannot exclude."""
    ids = list(bank.concepts)
    scores = map_scores(suppress_rivals(location_maps(features.patches, bank.directions(ids))))
    # From the middle of the abstain band on: to leave out a negative costs little, to learn a wrong No much.
    return {i for index, i in enumerate(ids) if float(scores[index]) > bank.concepts[i].calibration.threshold}


def find_all_subjects(
    library: Library,
    store: FeatureStore,
    wanted: Mapping[int, Sequence[ReferencePhoto]],
    *,
    on_progress: OnProgress | None = None,
) -> tuple[dict[int, list[FoundSubject]], dict[int, Exception]]:
    """Find the subject on every reference photo of the wanted concepts that can be read.

    Returns:
        Where they are, by concept id; and why they could not be found, by concept id.
    """
    read: dict[int, list[Reference]] = {}
    found: dict[int, list[FoundSubject]] = {}
    failed: dict[int, Exception] = {}
    for done, (concept_id, references) in enumerate(wanted.items()):
        if on_progress:
            on_progress(done, len(wanted), concept_id)
        try:
            if readable := read_references(store, references):
                read[concept_id] = readable
            else:
                failed[concept_id] = ConceptError("none of its photos can be read")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one concept, the others go on
            failed[concept_id] = _release_frames(error)
    for concept_id, references_read in read.items():
        own = {r.key for r in references_read}
        # Photos of other concepts, but not those that show this one too.
        others = [r.features for i, rs in read.items() if i != concept_id for r in rs if r.key not in own]
        try:
            if not others:
                others = [features for _, features in sample_negatives(library, store, avoid=own, count=8)]
            found[concept_id] = find_subjects(references_read, others)
        except Exception as error:  # noqa: BLE001 - as above
            failed[concept_id] = _release_frames(error)
    return found, failed
