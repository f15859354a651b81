"""An assistant of a tiny model that knows Anna and Ben; what it says means nothing."""

from pathlib import Path

import pytest

from photopal.assistant.assistant import Assistant
from photopal.concepts.registration import refresh_bank
from photopal.vlm import VisionModel, load_model


@pytest.fixture(scope="session")
def model(tiny_llava: Path) -> VisionModel:
    return load_model(tiny_llava, device="cpu")


@pytest.fixture
def assistant(named_library, model, tmp_path) -> Assistant:
    bank = refresh_bank(named_library, model, tmp_path / "bank").bank
    return Assistant(model, bank, named_library.concepts.all())
