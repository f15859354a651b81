"""Thresholds come from validation, risk falls with coverage, bands hold what is undecided."""

from __future__ import annotations

import numpy as np
import pytest

from photopal.lab.experiments.core_claims import ERROR
from photopal.lab.experiments.core_claims import summarize as summarize_learned
from photopal.lab.experiments.results import Result, Run, estimate
from photopal.lab.experiments.risk_coverage import (
    at_common,
    at_half,
    at_own,
    by_both,
    by_maps,
    in_band,
    risk_at,
    summarize,
    weighted,
)

# Which concept, whether it is there, p(yes), map score, what the product says.
VALIDATION = [[0, 1, 0.4, 0.1, 1], [0, 0, 0.1, -0.1, 0], [1, 1, 0.9, 0.1, 1], [1, 0, 0.7, -0.1, 0]]
TEST = [[0, 1, 0.35, 0.2, 1], [0, 0, 0.05, 0.01, 0], [1, 1, 0.95, 0.3, 1], [1, 0, 0.6, -0.2, 0]]
FACTS = {"validation": VALIDATION, "test": TEST, "half_bands": [0.05, 0.05]}
ONE = Result(Run("claims", 0, 0), "s", "plain", {}, FACTS, 1)


def test_a_threshold_a_concept_is_right_where_one_for_all_is_not():
    assert weighted(at_half(ONE)) == 0.5
    assert weighted(at_common(ONE)) < 1.0
    assert weighted(at_own(ONE)) == 1.0


def test_test_answers_do_not_move_a_threshold():
    other = [[concept, 1 - there, *rest] for concept, there, *rest in TEST]
    turned = Result(ONE.run, "s", "plain", {}, {**ONE.facts, "test": other}, 1)
    assert np.array_equal(at_own(turned)[:, 1], at_own(ONE)[:, 1])


def test_maps_decide_by_their_sign_and_the_product_by_what_it_said():
    assert by_maps(ONE)[:, 1].tolist() == [1, 1, 1, 0]
    assert by_both(ONE)[:, 1].tolist() == [1, 0, 1, 0]


def test_the_band_holds_scores_near_the_threshold():
    assert in_band(ONE).tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


def test_risk_is_counted_among_the_surest_answers():
    decided = np.array([[1, 1, 0.9], [1, 0, 0.1], [0, 0, 0.8], [0, 1, 0.2]], dtype=float)
    assert risk_at(decided, 1.0) == 0.5
    assert risk_at(decided, 0.75) == pytest.approx(1 / 3)
    assert risk_at(decided, 0.5) == 0.0


@pytest.mark.slow
def test_the_calibration_error_is_the_same_figure_as_the_claim():
    conditions = {"tuned": {ERROR: [[1.0, 0.95], [0.0, 0.35], [1.0, 0.65], [0.0, 0.05]]}}
    runs = [Result(Run("claims", 0, place), "s", "plain", conditions, FACTS, 1) for place in range(2)]
    table = next(
        one for one in summarize({"claims": runs}, None).tables if one.title == "Calibration of p(yes)"
    )
    assert f"plain scenarios {estimate(runs, 'tuned', ERROR)}" in table.note
    assert sum(int(row[1]) for row in table.rows) == 8
    claims = {one.claim: one.figure for one in summarize_learned({"claims": runs}, None).verdicts}
    assert claims["ECE of p(yes), plain scenarios"] == pytest.approx(0.2)
    assert "scenarios 0.200" in table.note
