"""What the assistant wants generated is recorded, and answered later as it would be at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from photopal.assistant.ask import ask_photo
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_photo
from photopal.concepts import RegisterOptions
from photopal.lab.datasets.drawn_scenarios import FamilyOptions, draw_family
from photopal.lab.experiments.assistant_evaluation import AssistantEvaluation, RecordingModel
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import register_family
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.tallies import Tallies
from photopal.vlm import load_model
from photopal.vlm.batch_decoder import answer_batch


@pytest.fixture(scope="module")
def family():
    return draw_family(2, FamilyOptions(concepts=2, photos=2, tests=6, size_px=64))


@pytest.fixture(scope="module")
def evaluator(tiny_llava, family):
    """Of a bank in which everybody is seen everywhere, so that names are offered and marks drawn."""
    store = PhotoStore(remember(load_model(tiny_llava)), images=family.images)
    learned = register_family(store, family, RegisterOptions(tokens=3))
    concepts = learned.registered.concepts.values()
    bank = learned.registered.with_concepts(
        [replace(c, calibration=replace(c.calibration, low=-2, high=-1)) for c in concepts]
    )
    return Evaluator(store, learned, bank, seed=0)


@pytest.mark.slow
def test_what_the_assistant_asks_is_recorded_and_answered_as_it_would_answer(evaluator, family):
    recording, speaking = RecordingModel(evaluator.model), evaluator.assistant
    writing = Assistant(recording.as_model, evaluator.bank, evaluator.learned.concepts)
    expected = []
    for test in family.tests[:3]:
        analysis = speaking.analyze(test.drawn.image)
        assert ask_photo(writing, analysis, "What is Anna doing?").text == ""
        assert caption_photo(writing, analysis).text == ""
        expected += [
            ask_photo(speaking, analysis, "What is Anna doing?").text,
            caption_photo(speaking, analysis).text,
        ]
    assert answer_batch(evaluator.model, recording.requests) == expected


@pytest.mark.slow
def test_everyone_is_asked_about_on_every_photo_and_located_where_shown(evaluator, family):
    tallies = Tallies()
    evaluation = AssistantEvaluation(evaluator, family, tallies)
    evaluation.recognize("x")
    evaluation.locate("x")
    evaluation.caption("x")
    evaluation.finish()
    shown = sum(len(test.present) for test in family.tests)
    for key in ("x", "x assistant"):
        _, there, _, absent = tallies.counts(key, family.scenario.name, columns=4)
        assert (there, there + absent) == (shown, len(family.tests) * len(family.cast))
    hits, questions = tallies.counts("x location", family.scenario.name, columns=2)
    assert 0 <= hits <= questions == shown
    for key in ("x exact names", "x wrong names"):
        assert tallies.counts(key, family.scenario.name, columns=2)[1] == len(family.tests)


def test_an_evaluator_sees_photos_together_as_one_by_one(evaluator, family):
    paths = [test.path for test in family.tests[:3]]
    alone = Evaluator(evaluator.store, evaluator.learned, evaluator.bank, seed=0)
    for together, single in zip(
        evaluator.analyses(paths), [alone.analysis(path) for path in paths], strict=True
    ):
        assert [s.is_present for s in together.sightings] == [s.is_present for s in single.sightings]
        assert [s.point for s in together.sightings] == [s.point for s in single.sightings]
