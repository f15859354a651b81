"""A prompt that waits for its answer, and what it has in common with others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch

from photopal.vision.placeholders import SLOTS
from photopal.vision.protocol import ConceptRows, EncodedPrompt, PhotoFeatures


@dataclass(frozen=True, eq=False)
class Asked:
    """A prompt that waits for its answer.

    Attributes:
        encoded: The prompt, without an answer.
        features: Its photo.
        rows: The concepts whose names may be said.
        max_new_tokens: Where the answer stops at the latest.
    """

    encoded: EncodedPrompt
    features: PhotoFeatures | None
    rows: ConceptRows | None
    max_new_tokens: int = 96


def shared_length(asked: Asked, vocab_size: int) -> int:
    """How many first ids a prompt shares with others about its photo: to the end of photo and soft tokens."""
    soft = torch.nonzero(asked.encoded.ids >= vocab_size + SLOTS)
    end = max(int(soft[-1]) + 1 if soft.numel() else 0, asked.encoded.image_end)
    return max(1, min(end, int(asked.encoded.ids.shape[0]) - 1))


def beginning_of(asked: Asked, vocab_size: int) -> tuple[int, int, bytes]:
    """Equal for prompts that share their beginning: photo, ids, and rows of concepts."""
    length = shared_length(asked, vocab_size)
    digest = hashlib.blake2b(asked.encoded.ids[:length].cpu().numpy().tobytes(), digest_size=16)
    if asked.rows is not None:
        for rows in (asked.rows.inputs, asked.rows.outputs):
            digest.update(rows.detach().cpu().numpy().tobytes())
    return length, id(asked.features), digest.digest()


__all__ = ["Asked", "beginning_of", "shared_length"]
