"""A checkpoint in its pieces; fingerprints its files, and reads no weight."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from photopal.vlm.causes import read_config, weight_files


@dataclass(eq=False)
class Checkpoint:
    """A frozen checkpoint in its pieces.

    Attributes:
        model: The transformers model.
        tokenizer: Its tokenizer, as loaded.
        image_processor: Its Pillow image processor.
        processor: Its whole processor, for families that need it asked.
        chat_template: The Jinja source of its chat template.
        folder: Where its files are.
        image_token: What the chat template writes for a photo.
        image_token_id: The id that stands once for each of its features.
        device: Where the weights are.
        dtype: Their number format.
        prompt_start: What its processor writes before a text that has it not, beside what the tokenizer does.
        longest_side_px: To what photos are shrunk beforehand, for fewer tokens; 0 for not at all.
        layouts: Where the tokens of photos lie, as far as that was found out; see `families.generic`.
    """

    model: Any
    tokenizer: Any
    image_processor: Any
    processor: Any
    chat_template: str
    folder: Path
    image_token: str
    image_token_id: int
    device: torch.device
    dtype: torch.dtype
    prompt_start: str = ""
    longest_side_px: int = 0
    layouts: dict[Any, Any] = field(default_factory=dict)

    @property
    def config(self) -> Any:
        """The model's configuration."""
        return self.model.config


def output_layer(model: Any) -> Any:
    """The layer that gives logits, which some models leave to the language model inside; None without any."""
    layer = model.get_output_embeddings()
    inner: Any = getattr(model, "language_model", None)
    return inner.get_output_embeddings() if layer is None and hasattr(inner, "lm_head") else layer


_WHOLE_BYTES = 256 * 2**20
_PIECE_BYTES = 2**20
_PIECES = 64
_VOLATILE_KEYS = ("transformers_version", "_name_or_path")
LARGE_BYTES = 1_000_000_000
"""Above this a model's format matters for the memory of a laptop."""


def is_large_half(folder: Path) -> bool:
    """Whether a checked folder holds weights of more than a gigabyte in a format of 16 bits."""
    paths = weight_files(folder)
    if sum(path.stat().st_size for path in paths) <= LARGE_BYTES:
        return False
    with safe_open(max(paths, key=lambda path: path.stat().st_size), framework="np") as weights:
        formats = [weights.get_slice(name).get_dtype() for name in weights.keys()]  # noqa: SIM118
    return formats.count("BF16") + formats.count("F16") > len(formats) / 2


def fingerprint_folder(folder: Path) -> str:
    """What a bank remembers of the model it was learned with.

    Files up to 256 MiB are read whole; of larger ones the size and 64 evenly spaced pieces of 1 MiB, so that
    a model of many gigabytes takes less than a second.

    Args:
        folder: A checked folder.

    Returns:
        32 hexadecimal digits, the same for every copy of configuration and weights.

    Raises:
        ModelError: The configuration is no JSON.
    """
    digest = hashlib.blake2b(digest_size=16)
    config = read_config(folder)
    stable = {key: value for key, value in config.items() if key not in _VOLATILE_KEYS}
    digest.update(json.dumps(stable, sort_keys=True).encode())
    for path in weight_files(folder):
        size_bytes = path.stat().st_size
        digest.update(path.name.encode() + size_bytes.to_bytes(8, "little"))
        with path.open("rb") as file:
            if size_bytes <= _WHOLE_BYTES:
                while piece := file.read(_PIECE_BYTES):
                    digest.update(piece)
                continue
            for number in range(_PIECES):
                file.seek(number * (size_bytes - _PIECE_BYTES) // (_PIECES - 1))
                digest.update(file.read(_PIECE_BYTES))
    return digest.hexdigest()


def fingerprint_processor(folder: Path) -> str:
    """Eight hexadecimal digits for how photos are prepared: models with the same weights may differ in that.

    It is no part of the model's fingerprint, or every bank would be lost with it.
    """
    digest = hashlib.blake2b(digest_size=4)
    for name in ("preprocessor_config.json", "processor_config.json"):
        with suppress(OSError):  # most models have only one of them
            digest.update(name.encode() + (folder / name).read_bytes())
    return digest.hexdigest()
