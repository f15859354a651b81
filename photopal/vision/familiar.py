"""Tells photos like those a model was made for from others, by its own vision features; knows no model.

The statistic is the squared Mahalanobis distance of a photo's mean patch vector from those of photos that
the model was trained on (after Lee et al. 2018, "A simple unified framework for detecting out-of-distribution
samples and adversarial attacks").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photopal.errors import ModelError
from photopal.vision.protocol import PhotoFeatures

FILE_NAME = "familiar.npz"
_RIDGE = 1e-6


@dataclass(frozen=True, eq=False)
class Familiar:
    """What photos a model knows.

    Attributes:
        mean: `[width]` float32, of mean patch vectors.
        whitening: `[width, width]` float32; turns a difference from the mean into uncorrelated units.
        limit: The largest distance of a photo that still looks familiar.
    """

    mean: Tensor
    whitening: Tensor
    limit: float

    def distance(self, features: PhotoFeatures) -> float:
        """How strange a photo looks: its squared distance over the width, about 1 for known ones."""
        difference = _mean_patch(features) - self.mean
        return float((difference @ self.whitening).square().mean())

    def knows(self, features: PhotoFeatures) -> bool:
        """Whether a photo looks like those the model was made for."""
        return self.distance(features) <= self.limit

    def save(self, folder: Path) -> None:
        """Write it beside a model's weights."""
        limit = np.float64(self.limit)
        np.savez(folder / FILE_NAME, mean=self.mean.numpy(), whitening=self.whitening.numpy(), limit=limit)


def fit_familiar(
    photos: Sequence[PhotoFeatures], others: Sequence[PhotoFeatures], *, alarm: float
) -> Familiar:
    """Learn what familiar photos look like.

    Args:
        photos: At least as many as a patch vector is wide.
        others: Further familiar photos, from which the limit is taken.
        alarm: The share of those that may count as strange, such as 0.002.

    Raises:
        ValueError: There are too few photos.
    """
    means = torch.stack([_mean_patch(features) for features in photos])
    if len(means) <= means.shape[1] or not others:
        raise ValueError("more photos than patch vectors are wide are needed, and others for the limit")
    mean = means.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.cov((means - mean).double().T))
    whitening = (vectors / (values + _RIDGE).sqrt()).float()
    free = Familiar(mean, whitening, limit=0.0)
    distances = torch.tensor([free.distance(features) for features in others], dtype=torch.float64)
    return Familiar(mean, whitening, float(distances.quantile(1 - alarm)))


def load_familiar(folder: Path) -> Familiar | None:
    """Read what photos a model knows; None for a model that does not say.

    Raises:
        ModelError: The file is broken.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as held:
            mean, whitening = (torch.from_numpy(held[name]) for name in ("mean", "whitening"))
            return Familiar(mean, whitening, float(held["limit"]))
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ModelError(f"{path}: the file is broken", hint="Install photopal again.") from error


def _mean_patch(features: PhotoFeatures) -> Tensor:
    return features.patches.flatten(0, 1).float().cpu().mean(dim=0)
