"""Compares where a concept was found with where it is; knows no map and no model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


def is_in_mask(point: tuple[float, float], mask: NDArray[np.bool_]) -> bool:
    """Whether a point, in fractions of the photo, lies on a mask `[height, width]`."""
    height, width = mask.shape
    column, row = int(point[0] * width), int(point[1] * height)
    return bool(mask[min(max(row, 0), height - 1), min(max(column, 0), width - 1)])


def mask_box(mask: NDArray[np.bool_]) -> Box | None:
    """x, y, width, height around a mask, in fractions of the photo; None for an empty one."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return None
    height, width = mask.shape
    x, y = columns.min() / width, rows.min() / height
    return (float(x), float(y), float((columns.max() + 1) / width - x), float((rows.max() + 1) / height - y))


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(0.0, wide) * max(0.0, high)
    union = one[2] * one[3] + other[2] * other[3] - common
    return common / union if union > 0 else 0.0
