"""What photopal-mini is made of: attention, tokenizer, image processor, chat template, LLaVA; no training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import (
    AttentionInterface,
    CLIPImageProcessorPil,
    CLIPVisionModel,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from photopal.lab.pretrain.groups import GRID, SIDE_PX, draw_group
from photopal.lab.pretrain.optimizers import has_fast_bfloat16
from photopal.lab.synthetic.conversation import converse
from photopal.lab.synthetic.dialogue.talk import Talk

LEAN = "photopal_lean"


def lean_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend without the casts of "eager" (its softmax is in float32) and without sdpa's slow backward.

    Args:
        module: Not used.
        query: [batch, heads, tokens, width].
        key: As query; heads are not shared.
        value: As query.
        attention_mask: Bool [batch, 1, tokens, tokens], True where a query sees a key; or None.
        scaling: Factor of the scores; 1/√width by default.

    Returns:
        [batch, tokens, heads, width], and no weights.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    dtype = torch.bfloat16 if has_fast_bfloat16(query.device) else torch.float32
    with torch.autocast(query.device.type, enabled=False):
        query, key, value = (query * scale).to(dtype), key.to(dtype), value.to(dtype)
        scores = query @ key.transpose(-1, -2)
        if attention_mask is not None:
            if attention_mask.dtype != torch.bool:
                raise TypeError("lean attention takes bool masks")
            bias = torch.zeros_like(attention_mask, dtype=scores.dtype).masked_fill_(~attention_mask, -1e4)
            scores = scores + bias
        return (scores.softmax(-1) @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(LEAN, lean_attention)


PATCH_PX = SIDE_PX // GRID
HIDDEN = 192
VOCABULARY = 1500
IMAGE, END, PAD = "<image>", "</s>", "<pad>"
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}\n"
    "{% elif message['role'] == 'user' %}USER: "
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% else %} ASSISTANT:{% for part in message['content'] %} {{ part['text'] }}{% endfor %}</s>{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


def sample_talk(seed: int, *, groups: int) -> Iterator[str]:
    """Write conversations about drawn photos, without names, for the tokenizer to learn from."""
    rng = random.Random(seed)
    for _ in range(groups):
        group = draw_group(rng, size_px=4 * GRID)
        for photo in group.photos:
            talk = Talk(photo.scene, (None,) * len(photo.scene.subjects), ("X",), (group.cast[0],))
            for exchange in converse(talk, rng, count=16):
                yield f" {exchange.question} ASSISTANT: {exchange.answer}"
    yield from (
        f" X is located at 'Mark Number {n}'. USER: ASSISTANT: X is not in this photo." for n in range(40)
    )


def train_tokenizer(seed: int, *, groups: int = 600) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer on talk about the drawn world."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, END, IMAGE],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sample_talk(seed, groups=groups), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[IMAGE],
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def build_model(tokenizer: PreTrainedTokenizerFast, tower: CLIPVisionModel) -> LlavaForConditionalGeneration:
    """Build the LLaVA with random decoder weights around a trained vision tower."""
    text = LlamaConfig(
        hidden_size=HIDDEN,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=3,
        num_key_value_heads=3,
        vocab_size=len(tokenizer),
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    config = LlavaConfig(
        vision_config=tower.config,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=GRID**2,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
    )
    model = LlavaForConditionalGeneration(config)
    own = model.model.vision_tower
    own.load_state_dict(tower.state_dict())
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, max_new_tokens=96
    )
    return model


def build_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Build the processor: squares of 160 px, pixels in -1…1."""
    side = {"height": SIDE_PX, "width": SIDE_PX}
    image_processor = CLIPImageProcessorPil(
        size=side,
        do_center_crop=False,
        crop_size=side,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
        do_convert_rgb=True,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return LlavaProcessor(
        image_processor=image_processor,
        tokenizer=tokenizer,
        patch_size=PATCH_PX,
        vision_feature_select_strategy="default",
        chat_template=CHAT_TEMPLATE,
        image_token=IMAGE,
        num_additional_image_tokens=1,
    )


def save_model(folder: Path, model: LlavaForConditionalGeneration, processor: LlavaProcessor) -> None:
    """Write the model as a folder that transformers loads: fp16 safetensors in shards of at most 15 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    half = LlavaForConditionalGeneration(model.config)
    half.load_state_dict(model.state_dict())
    half.generation_config = model.generation_config
    half.to(torch.float16).save_pretrained(folder, max_shard_size="15MB")
    processor.save_pretrained(folder)
