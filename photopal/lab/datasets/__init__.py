"""Datasets of personalized questions in one form, read from the layouts of the papers; runs no model."""

from __future__ import annotations

import shlex
from pathlib import Path

from photopal.config import expand_home
from photopal.errors import DatasetError
from photopal.files import is_file, is_folder
from photopal.lab.datasets.concept_folders import load_myvlm, load_yollava
from photopal.lab.datasets.mc_llava import load_mc_llava
from photopal.lab.datasets.scenario import (
    ConceptRegion,
    Dataset,
    DatasetConcept,
    DatasetPhoto,
    Question,
    Scenario,
)

__all__ = [
    "ConceptRegion",
    "Dataset",
    "DatasetConcept",
    "DatasetPhoto",
    "Question",
    "Scenario",
    "load_dataset",
]

VALIDATION_SHARE = 0.2


def load_dataset(root: Path, *, seed: int = 0, validation_share: float = VALIDATION_SHARE) -> Dataset:
    """Read a dataset in the layout of MC-LLaVA, Yo'LLaVA or MyVLM.

    Args:
        root: Its folder.
        seed: Chooses which training photos are held out for validation.
        validation_share: How many, at least one of three or more.

    Raises:
        DatasetError: The folder is in none of the layouts, or a file in it is missing or malformed.
    """
    root = expand_home(root).absolute()
    if is_file(root):
        raise DatasetError(f"{root}: is not a folder")
    if not is_folder(root):
        raise DatasetError(
            f"{root}: the folder is missing", hint=f"photopal eval make drawn {shlex.quote(str(root))}"
        )
    if (root / "scenarios.json").exists() or (root / "concept_type.json").exists():
        return load_mc_llava(root, validation_share=validation_share, seed=seed)
    if any((base / "train").is_dir() and (base / "test").is_dir() for base in (root, root / "yollava-data")):
        return load_yollava(root, validation_share=validation_share, seed=seed)
    if any(root.glob("*/captions.json")):
        return load_myvlm(root, validation_share=validation_share, seed=seed)
    raise DatasetError(
        f"{root}: no dataset: neither scenarios.json, nor train and test, nor captions.json in its folders",
        hint="docs/evaluation.md describes the three layouts; `photopal eval make drawn DIR` writes one.",
    )
