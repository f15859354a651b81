"""The figures of drawn families are what their counts say."""

from __future__ import annotations

import json

import pytest

from photopal.lab.datasets.drawn_scenarios import FamilyOptions
from photopal.lab.experiments.drawn_recognition import FamilyResult, measure_family, tabulate_families
from photopal.lab.experiments.tallies import Tallies
from photopal.tuning import TuneOptions, TuningReport, Validation
from photopal.vlm import load_model

REPORT = TuningReport(Validation(1.0, 0.5, 1), Validation(1.0, 0.5, 1), 0, 0, 0, 0, 0, 0.0, False)


def counted(family, **counts):
    tallies = Tallies()
    for key, numbers in counts.items():
        tallies.add(key.replace("_", " "), family, *numbers)
    return FamilyResult(tallies, family, REPORT, 1.0)


def rows_of(*results):
    return {row.measure: row for row in tabulate_families(results)}


def test_weighted_recognition_is_the_mean_of_both_recalls_over_all_families():
    rows = rows_of(counted("a", tuned=(9, 10, 1, 2)), counted("b", tuned=(1, 10, 2, 2)))
    assert rows["recognition by the model, weighted"].tuned == pytest.approx((0.5 + 0.75) / 2)
    assert rows["recall of Yes"].tuned == pytest.approx(0.5)
    assert rows["recall of No"].tuned == pytest.approx(0.75)
    assert rows["recall of No"].counts == "20 there, 4 not there"
    low, high = rows["recall of Yes"].interval
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.9))


def test_answering_always_yes_scores_one_half_and_a_single_family_has_no_interval():
    row = rows_of(counted("a", registered=(7, 7, 0, 50)))["recognition by the model, weighted"]
    assert (row.registered, row.interval) == (0.5, None)


def test_locations_and_captions_have_counts_of_their_own():
    rows = rows_of(counted("a", tuned_location=(3, 4), tuned_exact_names=(1, 2), tuned_wrong_names=(0, 2)))
    assert rows["place: peak within the box"].tuned == 0.75
    assert rows["captions with exactly the right names"].tuned == 0.5
    assert rows["captions with a wrong name"].tuned == 0.0
    assert rows["captions with a wrong name"].counts == "2 captions"


@pytest.mark.slow
def test_a_family_is_measured_registered_and_tuned(tiny_llava):
    options = FamilyOptions(concepts=2, photos=2, tests=6, size_px=48)
    tune = TuneOptions(epochs=1, variants=1, tokens=3, seed=3)
    result = measure_family(load_model(tiny_llava), options, tune)
    facts = json.loads(json.dumps(result.facts()))
    for way in ("registered", "tuned"):
        assert facts[way]["yes"] + facts[way]["no"] == 6 * 2
        assert facts[way]["captions"] == 6
    assert facts["report"]["epochs"] == 1
