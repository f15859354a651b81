"""What the assistant wants generated is noted, and answered later as it would be at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from photopal.assistant.ask import ask_view
from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_view
from photopal.concepts import RegisterOptions
from photopal.lab.datasets.drawn_scenarios import ScenarioOptions, make_scenario
from photopal.lab.experiments.assistant_evaluation import RecordingModel
from photopal.lab.experiments.drawn_recognition import register_scenario
from photopal.vlm import load_model
from photopal.vlm.batch_decoder import answer_batch


@pytest.fixture(scope="module")
def model(tiny_llava):
    return load_model(tiny_llava)


@pytest.mark.slow
def test_what_the_assistant_asks_is_noted_and_answered_as_it_would_answer(model):
    scenario = make_scenario(2, ScenarioOptions(concepts=2, photos=2, tests=3, size_px=64))
    bank = register_scenario(model, scenario, RegisterOptions(tokens=3))
    calibrations = {i: replace(c.calibration, low=-2, high=-1) for i, c in enumerate(bank.concepts.values())}
    bank = bank.with_concepts(
        [replace(c, calibration=calibrations[i]) for i, c in enumerate(bank.concepts.values())]
    )
    recording = RecordingModel(model)
    writing, speaking = (Assistant(m, bank, scenario.concepts) for m in (recording.as_model, model))
    expected = []
    for test in scenario.tests:
        view = speaking.look(test.photo.image)
        assert ask_view(writing, view, "What is Anna doing?").text == ""
        assert caption_view(writing, view).text == ""
        expected += [ask_view(speaking, view, "What is Anna doing?").text, caption_view(speaking, view).text]
    assert answer_side_by_side(model, recording.requests) == expected
    first, second = recording.encode_photos([scenario.tests[0].photo.image] * 2)
    assert first is second
