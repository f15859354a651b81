"""Attention for training on a CPU: scores stay in bfloat16 where that is fast; knows nothing of models."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from photopal.lab.pretrain.precision import has_fast_bfloat16

LEAN = "photopal_lean"


def lean_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend without the casts of "eager" (its softmax is in float32) and without sdpa's slow backward.

    Args:
        module: Not used.
        query: [batch, heads, tokens, width].
        key: As query; heads are not shared.
        value: As query.
        attention_mask: Bool [batch, 1, tokens, tokens], True where a query sees a key; or None.
        scaling: Factor of the scores; 1/√width by default.

    Returns:
        [batch, tokens, heads, width], and no weights.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    dtype = torch.bfloat16 if has_fast_bfloat16(query.device) else torch.float32
    with torch.autocast(query.device.type, enabled=False):
        query, key, value = (query * scale).to(dtype), key.to(dtype), value.to(dtype)
        scores = query @ key.transpose(-1, -2)
        if attention_mask is not None:
            if attention_mask.dtype != torch.bool:
                raise TypeError("lean attention takes bool masks")
            bias = torch.zeros_like(attention_mask, dtype=scores.dtype).masked_fill_(~attention_mask, -1e4)
            scores = scores + bias
        return (scores.softmax(-1) @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(LEAN, lean_attention)
