"""Tells photos like those a model was made for from others, by its own vision features; knows no model.

The statistic is the squared Mahalanobis distance of the mean and the spread of a photo's patch vectors from
the nearest of several centers of photos that the model was trained on, with one covariance for all (after Lee
et al. 2018, "A simple unified framework for detecting out-of-distribution samples and adversarial attacks").
The spread tells plain camera photos: their mean may be that of a drawn wall, but they vary in other features.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from photopal.errors import ModelError
from photopal.vlm.protocol import PhotoFeatures

FILE_NAME = "familiar.npz"

_LEAST_SPREAD = 1e-4


@dataclass(frozen=True, eq=False)
class OODDetector:
    """The photos that a model was made for, as centers of what `summarize` makes of them.

    Attributes:
        centers: `[centers, 2 * width]` float32; `[centers, width]` of models made so far knows means alone.
        whitening: As wide on both sides, float32; turns a difference from a center into uncorrelated units.
        limit: The largest distance of a photo that still counts as in-distribution.
    """

    centers: Tensor
    whitening: Tensor
    limit: float

    def distance(self, features: PhotoFeatures) -> float:
        """Its squared distance over the width: about 1 for photos like those the model was made for."""
        differences = summarize(features)[: self.centers.shape[1]] - self.centers
        return float((differences @ self.whitening).square().mean(dim=1).min())

    def is_in_distribution(self, features: PhotoFeatures) -> bool:
        """Whether a photo looks like those the model was made for."""
        return self.distance(features) <= self.limit

    def save(self, folder: Path) -> None:
        """Write it beside a model's weights."""
        # `centres` as in the files of models made so far.
        limit = np.float64(self.limit)
        np.savez_compressed(
            folder / FILE_NAME, centres=self.centers.numpy(), whitening=self.whitening.numpy(), limit=limit
        )


def load_ood_detector(folder: Path) -> OODDetector | None:
    """Read the detector of a model; None where it has none.

    Raises:
        ModelError: The file is broken.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            centers, whitening = (torch.from_numpy(file[name]) for name in ("centres", "whitening"))
            return OODDetector(centers, whitening, float(file["limit"]))
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ModelError(f"{path}: broken file", hint="Reinstall photopal.") from error


def summarize(features: PhotoFeatures) -> Tensor:
    """The mean of a photo's patch vectors and the logarithm of their spread: `[2 * width]` float32."""
    cells = features.patches.flatten(0, 1)
    return torch.cat([cells.mean(dim=0), cells.std(dim=0).clamp(min=_LEAST_SPREAD).log()])
