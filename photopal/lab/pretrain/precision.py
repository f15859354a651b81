"""In which number format training computes; knows nothing of models."""

from __future__ import annotations

import torch


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is no slower than float32: on GPUs, and on CPUs from AVX-512 on.

    Elsewhere PyTorch emulates it: on a CPU with AVX2 a matrix product takes thirty times as long.
    """
    return device.type != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def autocast(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where that is fast."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))
