"""Tells photos like those a model was made for from others, by its own vision features; knows no model.

A second opinion comes from the features of another encoder, if there are any: what looks alike to a model
that saw one kind of photos only may look very different to one that saw all kinds. With it, the model's own
opinion need not be as strict.

The statistic is the squared Mahalanobis distance of the mean and the spread of a photo's patch vectors from
the nearest of several centers of photos that the model was trained on, with one covariance for all (after Lee
et al. 2018, "A simple unified framework for detecting out-of-distribution samples and adversarial attacks").
The spread tells plain camera photos: their mean may be that of a drawn wall, but they vary in other features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
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
        whitening: `[width of a center, units]` float32; turns a difference from a center into uncorrelated
            units, or those of them that tell most.
        limit: The largest distance of a photo that still counts as in-distribution.
        second: A detector on the features of another encoder, which has to agree.
        limit_with_second: The limit where the second detector was asked.
    """

    centers: Tensor
    whitening: Tensor
    limit: float
    second: OODDetector | None = None
    limit_with_second: float = 0.0

    def distance(self, features: PhotoFeatures) -> float:
        """Its squared distance over the width: about 1 for photos like those the model was made for."""
        differences = summarize(features)[: self.centers.shape[1]] - self.centers
        return float((differences @ self.whitening).square().mean(dim=1).min())

    def is_in_distribution(self, features: PhotoFeatures, second: PhotoFeatures | None = None) -> bool:
        """Whether a photo looks like those the model was made for.

        Args:
            features: Of the model.
            second: Of the other encoder, if there is one.
        """
        if self.second is None or second is None:
            return self.distance(features) <= self.limit
        return self.distance(features) <= self.limit_with_second and self.second.is_in_distribution(second)

    def save(self, folder: Path) -> None:
        """Write it beside a model's weights."""
        # `centres` as in the files of models made so far.
        arrays: dict[str, Any] = {
            "centres": self.centers.numpy(),
            "whitening": self.whitening.half().numpy(),
            "limit": np.float64(self.limit),
        }
        if self.second is not None:
            arrays |= {
                "limit_with_second": np.float64(self.limit_with_second),
                "second_centers": self.second.centers.numpy(),
                "second_whitening": self.second.whitening.half().numpy(),
                "second_limit": np.float64(self.second.limit),
            }
        np.savez_compressed(folder / FILE_NAME, **arrays)


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
            second, limit_with_second = None, 0.0
            if "second_limit" in file:
                second = _detector(file, "second_centers", "second_whitening", "second_limit")
                limit_with_second = float(file["limit_with_second"])
            own = _detector(file, "centres", "whitening", "limit")
            return replace(own, second=second, limit_with_second=limit_with_second)
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ModelError(f"{path}: broken file", hint="Reinstall photopal.") from error


def _detector(file: Mapping[str, NDArray[np.float32]], *names: str) -> OODDetector:
    centers, whitening, limit = (file[name] for name in names)
    return OODDetector(torch.from_numpy(centers), torch.from_numpy(whitening).float(), float(limit))


def summarize(features: PhotoFeatures) -> Tensor:
    """The mean of a photo's patch vectors and the logarithm of their spread: `[2 * width]` float32."""
    cells = features.patches.flatten(0, 1)
    return torch.cat([cells.mean(dim=0), cells.std(dim=0).clamp(min=_LEAST_SPREAD).log()])
