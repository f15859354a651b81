"""k-means against random rows to start tuning from: loss and accuracy over updates (MC-LLaVA, figure 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.evaluation.experiments.bench import Bench
from photopal.evaluation.experiments.estimates import Estimate, mean_of, number
from photopal.evaluation.experiments.exam import examine
from photopal.evaluation.experiments.form import (
    Cell,
    Experiment,
    Figures,
    Plot,
    Result,
    Results,
    Section,
    Table,
)
from photopal.evaluation.experiments.tables import at_least, compare, line, rests_on, shown
from photopal.evaluation.runs.posing import Examiner
from photopal.tuning import TuningProgress

if TYPE_CHECKING:
    from photopal.evaluation.experiments.plan import Plan

NAME = "starting"
STARTS = {"kmeans": "k-means", "random": "random rows"}
SHARE = 0.95
FIGURES = ("recognition: weighted", "recognition: AUROC of p(yes)")


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune one scenario from either start and follow it, pass by pass."""
    dataset, scenario = bench.scenario(cell)
    seed, epochs = cell.seed, bench.plan.long_epochs
    options = replace(bench.plan.tune(seed), epochs=epochs, patience=epochs)
    arms: dict[str, Figures] = {}
    facts: dict[str, Any] = {}
    photos = None
    for start in STARTS:
        learned = bench.register(dataset, scenario, seed, initialisation=start)
        photos = photos or bench.lessons(dataset, learned, seed)
        told: list[TuningProgress] = []
        tuned, report = bench.tune(learned, photos, options, on_progress=told.append)
        for arm, bank in ((f"{start} at once", learned.registered), (f"{start} tuned", tuned)):
            examiner = Examiner(bench.shelf, learned, bank, seed=seed)
            arms[arm] = examine(examiner, dataset, ("recognition",), seed=seed)
        facts[start] = {
            "steps": [one.epoch * report.steps // max(1, report.epochs) for one in told],
            "loss": [one.validation.loss for one in told],
            "accuracy": [one.validation.accuracy for one in told],
        }
    return arms, facts


def steps_to(curve: dict[str, list[float]], level: float) -> float:
    """Updates until the validation accuracy first reaches a level; infinite where it never does."""
    for steps, accuracy in zip(curve["steps"], curve["accuracy"], strict=True):
        if accuracy >= level:
            return float(steps)
    return math.inf


def needed_steps(result: Result, start: str) -> float:
    """Updates until 95 % of the better final accuracy of the two runs; all updates where it takes more."""
    level = SHARE * max(result.facts[one]["accuracy"][-1] for one in STARTS)
    return min(steps_to(result.facts[start], level), float(result.facts[start]["steps"][-1]))


def never_gets_there(result: Result, start: str) -> bool:
    """Whether all updates were not enough."""
    level = SHARE * max(result.facts[one]["accuracy"][-1] for one in STARTS)
    return math.isinf(steps_to(result.facts[start], level))


def tell(results: Results, plan: Plan) -> Section:
    """Curves, how many updates either start needs, and accuracy with none."""
    cells = list(results[NAME])
    arms = {f"{s} {when}": f"{w}, {when}" for s, w in STARTS.items() for when in ("at once", "tuned")}
    found = {start: mean_of(cells, lambda r, s=start: needed_steps(r, s)) for start in STARTS}  # type: ignore[misc]
    rows = tuple(
        (STARTS[start], str(one), str(sum(never_gets_there(r, start) for r in cells)))
        for start, one in found.items()
    )
    note = (
        f"{rests_on(cells)}. The better final accuracy of the two counts, on validation photos, looked at "
        "after every pass. Runs that never get there count with all their updates, so that the ratio is a "
        "lower bound."
    )
    columns = ("start", "updates", "scenarios that never get there")
    steps = Table("Updates to 95 % of the final validation accuracy", columns, rows, note)
    ratio = _ratio(cells)
    plots = (
        _plot(cells, "accuracy", "validation accuracy"),
        _plot(cells, "loss", "validation loss of an answer token"),
    )
    zero = mean_of(cells, lambda r: r.facts["kmeans"]["accuracy"][0])
    zero_random = mean_of(cells, lambda r: r.facts["random"]["accuracy"][0])
    verdicts = (
        at_least("k-means: times fewer updates to 95 % than random rows", ratio, 1.5, NAME),
        shown("… validation accuracy without any update, k-means", zero, NAME),
        shown("… without any update, random rows", zero_random, NAME),
    )
    about = (
        "Loss and accuracy are those of held-out photos. Where a start reaches 95 % with no update at all, "
        f"it counts as one update in the ratio, which is {number(ratio.value, 1)} here."
    )
    tables = (compare("Test photos, at once and tuned", cells, arms, FIGURES), steps)
    return Section("Where the rows start", about, tables, plots, verdicts)


def _ratio(cells: Sequence[Result]) -> Estimate:
    """Mean updates of random rows over those of k-means, scenario by scenario."""
    return mean_of(cells, lambda r: max(1.0, needed_steps(r, "random")) / max(1.0, needed_steps(r, "kmeans")))


def _plot(cells: Sequence[Result], what: str, words: str) -> Plot:
    lines = []
    for start, label in STARTS.items():
        epochs = range(min((len(r.facts[start][what]) for r in cells), default=0))
        points = {}
        for epoch in epochs:
            x = sum(r.facts[start]["steps"][epoch] for r in cells) / len(cells)
            points[x] = mean_of(cells, lambda r, e=epoch, s=start: r.facts[s][what][e])  # type: ignore[misc]
        lines.append(line(label, points))
    return Plot(f"starting-{what}", f"Tuning from either start: {words}", "updates", words, tuple(lines))


EXPERIMENT = Experiment(NAME, run, tell)
