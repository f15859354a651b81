"""Keeps counts of right answers by measure and by cluster, gives figures and intervals; knows no question.

Answers about one photo, or one family, go wrong together. So intervals come from drawing whole clusters anew,
and never single questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from photopal.lab.metrics.intervals import Counts, bootstrap_counts


def share(counts: Counts) -> Counts:
    """Hits of `[..., 2]` hits and questions."""
    return counts[..., 0] / np.maximum(1, counts[..., 1])


def weighted(counts: Counts) -> Counts:
    """Mean recall of Yes and No of `[..., 4]`: hits and questions of Yes, hits and questions of No."""
    return (share(counts[..., :2]) + share(counts[..., 2:])) / 2


def f1(counts: Counts) -> Counts:
    """F1 of `[..., 4]`: names told rightly, told wrongly, left out; and how many captions."""
    right, wrong, missing = counts[..., 0], counts[..., 1], counts[..., 2]
    return 2 * right / np.maximum(1, 2 * right + wrong + missing)


def mean(counts: Counts) -> Counts:
    """Mean of `[..., 2]` sum and number of measurements, such as seconds."""
    return share(counts)


FIGURES: dict[str, tuple[Callable[[Counts], Counts], tuple[int, ...]]] = {
    "share": (share, (1,)),
    "weighted": (weighted, (1, 3)),
    "f1": (f1, (3,)),
    "mean": (mean, (1,)),
}
"""Name of a figure → how it is computed, and which columns count questions."""


@dataclass(frozen=True)
class Goal:
    """A measure and what it should reach.

    Attributes:
        key: What counts are booked under.
        measure: What is measured, in words.
        target: What it should reach; None where nothing is asked for.
        figure: A key of `FIGURES`.
        is_cost: Whether less is better.
        is_by_photo: Whether its clusters are photos; else they are families.
    """

    key: str
    measure: str
    target: float | None = None
    figure: str = "share"
    is_cost: bool = False
    is_by_photo: bool = False


@dataclass(frozen=True)
class Measured:
    """A line of the table.

    Attributes:
        key: Of its goal.
        measure: What is measured.
        value: The figure; None where nothing could be asked.
        interval: Bootstrap 95 % interval over clusters.
        questions: How many questions were asked.
        clusters: How many photos or families they are about.
        target: What it should reach, if anything.
        margin: By how much the target is exceeded, or missed where it is negative.
        is_met: Whether it is reached.
        is_by_photo: Whether the clusters are photos.
        parts: Recall of Yes and of No, or precision and recall of names, where the figure has two parts.
    """

    key: str
    measure: str
    value: float | None
    interval: tuple[float, float] | None
    questions: int
    clusters: int
    target: float | None
    margin: float | None
    is_met: bool | None
    is_by_photo: bool
    parts: dict[str, float]

    @property
    def clusters_words(self) -> str:
        """What the questions are about, in words."""
        noun = ("photo", "photos") if self.is_by_photo else ("family", "families")
        return f"{self.clusters:,} {noun[self.clusters != 1]}"


class Tallies:
    """Counts by measure and cluster."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, Counts]] = defaultdict(dict)

    def add(self, key: str, cluster: str, *counts: float) -> None:
        """Book counts of a measure for a photo or family."""
        booked = self._counts[key]
        new = np.asarray(counts, dtype=np.float64)
        booked[cluster] = booked[cluster] + new if cluster in booked else new

    def add_yes_no(self, key: str, cluster: str, *, is_yes: bool, is_right: bool) -> None:
        """Book the answer to a question of Yes or No for a weighted figure."""
        hit = float(is_right)
        self.add(key, cluster, *((hit, 1, 0, 0) if is_yes else (0, 0, hit, 1)))

    def keys(self) -> list[str]:
        """Every measure that anything was booked for."""
        return list(self._counts)

    def counts(self, key: str, cluster: str, *, columns: int) -> Counts:
        """What was counted of a measure for a photo or family: `[columns]`, zeros where nothing was."""
        return self._counts.get(key, {}).get(cluster, np.zeros(columns))

    def questions(self, key: str) -> int:
        """How many questions a share rests on so far."""
        return int(sum(counts[1] for counts in self._counts.get(key, {}).values()))

    def measure(self, goal: Goal, *, seed: int = 0) -> Measured:
        """The figure of a goal with its interval.

        Args:
            goal: What to compute.
            seed: Drives the bootstrap.
        """
        clusters = self._counts.get(goal.key)
        measured = Measured(
            key=goal.key,
            measure=goal.measure,
            value=None,
            interval=None,
            questions=0,
            clusters=0,
            target=goal.target,
            margin=None,
            is_met=None if goal.target is None else False,
            is_by_photo=goal.is_by_photo,
            parts={},
        )
        if not clusters:
            return measured
        figure, columns = FIGURES[goal.figure]
        counts = np.stack([clusters[cluster] for cluster in sorted(clusters)])  # [clusters, columns]
        total = counts.sum(axis=0)
        value = float(figure(total))
        margin = None
        if goal.target is not None:
            margin = goal.target - value if goal.is_cost else value - goal.target
        return replace(
            measured,
            value=value,
            interval=bootstrap_counts(figure, counts, seed=seed),
            questions=int(total[list(columns)].sum()),
            clusters=len(counts),
            margin=margin,
            is_met=None if margin is None else margin >= 0,
            parts=_parts(goal.figure, total),
        )


def _parts(figure: str, total: Counts) -> dict[str, float]:
    if figure == "weighted":
        return {"recall of Yes": float(share(total[:2])), "recall of No": float(share(total[2:]))}
    if figure == "f1":
        right, wrong, missing = total[:3]
        return {
            "precision": float(right / max(1, right + wrong)),
            "recall": float(right / max(1, right + missing)),
        }
    return {}
