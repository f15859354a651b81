"""What cells are computed on: the model, drawn scenes of every seed, ways to learn them; judges nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from photopal.concepts import Bank, RegisterOptions
from photopal.lab.datasets import load_dataset
from photopal.lab.datasets.drawn import write_drawn
from photopal.lab.datasets.form import Dataset, DatasetPhoto, Scenario
from photopal.lab.experiments.form import Cell
from photopal.lab.experiments.plan import Plan
from photopal.lab.runs.learning import (
    MOST_STRANGERS,
    Learned,
    LearnOptions,
    Region,
    learn,
    strangers_for,
    told_concepts,
    tuning_photos,
)
from photopal.lab.runs.photos import Shelf, remember
from photopal.tuning import TuneOptions, TuningConcept, TuningPhoto, TuningProgress, TuningReport, tune_bank
from photopal.vlm.protocol import PhotoFeatures, VisionModel


def draw_scenes(plan: Plan, folder: Path, seed: int) -> Path:
    """The scenes of a seed on disk, drawn where they are not there yet."""
    root = folder / f"scenes-{seed}"
    if not root.is_dir():
        part = folder / f"scenes-{seed}.{os.getpid()}.part"
        shutil.rmtree(part, ignore_errors=True)
        write_drawn(part, plan.drawn, seed=seed)
        part.rename(root)
    return root


class Bench:
    """Model, photos and plan; every photo is encoded once and shared by all arms of a cell.

    Args:
        model: The frozen model.
        plan: How much of everything.
        folder: Where the scenes are drawn.
    """

    def __init__(self, model: VisionModel, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.shelf = Shelf(remember(model))
        self.model = self.shelf.model
        self._folder = folder
        self.dataset: Callable[[int], Dataset] = lru_cache(maxsize=len(plan.seeds))(self._load)

    def _load(self, seed: int) -> Dataset:
        return load_dataset(draw_scenes(self.plan, self._folder, seed), seed=seed)

    def scenario(self, cell: Cell) -> tuple[Dataset, Scenario]:
        """The scenario of a cell, with the dataset it is of."""
        dataset = self.dataset(cell.seed)
        return dataset, dataset.scenarios[cell.place]

    def register(
        self,
        dataset: Dataset,
        scenario: Scenario,
        seed: int,
        *,
        region: Region = "mask",
        tokens: int = 16,
        initialization: str = "kmeans",
    ) -> Learned:
        """Register a scenario without training."""
        how = RegisterOptions(tokens=tokens, seed=seed, initialization=initialization)
        return learn(self.shelf, dataset, scenario, LearnOptions(None, how, region=region))

    def strangers(self, dataset: Dataset, scenario: Scenario, seed: int) -> list[DatasetPhoto]:
        """The training photos of nobody."""
        return strangers_for(dataset, scenario, seed)[:MOST_STRANGERS]

    def stranger_features(self, dataset: Dataset, scenario: Scenario, seed: int) -> list[PhotoFeatures]:
        """The same, encoded."""
        return self.shelf.features([photo.path for photo in self.strangers(dataset, scenario, seed)])

    def lessons(self, dataset: Dataset, learned: Learned, seed: int) -> list[TuningPhoto]:
        """What tuning learns from."""
        strangers = strangers_for(dataset, learned.scenario, seed)
        return tuning_photos(self.shelf, learned.registered, learned.scenario.concepts, strangers)

    def tune(
        self,
        learned: Learned,
        photos: Sequence[TuningPhoto],
        options: TuneOptions,
        *,
        concepts: dict[int, TuningConcept] | None = None,
        bank: Bank | None = None,
        on_progress: Callable[[TuningProgress], None] | None = None,
    ) -> tuple[Bank, TuningReport]:
        """Tune concepts of a scenario, all of them by default, together."""
        told = told_concepts(learned.concepts) if concepts is None else concepts
        start = learned.registered if bank is None else bank
        return tune_bank(self.model, start, told, photos, options, on_progress=on_progress)

    def with_bank(self, learned: Learned, bank: Bank) -> Learned:
        """What was learned, with another bank."""
        return replace(learned, tuned=bank)

    def forget(self) -> None:
        """Close the photos of a cell."""
        self.shelf.clear()
