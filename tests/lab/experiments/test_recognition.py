"""Who is asked for on which photo, what counts as true, and what is asked without leaking the answer."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from photopal.lab.datasets import load_dataset
from photopal.lab.datasets.drawn_dataset import DrawnOptions, write_drawn
from photopal.lab.datasets.scenario import ConceptRegion, Dataset, DatasetConcept, DatasetPhoto, Scenario
from photopal.lab.experiments import recognition
from photopal.lab.experiments.measures import MEASURES, RecognitionResult
from photopal.lab.experiments.recognition import balanced_partners, find_threshold, list_questions


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recognition") / "scenes"
    options = DrawnOptions(
        scenarios=3, lookalikes=1, train=3, test=2, multi=2, negatives=8, siblings=1, size_px=64
    )
    write_drawn(folder, options, seed=4)
    return load_dataset(folder)


def answered(asked, probability):
    return [
        RecognitionResult(
            one.kind,
            one.is_there,
            one.authors_say,
            probability(one),
            negative=one.negative,
            is_balanced=one.is_balanced,
        )
        for one in asked
    ]


def figure(name, outcomes):
    measure = next(one for one in MEASURES if (one.task, one.name) == ("recognition", name))
    return measure.figure(measure.values(outcomes))


def cast(*kinds, photos=2):
    """A scenario with a concept of each kind, and photos that need not exist."""
    concepts = []
    for number, kind in enumerate(kinds):
        name = f"n{number}"
        shown = [DatasetPhoto(Path(f"{name}-{i}.png"), {name: ConceptRegion()}) for i in range(photos)]
        concepts.append(DatasetConcept(name, kind, test=tuple(shown)))
    return Scenario("s", tuple(concepts))


@pytest.mark.slow
def test_a_model_that_is_always_right_has_no_fault_by_our_labels_and_some_by_the_authors(scenes):
    asked = [q for one in scenes.scenarios for q in list_questions(scenes, one, seed=0)]
    outcomes = answered(asked, lambda one: float(one.is_there))
    assert figure("weighted", outcomes) == 1.0
    assert figure("recall of Yes", outcomes) == figure("recall of No", outcomes) == 1.0
    assert figure("weighted, authors' labels", outcomes) < 1.0


def test_both_labels_are_of_the_same_questions(scenes):
    outcomes = answered(list_questions(scenes, scenes.scenarios[0], seed=0), lambda one: 1.0)
    by_name = {one.name: one for one in MEASURES if one.task == "recognition"}
    ours, theirs = (by_name[name].values(outcomes) for name in ("weighted", "weighted, authors' labels"))
    assert len(ours) == len(theirs) < len(outcomes)
    assert ours[:, 0].sum() < theirs[:, 0].sum()


def test_each_concept_is_paired_with_the_next_of_its_kind_and_none_with_another_kind():
    scenario = cast("person", "pet", "person", "person", "thing")
    assert balanced_partners(scenario.concepts) == {"n0": "n2", "n2": "n3", "n3": "n0"}


def test_in_balanced_questions_every_photo_and_every_name_comes_with_yes_as_often_as_with_no():
    scenario = cast("person", "pet", "person", "person", "pet", "thing")
    asked = list_questions(Dataset(Path(), "x", (scenario,)), scenario, seed=0)
    balanced = [one for one in asked if one.is_balanced]
    for part in (lambda one: one.photo, lambda one: one.names):
        yes = Counter(part(one) for one in balanced if one.is_there)
        no = Counter(part(one) for one in balanced if not one.is_there)
        assert yes == no
    assert {one.names[0] for one in balanced} == {"n0", "n1", "n2", "n3", "n4"}
    assert all(one.kind == "si_sq" and one.authors_say is not None for one in balanced)
    assert {one.negative for one in balanced} == {None, "same kind"}


def test_what_only_the_photo_tells_is_worth_nothing_on_balanced_questions(scenes):
    """The authors' questions give it away: photos of several subjects are nearly always positives."""
    asked = [q for one in scenes.scenarios for q in list_questions(scenes, one, seed=0)]
    photos = sorted({one.photo for one in asked})
    multi = {photo.path for one in scenes.scenarios for photo in one.multi}

    def by_photo(one):
        return (one.photo in multi) + photos.index(one.photo) / len(photos) / 2

    outcomes = answered(asked, by_photo)
    assert figure("AUROC of p(yes), balanced", outcomes) == pytest.approx(0.5)
    assert figure("AUROC of p(yes)", outcomes) > 0.6
    knowing = answered(asked, lambda one: float(one.is_there))
    assert figure("AUROC of p(yes), balanced", knowing) == 1.0


def test_without_two_of_a_kind_there_is_nothing_balanced():
    scenario = cast("person", "pet")
    asked = list_questions(Dataset(Path(), "x", (scenario,)), scenario, seed=0)
    assert not any(one.is_balanced for one in asked)
    assert math.isnan(figure("AUROC of p(yes), balanced", answered(asked, lambda one: 0.5)))


def test_siblings_are_paired_in_scenarios_of_lookalikes(scenes):
    scenario = next(one for one in scenes.scenarios if one.group == "lookalike")
    asked = [one for one in list_questions(scenes, scenario, seed=0) if one.is_balanced]
    assert "sibling" in {one.negative for one in asked}
    assert replace(asked[0], is_balanced=False) != asked[0]


def test_a_control_has_the_threshold_that_suits_its_own_answers(scenes, monkeypatch):
    def shares(evaluator, asked, control):
        yes, no = (0.9, 0.1) if control == "asked" else (0.3, 0.2)
        return [(one, yes if one.is_there else no) for one in asked]

    monkeypatch.setattr(recognition, "shares_of_yes", shares)
    assert find_threshold(None, scenes, scenes.scenarios[0]) == 0.5
    assert find_threshold(None, scenes, scenes.scenarios[0], "no concept") == pytest.approx(0.25)


def test_the_whole_decision_has_false_positives_of_its_own():
    def told(is_there, probability, sureness, negative=None):
        return RecognitionResult(
            "si_sq", is_there, is_there, probability, negative=negative, sureness=sureness
        )

    # The model says Yes to the sibling as well; the location map lies lower.
    outcomes = [*[told(True, 0.9, 2.0)] * 10, told(False, 0.95, 1.5, "sibling")]
    assert figure("FPR at recall 0.9, sibling", outcomes) == 1.0
    assert figure("FPR at recall 0.9, sibling, whole decision", outcomes) == 0.0
    assert math.isnan(figure("FPR at recall 0.9, random, whole decision", outcomes))
    # Under controls there is no map.
    bare = [replace(one, sureness=None) for one in outcomes]
    assert math.isnan(figure("FPR at recall 0.9, sibling, whole decision", bare))
