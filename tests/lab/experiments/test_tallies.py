"""Figures and intervals are what their counts say."""

from __future__ import annotations

import pytest

from photopal.lab.experiments.bundled_model import GOALS, REFUSALS
from photopal.lab.experiments.tallies import Goal, Tallies

# What the design asks for: measure → target.
ASKED = {"place": 0.95, "activity": 0.95, "clothes": 0.95, "count": 0.95, "plain": 0.95, "registered": 0.90}
ASKED |= {
    "tuned": 0.96,
    "twins tuned": 0.90,
    "registered where": 0.95,
    "registered names": 0.95,
    "free": 0.85,
}
ASKED |= {"registered place": 0.95, "registered activity": 0.95, "tuning seconds": 60, "caption seconds": 1}


def booked(key, *clusters):
    tallies = Tallies()
    for number, counts in enumerate(clusters):
        tallies.add(key, str(number), *counts)
    return tallies


def test_a_share_counts_questions_and_not_clusters():
    row = booked("x", (9, 10), (0, 1)).measure(Goal("x", "x", 0.8))
    assert row.value == pytest.approx(9 / 11)
    assert (row.questions, row.clusters) == (11, 2)
    assert row.is_met
    assert row.margin == pytest.approx(9 / 11 - 0.8)


def test_counts_of_one_cluster_add_up():
    tallies = booked("x", (1, 2))
    tallies.add("x", "0", 1, 1)
    assert tallies.questions("x") == 3
    assert tallies.measure(Goal("x", "x")).clusters == 1


def test_the_weighted_figure_is_the_mean_of_both_recalls():
    tallies = Tallies()
    for is_right in (True, True, True, False):
        tallies.add_yes_no("x", "a", is_yes=True, is_right=is_right)
    tallies.add_yes_no("x", "b", is_yes=False, is_right=False)
    row = tallies.measure(Goal("x", "x", figure="weighted"))
    assert row.value == pytest.approx(0.375)
    assert row.parts == {"recall of Yes": 0.75, "recall of No": 0.0}
    assert row.questions == 5


def test_f1_weighs_wrong_names_and_missing_ones():
    row = booked("x", (2, 1, 0, 2), (1, 0, 2, 1)).measure(Goal("x", "x", figure="f1"))
    assert row.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    assert row.questions == 3
    assert row.parts["precision"] == pytest.approx(3 / 4)
    assert row.parts["recall"] == pytest.approx(3 / 5)


def test_a_cost_is_met_from_below():
    goal = Goal("x", "seconds", 1.0, "mean", is_cost=True)
    assert booked("x", (0.4, 1), (0.8, 1)).measure(goal).margin == pytest.approx(0.4)
    assert not booked("x", (3.0, 2)).measure(goal).is_met


def test_what_was_never_asked_is_not_met():
    row = Tallies().measure(Goal("x", "x", 0.5))
    assert (row.value, row.interval, row.questions, row.is_met) == (None, None, 0, False)


def test_an_interval_is_wide_where_whole_clusters_go_wrong():
    """Twenty questions on two photos tell less than twenty on twenty photos."""
    few = booked("x", (10, 10), (0, 10)).measure(Goal("x", "x"))
    many = booked("x", *([(1, 1), (0, 1)] * 10)).measure(Goal("x", "x"))
    assert few.value == many.value == 0.5
    assert few.interval == (0.0, 1.0)
    assert 0.2 < many.interval[0] < 0.5 < many.interval[1] < 0.8
    assert many == booked("x", *([(1, 1), (0, 1)] * 10)).measure(Goal("x", "x"))


def test_the_table_has_every_line_of_the_design_with_its_target():
    targets = {goal.key: goal.target for goal in GOALS}
    assert targets.items() >= ASKED.items()
    keys = [goal.key for goal in (*GOALS, *REFUSALS)]
    assert len(set(keys)) == len(keys)
