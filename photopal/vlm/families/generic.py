"""Any other model that takes its photo as plain embeddings; asks its own processor, knows no prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from photopal.box import WHOLE_PHOTO
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.features import as_grid, square_grid
from photopal.vlm.protocol import PhotoFeatures


@torch.no_grad()
def encode(checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
    """Encode photos by `get_image_features`.

    The raw grid of an unknown tower is not known, so the projected tokens serve for both grids.

    Args:
        checkpoint: The checkpoint.
        images: Upright RGB photos.

    Returns:
        One per photo; its frame is the whole photo.
    """
    features = []
    for image in images:
        inputs = checkpoint.image_processor([image], return_tensors="pt")
        tensors = {name: value for name, value in inputs.items() if isinstance(value, Tensor)}
        given = {
            name: value.to(checkpoint.device, checkpoint.dtype if value.is_floating_point() else None)
            for name, value in tensors.items()
        }
        outputs = checkpoint.model.get_image_features(**given, return_dict=True)
        pooled: Any = outputs.pooler_output
        tokens = pooled if isinstance(pooled, Tensor) else torch.cat(tuple(pooled), dim=0)
        tokens = tokens.reshape(-1, tokens.shape[-1])  # [image_tokens, hidden]
        grid = square_grid(tokens.shape[0])
        features.append(
            PhotoFeatures(
                tokens=tokens,
                token_grid=grid,
                patches=as_grid(tokens, grid),
                frame=WHOLE_PHOTO,
                model_inputs={name: value for name, value in tensors.items() if name != "pixel_values"},
                image_text=str(checkpoint.processor.replace_image_token(inputs, 0)),
            )
        )
    return features


def positions(checkpoint: Checkpoint, ids: Tensor, features: PhotoFeatures | None) -> Tensor:
    """One position per token, counted from 0.

    Args:
        checkpoint: The checkpoint; not asked.
        ids: `[tokens]` model ids.
        features: The photo; not asked.

    Returns:
        `[tokens]` int64.
    """
    return torch.arange(ids.shape[0], device=ids.device)
