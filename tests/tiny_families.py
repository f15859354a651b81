"""Tiny random models of further kinds, each with something that the others do not have."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from tests.conftest import QWEN_TEMPLATE, save_tiny, text_sizes, tiny_tokenizer

_GEMMA_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>"
    "{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<start_of_image>{% else %}"
    "{{ part['text'] | trim }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
_NEXT_TEMPLATE = (
    "{% for message in messages %}{{ '[INST] ' if message['role'] == 'user' else '' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>\n{% else %}"
    "{{ part['text'] }}{% endif %}{% endfor %}"
    "{{ ' [/INST]' if message['role'] == 'user' else '</s>' }}{% endfor %}"
)
_THINKING_TEMPLATE = QWEN_TEMPLATE.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
_QWEN_SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"]
_QWEN_SPECIALS += ["<|image_pad|>", "<|video_pad|>"]


def build_gemma3(folder: Path) -> Path:
    """Save a tiny Gemma 3: scaled embeddings, photo tokens that see each other, sliding windows."""
    named = {
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
        "image_token": "<image_soft_token>",
    }
    specials = ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>", *named.values()]
    tokenizer = tiny_tokenizer(specials, eos="<end_of_turn>", bos="<bos>", extra_special_tokens=named)
    places = tokenizer.convert_tokens_to_ids(list(named.values()))
    text = {**text_sizes(448), "head_dim": 8, "sliding_window": 32}
    text["layer_types"] = ["sliding_attention", "full_attention"]
    config = transformers.Gemma3Config(
        vision_config={
            "model_type": "siglip_vision_model", "hidden_size": 48, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 64, "patch_size": 8,
            "vision_use_head": False,
        },
        text_config={"model_type": "gemma3_text", **text, "query_pre_attn_scalar": 8},
        mm_tokens_per_image=16, boi_token_index=places[0], eoi_token_index=places[1],
        image_token_index=places[2],
    )  # fmt: skip
    torch.manual_seed(4)
    model = transformers.Gemma3ForConditionalGeneration(config)
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight, std=0.3)
    images = transformers.Gemma3ImageProcessorPil(size={"height": 64, "width": 64}, image_seq_length=16)
    transformers.Gemma3Processor(
        images, tokenizer, image_seq_length=16, chat_template=_GEMMA_TEMPLATE
    ).save_pretrained(folder)
    return save_tiny(model, folder, tokenizer, images, _GEMMA_TEMPLATE)


def build_llava_next(folder: Path) -> Path:
    """Save a tiny LLaVA-NeXT: an overview and tiles, with a token at the end of each row of them."""
    tokenizer = tiny_tokenizer(["<pad>", "<s>", "</s>", "<image>"], eos="</s>", bos="<s>")
    pinpoints = [[64, 128], [128, 64], [128, 128], [192, 64], [64, 192]]
    config = transformers.LlavaNextConfig(
        vision_config=transformers.CLIPVisionConfig(
            hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=64,
            patch_size=16, projection_dim=32,
        ),
        text_config=transformers.MistralConfig(**text_sizes(448), sliding_window=None),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"), image_grid_pinpoints=pinpoints,
        vision_feature_layer=-1,
    )  # fmt: skip
    torch.manual_seed(5)
    model = transformers.LlavaNextForConditionalGeneration(config)
    torch.nn.init.normal_(model.model.image_newline)
    side = {"height": 64, "width": 64}
    images = transformers.LlavaNextImageProcessorPil(
        size={"shortest_edge": 64}, crop_size=side, image_grid_pinpoints=pinpoints
    )
    transformers.LlavaNextProcessor(
        images, tokenizer, patch_size=16, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=_NEXT_TEMPLATE,
    ).save_pretrained(folder)  # fmt: skip
    return save_tiny(model, folder, tokenizer, images, _NEXT_TEMPLATE)


def _save_qwen(folder: Path, config: Any, *, template: str, processor: str, seed: int) -> Path:
    tokenizer = tiny_tokenizer(_QWEN_SPECIALS, eos="<|im_end|>")
    torch.manual_seed(seed)
    model = transformers.AutoModelForImageTextToText.from_config(config)
    sides = {"shortest_edge": 64 * 64, "longest_edge": 32 * 32 * 48}
    images = transformers.Qwen2VLImageProcessorPil(size=sides, patch_size=16)
    saved = save_tiny(model, folder, tokenizer, images, template)
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": processor}), encoding="utf-8"
    )
    return saved


def _qwen_config(kind: Any, *, vision: dict[str, Any], text: dict[str, Any]) -> Any:
    rope = {
        "rope_type": "default",
        "rope_theta": 10000.0,
        "mrope_section": [2, 1, 1],
        "mrope_interleaved": True,
    }
    return kind(
        vision_start_token_id=3, vision_end_token_id=4, image_token_id=5, video_token_id=6,
        vision_config={
            "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "patch_size": 16,
            "out_hidden_size": 32, "num_position_embeddings": 64, "initializer_range": 0.3, **vision,
        },
        text_config={**text_sizes(440), "head_dim": 8, "pad_token_id": 0, "rope_parameters": rope, **text},
    )  # fmt: skip


def build_qwen3_vl(folder: Path) -> Path:
    """Save a tiny thinking Qwen3-VL: photo features for several layers, and a processor for videos too."""
    config = _qwen_config(
        transformers.Qwen3VLConfig,
        vision={"depth": 3, "deepstack_visual_indexes": [0, 1]},
        text={"num_hidden_layers": 3},
    )
    return _save_qwen(folder, config, template=_THINKING_TEMPLATE, processor="Qwen3VLProcessor", seed=6)


def build_qwen3_5(folder: Path) -> Path:
    """Save a tiny Qwen3.5, most layers of which keep a state that is changed in place."""
    config = _qwen_config(
        transformers.Qwen3_5Config,
        vision={"depth": 2},
        text={
            "num_hidden_layers": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
            "linear_key_head_dim": 8, "linear_value_head_dim": 8,
        },
    )  # fmt: skip
    return _save_qwen(folder, config, template=QWEN_TEMPLATE, processor="Qwen3VLProcessor", seed=7)


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "tiny_gemma3": build_gemma3,
    "tiny_llava_next": build_llava_next,
    "tiny_qwen3_vl": build_qwen3_vl,
    "tiny_qwen3_5": build_qwen3_5,
}
