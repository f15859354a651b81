"""Scenes, and a plan so small that a tiny random model runs every experiment in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from photopal.lab.datasets import Dataset, load_dataset
from photopal.lab.datasets.drawn_dataset import DrawnOptions, write_drawn
from photopal.lab.experiments import (
    assistant_evaluation,
    bundled_model,
    many_concepts,
    tasks,
    unnamed_questions,
)
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.plan import Plan, Share
from photopal.vlm import load_model
from photopal.vlm.batch_decoder import GenerationRequest, answer_batch
from photopal.vlm.protocol import VisionModel

NAMES = (
    "claims",
    "joint",
    "initialization",
    "tokens",
    "photos",
    "many",
    "ablations",
    "order",
    "adding",
    "errors",
    "siblings",
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
    shares={name: Share(1, int(name == "joint"), 1000.0) for name in NAMES},
    margin_s=0.0,
)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two drawn scenarios, of two and of three concepts, with masks and photos of nobody."""
    folder = tmp_path_factory.mktemp("scenes") / "drawn"
    options = DrawnOptions(scenarios=2, train=3, test=1, multi=2, negatives=8, siblings=1, size_px=64)
    write_drawn(folder, options, seed=1)
    return load_dataset(folder)


@pytest.fixture(scope="session")
def store(tiny_llava: Path) -> PhotoStore:
    """Photos encoded by a tiny model, once for all tests."""
    return PhotoStore(remember(load_model(tiny_llava)))


@pytest.fixture(scope="module")
def short_answers() -> Iterator[None]:
    """A model of random weights never ends an answer by itself, and says no more by saying it at length."""

    def answer_briefly(model: VisionModel, requests: Sequence[GenerationRequest]) -> list[str]:
        return answer_batch(model, [replace(one, max_new_tokens=4) for one in requests])

    with pytest.MonkeyPatch.context() as patch:
        for module in (assistant_evaluation, many_concepts, tasks, unnamed_questions):
            patch.setattr(module, "answer_batch", answer_briefly)
        patch.setattr(bundled_model, "_TIMED_CAPTIONS", 1)
        yield


@pytest.fixture(scope="session")
def tiny_plan() -> Plan:
    return TINY


@pytest.fixture(scope="session")
def tiny_context(tiny_llava: Path, tmp_path_factory: pytest.TempPathFactory) -> ExperimentContext:
    """A context with a tiny model and its drawn scenes."""
    return ExperimentContext(load_model(tiny_llava), TINY, tmp_path_factory.mktemp("context"))
