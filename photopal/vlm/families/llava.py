"""LLaVA with a CLIP or SigLIP tower: one square photo, one token per patch; knows no prompt."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from photopal.box import Box
from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.features import as_grid, pad_to_square, shrink_frame, square_grid
from photopal.vlm.protocol import PhotoFeatures

_PHOTOS_AT_ONCE = 16
_THREADS = 4


@torch.no_grad()
def encode(checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
    """Encode photos, each padded to a square in the processor's mean color.

    Args:
        checkpoint: The checkpoint.
        images: Upright RGB photos of any size.

    Returns:
        One per photo: projected tokens, and the tower's output at the model's feature layer without its CLS
        vector.
    """
    features: list[PhotoFeatures] = []
    for start in range(0, len(images), _PHOTOS_AT_ONCE):
        features += _encode_batch(checkpoint, images[start : start + _PHOTOS_AT_ONCE])
    return features


def _encode_batch(checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[PhotoFeatures]:
    processor = checkpoint.image_processor
    red, green, blue = (round(value * 255) for value in processor.image_mean)
    # The side in pixels that the processor brings a square to; None where it leaves squares as they are.
    size = processor.size
    edge = size.get("shortest_edge") or (size.get("height") if size.get("height") == size.get("width") else 0)
    side = int(edge) if processor.do_resize and edge else None

    def prepare(image: Image.Image) -> tuple[Tensor, Box]:
        square, frame = pad_to_square(image, (red, green, blue))
        # Shrunk here as the processor shrinks, which then finds nothing to do: it would first copy the whole
        # photo about as an array, which takes as long as decoding it.
        if side is not None:
            square = square.resize((side, side), processor.resample)
        return processor([square], return_tensors="pt")["pixel_values"], frame

    # Pillow lets other threads run while it resizes, which takes longer than a small tower.
    with ThreadPoolExecutor(min(len(images), _THREADS)) as threads:
        prepared = list(threads.map(prepare, images))
    pixels = torch.cat([square for square, _ in prepared])  # [photos, 3, side, side]
    pixels = pixels.to(checkpoint.device, checkpoint.dtype)
    outputs = checkpoint.model.get_image_features(pixel_values=pixels, return_dict=True)
    config = checkpoint.config
    layers = config.vision_feature_layer
    layer = layers if isinstance(layers, int) else layers[-1]
    states: Tensor = outputs.hidden_states[layer]
    has_cls = config.vision_config.model_type == "clip_vision_model"
    # [photos, patches, width], one copy for all photos
    patches = (states[:, 1:] if has_cls else states).cpu()
    kept_share = _kept_share(processor)
    return [
        PhotoFeatures(
            tokens=tokens,
            token_grid=square_grid(tokens.shape[0]),
            patches=as_grid(raw, square_grid(raw.shape[0])),
            frame=shrink_frame(frame, kept_share),
        )
        for tokens, raw, (_, frame) in zip(outputs.pooler_output, patches, prepared, strict=True)
    ]


def _kept_share(processor: Any) -> float:
    """The share of a square's side that is left after the processor's center crop."""
    size = processor.size
    edge = size.get("shortest_edge") or size.get("height")
    if not (processor.do_center_crop and processor.do_resize and edge):
        return 1.0
    return min(1.0, float(processor.crop_size["height"]) / float(edge))
