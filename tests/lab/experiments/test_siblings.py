"""Siblings differ in the attribute wanted, and test photos in nothing else."""

from collections import Counter

import numpy as np
import pytest

from photopal.lab.experiments.plan import FULL
from photopal.lab.experiments.results import Result, Run
from photopal.lab.experiments.runner import list_runs
from photopal.lab.experiments.siblings import (
    ATTRIBUTES,
    FALSE,
    FOUND,
    REFERENCES,
    TESTS,
    attribute_of,
    differing_attribute,
    draw_siblings,
    summarize,
)
from photopal.lab.synthetic.identity import is_held_out


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_two_differ_in_one_attribute_and_were_never_trained_on(attribute):
    drawn = draw_siblings("a test", attribute)
    first, second = drawn.family.cast
    assert differing_attribute(first, second) == attribute
    assert is_held_out(first)
    assert is_held_out(second)
    differing = [name for name in vars(first) if getattr(first, name) != getattr(second, name)]
    assert differing in ([attribute], ["coat", "second_coat"], ["second_coat", "pattern"])


def test_on_test_photos_the_sibling_stands_where_the_other_stood():
    drawn = draw_siblings("a test", "glasses")
    assert len(drawn.pairs) == TESTS
    for shown, sibling in drawn.pairs:
        one, other = (np.asarray(drawn.family.images[path], dtype=int) for path in (shown, sibling))
        changed = (np.abs(one - other).max(axis=2) > 0).mean()
        assert 0 < changed < 0.1
    assert [len(concept.train) for concept in drawn.family.scenario.concepts] == [REFERENCES] * 2
    assert [concept.name for concept in drawn.first_alone.scenario.concepts] == ["Anna"]
    again = draw_siblings("a test", "glasses")
    assert all(
        np.array_equal(np.asarray(image), np.asarray(again.family.images[path]))
        for path, image in drawn.family.images.items()
    )


def test_found_and_false_positives_stand_by_attribute():
    figures = {
        condition: {FOUND: [[1.0], [0.0]], FALSE: [[0.0], [0.0], [0.0], [1.0]]}
        for condition in ("stranger, registered", "stranger, tuned", "known, registered", "known, tuned")
    }
    run = Result(Run("siblings", 0, 2), "s", "plain", figures, {"attribute": "glasses"}, 1.0)
    *_, decisions = summarize({"siblings": [run]}, None).tables
    assert decisions.rows == (("glasses", "1", *["0.50 / 0.25"] * 4),)


def test_every_attribute_is_asked_for_as_often():
    told = Counter(attribute_of(run, FULL) for run in list_runs(FULL, ("siblings",)))
    assert told.keys() == ATTRIBUTES.keys()
    assert len(set(told.values())) == 1
