"""The results of runs: how they are stored, and the estimates with intervals that are made of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photopal.files import atomic_write
from photopal.lab.experiments.measures import MEASURES, Figure, Values, mean
from photopal.lab.metrics.intervals import UNKNOWN, Interval, bootstrap, paired_bootstrap
from photopal.text import count

if TYPE_CHECKING:
    from photopal.lab.experiments.conditions import ExperimentContext
    from photopal.lab.experiments.plan import Plan

Rows = list[list[float]]
"""What a figure is made of: a row for each question, a column for each fact of it."""

Figures = dict[str, Rows]
"""By the name of the figure."""


@dataclass(frozen=True)
class Run:
    """The smallest piece of an experiment: one scenario with one seed.

    Attributes:
        experiment: Its name.
        seed: Who is drawn, on which photos, and everything random in learning.
        index: Which scenario of that seed.
    """

    experiment: str
    seed: int
    index: int

    @property
    def key(self) -> str:
        """Names the file in which its result is kept."""
        return f"{self.experiment}-{self.seed}-{self.index:02}"


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        run: Which.
        scenario: The name of the scenario.
        group: plain, or lookalike.
        conditions: For each condition of the experiment its figures.
        facts: Whatever else was measured: curves, seconds, counts.
        cpu_seconds: What it took.
    """

    run: Run
    scenario: str
    group: str
    conditions: Mapping[str, Figures]
    facts: Mapping[str, Any]
    cpu_seconds: float


Results = Mapping[str, Sequence[Result]]
"""The results of all experiments, by name."""


@dataclass(frozen=True)
class Table:
    """A table of the report; `note` says what it rests on."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One curve: points, and intervals around them where there are any."""

    label: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    around: tuple[Interval, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A picture with curves.

    Attributes:
        name: Of the file, without its ending.
        title: What is shown.
        x: What is to the right.
        y: What is upward.
        lines: The curves.
        is_log: Whether x is spaced by its logarithm to base 2.
    """

    name: str
    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    is_log: bool = False


@dataclass(frozen=True)
class Verdict:
    """One claim of the method beside what was measured.

    Attributes:
        claim: What is claimed.
        target: What would do, in words.
        figure: What was measured; nan where nothing was.
        interval: 95 %, over scenarios.
        margin: By how much the target is met; below zero by how much it is missed; None where there is none.
        experiment: What measured it.
        is_firm: Whether the target also asks that the interval is above a floor.
        floor: Which.
        basis: How many scenarios and seeds it rests on, in words.
    """

    claim: str
    target: str
    figure: float
    interval: Interval = UNKNOWN
    margin: float | None = None
    experiment: str = ""
    is_firm: bool = False
    floor: float = 0.0
    basis: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is no target or no figure."""
        if self.margin is None or self.margin != self.margin:
            return None
        return self.margin >= 0 and (not self.is_firm or self.interval[0] > self.floor)


@dataclass(frozen=True)
class Section:
    """What an experiment tells."""

    title: str
    about: str
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: Short; names its runs.
        compute: Computes a run: the figures of its conditions, and facts.
        summarize: Makes tables, plots and verdicts of the results of all experiments.
        needs: The experiments whose results it tells of; its own by default.
    """

    name: str
    compute: Callable[[ExperimentContext, Run], tuple[dict[str, Figures], dict[str, Any]]] | None
    summarize: Callable[[Results, Plan], Section]
    needs: tuple[str, ...] = field(default=())

    @property
    def sources(self) -> tuple[str, ...]:
        """Whose runs are computed for it."""
        return self.needs or (self.name,)


class ResultStore:
    """Results in a folder, a file each.

    Args:
        folder: Made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, run: Run) -> Result | None:
        """The result of a run; None where there is none, or its file is broken."""
        try:
            record = json.loads(self._path(run).read_text(encoding="utf-8"))
            return Result(**{**record, "run": Run(**record["run"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, result: Result) -> None:
        """Keep a result; at every instant its file is whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic_write(self._path(result.run), json.dumps(asdict(result)))

    def forget(self, run: Run) -> None:
        """Delete the result of a run, if there is one."""
        self._path(run).unlink(missing_ok=True)

    def _path(self, run: Run) -> Path:
        return self.folder / f"{run.key}.json"


ROUNDS = 400
FIGURES: dict[str, Figure] = {measure.key: measure.figure for measure in MEASURES}
"""By the names under which runs keep their rows; everything else is a mean."""

FIGURES |= {"presence alone: AUROC": FIGURES["recognition: AUROC of the maps"]}


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval over scenarios, and how many questions and scenarios it rests on."""

    value: float
    interval: Interval = UNKNOWN
    questions: int = 0
    scenarios: int = 0
    seeds: int = 0

    @property
    def basis(self) -> str:
        """Scenarios and seeds in words; empty without any."""
        if not self.scenarios:
            return ""
        return f"{count(self.scenarios, 'scenario')}, {count(self.seeds, 'seed')}"

    def __str__(self) -> str:
        """The figure, and its interval in brackets."""
        return f"{number(self.value)}{span(self.interval)}"


NOTHING = Estimate(math.nan)


def seeds_of(results: Sequence[Result]) -> list[int]:
    """The seeds that results are of."""
    return sorted({result.run.seed for result in results})


def number(value: float, digits: int = 3) -> str:
    """A figure in words; a dash for what could not be had."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def span(interval: Interval, digits: int = 3) -> str:
    """An interval in brackets; nothing where there is none."""
    low, high = interval
    return "" if math.isnan(low) else f" ({low:.{digits}f} to {high:.{digits}f})"


def rows_in(result: Result, condition: str, figure: str) -> Values:
    """The rows of one figure of one condition in one run."""
    rows = result.conditions.get(condition, {}).get(figure, [])
    return np.array(rows, dtype=float).reshape(len(rows), len(rows[0]) if rows else 1)


def pooled(figure: Figure, values: Sequence[Values]) -> float:
    """A figure over the questions of several runs together; nan without any."""
    known = [one for one in values if len(one)]
    return figure(np.concatenate(known)) if known else math.nan


def estimate(results: Sequence[Result], condition: str, figure: str) -> Estimate:
    """A figure of an condition over runs."""
    known = [result for result in results if len(rows_in(result, condition, figure))]
    values = [rows_in(result, condition, figure) for result in known]
    make = partial(pooled, FIGURES.get(figure, mean))
    interval = bootstrap(make, values, rounds=ROUNDS)
    questions = sum(len(one) for one in values)
    return Estimate(
        value=make(values),
        interval=interval,
        questions=questions,
        scenarios=len(known),
        seeds=len(seeds_of(known)),
    )


def difference(results: Sequence[Result], figure: str, conditions: tuple[str, str]) -> Estimate:
    """A figure of the first condition minus that of the second, on the runs that have both."""
    first, second = ([rows_in(result, condition, figure) for result in results] for condition in conditions)
    both = [index for index in range(len(results)) if len(first[index]) and len(second[index])]
    pair = ([first[index] for index in both], [second[index] for index in both])
    make = partial(pooled, FIGURES.get(figure, mean))
    interval = paired_bootstrap(make, pair, rounds=ROUNDS)
    questions = sum(len(one) for one in pair[0])
    seeds = len(seeds_of([results[index] for index in both]))
    return Estimate(
        value=make(pair[0]) - make(pair[1]),
        interval=interval,
        questions=questions,
        scenarios=len(both),
        seeds=seeds,
    )


def mean_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The mean over runs of something in their facts, with its interval."""
    return _middle_of(results, take, lambda values: float(np.mean(values)))


def geometric_mean_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The same for ratios above zero, of which twice as many and half as many must weigh alike."""
    return _middle_of(results, take, lambda values: float(np.exp(np.mean(np.log(values)))))


def median_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The same for the value that half of the runs stay below."""
    return _middle_of(results, take, lambda values: float(np.median(values)))


def _middle_of(
    results: Sequence[Result], take: Callable[[Result], float], middle: Callable[[Sequence[float]], float]
) -> Estimate:
    known = [result for result in results if not math.isnan(take(result))]
    values = [float(take(result)) for result in known]
    interval = bootstrap(middle, values, rounds=ROUNDS)
    count = len(known)
    return Estimate(
        value=middle(values) if values else math.nan,
        interval=interval,
        questions=count,
        scenarios=count,
        seeds=len(seeds_of(known)),
    )


def of_group(results: Sequence[Result], group: str) -> list[Result]:
    """The runs of plain scenarios, or of those with lookalikes."""
    return [result for result in results if result.group == group]
