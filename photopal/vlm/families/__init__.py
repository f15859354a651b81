"""Chooses how a checkpoint encodes photos and counts positions; knows no weights.

Every model has one way that asks its own processor and its own forward. A family is no more than a quicker
way to encode its photos. Those that are proven are held to the plain transformers model by the tests; any
other is compared with its own forward when it is first loaded (see `verify`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from torch import Tensor

from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.families import generic, idefics, llava
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
        image_options: What its `encode` tells the image processor.
    """

    name: str
    encode: Callable[[Checkpoint, Sequence[Image.Image]], list[PhotoFeatures]]
    positions: Callable[[Checkpoint, Tensor, PhotoFeatures | None], Tensor]
    is_proven: bool
    needs_processor: bool = False
    image_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """How photos and words may go into a model beside its own forward, which all models have.

    Attributes:
        takes_embeddings: Whether its decoder, given a photo's tokens among the embeddings, says the same.
        extends_prefixes: Whether words, run behind what was computed of a prefix, say the same.
        shares_prefixes: Whether such words can be packed, each blind to the others.
        pools_lists: Whether its vision tower gives the tokens as a list, one tensor a photo.
    """

    takes_embeddings: bool = True
    extends_prefixes: bool = True
    shares_prefixes: bool = True
    pools_lists: bool = False


_LLAVA_TOWERS = ("clip_vision_model", "siglip_vision_model")
_PROVEN_DECODERS = ("llama", "qwen2")


def family_of(config: Any) -> Family:
    """The family of a configuration.

    Args:
        config: A transformers model configuration.

    Returns:
        One with a way of its own, or the general one.
    """
    kind = config.model_type
    tower, decoder = (
        getattr(getattr(config, part, None), "model_type", None) for part in ("vision_config", "text_config")
    )
    is_proven = decoder in _PROVEN_DECODERS
    if kind == "llava" and tower in _LLAVA_TOWERS:
        return Family("LLaVA", llava.encode, generic.positions, is_proven)
    if kind in ("idefics3", "smolvlm"):
        options = {"do_image_splitting": False}
        return Family("SmolVLM", idefics.encode, generic.positions, is_proven, image_options=options)
    if kind == "qwen2_5_vl":
        return Family("Qwen2.5-VL", generic.encode, generic.positions, is_proven=True, needs_processor=True)
    return Family(kind, generic.encode, generic.positions, is_proven=False, needs_processor=True)
