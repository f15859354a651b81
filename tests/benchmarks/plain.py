"""A vision-language model as transformers alone is used: processor and generate for each photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image

MOST_WORDS = 96


class PlainModel:
    """Asks one question about one photo at a time."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor: Any = AutoProcessor.from_pretrained(folder, backend="pil")
        ends = self.model.generation_config.eos_token_id
        self.ends = frozenset(ends if isinstance(ends, list) else [ends])

    @torch.no_grad()
    def ask(self, path: Path, question: str) -> str:
        """Open a photo, encode it with the question, and answer greedily."""
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        content = [{"type": "image"}, {"type": "text", "text": question}]
        text = self.processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        tokenizer = self.processor.tokenizer
        has_start = bool(tokenizer.bos_token) and text.startswith(tokenizer.bos_token)
        inputs = self.processor(
            images=image, text=text, return_tensors="pt", add_special_tokens=not has_start
        )
        ids = self.model.generate(**inputs, do_sample=False, max_new_tokens=MOST_WORDS)
        answer = ids[0, inputs["input_ids"].shape[1] :].tolist()
        if answer and answer[-1] in self.ends:
            answer.pop()  # an end need not be a special token, which alone are left out below
        said: str = tokenizer.decode(answer, skip_special_tokens=True)
        return said.strip()
