"""Which patches show the subject: by mask, by box, by what recurs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from photopal.box import WHOLE_PHOTO, Box
from photopal.concepts.localize import (
    box_mask,
    cells_extent,
    find_recurring,
    grid_cover,
    inside_photo,
    mask_cells,
)
from photopal.config import bundled_model_path
from photopal.errors import ConceptError
from photopal.vlm.protocol import PhotoFeatures


def test_the_cover_of_all_cells_adds_up_to_the_mask():
    mask = np.random.default_rng(3).random((37, 53)) > 0.6
    cover = grid_cover(mask, (37, 53), WHOLE_PHOTO)
    assert torch.equal(cover.bool(), torch.from_numpy(mask))
    halves = grid_cover(np.tile([True, False], (8, 4)), (1, 4), WHOLE_PHOTO)
    assert torch.allclose(halves, torch.full((1, 4), 0.5))


def test_a_padded_photo_has_its_cells_in_the_middle():
    wide = np.ones((50, 100), dtype=bool)
    cells = mask_cells(wide, (4, 4), (0.0, -0.5, 1.0, 2.0))
    assert cells.any(dim=1).tolist() == [False, True, True, False]


def test_a_tiny_mask_still_has_the_cell_it_covers_most():
    mask = np.zeros((100, 100), dtype=bool)
    mask[61, 30] = True
    assert mask_cells(mask, (8, 8), WHOLE_PHOTO).nonzero().tolist() == [[4, 2]]


def test_an_empty_mask_is_refused():
    with pytest.raises(ConceptError, match="does not cover any part"):
        mask_cells(np.zeros((9, 9), dtype=bool), (3, 3), WHOLE_PHOTO)


def test_the_extent_of_a_boxs_cells_is_the_box():
    cells = mask_cells(box_mask((25, 50, 50, 25), (100, 100)), (4, 4), WHOLE_PHOTO)
    assert cells_extent(cells, WHOLE_PHOTO) == Box(0.25, 0.5, 0.5, 0.25)


def planted(seed: int, place: tuple[int, int], subject: torch.Tensor | None) -> PhotoFeatures:
    generator = torch.Generator().manual_seed(seed)
    patches = torch.randn(8, 8, 32, generator=generator)
    if subject is not None:
        patches[place[0] : place[0] + 3, place[1] : place[1] + 2] += 2 * subject
    return PhotoFeatures(patches.flatten(0, 1), (8, 8), patches, WHOLE_PHOTO)


def test_what_recurs_across_photos_is_found_wherever_it_stands():
    subject = torch.randn(32, generator=torch.Generator().manual_seed(9))
    places = [(0, 0), (4, 5), (2, 3), (5, 1)]
    photos = [planted(seed, place, subject) for seed, place in enumerate(places)]
    others = [planted(20 + seed, (0, 0), None) for seed in range(4)]
    for found, (row, col) in zip(find_recurring(photos, others), places, strict=True):
        truth = torch.zeros(8, 8, dtype=torch.bool)
        truth[row : row + 3, col : col + 2] = True
        assert int((found & truth).sum()) >= 5
        assert int((found & ~truth).sum()) <= 4


def test_one_photo_alone_still_gives_some_cells():
    assert find_recurring([planted(1, (3, 3), torch.ones(32))], [])[0].any()


@pytest.mark.parametrize("frame", [(0.0, -7.5, 1.0, 16.0), (-7.5, 0.0, 16.0, 1.0)])
def test_a_photo_narrower_than_a_cell_has_the_cells_in_its_middle(frame):
    photo = replace(planted(1, (3, 3), torch.ones(32)), frame=Box(*frame))
    inside = inside_photo(photo)
    assert int(inside.sum()) == 8
    for found in find_recurring([photo, planted(2, (0, 0), torch.ones(32))], [photo]):
        assert found.any()
    assert not bool((find_recurring([photo], [])[0] & ~inside).any())


@pytest.mark.slow
@pytest.mark.skipif(
    not (bundled_model_path() / "config.json").exists(), reason="the bundled weights are not here"
)
def test_the_bundled_model_finds_drawn_subjects_much_better_than_chance():
    import random

    from photopal.lab.synthetic.drawing import draw_photo
    from photopal.lab.synthetic.identity import draw_identity
    from photopal.lab.synthetic.scene import plan_scene
    from photopal.vlm import load_model

    model = load_model(device="cpu")
    right, chance = [], []
    for seed in range(3):
        rng = random.Random(seed)
        who = draw_identity(rng)
        photos = [draw_photo(plan_scene([who], rng)) for _ in range(4)]
        others = [draw_photo(plan_scene([], rng, bystanders=1)) for _ in range(4)]
        features = model.encode_photos([photo.image for photo in photos])
        found = find_recurring(features, model.encode_photos([photo.image for photo in others]))
        for photo, seen, cells in zip(photos, features, found, strict=True):
            truth = mask_cells(photo.mask(0), (cells.shape[0], cells.shape[1]), seen.frame)
            right.append(float((cells & truth).sum() / cells.sum()))
            chance.append(float(truth.float().mean()))
    assert sum(right) > 2 * sum(chance)
