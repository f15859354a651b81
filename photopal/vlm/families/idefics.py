"""Idefics3 and SmolVLM: one whole photo between fake tokens, image splitting off; knows no prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from photopal.box import WHOLE_PHOTO
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.features import as_grid, square_grid
from photopal.vlm.protocol import PhotoFeatures

_FAKE = "<fake_token_around_image>"
_GLOBAL = "<global-img>"


@torch.no_grad()
def encode(checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
    """Encode photos whole.

    The family squeezes a photo into a square, in its training too, so the grid covers the whole photo and
    nothing is padded or cropped.

    Args:
        checkpoint: The checkpoint.
        images: Upright RGB photos of any size.

    Returns:
        One per photo: tokens after pixel shuffle, and the finer grid of the tower's last output.
    """
    features = []
    for image in images:
        inputs = checkpoint.image_processor([[image]], do_image_splitting=False, return_tensors="pt")
        mask = inputs.get("pixel_attention_mask")
        outputs = checkpoint.model.get_image_features(
            pixel_values=inputs["pixel_values"].to(
                checkpoint.device, checkpoint.dtype
            ),  # [1, 1, 3, side, side]
            pixel_attention_mask=None if mask is None else mask.to(checkpoint.device),
            return_dict=True,
        )
        tokens = torch.cat(tuple(outputs.pooler_output), dim=0)  # [image_tokens, hidden]
        raw = outputs.last_hidden_state[0]  # [patches, width]
        features.append(
            PhotoFeatures(
                tokens=tokens,
                token_grid=square_grid(tokens.shape[0]),
                patches=as_grid(raw, square_grid(raw.shape[0])),
                frame=WHOLE_PHOTO,
                image_text=f"{_FAKE}{_GLOBAL}{checkpoint.image_token * tokens.shape[0]}{_FAKE}",
            )
        )
    return features
