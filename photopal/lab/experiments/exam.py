"""Asks a bank the questions of a scenario and keeps what each figure is made of; makes no figures."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from photopal.assistant.assistant import Assistant
from photopal.concepts import Bank
from photopal.concepts.localize import inside_photo, location_maps, map_scores, suppress_rivals
from photopal.lab.datasets.form import Dataset, DatasetPhoto, Kind, Scenario
from photopal.lab.experiments.form import Figures, Rows
from photopal.lab.runs.choices import choose, locate
from photopal.lab.runs.learning import Learned
from photopal.lab.runs.measures import MEASURES
from photopal.lab.runs.outcomes import Outcome
from photopal.lab.runs.photos import Shelf
from photopal.lab.runs.posing import Control, Examiner, Pose
from photopal.lab.runs.recognition import find_threshold, list_questions, recognise
from photopal.lab.runs.telling import caption
from photopal.vlm.protocol import PhotoFeatures

if TYPE_CHECKING:
    from photopal.lab.experiments.bench import Bench

Marks = Literal["marks", "no marks", "random marks", "sentence only"]
MARKS: tuple[Marks, ...] = ("marks", "no marks", "random marks", "sentence only")
STRANGERS = 4
"""Photos without any of a scenario's concepts that are captioned, too: no name is right there."""

DIGITS = 9
"""As many as a number of 32 bits has; with fewer, p(yes) near 1 would be the same for many questions."""


class MarkedExaminer(Examiner):
    """Puts questions with marks where they belong, with none, at random places, or in words only."""

    def __init__(self, shelf: Shelf, learned: Learned, bank: Bank, *, seed: int, marks: Marks) -> None:
        super().__init__(
            shelf, learned, bank, seed=seed, fault="marks at random" if marks == "random marks" else None
        )
        self._is_unmarked = marks == "sentence only"
        if marks == "no marks":
            self.assistant = Assistant(shelf.model, bank, learned.concepts, has_marks=False)

    def pose(
        self,
        path: object,
        names: Sequence[str],
        control: Control = "asked",
        *,
        has_marks: bool = True,
    ) -> Pose:
        """As `Examiner.pose`; for the sentence only, the photo itself stays without marks."""
        pose = super().pose(path, names, control, has_marks=has_marks)  # type: ignore[arg-type]
        if not self._is_unmarked or path is None:
            return pose
        return Pose(pose.names, pose.offered, pose.rows, self._plain(path))  # type: ignore[arg-type]


def examine(
    examiner: Examiner,
    dataset: Dataset,
    tasks: Sequence[str],
    *,
    seed: int,
    control: Control = "asked",
) -> Figures:
    """Run tasks with one bank.

    Args:
        examiner: Has the bank.
        dataset: What the scenario is of.
        tasks: recognition, places, grounding, choice or caption. Without a control captions are asked for
            twice: with all names offered, and with those that the product itself would offer.
        seed: Which negatives are asked for.
        control: What is taken away.

    Returns:
        For each figure of `MEASURES` its rows, named "task: figure".
    """
    scenario = examiner.learned.scenario
    told: Figures = {}
    for task in tasks:
        told |= rows_of(task, _outcomes(examiner, dataset, scenario, task, seed, control))
    return told


def before_and_after(
    bench: Bench, dataset: Dataset, learned: Learned, tasks: Sequence[str], *, seed: int
) -> dict[str, Figures]:
    """Run tasks with the rows as "registered", and as "tuned" jointly."""
    tuned, _ = bench.tune(learned, bench.lessons(dataset, learned, seed), bench.plan.tune(seed))
    return {
        how: examine(Examiner(bench.shelf, learned, bank, seed=seed), dataset, tasks, seed=seed)
        for how, bank in (("registered", learned.registered), ("tuned", tuned))
    }


def rows_of(task: str, outcomes: Sequence[Outcome]) -> Figures:
    """What the figures of a task are made of; those without a question are left out."""
    told = {}
    for measure in MEASURES:
        if measure.task == task and len(values := measure.values(outcomes)):
            told[f"{task}: {measure.name}"] = _kept(values.tolist())
    return told


def _kept(rows: Rows) -> Rows:
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in rows]


def _outcomes(
    examiner: Examiner, dataset: Dataset, scenario: Scenario, task: str, seed: int, control: Control
) -> Sequence[Outcome]:
    if task == "recognition":
        threshold = find_threshold(examiner, dataset, scenario, control)
        asked = list_questions(dataset, scenario, seed=seed)
        return recognise(examiner, asked, control, threshold=threshold)
    if task == "places":
        return locate(examiner, scenario.test_photos)
    if task == "caption":
        photos = [*photos_of(scenario), *strangers_of(dataset, scenario, seed)]
        told = caption(examiner, photos, control, has_offer=True)
        return told if control != "asked" else told + caption(examiner, photos, control, has_offer=False)
    return choose(examiner, [one for one in scenario.questions if one.task == task], control)


def strangers_of(dataset: Dataset, scenario: Scenario, seed: int) -> list[tuple[Kind, DatasetPhoto]]:
    """A few test photos that show no concept at all."""
    photos = list(dataset.negatives.test)
    rng = random.Random(f"captions {scenario.name} {seed}")
    return [("si_sq", photo) for photo in rng.sample(photos, min(len(photos), STRANGERS))]


def photos_of(scenario: Scenario) -> list[tuple[Kind, DatasetPhoto]]:
    """The test photos of a scenario, those of one concept first."""
    single: list[tuple[Kind, DatasetPhoto]] = [("si_sq", p) for c in scenario.concepts for p in c.test]
    return single + [("mi_sq", photo) for photo in scenario.multi]


def map_score(bank: Bank, concept_id: int, features: PhotoFeatures) -> float:
    """How far the map of a concept rises above its threshold, among all concepts of the bank."""
    ids = list(bank.concepts)
    maps = suppress_rivals(location_maps(features.patches, bank.directions(ids)))[: len(ids)]
    scores = map_scores(maps.masked_fill(~inside_photo(features), -1.0))
    return float(scores[ids.index(concept_id)]) - bank.concepts[concept_id].calibration.threshold
