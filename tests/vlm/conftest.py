"""Loaded tiny models, pictures, rows and the plain transformers model to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from photopal.vlm import ConceptEmbeddings, load_model
from photopal.vlm.model import LoadedModel
from tests.fake_hub import hub  # noqa: F401 - a fixture

KINDS = ("tiny_llava", "tiny_llava_untied", "tiny_smolvlm", "tiny_qwen")
NAMES = ("Anna Müller", "Rex")


@dataclass(frozen=True)
class Plain:
    """A checkpoint as transformers alone would use it."""

    model: Any
    tokenizer: Any
    image_processor: Any
    template: str

    def inputs(self, text: str, picture: Image.Image | None) -> dict[str, Any]:
        """What the model's own processor would make; Qwen's cannot be built without torchvision."""
        content = [{"type": "image"}] if picture else []
        messages = [{"role": "user", "content": [*content, {"type": "text", "text": text}]}]
        written = self.tokenizer.apply_chat_template(
            messages, chat_template=self.template, tokenize=False, add_generation_prompt=True
        )
        photo: dict[str, Any] = {}
        if picture:
            token, expanded, photo = self._photo(picture)
            written = written.replace(token, expanded)
        ids = self.tokenizer(written, return_tensors="pt", add_special_tokens=False)
        inputs = {"input_ids": ids["input_ids"], "attention_mask": ids["attention_mask"], **photo}
        if "image_grid_thw" in photo:
            is_image = ids["input_ids"] == self.model.config.image_token_id
            inputs["mm_token_type_ids"] = is_image.int()
        return inputs

    def _photo(self, picture: Image.Image) -> tuple[str, str, dict[str, Any]]:
        kind = self.model.config.model_type
        if kind == "idefics3":
            photo = self.image_processor([[picture]], do_image_splitting=False, return_tensors="pt")
            photo = {key: photo[key] for key in ("pixel_values", "pixel_attention_mask")}
            fake = "<fake_token_around_image>"
            return "<image>", f"{fake}<global-img>{'<image>' * 16}{fake}", photo
        photo = dict(self.image_processor([picture], return_tensors="pt"))
        if kind == "llava":
            return "<image>", "<image>" * 64, photo
        return "<|image_pad|>", "<|image_pad|>" * (int(photo["image_grid_thw"].prod()) // 4), photo


def load_plain(folder: Path) -> Plain:
    return Plain(
        model=AutoModelForImageTextToText.from_pretrained(folder).eval(),
        tokenizer=AutoTokenizer.from_pretrained(folder),
        image_processor=AutoImageProcessor.from_pretrained(folder, backend="pil"),
        template=(folder / "chat_template.jinja").read_text(encoding="utf-8"),
    )


@pytest.fixture(scope="session")
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    """The model of the folder fixture that the test is parametrised with."""
    return load_model(request.getfixturevalue(request.param), device="cpu")


@pytest.fixture(scope="session")
def plain(request: pytest.FixtureRequest) -> Plain:
    """The same checkpoint without photopal."""
    return load_plain(request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def llava(tiny_llava: Path) -> LoadedModel:
    return load_model(tiny_llava, device="cpu")


def draw_picture(width: int = 128, height: int = 128, seed: int = 5) -> Image.Image:
    generator = torch.Generator().manual_seed(seed)
    small = torch.randint(0, 256, (6, 7, 3), generator=generator, dtype=torch.uint8)
    return Image.fromarray(small.numpy()).resize((width, height), Image.Resampling.BICUBIC)


def draw_rows(model: LoadedModel, names: tuple[str, ...] = NAMES, soft_tokens: int = 3) -> ConceptEmbeddings:
    generator = torch.Generator().manual_seed(7)
    shape = (len(names), soft_tokens + 1, model.hidden_size)
    inputs = torch.randn(shape, generator=generator) * model.input_embeddings.std()
    outputs = torch.randn((len(names), model.hidden_size), generator=generator) * 0.3
    return ConceptEmbeddings(inputs=inputs.requires_grad_(), outputs=outputs.requires_grad_(), names=names)


@pytest.fixture
def picture() -> Image.Image:
    return draw_picture()


@pytest.fixture(scope="session")
def tools() -> Any:
    """The drawing functions and the kinds, for tests that cannot import a conftest."""

    class Tools:
        picture = staticmethod(draw_picture)
        rows = staticmethod(draw_rows)

    return Tools
