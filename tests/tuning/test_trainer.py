"""The joint run: what changes, what never does, and that it learns."""

import random
from dataclasses import replace

import pytest
import torch

from photopal.concepts import Bank, RegisterOptions
from photopal.concepts.registration import FeatureStore, register_concepts
from photopal.errors import ConceptError
from photopal.tuning import TuneOptions, TuningConcept, trainer, tune_bank, validate_bank
from photopal.tuning.dataset import gather_photos
from photopal.tuning.trainer import TuningRun, split_photos

QUICK = TuneOptions(epochs=2, variants=1, learning_rate=5e-3, tokens=4)


@pytest.fixture
def start(named_library, model):
    """A registered bank, its concepts and photos."""
    store = FeatureStore(model)
    empty = Bank(model.fingerprint, "")
    bank = register_concepts(named_library, store, empty, options=RegisterOptions(tokens=4)).bank
    concepts = {
        c.id: TuningConcept(c.id, c.kind, (f"a face like {c.id}",)) for c in named_library.concepts.all()
    }
    return bank, concepts, gather_photos(named_library, store, bank)


def is_same(one, other):
    return torch.equal(one.inputs, other.inputs) and torch.equal(one.outputs, other.outputs)


def test_loss_falls_and_the_model_stays_bit_identical(start, model):
    bank, concepts, photos = start
    before = {name: weight.clone() for name, weight in model._checkpoint.model.state_dict().items()}
    losses = []
    options = replace(QUICK, epochs=6, patience=6, learning_rate=2e-2)
    tuned, report = tune_bank(
        model, bank, concepts, photos, options, on_progress=lambda progress: losses.append(progress.loss)
    )
    assert losses[-1] < losses[1]
    assert report.after.loss < report.before.loss
    after = model._checkpoint.model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert all(weight.grad is None for weight in model._checkpoint.model.parameters())
    assert not any(is_same(tuned.concepts[i], bank.concepts[i]) for i in concepts)


def test_frozen_rows_are_bit_identical_and_the_start_is_left_alone(start, model):
    bank, concepts, photos = start
    first, second = sorted(concepts)
    version = bank.version
    held = {**concepts, second: replace(concepts[second], is_frozen=True)}
    # A model with random weights need not get better with every seed, and then the start stays the best.
    runs = (tune_bank(model, bank, held, photos, replace(QUICK, seed=seed)) for seed in range(6))
    tuned = next(tuned for tuned, report in runs if report.best_epoch)
    assert bank.version == version
    assert is_same(tuned.concepts[second], bank.concepts[second])
    assert not tuned.concepts[second].is_tuned
    assert not is_same(tuned.concepts[first], bank.concepts[first])
    assert tuned.concepts[first].is_tuned
    assert torch.equal(tuned.concepts[first].direction, bank.concepts[first].direction)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bank_and_another_seed_another(start, model):
    bank, concepts, photos = start
    versions = [
        tune_bank(model, bank, concepts, photos, replace(QUICK, seed=seed))[0].version for seed in (1, 1, 2)
    ]
    assert versions[0] == versions[1] != versions[2]


@pytest.mark.slow
@pytest.mark.usefixtures("each_epoch_helps")
def test_an_interrupt_keeps_the_best_so_far(start, model):
    bank, concepts, photos = start

    def interrupt(progress):
        if progress.epoch == 1:
            raise KeyboardInterrupt

    options = replace(QUICK, epochs=50, patience=50, learning_rate=2e-2)
    tuned, report = tune_bank(model, bank, concepts, photos, options, on_progress=interrupt)
    assert report.was_interrupted
    assert report.epochs == 1
    assert report.best_epoch == 1
    assert tuned.version != bank.version


def out_of_memory(*_):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


def test_where_memory_runs_out_smaller_groups_learn_the_same(start, model, monkeypatch):
    bank, concepts, photos = start
    examples_loss, sizes = trainer.examples_loss, []

    def learned():
        run = TuningRun(model, bank, concepts, QUICK)
        examples = run.prepare(photos, random.Random(0), variants=1, mirror_share=0.0)
        loss = run.step([variants[0] for variants in examples])
        return run, examples, loss

    def short_of_memory(model, group, slots, store):
        sizes.append(len(group))
        if len(group) > 1:
            if not torch.is_grad_enabled():
                out_of_memory()
            # On the way back, when the gradients of the output embeddings are there already.
            slots[0].inputs.register_hook(out_of_memory)
        return examples_loss(model, group, slots, store)

    run, examples, loss = learned()
    validation = run.validate(examples)
    monkeypatch.setattr(trainer, "examples_loss", short_of_memory)
    short_run, examples, short_loss = learned()
    assert {1, 2} <= set(sizes)
    assert short_loss == pytest.approx(loss, rel=1e-4)
    for gradient, expected in (
        (short_run.table.inputs.grad, run.table.inputs.grad),
        (short_run.table.outputs.grad, run.table.outputs.grad),
    ):
        assert torch.allclose(gradient, expected, rtol=1e-3, atol=1e-6)
    short_run.table = run.table
    assert short_run.validate(examples).loss == pytest.approx(validation.loss, rel=1e-4)


@pytest.mark.usefixtures("each_epoch_helps")
def test_memory_that_runs_out_in_a_later_epoch_keeps_the_best_so_far(start, model, monkeypatch):
    bank, concepts, photos = start
    run_epoch, done = TuningRun.run_epoch, []

    def short_of_memory(self, *rest):
        if done:
            out_of_memory()
        done.append(1)
        return run_epoch(self, *rest)

    monkeypatch.setattr(TuningRun, "run_epoch", short_of_memory)
    told = []
    options = replace(QUICK, epochs=50, patience=50, learning_rate=2e-2)
    tuned, report = tune_bank(model, bank, concepts, photos, options, on_progress=told.append)
    assert report.ran_out_of_memory
    assert not report.was_interrupted
    assert [progress.epoch for progress in told] == [0, 1]
    assert report.best_epoch == 1
    assert tuned.version != bank.version


@pytest.mark.slow
def test_the_bank_that_is_kept_validates_as_the_report_says(start, model):
    bank, concepts, photos = start
    tuned, report = tune_bank(model, bank, concepts, photos, QUICK)
    assert validate_bank(model, bank, concepts, photos, QUICK) == report.before
    assert validate_bank(model, tuned, concepts, photos, QUICK) == report.after


def test_nothing_to_learn_from_is_an_error(start, model):
    bank, concepts, photos = start
    with pytest.raises(ConceptError, match="nothing to tune"):
        tune_bank(model, bank, concepts, [], QUICK)
    frozen = {i: replace(concept, is_frozen=True) for i, concept in concepts.items()}
    with pytest.raises(ConceptError, match="nothing to tune"):
        tune_bank(model, bank, frozen, photos, QUICK)


def test_every_concept_has_a_photo_held_out_and_most_to_learn_from(start):
    _, concepts, photos = start
    training, validation = split_photos(photos, share=0.2, rng=random.Random(0))
    for concept_id in concepts:
        assert sum(concept_id in photo.present for photo in validation) == 1
        assert sum(concept_id in photo.present for photo in training) == 2
    assert not {photo.key for photo in training} & {photo.key for photo in validation}


def test_a_concept_with_one_photo_is_validated_on_it_and_every_other_on_what_is_held_out(start):
    _, concepts, photos = start
    first, second = sorted(concepts)
    only = next(photo for photo in photos if photo.present == {first})
    some = [photo for photo in photos if first not in photo.present] + [only]
    training, validation = split_photos(some, share=0.2, rng=random.Random(0))
    assert only in training
    assert [photo for photo in validation if first in photo.present] == [only]
    held = [photo for photo in validation if second in photo.present]
    assert len(held) == 1
    assert held[0] not in training


def test_rows_that_say_no_to_everybody_do_not_validate_as_right_with_one_photo_a_concept(start, model):
    bank, concepts, photos = start
    some = [next(photo for photo in photos if photo.present == {i}) for i in sorted(concepts)]
    some += [photo for photo in photos if not photo.present]
    _, validation = split_photos(some, share=0.2, rng=random.Random(0))
    assert {i for photo in validation for i in photo.present} == set(concepts)
    run = TuningRun(model, bank, concepts, QUICK)
    asked = [
        exchange.answer
        for variants in run.prepare_validation(validation)
        for packed in variants
        for exchange in packed.example.exchanges
        if exchange.kind == "recognition"
    ]
    assert {"Yes", "No"} <= set(asked)
