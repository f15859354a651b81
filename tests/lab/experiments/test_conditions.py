"""The ways of tuning and asking do what they say."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from photopal.lab.datasets.scenario import Scenario
from photopal.lab.experiments import many_concepts
from photopal.lab.experiments.ablations import system_first
from photopal.lab.experiments.conditions import (
    DescribingEvaluator,
    one_name_each,
    retrieve,
    tune_apart,
    tune_jointly,
)
from photopal.lab.experiments.evaluator import Evaluator, MarkedEvaluator, PromptSetup, yes_shares
from photopal.lab.experiments.learned_scenario import filled_box
from photopal.lab.experiments.learning_curves import with_fewer
from photopal.lab.experiments.many_concepts import FullPrompt
from photopal.lab.experiments.measures import RecognitionResult
from photopal.lab.experiments.recognition import list_questions, recognize
from photopal.lab.experiments.results import Run
from photopal.lab.experiments.tasks import (
    CAPTION_NEGATIVES,
    evaluate_tasks,
    negatives_of,
    photos_of,
    rows_of,
)
from photopal.prompts import PromptConcept, build_prompt, recognition_question
from photopal.tuning.examples import TuningConcept, make_example
from photopal.vlm.placeholders import name_placeholder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def taught(tiny_context):
    """A scenario of three concepts, registered, with its lessons."""
    dataset = tiny_context.dataset(0)
    learned = tiny_context.register(dataset, dataset.scenarios[1], 0)
    return learned, tiny_context.tuning_photos(dataset, learned, 0)


def test_joint_tuning_changes_all_rows_and_separate_tuning_gives_as_many_updates(tiny_context, taught):
    learned, photos = taught
    options = replace(tiny_context.plan.tune(0), epochs=2)
    joint = tune_jointly(tiny_context, learned, photos, options)
    apart = tune_apart(tiny_context, learned, photos, options)
    alone = tune_apart(tiny_context, learned, photos, options, has_others=False)
    assert joint.steps == pytest.approx(apart.steps, abs=2)
    assert joint.steps == pytest.approx(alone.steps, abs=4)
    for concept_id, before in learned.registered.concepts.items():
        assert joint.bank.concepts[concept_id].is_tuned
        assert apart.bank.concepts[concept_id].is_tuned
        torch.testing.assert_close(apart.bank.concepts[concept_id].direction, before.direction)


def test_one_name_a_prompt_asks_about_each_photo_with_and_without_the_one_it_shows(taught):
    learned, photos = taught
    ids = [concept.id for concept in learned.concepts]
    single = one_name_each(photos, ids)
    concepts = {i: TuningConcept(i, "person") for i in ids}
    offers = dict.fromkeys(ids, PromptConcept(16))
    made = [make_example(photo, concepts, offers, random.Random(0)) for photo in single]
    assert all(example is not None and len(example.slots) == 1 for example in made)
    shown = [photo for photo in single if photo.present]
    assert len(shown) == sum(bool(photo.present) for photo in photos)
    assert len({photo.key for photo in single}) == len(single)
    assert any(not photo.present and photo.is_held_out for photo in single)


def test_the_concept_block_moves_into_the_system_message_with_its_marks():
    offered = [PromptConcept(2, mark=1), PromptConcept(1)]
    prompt = build_prompt(f"Where is {name_placeholder(0)}?", offered)
    moved = system_first(prompt)
    assert moved.user == f"Where is {name_placeholder(0)}?"
    assert moved == build_prompt(moved.user, offered, order="system-first")
    assert system_first(build_prompt("Who is there?")) == build_prompt("Who is there?")


def test_a_crowd_that_fits_a_prompt_is_asked_as_in_that_prompt(tiny_context, taught):
    learned, _ = taught
    bank, concepts = learned.registered, learned.concepts
    path = learned.scenario.test_photos[0].path
    [features] = tiny_context.store.features([path])
    rows = bank.embeddings([c.id for c in concepts], [c.name for c in concepts])
    setup = PromptSetup(
        tuple(rows.names), tuple(PromptConcept(k) for k in rows.soft_token_counts), rows, features
    )
    evaluator = Evaluator(tiny_context.store, learned, bank, seed=0)
    usual = yes_shares(evaluator, setup, [(c.name,) for c in concepts])
    # The question itself stands in slot 0 of the crowd's prompt, and in its own slot of the usual one.
    crowd = FullPrompt(tiny_context.model, bank, features)
    assert crowd.yes_shares(features, [c.id for c in concepts]) == pytest.approx(usual, abs=1e-4)
    encoded = evaluator.encode(setup, recognition_question(concepts[0].name))
    assert crowd.prompt_length(features) == encoded.ids.shape[0]


def test_a_crowd_larger_than_a_prompt_grows_by_as_much_for_every_concept(tiny_context, taught):
    learned, _ = taught
    [features] = tiny_context.store.features([learned.scenario.test_photos[0].path])
    one = learned.registered.concepts[1]

    def size(count):
        bank = replace(learned.registered, concepts={i: replace(one, concept_id=i) for i in range(count)})
        crowd = FullPrompt(tiny_context.model, bank, features)
        shares = crowd.yes_shares(features, [0, count - 1])
        assert shares[0] == pytest.approx(shares[1], abs=1e-4)  # the same rows under two ids
        return len(crowd)

    assert abs(size(32) - 2 * size(16)) <= 5  # the first block has what the template puts after the photo


def test_a_crowd_is_in_the_models_own_words_where_it_reads_no_embeddings(tiny_context, monkeypatch):
    written = []

    def write(assistant, analyses):
        written.append({concept.words for concept in assistant.bank.concepts.values()})
        return [assistant.concepts[0].name for _ in analyses]

    words = {1: "a red car", 2: "a small dog", 3: "a tall person", 4: "a gray cat"}
    monkeypatch.setattr(many_concepts, "reads_embeddings", lambda *_: False)
    monkeypatch.setattr(many_concepts, "say_of_each", lambda *_: words)
    monkeypatch.setattr(many_concepts, "write_captions", write)
    _, facts = many_concepts.compute(tiny_context, Run("many", 0, 0))
    assert written
    assert set().union(*written) <= set(words.values())
    assert all(written)
    for block in facts["blocks"]:
        # The name stands in captions that photopal writes; prompts cannot offer it.
        assert {name.partition(" ")[0] for name, figures in block.items() if many_concepts.F1 in figures} == {
            many_concepts.WRITTEN
        }
        assert any(many_concepts.WEIGHTED in figures for figures in block.values())


def test_marks_are_drawn_or_said_as_wanted(tiny_context, taught):
    learned, _ = taught
    path = learned.scenario.multi[0].path
    names = learned.scenario.names
    plain = tiny_context.store.features([path])[0].tokens

    def setup(marks):
        evaluator = MarkedEvaluator(tiny_context.store, learned, learned.registered, seed=0, marks=marks)
        view = evaluator.analysis(path)
        everyone = tuple(replace(sighting, is_present=True) for sighting in view.sightings)
        evaluator._analyses[path] = replace(view, sightings=everyone)
        return evaluator.set_up(path, names)

    on, off, words = setup("marks"), setup("no marks"), setup("sentence only")
    assert all(concept.mark for concept in on.offered)
    assert not torch.equal(on.features.tokens, plain)
    assert not any(concept.mark for concept in off.offered)
    assert torch.equal(off.features.tokens, plain)
    assert words.offered == on.offered
    assert torch.equal(words.features.tokens, plain)
    astray = setup("random marks")
    assert {c.mark for c in astray.offered} == {c.mark for c in on.offered}
    assert not torch.equal(astray.features.tokens, on.features.tokens)


def test_looks_in_words_stand_in_the_question_and_no_name_does(tiny_context, taught):
    learned, _ = taught
    rows = [
        replace(row, name=name, about=about)
        for row, name, about in zip(
            learned.concepts,
            ("Al", "Alex", "Ben"),
            ("an adult with red hair", "a small dog.", ""),
            strict=True,
        )
    ]
    evaluator = DescribingEvaluator(
        tiny_context.store, replace(learned, concepts=tuple(rows)), learned.registered, seed=0
    )
    answer = "Answer the question using a single word Yes or No."
    asked = evaluator.in_words(recognition_question("Alex"))
    assert asked == f"Is there a small dog in this photo? {answer}"
    both = evaluator.in_words(recognition_question("Al and Alex"))
    assert both == f"Is there an adult with red hair and a small dog in this photo? {answer}"
    assert evaluator.in_words("What is Alex doing?") == "What is the small dog doing?"
    assert evaluator.in_words("Where is Al?") == "Where is the adult with red hair?"
    assert evaluator.in_words("What is Ben doing?") == "What is Ben doing?"  # nothing is known of his looks
    setup = evaluator.set_up(learned.scenario.test_photos[0].path, ["Al"])
    assert setup.rows is None
    plain = tiny_context.model.encode_prompt(build_prompt(asked), setup.features)
    assert torch.equal(evaluator.encode(setup, recognition_question("Alex")).ids, plain.ids)


def test_a_baseline_without_p_yes_has_only_figures_that_need_none(tiny_context):
    dataset = tiny_context.dataset(0)
    told = retrieve(tiny_context.store, dataset, dataset.scenarios[1], seed=0)
    assert "recognition: weighted, more negatives, own threshold" in told
    assert "recognition: AUROC of p(yes)" in told
    at_half = {"recognition: weighted", "recognition: ECE of p(yes)", "recognition: recall of No"}
    assert not at_half & told.keys()


def test_captions_are_of_strangers_too_and_with_names_offered_and_without(tiny_context, taught):
    learned, _ = taught
    dataset = tiny_context.dataset(0)
    evaluator = Evaluator(tiny_context.store, learned, learned.registered, seed=0)
    strangers = [photo for _, photo in negatives_of(dataset, learned.scenario, 0)]
    assert 0 < len(strangers) <= CAPTION_NEGATIVES
    assert all(not photo.regions and photo in dataset.negatives.test for photo in strangers)
    told = evaluate_tasks(evaluator, dataset, ("caption",), seed=0)
    count = len(photos_of(learned.scenario)) + len(strangers)
    for offer in ("all", "none"):
        assert len(told[f"caption: wrong names per photo, {offer} offered"]) == count
    bare = evaluate_tasks(evaluator, dataset, ("caption",), seed=0, control="no concept")
    assert "caption: wrong names per photo, none offered" not in bare


def test_nearly_sure_answers_do_not_become_ties():
    shares = [1 - 2e-7, 1 - 4e-7, 2e-9]
    told = rows_of("recognition", [RecognitionResult("si_sq", True, True, share) for share in shares])
    assert len({row[1] for row in told["recognition: AUROC of p(yes)"]}) == 3


def test_what_the_whole_decision_rests_on_says_what_the_product_decides(tiny_context, taught):
    learned, _ = taught
    dataset = tiny_context.dataset(0)
    evaluator = Evaluator(tiny_context.store, learned, learned.registered, seed=0)
    asked = list_questions(dataset, learned.scenario, seed=0)
    told = [one for one in recognize(evaluator, asked, "asked", threshold=0.5) if one.sureness is not None]
    assert len(told) == sum(len(one.names) == 1 for one in asked)
    assert {one.is_seen for one in told} == {True, False}
    # Where two names are seen in one place, the product takes the surer one only.
    differing = [one for one in told if one.is_seen is not (one.sureness >= (1.0 if one.score > 0 else 1.2))]
    assert len(differing) <= 0.02 * len(told)
    assert not any(one.is_seen for one in differing)
    assert all(one.sureness is None for one in recognize(evaluator, asked, "no concept", threshold=0.5))


def test_a_box_covers_its_mask_and_nothing_beyond_its_ends():
    mask = np.zeros((4, 5), dtype=bool)
    mask[1, 1] = mask[2, 3] = True
    box = filled_box(mask)
    assert box.sum() == 6
    assert box[1:3, 1:4].all()


def test_fewer_photos_leave_some_for_validation_only_from_three_on(tiny_context):
    scenario: Scenario = tiny_context.dataset(0).scenarios[0]
    total = len(scenario.concepts[0].train) + len(scenario.concepts[0].validation)
    for count, held in ((1, 0), (2, 0), (total, 1)):
        for concept in with_fewer(scenario, count).concepts:
            assert len(concept.train) == count - held
            assert len(concept.validation) == held


def test_near_duplicates_differ_from_their_photos_only_where_the_concept_is(tiny_context):
    scenario = tiny_context.scenario(Run("claims", 0, 0))[1]
    concept = scenario.concepts[0]
    twins = [p for p in scenario.lookalikes if p.resembles == concept.name and p.negative == "near-duplicate"]
    assert len(twins) == 1
    with Image.open(twins[0].path) as one, Image.open(concept.test[0].path) as other:
        differs = np.abs(np.asarray(one, dtype=int) - np.asarray(other, dtype=int)).max(axis=2) > 24
    assert 0 < differs.mean() < 0.5
