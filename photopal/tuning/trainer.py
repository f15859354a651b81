"""The joint run: trains the rows of all concepts together on a frozen model (MC-LLaVA, section 3.2)."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from photopal.concepts import Bank, BankConcept
from photopal.errors import ConceptError
from photopal.prompts import PROMPT_VERSION
from photopal.tuning.batching import (
    ExampleLoss,
    PackedExample,
    PrefixStore,
    examples_loss,
    pack_example,
    side_by_side,
)
from photopal.tuning.embedding_table import RowTable
from photopal.tuning.examples import TuningConcept, TuningPhoto, make_example
from photopal.tuning.options import TuneOptions, TuningProgress, TuningReport, Validation, rank
from photopal.vlm.protocol import VisionModel


def split_photos(
    photos: Sequence[TuningPhoto], *, share: float, rng: random.Random
) -> tuple[list[TuningPhoto], list[TuningPhoto]]:
    """Hold out photos of every concept for validation, and a share of the negatives.

    Photos that are held out in any case count towards the share.
    A concept with one or two photos keeps them all for training. Where no held-out photo shows a concept, its
    training photos validate too: else saying No to it would always be right.
    """
    ordered = sorted(photos, key=lambda photo: photo.key)
    rng.shuffle(ordered)
    held = {photo.key for photo in ordered if photo.is_held_out}
    for concept_id in sorted({i for photo in photos for i in photo.present}):
        mine = [photo for photo in ordered if concept_id in photo.present]
        wanted = max(1, round(share * len(mine))) if len(mine) >= 3 else 0
        already = sum(photo.key in held for photo in mine)
        free = [photo for photo in mine if photo.key not in held]
        held |= {photo.key for photo in free[: max(0, wanted - already)]}
    negatives = [photo for photo in ordered if not photo.present]
    already = sum(photo.key in held for photo in negatives)
    free = [photo for photo in negatives if photo.key not in held]
    held |= {photo.key for photo in free[: max(0, round(share * len(negatives)) - already)]}
    training = [photo for photo in ordered if photo.key not in held]
    shown = {i for photo in ordered if photo.key in held for i in photo.present}
    validation = [photo for photo in ordered if photo.key in held or photo.present - shown]
    return training, validation or training


def tune_bank(
    model: VisionModel,
    bank: Bank,
    concepts: Mapping[int, TuningConcept],
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
    *,
    on_progress: Callable[[TuningProgress], None] | None = None,
) -> tuple[Bank, TuningReport]:
    """Tune the rows of concepts jointly.

    Args:
        model: The frozen model; not one of its weights changes.
        bank: Registered rows to start from.
        concepts: Everyone the prompts may speak of, by id; the bank has them. Frozen ones keep their rows.
        photos: Reference photos, and further photos that show nobody.
        options: Settings.
        on_progress: Told of every epoch.

    Returns:
        A new bank with the best rows, and the report. An interrupt ends the run with the best rows so far.

    Raises:
        ConceptError: There is nothing to learn from.
    """
    started = time.monotonic()
    rng = random.Random(options.seed)
    trained = [concept.concept_id for concept in concepts.values() if not concept.is_frozen]
    run = _new_run(model, bank, concepts, options)
    training, validation = split_photos(photos, share=options.validation_share, rng=rng)
    lessons = run.prepare(training, concepts, rng, variants=options.variants)
    tests = run.prepare_tests(validation, concepts)
    if not lessons or not trained:
        raise ConceptError(
            "there is nothing to tune on", hint="Add concepts with `photopal add-concept` first."
        )
    report = run.train(lessons, tests, rng, on_progress)
    tuned = [_kept_rows(bank, run.table, run.best, concept_id) for concept_id in sorted(trained)]
    notes = {
        "seed": str(options.seed),
        "epochs": str(report.epochs),
        "validation": f"{report.after.accuracy:.4f}",
    }
    new_bank = replace(bank.with_concepts(tuned), prompt_version=PROMPT_VERSION, notes=notes)
    report = replace(report, photos=len(training), validation_photos=len(validation))
    return new_bank, replace(report, seconds=time.monotonic() - started)


def validate_bank(
    model: VisionModel,
    bank: Bank,
    concepts: Mapping[int, TuningConcept],
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
) -> Validation:
    """Ask a bank what `tune_bank` would ask about the photos it would hold out, and train nothing."""
    run = _new_run(model, bank, concepts, options)
    rng = random.Random(options.seed)
    _, validation = split_photos(photos, share=options.validation_share, rng=rng)
    return run.validate(run.prepare_tests(validation, concepts))


def _new_run(
    model: VisionModel, bank: Bank, concepts: Mapping[int, TuningConcept], options: TuneOptions
) -> _Run:
    trained = [concept.concept_id for concept in concepts.values() if not concept.is_frozen]
    table = RowTable(bank, sorted(concepts), trained, device=model.device)
    return _Run(model, table, options, PrefixStore(model) if model.supports_prefix else None)


def _kept_rows(bank: Bank, table: RowTable, best: tuple[Tensor, Tensor], concept_id: int) -> BankConcept:
    place, count = table.place[concept_id], table.counts[concept_id]
    inputs, outputs = best
    concept = bank.concepts[concept_id]
    own, said = inputs[place, : count + 1].cpu().clone(), outputs[place].cpu().clone()
    return replace(concept, inputs=own, outputs=said, is_tuned=True)


def learning_rate_factor(step: int, total_steps: int) -> float:
    """What the learning rate is multiplied by before a step, from 1 down to a tenth along a cosine."""
    share = min(1.0, step / max(1, total_steps))
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(share * math.pi))


class _Run:
    """One run's state: rows, optimiser, prefixes and the best rows so far."""

    def __init__(
        self, model: VisionModel, table: RowTable, options: TuneOptions, store: PrefixStore | None
    ) -> None:
        self.model, self.table, self.options, self.store = model, table, options, store
        self.best = table.snapshot()
        self.steps = 0
        self.optimizer = torch.optim.AdamW(
            [table.inputs, table.outputs], lr=options.learning_rate, weight_decay=options.weight_decay
        )

    def prepare(
        self,
        photos: Sequence[TuningPhoto],
        concepts: Mapping[int, TuningConcept],
        rng: random.Random,
        *,
        variants: int,
        mirror_share: float | None = None,
    ) -> list[list[PackedExample]]:
        """For each photo its variants of questions, encoded once for the whole run."""
        share = self.options.mirror_share if mirror_share is None else mirror_share
        prepared = []
        for photo in photos:
            made = [
                make_example(photo, concepts, self.table.counts, rng, is_mirrored=rng.random() < share)
                for _ in range(variants)
            ]
            packed = [pack_example(self.model, example) for example in made if example is not None]
            if packed:
                prepared.append(packed)
        return prepared

    def prepare_tests(
        self, photos: Sequence[TuningPhoto], concepts: Mapping[int, TuningConcept]
    ) -> list[list[PackedExample]]:
        """Questions about held-out photos; the same for the same photos and seed, whatever was trained."""
        rng = random.Random(self.options.seed + 1)
        return self.prepare(photos, concepts, rng, variants=2, mirror_share=0.0)

    def train(
        self,
        lessons: list[list[PackedExample]],
        tests: list[list[PackedExample]],
        rng: random.Random,
        on_progress: Callable[[TuningProgress], None] | None,
    ) -> TuningReport:
        """Run epochs until they no longer help, the time is up or the user interrupts."""
        options = self.options
        before = best = self.validate(tests)
        best_epoch = epoch = 0
        was_interrupted = False

        def tell(loss: float, validation: Validation, is_best: bool) -> None:
            if on_progress:
                on_progress(
                    TuningProgress(
                        epoch=epoch, epochs=options.epochs, loss=loss, validation=validation, is_best=is_best
                    )
                )

        tell(float("nan"), before, True)
        total = options.epochs * -(-len(lessons) // options.batch_photos)
        try:
            for epoch in range(1, options.epochs + 1):
                loss = self.epoch(lessons, rng, total)
                validation = self.validate(tests)
                is_best = rank(validation) > rank(best)
                if is_best:
                    best, best_epoch, self.best = validation, epoch, self.table.snapshot()
                tell(loss, validation, is_best)
                if epoch - best_epoch >= options.patience:
                    break
        except KeyboardInterrupt:
            was_interrupted = True
        return TuningReport(
            before=before,
            after=best,
            best_epoch=best_epoch,
            epochs=epoch,
            steps=self.steps,
            photos=0,
            validation_photos=0,
            seconds=0.0,
            was_interrupted=was_interrupted,
        )

    def epoch(self, lessons: list[list[PackedExample]], rng: random.Random, total_steps: int) -> float:
        """One pass over the photos; returns the mean loss of an answer token."""
        order = list(range(len(lessons)))
        rng.shuffle(order)
        losses, tokens = 0.0, 0
        for start in range(0, len(order), self.options.batch_photos):
            batch = [rng.choice(lessons[i]) for i in order[start : start + self.options.batch_photos]]
            factor = learning_rate_factor(self.steps, total_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = self.options.learning_rate * factor
            losses += self.learn(batch)
            tokens += sum(packed.answer_tokens for packed in batch)
        return losses / max(1, tokens)

    def learn(self, batch: Sequence[PackedExample]) -> float:
        """One update; returns the summed loss of the answer tokens before it."""
        self.optimizer.zero_grad(set_to_none=True)
        count = sum(packed.answer_tokens for packed in batch)
        losses = 0.0
        for group in side_by_side(batch):
            result = self._loss(group)
            (result.total / count).backward()  # type: ignore[no-untyped-call]
            losses += float(result.total.detach())
        self.optimizer.step()
        self.steps += 1
        return losses

    def _loss(self, group: Sequence[PackedExample]) -> ExampleLoss:
        rows = [self.table.slots(packed.example.slots) for packed in group]
        return examples_loss(self.model, group, rows, self.store)

    @torch.no_grad()
    def validate(self, tests: list[list[PackedExample]]) -> Validation:
        """Loss and weighted recognition accuracy on held-out photos."""
        losses, tokens = 0.0, 0
        yes: list[bool] = []
        no: list[bool] = []
        for group in side_by_side([packed for variants in tests for packed in variants]):
            result = self._loss(group)
            losses, tokens = losses + float(result.total), tokens + result.tokens
            yes += result.yes_hits
            no += result.no_hits
        recalls = [sum(hits) / len(hits) for hits in (yes, no) if hits]
        accuracy = sum(recalls) / len(recalls) if recalls else float("nan")
        return Validation(losses / max(1, tokens), accuracy, len(yes) + len(no))
