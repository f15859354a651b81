"""Copies from the host to the model's device without waiting for it; knows no model."""

from __future__ import annotations

import torch
from torch import Tensor


def placed(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to a device, if it is not there yet.

    A plain copy to a GPU makes the host wait until the GPU has done all that it was given before. This one is
    queued behind it. A copy to the host has to wait, and torch does not order queued ones on mps safely.
    """
    return tensor.to(device, non_blocking=device.type not in ("cpu", "mps"))
