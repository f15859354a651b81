"""Finds the subject on reference photos that nobody marked: what recurs on them and on no other photo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import normalize

SUBJECT_SHARE = 0.15
"""How many of a photo's cells are taken for the subject."""

_CENTER_WEIGHT = 0.1
_NEAREST_OTHERS = 3
_UNTOLD_SHARE = 0.2


class CellMatches:
    """How well cells of photos match those of others, remembered from one time of learning to the next.

    After an answer most photos are the same; comparing them is what takes long.
    """

    def __init__(self) -> None:
        # By the identity of both photos' cells, which are kept with the result so that it stays theirs.
        self._before: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]] = {}
        self._now: dict[tuple[int, int], tuple[Tensor, Tensor, Tensor]] = {}
        self._units: dict[int, Tensor] = {}

    @contextmanager
    def learning(self) -> Iterator[None]:
        """Remember what is asked within the `with`, and forget what was asked before and is not asked now."""
        try:
            yield
        finally:
            self._before, self._now, self._units = self._now, {}, {}

    def best(self, cells: Tensor, photo: Tensor) -> Tensor:
        """Return for each of a photo's cells the cosine with the cell of another that is most like it.

        Args:
            cells: `[rows, cols, width]`.
            photo: In the same form.

        Returns:
            `[rows * cols]`.
        """
        key = (id(cells), id(photo))
        found = self._now.get(key) or self._before.get(key)
        if found is None:
            found = (cells, photo, (self._unit(cells) @ self._unit(photo).T).amax(dim=1))
        self._now[key] = found
        return found[2]

    def _unit(self, cells: Tensor) -> Tensor:
        if id(cells) not in self._units:
            self._units[id(cells)] = normalize(cells.flatten(0, 1), dim=1)
        return self._units[id(cells)]


def find_subject_cells(
    photos: Sequence[Tensor], others: Sequence[Tensor], matches: CellMatches | None = None
) -> list[Tensor]:
    """Find the cells of a subject.

    A cell counts by how well it matches a cell of each other reference photo, less how well it matches the
    nearest of the unrelated photos: few of them show the same lawn, and these are the ones that tell. The
    nearest fifth is passed over, as it may show the subject without anybody having said so. The middle of the
    photo gets a little more.

    Args:
        photos: Cells of each reference photo, `[rows, cols, width]`.
        others: Cells of photos that do not show the subject, in the same form; may be empty.
        matches: What is known of earlier times.

    Returns:
        For each reference photo bool `[rows, cols]`, `SUBJECT_SHARE` of them true, at least one.
    """
    known = matches or CellMatches()
    found = []
    for index, cells in enumerate(photos):
        rows, cols = cells.shape[:2]
        ys = torch.linspace(-1, 1, rows)[:, None]
        xs = torch.linspace(-1, 1, cols)[None, :]
        score = _CENTER_WEIGHT * torch.exp(-(xs.square() + ys.square())).flatten()
        peers = [known.best(cells, peer) for other, peer in enumerate(photos) if other != index]
        if peers:
            score = score + torch.stack(peers).mean(dim=0)
        if others:
            unrelated = torch.stack([known.best(cells, other) for other in others])
            passed_over = int(_UNTOLD_SHARE * len(others))
            ordered = unrelated.sort(dim=0, descending=True).values
            nearest = ordered[passed_over : passed_over + _NEAREST_OTHERS]
            score = score - nearest.mean(dim=0)
        mask = torch.zeros(rows * cols, dtype=torch.bool)
        mask[score.topk(max(1, round(SUBJECT_SHARE * rows * cols))).indices] = True
        found.append(mask.view(rows, cols))
    return found
