"""Keeps a bank in step with the library: registers what is new or changed, forgets what is gone."""

from __future__ import annotations

import traceback
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from photopal.concepts.bank import Bank, NewerBankError, load_bank, save_bank
from photopal.concepts.initialize import (
    FoundSubject,
    Reference,
    RegisterOptions,
    background_direction,
    calibrate_concepts,
    find_subjects,
    register_concept,
)
from photopal.concepts.localize import contested_maps, location_maps, map_scores
from photopal.concepts.references import FeatureStore, read_references, references_key, sample_strangers
from photopal.errors import BankError, ConceptError, in_a_line
from photopal.library import Library, PhotoRecord, ReferencePhoto
from photopal.library.unregistered import keep_reasons
from photopal.progress import OnProgress
from photopal.vlm.protocol import PhotoFeatures, VisionModel


def unlikely(bank: Bank, features: PhotoFeatures, positives: dict[int, float]) -> bool:
    """Whether a photo seems to show none of the concepts, by scores well under those of their own photos."""
    ids = list(positives)
    maps = contested_maps(location_maps(features.patches, bank.directions(ids)))
    scores = map_scores(maps)
    return all(float(scores[place]) < 0.6 * positives[concept_id] for place, concept_id in enumerate(ids))


@dataclass(frozen=True, eq=False)
class SyncResult:
    """What came of bringing a bank in step with the library.

    Attributes:
        bank: The bank.
        found: For each concept where it was found on its photos; empty where nothing had to be learned.
        registered: Ids of the concepts that were registered from their photos.
        failed: Why others could not be, by id; one that was registered before keeps what is known of it.
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

    Concepts that are new, or whose reference photos changed, are registered from their photos; tuned rows of
    unchanged concepts stay. A bank of another model, or a broken one, is made anew. One concept that cannot
    be registered does not keep the others from it: why is kept beside the bank, and it is tried again the
    next time.

    Args:
        library: Its concepts and reference photos.
        model: The frozen model.
        path: The bank's file.
        store: Encodes photos.
        required: Id of a concept without which nothing is saved: what keeps it from being registered is
            raised.
        on_progress: Told of every concept.

    Raises:
        BankError: The bank cannot be written, or a newer photopal wrote it.
    """
    store = store or FeatureStore(model)
    bank = open_bank(path, fingerprint=model.fingerprint)
    result = enrol(library, store, bank, on_progress=on_progress)
    if required is not None and required in result.failed:
        raise result.failed[required]
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


def enrol(
    library: Library,
    store: FeatureStore,
    bank: Bank,
    *,
    anew: Collection[int] = (),
    options: RegisterOptions | None = None,
    on_progress: OnProgress | None = None,
) -> SyncResult:
    """Register what is new or changed, forget what is gone; the same bank comes back when nothing is.

    A concept none of whose photos can be read now, or whose registration fails, keeps what is known of it.

    Args:
        library: Its concepts and reference photos.
        store: Encodes photos.
        bank: What is known so far.
        anew: Ids of concepts to register in any case.
        options: Of registration.
        on_progress: Told of every concept.
    """
    concepts = {concept.id: concept for concept in library.concepts.all()}
    wanted = {i: references for i in concepts if (references := library.concepts.references(i))}
    keys = {i: references_key(references) for i, references in wanted.items()}
    stale = {i for i, key in keys.items() if i not in bank.concepts or bank.concepts[i].references_key != key}
    stale = {i for i in stale | (set(anew) & keys.keys()) if any(_is_there(r.photo) for r in wanted[i])}
    failed: dict[int, Exception] = {
        i: ConceptError("none of its photos can be found" if i in wanted else "no reference photos")
        for i in concepts
        if i not in bank.concepts and i not in stale
    }
    kept = bank.only([i for i in bank.concepts if i in wanted])
    if not stale and len(kept.concepts) == len(bank.concepts):
        return SyncResult(bank, failed=failed)
    found, not_found = find_all(library, store, wanted, on_progress=on_progress)
    failed |= {i: error for i, error in not_found.items() if i in stale}
    registered = {}
    for i in sorted(stale & found.keys()):
        try:
            registered[i] = register_concept(
                store.model,
                i,
                found[i],
                name=concepts[i].name,
                references_key=keys[i],
                options=options or RegisterOptions(),
            )
        except Exception as error:  # noqa: BLE001 - as in `find_all`
            failed[i] = _let_go(error)
    if registered or len(kept.concepts) < len(bank.concepts):
        try:
            bank = _calibrated(library, store, kept.with_concepts(list(registered.values())), found)
        except Exception as error:  # noqa: BLE001 - thresholds are learned together, so it may be any of them
            # What is not new was calibrated before; only what is gone is forgotten now.
            bank = kept if len(kept.concepts) < len(bank.concepts) else bank
            failed |= dict.fromkeys(registered, _let_go(error))
            registered = {}
    return SyncResult(bank, found, tuple(registered), failed)


def _calibrated(
    library: Library, store: FeatureStore, bank: Bank, found: Mapping[int, list[FoundSubject]]
) -> Bank:
    """Learn the background and the thresholds of those concepts of a bank that were found."""
    if not found:
        return bank
    background = background_direction([subject for subjects in found.values() for subject in subjects])
    bank = replace(bank, background=background)
    known = {i: subjects for i, subjects in found.items() if i in bank.concepts}
    return calibrate_concepts(bank, known, screened_strangers(library, store, bank, known))


def _let_go(error: Exception) -> Exception:
    """Free what the frames of an error's traceback hold: after want of memory it may be gigabytes."""
    traceback.clear_frames(error.__traceback__)
    return error


def _is_there(photo: PhotoRecord) -> bool:
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
    wanted: Mapping[int, Sequence[ReferencePhoto]],
    *,
    on_progress: OnProgress | None = None,
) -> tuple[dict[int, list[FoundSubject]], dict[int, Exception]]:
    """Find the subject on every reference photo of the wanted concepts that can be read.

    Returns:
        Where they are, by concept id; and for the concepts for which it cannot be said, why.
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
            failed[concept_id] = _let_go(error)
    for concept_id, references_read in read.items():
        own = {r.key for r in references_read}
        others = [r.features for i, rs in read.items() if i != concept_id for r in rs if r.key not in own]
        try:
            if not others:
                others = [features for _, features in sample_strangers(library, store, avoid=own, count=8)]
            found[concept_id] = find_subjects(references_read, others)
        except Exception as error:  # noqa: BLE001 - as above
            failed[concept_id] = _let_go(error)
    return found, failed
