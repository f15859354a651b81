"""The joint run: trains the embeddings of all concepts together on a frozen model (MC-LLaVA, section 3.2)."""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from photopal.concepts import Bank
from photopal.concepts.calibration import area_under_curve, fit_yes_bias
from photopal.errors import ConceptError, is_out_of_memory
from photopal.prompts import PROMPT_VERSION
from photopal.tuning.batching import (
    ExampleLoss,
    PackedExample,
    PrefixStore,
    examples_loss,
    group_examples,
    pack_example,
)
from photopal.tuning.examples import TuningConcept, TuningPhoto, make_example
from photopal.vlm.protocol import ConceptEmbeddings, VisionModel, to_device


@dataclass(frozen=True)
class TuneOptions:
    """Settings of the joint run; learning rate, weight decay and epochs as the authors have them.

    Attributes:
        epochs: Most passes over the photos.
        word_epochs: The same where tuning starts from words, if it is not as many; see `choose_start`.
        learning_rate: Of AdamW, falling to a tenth along a cosine. Ten times this comes to the same in fewer
            passes, but the embeddings forget what no question of tuning asks for, such as where somebody is.
        weight_decay: Of AdamW.
        batch_photos: Photos an update.
        patience: Epochs without a better validation after which the run ends.
        validation_share: Share of each concept's photos held out; at least one of three or more. Of a concept
            with fewer none is, and its training photos validate too.
        mirror_share: How often a photo is shown with left and right exchanged.
        variants: How many different sets of questions are made for each photo.
        tokens: Soft tokens a concept is registered with before it is tuned.
        seed: Drives everything random.
    """

    epochs: int = 15
    word_epochs: int | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 1e-6
    batch_photos: int = 4
    patience: int = 4
    validation_share: float = 0.2
    mirror_share: float = 0.5
    variants: int = 4
    tokens: int = 16
    seed: int = 0


@dataclass(frozen=True)
class Validation:
    """How the embeddings do on held-out reference photos.

    Attributes:
        loss: Mean cross-entropy of answer tokens.
        accuracy: Mean of the recall of Yes and the recall of No; nan without such questions.
        questions: How many recognition questions were asked.
        area: Of p(yes): how often it is higher where Yes is right than where No is (AUROC); nan without both.
        bias: How much the model is for Yes; see `fit_yes_bias`. It is taken off for the accuracy.
    """

    loss: float
    accuracy: float
    questions: int
    area: float = math.nan
    bias: float = 0.0


def rank(validation: Validation) -> tuple[int, float]:
    """What makes one validation better than another: telling Yes from No first, then loss.

    Accuracy alone says little where it is near a half whatever the embeddings, as with a model that is for
    Yes in nearly every question. Nor do differences within the standard error say anything, 0.1 with some
    sixteen questions: there the loss decides.
    """
    known = [value for value in (validation.accuracy, validation.area) if not math.isnan(value)]
    step = 0.4 / math.sqrt(max(1, validation.questions))
    return (round(sum(known) / len(known) / step) if known else 0, -validation.loss)


@dataclass(frozen=True)
class TuningProgress:
    """One epoch, as it is reported.

    Attributes:
        epoch: From 1; 0 is before the first update.
        epochs: Most there may be.
        loss: Mean training loss of the epoch; nan for epoch 0.
        validation: On held-out photos.
        is_best: Whether these embeddings are the best so far.
    """

    epoch: int
    epochs: int
    loss: float
    validation: Validation
    is_best: bool


@dataclass(frozen=True)
class TuningReport:
    """What came of a run.

    Attributes:
        before: Validation of the registered embeddings.
        after: Validation of the embeddings that were kept.
        best_epoch: The epoch they come from; 0 if tuning did not help.
        epochs: Epochs that were run.
        steps: Updates.
        photos: Training photos.
        validation_photos: Held-out photos, and those that validate for want of any.
        seconds: Wall time.
        was_interrupted: Whether the user ended it.
        ran_out_of_memory: Whether want of memory ended it.
    """

    before: Validation
    after: Validation
    best_epoch: int
    epochs: int
    steps: int
    photos: int
    validation_photos: int
    seconds: float
    was_interrupted: bool
    ran_out_of_memory: bool = False


class EmbeddingTable:
    """The embeddings of all concepts of a run as two float32 tensors; some of them are trained.

    Attributes:
        inputs: `[concepts, tokens + 1, hidden]`.
        outputs: `[concepts, hidden]`.
    """

    def __init__(
        self, bank: Bank, concept_ids: Sequence[int], trained: Sequence[int], *, device: torch.device
    ) -> None:
        """Copy the embeddings of a bank.

        Args:
            bank: Has all the concepts.
            concept_ids: Everyone the prompts may speak of.
            trained: Those whose embeddings change; the others stay as they are.
            device: Where the model is, so that neither embeddings nor gradients are copied in every step.
        """
        self.indices = {concept_id: index for index, concept_id in enumerate(concept_ids)}
        embeddings = bank.embeddings(concept_ids, [str(i) for i in concept_ids]).on(device)
        self.counts = {i: bank.concepts[i].token_count for i in concept_ids}
        self.offers = {i: bank.concepts[i].in_prompt() for i in concept_ids}
        self.inputs = embeddings.inputs.clone().requires_grad_()
        self.outputs = embeddings.outputs.clone().requires_grad_()
        # Frozen concepts stand in the same tensors, as prompts mix them with trained ones: their gradients
        # are set to zero, and AdamW's weight decay of 1e-6 is the only thing left that could move them; what
        # is saved of them are the bank's own embeddings.
        is_trained = torch.tensor([float(i in set(trained)) for i in concept_ids], device=device)
        for tensor, mask in (
            (self.inputs, is_trained[:, None, None]),
            (self.outputs, is_trained[:, None]),
        ):
            tensor.register_hook(lambda gradient, mask=mask: gradient * mask)  # type: ignore[no-untyped-call]

    def slots(self, concept_ids: Sequence[int]) -> ConceptEmbeddings:
        """The embeddings of a prompt, differentiable."""
        indices = to_device(torch.tensor([self.indices[i] for i in concept_ids]), self.inputs.device)
        return ConceptEmbeddings(
            inputs=self.inputs[indices],
            outputs=self.outputs[indices],
            names=tuple(str(i) for i in concept_ids),
            token_counts=tuple(self.counts[i] for i in concept_ids),
        )

    def snapshot(self) -> tuple[Tensor, Tensor]:
        """Copies of both tensors."""
        return self.inputs.detach().clone(), self.outputs.detach().clone()


def split_photos(
    photos: Sequence[TuningPhoto], *, share: float, rng: random.Random
) -> tuple[list[TuningPhoto], list[TuningPhoto]]:
    """Hold out photos of every concept for validation, and a share of the negatives.

    Photos that are held out in any case count towards the share. Photos from which the user has taken a name
    are few and where the rows were wrong, so they are all trained on.
    A concept with one or two photos keeps them all for training. Where no held-out photo shows a concept, its
    training photos validate too: else saying No to it would always be right.
    """
    # By key first, so that a seed gives the same split in whichever order the library lists its photos.
    ordered = sorted(photos, key=lambda photo: photo.key)
    rng.shuffle(ordered)
    held_out = {photo.key for photo in ordered if photo.is_held_out}

    def hold_out(candidates: Sequence[TuningPhoto], wanted: int) -> set[str]:
        already = sum(photo.key in held_out for photo in candidates)
        free = [photo for photo in candidates if photo.key not in held_out]
        return {photo.key for photo in free[: max(0, wanted - already)]}

    for concept_id in sorted({i for photo in photos for i in photo.present}):
        own = [photo for photo in ordered if concept_id in photo.present]
        held_out |= hold_out(own, max(1, round(share * len(own))) if len(own) >= 3 else 0)
    negatives = [photo for photo in ordered if not photo.present and not photo.absent]
    held_out |= hold_out(negatives, round(share * len(negatives)))
    training = [photo for photo in ordered if photo.key not in held_out]
    validated = {i for photo in ordered if photo.key in held_out for i in photo.present}
    validation = [photo for photo in ordered if photo.key in held_out or photo.present - validated]
    return training, validation or training


def held_out_key(photos: Sequence[TuningPhoto], options: TuneOptions) -> str:
    """Hash which photos `tune_bank` holds out and does not train on."""
    training, validation = split_photos(
        photos, share=options.validation_share, rng=random.Random(options.seed)
    )
    keys = {photo.key for photo in validation} - {photo.key for photo in training}
    return hashlib.blake2b("\n".join(sorted(keys)).encode(), digest_size=12).hexdigest()


def tune_bank(
    model: VisionModel,
    bank: Bank,
    concepts: Mapping[int, TuningConcept],
    photos: Sequence[TuningPhoto],
    options: TuneOptions,
    *,
    on_progress: Callable[[TuningProgress], None] | None = None,
) -> tuple[Bank, TuningReport]:
    """Tune the embeddings of concepts jointly.

    Args:
        model: The frozen model; not one of its weights changes.
        bank: Registered embeddings to start from.
        concepts: Everyone the prompts may speak of, by id; the bank has them. Frozen ones keep theirs.
        photos: Reference photos, and further photos that show nobody.
        options: Settings.
        on_progress: Called after every epoch.

    Returns:
        A new bank with the best embeddings, and the report. An interrupt ends the run with the best so far,
        and so does want of memory once epochs have begun.

    Raises:
        ConceptError: There is nothing to learn from.
    """
    started = time.monotonic()
    rng = random.Random(options.seed)
    trained = [concept.concept_id for concept in concepts.values() if not concept.is_frozen]
    run = TuningRun(model, bank, concepts, options)
    # Held-out reference photos choose the epoch; the authors choose it on test images (docs/method.md).
    training, validation = split_photos(photos, share=options.validation_share, rng=rng)
    examples = run.prepare(training, rng, variants=options.variants, mirror_share=options.mirror_share)
    validation_examples = run.prepare_validation(validation)
    if not examples or not trained:
        raise ConceptError(
            "there is nothing to tune on", hint="Add concepts with `photopal add-concept` first."
        )
    report = run.train(examples, validation_examples, rng, on_progress)
    inputs, outputs = (tensor.cpu() for tensor in run.best)
    tuned = []
    for concept_id in sorted(trained):
        index, count = run.table.indices[concept_id], run.table.counts[concept_id]
        tuned.append(
            replace(
                bank.concepts[concept_id],
                inputs=inputs[index, : count + 1].clone(),
                outputs=outputs[index].clone(),
                is_tuned=True,
                yes_bias=report.after.bias,
                held_out_key=held_out_key(photos, options),
            )
        )
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
    run = TuningRun(model, bank, concepts, options)
    rng = random.Random(options.seed)
    _, validation = split_photos(photos, share=options.validation_share, rng=rng)
    return run.validate(run.prepare_validation(validation))


def learning_rate_factor(step: int, total_steps: int) -> float:
    """What the learning rate is multiplied by before a step, from 1 down to a tenth along a cosine."""
    share = min(1.0, step / max(1, total_steps))
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(share * math.pi))


class TuningRun:
    """One run's state: embeddings, optimizer, prefixes and the best embeddings so far."""

    def __init__(
        self, model: VisionModel, bank: Bank, concepts: Mapping[int, TuningConcept], options: TuneOptions
    ) -> None:
        self.model, self.concepts, self.options = model, concepts, options
        trained = [concept.concept_id for concept in concepts.values() if not concept.is_frozen]
        self.table = EmbeddingTable(bank, sorted(concepts), trained, device=model.device)
        self.store = PrefixStore(model) if model.extends_prefixes else None
        self.best = self.table.snapshot()
        self.steps = 0
        # Two tensors of some thousand numbers are all there is to train: no gradient and no optimizer state
        # of the vocabulary, as the authors' code has them.
        self.optimizer = torch.optim.AdamW(
            [self.table.inputs, self.table.outputs],
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
        )

    def prepare(
        self, photos: Sequence[TuningPhoto], rng: random.Random, *, variants: int, mirror_share: float
    ) -> list[list[PackedExample]]:
        """For each photo its variants of questions, encoded once for the whole run."""
        prepared = []
        for photo in photos:
            made = [
                make_example(
                    photo, self.concepts, self.table.offers, rng, is_mirrored=rng.random() < mirror_share
                )
                for _ in range(variants)
            ]
            packed = [pack_example(self.model, example) for example in made if example is not None]
            if packed:
                prepared.append(packed)
        return prepared

    def prepare_validation(self, photos: Sequence[TuningPhoto]) -> list[list[PackedExample]]:
        """Questions about held-out photos; the same for the same photos and seed, whatever was trained."""
        # A generator of its own: how many numbers training drew must not change what is asked here, or a bank
        # in use could not be compared with the new one.
        rng = random.Random(self.options.seed + 1)
        return self.prepare(photos, rng, variants=2, mirror_share=0.0)

    def train(
        self,
        examples: list[list[PackedExample]],
        validation_examples: list[list[PackedExample]],
        rng: random.Random,
        on_progress: Callable[[TuningProgress], None] | None,
    ) -> TuningReport:
        """Run epochs until they no longer help, the user interrupts or memory runs out."""
        options = self.options
        before = best = self.validate(validation_examples)
        best_epoch = epoch = 0
        was_interrupted = ran_out_of_memory = False

        def report(loss: float, validation: Validation, is_best: bool) -> None:
            if on_progress:
                on_progress(
                    TuningProgress(
                        epoch=epoch, epochs=options.epochs, loss=loss, validation=validation, is_best=is_best
                    )
                )

        # Epoch 0 competes too: registration alone works (k-means, no training), and tuning that does not help
        # is not saved.
        report(float("nan"), before, True)
        total_steps = options.epochs * -(-len(examples) // options.batch_photos)
        try:
            for epoch in range(1, options.epochs + 1):
                loss = self.run_epoch(examples, rng, total_steps)
                validation = self.validate(validation_examples)
                is_best = rank(validation) > rank(best)
                if is_best:
                    best, best_epoch, self.best = validation, epoch, self.table.snapshot()
                report(loss, validation, is_best)
                if epoch - best_epoch >= options.patience:
                    break
        except KeyboardInterrupt:
            was_interrupted = True
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            ran_out_of_memory = True
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
            ran_out_of_memory=ran_out_of_memory,
        )

    def run_epoch(self, examples: list[list[PackedExample]], rng: random.Random, total_steps: int) -> float:
        """One pass over the photos; returns the mean loss of an answer token."""
        order = list(range(len(examples)))
        rng.shuffle(order)
        losses, tokens = 0.0, 0
        for start in range(0, len(order), self.options.batch_photos):
            # One variant of its questions at a time, so that no two passes ask the same.
            batch = [rng.choice(examples[i]) for i in order[start : start + self.options.batch_photos]]
            factor = learning_rate_factor(self.steps, total_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = self.options.learning_rate * factor
            losses += self.step(batch)
            tokens += sum(packed.answer_tokens for packed in batch)
        return losses / max(1, tokens)

    def step(self, batch: Sequence[PackedExample]) -> float:
        """One update; returns the summed loss of the answer tokens before it."""
        self.optimizer.zero_grad(set_to_none=True)
        tokens = sum(packed.answer_tokens for packed in batch)
        losses = 0.0
        # Gradients add up over groups, each divided by the tokens of all: the update is that of one batch,
        # whatever fits into memory side by side.
        for result in self._in_groups(batch, lambda group: self._learn(group, tokens)):
            losses += float(result.total.detach())
        self.optimizer.step()
        self.steps += 1
        return losses

    def _learn(self, group: Sequence[PackedExample], tokens: int) -> ExampleLoss:
        """Add the gradients of a group, or none of them where memory runs out on the way."""
        tensors = (self.table.inputs, self.table.outputs)
        before = [None if tensor.grad is None else tensor.grad.clone() for tensor in tensors]
        try:
            result = self._loss(group)
            (result.total / tokens).backward()  # type: ignore[no-untyped-call]
        except BaseException:
            for tensor, gradient in zip(tensors, before, strict=True):
                tensor.grad = gradient
            raise
        return result

    def _in_groups(
        self, examples: Sequence[PackedExample], run: Callable[[Sequence[PackedExample]], ExampleLoss]
    ) -> Iterator[ExampleLoss]:
        """Run examples in groups, and a group that memory does not hold in halves of it."""
        waiting: list[Sequence[PackedExample]] = [*reversed(group_examples(examples))]
        while waiting:
            group = waiting.pop()
            try:
                result = run(group)
            except Exception as error:
                if len(group) == 1 or not is_out_of_memory(error):
                    raise
                middle = len(group) // 2
                waiting += [group[middle:], group[:middle]]
                continue
            yield result

    def _loss(self, group: Sequence[PackedExample]) -> ExampleLoss:
        concepts = [self.table.slots(packed.example.slots) for packed in group]
        return examples_loss(self.model, group, concepts, self.store)

    @torch.no_grad()
    def validate(self, examples: list[list[PackedExample]]) -> Validation:
        """Loss and weighted recognition accuracy on held-out photos."""
        losses, tokens = 0.0, 0
        yes: list[float] = []
        no: list[float] = []
        everything = [packed for variants in examples for packed in variants]
        for result in self._in_groups(everything, self._loss):
            losses, tokens = losses + float(result.total), tokens + result.tokens
            yes += result.yes_margins
            no += result.no_margins
        # The paper's weighted recognition: the mean of both recalls, so that "always Yes" is worth 0.5
        # whatever the shares of Yes and No (MC-LLaVA, section 4).
        bias = fit_yes_bias(yes, no)
        hits = [margin > bias for margin in yes], [margin <= bias for margin in no]
        recalls = [sum(several) / len(several) for several in hits if several]
        return Validation(
            loss=losses / max(1, tokens),
            accuracy=sum(recalls) / len(recalls) if recalls else math.nan,
            questions=len(yes) + len(no),
            area=area_under_curve(yes, no),
            bias=bias,
        )
