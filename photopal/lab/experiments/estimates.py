"""Figures of arms over cells, with intervals over scenarios and paired differences; knows no experiment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from photopal.lab.experiments.form import Result
from photopal.lab.metrics.intervals import UNKNOWN, Interval, bootstrap, paired_bootstrap
from photopal.lab.runs.measures import MEASURES, Figure, Values, mean
from photopal.text import count

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
    return sorted({result.cell.seed for result in results})


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
    known = [result for result in results if len(rows_in(result, arm, figure))]
    values = [rows_in(result, arm, figure) for result in known]
    make = partial(pooled, FIGURES.get(figure, mean))
    interval = bootstrap(make, values, rounds=ROUNDS)
    questions = sum(len(one) for one in values)
    return Estimate(make(values), interval, questions, len(known), len(seeds_of(known)))


def difference(results: Sequence[Result], figure: str, arms: tuple[str, str]) -> Estimate:
    """A figure of the first arm minus that of the second, on the cells that have both."""
    first, second = ([rows_in(result, arm, figure) for result in results] for arm in arms)
    both = [place for place in range(len(results)) if len(first[place]) and len(second[place])]
    pair = ([first[place] for place in both], [second[place] for place in both])
    make = partial(pooled, FIGURES.get(figure, mean))
    interval = paired_bootstrap(make, pair, rounds=ROUNDS)
    questions = sum(len(one) for one in pair[0])
    seeds = len(seeds_of([results[place] for place in both]))
    return Estimate(make(pair[0]) - make(pair[1]), interval, questions, len(both), seeds)


def mean_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The mean over cells of something in their facts, with its interval."""
    return _middle_of(results, take, lambda values: float(np.mean(values)))


def geometric_mean_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The same for ratios above zero, of which twice as many and half as many must weigh alike."""
    return _middle_of(results, take, lambda values: float(np.exp(np.mean(np.log(values)))))


def median_of(results: Sequence[Result], take: Callable[[Result], float]) -> Estimate:
    """The same for the value that half of the cells stay below."""
    return _middle_of(results, take, lambda values: float(np.median(values)))


def _middle_of(
    results: Sequence[Result], take: Callable[[Result], float], middle: Callable[[Sequence[float]], float]
) -> Estimate:
    known = [result for result in results if not math.isnan(take(result))]
    values = [float(take(result)) for result in known]
    interval = bootstrap(middle, values, rounds=ROUNDS)
    count = len(known)
    return Estimate(middle(values) if values else math.nan, interval, count, count, len(seeds_of(known)))


def of_group(results: Sequence[Result], group: str) -> list[Result]:
    """The cells of plain scenarios, or of those with lookalikes."""
    return [result for result in results if result.group == group]
