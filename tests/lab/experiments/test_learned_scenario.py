"""A scenario is learned as the product learns the same photos from a library."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from photopal.concepts import Bank, RegisterOptions
from photopal.concepts.registration import FeatureStore, register_concepts
from photopal.concepts.wording import cut_out
from photopal.lab.experiments import learned_scenario
from photopal.lab.experiments.learned_scenario import (
    LearningOptions,
    concept_rows,
    in_own_words,
    learn,
    register,
    tuning_concepts,
    tuning_photos,
)
from photopal.library import Library
from photopal.photos import record_photo
from photopal.tuning.dataset import describe_concepts, gather_photos

pytestmark = pytest.mark.slow

OPTIONS = RegisterOptions(tokens=4)
PLAIN = LearningOptions(None, OPTIONS)


@pytest.fixture(scope="module")
def scenario(scenes):
    """Three concepts with all their photos for training, as a library knows no photos for validation."""
    whole = scenes.scenarios[1]
    concepts = [replace(c, train=c.train + c.validation, validation=()) for c in whole.concepts]
    return replace(whole, concepts=tuple(concepts))


@pytest.fixture(scope="module")
def library(scenario, tmp_path_factory):
    """The same photos and masks in a library, without any others."""
    with Library(tmp_path_factory.mktemp("learned") / "library.db") as library:
        for concept in scenario.concepts:
            row = library.concepts.add(concept.name, kind=concept.kind, about=concept.about)
            for photo in concept.train:
                photo_id = library.photos.add(record_photo(photo.path))
                mask = photo.regions[concept.name].mask.read_bytes()
                library.concepts.add_reference(row.id, photo_id, mask_png=mask)
        yield library


@pytest.fixture(scope="module")
def learned(store, scenario):
    rows = concept_rows(scenario)
    return register(store, rows, scenario.concepts, [], PLAIN)


@pytest.fixture(scope="module")
def of_product(store, library):
    bank = Bank(store.model.fingerprint, "")
    return register_concepts(library, FeatureStore(store.model), bank, options=OPTIONS).bank


def test_embeddings_directions_and_thresholds_are_those_of_the_product(learned, of_product):
    assert learned.concepts.keys() == of_product.concepts.keys()
    torch.testing.assert_close(learned.background, of_product.background)
    for concept_id, ours in learned.concepts.items():
        theirs = of_product.concepts[concept_id]
        torch.testing.assert_close(ours.inputs, theirs.inputs)
        torch.testing.assert_close(ours.outputs, theirs.outputs)
        torch.testing.assert_close(ours.direction, theirs.direction)
        for attribute in ("low", "high", "threshold"):
            found, wanted = (getattr(one.calibration, attribute) for one in (ours, theirs))
            assert found == pytest.approx(wanted, abs=1e-5)


def test_tuning_learns_from_the_same_photos_and_words_as_in_the_product(store, scenario, library, of_product):
    ours = tuning_photos(store, of_product, scenario.concepts, [])
    theirs = {p.key: p for p in gather_photos(library, FeatureStore(store.model), of_product)}
    assert len(ours) == len(theirs)
    for photo in ours:
        same = theirs[library.photos.at(photo.key).content_hash]
        assert (photo.present, photo.likely) == (same.present, same.likely)
        torch.testing.assert_close(photo.features.tokens, same.features.tokens)
        torch.testing.assert_close(photo.mirrored.tokens, same.mirrored.tokens)
    everyone = library.concepts.all()
    described = describe_concepts(library, FeatureStore(store.model), of_product, everyone, {})
    assert tuning_concepts(concept_rows(scenario)) == described


def test_a_scenario_learned_as_a_whole_is_registered_in_the_same_way(store, scenes):
    learned = learn(store, scenes, scenes.scenarios[1], PLAIN)
    assert [concept.name for concept in learned.concepts] == scenes.scenarios[1].names
    assert learned.registered.concepts.keys() == {1, 2, 3}


def test_own_words_are_the_best_of_what_the_model_says_of_a_concept_cut_out_of_its_photos(
    store, scenes, monkeypatch
):
    learned = learn(store, scenes, scenes.scenarios[1], PLAIN)
    said, sizes = [], []

    def say(model, kind, image, box):
        said.append(f"a {kind} with {len(said)} hats")
        sizes.append(cut_out(image, box).size)
        return said[-1]

    monkeypatch.setattr(learned_scenario, "say_looks", say)
    monkeypatch.setattr(learned_scenario, "sort_descriptions", lambda *given: given[3][::-1])
    bank = in_own_words(store, learned, [])
    for row, concept in zip(learned.concepts, learned.scenario.concepts, strict=True):
        told = bank.concepts[row.id]
        mine, said = said[: len(concept.train[:4])], said[len(concept.train[:4]) :]
        assert told.words == mine[-1]
        assert f"a {row.kind} with" in told.words
        assert torch.equal(told.direction, learned.registered.concepts[row.id].direction)
    photo = store.image(learned.scenario.concepts[0].train[0].path)
    for width, height in sizes:
        assert abs(width - height) <= 1  # a square, but for rounding
        assert 0 < width < max(photo.size)
