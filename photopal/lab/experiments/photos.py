"""How many photos a concept needs, and what tuning adds to training-free registration with each number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.lab.datasets.form import DatasetConcept, Scenario
from photopal.lab.experiments.bench import Bench
from photopal.lab.experiments.estimates import estimate
from photopal.lab.experiments.exam import before_and_after
from photopal.lab.experiments.form import Cell, Experiment, Figures, Plot, Results, Section
from photopal.lab.experiments.tables import compare, differences, line, shown

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "photos"
WEIGHTED = "recognition: weighted"
FIGURES = (
    WEIGHTED,
    "recognition: weighted, more negatives, own threshold",
    "recognition: AUROC of p(yes)",
    "recognition: AUROC of the maps",
    "places: peak within the mask",
)


def with_fewer(scenario: Scenario, count: int) -> Scenario:
    """The scenario with so many photos a concept; of three or more a fifth, at least one, validates."""
    return replace(scenario, concepts=tuple(_fewer(concept, count) for concept in scenario.concepts))


def _fewer(concept: DatasetConcept, count: int) -> DatasetConcept:
    held = min(len(concept.validation), max(1, round(count / 5)) if count >= 3 else 0)
    return replace(concept, train=concept.train[: count - held], validation=concept.validation[:held])


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register and tune one scenario with every number of photos."""
    dataset, scenario = bench.scenario(cell)
    arms: dict[str, Figures] = {}
    for count in bench.plan.photos:
        learned = bench.register(dataset, with_fewer(scenario, count), cell.seed)
        found = before_and_after(bench, dataset, learned, ("recognition", "places"), seed=cell.seed)
        arms |= {f"{how} {count}": figures for how, figures in found.items()}
    return arms, {}


def tell(results: Results, plan: Plan) -> Section:
    """Training-free beside tuned for every number, and a curve."""
    cells = list(results[NAME])
    ways = {"registered": "registered", "tuned": "tuned"}
    arms = {f"{how} {n}": f"{n} photo{'s' * (n > 1)}, {how}" for n in plan.photos for how in ways}
    tables = (
        compare("Photos a concept", cells, arms, FIGURES),
        differences(
            "What tuning adds, paired",
            cells,
            [(f"tuned {n}", f"registered {n}") for n in plan.photos],
            FIGURES[:3],
        ),
    )
    lines = tuple(
        line(how, {float(n): estimate(cells, f"{how} {n}", WEIGHTED) for n in plan.photos}) for how in ways
    )
    plot = Plot("photos", "Photos a concept", "photos", "recognition, weighted", lines)
    listed = ", ".join(map(str, plan.photos))
    last = estimate(cells, f"tuned {plan.photos[-1]}", WEIGHTED)
    verdict = shown(f"photos = {listed}: weighted recognition at the last", last, NAME, "curve shown")
    about = (
        "One photo in five is held out for thresholds and for the choice among passes; with fewer than three "
        "photos none is, and p = 0.5 decides."
    )
    return Section("How many photos; training-free against tuned", about, tables, (plot,), (verdict,))


EXPERIMENT = Experiment(NAME, run, tell)
