"""Lays photos and concepts over embeddings and logits; never touches a base row and knows no tokenizer.

The embeddings of a bank are laid over the output of the frozen embedding layer and beside the output of the
frozen head. No matrix of the model is resized or copied, so gradients reach them and nothing else (past
MC-LLaVA section 3.2, whose code trains within the full matrices and restores them: 2.6 GB of gradients and
optimizer state for 348 thousand parameters of a model of 13B).
"""

from __future__ import annotations

import torch
from torch import Tensor

from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS
from photopal.vlm.protocol import ConceptEmbeddings, to_device


def overlay_photo(embeddings: Tensor, is_photo: Tensor, tokens: Tensor | None) -> Tensor:
    """Put a photo's projected tokens where they stand in a prompt.

    Args:
        embeddings: `[tokens, hidden]`, base embeddings.
        is_photo: bool `[tokens]` on the CPU: where the photo's tokens stand.
        tokens: `[image tokens, hidden]`, or None where no photo is given.

    Returns:
        `[tokens, hidden]`; the very same tensor when no photo is in the prompt.

    Raises:
        ValueError: The prompt has room for another number of tokens.
    """
    indices = torch.nonzero(is_photo).squeeze(-1)  # [image tokens]
    if indices.numel() == 0:
        return embeddings
    if tokens is None or tokens.shape[0] != indices.numel():
        given = "none" if tokens is None else str(tokens.shape[0])
        raise ValueError(f"the prompt has room for {indices.numel()} photo tokens, given: {given}")
    values = to_device(tokens, embeddings.device).to(embeddings.dtype)
    return embeddings.index_put((to_device(indices, embeddings.device),), values)


def concept_positions(ids: Tensor, vocab_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where concept tokens stand in a prompt.

    Args:
        ids: `[tokens]` model ids, on the CPU.
        vocab_size: Rows of the base vocabulary.

    Returns:
        Positions, slots and token numbers (0 the identifier, 1.. the soft tokens), each `[concept tokens]`.
    """
    positions = torch.nonzero(ids >= vocab_size).squeeze(-1)  # [concept tokens]
    offsets = ids[positions] - vocab_size
    # Model ids after the base vocabulary: SLOTS identifiers first, then SOFT_TOKENS for each slot in turn.
    is_name = offsets < SLOTS
    slots = torch.where(is_name, offsets, (offsets - SLOTS) // SOFT_TOKENS)
    numbers = torch.where(is_name, torch.zeros_like(offsets), (offsets - SLOTS) % SOFT_TOKENS + 1)
    return positions, slots, numbers


def overlay_concepts(
    embeddings: Tensor, ids: Tensor, concepts: ConceptEmbeddings | None, *, vocab_size: int
) -> Tensor:
    """Put the concepts' input embeddings where their ids stand.

    Args:
        embeddings: `[tokens, hidden]`, base embeddings; what stands at concept positions is replaced.
        ids: `[tokens]` model ids, on the CPU.
        concepts: The concepts, differentiable.
        vocab_size: Rows of the base vocabulary.

    Returns:
        `[tokens, hidden]`; the very same tensor when no concept is in the prompt.

    Raises:
        ValueError: A placeholder stands for a slot or a soft token that the concepts do not have.
    """
    positions, slots, numbers = concept_positions(ids, vocab_size)
    if positions.numel() == 0:
        # Not even a copy: without concepts the base logits are bit-identical to the plain model's.
        return embeddings
    if concepts is None:
        raise ValueError("the prompt holds concept placeholders but no concepts are given")
    if int(slots.max()) >= len(concepts.names):
        raise ValueError(f"the prompt speaks of slot {int(slots.max())} of {len(concepts.names)} concepts")
    # Checked on the CPU, where ids and counts are: asking a GPU would make the host wait for it.
    counts = torch.tensor(concepts.soft_token_counts)
    if bool((numbers > counts[slots]).any()):
        raise ValueError("the prompt holds a soft token beyond those in use")
    device = embeddings.device
    at_slots, at_numbers = (to_device(index, concepts.inputs.device) for index in (slots, numbers))
    values = to_device(concepts.inputs[at_slots, at_numbers], device)  # [concept tokens, hidden]
    return embeddings.index_put((to_device(positions, device),), values.to(embeddings.dtype))


def append_name_logits(base_logits: Tensor, hidden: Tensor, concepts: ConceptEmbeddings | None) -> Tensor:
    """Put the logits of the concepts' identifiers after those of the base vocabulary.

    Args:
        base_logits: `[..., vocab]`, what the frozen head says.
        hidden: `[..., hidden]`, what it was asked.
        concepts: The concepts, differentiable.

    Returns:
        float32 `[..., vocab + slots]`, or `[..., vocab]` without concepts.
    """
    base_logits = base_logits.float()
    if concepts is None or not concepts.names:
        return base_logits
    # In float32 also where the model is not: a step of the optimizer is below what bfloat16 can tell apart.
    outputs = to_device(concepts.outputs, hidden.device).float()
    return torch.cat([base_logits, hidden.float() @ outputs.T], dim=-1)
