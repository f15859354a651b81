"""Figures of yes-no questions with probabilities; knows nothing of who was asked about."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

ECE_BINS = 10


Flags = Sequence[bool] | NDArray[np.bool_]
Numbers = Sequence[float] | NDArray[np.float64]


def share(hits: Flags) -> float:
    """The share of hits; nan without any question."""
    return float(np.mean(hits)) if len(hits) else math.nan


def weighted_recall(truths: Flags, says_yes: Flags) -> float:
    """The mean of the recall of Yes and the recall of No: "weighted" in MC-LLaVA (section 4).

    Where all questions have the same true answer it is the recall of that answer.
    """
    truth, said = np.asarray(truths, dtype=bool), np.asarray(says_yes, dtype=bool)
    known = [recall for recall in (share(said[truth]), share(~said[~truth])) if not math.isnan(recall)]
    return sum(known) / len(known) if known else math.nan


def auroc(truths: Flags, scores: Numbers) -> float:
    """How often a positive has the higher score than a negative, ties counting half; nan without both."""
    truth, score = np.asarray(truths, dtype=bool), np.asarray(scores, dtype=float)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return math.nan
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # mean rank of equal scores, from 1
    above = float(ranks[truth].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def false_positive_rate(positives: Numbers, negatives: Numbers, *, recall: float = 0.9) -> float:
    """The share of negatives at or above the highest score that this share of the positives reaches.

    A point of the curve, not a decision: no threshold in use is chosen with it.
    """
    if not len(positives) or not len(negatives):
        return math.nan
    ordered = np.sort(np.asarray(positives, dtype=float))[::-1]
    # 0.9 * 10 is a little above 9 in floating point where it should not be.
    level = ordered[max(1, math.ceil(recall * len(ordered) - 1e-9)) - 1]
    return float(np.mean(np.asarray(negatives, dtype=float) >= level))


def calibration_error(truths: Flags, probabilities: Numbers, *, bins: int = ECE_BINS) -> float:
    """Expected calibration error of p(yes): the mean distance of p and the share of yes, over equal bins."""
    if not len(truths):
        return math.nan
    truth, p = np.asarray(truths, dtype=float), np.asarray(probabilities, dtype=float)
    place = np.minimum((p * bins).astype(int), bins - 1)
    total = 0.0
    for number in range(bins):
        inside = place == number
        if inside.any():
            total += float(inside.sum()) * abs(float(truth[inside].mean()) - float(p[inside].mean()))
    return total / len(p)


def choose_threshold(
    positives: Sequence[float], negatives: Sequence[float], *, default: float = 0.5
) -> float:
    """The threshold with the best weighted recall; among equals the one nearest the default.

    To be used on validation photos only. Without positives or without negatives it is the default.
    """
    if not positives or not negatives:
        return default
    levels = sorted({*positives, *negatives})
    middles = [(low + high) / 2 for low, high in pairwise(levels)]
    candidates = [default, *middles]

    def quality(level: float) -> tuple[float, float]:
        yes = sum(score >= level for score in positives) / len(positives)
        no = sum(score < level for score in negatives) / len(negatives)
        return (yes + no, -abs(level - default))

    return max(candidates, key=quality)
