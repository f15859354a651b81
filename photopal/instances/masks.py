"""Finds the subject on reference photos that nobody marked: what recurs on them and on no other photo."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

SUBJECT_SHARE = 0.15
"""How many of a photo's cells are taken for the subject."""

_CENTER_WEIGHT = 0.1
_NEAREST_OTHERS = 3
_UNTOLD_SHARE = 0.2


def find_subject_cells(photos: Sequence[Tensor], others: Sequence[Tensor]) -> list[Tensor]:
    """Find the cells of a subject.

    A cell counts by how well it matches a cell of each other reference photo, less how well it matches the
    nearest of the unrelated photos: few of them show the same lawn, and these are the ones that tell. The
    nearest fifth is passed over, as it may show the subject without anybody having said so. The middle of the
    photo gets a little more.

    Args:
        photos: Cells of each reference photo, `[rows, cols, width]`.
        others: Cells of photos that do not show the subject, in the same form; may be empty.

    Returns:
        For each reference photo bool `[rows, cols]`, `SUBJECT_SHARE` of them true, at least one.
    """
    units = [normalize(cells.flatten(0, 1), dim=1) for cells in photos]
    unrelated = [normalize(cells.flatten(0, 1), dim=1) for cells in others]
    found = []
    for index, cells in enumerate(photos):
        rows, cols = cells.shape[:2]
        ys = torch.linspace(-1, 1, rows)[:, None]
        xs = torch.linspace(-1, 1, cols)[None, :]
        score = _CENTER_WEIGHT * torch.exp(-(xs.square() + ys.square())).flatten()
        peers = [unit for other, unit in enumerate(units) if other != index]
        if peers:
            score = score + _best_matches(units[index], peers).mean(dim=0)
        if unrelated:
            matches = _best_matches(units[index], unrelated)
            passed_over = int(_UNTOLD_SHARE * len(unrelated))
            nearest = matches.sort(dim=0, descending=True).values[passed_over : passed_over + _NEAREST_OTHERS]
            score = score - nearest.mean(dim=0)
        mask = torch.zeros(rows * cols, dtype=torch.bool)
        mask[score.topk(max(1, round(SUBJECT_SHARE * rows * cols))).indices] = True
        found.append(mask.view(rows, cols))
    return found


def _best_matches(cells: Tensor, photos: Sequence[Tensor]) -> Tensor:
    """Of each photo the cell most like each of `[cells, width]`: cosines `[photos, cells]`."""
    return torch.stack([(cells @ photo.T).amax(dim=1) for photo in photos])
