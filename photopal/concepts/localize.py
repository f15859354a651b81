"""Finds which patches of a reference photo show the subject: by mask, by box, or by what recurs.

All of it is computed on the CPU, where patch vectors and masks are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from photopal.box import Box, PixelBox
from photopal.errors import ConceptError
from photopal.vlm.protocol import PhotoFeatures


def concept_direction(patches: Tensor) -> Tensor:
    """The unit vector along the mean of the unit vectors of `[n, width]` patches: `[width]`."""
    # The mean cosine to all stored patches is one product with the mean of their unit vectors (equal within
    # 2e-17; docs/method.md), so one vector a concept is stored, not thousands.
    units = torch.nn.functional.normalize(patches.float(), dim=-1)  # [n, width]
    # Scaled to length 1, unlike that mean: how much a concept's patches vary must not decide between
    # concepts.
    return torch.nn.functional.normalize(units.mean(dim=0), dim=0)


def location_maps(patches: Tensor, directions: Tensor) -> Tensor:
    """Cosine of every patch with every concept's direction.

    Args:
        patches: `[rows, cols, width]` raw vision-tower patches of a photo.
        directions: `[concepts, width]`.

    Returns:
        `[concepts, rows, cols]` in -1…1.
    """
    # On the patch grid; only what is shown is enlarged (the authors enlarge every map, 22 GB for a 1080p
    # photo).
    units = torch.nn.functional.normalize(patches.float(), dim=-1)  # [rows, cols, width]
    return torch.einsum("rcw,nw->nrc", units, directions)


def suppress_rivals(maps: Tensor) -> Tensor:
    """Lower each map where another concept fits better, by how much better it fits.

    A photo of one of two lookalikes lights up both maps; the patches belong to the one that fits best.

    Args:
        maps: `[concepts, rows, cols]`.

    Returns:
        The same shape; unchanged for a single concept.
    """
    if maps.shape[0] < 2:
        return maps
    # The authors subtract the mean map and rescale, which for two concepts gives mirror images and for one
    # nothing; the best rival of each patch works for any number (MC-LLaVA, section 3.3).
    best, second = maps.topk(2, dim=0).values  # [rows, cols] each
    rival = torch.where(maps == best, second, best)
    return maps - (rival - maps).clamp(min=0)


def contested_places(maps: Tensor, lowered: Tensor, ties: Sequence[float]) -> Tensor:
    """Which concepts fit the place of another as well as that one does, or nearly so.

    Args:
        maps: `[concepts, rows, cols]`.
        lowered: The same after `suppress_rivals`; a concept's place is where its own is highest.
        ties: By how much less another may fit the place of each concept, as cosine.

    Returns:
        Bool `[concepts, concepts]`: whether the first contests the place of the second; not its own.
    """
    at_places = maps.flatten(1)[:, lowered.flatten(1).argmax(dim=1)]  # [concepts, places]
    contests = at_places >= at_places.diagonal() - torch.tensor(ties)
    return contests.fill_diagonal_(False)


def map_scores(maps: Tensor, *, top: int = 2) -> Tensor:
    """How strongly each concept shows anywhere: the mean of its highest patches.

    Args:
        maps: `[concepts, rows, cols]`.
        top: How many patches count.

    Returns:
        `[concepts]`.
    """
    # Two patches and not one: a single patch may be an outlier, and a distant subject covers no more than a
    # few.
    flat = maps.flatten(1)  # [concepts, rows * cols]
    return flat.topk(min(top, flat.shape[1]), dim=1).values.mean(dim=1)


@dataclass(frozen=True)
class Region:
    """Where a concept shows most.

    Attributes:
        point: x and y in fractions of the photo.
        box: The region around it.
    """

    point: tuple[float, float]
    box: Box


def find_region(location_map: Tensor, frame: Box) -> Region:
    """Find the peak of a map and the connected region around it above half its height.

    Args:
        location_map: `[rows, cols]`.
        frame: What part of the photo the map covers (see `PhotoFeatures`).
    """
    return find_regions(location_map[None], frame)[0]


def find_regions(maps: Tensor, frame: Box) -> list[Region]:
    """Find the region of each of `[concepts, rows, cols]` maps as `find_region` does, all at once."""
    if not maps.shape[0]:
        return []
    rows, cols = maps.shape[1:]
    flat = maps.flatten(1)  # [concepts, rows * cols]
    # Half way from the median, which is the background of nearly every photo, up to the peak.
    floor, highest = flat.median(dim=1).values, flat.max(dim=1).values
    level = floor + 0.5 * (highest - floor)
    peaks = flat.argmax(dim=1)
    starts = torch.nn.functional.one_hot(peaks, rows * cols).bool().view_as(maps)
    regions = _grow(maps >= level[:, None, None], starts)  # bool [concepts, rows, cols]
    edges = zip(*_extents(regions.any(dim=1)), *_extents(regions.any(dim=2)), strict=True)
    x, y, width, height = frame
    found = []
    for peak, (first_col, last_col, first_row, last_row) in zip(peaks.tolist(), edges, strict=True):
        row, col = divmod(peak, cols)
        box = Box.from_edges(
            left=x + width * first_col / cols,
            top=y + height * first_row / rows,
            right=x + width * (last_col + 1) / cols,
            bottom=y + height * (last_row + 1) / rows,
        )
        point = (_clamp(x + width * (col + 0.5) / cols), _clamp(y + height * (row + 0.5) / rows))
        found.append(Region(point, box))
    return found


def _extents(is_in: Tensor) -> tuple[list[int], list[int]]:
    """First and last true index of each row of `[concepts, cells]`."""
    last = is_in.shape[1] - 1 - is_in.flip(1).int().argmax(dim=1)
    return is_in.int().argmax(dim=1).tolist(), last.tolist()


def _clamp(edge: float) -> float:
    return min(1.0, max(0.0, edge))


def connected_region(is_inside: Tensor, start: tuple[int, int]) -> Tensor:
    """The cells of a bool `[rows, cols]` grid that hang together with a cell, by sides and corners."""
    region = torch.zeros_like(is_inside)
    region[start] = True
    return _grow(is_inside[None], region[None])[0]


def _grow(is_inside: Tensor, regions: Tensor) -> Tensor:
    """Grow bool `[maps, rows, cols]` regions by sides and corners within what is inside."""
    allowed = is_inside | regions
    # By one cell in all directions at a time, for all maps together: as many steps as the longest region.
    while True:
        grown = torch.nn.functional.max_pool2d(regions.float(), 3, stride=1, padding=1).bool() & allowed
        if torch.equal(grown, regions):
            return regions
        regions = grown


def inside_photo(features: PhotoFeatures) -> Tensor:
    """Which patches of the grid lie on the photo rather than on its padding: bool `[rows, cols]`.

    A photo may be narrower than a patch; the row or column in its middle lies on it then.
    """
    rows, cols = features.patches.shape[:2]
    x, y, width, height = features.frame
    down = _is_on_photo(y + height * (torch.arange(rows) + 0.5) / rows)
    across = _is_on_photo(x + width * (torch.arange(cols) + 0.5) / cols)
    return down[:, None] & across[None, :]


def _is_on_photo(middles: Tensor) -> Tensor:
    """Which of the middles of `[cells]` are from 0 to 1, where the photo is; the nearest if none is."""
    inside = (middles >= 0) & (middles <= 1)
    if not inside.any():
        inside[(middles - 0.5).abs().argmin()] = True
    return inside


COVERED_SHARE = 0.4
"""From which share on a cell counts as covered by a mask."""


def grid_cover(mask: NDArray[np.bool_], grid: tuple[int, int], frame: Box) -> Tensor:
    """How much of each grid cell a mask over the photo covers.

    Args:
        mask: bool `[height, width]` over the upright photo.
        grid: Rows and columns.
        frame: What part of the photo the grid covers.

    Returns:
        float `[rows, cols]` in 0…1.
    """
    height, width = mask.shape
    rows, cols = grid
    x, y, frame_width, frame_height = frame
    xs = (x + frame_width * np.arange(cols + 1) / cols) * width
    ys = (y + frame_height * np.arange(rows + 1) / rows) * height
    columns = np.clip(np.round(xs), 0, width).astype(int)
    lines = np.clip(np.round(ys), 0, height).astype(int)
    # Down first, each row of cells in one go; the running sums along it then tell each cell by two look-ups.
    down = np.stack([mask[top:bottom].sum(axis=0) for top, bottom in pairwise(lines)])
    along = np.zeros((rows, width + 1))
    along[:, 1:] = down.cumsum(axis=1)
    covered = np.diff(along[:, columns], axis=1)
    area = (np.diff(ys)[:, None] * np.diff(xs)[None, :]).clip(min=1e-9)
    return torch.from_numpy(covered / area).float()


def mask_cells(mask: NDArray[np.bool_], grid: tuple[int, int], frame: Box) -> Tensor:
    """The cells that a mask covers well, at least the one it covers most: bool `[rows, cols]`.

    Raises:
        ConceptError: The mask is empty.
    """
    cover = grid_cover(mask, grid, frame)
    if float(cover.max()) <= 0:
        raise ConceptError("the mask or box does not cover any part of the photo")
    return cover >= min(COVERED_SHARE, float(cover.max()))


def cells_extent(cells: Tensor, frame: Box) -> Box:
    """The smallest box around cells of a grid.

    Args:
        cells: bool `[rows, cols]`, at least one.
        frame: What part of the photo the grid covers.
    """
    rows, cols = cells.shape
    ys, xs = torch.nonzero(cells, as_tuple=True)
    x, y, width, height = frame
    return Box.from_edges(
        left=x + width * int(xs.min()) / cols,
        top=y + height * int(ys.min()) / rows,
        right=x + width * (int(xs.max()) + 1) / cols,
        bottom=y + height * (int(ys.max()) + 1) / rows,
    )


def box_mask(box: PixelBox, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Turn a box (x, y, width, height in pixels) into a mask of a photo of (width, height) pixels."""
    x, y, width, height = box
    mask = np.zeros((size[1], size[0]), dtype=bool)
    mask[max(0, y) : y + height, max(0, x) : x + width] = True
    return mask


def find_recurring(photos: Sequence[PhotoFeatures], others: Sequence[PhotoFeatures]) -> list[Tensor]:
    """Find the subject without masks: what recurs across its photos and not elsewhere (co-segmentation).

    Args:
        photos: Reference photos of one concept.
        others: Photos that do not show it; may be empty.

    Returns:
        For each photo the subject's cells: bool `[rows, cols]`, at least one cell each.
    """
    if not photos:
        return []
    # [rows, cols, width] a photo
    units = [torch.nn.functional.normalize(photo.patches, dim=-1) for photo in photos]
    against = [torch.nn.functional.normalize(photo.patches, dim=-1).flatten(0, 1) for photo in others]
    scores = []
    for number, unit in enumerate(units):
        flat = unit.flatten(0, 1)  # [cells, width]
        peers = [u.flatten(0, 1) for n, u in enumerate(units) if n != number]
        # What recurs in its photos but is also elsewhere is grass and sky.
        score = _recurrence(flat, peers) - _recurrence(flat, against)  # [cells]
        ys, xs = torch.linspace(-1, 1, unit.shape[0])[:, None], torch.linspace(-1, 1, unit.shape[1])[None, :]
        # People hold the camera on what they photograph: a small push to the middle decides a tie, no more.
        scores.append(score.view(unit.shape[:2]) + 0.1 * torch.exp(-(xs.square() + ys.square())))
    inside = [inside_photo(photo) for photo in photos]
    found = [_peak_region(score, on) for score, on in zip(scores, inside, strict=True)]
    # Once more, by what was found in all photos together: one photo's mistake is then outvoted by the others.
    together = torch.cat([unit[cells] for unit, cells in zip(units, found, strict=True)])  # [cells, width]
    direction = together.mean(dim=0)
    return [_peak_region(unit @ direction, on) for unit, on in zip(units, inside, strict=True)]


def _recurrence(cells: Tensor, peers: Sequence[Tensor]) -> Tensor:
    """Mean over photos of the best match of each cell there: `[cells]`; zero without photos."""
    if not peers:
        return torch.zeros(cells.shape[0])
    return torch.stack([(cells @ peer.T).amax(dim=1) for peer in peers]).mean(dim=0)


def _peak_region(score: Tensor, inside: Tensor) -> Tensor:
    """The region around the highest of `[rows, cols]` scores that lies on the photo: bool, same shape."""
    masked = score.masked_fill(~inside, -1e9)
    row, col = divmod(int(masked.argmax()), score.shape[1])
    level = split_level(score[inside])
    return connected_region((score >= level) & inside, (row, col))


def split_level(values: Tensor) -> float:
    """The level that splits values into two groups with the least variance within (Otsu 1979)."""
    ordered = values.flatten().sort().values
    count = ordered.shape[0]
    if count < 2 or float(ordered[-1] - ordered[0]) < 1e-6:
        return float(ordered[0])
    below = torch.arange(1, count)
    sums = ordered.cumsum(0)
    low = sums[:-1] / below
    high = (sums[-1] - sums[:-1]) / (count - below)
    between = below * (count - below) * (high - low).square()
    best = int(between.argmax())
    return float((ordered[best] + ordered[best + 1]) / 2)
