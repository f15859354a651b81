"""Qwen2-VL and Qwen2.5-VL: photos at their own aspect, three-axis positions; knows no prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from photopal.box import WHOLE_PHOTO
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.features import as_grid
from photopal.vlm.protocol import PhotoFeatures


@torch.no_grad()
def encode(checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
    """Encode photos at their own aspect.

    The tower's patches leave it in the order of its attention windows, and its merger joins 2 x 2 of them, so
    the merged grid serves as the raw one.

    Args:
        checkpoint: The checkpoint.
        images: Upright RGB photos; the longer side at most 200 times the shorter.

    Returns:
        One per photo, with `image_grid_thw` among the model inputs.
    """
    features = []
    for image in images:
        inputs = checkpoint.image_processor([image], return_tensors="pt")
        grid_thw = inputs["image_grid_thw"]  # [1, 3]
        outputs = checkpoint.model.get_image_features(
            pixel_values=inputs["pixel_values"].to(checkpoint.device, checkpoint.dtype),
            image_grid_thw=grid_thw.to(checkpoint.device),
            return_dict=True,
        )
        tokens = torch.cat(tuple(outputs.pooler_output), dim=0)  # [image_tokens, hidden]
        merge = checkpoint.config.vision_config.spatial_merge_size
        _, rows, cols = (int(size) for size in grid_thw[0])
        grid = (rows // merge, cols // merge)
        features.append(
            PhotoFeatures(
                tokens=tokens,
                token_grid=grid,
                patches=as_grid(tokens, grid),
                frame=WHOLE_PHOTO,
                model_inputs={"image_grid_thw": grid_thw},
            )
        )
    return features


def positions(checkpoint: Checkpoint, ids: Tensor, features: PhotoFeatures | None) -> Tensor:
    """Temporal, height and width positions of a prompt.

    Args:
        checkpoint: The checkpoint.
        ids: `[tokens]` model ids.
        features: The photo, if the prompt has one.

    Returns:
        `[3, tokens]` int64: all three count on through words; in the photo they follow its grid.
    """
    if features is None:
        return torch.arange(ids.shape[0], device=ids.device).expand(3, -1)
    counted: Tensor = checkpoint.model.model.get_rope_index(
        ids[None],
        mm_token_type_ids=(ids == checkpoint.image_token_id).int()[None],
        image_grid_thw=features.model_inputs["image_grid_thw"],
    )[0]  # [3, 1, tokens]
    return counted[:, 0]
