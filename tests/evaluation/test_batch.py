"""Many prompts answered together are answered as each alone."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch

from photopal.answers.ask_photo import ask_view
from photopal.answers.assistant import Assistant
from photopal.answers.caption import NAME_BONUS, caption_view
from photopal.concepts import RegisterOptions
from photopal.drawn.identity import draw_identity
from photopal.drawn.photo import draw_photo
from photopal.drawn.scene import plan_scene
from photopal.evaluation.batch import answer_noted, first_of_two
from photopal.evaluation.measure import register_scenario
from photopal.evaluation.noting import Noted, NotingModel
from photopal.evaluation.scenarios import ScenarioOptions, make_scenario
from photopal.prompts import PromptConcept, build_prompt
from photopal.vision import load_model
from photopal.vision.protocol import ConceptRows

QUESTIONS = ("Who is here?", "What is <|name:0|> doing in this photo?", "Is <|name:1|> here? Yes or No.", "?")


@pytest.fixture(scope="module")
def model(tiny_llava):
    return load_model(tiny_llava)


def photos(model, count):
    rng = random.Random(5)
    scenes = [plan_scene([draw_identity(rng)], rng) for _ in range(count)]
    return model.encode_photos([draw_photo(scene, size_px=64).image for scene in scenes])


def rows(model, seed, *, tokens=3, bonus=0.0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(2, tokens + 1, model.hidden_size, generator=generator)
    outputs = torch.randn(2, model.hidden_size, generator=generator)
    return ConceptRows(inputs, outputs, ("Anna", "Ben"), (tokens, tokens - 1), bonus)


def prompts(model, *, bonus=0.0):
    """Four photos, two banks of different size, and a question without any concept."""
    noted = []
    for place, features in enumerate(photos(model, 4)):
        own = rows(model, place % 2, tokens=3 + place % 2, bonus=bonus)
        offered = [PromptConcept(count) for count in own.token_counts]
        for question in QUESTIONS:
            encoded = model.encode_prompt(build_prompt(question, offered), features)
            noted.append(Noted(encoded, features, own, 5 + place))
        plain = model.encode_prompt(build_prompt("Where is this?"), features)
        noted.append(Noted(plain, features, None, 6))
    return noted


@pytest.mark.parametrize("bonus", [0.0, NAME_BONUS])
@pytest.mark.parametrize("at_once", [1, 3, 64])
def test_answers_side_by_side_are_those_of_each_prompt_alone(model, bonus, at_once):
    noted = prompts(model, bonus=bonus)
    alone = [model.generate(n.encoded, n.features, n.rows, max_new_tokens=n.max_new_tokens) for n in noted]
    counts = []
    assert answer_noted(model, noted, at_once=at_once, on_answers=counts.append) == alone
    assert sum(counts) == len(noted)
    assert len(set(alone)) > 4


def test_yes_beside_no_is_as_when_scored_alone(model):
    noted = prompts(model)
    together = first_of_two(model, noted, ("Yes", "No"))
    for share, n in zip(together, noted, strict=True):
        scores = model.score_answers(n.encoded, n.features, n.rows, answers=("Yes", "No"))
        assert share == pytest.approx(float(torch.softmax(scores, dim=0)[0]), abs=1e-4)


def test_a_family_without_common_prefixes_is_answered_one_by_one(tiny_qwen):
    model = load_model(tiny_qwen)
    features = photos(model, 2)
    noted = [Noted(model.encode_prompt(build_prompt("Who?"), f), f, None, 4) for f in features]
    alone = [model.generate(n.encoded, n.features, max_new_tokens=4) for n in noted]
    assert answer_noted(model, noted) == alone


def test_what_the_assistant_asks_is_noted_and_answered_as_it_would_answer(model):
    scenario = make_scenario(2, ScenarioOptions(concepts=2, photos=2, tests=3, size_px=64))
    bank = register_scenario(model, scenario, RegisterOptions(tokens=3))
    calibrations = {i: replace(c.calibration, low=-2, high=-1) for i, c in enumerate(bank.concepts.values())}
    bank = bank.with_concepts(
        [replace(c, calibration=calibrations[i]) for i, c in enumerate(bank.concepts.values())]
    )
    noting = NotingModel(model)
    writing, speaking = (Assistant(m, bank, scenario.concepts) for m in (noting.as_model, model))
    expected = []
    for test in scenario.tests:
        view = speaking.look(test.photo.image)
        assert ask_view(writing, view, "What is Anna doing?").text == ""
        assert caption_view(writing, view).text == ""
        expected += [ask_view(speaking, view, "What is Anna doing?").text, caption_view(speaking, view).text]
    assert answer_noted(model, noting.noted) == expected
    first, second = noting.encode_photos([scenario.tests[0].photo.image] * 2)
    assert first is second
