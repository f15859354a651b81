"""Makes the models and photos that the benchmarks run on; times nothing.

The bundled model is taken as it is. The other one has the shape of LLaVA-1.5 with random weights: a CLIP
tower at 336 pixels, 576 photo tokens, a vocabulary of 32,000 rows of its own at both ends; width and depth
are small enough for two cores. One id in sixteen ends an answer, so that answers are about as long as real
ones.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from photopal.vlm.load import DEFAULT_MODEL_FOLDER

MODELS = ("bundled", "llava")
VOCABULARY = 32_000
_SPECIALS = ["<pad>", "<s>", "</s>", "<image>"]
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}USER: "
    "{% elif message['role'] == 'assistant' %} ASSISTANT: {% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{% endif %}"
    "{% if message['role'] == 'system' %} {% elif message['role'] == 'assistant' %}</s>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


def model_folder(name: str, root: Path, *, is_small: bool = False) -> Path:
    """The folder of a model: the bundled one, or one built at random under `root`."""
    return (
        DEFAULT_MODEL_FOLDER if name == "bundled" else build_llava(root / "llava-shaped", is_small=is_small)
    )


def build_llava(folder: Path, *, is_small: bool = False) -> Path:
    """Save a random model of the shape of LLaVA-1.5; a small one for smoke tests has 64 photo tokens."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    side, patch, width, depth = (64, 8, 32, 2) if is_small else (336, 14, 512, 8)
    vocabulary = 1000 if is_small else VOCABULARY
    tokenizer = make_tokenizer(vocabulary)
    sizes = {"hidden_size": width, "intermediate_size": 3 * width, "num_hidden_layers": depth}
    tower = CLIPVisionConfig(
        **sizes,
        num_attention_heads=max(2, width // 64),
        image_size=side,
        patch_size=patch,
        projection_dim=width,
    )
    text = LlamaConfig(
        **sizes,
        vocab_size=vocabulary + 64,
        num_attention_heads=max(2, width // 64),
        max_position_embeddings=4096,
        initializer_range=0.1,
        tie_word_embeddings=False,
    )
    config = LlavaConfig(
        vision_config=tower,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
        vision_feature_select_strategy="default",
        image_seq_length=(side // patch) ** 2,
        tie_word_embeddings=False,
    )
    torch.manual_seed(1)
    model = LlavaForConditionalGeneration(config)
    ends = [tokenizer.eos_token_id, *range(16, vocabulary, 16)]
    model.generation_config.eos_token_id = ends
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    square = {"size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    processor = LlavaProcessor(
        CLIPImageProcessorPil(**square),
        tokenizer,
        patch_size=patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )
    processor.save_pretrained(folder)
    processor.image_processor.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    return folder


def make_tokenizer(vocabulary: int) -> Any:
    """A byte-level tokenizer that writes any text, filled up with words that only a model can say."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    words = "Can you see in this photo? Answer the question using a single word Yes or No. USER ASSISTANT is"
    trainer = trainers.BpeTrainer(
        vocab_size=400, show_progress=False, special_tokens=_SPECIALS, initial_alphabet=alphabet
    )
    plain.train_from_iterator([words] * 2, trainer)
    stored = json.loads(plain.to_str())
    entries = stored["model"]["vocab"]
    for id_ in range(len(entries), vocabulary):
        entries[f"Ġw{id_}"] = id_
    whole = Tokenizer.from_str(json.dumps(stored))
    return PreTrainedTokenizerFast(
        tokenizer_object=whole,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<image>"],
    )


def make_photos(folder: Path, count: int, *, side_px: int) -> list[Path]:
    """Write square drawn photos as JPEGs."""
    from photopal.lab.synthetic.drawing import draw_photo
    from photopal.lab.synthetic.identity import draw_identity
    from photopal.lab.synthetic.scene import plan_scene

    folder.mkdir(parents=True)
    rng = random.Random(7)
    paths = [folder / f"{number:04}.jpg" for number in range(count)]
    for path in paths:
        scene = plan_scene([draw_identity(rng)], rng)
        draw_photo(scene, size_px=160).image.resize((side_px, side_px)).save(path, quality=92)
    return paths
