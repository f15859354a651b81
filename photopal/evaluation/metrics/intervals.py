"""Bootstrap intervals over scenarios, single and paired; knows no metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

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


def _draws(count: int, seed: int, rounds: int) -> list[list[int]]:
    drawn: list[list[int]] = np.random.default_rng(seed).integers(count, size=(rounds, count)).tolist()
    return drawn


def _middle(figures: Sequence[float]) -> Interval:
    known = [figure for figure in figures if not math.isnan(figure)]
    if not known:
        return UNKNOWN
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
