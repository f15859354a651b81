"""Tiny random checkpoints of the model families, and drawn photos: made once a session, read from disk."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker a core: more threads each would only wait for one another. Before torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A script that runs the tests in the background has them ignore Ctrl-C, and every command that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Searching every photo of every test for faces would take minutes; tests of faces switch it on.
os.environ["PHOTOPAL_FACES"] = "off"

import numpy as np
from PIL import Image

from photopal.ingest.indexer import index_folders
from photopal.ingest.references import add_references, list_reference_files
from photopal.library import Library, migrations
from photopal.photos import Exif, Photo

_WORDS = (
    "Can you see the dog in this photo? Answer the question using a single word Yes or No. Anna is at the "
    "beach with Rex, her brown dog. Who is next to the cat? A person stands left of a red car; the sky is "
    "blue. What is this? user assistant system USER ASSISTANT User Assistant Mark Number located at not in "
    "it on and with of 0 1 2 3 4 5"
)

LLAVA_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}USER: "
    "{% elif message['role'] == 'assistant' %} ASSISTANT: {% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}{% endif %}"
    "{% if message['role'] == 'system' %} {% elif message['role'] == 'assistant' %}</s>{% endif %}"
    "{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)
SMOLVLM_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}"
    "{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def pytest_xdist_auto_num_workers() -> int:
    """One more worker than cores: a fifth of the time, tests wait for watches, for kills and for the disk."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True, scope="session")
def quick_new_libraries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new library gets its tables from one made before: a thousand tests make one, few look at how."""
    path = tmp_path_factory.mktemp("empty") / "library.db"
    with Library(path):
        pass
    empty = sqlite3.connect(path, check_same_thread=False)
    bring_up_to_date, steps = migrations.bring_up_to_date, migrations._STEPS

    def fill(connection: sqlite3.Connection, lock: Any) -> None:
        is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if is_new and migrations._STEPS is steps:
            with lock:
                empty.backup(connection)
        bring_up_to_date(connection, lock)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "bring_up_to_date", fill)
        yield
    empty.close()


def tiny_tokenizer(specials: list[str], *, eos: str, bos: str | None = None, **extra: Any) -> Any:
    """A tokenizer of few words; `extra` goes to transformers, for instance the names of special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        show_progress=False,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    plain.train_from_iterator([_WORDS] * 2, trainer)
    named = {"eos_token": eos, "pad_token": specials[0]} | ({"bos_token": bos} if bos else {})
    if not extra:
        extra["additional_special_tokens"] = [one for one in specials if one not in named.values()]
    return PreTrainedTokenizerFast(tokenizer_object=plain, **extra, **named)


def text_sizes(vocab_size: int) -> dict[str, Any]:
    """The settings of a tiny decoder."""
    return {
        "vocab_size": vocab_size,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "initializer_range": 0.3,
    }


def save_tiny(model: Any, folder: Path, tokenizer: Any, image_processor: Any, template: str) -> Path:
    """Save a model and what goes with it; returns the folder."""
    eos = tokenizer.eos_token_id
    model.generation_config.eos_token_id = eos
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.config.text_config.eos_token_id = eos
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    image_processor.save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


def build_llava(folder: Path, *, is_tied: bool = True, vocab_size: int = 448) -> Path:
    """Save a tiny random LLaVA; its embedding has more rows than its tokenizer has entries."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = tiny_tokenizer(["<pad>", "<s>", "</s>", "<image>"], eos="</s>", bos="<s>")
    image_id = tokenizer.convert_tokens_to_ids("<image>")
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, image_size=128,
            patch_size=16, projection_dim=32,
        ),
        text_config=LlamaConfig(**text_sizes(vocab_size), tie_word_embeddings=is_tied),
        image_token_index=image_id, vision_feature_layer=-1, vision_feature_select_strategy="default",
        tie_word_embeddings=is_tied, image_seq_length=64,
    )  # fmt: skip
    torch.manual_seed(1)
    model = LlavaForConditionalGeneration(config)
    sides = {"size": {"shortest_edge": 128}, "crop_size": {"height": 128, "width": 128}}
    image_processor = CLIPImageProcessorPil(**sides)
    LlavaProcessor(
        image_processor, tokenizer, patch_size=16, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=LLAVA_TEMPLATE,
    ).save_pretrained(folder)  # fmt: skip
    return save_tiny(model, folder, tokenizer, image_processor, LLAVA_TEMPLATE)


def build_smolvlm(folder: Path) -> Path:
    """Save a tiny random Idefics3, the kind of the first SmolVLM models."""
    import torch
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3Processor,
    )

    specials = ["<|endoftext|>", "<|im_start|>", "<end_of_utterance>"]
    specials += ["<fake_token_around_image>", "<global-img>", "<image>"]
    tokenizer = tiny_tokenizer(specials, eos="<end_of_utterance>", bos="<|im_start|>")
    config = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"), scale_factor=2, tie_word_embeddings=False,
        pad_token_id=0,
        vision_config={
            "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
            "image_size": 64, "patch_size": 8, "initializer_range": 0.3,
        },
        text_config={"model_type": "llama", "pad_token_id": 0, **text_sizes(432)},
    )  # fmt: skip
    torch.manual_seed(2)
    model = Idefics3ForConditionalGeneration(config)
    sides = {"size": {"longest_edge": 256}, "max_image_size": {"longest_edge": 64}}
    image_processor = Idefics3ImageProcessorPil(**sides)
    Idefics3Processor(
        image_processor, tokenizer, image_seq_len=16, chat_template=SMOLVLM_TEMPLATE
    ).save_pretrained(folder)
    return save_tiny(model, folder, tokenizer, image_processor, SMOLVLM_TEMPLATE)


def build_qwen(folder: Path) -> Path:
    """Save a tiny random Qwen2.5-VL, which counts positions on three axes."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil

    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    specials += ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = tiny_tokenizer(specials, eos="<|im_end|>")
    places = tokenizer.convert_tokens_to_ids(specials)
    config = Qwen2_5_VLConfig(
        image_token_id=places[5], video_token_id=places[6], vision_start_token_id=places[3],
        vision_end_token_id=places[4], tie_word_embeddings=False,
        vision_config={
            "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2, "patch_size": 14,
            "out_hidden_size": 32, "window_size": 56, "fullatt_block_indexes": [1], "initializer_range": 0.3,
        },
        text_config={
            **text_sizes(440), "bos_token_id": None, "pad_token_id": 0,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]},
        },
    )  # fmt: skip
    torch.manual_seed(3)
    model = Qwen2_5_VLForConditionalGeneration(config)
    image_processor = Qwen2VLImageProcessorPil(size={"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 24})
    settings = {"processor_class": "Qwen2_5_VLProcessor"}
    saved = save_tiny(model, folder, tokenizer, image_processor, QWEN_TEMPLATE)
    (folder / "processor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return saved


@pytest.fixture(scope="session")
def tiny_llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny LLaVA whose input and output rows are tied, as in the bundled model."""
    return build_llava(tmp_path_factory.mktemp("llava") / "tiny-llava")


@pytest.fixture(scope="session")
def tiny_llava_untied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny LLaVA whose output rows are its own."""
    return build_llava(tmp_path_factory.mktemp("llava") / "tiny-llava-untied", is_tied=False)


@pytest.fixture(scope="session")
def tiny_smolvlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Idefics3, the kind of SmolVLM."""
    return build_smolvlm(tmp_path_factory.mktemp("smolvlm") / "tiny-smolvlm")


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Qwen2.5-VL."""
    return build_qwen(tmp_path_factory.mktemp("qwen") / "tiny-qwen")


@pytest.fixture(scope="session")
def tiny_gemma3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Gemma 3."""
    return _tiny(tmp_path_factory, "tiny_gemma3")


@pytest.fixture(scope="session")
def tiny_llava_next(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny LLaVA-NeXT."""
    return _tiny(tmp_path_factory, "tiny_llava_next")


@pytest.fixture(scope="session")
def tiny_qwen3_vl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny thinking Qwen3-VL."""
    return _tiny(tmp_path_factory, "tiny_qwen3_vl")


@pytest.fixture(scope="session")
def tiny_qwen3_5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny Qwen3.5."""
    return _tiny(tmp_path_factory, "tiny_qwen3_5")


def _tiny(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    from tests.tiny_families import BUILDERS

    return BUILDERS[name](tmp_path_factory.mktemp(name) / name)


@dataclass(frozen=True)
class DrawnFamily:
    """Drawn photos of Anna and Ben, with masks, of strangers, and of both together."""

    photos: dict[str, list[Path]]
    masks: dict[str, Path]
    strangers: list[Path]
    both: Path
    folder: Path


@pytest.fixture(scope="session")
def drawn_family(tmp_path_factory: pytest.TempPathFactory) -> DrawnFamily:
    """Three photos of either, three of strangers; nobody may write to them."""
    from PIL import Image

    from photopal.lab.synthetic.drawing import draw_photo
    from photopal.lab.synthetic.identity import draw_identity
    from photopal.lab.synthetic.scene import plan_scene

    root = tmp_path_factory.mktemp("drawn")
    rng = random.Random(4)
    identities = {"Anna": draw_identity(rng), "Ben": draw_identity(rng)}
    for folder in ("strangers", *identities, *(f"masks/{name}" for name in identities)):
        (root / ("photos" if "/" not in folder else "") / folder).mkdir(parents=True)
    photos: dict[str, list[Path]] = {}
    for name, identity in identities.items():
        photos[name] = [root / "photos" / name / f"{name.lower()}{number}.png" for number in range(3)]
        for path in photos[name]:
            drawn = draw_photo(plan_scene([identity], rng))
            drawn.image.save(path)
            Image.fromarray(drawn.mask(0)).save(root / "masks" / name / f"{path.stem}_mask.png")
    strangers = [root / "photos" / "strangers" / f"stranger{number}.png" for number in range(3)]
    for path in strangers:
        draw_photo(plan_scene([], rng, bystanders=1)).image.save(path)
    both = root / "photos" / "both.png"
    draw_photo(plan_scene(list(identities.values()), rng)).image.save(both)
    return DrawnFamily(
        photos, {name: root / "masks" / name for name in identities}, strangers, both, root / "photos"
    )


@pytest.fixture
def each_epoch_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every epoch of tuning count as the best so far; random weights need not get better."""
    from photopal.tuning import trainer

    ranks = itertools.count(0, -1)  # the later validation is ranked first
    monkeypatch.setattr(trainer, "rank", lambda validation: next(ranks))


@pytest.fixture
def named_library(tmp_path: Path, drawn_family: DrawnFamily) -> Iterator[Library]:
    """An open library that knows Anna and Ben by their masked photos, and the strangers."""
    with Library(tmp_path / "named" / "library.db") as library:
        for name, paths in drawn_family.photos.items():
            files = list_reference_files(paths, masks=[drawn_family.masks[name]])
            add_references(library, name, files, about=f"the one called {name}" if name == "Anna" else None)
        index_folders(library, drawn_family.strangers)
        yield library


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "library.db") as library:
        yield library


@pytest.fixture
def make_photo(tmp_path):
    """Make a photo record without a file; what is not given is told by its number."""

    def make(number, *, path=None, width_px=400, height_px=300, **exif):
        return Photo(
            path=path or tmp_path / "photos" / f"{number}.jpg",
            content_hash=f"{number:032x}",
            size_bytes=1000 + number,
            mtime_ns=number,
            width_px=width_px,
            height_px=height_px,
            format="JPEG",
            exif=Exif(**exif),
            thumbnail=b"jpeg %d" % number,
        )

    return make


@pytest.fixture
def save_photo():
    """Write a small photo file, unlike any of another seed."""

    def save(path, seed=0, **options):
        path.parent.mkdir(parents=True, exist_ok=True)
        levels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(levels).save(path, **options)
        return path

    return save
