"""Figures of arms, their intervals, paired differences, and what counts as met."""

from __future__ import annotations

import math

import pytest

from photopal.lab.experiments.results import (
    Estimate,
    Result,
    Run,
    difference,
    estimate,
    geometric_mean_of,
    mean_of,
    median_of,
)
from photopal.lab.experiments.tables import at_least, at_most, compare, line, shown, verdict_words, within

GROUNDING = "grounding: accuracy"


def result(place, conditions, **facts):
    told = {condition: {GROUNDING: [[float(hit)] for hit in hits]} for condition, hits in conditions.items()}
    return Result(Run("x", 0, place), f"s{place}", "plain", told, facts, 2.0)


RUNS = [
    result(0, {"on": (1, 1), "off": (1, 0)}),
    result(1, {"on": (1, 0), "off": (0, 0)}),
    result(2, {"on": (1, 1)}),
]


def test_a_figure_is_pooled_over_questions_and_its_interval_drawn_over_scenarios():
    found = estimate(RUNS, "on", GROUNDING)
    assert found.value == pytest.approx(5 / 6)
    assert (found.questions, found.scenarios, found.seeds) == (6, 3, 1)
    assert found.basis == "3 scenarios, 1 seed"
    assert found.interval[0] == pytest.approx(0.5)  # the second scenario drawn three times
    assert found.interval[1] == 1.0


def test_a_difference_takes_only_scenarios_that_have_both_arms():
    found = difference(RUNS, GROUNDING, ("on", "off"))
    assert found.value == pytest.approx(0.5)
    assert found.scenarios == 2
    assert found.interval == pytest.approx((0.5, 0.5))  # every scenario gains the same


def test_what_was_never_measured_is_no_number():
    assert math.isnan(estimate(RUNS, "nowhere", GROUNDING).value)
    assert math.isnan(difference(RUNS, GROUNDING, ("on", "nowhere")).value)
    assert str(estimate(RUNS, "nowhere", GROUNDING)) == "–"


def test_the_mean_of_facts_leaves_out_what_was_not_measured():
    runs = [result(0, {}, seconds=2.0), result(1, {}, seconds=4.0), result(2, {}, seconds=math.nan)]
    assert mean_of(runs, lambda r: r.facts["seconds"]).value == 3.0


def test_the_geometric_mean_lets_twice_and_half_cancel_and_the_median_ignores_ends():
    runs = [result(0, {}, times=2.0), result(1, {}, times=0.5), result(2, {}, times=1.0)]
    assert geometric_mean_of(runs, lambda r: r.facts["times"]).value == pytest.approx(1.0)
    runs.append(result(3, {}, times=1000.0))
    assert median_of(runs, lambda r: r.facts["times"]).value == pytest.approx(1.5)


def test_a_table_leaves_out_arms_without_answers_and_says_what_it_rests_on():
    table = compare("t", RUNS, {"on": "with", "gone": "without"}, (GROUNDING,))
    assert [row[0] for row in table.rows] == ["with"]
    assert "3 scenarios; seeds 0; 6 CPU seconds" in table.note
    assert "grounding 6" in table.note


def test_a_curve_leaves_out_what_was_not_measured():
    drawn = line("x", {1.0: Estimate(0.5, (0.4, 0.6)), 2.0: Estimate(math.nan)})
    assert (drawn.xs, drawn.ys, drawn.around) == ((1.0,), (0.5,), ((0.4, 0.6),))


def test_claims_are_met_missed_by_so_much_or_only_shown():
    high, low = Estimate(0.93, (0.91, 0.95)), Estimate(0.03, (-0.01, 0.07))
    assert verdict_words(at_least("c", high, 0.9, "x")) == "met by 0.030"
    assert verdict_words(at_least("c", low, 0.9, "x")) == "**missed by 0.870**"
    assert verdict_words(at_most("c", low, 0.05, "x")) == "met by 0.020"
    assert verdict_words(within("c", high, 0.5, 0.05, "x")) == "**missed by 0.380**"
    assert verdict_words(shown("c", high, "x")) == "shown"
    assert verdict_words(at_least("c", Estimate(math.nan), 0.9, "x")) == "not measured"


def test_a_firm_claim_asks_that_the_interval_is_above_zero():
    gain = Estimate(0.03, (-0.01, 0.07))
    assert at_least("c", gain, 0.0, "x").is_met
    firm = at_least("c", gain, 0.0, "x", is_firm=True)
    assert not firm.is_met
    assert verdict_words(firm) == "**missed**: the interval reaches 0"
