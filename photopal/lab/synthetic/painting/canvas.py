"""A canvas that paints colors and, beside them, who covers each pixel; knows nothing of what it paints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

Color = tuple[int, int, int]
Point = tuple[float, float]

COLORS: dict[str, Color] = {
    "black": (38, 36, 40),
    "white": (244, 243, 238),
    "grey": (140, 142, 148),
    "brown": (120, 78, 46),
    "blond": (232, 196, 98),
    "red": (206, 52, 44),
    "ginger": (222, 128, 50),
    "cream": (240, 218, 176),
    "blue": (52, 98, 204),
    "pink": (238, 120, 176),
    "green": (58, 150, 74),
    "yellow": (246, 204, 52),
    "orange": (240, 136, 42),
    "purple": (132, 74, 170),
}


def shade(color: Color, factor: float) -> Color:
    """Darken (factor < 1) or lighten (factor > 1) a color."""
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in color)
    return (red, green, blue)


THING = 128
"""Added to a subject's number in the owner map where its thing is painted."""


@dataclass
class Canvas:
    """An RGB picture and an owner map of the same size.

    Attributes:
        image: What is seen.
        owners: One byte a pixel: 0 for nobody, else the subject's number, with `THING` added where it is
            something that the subject holds or plays with.
        owner: The number that is painted from now on.
    """

    image: Image.Image
    owners: Image.Image
    owner: int = 0
    _ink: ImageDraw.ImageDraw = field(init=False)
    _mark: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the two drawing surfaces."""
        self._ink = ImageDraw.Draw(self.image)
        self._mark = ImageDraw.Draw(self.owners)

    @classmethod
    def blank(cls, width_px: int, height_px: int, color: Color = (200, 220, 240)) -> Canvas:
        """Start with one color and no owners."""
        size = (width_px, height_px)
        return cls(Image.new("RGB", size, color), Image.new("L", size, 0))

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.image.height

    def ellipse(self, box: Sequence[float], color: Color) -> None:
        """Fill an ellipse within (left, top, right, bottom)."""
        bounds = _ordered(box)
        self._ink.ellipse(bounds, fill=color)
        self._mark.ellipse(bounds, fill=self.owner)

    def pie(self, box: Sequence[float], start: float, end: float, color: Color) -> None:
        """Fill a slice of an ellipse, in degrees clockwise from three o'clock."""
        bounds = _ordered(box)
        self._ink.pieslice(bounds, start, end, fill=color)
        self._mark.pieslice(bounds, start, end, fill=self.owner)

    def rectangle(self, box: Sequence[float], color: Color, *, radius: float = 0.0) -> None:
        """Fill a rectangle, its corners rounded by a radius in pixels."""
        bounds = _ordered(box)
        if radius >= 1:
            self._ink.rounded_rectangle(bounds, radius, fill=color)
            self._mark.rounded_rectangle(bounds, radius, fill=self.owner)
        else:
            self._ink.rectangle(bounds, fill=color)
            self._mark.rectangle(bounds, fill=self.owner)

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """Fill a polygon."""
        self._ink.polygon(points, fill=color)
        self._mark.polygon(points, fill=self.owner)

    def line(self, points: Sequence[Point], color: Color, width: float) -> None:
        """Draw a line of a width in pixels, its ends round where it is thick."""
        whole = max(1, round(width))
        self._ink.line(points, fill=color, width=whole, joint="curve")
        self._mark.line(points, fill=self.owner, width=whole, joint="curve")
        if whole > 3:
            for x, y in (points[0], points[-1]):
                r = width / 2
                self.ellipse((x - r, y - r, x + r, y + r), color)

    def arc(self, box: Sequence[float], start: float, end: float, color: Color, width: float) -> None:
        """Draw part of an ellipse's outline."""
        self._ink.arc(_ordered(box), start, end, fill=color, width=max(1, round(width)))


def _ordered(box: Sequence[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return (min(left, right), min(top, bottom), max(left, right), max(top, bottom))


@dataclass(frozen=True)
class Pen:
    """Paints a figure in its own units: x to the right, y up from the feet, 1.0 is the figure's height.

    Attributes:
        canvas: Where it paints.
        x: Where the feet are, in pixels.
        y: Where the ground is, in pixels.
        unit: The figure's height in pixels.
        is_mirrored: Whether left and right are exchanged.
    """

    canvas: Canvas
    x: float
    y: float
    unit: float
    is_mirrored: bool = False

    def at(self, x: float, y: float) -> Point:
        """Turn figure units into pixels."""
        return (self.x + (-x if self.is_mirrored else x) * self.unit, self.y - y * self.unit)

    def ellipse(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """Fill an ellipse around (x, y)."""
        self.canvas.ellipse(self._around(x, y, rx, ry), color)

    def pie(self, center: Point, radii: Point, span: tuple[float, float], color: Color) -> None:
        """Fill a slice of an ellipse; span in degrees clockwise from three o'clock."""
        start, end = span
        if self.is_mirrored:
            start, end = 180 - end, 180 - start
        self.canvas.pie(self._around(*center, *radii), start, end, color)

    def box(self, corners: tuple[float, float, float, float], color: Color, radius: float = 0.0) -> None:
        """Fill a rectangle given as (left, bottom, right, top)."""
        left, bottom, right, top = corners
        self.canvas.rectangle(
            (*self.at(left, top), *self.at(right, bottom)), color, radius=radius * self.unit
        )

    def polygon(self, points: Sequence[Point], color: Color) -> None:
        """Fill a polygon."""
        self.canvas.polygon([self.at(*point) for point in points], color)

    def line(self, points: Sequence[Point], color: Color, width: float) -> None:
        """Draw a line; the width is in figure units."""
        self.canvas.line([self.at(*point) for point in points], color, width * self.unit)

    def arc(
        self, center: Point, radii: Point, span: tuple[float, float], color: Color, width: float = 0.012
    ) -> None:
        """Draw part of an ellipse's outline; span in degrees clockwise from three o'clock."""
        start, end = span
        if self.is_mirrored:
            start, end = 180 - end, 180 - start
        self.canvas.arc(self._around(*center, *radii), start, end, color, width * self.unit)

    def _around(self, x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
        px, py = self.at(x, y)
        return (px - rx * self.unit, py - ry * self.unit, px + rx * self.unit, py + ry * self.unit)
