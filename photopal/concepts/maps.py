"""Location maps: where in a photo the concepts are, by one dot product each; knows no threshold.

The authors average the cosine of every patch with every stored reference patch (MC-LLaVA, section 3.3). The
mean of cosines is the dot product with the mean of the unit vectors, so one vector a concept is enough. It is
stored at unit length, which scales a concept's map by a constant and leaves its order alone.
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
    rows, cols = location_map.shape
    peak = int(location_map.argmax())
    row, col = divmod(peak, cols)
    floor = float(location_map.median())
    level = floor + 0.5 * (float(location_map.max()) - floor)
    region = connected_region(location_map >= level, (row, col))
    ys, xs = torch.nonzero(region, as_tuple=True)
    x, y, width, height = frame
    left, right = x + width * int(xs.min()) / cols, x + width * (int(xs.max()) + 1) / cols
    top, bottom = y + height * int(ys.min()) / rows, y + height * (int(ys.max()) + 1) / rows
    left, right, top, bottom = (min(1.0, max(0.0, edge)) for edge in (left, right, top, bottom))
    point = (x + width * (col + 0.5) / cols, y + height * (row + 0.5) / rows)
    clamped = (min(1.0, max(0.0, point[0])), min(1.0, max(0.0, point[1])))
    return Place(clamped, (left, top, right - left, bottom - top))


def connected_region(is_inside: Tensor, start: tuple[int, int]) -> Tensor:
    """The cells of a bool `[rows, cols]` grid that hang together with a cell, by sides and corners."""
    region = torch.zeros_like(is_inside)
    region[start] = True
    while True:
        grown = torch.nn.functional.max_pool2d(region[None].float(), 3, stride=1, padding=1)[0].bool()
        grown &= is_inside | region
        if torch.equal(grown, region):
            return region
        region = grown


def inside_photo(features: PhotoFeatures) -> Tensor:
    """Which patches of the grid lie on the photo rather than on its padding: bool `[rows, cols]`."""
    rows, cols = features.patches.shape[:2]
    x, y, width, height = features.frame
    xs = x + width * (torch.arange(cols) + 0.5) / cols
    ys = y + height * (torch.arange(rows) + 0.5) / rows
    return ((ys >= 0) & (ys <= 1))[:, None] & ((xs >= 0) & (xs <= 1))[None, :]
