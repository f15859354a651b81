"""What tuning starts from: registered embeddings, or words where the model makes more of them."""

from dataclasses import replace

import pytest
import torch

from photopal.concepts import Bank, RegisterOptions
from photopal.concepts.initialize import begin_with_words
from photopal.concepts.registration import FeatureStore, register_concepts
from photopal.tuning import TuneOptions, Validation, choose_start, start, tune_from_best_start
from photopal.tuning.dataset import gather_photos
from photopal.tuning.examples import TuningConcept
from photopal.tuning.start import thorough

OPTIONS = TuneOptions(epochs=3, word_epochs=1, variants=1)


@pytest.fixture
def bank(named_library, model) -> Bank:
    options = RegisterOptions(tokens=3)
    return register_concepts(
        named_library, FeatureStore(model), Bank(model.fingerprint, ""), options=options
    ).bank


@pytest.fixture
def concepts(bank):
    return {i: TuningConcept(i, "person", (f"a tall one with {i} hats",)) for i in bank.concepts}


def measuring(registered: float, words: float):
    """A measurement that gives one area for registered embeddings and another for words."""

    def validate(model, bank, concepts, photos, options):
        is_worded = any(concept.is_inline for concept in bank.concepts.values())
        return Validation(1.0, 0.5, 10, words if is_worded else registered)

    return validate


def test_words_become_the_soft_tokens_and_their_mean_the_name(model, bank):
    concept = next(iter(bank.concepts.values()))
    worded = begin_with_words(model, concept, "a black dog")
    ids = [i for i in model.answer_ids("a black dog").tolist() if i not in model.end_ids]
    embedded = model.embed_ids(torch.tensor(ids)).detach().float().cpu()
    assert torch.equal(worded.inputs[1:], embedded)
    assert torch.allclose(worded.inputs[0], embedded.mean(dim=0))
    assert worded.words == "a black dog"
    assert worded.in_prompt(mark=2).is_inline
    assert worded.token_count == len(ids)
    assert torch.equal(worded.direction, concept.direction)


@pytest.mark.parametrize(
    ("registered", "words", "way"),
    [
        (0.9, 1.0, "registered"),
        (0.6, 0.7, "words"),
        (0.6, 0.5, "registered"),
        (float("nan"), 1.0, "registered"),
    ],
)
def test_the_start_is_the_one_that_tells_photos_apart(
    registered, words, way, model, bank, concepts, monkeypatch
):
    monkeypatch.setattr(start, "validate_bank", measuring(registered, words))
    chosen = choose_start(model, bank, concepts, [], OPTIONS)
    assert chosen.way == way
    assert all(concept.is_inline == (way == "words") for concept in chosen.bank.concepts.values())
    assert chosen.options == (thorough(OPTIONS) if way == "words" else OPTIONS)


@pytest.mark.parametrize("registered", [0.95, float("nan")])
def test_what_registration_found_out_is_not_measured_away(registered, model, bank, concepts, monkeypatch):
    monkeypatch.setattr(start, "validate_bank", measuring(registered, 0.6))
    assert choose_start(model, bank, concepts, [], OPTIONS, is_in_words=True).way == "words"
    assert choose_start(model, bank, concepts, [], OPTIONS).way == "registered"


def test_only_who_is_described_and_tuned_begins_with_words(model, bank, concepts, monkeypatch):
    monkeypatch.setattr(start, "validate_bank", measuring(0.5, 0.9))
    first, second = concepts
    frozen = concepts | {second: replace(concepts[second], is_frozen=True)}
    chosen = choose_start(model, bank, frozen, [], OPTIONS)
    assert chosen.bank.concepts[first].is_inline
    assert chosen.bank.concepts[second] is bank.concepts[second]
    silent = {i: replace(concept, descriptions=()) for i, concept in concepts.items()}
    assert choose_start(model, bank, silent, [], OPTIONS).bank is bank


def test_words_without_a_token_leave_what_was_registered(model, bank, concepts, monkeypatch):
    monkeypatch.setattr(start, "validate_bank", measuring(0.5, 0.9))
    first = next(iter(concepts))
    assert begin_with_words(model, bank.concepts[first], "") is bank.concepts[first]
    empty = {i: replace(concept, descriptions=("",)) for i, concept in concepts.items()}
    chosen = choose_start(model, bank, empty, [], OPTIONS)
    assert (chosen.way, chosen.bank, chosen.options) == ("registered", bank, OPTIONS)


def test_a_thorough_run_takes_larger_steps_and_its_own_number_of_passes():
    options = thorough(replace(OPTIONS, learning_rate=2e-3, word_epochs=7))
    assert (options.epochs, options.learning_rate) == (7, pytest.approx(6e-3))
    assert thorough(TuneOptions(epochs=3)).epochs == 3


def test_words_are_tuned_and_stay_inline(model, bank, concepts, named_library, monkeypatch):
    photos = gather_photos(named_library, FeatureStore(model), bank)
    monkeypatch.setattr(start, "validate_bank", measuring(0.5, 0.9))
    tuned, report = tune_from_best_start(model, bank, concepts, photos, replace(OPTIONS, word_epochs=2))
    assert report.steps > 0
    for i, concept in tuned.concepts.items():
        assert concept.is_inline
        assert concept.is_tuned
        assert (
            concept.token_count
            == begin_with_words(model, bank.concepts[i], concepts[i].descriptions[0]).token_count
        )
        assert concept.yes_bias == report.after.bias
