"""Draws who was found where on a copy of a photo, as people and as the model see it; writes no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photopal.prompts import Label, Mark, draw_labels, draw_marks

if TYPE_CHECKING:
    from PIL import Image

    from photopal.answers.assistant import View


def draw_view(view: View) -> Image.Image:
    """Box, number and name of everyone who counts as seen, numbered from left to right as for the model."""
    labels, marks = [], []
    for number, sighting in enumerate(view.present, start=1):
        labels.append(Label(f"{number} {sighting.concept.name}", sighting.box))
        marks.append(Mark(number, *sighting.mark_point))
    return draw_marks(draw_labels(view.image, labels), marks)
