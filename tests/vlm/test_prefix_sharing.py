"""Questions packed behind one prefix give what separate questions give."""

import pytest
import torch

from photopal.vlm import ChatPrompt, name_placeholder
from photopal.vlm.kv_cache import fits_batch

KINDS = ("tiny_llava", "tiny_smolvlm", "tiny_qwen")
QUESTIONS = (
    f"{name_placeholder(0)} is a dog. Can you see {name_placeholder(0)}?",
    "What is this?",
    f"Who is next to {name_placeholder(1)}? {name_placeholder(1)} is red.",
)


def encode_all(model, features):
    return [model.encode_prompt(ChatPrompt(text), features, answer="Yes") for text in QUESTIONS]


@pytest.fixture(params=[4096, 0], ids=["side by side", "behind a mask"])
def layout(request, monkeypatch):
    """Both ways to run many questions at once, whatever their number."""
    monkeypatch.setattr("photopal.vlm.kv_cache._MOST_COPIED_TOKENS", request.param)
    monkeypatch.setattr("photopal.vlm.kv_cache._MOST_PADDING", 9)


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_packed_questions_equal_separate_ones(loaded, picture, tools):
    rows = tools.rows(loaded)
    features = loaded.encode_photos([picture])[0]
    prompts = encode_all(loaded, features)
    prefix = loaded.encode_prefix(prompts[0], features)
    assert loaded.supports_prefix
    assert all(prefix.is_prefix_of(prompt) for prompt in prompts)
    suffixes = [loaded.embed_prompt(prompt, features, rows)[len(prefix) :] for prompt in prompts]
    for _ in range(2):
        packed = loaded.forward_packed(prefix, suffixes)
        for prompt, hidden in zip(prompts, packed, strict=True):
            alone = loaded.forward(
                loaded.embed_prompt(prompt, features, rows)[None], positions=prompt.positions.unsqueeze(-2)
            )[0, len(prefix) :]
            torch.testing.assert_close(hidden, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_packed_questions_have_the_gradients_of_separate_ones(loaded, picture, tools):
    features = loaded.encode_photos([picture])[0]
    prompts = encode_all(loaded, features)
    prefix = loaded.encode_prefix(prompts[0], features)
    gradients = []
    for is_packed in (True, False):
        rows = tools.rows(loaded)
        embedded = [loaded.embed_prompt(prompt, features, rows) for prompt in prompts]
        if is_packed:
            hidden = loaded.forward_packed(prefix, [one[len(prefix) :] for one in embedded])
        else:
            hidden = [
                loaded.forward(one[None], positions=prompt.positions.unsqueeze(-2))[0]
                for prompt, one in zip(prompts, embedded, strict=True)
            ]
        loss = sum(
            torch.nn.functional.cross_entropy(
                loaded.logits(one[prompt.answer_start - 1 - prompt.ids.shape[0] : -1], rows),
                prompt.ids[prompt.answer_start :],
                reduction="sum",
            )
            for prompt, one in zip(prompts, hidden, strict=True)
        )
        loss.backward()
        gradients.append((rows.inputs.grad, rows.outputs.grad))
    for packed, separate in zip(*gradients, strict=True):
        torch.testing.assert_close(packed, separate, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_answers_with_a_prefix_are_those_without(loaded, picture, tools):
    rows = tools.rows(loaded)
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(ChatPrompt(QUESTIONS[0]), features)
    prefix = loaded.encode_prefix(encoded, features)
    whole = loaded.generate(encoded, features, rows, max_new_tokens=8)
    assert loaded.generate(encoded, features, rows, max_new_tokens=8, prefix=prefix) == whole
    scores = loaded.score_answers(encoded, features, rows, answers=["Yes", "No"])
    again = loaded.score_answers(encoded, features, rows, answers=["Yes", "No"], prefix=prefix)
    torch.testing.assert_close(again, scores, atol=1e-5, rtol=1e-5)


def test_a_prefix_with_concepts_holds_for_the_rows_it_was_made_with(llava, picture, tools):
    rows = tools.rows(llava)
    features = llava.encode_photos([picture])[0]
    encoded = llava.encode_prompt(ChatPrompt("Who?", system=f"{name_placeholder(0)} is red."), features)
    prefix = llava.encode_prefix(encoded, features, rows)
    assert len(prefix) == encoded.image_end
    whole = llava.generate(encoded, features, rows, max_new_tokens=6)
    assert llava.generate(encoded, features, rows, max_new_tokens=6, prefix=prefix) == whole


def test_a_prefix_carries_no_gradients(llava, picture):
    features = llava.encode_photos([picture])[0]
    encoded = llava.encode_prompt(ChatPrompt("What is this?"), features)
    prefix = llava.encode_prefix(encoded, features)
    tensors = [tensor for layer in prefix.past.layers for tensor in (layer.keys, layer.values)]
    assert all(tensor.shape[-2] == len(prefix) and not tensor.requires_grad for tensor in tensors)


def test_a_prefix_of_another_prompt_is_refused(llava, picture):
    features = llava.encode_photos([picture])[0]
    told = llava.encode_prompt(ChatPrompt("What is this?", system="Hello."), features)
    other = llava.encode_prompt(ChatPrompt("What is this?"), features)
    prefix = llava.encode_prefix(told, features)
    with pytest.raises(ValueError, match="does not begin"):
        llava.generate(other, features, prefix=prefix)
    words = llava.encode_prompt(ChatPrompt("What is this?", has_image=False))
    with pytest.raises(ValueError, match="prefix of 0 tokens"):
        llava.encode_prefix(words)


def test_no_questions_take_no_call(llava, picture):
    features = llava.encode_photos([picture])[0]
    prefix = llava.encode_prefix(llava.encode_prompt(ChatPrompt("What?"), features), features)
    assert llava.forward_packed(prefix, []) == []


def test_long_prefixes_and_uneven_questions_stand_behind_a_mask():
    assert fits_batch(64, [30, 34, 31])
    assert not fits_batch(2000, [30, 34, 31])
    assert not fits_batch(64, [10, 10, 10, 200])
