"""A plan so small that a tiny random model runs every experiment in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from photopal.lab.datasets.drawn_dataset import DrawnOptions
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.plan import Plan, Share
from photopal.vlm import load_model

NAMES = (
    "learned",
    "together",
    "starting",
    "tokens",
    "photos",
    "crowd",
    "ingredients",
    "order",
    "adding",
    "mistakes",
)
TINY = Plan(
    name="tiny",
    seeds=(0,),
    drawn=DrawnOptions(
        scenarios=2,
        lookalikes=1,
        train=3,
        test=1,
        multi=1,
        negatives=8,
        siblings=1,
        size_px=64,
        near_duplicates=1,
    ),
    epochs=1,
    variants=1,
    long_epochs=1,
    tokens=(1, 2),
    photos=(1, 3),
    crowd=(2, 4),
    crowd_photos=1,
    crowd_epochs=1,
    shares={name: Share(1, int(name in ("learned", "together")), 1000.0) for name in NAMES},
    margin_s=0.0,
)


@pytest.fixture(scope="session")
def tiny_plan() -> Plan:
    return TINY


@pytest.fixture(scope="session")
def tiny_context(tiny_llava: Path, tmp_path_factory: pytest.TempPathFactory) -> ExperimentContext:
    """A context with a tiny model and its drawn scenes."""
    return ExperimentContext(load_model(tiny_llava), TINY, tmp_path_factory.mktemp("context"))
