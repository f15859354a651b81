"""Lays photos and concept rows over embeddings and logits; never touches a base row and knows no tokenizer.

The rows of a bank are laid over the output of the frozen embedding and beside the output of the frozen head.
No matrix of the model is resized or copied, so gradients reach the rows and nothing else (past MC-LLaVA
section 3.2, which trains within the full matrices and restores them).
"""

from __future__ import annotations

import torch
from torch import Tensor

from photopal.vlm.placeholders import SLOTS, SOFT_TOKENS
from photopal.vlm.placing import placed
from photopal.vlm.protocol import ConceptRows


def lay_photo(embeddings: Tensor, is_photo: Tensor, tokens: Tensor | None) -> Tensor:
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
    places = torch.nonzero(is_photo).squeeze(-1)  # [image tokens]
    if places.numel() == 0:
        return embeddings
    if tokens is None or tokens.shape[0] != places.numel():
        given = "none" if tokens is None else str(tokens.shape[0])
        raise ValueError(f"the prompt has room for {places.numel()} photo tokens, given: {given}")
    values = placed(tokens, embeddings.device).to(embeddings.dtype)
    return embeddings.index_put((placed(places, embeddings.device),), values)


def concept_places(ids: Tensor, vocab_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where concept tokens stand in a prompt.

    Args:
        ids: `[tokens]` model ids, on the CPU.
        vocab_size: Rows of the base vocabulary.

    Returns:
        Positions, slots and rows (0 the identifier, 1.. the soft tokens), each `[concept tokens]`.
    """
    positions = torch.nonzero(ids >= vocab_size).squeeze(-1)  # [concept tokens]
    offsets = ids[positions] - vocab_size
    is_name = offsets < SLOTS
    slots = torch.where(is_name, offsets, (offsets - SLOTS) // SOFT_TOKENS)
    rows = torch.where(is_name, torch.zeros_like(offsets), (offsets - SLOTS) % SOFT_TOKENS + 1)
    return positions, slots, rows


def lay_rows(embeddings: Tensor, ids: Tensor, rows: ConceptRows | None, *, vocab_size: int) -> Tensor:
    """Put the concepts' input rows where their ids stand.

    Args:
        embeddings: `[tokens, hidden]`, base embeddings; what stands at concept positions is replaced.
        ids: `[tokens]` model ids, on the CPU.
        rows: The concepts, differentiable.
        vocab_size: Rows of the base vocabulary.

    Returns:
        `[tokens, hidden]`; the very same tensor when no concept is in the prompt.

    Raises:
        ValueError: A placeholder stands for a slot or a soft token that the rows do not have.
    """
    positions, slots, indices = concept_places(ids, vocab_size)
    if positions.numel() == 0:
        return embeddings
    if rows is None:
        raise ValueError("the prompt holds concept placeholders but no concept rows are given")
    if int(slots.max()) >= len(rows.names):
        raise ValueError(f"the prompt speaks of slot {int(slots.max())} of {len(rows.names)} concepts")
    counts = torch.tensor(rows.soft_token_counts)
    if bool((indices > counts[slots]).any()):
        raise ValueError("the prompt holds a soft token beyond those in use")
    device = embeddings.device
    at_slots, at_rows = (placed(index, rows.inputs.device) for index in (slots, indices))
    values = placed(rows.inputs[at_slots, at_rows], device).to(embeddings.dtype)  # [concept tokens, hidden]
    return embeddings.index_put((placed(positions, device),), values)


def lay_outputs(base_logits: Tensor, hidden: Tensor, rows: ConceptRows | None) -> Tensor:
    """Put the concepts' identifier columns after the base vocabulary.

    Args:
        base_logits: `[..., vocab]`, what the frozen head says.
        hidden: `[..., hidden]`, what it was asked.
        rows: The concepts, differentiable.

    Returns:
        float32 `[..., vocab + slots]`, or `[..., vocab]` without rows.
    """
    base_logits = base_logits.float()
    if rows is None or not rows.names:
        return base_logits
    outputs = placed(rows.outputs, hidden.device).float()
    return torch.cat([base_logits, hidden.float() @ outputs.T], dim=-1)
