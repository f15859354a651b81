"""A box in a photo, in one unit for every room; knows no photo."""

from __future__ import annotations

from typing import NamedTuple, Self

PixelBox = tuple[int, int, int, int]
"""x, y, width, height in pixels of the upright photo: as the user gives a box, and as it is stored."""


class Box(NamedTuple):
    """A rectangle in fractions of the upright photo, from its top left corner.

    What a vision tower sees may be larger than the photo (see `PhotoFeatures.frame`): then x and y are
    negative, and width and height above 1.
    """

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends, from the left."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Where it ends, from the top."""
        return self.y + self.height

    @classmethod
    def from_edges(cls, left: float, top: float, right: float, bottom: float) -> Self:
        """The box between four edges, in fractions of the photo; what lies outside the photo is cut off."""
        left, top, right, bottom = (min(1.0, max(0.0, edge)) for edge in (left, top, right, bottom))
        return cls(left, top, right - left, bottom - top)

    @classmethod
    def from_pixels(cls, box: PixelBox, width_px: int, height_px: int) -> Self:
        """The box with these pixels, in a photo of this size."""
        x, y, width, height = box
        return cls(x / width_px, y / height_px, width / width_px, height / height_px)

    def to_pixels(self, width_px: int, height_px: int) -> PixelBox:
        """x, y, width, height in pixels of a photo of this size, with every edge at the nearest pixel."""
        x, y = round(self.x * width_px), round(self.y * height_px)
        return (x, y, round(self.right * width_px) - x, round(self.bottom * height_px) - y)


WHOLE_PHOTO = Box(0.0, 0.0, 1.0, 1.0)
