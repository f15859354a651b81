"""Puts the results of scenarios into one table with counts and intervals; knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

import torch

from photopal.lab.bundled.measure import ScenarioResult, Tally, measure_scenario
from photopal.lab.bundled.scenarios import ScenarioOptions, make_scenario
from photopal.lab.metrics.intervals import Interval, bootstrap
from photopal.tuning import TuneOptions
from photopal.vlm.protocol import VisionModel

ROUNDS = 2000
MEASURES: dict[str, Callable[[Tally], float]] = {
    "recognition by the model, weighted": lambda t: t.recognition,
    "recall of Yes": lambda t: t.yes_hits / max(1, t.yes),
    "recall of No": lambda t: t.no_hits / max(1, t.no),
    "presence by maps and model, weighted": lambda t: t.presence,
    "place: peak within the box": lambda t: t.place_hits / max(1, t.yes),
    "captions with exactly the right names": lambda t: t.exact_captions / max(1, t.captions),
    "captions with a wrong name": lambda t: t.false_captions / max(1, t.captions),
}


@dataclass(frozen=True)
class Row:
    """One measure over all scenarios.

    Attributes:
        measure: What is measured.
        registered: With rows from registration alone.
        tuned: With tuned rows.
        interval: Bootstrap 95 % interval of the tuned figure's mean over scenarios; None for a single one.
        counts: What it rests on.
    """

    measure: str
    registered: float
    tuned: float
    interval: Interval | None
    counts: str


@dataclass(frozen=True)
class Table:
    """All measures, and what tuning cost."""

    rows: tuple[Row, ...]
    tuning_seconds: float
    threads: int
    results: tuple[ScenarioResult, ...]

    def facts(self) -> dict[str, object]:
        """As JSON: the rows, and the counts of every scenario."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "tuning_seconds": self.tuning_seconds,
            "threads": self.threads,
            "scenarios": [asdict(result) for result in self.results],
        }


def measure_all(
    model: VisionModel,
    options: ScenarioOptions,
    *,
    seeds: Sequence[int],
    on_progress: Callable[[int, int | None, object], None] | None = None,
) -> Table:
    """Measure the scenarios of some seeds, each registered and then tuned."""
    results = []
    for number, seed in enumerate(seeds, start=1):
        scenario = make_scenario(seed, options)
        results.append(measure_scenario(model, scenario, TuneOptions(seed=seed)))
        if on_progress:
            on_progress(number, len(seeds), seed)
    seconds = sum(result.tuning_seconds for result in results) / len(results)
    return Table(tabulate(results), seconds, torch.get_num_threads(), tuple(results))


def tabulate(results: Sequence[ScenarioResult]) -> tuple[Row, ...]:
    """Add up the counts of scenarios and take intervals over them."""
    registered = sum((result.registered for result in results), Tally())
    tuned = sum((result.tuned for result in results), Tally())
    rows = []
    for measure, figure in MEASURES.items():
        is_caption = measure.startswith("captions")
        counts = f"{tuned.captions} captions" if is_caption else f"{tuned.yes} there, {tuned.no} not there"
        values = [figure(result.tuned) for result in results]
        around = bootstrap(fmean, values, rounds=ROUNDS) if len(values) > 1 else None
        rows.append(Row(measure, figure(registered), figure(tuned), around, counts))
    return tuple(rows)
