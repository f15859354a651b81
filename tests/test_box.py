from hypothesis import given
from hypothesis import strategies as st

from photopal.box import WHOLE_PHOTO, Box


@given(data=st.data())
def test_a_box_in_pixels_is_the_same_after_a_way_through_fractions(data):
    width_px, height_px = (data.draw(st.integers(1, 20_000)) for _ in range(2))
    x, y = data.draw(st.integers(0, width_px - 1)), data.draw(st.integers(0, height_px - 1))
    pixels = (x, y, data.draw(st.integers(1, width_px - x)), data.draw(st.integers(1, height_px - y)))
    assert Box.from_pixels(pixels, width_px, height_px).to_pixels(width_px, height_px) == pixels


def test_neighbours_in_fractions_are_neighbours_in_pixels():
    left, right = Box(0.0, 0.0, 0.33, 1.0), Box(0.33, 0.0, 0.33, 1.0)
    for width_px in range(1, 50):
        x, _, width, _ = left.to_pixels(width_px, 1)
        assert right.to_pixels(width_px, 1)[0] == x + width


def test_a_box_from_edges_ends_where_the_photo_ends():
    assert Box.from_edges(-0.2, 0.25, 0.5, 1.7) == Box(0.0, 0.25, 0.5, 0.75)
    assert Box.from_edges(-1, -1, 2, 2) == WHOLE_PHOTO
    assert (Box(0.25, 0.5, 0.5, 0.25).right, Box(0.25, 0.5, 0.5, 0.25).bottom) == (0.75, 0.75)
