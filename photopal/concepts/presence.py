"""Decides from a map score whether a concept is in a photo, with thresholds learned per concept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Verdict(Enum):
    """What a score says by itself."""

    ABSENT = "absent"
    UNSURE = "unsure"
    PRESENT = "present"


@dataclass(frozen=True)
class Calibration:
    """Between which scores a concept cannot be told present or absent by its map alone.

    Attributes:
        low: At or below, it is absent.
        high: At or above, it is present.
    """

    low: float
    high: float

    @property
    def threshold(self) -> float:
        """The middle of the abstain band."""
        return (self.low + self.high) / 2

    def judge(self, score: float) -> Verdict:
        """Say what a score means."""
        if score >= self.high:
            return Verdict.PRESENT
        return Verdict.ABSENT if score <= self.low else Verdict.UNSURE


def calibrate(positives: Tensor, negatives: Tensor, *, spread: float = 0.25) -> Calibration:
    """Put the abstain band between the scores of photos with and without a concept.

    Where the two groups are apart, the threshold lies midway and the band takes `spread` of the gap on
    either side. Where they overlap, the band is the overlap.

    Args:
        positives: `[n]` scores of photos that show the concept, each scored without itself; at least one.
        negatives: `[n]` scores of photos or background that do not; at least one.
        spread: Half the width of the band as a share of the gap.
    """
    yes = float(torch.quantile(positives.float(), 0.1))
    no = float(torch.quantile(negatives.float(), 0.95))
    if yes > no:
        middle, gap = (yes + no) / 2, yes - no
        return Calibration(middle - spread * gap, middle + spread * gap)
    return Calibration(yes, no)
