"""The pieces of a loaded checkpoint that the families work on; knows nothing of prompts or concepts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True, eq=False)
class Parts:
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

    @property
    def config(self) -> Any:
        """The model's configuration."""
        return self.model.config
