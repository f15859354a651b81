"""Photos of any shape become grids whose frame says what of the photo they cover."""

import pytest
import torch

from photopal.box import Box
from photopal.vlm.features import pad_to_square, shrink_frame, square_grid


def test_a_wide_photo_is_padded_above_and_below(llava, tools):
    features = llava.encode_photos([tools.picture(200, 100)])[0]
    assert features.frame == (0.0, -0.5, 1.0, 2.0)
    assert features.token_grid == (8, 8)
    assert features.tokens.shape == (64, llava.hidden_size)
    assert features.patches.shape == (8, 8, 48)
    assert features.patches.dtype == torch.float32


def test_a_tall_photo_is_padded_left_and_right(llava, tools):
    features = llava.encode_photos([tools.picture(100, 200)])[0]
    assert features.frame == (-0.5, 0.0, 2.0, 1.0)


def test_a_square_photo_is_its_own_frame(llava, picture):
    assert llava.encode_photos([picture])[0].frame == (0.0, 0.0, 1.0, 1.0)


def test_nothing_of_a_photo_is_lost_by_padding(tools):
    picture = tools.picture(130, 71)
    square, (x, y, width, height) = pad_to_square(picture, (10, 20, 30))
    assert square.size == (130, 130)
    left, top = round(-x * 130), round(-y * 71)
    assert square.crop((left, top, left + 130, top + 71)).tobytes() == picture.tobytes()
    assert square.getpixel((0, 0)) == (10, 20, 30)
    assert (width, height) == (1.0, 130 / 71)


def test_a_centre_crop_shrinks_the_frame():
    assert shrink_frame(Box(0.0, -0.5, 1.0, 2.0), 0.5) == (0.25, 0.0, 0.5, 1.0)


def test_tokens_that_fill_no_square_stand_in_a_row():
    assert square_grid(64) == (8, 8)
    assert square_grid(65) == (1, 65)


def test_the_raw_patches_are_those_the_projector_sees(llava, picture):
    features = llava.encode_photos([picture])[0]
    projector = llava._checkpoint.model.model.multi_modal_projector
    with torch.no_grad():
        projected = projector(features.patches.reshape(64, -1))
    torch.testing.assert_close(projected, features.tokens, atol=1e-5, rtol=1e-5)


def test_patches_change_where_the_photo_changes(llava, picture):
    """Row-major order: a mark in the lower left corner changes the lower left patch most."""
    marked = picture.copy()
    marked.paste((255, 0, 0), (0, 112, 16, 128))
    before, after = llava.encode_photos([picture, marked])
    change = (after.patches - before.patches).norm(dim=-1)
    assert divmod(int(change.argmax()), 8) == (7, 0)


@pytest.mark.parametrize("loaded", ["tiny_smolvlm", "tiny_qwen"], indirect=True)
def test_a_changed_corner_changes_its_token_most(loaded, picture):
    marked = picture.copy()
    marked.paste((255, 0, 0), (0, 96, 32, 128))
    before, after = loaded.encode_photos([picture, marked])
    rows, cols = before.patches.shape[:2]
    change = (after.patches - before.patches).norm(dim=-1)
    row, col = divmod(int(change.argmax()), cols)
    assert row >= rows * 3 // 4
    assert col < cols // 4 + (cols < 4)


@pytest.mark.parametrize("loaded", ["tiny_smolvlm", "tiny_qwen"], indirect=True)
def test_families_with_grids_of_their_own_cover_the_whole_photo(loaded, tools):
    features = loaded.encode_photos([tools.picture(224, 112)])[0]
    assert features.frame == (0.0, 0.0, 1.0, 1.0)
    assert features.token_grid[0] * features.token_grid[1] == features.tokens.shape[0]


@pytest.mark.parametrize("loaded", ["tiny_qwen"], indirect=True)
def test_a_native_grid_has_the_photos_aspect(loaded, tools):
    features = loaded.encode_photos([tools.picture(224, 112)])[0]
    assert features.token_grid[1] == 2 * features.token_grid[0]
    assert features.model_inputs["image_grid_thw"].shape == (1, 3)


def test_no_photos_give_no_features(llava):
    assert llava.encode_photos([]) == []
