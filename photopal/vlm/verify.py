"""Holds a model of an untested family to its own forward, once, when it is loaded."""

from __future__ import annotations

import inspect

import torch
from PIL import Image
from torch import Tensor

from photopal.errors import ModelError
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.families import Family
from photopal.vlm.model import LoadedModel
from photopal.vlm.protocol import ChatPrompt

_TOLERANCE = 0.02
_TYPE_INPUTS = ("mm_token_type_ids", "token_type_ids")


@torch.no_grad()
def check_family(model: LoadedModel, parts: Checkpoint, family: Family) -> None:
    """Compare logits for one small picture with those of the plain transformers model.

    Args:
        model: The model as photopal runs it.
        parts: The same checkpoint.
        family: What was taken for its family.

    Raises:
        ModelError: They differ, or the model does not take a photo the way photopal gives it.
    """
    refusal = ModelError(
        f"{model.name}: models of type {family.name!r} are not supported",
        hint="Use a LLaVA, Idefics3, SmolVLM or Qwen2.5-VL model.",
    )
    picture = Image.linear_gradient("L").convert("RGB")
    try:
        features = model.encode_photos([picture])[0]
        encoded = model.encode_prompt(ChatPrompt("What is this?"), features)
        hidden = model.forward(
            model.embed_prompt(encoded, features)[None], positions=encoded.positions.unsqueeze(-2)
        )
        ours = model.logits(hidden)
        plain = _plain_logits(parts, encoded.ids, picture)
    except (ValueError, TypeError, KeyError, RuntimeError, AttributeError, IndexError) as error:
        raise refusal from error
    if ours.shape != plain.shape or float((ours - plain).abs().max()) > _TOLERANCE * float(plain.abs().max()):
        raise refusal


def _plain_logits(parts: Checkpoint, ids: Tensor, picture: Image.Image) -> Tensor:
    inputs = parts.image_processor([picture], return_tensors="pt")
    tensors = {
        name: value.to(parts.device, parts.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
        if isinstance(value, Tensor)
    }
    accepted = inspect.signature(parts.model.forward).parameters
    ids = ids.to(parts.device)
    is_image = (ids == parts.image_token_id).int()[None]
    tensors |= {name: is_image for name in _TYPE_INPUTS if name in accepted}
    outputs = parts.model(input_ids=ids[None], attention_mask=torch.ones_like(ids)[None], **tensors)
    logits: Tensor = outputs.logits
    return logits.float()
