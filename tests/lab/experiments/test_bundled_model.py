"""The bundled model's table is measured from end to end, every line of it, on held-out identities."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from photopal.lab.datasets.drawn_scenarios import FamilyOptions, draw_family
from photopal.lab.experiments import unnamed_questions
from photopal.lab.experiments.bundled_model import GOALS, REFUSALS, BundledOptions, measure_bundled
from photopal.lab.experiments.tallies import Tallies
from photopal.lab.synthetic.identity import is_held_out
from photopal.tuning import TuneOptions
from photopal.vlm import load_model

pytestmark = pytest.mark.slow

TUNING = TuneOptions(epochs=1, variants=1, batch_photos=24, tokens=3)
OPTIONS = BundledOptions(questions=12, families=1, tuned=1, size_px=48, tuning=TUNING)


@pytest.fixture(scope="module")
def model(tiny_llava):
    return load_model(tiny_llava)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def table(model, told, short_answers):
    return measure_bundled(model, OPTIONS, on_progress=lambda done, total, at: told.append((done, total)))


def test_every_line_is_measured_and_says_on_how_much(table):
    assert [row.key for row in table.rows] == [goal.key for goal in GOALS]
    assert [row.key for row in table.refusals] == [goal.key for goal in REFUSALS]
    for row in (*table.rows, *table.refusals):
        if row.key in ("empty", "strangers", "absent", *unnamed_questions.OF_CLOTHES) or "sibling" in row.key:
            continue  # twelve photos may hold none of these
        assert row.value is not None, row.key
        assert row.questions > 0
        assert row.interval[0] <= row.value + 1e-9
        assert row.interval[1] >= row.value - 1e-9
        assert (row.is_met is None) == (row.target is None)


def test_lines_rest_on_at_least_the_questions_asked_for(table):
    questions = {row.key: row.questions for row in table.rows}
    for key in ("place", "activity", "clothes", "count"):
        assert questions[key] >= OPTIONS.questions
    assert questions["plain"] == sum(questions[key] for key in ("place", "activity", "clothes", "count"))
    assert questions["clothes"] == sum(questions[key] for key in unnamed_questions.OF_CLOTHES)
    assert questions["registered"] == questions["registered assistant"] == 3 * 12
    assert questions["tuned"] == 3 * 12
    assert questions["twins tuned"] == 12
    assert questions["registered names"] == questions["tuned names"] == 12
    assert questions["free"] == sum(row.questions for row in table.kinds) == 12
    assert table.wordings == 12


def test_progress_is_told_in_photos_and_never_beyond_the_total(table, told):
    assert told == sorted(told)
    assert all(done <= total for done, total in told)
    assert len(told) >= 4


def test_the_same_seed_asks_the_same(model, table):
    tallies = Tallies()
    unnamed_questions.ask_plainly(
        model,
        tallies,
        questions=OPTIONS.questions,
        seed=0,
        size_px=OPTIONS.size_px,
        on_photos=lambda count: None,
    )
    assert [tallies.measure(goal) for goal in GOALS[:5]] == list(table.rows[:5])


def test_the_table_is_json(table):
    facts = json.loads(json.dumps(table.facts()))
    assert facts["rows"][0]["measure"] == GOALS[0].measure
    assert facts["options"]["seed"] == 0


def test_photos_of_the_table_show_held_out_identities_only(monkeypatch, model):
    drawn = []
    paint = unnamed_questions.draw_photo
    monkeypatch.setattr(
        unnamed_questions, "draw_photo", lambda scene, **sizes: drawn.append(scene) or paint(scene, **sizes)
    )
    unnamed_questions.ask_plainly(
        model, Tallies(), questions=3, seed=1, size_px=48, on_photos=lambda count: None
    )
    subjects = [subject for scene in drawn for subject in scene.subjects]
    assert len(subjects) > 10
    assert all(is_held_out(subject.identity) for subject in subjects)
    for seed in range(6):
        options = FamilyOptions(photos=1, tests=4, strangers=1, has_lookalikes=True, size_px=48)
        family = draw_family(seed, options)
        shown = [s.identity for test in family.tests for s in test.drawn.scene.subjects]
        assert all(is_held_out(identity) for identity in (*family.cast, *shown))


def test_no_two_seeds_share_a_family():
    seeds = [
        seed
        for first in range(3)
        for begin, count in ((0, 32), (40, 6), (60, 6))
        for seed in replace(BundledOptions(), seed=first).seeds(begin, count)
    ]
    assert len(set(seeds)) == len(seeds)
    assert (BundledOptions().family_count, BundledOptions().tuned_count) == (32, 6)
