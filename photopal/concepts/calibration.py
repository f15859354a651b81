"""Decides from a map score whether a concept is in a photo, with thresholds learned per concept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor


class Verdict(Enum):
    """What a score says by itself."""

    ABSENT = "absent"
    UNSURE = "unsure"
    PRESENT = "present"


TOWARDS_POSITIVES = 0.7
"""Where the threshold lies on the way from the negatives to the positives."""


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

    def share(self, score: float) -> float:
        """Where in the band a score lies: 0 at its lower end, 1 at its upper end, never beyond."""
        width = self.high - self.low
        return min(1.0, max(0.0, (score - self.low) / width)) if width > 0 else float(score >= self.high)

    def raised(self, by: float) -> Calibration:
        """The same band, raised by a share of its width."""
        step = by * (self.high - self.low)
        return Calibration(self.low + step, self.high + step)

    def judge(self, score: float) -> Verdict:
        """Say what a score means."""
        if score >= self.high:
            return Verdict.PRESENT
        return Verdict.ABSENT if score <= self.low else Verdict.UNSURE


def calibrate(positives: Tensor, negatives: Tensor, *, spread: float = 0.15) -> Calibration:
    """Put the threshold between the scores of photos with and without a concept, and a band around it.

    The threshold lies between the upper fifth of the negatives and the lower third of the positives, nearer
    to these: a wrong name is worse than a missing one.
    Reference photos show their subject larger and more alone than other photos do, and among the negatives
    are photos of lookalikes and photos that show the concept unregistered, so further out on either side the
    threshold would follow the exceptions.

    Args:
        positives: `[n]` scores of photos that show the concept, each scored without itself; at least one.
        negatives: `[n]` scores of photos or background that do not; at least one.
        spread: Half the width of the band as a share of the distance between the two means.
    """
    # The authors' threshold (tau = 0.318, area 100 / 256²) is a constant for one encoder; this one is learned
    # from the user's photos, so that any encoder will do (docs/method.md). Quantiles, not the extremes: with
    # 3 to 10 photos a single odd one would decide.
    positive, negative = _ends(positives, negatives)
    threshold = negative + TOWARDS_POSITIVES * (positive - negative)
    # Within the band the map abstains and the model is asked too.
    half_width = spread * abs(float(positives.float().mean() - negatives.float().mean()))
    return Calibration(threshold - half_width, threshold + half_width)


def with_corrections(
    positives: Tensor, negatives: Tensor, *, corrected_positives: Tensor, corrected_negatives: Tensor
) -> tuple[Tensor, Tensor]:
    """Add the scores of photos that the user has corrected to those a threshold is learned from.

    These are photos as they come, of which a model was wrong or in doubt, so a few weigh as much as all
    others together. They are bounded, as one word must not cost a concept its recognition: a photo that shows
    it and scores like those that do not is passed over, and one that does not and scores like those that do
    counts as the weaker of these.

    Args:
        positives: `[n]` scores of reference photos; at least one.
        negatives: `[n]` scores of photos without the concept; at least one.
        corrected_positives: `[n]` scores of photos that the user says show it.
        corrected_negatives: `[n]` scores of photos that the user says do not.

    Returns:
        Positives and negatives for `calibrate`.
    """
    positive, negative = _ends(positives, negatives)
    shown = corrected_positives[corrected_positives > negative]
    absent = corrected_negatives.clamp(max=positive)
    return _as_many(positives, shown), _as_many(negatives, absent)


def _as_many(scores: Tensor, corrected: Tensor) -> Tensor:
    """Join scores, the corrected ones repeated until there are as many of them as of the others."""
    if not len(corrected):
        return scores
    return torch.cat([scores, corrected.repeat(-(-len(scores) // len(corrected)))])


def _ends(positives: Tensor, negatives: Tensor) -> tuple[float, float]:
    return float(torch.quantile(positives.float(), 0.3)), float(torch.quantile(negatives.float(), 0.8))


# What a bias costs, times its square: where all answers are sure, any bias within the gap would do as well.
_BIAS_COST = 0.01
_MOST_BIAS = 16.0  # in logits: where the search begins


def fit_yes_bias(yes: Sequence[float], no: Sequence[float]) -> float:
    """How much a model is for Yes, whoever is asked about.

    It is what has to be taken off every margin for the least cross-entropy, both answers weighing the same.
    Where nearly all margins are far on the right side it is near 0, whatever it could be.

    Args:
        yes: By how much the logit of Yes is above that of No in questions whose answer is Yes.
        no: The same for questions whose answer is No.

    Returns:
        0 where all questions have the same answer.
    """
    if not yes or not no:
        return 0.0
    right, wrong = torch.tensor(yes, dtype=torch.float64), torch.tensor(no, dtype=torch.float64)
    low, high = -_MOST_BIAS, _MOST_BIAS
    for _ in range(40):
        bias = (low + high) / 2
        # The slope of the mean cross-entropy of both answers, which rises with the bias.
        missed, invented = torch.sigmoid(bias - right).mean(), torch.sigmoid(wrong - bias).mean()
        if float(missed - invented) + 2 * _BIAS_COST * bias > 0:
            high = bias
        else:
            low = bias
    return (low + high) / 2


def without_bias(share: float, bias: float) -> float:
    """p(yes) after a bias is taken off the logit of Yes."""
    return 1 / (1 + (1 / share - 1) * math.exp(bias)) if share > 0 else 0.0


def area_under_curve(yes: Sequence[float], no: Sequence[float]) -> float:
    """How often Yes is likelier where it is right than where it is wrong (AUROC); nan without both."""
    if not yes or not no:
        return math.nan
    differences = torch.tensor(yes)[:, None] - torch.tensor(no)[None]  # [right, wrong]
    return float((differences > 0).float().mean() + 0.5 * (differences == 0).float().mean())
