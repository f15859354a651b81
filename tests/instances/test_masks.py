import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from photopal.instances.masks import CellMatches, find_subject_cells

WIDTH, SIDE = 16, 10
GENERATOR = torch.Generator().manual_seed(3)
SUBJECT, LAWN = normalize(torch.randn(2, WIDTH, generator=GENERATOR), dim=1)


def photo(corner: tuple[int, int] | None, *, has_lawn: bool = False) -> Tensor:
    """Noise with a subject of four by four cells, above a lawn that takes the lowest three rows."""
    cells = torch.randn(SIDE, SIDE, WIDTH, generator=GENERATOR)
    if has_lawn:
        cells[7:] = 4 * LAWN
    if corner is not None:
        row, col = corner
        cells[row : row + 4, col : col + 4] = 4 * SUBJECT
    return cells + 0.1 * torch.randn(cells.shape, generator=GENERATOR)


def share_on_subject(masks: list[Tensor], corners: list[tuple[int, int]]) -> float:
    hits = sum(int(mask[r : r + 4, c : c + 4].sum()) for mask, (r, c) in zip(masks, corners, strict=True))
    return hits / sum(int(mask.sum()) for mask in masks)


def test_the_subject_is_what_recurs_wherever_it_is() -> None:
    corners = [(0, 0), (3, 5), (1, 6)]
    masks = find_subject_cells([photo(corner) for corner in corners], [photo(None) for _ in range(6)])
    assert all(int(mask.sum()) == 15 for mask in masks)
    assert share_on_subject(masks, corners) == 1.0


def test_a_lawn_that_recurs_on_a_few_other_photos_is_not_the_subject() -> None:
    corners = [(0, 0), (3, 5), (1, 6)]
    references = [photo(corner, has_lawn=True) for corner in corners]
    others = [photo(None, has_lawn=number < 5) for number in range(10)]
    assert share_on_subject(find_subject_cells(references, others), corners) > 0.95


def test_a_few_photos_that_show_the_subject_untold_do_not_hide_it() -> None:
    corners = [(0, 0), (3, 5), (1, 6)]
    others = [photo((2, 2) if number < 2 else None) for number in range(12)]
    assert share_on_subject(find_subject_cells([photo(corner) for corner in corners], others), corners) > 0.95


def test_photos_that_were_compared_before_are_not_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    unit = CellMatches._unit
    monkeypatch.setattr(
        CellMatches, "_unit", lambda self, cells: compared.append(id(cells)) or unit(self, cells)
    )
    references, others = [photo((0, 0)), photo((3, 5))], [photo(None) for _ in range(6)]
    matches = CellMatches()
    for added, number in (([], 14), ([photo(None)], 2), ([], 0)):
        others = [*others[:6], *added]
        compared.clear()
        with matches.learning():
            found = find_subject_cells(references, others, matches)
        assert len(compared) == 2 * number
        assert all(map(torch.equal, found, find_subject_cells(references, others)))


def test_a_single_reference_photo_has_its_subject_in_the_middle() -> None:
    (mask,) = find_subject_cells([torch.ones(10, 10, WIDTH)], [])
    rows, cols = mask.nonzero(as_tuple=True)
    assert int(rows.min()) >= 2
    assert int(rows.max()) <= 7
    assert int(cols.min()) >= 2
    assert int(cols.max()) <= 7
