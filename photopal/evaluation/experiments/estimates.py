"""Figures of arms over cells, with intervals over scenarios and paired differences; knows no experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from photopal.evaluation.experiments.form import Result
from photopal.evaluation.metrics.intervals import UNKNOWN, Interval, bootstrap, paired_bootstrap
from photopal.evaluation.runs.measures import MEASURES, Figure, Values, mean

ROUNDS = 400
FIGURES: dict[str, Figure] = {f"{m.task}: {m.name}": m.figure for m in MEASURES}
"""By the names under which cells keep their rows; everything else is a mean."""

FIGURES |= {"presence alone: AUROC": FIGURES["recognition: AUROC of the maps"]}


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval over scenarios, and how many questions and scenarios it rests on."""

    value: float
    interval: Interval = UNKNOWN
    questions: int = 0
    scenarios: int = 0

    def __str__(self) -> str:
        """The figure, and its interval in brackets."""
        return f"{number(self.value)}{span(self.interval)}"


NOTHING = Estimate(math.nan)


def number(value: float, digits: int = 3) -> str:
    """A figure in words; a dash for what could not be had."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def span(interval: Interval, digits: int = 3) -> str:
    """An interval in brackets; nothing where there is none."""
    low, high = interval
    return "" if math.isnan(low) else f" ({low:.{digits}f} to {high:.{digits}f})"


def rows_in(result: Result, arm: str, figure: str) -> Values:
    """The rows of one figure of one arm in one cell."""
    rows = result.arms.get(arm, {}).get(figure, [])
    return np.array(rows, dtype=float).reshape(len(rows), len(rows[0]) if rows else 1)


def pooled(figure: Figure, values: Sequence[Values]) -> float:
    """A figure over the questions of several cells together; nan without any."""
    known = [one for one in values if len(one)]
    return figure(np.concatenate(known)) if known else math.nan


def estimate(results: Sequence[Result], arm: str, figure: str) -> Estimate:
    """A figure of an arm over cells."""
    values = [one for one in (rows_in(result, arm, figure) for result in results) if len(one)]
    make = partial(pooled, FIGURES.get(figure, mean))
    return Estimate(
        make(values), bootstrap(make, values, rounds=ROUNDS), sum(len(v) for v in values), len(values)
    )


def difference(results: Sequence[Result], figure: str, arms: tuple[str, str]) -> Estimate:
    """A figure of the first arm minus that of the second, on the cells that have both."""
    first, second = ([rows_in(result, arm, figure) for result in results] for arm in arms)
    both = [place for place in range(len(results)) if len(first[place]) and len(second[place])]
    pair = ([first[place] for place in both], [second[place] for place in both])
    make = partial(pooled, FIGURES.get(figure, mean))
    interval = paired_bootstrap(make, pair, rounds=ROUNDS)
    return Estimate(make(pair[0]) - make(pair[1]), interval, sum(len(v) for v in pair[0]), len(both))


def mean_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The mean over cells of something in their facts, with its interval."""
    known = [value for value in map(take, results) if not math.isnan(value)]

    def average(drawn: Sequence[float]) -> float:
        return float(np.mean(drawn)) if len(drawn) else math.nan

    return Estimate(average(known), bootstrap(average, known, rounds=ROUNDS), len(known), len(known))


def of_group(results: Sequence[Result], group: str) -> list[Result]:
    """The cells of plain scenarios, or of those with lookalikes."""
    return [result for result in results if result.group == group]
