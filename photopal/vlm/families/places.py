"""Where on a photo each of its tokens lies, by what a processor makes of test pictures; knows no family.

Four pictures of the photo's size, black, white, and brighter to the right and downwards, tell for each
number that goes into the tower where on the photo it comes from: whatever the processor crops, pads, cuts
into tiles or lays out as patches. Where that does not fit the number of tokens, the tower is asked: stripes
of a picture are changed one after another, and each token lies where a change moves it most.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Prepare = Callable[[Image.Image], Tensor]
Encode = Callable[[Image.Image], Tensor]

_STRIPES = 12
_MOST_CELLS = 96  # a side
_KNOWN_SHARE = 1e-3
_LONGEST_RATIO = math.log(1.3)


@dataclass(frozen=True, eq=False)
class Places:
    """The places of a photo's tokens, and the finest regular grid that they fill.

    Attributes:
        centers: `[tokens, 2]` x and y in fractions of the photo; nan for tokens that lie nowhere.
        is_fine: bool `[tokens]`: whether a token is as small as the smallest; those of overviews are not.
        grid: Rows and columns over the whole photo.
    """

    centers: Tensor
    is_fine: Tensor
    grid: tuple[int, int]

    @property
    def is_row_by_row(self) -> bool:
        """Whether the tokens fill the grid, one a cell, row by row."""
        cells = torch.arange(self.grid[0] * self.grid[1])
        return torch.equal(self.cells_on(self.grid), cells)

    def cells_on(self, grid: tuple[int, int]) -> Tensor:
        """`[tokens]` int64: the cell of a grid over the photo, counted row by row, of each; -1 for none."""
        rows, cols = grid
        is_placed = ~self.centers.isnan().any(dim=1)
        x, y = self.centers.nan_to_num().unbind(dim=1)
        cells = (y * rows).long().clamp(0, rows - 1) * cols + (x * cols).long().clamp(0, cols - 1)
        return torch.where(is_placed, cells, -1)

    def lay_out(self, tokens: Tensor) -> Tensor:
        """`[tokens, width]` vectors on the grid, float32 `[rows, cols, width]` on the CPU.

        A cell has the mean of the fine tokens within; one without any has those of the nearest.
        """
        rows, cols = self.grid
        cells = self.cells_on(self.grid)
        is_used = self.is_fine & (cells >= 0)
        vectors, cells = tokens.detach().cpu().float()[is_used], cells[is_used]
        sums = torch.zeros(rows * cols, vectors.shape[1]).index_add_(0, cells, vectors)
        counts = torch.bincount(cells, minlength=rows * cols)
        means = sums / counts.clamp(min=1)[:, None]
        if bool((empty := counts == 0).any()):
            ys, xs = torch.meshgrid(
                (torch.arange(rows) + 0.5) / rows, (torch.arange(cols) + 0.5) / cols, indexing="ij"
            )
            middles = torch.stack([xs.flatten(), ys.flatten()], dim=1)
            nearest = torch.cdist(middles[empty], self.centers[is_used]).argmin(dim=1)
            means[empty] = means[cells[nearest]]
        return means.view(rows, cols, -1)


def places_on_grid(rows: int, cols: int) -> Places:
    """The places of tokens that lie row by row on a regular grid over the whole photo."""
    ys, xs = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows, (torch.arange(cols) + 0.5) / cols, indexing="ij"
    )
    centers = torch.stack([xs.flatten(), ys.flatten()], dim=1)
    return Places(centers, torch.ones(rows * cols, dtype=torch.bool), (rows, cols))


@dataclass(frozen=True, eq=False)
class Sources:
    """Where on a photo the numbers that go into a tower come from.

    Attributes:
        xs: x in fractions of the photo, nan for padding: `[..., channels, height, width]`, or patches as
            `[patches, numbers]` or `[tiles, patches, numbers]`.
        ys: y, the same.
    """

    xs: Tensor
    ys: Tensor

    @property
    def is_pictures(self) -> bool:
        """Whether the tower takes pictures, and no patches."""
        return self.xs.ndim >= 4

    def places(self, tokens: int) -> Places | None:
        """The places of so many tokens; None where they cannot be equal parts of what goes in."""
        find = _tile_centers if self.is_pictures else _patch_centers
        of_tiles = find(self.xs, self.ys, tokens)
        if of_tiles is None:
            return None
        widths, heights = (
            [_step(centers.view(*grid, 2)[..., axis].nanmean(dim=axis)) for centers, grid in of_tiles]
            for axis in (0, 1)
        )
        width, height = min(widths), min(heights)
        is_fine = [
            torch.full((len(centers),), w < 1.5 * width and h < 1.5 * height)
            for (centers, _), w, h in zip(of_tiles, widths, heights, strict=True)
        ]
        grid = (_count(1 / height), _count(1 / width))
        return Places(torch.cat([centers for centers, _ in of_tiles]), torch.cat(is_fine), grid)


def _count(cells: float) -> int:
    return min(_MOST_CELLS, max(1, round(cells)))


def _step(line: Tensor) -> float:
    """How far apart the tokens of a row or a column are; 1 where there is one only."""
    known = line[~line.isnan()]
    if len(known) < 2:
        return 1.0
    return max(1 / _MOST_CELLS, float((known[-1] - known[0]).abs()) / (len(known) - 1))


def find_sources(size: tuple[int, int], prepare: Prepare) -> Sources:
    """Find where the numbers for the tower come from on photos of a size.

    Args:
        size: Width and height in pixels.
        prepare: What the processor makes of a picture for the tower.
    """
    width, height = size
    right = np.broadcast_to(np.linspace(0, 255, width), (height, width))
    down = np.broadcast_to(np.linspace(0, 255, height)[:, None], (height, width))
    flat = np.zeros((height, width))
    pictures = (flat, flat + 255, right, down)
    black, white, xs, ys = (
        prepare(Image.fromarray(np.rint(picture).astype(np.uint8)).convert("RGB")).float().cpu()
        for picture in pictures
    )
    span = white - black
    span = torch.where(span.abs() > _KNOWN_SHARE * span.abs().max(), span, torch.nan)
    return Sources((xs - black) / span, (ys - black) / span)


_Tiles = list[tuple[Tensor, tuple[int, int]]]


def _tile_centers(xs: Tensor, ys: Tensor, tokens: int) -> _Tiles | None:
    """The centers of each tile's tokens, and its grid; None where the tokens are none of equal grids."""
    height, width = xs.shape[-2:]
    # [tiles, 2, height, width], the mean of all channels
    places = torch.stack([axis.flatten(0, -4).nanmean(dim=1) for axis in (xs, ys)], dim=1)
    places = places[~places.isnan().flatten(1).all(dim=1)]  # tiles of padding only are not encoded
    tiles = len(places)
    if (
        not tiles
        or tokens < tiles
        or tokens % tiles
        or (grid := _grid(tokens // tiles, height, width)) is None
    ):
        return None
    known = (~places.isnan()).float()
    pool = torch.nn.functional.adaptive_avg_pool2d
    shares = pool(known, grid)
    centers = pool(places.nan_to_num(), grid) / torch.where(shares > 0.05, shares, torch.nan)
    return [(tile.flatten(1).T, grid) for tile in centers]


def _grid(tokens: int, height: int, width: int) -> tuple[int, int] | None:
    """Rows and columns of so many tokens in the shape of a picture; None where there are none like it."""
    grids = [(rows, tokens // rows) for rows in range(1, tokens + 1) if tokens % rows == 0]

    def difference(grid: tuple[int, int]) -> float:
        return abs(math.log(grid[0] * width / (grid[1] * height)))

    best = min(grids, key=difference)
    return best if difference(best) < _LONGEST_RATIO else None


def _patch_centers(xs: Tensor, ys: Tensor, tokens: int) -> _Tiles | None:
    """The same for patches: a token joins one, four, nine … of them, in rows or next to one another."""
    places = torch.stack([axis.nanmean(dim=-1) for axis in (xs, ys)], dim=-1)  # [..., patches, 2]
    tiles = [tile[~tile.isnan().any(dim=1)] for tile in places.view(-1, *places.shape[-2:])]
    tiles = [tile for tile in tiles if len(tile)]
    joined, rest = divmod(sum(map(len, tiles)), tokens)
    side = math.isqrt(joined)
    if rest or not joined or side * side != joined:
        return None
    centers: _Tiles = []
    for tile in tiles:
        jumps = torch.nonzero((tile[1:, 1] - tile[:-1, 1]).abs() > 0.25 / math.sqrt(len(tile)))
        # The patches up to the first that is not in the first one's row.
        cols = int(jumps[0]) + 1 if len(jumps) else len(tile)
        if len(tile) % joined:
            return None
        if cols == side:
            points = tile.view(-1, joined, 2).mean(dim=1)
            starts = torch.nonzero(points[1:, 0] < points[:-1, 0])
            cols = int(starts[0]) + 1 if len(starts) else len(points)
        elif cols % side or len(tile) % (cols * side):
            return None
        else:
            rows = len(tile) // cols
            blocks = tile.view(rows // side, side, cols // side, side, 2)
            points, cols = blocks.mean(dim=(1, 3)).flatten(0, 1), cols // side
        if len(points) % cols:
            return None
        centers.append((points, (len(points) // cols, cols)))
    return centers


def places_by_stripes(size: tuple[int, int], tokens: int, encode: Encode) -> Places:
    """Find the places of tokens by which stripe of a picture moves them most.

    Args:
        size: Width and height in pixels.
        tokens: How many tokens such a photo has.
        encode: The `[tokens, hidden]` tokens of a picture.
    """
    width, height = size
    rng = np.random.default_rng(0)
    coarse = rng.integers(64, 192, (24, 24, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
    plain = encode(Image.fromarray(picture)).float()
    coordinates = []
    for axis, length in ((1, width), (0, height)):
        edges = np.linspace(0, length, _STRIPES + 1).astype(int)
        moved = []
        for first, last in itertools.pairwise(edges):
            changed = picture.copy()
            stripe = (slice(None), slice(first, last)) if axis else slice(first, last)
            changed[stripe] = 255 - changed[stripe]
            moved.append((encode(Image.fromarray(changed)).float() - plain).norm(dim=1).cpu())
        moves = torch.stack(moved)  # [stripes, tokens]
        most = moves.max(dim=0).values
        weights = (moves - 0.6 * most).clamp(min=0)
        middles = (torch.arange(_STRIPES) + 0.5) / _STRIPES
        place = (weights * middles[:, None]).sum(dim=0) / weights.sum(dim=0)
        # What no change moves, such as the end of a row, lies nowhere.
        coordinates.append(torch.where(most > 0.05 * most.median(), place, torch.nan))
    centers = torch.stack(coordinates, dim=1)
    placed = int((~centers.isnan().any(dim=1)).sum())
    cols = min(2 * _STRIPES, _count(math.sqrt(placed * width / height)))
    rows = min(2 * _STRIPES, _count(placed / cols))
    return Places(centers, torch.ones(tokens, dtype=torch.bool), (rows, cols))
