"""A loaded tiny model, whose answers mean nothing and whose arithmetic is real."""

from pathlib import Path

import pytest

from photopal.vlm import VisionModel, load_model


@pytest.fixture(scope="session")
def model(tiny_llava: Path) -> VisionModel:
    return load_model(tiny_llava, device="cpu")
