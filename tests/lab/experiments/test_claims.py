"""What the claims of the report ask for, on results made up for it."""

from __future__ import annotations

import math

import pytest
import torch

from photopal.concepts import BankConcept
from photopal.concepts.calibration import Calibration
from photopal.lab.experiments.core_claims import permuted
from photopal.lab.experiments.core_claims import summarize as summarize_learned
from photopal.lab.experiments.initialization import at_random, needed_steps, times_fewer
from photopal.lab.experiments.initialization import summarize as summarize_starting
from photopal.lab.experiments.learned_scenario import FAULTS
from photopal.lab.experiments.planted_errors import SOUND, WATCHED, seen
from photopal.lab.experiments.planted_errors import summarize as summarize_mistakes
from photopal.lab.experiments.results import Estimate, Result, Run
from photopal.lab.experiments.tables import at_least, claims_table, groups_in, no_gain, verdict_words

GROUNDING = "grounding: accuracy"
BALANCED = "recognition: AUROC of p(yes), balanced"
WEIGHTED = "recognition: weighted"


def curve(*accuracy):
    """Four updates a pass, read before the first pass and after each."""
    steps = [4 * number for number in range(len(accuracy))]
    return {"steps": steps, "accuracy": list(accuracy), "loss": [1.0] * len(accuracy)}


def start(place, kmeans, random):
    facts = {
        "kmeans": curve(*kmeans),
        "random": curve(*random),
        "words": curve(*kmeans),
        "noise": curve(*random),
    }
    return Result(Run("initialization", place % 2, place), f"s{place}", "plain", {}, facts, 1.0)


def test_a_start_that_is_there_at_once_counts_with_half_a_pass():
    one = start(0, (0.97, 0.98, 1.0), (0.5, 0.96, 1.0))
    assert (needed_steps(one, "kmeans"), needed_steps(one, "random")) == (2.0, 4.0)
    assert times_fewer(one) == 2.0
    assert times_fewer(one, "words") == 2.0
    assert times_fewer(start(0, (0.97, 1.0), (0.98, 1.0))) == 1.0


def test_random_embeddings_are_as_long_as_those_they_replace():
    calibration = Calibration(0.4, 0.6)
    inputs = torch.arange(1.0, 13.0).view(3, 4)
    one = BankConcept(1, inputs, inputs[0], torch.ones(4), calibration, "key")
    [random] = at_random([one], 0)
    assert torch.allclose(random.inputs.norm(dim=-1), one.inputs.norm(dim=-1))
    assert not torch.allclose(random.inputs, one.inputs)
    assert torch.equal(at_random([one], 0)[0].inputs, random.inputs)


def test_a_start_that_never_gets_there_counts_with_all_its_updates():
    one = start(0, (0.5, 1.0, 1.0), (0.5, 0.6, 0.7))
    assert (needed_steps(one, "kmeans"), needed_steps(one, "random")) == (4.0, 8.0)


def test_the_ratio_of_updates_is_a_geometric_mean_and_must_be_above_one_in_nearly_all_draws():
    twice, half = ((0.5, 1.0, 1.0), (0.5, 0.5, 1.0)), ((0.5, 0.5, 1.0), (0.5, 1.0, 1.0))
    [claim, median, *zero] = summarize_starting(
        {"initialization": [start(0, *twice), start(1, *half)]}, None
    ).verdicts
    assert claim.figure == pytest.approx(1.0)  # the mean of 2 and 1/2 would be 1.25
    assert not claim.is_met
    assert claim.basis == "2 scenarios, 2 seeds"
    assert "plain scenarios" in claim.claim
    assert median.figure == pytest.approx(1.25)
    assert {one.figure for one in zero if "validation" in one.claim} == {0.5}
    [claim, *_] = summarize_starting({"initialization": [start(n, *twice) for n in range(3)]}, None).verdicts
    assert claim.is_met
    wide = at_least("c", Estimate(1.6, (0.9, 2.5)), 1.5, "x", is_firm=True, floor=1.0)
    assert verdict_words(wide) == "**missed**: the interval reaches 1"


def test_no_gain_is_not_shown_by_a_wide_interval():
    assert no_gain("c", Estimate(-0.01, (-0.2, 0.2)), 0.03, "x").is_met
    assert no_gain("c", Estimate(0.01, (-0.01, 0.02)), 0.03, "x").is_met
    assert not no_gain("c", Estimate(0.02, (-0.03, 0.06)), 0.03, "x").is_met
    assert not no_gain("c", Estimate(0.02), 0.03, "x").is_met
    assert no_gain("c", Estimate(math.nan), 0.03, "x").is_met is None


def marked(place, **conditions):
    told = {
        condition.replace("_", " "): {GROUNDING: [[float(hit)] for hit in hits]}
        for condition, hits in conditions.items()
    }
    return Result(Run("claims", 0, place), f"s{place}", "plain", told, {}, 1.0)


def claims_of(runs):
    return {one.claim: one for one in summarize_learned({"claims": runs}, None).verdicts}


def test_marks_must_be_better_than_their_sentence_alone_and_than_marks_elsewhere():
    conditions = {"marks": (1, 1, 1, 0), "sentence_only": (1, 1, 1, 0), "no_marks": (1, 0, 0, 0)}
    told = claims_of([marked(n, **conditions, random_marks=(1, 0, 0, 0)) for n in range(3)])
    assert told["marks on − off, grounding, plain scenarios"].is_met
    assert told["marks − marks at random, plain scenarios"].is_met
    assert told["marks at random − off, plain scenarios"].is_met
    sentence = told["marks − sentence only, plain scenarios"]
    assert verdict_words(sentence) == "**missed**: the interval reaches 0"


def controlled(place, condition, rows):
    weighted = [[row[0], float(row[1] >= 0.5)] for row in rows]
    told = {condition: {BALANCED: rows, WEIGHTED: weighted}}
    return Result(Run("claims", 0, place), f"s{place}", "plain", told, {}, 1.0)


def test_a_control_that_says_no_to_all_but_knows_better_is_not_met():
    rows = [[1.0, 0.3], [1.0, 0.2], [0.0, 0.1], [0.0, 0.05]]
    told = claims_of([controlled(n, "no concept", rows) for n in range(2)])
    words = "… no concept in the prompt"
    assert told[f"{words}: weighted recognition, plain scenarios"].figure == 0.5
    area = told[f"{words}: AUROC on balanced questions, plain scenarios"]
    assert area.figure == 1.0
    assert area.is_met is False


def test_rows_of_another_concept_of_the_scenario_may_answer_for_that_one():
    rows = [[1.0, 0.1], [0.0, 0.9]]
    told = claims_of([controlled(n, "rows permuted", rows) for n in range(2)])
    claim = "… tuned, embeddings exchanged within the scenario: AUROC on balanced questions, plain scenarios"
    assert told[claim].figure == 0.0
    assert told[claim].is_met


@pytest.mark.slow
def test_permuted_rows_are_those_of_the_next_concept_and_maps_stay(tiny_context):
    dataset = tiny_context.dataset(0)
    bank = tiny_context.register(dataset, dataset.scenarios[1], 0).registered
    other = permuted(bank)
    for concept_id, next_id in ((1, 2), (2, 3), (3, 1)):
        torch.testing.assert_close(other.concepts[concept_id].inputs, bank.concepts[next_id].inputs)
        torch.testing.assert_close(other.concepts[concept_id].outputs, bank.concepts[next_id].outputs)
        torch.testing.assert_close(other.concepts[concept_id].direction, bank.concepts[concept_id].direction)


def faulty(place, sound, broken, figure=GROUNDING):
    told = {
        condition: {figure: [[float(hit)] for hit in hits]}
        for condition, hits in ((SOUND, sound), ("marks at random", broken))
    }
    return Result(Run("errors", 0, place), f"s{place}", "plain", told, {}, 1.0)


def test_a_mistake_that_is_not_seen_is_a_missed_claim():
    right, wrong = (1, 1, 1, 1), (0, 0, 1, 0)
    caught = seen([faulty(n, right, wrong) for n in range(3)], "marks at random", GROUNDING)
    assert caught.is_met
    assert caught.figure == pytest.approx(0.75)
    blind = seen([faulty(n, right, right) for n in range(3)], "marks at random", GROUNDING)
    assert blind.is_met is False
    [one] = claims_table([blind]).rows
    assert one[4] == "**missed**: the interval reaches 0"
    assert one[5] == "3 scenarios, 1 seed"


def test_every_mistake_has_one_claim_and_none_is_true_by_itself():
    section = summarize_mistakes({"errors": [faulty(n, (1, 1), (0, 0)) for n in range(2)]}, None)
    assert len(section.verdicts) == len(FAULTS)
    assert ("places", "peak within the mask") not in WATCHED["marks at random"]


def test_claims_name_the_kinds_of_scenarios_they_are_of():
    plain, alike = (Result(Run("x", 0, 0), "s", group, {}, {}, 1.0) for group in ("plain", "lookalike"))
    assert groups_in([alike]) == "lookalike scenarios"
    assert groups_in([alike, plain]) == "plain and lookalike scenarios"
    for claim in claims_of([plain, alike]):
        assert claim.endswith("scenarios"), claim
