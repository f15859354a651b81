"""Marks and labels are drawn on copies, within the picture."""

import numpy as np
import pytest
from PIL import Image

from photopal.box import Box
from photopal.prompts import Label, Mark, draw_labels, draw_marks


@pytest.fixture
def photo() -> Image.Image:
    return Image.new("RGB", (120, 90), (30, 90, 160))


def test_the_original_is_untouched_and_the_copy_is_marked(photo):
    before = photo.tobytes()
    marked = draw_marks(photo, [Mark(1, 0.5, 0.5), Mark(12, 0.0, 1.0)])
    labelled = draw_labels(photo, [Label("1 Anna", Box(0.1, 0.2, 0.3, 0.4))])
    assert photo.tobytes() == before
    assert marked.size == photo.size
    assert marked.tobytes() != before
    assert labelled.size == (720, 540)


def test_a_mark_lies_where_it_is_said(photo):
    marked = np.asarray(draw_marks(photo, [Mark(1, 0.25, 0.5)])).astype(int)
    changed = np.argwhere(np.abs(marked - np.asarray(photo)).sum(axis=2) > 0)
    assert abs(changed[:, 1].mean() - 30) < 1.5
    assert abs(changed[:, 0].mean() - 45) < 1.5


def test_names_at_the_edges_and_of_every_script_can_be_drawn(photo):
    boxes = [(0.0, 0.0, 1.0, 1.0), (0.9, 0.9, 0.1, 0.1), (0.0, 0.0, 1.0, 1.0)]
    names = [
        "a very long name that does not fit into the picture at all, whatever is done",
        "Анна",
        "安娜 🐕",
    ]
    drawn = draw_labels(photo, [Label(name, Box(*box)) for name, box in zip(names, boxes, strict=True)])
    assert drawn.mode == "RGB"


def test_a_large_photo_keeps_its_size():
    assert draw_labels(Image.new("RGB", (700, 500)), []).size == (700, 500)
