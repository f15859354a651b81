"""Counts names in captions: by substring as the authors do, and as whole names; knows no photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from photopal.text import names_in


@dataclass(frozen=True)
class NamesTold:
    """Names of one caption.

    Attributes:
        hits: Names told of those who are there.
        wrong: Names told of those who are not.
        missing: Names not told of those who are there.
    """

    hits: int
    wrong: int
    missing: int


def names_told(caption: str, truth: Sequence[str], known: Sequence[str]) -> NamesTold:
    """Compare the whole names in a caption with who is there; "A" does not stand in "Alex"."""
    told = {*names_in(caption, known)}
    return NamesTold(len(told & {*truth}), len(told - {*truth}), len({*truth} - told))


def substring_recall(caption: str, truth: Sequence[str]) -> float:
    """The share of those there whose name is a substring, as MC-LLaVA has it; nan with nobody there."""
    return sum(name in caption for name in truth) / len(truth) if truth else math.nan


def names_f1(hits: float, wrong: float, missing: float) -> float:
    """F1 of names, counted over all captions together; 1 where no name is due and none is told."""
    faults = wrong + missing
    return 2 * hits / (2 * hits + faults) if hits or faults else 1.0
