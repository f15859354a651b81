"""What lies on the CPU and what on the model's device, where both meet, and how often the host waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from PIL import Image

from photopal.concepts import Bank
from photopal.concepts.localize import find_recurring
from photopal.concepts.registration import FeatureStore, register_concepts
from photopal.prompts import PromptConcept, build_prompt
from photopal.tuning.dataset import gather_photos
from photopal.vlm import ConceptEmbeddings, load_model, name_placeholder
from photopal.vlm.batch_decoder import BatchDecoder, GenerationRequest, answer_batch
from tests.devices.pretend_device import count_waits
from tests.marks import slow

BATCHED = ("tiny_llava", "tiny_smolvlm", "tiny_qwen")
KINDS = (*BATCHED, *slow("tiny_gemma3", "tiny_qwen3_vl"))
WORDS = 24


@pytest.fixture(params=KINDS)
def model(request, pretend):
    """A model on the device."""
    return load_model(request.getfixturevalue(request.param), device=pretend, dtype="float32")


@pytest.fixture
def photos(drawn_family):
    return [Image.open(path).convert("RGB") for path in drawn_family.photos["Ben"]]


def some_rows(model, bonus=5.0):
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(2, 4, model.hidden_size, generator=generator)
    outputs = torch.randn(2, model.hidden_size, generator=generator)
    return ConceptEmbeddings(inputs, outputs, ("Anna", "Ben"), name_bonus=bonus)


def prompts(model, photos, question="What is <|name:0|> doing?"):
    """A question about each photo, with two names that may be said."""
    rows = some_rows(model)
    offered = [PromptConcept(count) for count in rows.soft_token_counts]
    asked = []
    for features in model.encode_photos(photos):
        encoded = model.encode_prompt(build_prompt(question, offered), features)
        asked.append(GenerationRequest(encoded, features, rows, WORDS))
    return asked


def test_a_subject_without_a_mask_is_found_on_any_device(model, photos):
    features = model.encode_photos(photos)
    found = find_recurring(features[:2], features[2:])
    assert [bool(cells.any()) for cells in found] == [True, True]
    assert {cells.device.type for cells in found} == {"cpu"}


@pytest.mark.slow
@pytest.mark.parametrize("model", ["tiny_llava"], indirect=True)
def test_photos_that_are_learned_from_take_no_memory_of_the_device(model, named_library):
    store = FeatureStore(model)
    bank = register_concepts(named_library, store, Bank(model.fingerprint, "")).bank
    read = gather_photos(named_library, store, bank)
    kept = [features for photo in read for features in (photo.features, photo.mirrored) if features]
    assert len(kept) > len(bank.concepts)
    assert {features.tokens.device.type for features in kept} == {"cpu"}


def test_patches_and_prompts_are_on_the_cpu_and_tokens_on_the_device(model, photos, pretend):
    features = model.encode_photos(photos[:1])[0]
    encoded = model.encode_prompt(build_prompt("Who is here?"), features, answer="Anna")
    on_the_cpu = [features.patches, *features.model_inputs.values(), encoded.ids, encoded.positions]
    assert {tensor.device.type for tensor in [*on_the_cpu, model.answer_ids("Yes")]} == {"cpu"}
    assert features.patches.dtype == torch.float32
    assert features.tokens.device.type == pretend
    assert model.embed_prompt(encoded, features).device.type == pretend


def test_a_model_with_one_layer_for_both_ends_has_one_on_the_device_too(model):
    is_tied = model.name in ("tiny-llava", "tiny_gemma3")
    assert (model.output_embeddings is model.input_embeddings) == is_tied


def test_the_host_waits_once_a_token(model, photos, monkeypatch):
    """Only which token was chosen is read; beginning costs a fixed number of waits more."""
    monkeypatch.setattr(model._coder, "_end_ids", frozenset())
    [asked] = prompts(model, photos[:1])
    counts = []
    for words in (1, WORDS):
        with count_waits() as waits:
            model.generate(asked.encoded, asked.features, asked.concepts, max_new_tokens=words)
        counts.append(waits.count)
    assert counts[1] - counts[0] == WORDS - 1, waits.lines


@pytest.mark.slow
@pytest.mark.parametrize("model", BATCHED, indirect=True)
@pytest.mark.parametrize("questions", [1, 2], ids=["a row for each prompt", "two prompts in a row"])
def test_the_host_waits_once_a_token_of_all_answers_together(model, photos, questions, monkeypatch):
    monkeypatch.setattr(model._coder, "_end_ids", frozenset())
    texts = ("What is <|name:0|> doing?", "Who is here, and who is not?")[:questions]
    each = [prompts(model, photos, text) for text in texts]
    counts = []
    for words in (1, WORDS):
        rows = [
            [replace(one, features=same[0].features, max_new_tokens=words) for one in same]
            for same in zip(*each, strict=True)
        ]
        with count_waits() as waits:
            BatchDecoder(model, rows).decode()
        counts.append(waits.count)
    assert counts[1] - counts[0] == WORDS - 1, waits.lines


@pytest.mark.slow
def test_answers_together_are_those_of_each_alone_on_a_device_too(model, photos):
    asked = [*prompts(model, photos), *prompts(model, photos, f"Is {name_placeholder(1)} here?")]
    asked = [replace(one, max_new_tokens=6) for one in asked]
    alone = [model.generate(one.encoded, one.features, one.concepts, max_new_tokens=6) for one in asked]
    assert answer_batch(model, asked) == alone
