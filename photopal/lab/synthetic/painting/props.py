"""Paints what people and pets hold and play with; knows nothing of who does."""

from __future__ import annotations

from collections.abc import Callable

from photopal.lab.synthetic.painting.canvas import COLORS, Color, Pen, shade

PERSON_ACTIVITIES = (
    "standing",
    "waving",
    "flying a kite",
    "playing the guitar",
    "eating an ice cream",
    "holding an umbrella",
    "holding a balloon",
    "playing with a ball",
    "reading a book",
    "riding a bicycle",
    "holding a cake",
    "taking a photo",
)
PET_ACTIVITIES = ("sitting", "running", "sleeping", "playing with a ball")
PARROT_ACTIVITIES = ("sitting", "flying")
ACTIVITIES = tuple(dict.fromkeys((*PERSON_ACTIVITIES, *PET_ACTIVITIES, *PARROT_ACTIVITIES)))
"""Everything anybody does, each once."""


def paint_prop(pen: Pen, activity: str, color_name: str) -> None:
    """Paint what goes with an activity, if anything does."""
    painter = _PAINTERS.get(activity)
    if painter is not None:
        painter(pen, COLORS[color_name])


def paint_ball(pen: Pen, x: float, y: float, radius: float) -> None:
    """Paint a beach ball."""
    pen.ellipse(x, y, radius, radius, (246, 246, 242))
    for start, color in ((0, "red"), (120, "blue"), (240, "yellow")):
        pen.pie((x, y), (radius, radius), (start, start + 60), COLORS[color])


def _paint_kite(pen: Pen, color: Color) -> None:
    x, y, foot = 0.38, 1.24, 1.06
    pen.line([(0.32, 0.94), (x, foot)], (250, 250, 250), 0.014)
    tail = [(x, foot), (x + 0.08, foot - 0.05), (x + 0.1, foot - 0.15), (x + 0.17, foot - 0.2)]
    pen.line(tail, (250, 250, 250), 0.014)
    for bow_x, bow_y in tail[1:]:
        pen.polygon([(bow_x - 0.045, bow_y + 0.03), (bow_x - 0.045, bow_y - 0.03), (bow_x, bow_y)], color)
        pen.polygon([(bow_x + 0.045, bow_y + 0.03), (bow_x + 0.045, bow_y - 0.03), (bow_x, bow_y)], color)
    pen.polygon([(x, y + 0.16), (x + 0.14, y), (x, foot), (x - 0.14, y)], color)
    pen.polygon([(x, y + 0.16), (x + 0.14, y), (x, y)], shade(color, 1.35))
    pen.polygon([(x, foot), (x - 0.14, y), (x, y)], shade(color, 0.7))


def _paint_guitar(pen: Pen, color: Color) -> None:
    wood = (190, 112, 46)
    pen.line([(0.0, 0.38), (0.36, 0.56)], (84, 50, 30), 0.04)
    pen.ellipse(-0.1, 0.33, 0.13, 0.11, wood)
    pen.ellipse(0.02, 0.39, 0.095, 0.085, wood)
    pen.ellipse(-0.04, 0.36, 0.045, 0.045, (60, 34, 20))


def _paint_ice_cream(pen: Pen, color: Color) -> None:
    x, y = 0.28, 0.57
    pen.polygon([(x - 0.07, y), (x + 0.07, y), (x, y - 0.18)], (214, 160, 90))
    pen.ellipse(x, y + 0.05, 0.09, 0.08, (252, 170, 200))
    pen.ellipse(x, y + 0.14, 0.065, 0.065, (250, 244, 220))


def _paint_umbrella(pen: Pen, color: Color) -> None:
    x = 0.32
    pen.line([(x, 0.86), (x, 1.18)], (70, 60, 60), 0.022)
    pen.pie((x - 0.12, 1.12), (0.42, 0.22), (180, 360), color)
    pen.pie((x - 0.12, 1.12), (0.15, 0.22), (180, 360), shade(color, 1.4))


def _paint_balloon(pen: Pen, color: Color) -> None:
    x, y = 0.34, 1.22
    pen.line([(0.32, 0.94), (x, y - 0.15)], (240, 240, 240), 0.014)
    pen.polygon([(x - 0.03, y - 0.19), (x + 0.03, y - 0.19), (x, y - 0.14)], color)
    pen.ellipse(x, y, 0.13, 0.16, color)
    pen.ellipse(x - 0.045, y + 0.05, 0.03, 0.045, shade(color, 1.6))


def _paint_ball_in_hand(pen: Pen, color: Color) -> None:
    paint_ball(pen, 0.36, 0.52, 0.13)


def _paint_book(pen: Pen, color: Color) -> None:
    pen.polygon([(-0.17, 0.46), (0, 0.42), (0, 0.26), (-0.17, 0.3)], color)
    pen.polygon([(0.17, 0.46), (0, 0.42), (0, 0.26), (0.17, 0.3)], shade(color, 0.8))
    pen.polygon([(-0.15, 0.48), (0, 0.44), (0.15, 0.48), (0, 0.415)], (250, 248, 236))


def _paint_bicycle(pen: Pen, color: Color) -> None:
    for x in (-0.25, 0.27):
        pen.arc((x, 0.14), (0.15, 0.15), (0, 360), (40, 40, 46), 0.03)
    pen.line([(-0.25, 0.14), (-0.05, 0.3), (0.2, 0.34), (0.03, 0.12), (-0.05, 0.3)], color, 0.03)
    pen.line([(-0.25, 0.14), (0.03, 0.12)], color, 0.03)
    pen.line([(0.27, 0.14), (0.2, 0.4), (0.26, 0.41)], color, 0.03)


def _paint_cake(pen: Pen, color: Color) -> None:
    pen.ellipse(0, 0.3, 0.2, 0.035, (228, 232, 240))
    pen.box((-0.15, 0.3, 0.15, 0.41), (250, 236, 214), radius=0.02)
    pen.box((-0.15, 0.38, 0.15, 0.43), (238, 120, 160), radius=0.02)
    for x in (-0.08, 0, 0.08):
        pen.line([(x, 0.43), (x, 0.5)], (80, 140, 220), 0.022)
        pen.ellipse(x, 0.52, 0.018, 0.026, (255, 214, 70))


def _paint_camera(pen: Pen, color: Color) -> None:
    pen.box((-0.13, 0.31, 0.13, 0.46), (44, 44, 50), radius=0.02)
    pen.ellipse(0, 0.38, 0.062, 0.062, (200, 204, 212))
    pen.ellipse(0, 0.38, 0.04, 0.04, (40, 60, 110))
    pen.box((-0.1, 0.45, -0.03, 0.49), (44, 44, 50))


_PAINTERS: dict[str, Callable[[Pen, Color], None]] = {
    "flying a kite": _paint_kite,
    "playing the guitar": _paint_guitar,
    "eating an ice cream": _paint_ice_cream,
    "holding an umbrella": _paint_umbrella,
    "holding a balloon": _paint_balloon,
    "playing with a ball": _paint_ball_in_hand,
    "reading a book": _paint_book,
    "riding a bicycle": _paint_bicycle,
    "holding a cake": _paint_cake,
    "taking a photo": _paint_camera,
}
