"""Rows laid over the frozen model do what resized matrices do, and gradients reach nothing else."""

import copy

import pytest
import torch

from photopal.vlm import (
    SLOTS,
    SOFT_TOKENS,
    ChatPrompt,
    ConceptEmbeddings,
    name_placeholder,
    token_placeholder,
)
from photopal.vlm.placeholders import all_placeholders

KINDS = ("tiny_llava", "tiny_llava_untied", "tiny_smolvlm", "tiny_qwen")
SENTENCES = "".join(
    f"{name_placeholder(slot)} is {''.join(token_placeholder(slot, index) for index in range(3))}. "
    for slot in range(2)
)
PROMPT = ChatPrompt(f"{SENTENCES}Can you see {name_placeholder(0)} in this photo?")


def resized(plain, model, rows):
    """The way of the paper: matrices with rows for every placeholder, the head its own."""
    grown = copy.deepcopy(plain.model)
    extra = torch.zeros(len(all_placeholders()), model.hidden_size)
    slots, rows_per_slot, _ = rows.inputs.shape
    extra[:slots] = rows.inputs[:, 0].detach()
    for slot in range(slots):
        start = SLOTS + SOFT_TOKENS * slot
        extra[start : start + rows_per_slot - 1] = rows.inputs[slot, 1:].detach()
    embedding = torch.cat([model.input_embeddings, extra])
    head = torch.cat([model.output_embeddings, rows.outputs.detach()])
    grown.get_input_embeddings().weight = torch.nn.Parameter(embedding)
    grown.get_output_embeddings().weight = torch.nn.Parameter(head)
    return grown


@pytest.mark.parametrize(("loaded", "plain"), [(kind, kind) for kind in KINDS], indirect=True)
def test_rows_give_the_logits_of_resized_matrices(loaded, plain, picture, tools):
    rows = tools.rows(loaded)
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(PROMPT, features, answer=f"Yes, {name_placeholder(1)} too.")
    inputs = plain.inputs("?", picture)
    inputs["input_ids"] = encoded.ids[None]
    inputs["attention_mask"] = torch.ones_like(encoded.ids)[None]
    if "mm_token_type_ids" in inputs:
        inputs["mm_token_type_ids"] = (encoded.ids == plain.model.config.image_token_id).int()[None]
    with torch.no_grad():
        expected = resized(plain, loaded, rows)(**inputs).logits
        embeddings = loaded.embed_prompt(encoded, features, rows)
        hidden = loaded.forward(embeddings[None], positions=encoded.positions.unsqueeze(-2))
        ours = loaded.logits(hidden, rows)
    assert ours.shape[-1] == loaded.vocab_size + 2
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("loaded", KINDS, indirect=True)
def test_gradients_reach_the_rows_and_nothing_else(loaded, picture, tools):
    rows = tools.rows(loaded)
    features = loaded.encode_photos([picture])[0]
    encoded = loaded.encode_prompt(PROMPT, features, answer=f"Yes, {name_placeholder(1)}.")
    hidden = loaded.forward(
        loaded.embed_prompt(encoded, features, rows)[None], positions=encoded.positions.unsqueeze(-2)
    )[0]
    start = encoded.answer_start
    logits = loaded.logits(hidden[start - 1 : -1], rows)
    torch.nn.functional.cross_entropy(logits, encoded.ids[start:]).backward()
    assert float(rows.inputs.grad.abs().amax(dim=-1).min()) > 0
    assert float(rows.outputs.grad.abs().amax(dim=-1).min()) > 0
    assert all(not weight.requires_grad for weight in (loaded.input_embeddings, loaded.output_embeddings))
    assert all(weight.grad is None for weight in loaded._checkpoint.model.parameters())


def test_a_prompt_without_concepts_keeps_its_very_embeddings(llava, picture, tools):
    features = llava.encode_photos([picture])[0]
    encoded = llava.encode_prompt(ChatPrompt("What is this?"), features)
    with_rows = llava.embed_prompt(encoded, features, tools.rows(llava))
    assert torch.equal(with_rows, llava.embed_prompt(encoded, features))


def test_base_logits_are_the_same_with_and_without_rows(llava, tools):
    hidden = torch.randn(5, llava.hidden_size, generator=torch.Generator().manual_seed(1))
    with_rows = llava.logits(hidden, tools.rows(llava))
    assert torch.equal(with_rows[:, : llava.vocab_size], llava.logits(hidden))


def test_concept_ids_are_never_base_rows(llava, picture):
    features = llava.encode_photos([picture])[0]
    encoded = llava.encode_prompt(ChatPrompt("".join(all_placeholders())), features)
    concepts = encoded.ids[encoded.ids >= llava.vocab_size]
    assert concepts.tolist() == [llava.vocab_size + order for order in range(SLOTS * (1 + SOFT_TOKENS))]


def test_padding_rows_of_the_embedding_read_as_nothing(llava):
    ids = torch.arange(llava.vocab_size - 5, llava.vocab_size)
    assert llava.decode(ids, ("Anna",)) == ""


def test_a_placeholder_without_its_rows_is_refused(llava, tools):
    rows = tools.rows(llava)
    alone = llava.encode_prompt(ChatPrompt(name_placeholder(0), has_image=False))
    with pytest.raises(ValueError, match="no concepts are given"):
        llava.embed_prompt(alone)
    beyond = llava.encode_prompt(ChatPrompt(name_placeholder(2), has_image=False))
    with pytest.raises(ValueError, match="slot 2"):
        llava.embed_prompt(beyond, None, rows)
    unused = llava.encode_prompt(ChatPrompt(token_placeholder(1, 3), has_image=False))
    with pytest.raises(ValueError, match="soft token"):
        llava.embed_prompt(unused, None, rows)


def test_rows_that_do_not_fit_together_are_refused():
    inputs, outputs = torch.zeros(2, 4, 8), torch.zeros(2, 8)
    with pytest.raises(ValueError, match="1 names"):
        ConceptEmbeddings(inputs, outputs, ("Anna",))
    with pytest.raises(ValueError, match="outputs"):
        ConceptEmbeddings(inputs, torch.zeros(2, 9), ("Anna", "Rex"))
    with pytest.raises(ValueError, match="token counts"):
        ConceptEmbeddings(inputs, outputs, ("Anna", "Rex"), (4, 1))
    assert ConceptEmbeddings(inputs, outputs, ("Anna", "Rex"), (2, 3)).soft_token_counts == (2, 3)
