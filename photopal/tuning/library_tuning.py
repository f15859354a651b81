"""Tunes the concepts of a library and keeps the bank where that helped; knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from photopal.concepts import Bank, RegisterOptions, save_bank
from photopal.concepts.bank import try_saving
from photopal.concepts.registration import FeatureStore, open_bank, register_concepts
from photopal.errors import ConceptError, in_a_line, is_out_of_memory
from photopal.library import Library
from photopal.library.unregistered import keep_reasons
from photopal.progress import OnProgress
from photopal.tuning.dataset import describe_concepts, gather_photos, photos_for_newcomers
from photopal.tuning.examples import TuningConcept, TuningPhoto
from photopal.tuning.start import Way, choose_start
from photopal.tuning.trainer import (
    TuneOptions,
    TuningProgress,
    TuningReport,
    Validation,
    held_out_key,
    rank,
    tune_bank,
    validate_bank,
)
from photopal.vlm.causes import explain
from photopal.vlm.protocol import VisionModel


@dataclass(frozen=True, eq=False)
class TuningPlan:
    """Everything a run needs, read from the library; the bank is not written yet.

    Attributes:
        path: The bank's file.
        bank: The embeddings to start from: those to tune as registered, the others as they are.
        rival: The bank in use, where it was made of the same photos with the same seed and trained on none of
            those held out now; else None.
        concepts: Everyone in the bank, by id.
        photos: What to learn from.
        options: Settings of the run, by what it starts from.
        way: What it starts from.
        failed: Why others could not be registered, by id; they are left out.
        known: Ids of those in the bank in use.
    """

    path: Path
    bank: Bank
    rival: Bank | None
    concepts: Mapping[int, TuningConcept]
    photos: Sequence[TuningPhoto]
    options: TuneOptions
    way: Way
    failed: Mapping[int, Exception]
    known: Collection[int] = ()

    @property
    def trained(self) -> list[int]:
        """Ids of the concepts to tune."""
        return sorted(i for i, concept in self.concepts.items() if not concept.is_frozen)


@dataclass(frozen=True)
class TuningOutcome:
    """What came of a run.

    Attributes:
        report: Of the run.
        rival: How the bank in use does on the same questions, if it can be compared.
        is_saved: Whether the tuned embeddings are in use now.
    """

    report: TuningReport
    rival: Validation | None
    is_saved: bool


def plan_tuning(
    library: Library,
    model: VisionModel,
    path: Path,
    *,
    names: Sequence[str] = (),
    options: TuneOptions,
    on_progress: OnProgress | None = None,
) -> TuningPlan:
    """Read what tuning needs; the concepts to tune are registered anew, so that a run can be repeated.

    Args:
        library: Read only.
        model: The frozen model.
        path: The bank's file.
        names: Those to tune; all by default.
        options: Settings of the run.
        on_progress: Called for every concept.

    Raises:
        ConceptError: A name is unknown, or there is no photo to learn from.
        BankError: There would be no way to save what is learned.
    """
    chosen = [library.concepts.get(name) for name in names] or library.concepts.all()
    if not chosen:
        raise ConceptError("no concepts yet", hint="photopal add-concept NAME PHOTO...")
    store = FeatureStore(model)
    in_use = open_bank(path, fingerprint=model.fingerprint)
    registration = RegisterOptions(tokens=options.tokens, seed=options.seed)
    # From their photos and not from the tuned embeddings in use: tuned on the same photos with the same seed
    # they come out the same, however often `photopal tune` was run before.
    result = register_concepts(
        library,
        store,
        in_use,
        anew=[concept.id for concept in chosen],
        options=registration,
        on_progress=on_progress,
    )
    trained = {concept.id for concept in chosen} & set(result.registered)
    for concept in chosen:
        if concept.id not in trained and (names or not trained):
            failure = result.failed.get(concept.id)
            reason = "none of its photos can be found" if failure is None else in_a_line(failure)
            raise ConceptError(
                f"{concept.name} cannot be registered: {reason}",
                hint="Restore its photos, or add others with `photopal add-concept`.",
            ) from failure
    keep_reasons(path, model.name, {i: in_a_line(error) for i, error in result.failed.items()})
    # One that is known from before but fails now would fail again below; what is known of it stays on disk.
    bank = result.bank.only([i for i in result.bank.concepts if i not in result.failed])
    # What is registered here and not tuned may need words, as if `add-concept` had registered it.
    bank = replace(bank, has_open_words=bank.has_open_words or bool(set(result.registered) - trained))
    known = [concept for concept in library.concepts.all() if concept.id in bank.concepts]
    to_describe = [concept for concept in known if concept.id in trained]
    described = describe_concepts(library, store, bank, to_describe, result.found)
    concepts = {
        concept.id: described.get(concept.id) or TuningConcept(concept.id, concept.kind, is_frozen=True)
        for concept in known
    }
    photos = gather_photos(library, store, bank, trained=trained, seed=options.seed)
    photos = photos_for_newcomers(photos, bank, concepts)
    is_in_words = any(concept.words for concept in in_use.concepts.values())
    start = choose_start(model, bank, concepts, photos, options, is_in_words=is_in_words)
    held_out = held_out_key(photos, start.options)
    is_comparable = _is_comparable(in_use, start.bank, trained, seed=options.seed, held_out=held_out)
    try_saving(start.bank, path)
    return TuningPlan(
        path=path,
        bank=start.bank,
        rival=in_use if is_comparable else None,
        concepts=concepts,
        photos=photos,
        options=start.options,
        way=start.way,
        failed=result.failed,
        known=in_use.concepts.keys(),
    )


def _is_comparable(in_use: Bank, bank: Bank, trained: set[int], *, seed: int, held_out: str) -> bool:
    """Whether both banks were made of the same photos and words, and the held-out ones held out of both."""
    if in_use.notes.get("seed") != str(seed) or in_use.concepts.keys() != bank.concepts.keys():
        return False
    pairs = [(in_use.concepts[i], bank.concepts[i]) for i in bank.concepts]
    is_same = all(
        (old.references_key, old.corrections_key, old.token_count, old.words)
        == (new.references_key, new.corrections_key, new.token_count, new.words)
        for old, new in pairs
    )
    # Photos that were added to the library since may have changed which are held out.
    return is_same and all(in_use.concepts[i].held_out_key == held_out for i in trained)


def run_plan(
    model: VisionModel,
    plan: TuningPlan,
    *,
    on_progress: Callable[[TuningProgress], None] | None = None,
) -> TuningOutcome:
    """Tune, and save the embeddings if they do better than registration and no worse than the bank in use.

    What another process wrote to the bank meanwhile stays, the tuned concepts apart.

    Raises:
        ConceptError: There is nothing to learn from.
        BankError: The bank cannot be written.
        ModelError: Memory ran out before there was anything to keep.
    """
    try:
        # Before training, so that what ends this loses no work.
        rival = (
            validate_bank(model, plan.rival, plan.concepts, plan.photos, plan.options)
            if plan.rival is not None
            else None
        )
        tuned, report = tune_bank(
            model, plan.bank, plan.concepts, plan.photos, plan.options, on_progress=on_progress
        )
    except Exception as error:
        if is_out_of_memory(error):
            raise explain(error, model.name) from error
        raise
    is_better = report.best_epoch > 0 and (rival is None or rank(report.after) >= rank(rival))
    if is_better:
        # Tuning takes minutes, and `add-concept` may have written the bank meanwhile: only what was tuned
        # here replaces what is on disk, and not where a concept's photos have changed since.
        latest = open_bank(plan.path, fingerprint=model.fingerprint)
        others = [
            concept
            for i, concept in latest.concepts.items()
            if i not in plan.trained or concept.references_key != tuned.concepts[i].references_key
        ]
        saved = tuned.with_concepts(others)
        save_bank(replace(saved, has_open_words=saved.has_open_words or latest.has_open_words), plan.path)
    return TuningOutcome(report, rival, is_better)
