"""Asks a model as anybody does who has transformers alone."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def ask():
    """Gives the answer of a model and its processor to a question about a photo."""

    def answer(plain, image, question):
        model, processor = plain
        chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
        text = processor.apply_chat_template(chat, add_generation_prompt=True)
        inputs = processor(images=image, text=text, return_tensors="pt")
        said = model.generate(**inputs)
        return processor.decode(said[0, inputs.input_ids.shape[1] :], skip_special_tokens=True).strip()

    return answer
