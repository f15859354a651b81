"""Deliberate mistakes do what they say, and the evaluation catches them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from photopal.concepts import RegisterOptions
from photopal.concepts.localize import concept_direction
from photopal.errors import DatasetError
from photopal.lab.datasets import load_dataset
from photopal.lab.datasets.drawn_dataset import DrawnOptions, write_drawn
from photopal.lab.experiments.dataset_evaluation import EvalOptions
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import FAULTS, LearningOptions, learn
from photopal.lab.experiments.measures import MEASURES
from photopal.lab.experiments.planted_errors import WATCHED, Caught, check_faults
from photopal.lab.experiments.tasks import is_at
from photopal.prompts import Mark
from photopal.vlm import load_model
from photopal.vlm.load import DEFAULT_MODEL_FOLDER

pytestmark = pytest.mark.slow

PLAIN = LearningOptions(None, RegisterOptions(tokens=4))


@pytest.fixture(scope="module")
def sound(store, scenes):
    return learn(store, scenes, scenes.scenarios[1], PLAIN)


def with_fault(store, scenes, fault):
    return learn(store, scenes, scenes.scenarios[1], replace(PLAIN, fault=fault)).registered.concepts


def test_shifted_labels_learn_every_concept_from_the_next_ones_photos(store, scenes, sound):
    shifted = with_fault(store, scenes, "labels shifted")
    right = sound.registered.concepts
    for concept_id, next_id in ((1, 2), (2, 3), (3, 1)):
        torch.testing.assert_close(shifted[concept_id].direction, right[next_id].direction)


def test_ignored_masks_take_the_whole_photo_for_the_concept(store, scenes, sound):
    ignored = with_fault(store, scenes, "masks ignored")
    concept = scenes.scenarios[1].concepts[0]
    features = store.features([photo.path for photo in concept.train])
    whole = concept_direction(torch.cat([one.patches.flatten(0, 1) for one in features]))
    torch.testing.assert_close(ignored[1].direction, whole)
    assert not torch.allclose(sound.registered.concepts[1].direction, whole)


def test_wrong_rows_leave_the_maps_as_they_are(store, scenes, sound):
    wrong = with_fault(store, scenes, "wrong rows")
    right = sound.registered.concepts
    for concept_id, next_id in ((1, 2), (2, 3), (3, 1)):
        torch.testing.assert_close(wrong[concept_id].inputs, right[next_id].inputs)
        torch.testing.assert_close(wrong[concept_id].direction, right[concept_id].direction)


def test_marks_at_random_are_elsewhere_and_the_same_for_the_same_seed(store, scenes, sound):
    path = scenes.scenarios[1].multi[0].path

    def points(fault, seed=0):
        evaluator = Evaluator(store, sound, sound.registered, seed=seed, fault=fault)
        return [sighting.point for sighting in evaluator.analysis(path).sightings]

    assert points("marks at random") == points("marks at random")
    assert points("marks at random") != points(None)
    assert points("marks at random") != points("marks at random", seed=1)


def test_the_marks_of_a_prompt_are_those_that_it_draws(store, scenes, sound):
    evaluator = Evaluator(store, sound, sound.registered, seed=0)
    photo = scenes.scenarios[1].multi[0]
    present = {s.concept.name: s for s in evaluator.analysis(photo.path).sightings if s.is_present}
    marks = evaluator.marks(photo.path, list(photo.regions))
    assert set(marks) == set(present) & set(photo.regions)
    for name, mark in marks.items():
        assert (mark.x, mark.y) == present[name].mark_point


@pytest.mark.parametrize(
    ("x", "y", "is_there"),
    [(0.3, 0.5, True), (0.3, 0.74, True), (0.3, 0.76, False), (0.14, 0.5, False), (0.46, 0.5, False)],
)
def test_a_mark_is_at_a_box_that_its_disc_touches(x, y, is_there):
    assert is_at(Mark(1, x, y), (0.2, 0.3, 0.2, 0.4)) == is_there


def test_a_fall_counts_where_it_is_below_the_interval_and_in_nearly_all_draws():
    caught = Caught("wrong rows", "recognition", "weighted", 0.9, (0.85, 0.95), 0.5, (0.3, 0.5))
    assert caught.is_caught
    assert not replace(caught, broken=0.86).is_caught
    assert not replace(caught, drop=(-0.1, 0.5)).is_caught
    assert not replace(caught, interval=(math.nan, math.nan)).is_caught


def test_every_mistake_is_watched_by_figures_that_exist():
    known = {(measure.task, measure.name) for measure in MEASURES}
    assert set(WATCHED) == set(FAULTS)
    assert all(set(watched) <= known for watched in WATCHED.values())


def test_one_scenario_is_not_enough(store, scenes):
    with pytest.raises(DatasetError, match="at least two"):
        check_faults(store.model, scenes, EvalOptions(scenarios=1))


def test_every_mistake_is_caught_on_the_bundled_model(tmp_path):
    options = DrawnOptions(scenarios=2, train=3, test=1, multi=2, negatives=6, siblings=0)
    write_drawn(tmp_path / "scenes", options, seed=3)
    caught = check_faults(
        load_model(DEFAULT_MODEL_FOLDER),
        load_dataset(tmp_path / "scenes"),
        EvalOptions(has_tuning=False),
    )
    assert {one.fault for one in caught} == set(FAULTS)
    assert {one.fault for one in caught if one.is_caught} == set(FAULTS)
