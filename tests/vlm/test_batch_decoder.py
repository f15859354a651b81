"""Many prompts answered together are answered as each alone."""

from __future__ import annotations

import random

import pytest
import torch

from photopal.assistant.captioner import NAME_BONUS
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.scene import plan_scene
from photopal.prompts import PromptConcept, build_prompt
from photopal.vlm import load_model
from photopal.vlm.batch_decoder import BatchDecoder, GenerationRequest, answer_batch, first_answer_shares
from photopal.vlm.protocol import ConceptEmbeddings
from tests.marks import slow

QUESTIONS = ("Who is here?", "What is <|name:0|> doing in this photo?", "Is <|name:1|> here? Yes or No.", "?")


@pytest.fixture(scope="module", params=["tiny_llava", "tiny_smolvlm", "tiny_qwen"])
def model(request):
    return load_model(request.getfixturevalue(request.param))


def photos(model, count):
    rng = random.Random(5)
    scenes = [plan_scene([draw_identity(rng)], rng) for _ in range(count)]
    return model.encode_photos([draw_photo(scene, size_px=64).image for scene in scenes])


def rows(model, seed, *, tokens=3, bonus=0.0):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(2, tokens + 1, model.hidden_size, generator=generator)
    outputs = torch.randn(2, model.hidden_size, generator=generator)
    return ConceptEmbeddings(inputs, outputs, ("Anna", "Ben"), (tokens, tokens - 1), bonus)


def prompts(model, *, bonus=0.0):
    """Four photos, two banks of different size, and a question without any concept."""
    noted = []
    for place, features in enumerate(photos(model, 4)):
        own = rows(model, place % 2, tokens=3 + place % 2, bonus=bonus)
        offered = [PromptConcept(count) for count in own.token_counts]
        for question in QUESTIONS:
            encoded = model.encode_prompt(build_prompt(question, offered), features)
            noted.append(GenerationRequest(encoded, features, own, 5 + place))
        plain = model.encode_prompt(build_prompt("Where is this?"), features)
        noted.append(GenerationRequest(plain, features, None, 6))
    return noted


def answers_alone(model, requests):
    return [
        model.generate(r.encoded, r.features, r.concepts, max_new_tokens=r.max_new_tokens) for r in requests
    ]


def count_tokens(monkeypatch) -> list[int]:
    """Get the tokens of each batch, when it is decoded."""
    held: list[int] = []
    decode = BatchDecoder.decode

    def counted(self):
        ids = decode(self)
        held.append(self.owners.numel())
        return ids

    monkeypatch.setattr(BatchDecoder, "decode", counted)
    return held


@pytest.mark.parametrize("bonus", [*slow(0.0), NAME_BONUS])
@pytest.mark.parametrize("at_once", [*slow(1, 64), 3])
def test_answers_side_by_side_are_those_of_each_prompt_alone(model, bonus, at_once):
    noted = prompts(model, bonus=bonus)
    alone = answers_alone(model, noted)
    counts = []
    assert answer_batch(model, noted, most_prompts=at_once, on_answers=counts.append) == alone
    assert sum(counts) == len(noted)
    assert len(set(alone)) > 4


def test_yes_beside_no_is_as_when_scored_alone(model):
    noted = prompts(model)
    together = first_answer_shares(model, noted, ("Yes", "No"))
    for share, n in zip(together, noted, strict=True):
        scores = model.score_answers(n.encoded, n.features, n.concepts, answers=("Yes", "No"))
        assert share == pytest.approx(float(torch.softmax(scores, dim=0)[0]), abs=1e-4)


def test_a_family_without_common_prefixes_is_answered_one_by_one(tiny_llava, monkeypatch):
    model = load_model(tiny_llava)
    monkeypatch.setattr(model, "supports_prefix", False)
    asked = prompts(model)[:6]
    alone = answers_alone(model, asked)
    assert answer_batch(model, asked) == alone


def test_long_prompts_stand_in_smaller_batches(tiny_llava, monkeypatch):
    from photopal.vlm import batch_decoder as batch

    model = load_model(tiny_llava)
    asked = prompts(model)
    together = answer_batch(model, asked)
    longest = max(len(one.encoded.ids) + one.max_new_tokens for one in asked)
    monkeypatch.setattr(batch, "MOST_TOKENS", 3 * longest)
    held = count_tokens(monkeypatch)
    counts = []
    assert answer_batch(model, asked, on_answers=counts.append) == together
    assert sum(counts) == len(asked)
    assert len(held) > 1
    assert max(held) <= 3 * longest


def test_questions_about_one_photo_share_its_keys(tiny_llava, monkeypatch):
    model = load_model(tiny_llava)
    asked = [one for one in prompts(model) if one.concepts is not None][:4] * 5
    held = count_tokens(monkeypatch)
    answer_batch(model, asked)
    apart = sum(len(one.encoded.ids) for one in asked)
    assert sum(held) < apart
