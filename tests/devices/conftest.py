"""The pretend accelerator, registered before any test runs, and models that answer in few words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.devices import pretend_device
from tests.devices.readme_path import Album

# Before any test: PyTorch starts its threads for gradients when the first gradient is asked for, one for each
# device that it knows then. For tensors of the CPU nothing changes.
REASON = pretend_device.why_not()
if REASON is None:
    pretend_device.register()


@pytest.fixture(scope="session")
def pretend() -> str:
    """The name of the pretend accelerator."""
    if REASON is not None:
        pytest.skip(REASON)
    return pretend_device.NAME


@pytest.fixture(scope="session")
def album(drawn_family) -> Album:
    """Anna with masks, Ben without, and photos of both and of others."""
    return Album.of(drawn_family)


@pytest.fixture(scope="session")
def brief(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model by its name; of a random one a copy that ends answers with one token in eight."""
    from photopal.config import bundled_model_path

    copies: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name == "bundled":
            return bundled_model_path()
        if name not in copies:
            copies[name] = tmp_path_factory.mktemp("brief") / name
            shutil.copytree(request.getfixturevalue(name), copies[name])
            path = copies[name] / "generation_config.json"
            config = json.loads(path.read_text(encoding="utf-8"))
            config["eos_token_id"] = [config["eos_token_id"], *range(16, 400, 8)]
            path.write_text(json.dumps(config), encoding="utf-8")
        return copies[name]

    return folder_of
