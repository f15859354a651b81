"""Location maps: where in a photo the concepts are, by one dot product each; knows no threshold.

The authors average the cosine of every patch with every stored reference patch (MC-LLaVA, section 3.3). The
mean of cosines is the dot product with the mean of the unit vectors, so one vector a concept is enough. It is
stored at unit length, which scales a concept's map by a constant and leaves its order alone.

Patch vectors are on the CPU, and so are all maps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from photopal.vision.protocol import PhotoFeatures

Box = tuple[float, float, float, float]


def concept_direction(patches: Tensor) -> Tensor:
    """The unit vector along the mean of the unit vectors of `[n, width]` patches: `[width]`."""
    units = torch.nn.functional.normalize(patches.float(), dim=-1)
    return torch.nn.functional.normalize(units.mean(dim=0), dim=0)


def location_maps(patches: Tensor, directions: Tensor) -> Tensor:
    """Cosine of every patch with every concept's direction.

    Args:
        patches: `[rows, cols, width]` raw vision-tower patches of a photo.
        directions: `[concepts, width]`.

    Returns:
        `[concepts, rows, cols]` in -1…1.
    """
    units = torch.nn.functional.normalize(patches.float(), dim=-1)
    return torch.einsum("rcw,nw->nrc", units, directions)


def contested_maps(maps: Tensor) -> Tensor:
    """Lower each map where another concept fits better, by how much better it fits.

    A photo of one of two lookalikes lights up both maps; the patches belong to the one that fits best.

    Args:
        maps: `[concepts, rows, cols]`.

    Returns:
        The same shape; unchanged for a single concept.
    """
    if maps.shape[0] < 2:
        return maps
    best, second = maps.topk(2, dim=0).values  # [rows, cols] each
    rival = torch.where(maps == best, second, best)
    return maps - (rival - maps).clamp(min=0)


def map_scores(maps: Tensor, *, top: int = 2) -> Tensor:
    """How strongly each concept shows anywhere: the mean of its highest patches.

    Args:
        maps: `[concepts, rows, cols]`.
        top: How many patches count.

    Returns:
        `[concepts]`.
    """
    flat = maps.flatten(1)
    return flat.topk(min(top, flat.shape[1]), dim=1).values.mean(dim=1)


@dataclass(frozen=True)
class Place:
    """Where a concept shows most.

    Attributes:
        point: x and y in fractions of the photo.
        box: x, y, width, height of the region around it, in fractions of the photo.
    """

    point: tuple[float, float]
    box: Box


def find_place(location_map: Tensor, frame: Box) -> Place:
    """Find the peak of a map and the connected region around it above half its height.

    Args:
        location_map: `[rows, cols]`.
        frame: What part of the photo the map covers (see `PhotoFeatures`).
    """
    return find_places(location_map[None], frame)[0]


def find_places(maps: Tensor, frame: Box) -> list[Place]:
    """Find the place of each of `[concepts, rows, cols]` maps as `find_place` does, all at once."""
    if not maps.shape[0]:
        return []
    rows, cols = maps.shape[1:]
    flat = maps.flatten(1)
    floor, highest = flat.median(dim=1).values, flat.max(dim=1).values
    level = floor + 0.5 * (highest - floor)
    peaks = flat.argmax(dim=1)
    starts = torch.nn.functional.one_hot(peaks, rows * cols).bool().view_as(maps)
    regions = _grown(maps >= level[:, None, None], starts)
    edges = zip(*_extents(regions.any(dim=1)), *_extents(regions.any(dim=2)), strict=True)
    x, y, width, height = frame
    found = []
    for peak, (first_col, last_col, first_row, last_row) in zip(peaks.tolist(), edges, strict=True):
        row, col = divmod(peak, cols)
        left, right = _clamp(x + width * first_col / cols), _clamp(x + width * (last_col + 1) / cols)
        top, bottom = _clamp(y + height * first_row / rows), _clamp(y + height * (last_row + 1) / rows)
        point = (_clamp(x + width * (col + 0.5) / cols), _clamp(y + height * (row + 0.5) / rows))
        found.append(Place(point, (left, top, right - left, bottom - top)))
    return found


def _extents(is_in: Tensor) -> tuple[list[int], list[int]]:
    """First and last true place of each row of `[concepts, cells]`."""
    last = is_in.shape[1] - 1 - is_in.flip(1).int().argmax(dim=1)
    return is_in.int().argmax(dim=1).tolist(), last.tolist()


def _clamp(edge: float) -> float:
    return min(1.0, max(0.0, edge))


def connected_region(is_inside: Tensor, start: tuple[int, int]) -> Tensor:
    """The cells of a bool `[rows, cols]` grid that hang together with a cell, by sides and corners."""
    region = torch.zeros_like(is_inside)
    region[start] = True
    return _grown(is_inside[None], region[None])[0]


def _grown(is_inside: Tensor, regions: Tensor) -> Tensor:
    """Grow bool `[maps, rows, cols]` regions by sides and corners within what is inside."""
    may_be = is_inside | regions
    while True:
        grown = torch.nn.functional.max_pool2d(regions.float(), 3, stride=1, padding=1).bool() & may_be
        if torch.equal(grown, regions):
            return regions
        regions = grown


def inside_photo(features: PhotoFeatures) -> Tensor:
    """Which patches of the grid lie on the photo rather than on its padding: bool `[rows, cols]`."""
    rows, cols = features.patches.shape[:2]
    x, y, width, height = features.frame
    xs = x + width * (torch.arange(cols) + 0.5) / cols
    ys = y + height * (torch.arange(rows) + 0.5) / rows
    return ((ys >= 0) & (ys <= 1))[:, None] & ((xs >= 0) & (xs <= 1))[None, :]
