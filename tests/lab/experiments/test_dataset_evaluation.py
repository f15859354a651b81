"""A run asks what it says, takes away what it says, and mixes no test photo into what is learned."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest
import torch
from PIL import Image

from photopal.concepts import RegisterOptions
from photopal.concepts.calibration import Calibration
from photopal.errors import DatasetError
from photopal.lab.datasets import load_dataset
from photopal.lab.experiments.dataset_evaluation import EvalOptions, evaluate, facts, tabulate
from photopal.lab.experiments.evaluator import CONTROLS, Evaluator, score
from photopal.lab.experiments.learned_scenario import LearningOptions, learn, negatives_for, tuning_photos
from photopal.lab.experiments.photo_store import PhotoStore, read_mask, remember
from photopal.tuning import TuneOptions
from photopal.tuning.trainer import split_photos
from photopal.vlm import load_model

pytestmark = pytest.mark.slow

REGISTER = RegisterOptions(tokens=4)
PLAIN = LearningOptions(None, REGISTER)
QUICK = EvalOptions(tune=TuneOptions(epochs=1, variants=1, tokens=4))


@pytest.fixture
def learned(store, scenes):
    return learn(store, scenes, scenes.scenarios[0], PLAIN)


@pytest.fixture
def evaluator(store, learned):
    return Evaluator(store, learned, learned.registered, seed=0)


def test_a_picture_is_encoded_once(tiny_llava, scenes, monkeypatch):
    model = load_model(tiny_llava)
    encoded = []
    original = type(model).encode_photos

    def note(self, images):
        encoded.extend(images)
        return original(self, images)

    monkeypatch.setattr(type(model), "encode_photos", note)
    store = PhotoStore(remember(model))
    paths = [photo.path for photo in scenes.negatives.train[:2]]
    first = store.features([*paths, paths[0]])
    again = store.features(paths)
    assert len(encoded) == 2
    assert first[0] is first[2] is again[0]


def test_features_beyond_the_room_there_is_are_forgotten(tiny_llava, scenes):
    model = load_model(tiny_llava)
    store = PhotoStore(remember(model, most_bytes=1))
    paths = [photo.path for photo in scenes.negatives.train[:3]]
    several = store.features(paths)
    assert len(several) == 3
    torch.testing.assert_close(several[0].tokens, store.features(paths[:1])[0].tokens)


def test_features_pushed_out_in_the_call_that_asks_for_them_are_given_all_the_same(tiny_llava, scenes):
    model = load_model(tiny_llava)
    paths = [photo.path for photo in scenes.negatives.train[:3]]
    [one] = PhotoStore(remember(model)).features(paths[:1])
    store = PhotoStore(remember(model, most_bytes=2 * (one.tokens.nbytes + one.patches.nbytes)))
    store.features(paths[:1])
    *_, again = store.features([*paths[1:], paths[0]])
    torch.testing.assert_close(again.tokens, one.tokens)


@pytest.mark.parametrize("control", ["asked", *CONTROLS])
@pytest.mark.parametrize("has_marks", [True, False])
def test_scores_are_those_of_separate_prompts(evaluator, scenes, control, has_marks):
    scenario = scenes.scenarios[0]
    setup = evaluator.set_up(scenario.multi[0].path, scenario.names, control, has_marks=has_marks)
    asked = [(f"Is {name} here? And who is it?", ("Yes", "No")) for name in scenario.names]
    asked.append(("Where? A. left B. right", ("A", "B")))
    for (text, answers), told in zip(asked, score(evaluator, setup, asked), strict=True):
        encoded = evaluator.encode(setup, text)
        alone = evaluator.model.score_answers(encoded, setup.features, setup.rows, answers=answers)
        torch.testing.assert_close(told, alone, atol=1e-4, rtol=1e-4)


def test_answers_that_begin_alike_are_told_apart(evaluator, scenes):
    scenario = scenes.scenarios[0]
    setup = evaluator.set_up(scenario.multi[0].path, scenario.names)
    [told] = score(evaluator, setup, [("What is it?", ("on the left", "on the right"))])
    encoded = evaluator.encode(setup, "What is it?")
    alone = evaluator.model.score_answers(
        encoded, setup.features, setup.rows, answers=("on the left", "on the right")
    )
    torch.testing.assert_close(told, alone, atol=1e-4, rtol=1e-4)


def test_each_control_takes_away_what_it_says(evaluator, scenes):
    scenario = scenes.scenarios[0]
    path = scenario.multi[0].path
    text = f"Where is {scenario.names[0]}?"
    asked = evaluator.set_up(path, scenario.names)
    assert asked.names == tuple(scenario.names)
    no_concept = evaluator.set_up(path, scenario.names, "no concept")
    assert (no_concept.rows, no_concept.offered) == (None, ())
    vocab = evaluator.model.vocab_size
    assert int(evaluator.encode(no_concept, text).ids.max()) < vocab
    assert int(evaluator.encode(asked, text).ids.max()) >= vocab
    wrong = evaluator.set_up(path, scenario.names, "wrong concept")
    assert wrong.rows.names == asked.rows.names
    for slot in range(len(wrong.names)):
        assert not torch.equal(wrong.rows.inputs[slot], asked.rows.inputs[slot])
    torch.testing.assert_close(wrong.features.tokens, asked.features.tokens)
    blank = evaluator.set_up(path, scenario.names, "blank image")
    other = evaluator.set_up(scenario.multi[1].path, scenario.names, "blank image")
    torch.testing.assert_close(blank.features.tokens, other.features.tokens)
    assert evaluator.encode(evaluator.set_up(path, scenario.names, "text only"), text).image_end == 0


def test_wrong_rows_are_of_other_scenarios(store, scenes, learned):
    own = {photo.path for concept in scenes.scenarios[0].concepts for photo in concept.train}
    other = learn(store, scenes, scenes.scenarios[1], PLAIN)
    rows = {tuple(row.inputs[0].tolist()) for row in other.registered.concepts.values()}
    assert own
    assert any(tuple(row.inputs[0].tolist()) in rows for row in learned.foreign.concepts.values())


def test_a_single_scenario_has_no_control_by_wrong_rows(store, scenes):
    alone = replace(scenes, scenarios=scenes.scenarios[:1])
    learned = learn(store, alone, alone.scenarios[0], PLAIN)
    assert learned.foreign is None
    assert "wrong concept" not in Evaluator(store, learned, learned.registered, seed=0).controls


def test_no_test_photo_and_no_validation_photo_is_in_a_row(store, scenes, monkeypatch):
    opened = []
    original = PhotoStore.image

    def note(self, path):
        opened.append(path)
        return original(self, path)

    monkeypatch.setattr(PhotoStore, "image", note)
    scenario = scenes.scenarios[1]
    learn(store, scenes, scenario, PLAIN)
    held = {photo.path for concept in scenario.concepts for photo in concept.validation}
    tested = {photo.path for photo in scenario.test_photos}
    assert opened
    assert held
    assert not held & set(opened)
    assert not tested & set(opened)


def test_tuning_validates_on_exactly_the_photos_held_out(store, scenes):
    scenario = scenes.scenarios[1]
    learned = learn(store, scenes, scenario, PLAIN)
    photos = tuning_photos(store, learned.registered, scenario.concepts, negatives_for(scenes, scenario, 0))
    training, validation = split_photos(photos, share=0.2, rng=random.Random(0))
    held = {str(photo.path) for concept in scenario.concepts for photo in concept.validation}
    assert {photo.key for photo in validation if photo.present} == held
    assert not held & {photo.key for photo in training}


def test_validation_photos_are_asked_about_everyone_however_alike_the_maps_find_them(store, scenes):
    scenario = scenes.scenarios[1]
    bank = learn(store, scenes, scenario, PLAIN).registered
    credulous = bank.with_concepts(
        [replace(one, calibration=Calibration(-2.0, -2.0)) for one in bank.concepts.values()]
    )
    photos = [photo for photo in tuning_photos(store, credulous, scenario.concepts, []) if photo.present]
    for photo in photos:
        others = frozenset(credulous.concepts) - photo.present
        assert photo.likely == (frozenset() if photo.is_held_out else others)
    assert {photo.is_held_out for photo in photos} == {True, False}


@pytest.fixture(scope="module")
def few(scenes):
    """The same scenarios with one photo of several concepts each, and only the questions about it."""
    scenarios = []
    for one in scenes.scenarios:
        asked = [question for question in one.questions if question.photo != one.multi[1].path]
        scenarios.append(replace(one, multi=one.multi[:1], questions=tuple(asked)))
    return replace(scenes, scenarios=tuple(scenarios))


@pytest.fixture(scope="module")
def evaluation(tiny_llava, few, short_answers):
    return evaluate(load_model(tiny_llava), few, QUICK)


def test_every_task_is_run_before_and_after_tuning_with_controls(evaluation, few):
    assert len(evaluation.results) == len(few.scenarios)
    for result, scenario in zip(evaluation.results, few.scenarios, strict=True):
        m = len(scenario.concepts)
        for condition in ("registered", "tuned", *CONTROLS):
            figures = result.conditions[condition]
            assert len(figures["vqa: exact match"]) == m + (m + 1)
            of_photos, of_texts = figures["choice: accuracy"], figures["choice: accuracy without photos"]
            assert (len(of_photos), len(of_texts)) == (m + (m + 1), 2 * m)
        for offer in ("all", "none"):
            captions = result.conditions["tuned"][f"caption: wrong names per photo, {offer} offered"]
            assert len(captions) == m + 1
        shown = sum(len(photo.regions) for photo in scenario.test_photos)
        assert len(result.conditions["tuned"]["places: peak within the mask"]) == shown
        assert "places: peak within the mask" not in result.conditions["no concept"]


def test_controls_are_of_registered_concepts_where_nothing_is_tuned(tiny_llava, scenes):
    options = replace(QUICK, tasks=("choice",), scenarios=1, has_tuning=False)
    [result] = evaluate(load_model(tiny_llava), scenes, options).results
    assert result.conditions.keys() == {"registered", *CONTROLS}


def test_the_table_has_figures_intervals_and_controls(evaluation):
    rows = {(row.task, row.measure): row for row in tabulate(evaluation)}
    for task in ("recognition", "grounding", "choice", "vqa", "caption", "places"):
        assert any(key[0] == task for key in rows)
    weighted = rows["recognition", "weighted"]
    assert weighted.definition == "ours"
    assert rows["recognition", "weighted, authors' labels"].definition == "authors"
    assert set(weighted.controls) == set(CONTROLS)
    assert weighted.interval[0] <= weighted.tuned <= weighted.interval[1]
    assert {row.definition for row in rows.values()} == {"authors", "ours"}
    assert all(not math.isnan(row.registered) for row in rows.values())


def test_json_has_no_word_that_json_lacks(evaluation):
    told = facts(evaluation, tabulate(evaluation), seed=0)
    assert json.loads(json.dumps(told, allow_nan=False))["seed"] == 0


def test_the_same_seed_gives_the_same_figures(tiny_llava, scenes):
    options = replace(QUICK, tasks=("grounding",), has_tuning=False, has_controls=False)
    first, again = (tabulate(evaluate(load_model(tiny_llava), scenes, options)) for _ in range(2))
    assert first == again


def test_a_dataset_of_square_and_wide_photos_by_hand_is_run(tiny_llava, mc_llava, short_answers):
    dataset = load_dataset(mc_llava)
    evaluation = evaluate(
        load_model(tiny_llava), dataset, replace(QUICK, has_tuning=False, has_controls=False)
    )
    assert {row.task for row in tabulate(evaluation)} == {
        "recognition",
        "grounding",
        "choice",
        "vqa",
        "caption",
    }


def test_a_mask_of_other_proportions_is_named(tiny_llava, scenes, tmp_path):
    path = tmp_path / "m.png"
    Image.new("L", (40, 20), 255).save(path)
    assert read_mask(path, (80, 40)).shape == (20, 40)
    with pytest.raises(DatasetError, match=r"m\.png: the mask has 40×20 pixels, its photo 64×64"):
        read_mask(path, (64, 64))
    Image.new("L", (40, 20)).save(path)
    with pytest.raises(DatasetError, match=r"m\.png: the mask is empty"):
        read_mask(path, (40, 20))
