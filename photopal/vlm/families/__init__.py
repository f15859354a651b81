"""Chooses how a checkpoint encodes photos and counts positions; knows no weights.

A family is a handful of plain functions. Those named here are held to the plain transformers model by the
tests; any other model is compared with its own forward once, when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor

from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.families import generic, idefics, llava, qwen
from photopal.vlm.protocol import PhotoFeatures


@dataclass(frozen=True)
class Family:
    """What differs from one family of models to the next.

    Attributes:
        name: For messages.
        encode: Photos to features, whose `image_text` is how image tokens are laid out in a prompt.
        positions: Model ids `[tokens]` and features to `[tokens]` or `[3, tokens]` positions.
        is_proven: Whether tests hold it to the plain model; others are checked when loaded.
        needs_processor: Whether it asks the model's whole processor.
    """

    name: str
    encode: Callable[[Checkpoint, Sequence[Image.Image]], list[PhotoFeatures]]
    positions: Callable[[Checkpoint, Tensor, PhotoFeatures | None], Tensor]
    is_proven: bool
    needs_processor: bool = False


_LLAVA_TOWERS = ("clip_vision_model", "siglip_vision_model")


def family_of(config: Any) -> Family:
    """The family of a configuration.

    Args:
        config: A transformers model configuration.

    Returns:
        One of the proven families, or the general one.
    """
    kind = config.model_type
    tower = getattr(getattr(config, "vision_config", None), "model_type", None)
    if kind == "llava" and tower in _LLAVA_TOWERS:
        return Family("LLaVA", llava.encode, generic.positions, is_proven=True)
    if kind in ("idefics3", "smolvlm"):
        return Family("SmolVLM", idefics.encode, generic.positions, is_proven=True)
    if kind == "qwen2_5_vl":
        return Family("Qwen2.5-VL", qwen.encode, qwen.positions, is_proven=True)
    if kind == "qwen2_vl":
        return Family("Qwen2-VL", qwen.encode, qwen.positions, is_proven=False)
    return Family(kind, generic.encode, generic.positions, is_proven=False, needs_processor=True)
