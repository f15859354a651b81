"""Random models of the shape of LLaVA-1.5, made on the device: seconds for 7B, and no file of weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaProcessor,
)

from photopal.vlm.checkpoint import Checkpoint
from photopal.vlm.families import family_of
from photopal.vlm.model import LoadedModel
from tests.benchmarks.models import TEMPLATE, make_tokenizer


@dataclass(frozen=True)
class Shape:
    """The sizes of a model; hidden size, size between, layers and heads of its tower and of its decoder."""

    name: str
    side_px: int
    patch_px: int
    tower: tuple[int, int, int, int]
    decoder: tuple[int, int, int, int]
    vocabulary: int


LLAVA_7B = Shape("llava-1.5-7b", 336, 14, (1024, 4096, 24, 16), (4096, 11008, 32, 32), 32_000)
TINY = Shape("tiny-llava", 64, 8, (32, 64, 2, 2), (32, 64, 2, 2), 1000)


@dataclass(frozen=True)
class RandomModel:
    """A model with random weights, as photopal holds it and as transformers alone takes it."""

    loaded: LoadedModel
    plain: Any
    processor: Any


def make_model(shape: Shape, *, device: str, dtype: torch.dtype) -> RandomModel:
    """Make a model. One token in sixteen ends an answer, so that answers are about as long as real ones.

    Args:
        shape: Its sizes.
        device: Where to make it.
        dtype: The number format of its weights.
    """
    tokenizer, plain_tokenizer = make_tokenizer(shape.vocabulary), make_tokenizer(shape.vocabulary)
    config = _config(shape, image_token_id=tokenizer.convert_tokens_to_ids("<image>"))
    torch.manual_seed(1)
    with torch.device(device):
        model: Any = AutoModelForImageTextToText.from_config(config, dtype=dtype, attn_implementation="sdpa")
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(16, shape.vocabulary, 16)]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    square = {"height": shape.side_px, "width": shape.side_px}
    image_processor = CLIPImageProcessorPil(size={"shortest_edge": shape.side_px}, crop_size=square)
    parts = Checkpoint(
        model=model.requires_grad_(False).eval(),
        tokenizer=tokenizer,
        image_processor=image_processor,
        processor=None,
        chat_template=TEMPLATE,
        folder=Path("at-random") / shape.name,  # nowhere: like the id of a model on a hub
        image_token="<image>",
        image_token_id=config.image_token_id,
        device=torch.device(device),
        dtype=dtype,
    )
    processor = LlavaProcessor(
        image_processor,
        plain_tokenizer,
        patch_size=shape.patch_px,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )
    loaded = LoadedModel(parts, family_of(config), name=shape.name, fingerprint=f"{shape.name} at random")
    return RandomModel(loaded, model, processor)


def _config(shape: Shape, *, image_token_id: int) -> Any:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    tower, decoder = (dict(zip(names, sizes, strict=True)) for sizes in (shape.tower, shape.decoder))
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            **tower, image_size=shape.side_px, patch_size=shape.patch_px, projection_dim=shape.tower[0]
        ),
        text_config=LlamaConfig(
            **decoder,
            vocab_size=shape.vocabulary + 64,
            max_position_embeddings=4096,
            tie_word_embeddings=False,
        ),
        image_token_index=image_token_id,
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        image_seq_length=(shape.side_px // shape.patch_px) ** 2,
        tie_word_embeddings=False,
    )
