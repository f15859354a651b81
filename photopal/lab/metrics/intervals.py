"""Bootstrap intervals over scenarios, single and paired, and over counts; knows no metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]
T = TypeVar("T")
Interval = tuple[float, float]
ROUNDS = 1000
UNKNOWN: Interval = (math.nan, math.nan)


def bootstrap(
    figure: Callable[[Sequence[T]], float], scenarios: Sequence[T], *, seed: int = 0, rounds: int = ROUNDS
) -> Interval:
    """95 % interval of a figure, by drawing scenarios with replacement; nan for fewer than two.

    Whole scenarios are drawn, for answers within one share their concepts and are not independent.

    Args:
        figure: Of some scenarios together; nan where it cannot be had of them.
        scenarios: What was measured on each.
        seed: Of the draws.
        rounds: How many draws.
    """
    if len(scenarios) < 2:
        return UNKNOWN
    return _middle([figure([scenarios[i] for i in drawn]) for drawn in _draws(len(scenarios), seed, rounds)])


def paired_bootstrap(
    figure: Callable[[Sequence[T]], float],
    pairs: tuple[Sequence[T], Sequence[T]],
    *,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Interval:
    """95 % interval of the first figure minus the second, the same scenarios drawn for both.

    Raises:
        ValueError: The two are not of the same scenarios.
    """
    first, second = pairs
    if len(first) != len(second):
        raise ValueError(f"{len(first)} scenarios against {len(second)}")
    if len(first) < 2:
        return UNKNOWN
    return _middle(
        [
            figure([first[i] for i in drawn]) - figure([second[i] for i in drawn])
            for drawn in _draws(len(first), seed, rounds)
        ]
    )


def bootstrap_counts(
    figure: Callable[[Counts], Counts], counts: Counts, *, seed: int = 0, rounds: int = 2 * ROUNDS
) -> Interval:
    """95 % interval of a figure of counts that add up, by drawing their clusters with replacement.

    Args:
        figure: Of sums `[rounds, columns]`.
        counts: `[clusters, columns]`.
        seed: Of the draws.
        rounds: How many draws.
    """
    shares = np.full(len(counts), 1 / len(counts))
    times = np.random.default_rng(seed).multinomial(len(counts), shares, size=rounds)
    return _middle(figure(times @ counts).tolist())


def _draws(count: int, seed: int, rounds: int) -> list[list[int]]:
    drawn: list[list[int]] = np.random.default_rng(seed).integers(count, size=(rounds, count)).tolist()
    return drawn


def _middle(figures: Sequence[float]) -> Interval:
    known = [figure for figure in figures if not math.isnan(figure)]
    if not known:
        return UNKNOWN
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
