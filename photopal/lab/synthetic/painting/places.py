"""Paints the places photos are taken at; knows nothing of who stands in them."""

from __future__ import annotations

import random
from collections.abc import Callable

from photopal.lab.synthetic.painting.canvas import COLORS, Canvas, Color, shade

GROUND = 0.66  # the horizon of outdoor places, as a fraction of the height from the top


def paint_place(canvas: Canvas, place: str, rng: random.Random, *, light: str) -> None:
    """Fill the canvas with a place, as it looks at that time of day."""
    _PAINTERS[place](Brush(canvas, rng, light))


class Brush:
    """Paints in fractions of the canvas: x to the right, y down."""

    def __init__(self, canvas: Canvas, rng: random.Random, light: str) -> None:
        self.canvas = canvas
        self.rng = rng
        self.light = light

    def box(self, left: float, top: float, right: float, bottom: float, color: Color) -> None:
        """Fill a rectangle."""
        w, h = self.canvas.width, self.canvas.height
        self.canvas.rectangle((left * w, top * h, right * w, bottom * h), color)

    def oval(self, x: float, y: float, rx: float, ry: float, color: Color) -> None:
        """Fill an ellipse; both radii are fractions of the width."""
        w, h = self.canvas.width, self.canvas.height
        self.canvas.ellipse((x * w - rx * w, y * h - ry * w, x * w + rx * w, y * h + ry * w), color)

    def shape(self, points: list[tuple[float, float]], color: Color) -> None:
        """Fill a polygon."""
        w, h = self.canvas.width, self.canvas.height
        self.canvas.polygon([(x * w, y * h) for x, y in points], color)

    def stroke(self, points: list[tuple[float, float]], color: Color, width: float) -> None:
        """Draw a line; the width is a fraction of the canvas width."""
        w, h = self.canvas.width, self.canvas.height
        self.canvas.line([(x * w, y * h) for x, y in points], color, width * w)

    def sky(self, bottom: float = GROUND) -> None:
        """Paint a sky by the time of day, in four bands, with sun, moon, stars or clouds."""
        top, low = SKIES[self.light]
        bands = 5
        for band in range(bands):
            mix = band / (bands - 1)
            color = tuple(round(a + (b - a) * mix) for a, b in zip(top, low, strict=True))
            y = bottom * band / bands
            self.box(0, y, 1, bottom, (color[0], color[1], color[2]))
        x = self.rng.uniform(0.1, 0.9)
        if self.light == "night":
            for _ in range(14):
                self.oval(self.rng.random(), self.rng.random() * bottom * 0.8, 0.006, 0.006, (250, 250, 220))
            self.oval(x, 0.13, 0.06, 0.06, (250, 246, 214))
            self.oval(x + 0.025, 0.12, 0.052, 0.052, top)
        elif self.light == "sunset":
            self.oval(x, bottom - 0.08, 0.09, 0.09, (255, 226, 130))
        else:
            self.oval(x, 0.12, 0.06, 0.06, (255, 238, 140))
            for _ in range(self.rng.randint(0, 3)):
                cx, cy = self.rng.random(), self.rng.uniform(0.06, 0.26)
                for dx, r in ((-0.06, 0.035), (0.0, 0.05), (0.06, 0.036)):
                    self.oval(cx + dx, cy, r * 1.3, r * 0.8, (250, 252, 255))

    def tree(self, x: float, y: float, size: float, leaf: Color) -> None:
        """Paint a round tree standing at (x, y)."""
        self.box(x - 0.02 * size, y - 0.25 * size, x + 0.02 * size, y, (112, 76, 48))
        for dx, dy, r in ((0, -0.36, 0.14), (-0.09, -0.28, 0.1), (0.09, -0.28, 0.1)):
            self.oval(x + dx * size, y + dy * size, r * size, r * size, leaf)

    def fir(self, x: float, y: float, size: float, leaf: Color) -> None:
        """Paint a fir standing at (x, y)."""
        self.box(x - 0.015 * size, y - 0.06 * size, x + 0.015 * size, y, (96, 66, 44))
        for level, width in ((0.05, 0.13), (0.18, 0.1), (0.3, 0.07)):
            low = y - level * size
            self.shape([(x - width * size, low), (x + width * size, low), (x, low - 0.2 * size)], leaf)


SKIES: dict[str, tuple[Color, Color]] = {
    "day": ((112, 178, 236), (206, 232, 250)),
    "sunset": ((126, 96, 170), (252, 178, 112)),
    "night": ((22, 28, 66), (56, 66, 118)),
    "cloudy": ((168, 178, 190), (206, 212, 218)),
}


def _beach(b: Brush) -> None:
    b.sky(0.45)
    b.box(0, 0.42, 1, 0.62, (42, 136, 186))
    for _ in range(5):
        x, y = b.rng.random(), b.rng.uniform(0.46, 0.6)
        b.box(x, y, x + 0.12, y + 0.008, (150, 206, 228))
    b.box(0, 0.6, 1, 1, (238, 214, 156))
    b.box(0, 0.59, 1, 0.61, (244, 246, 240))
    x = b.rng.choice((0.1, 0.88))
    b.stroke([(x, 0.66), (x, 0.42)], (240, 240, 240), 0.012)
    b.shape([(x - 0.14, 0.45), (x + 0.14, 0.45), (x, 0.34)], COLORS[b.rng.choice(("red", "blue", "yellow"))])


def _forest(b: Brush) -> None:
    b.sky(0.5)
    b.box(0, 0.3, 1, 0.68, (48, 92, 58))
    b.box(0, GROUND, 1, 1, (94, 124, 62))
    for i in range(9):
        leaf = shade((44, 108, 60), b.rng.uniform(0.8, 1.25))
        b.fir(i / 8 + b.rng.uniform(-0.05, 0.05), b.rng.uniform(0.64, 0.7), b.rng.uniform(0.9, 1.3), leaf)


def _mountains(b: Brush) -> None:
    b.sky(0.6)
    for _ in range(3):
        x, h, w = b.rng.random(), b.rng.uniform(0.3, 0.48), b.rng.uniform(0.25, 0.4)
        rock = shade((116, 118, 138), b.rng.uniform(0.85, 1.1))
        b.shape([(x - w, 0.64), (x + w, 0.64), (x, 0.64 - h)], rock)
        snow = 0.28
        b.shape(
            [
                (x - w * snow, 0.64 - h * (1 - snow)),
                (x + w * snow, 0.64 - h * (1 - snow)),
                (x, 0.64 - h),
            ],
            (246, 250, 255),
        )
    b.box(0, 0.63, 1, 1, (124, 158, 84))


def _street(b: Brush) -> None:
    b.sky(0.6)
    x = -0.05
    while x < 1:
        w, top = b.rng.uniform(0.16, 0.28), b.rng.uniform(0.1, 0.36)
        wall = b.rng.choice(((190, 120, 96), (206, 186, 150), (150, 156, 172), (176, 96, 84)))
        b.box(x, top, x + w, 0.66, wall)
        glass = (252, 226, 130) if b.light == "night" else (172, 206, 226)
        for row in range(3):
            for column in range(2):
                wx, wy = x + w * (0.18 + 0.42 * column), top + 0.05 + row * 0.13
                b.box(wx, wy, wx + w * 0.22, wy + 0.07, glass)
        x += w
    b.box(0, 0.65, 1, 0.72, (186, 186, 184))
    b.box(0, 0.72, 1, 1, (92, 94, 102))
    for i in range(4):
        b.box(i * 0.28, 0.85, i * 0.28 + 0.15, 0.865, (240, 240, 232))


def _room(b: Brush, wall: Color, floor: Color) -> None:
    b.box(0, 0, 1, 0.7, wall)
    b.box(0, 0.68, 1, 0.7, shade(wall, 0.8))
    b.box(0, 0.7, 1, 1, floor)


def _window(b: Brush, x: float, y: float) -> None:
    b.box(x - 0.1, y - 0.13, x + 0.1, y + 0.13, (248, 246, 240))
    b.box(x - 0.085, y - 0.115, x + 0.085, y + 0.115, SKIES[b.light][1 if b.light != "night" else 0])
    b.box(x - 0.006, y - 0.115, x + 0.006, y + 0.115, (248, 246, 240))


def _living_room(b: Brush) -> None:
    _room(b, (226, 204, 178), (168, 118, 78))
    _window(b, b.rng.choice((0.17, 0.8)), 0.28)
    sofa = COLORS[b.rng.choice(("red", "blue", "green", "purple"))]
    x = b.rng.uniform(0.15, 0.4)
    b.box(x, 0.48, x + 0.5, 0.66, shade(sofa, 0.8))
    b.box(x - 0.03, 0.6, x + 0.53, 0.74, sofa)
    b.box(0.42, 0.12, 0.6, 0.3, (120, 84, 50))
    b.box(0.435, 0.135, 0.585, 0.285, (150, 196, 190))
    b.oval(0.5, 0.9, 0.36, 0.08, (196, 90, 80))


def _kitchen(b: Brush) -> None:
    _room(b, (214, 232, 224), (206, 206, 196))
    for row in range(3):
        for i in range(6):
            if (row + i) % 2:
                b.box(i / 6, 0.7 + row * 0.1, (i + 1) / 6, 0.8 + row * 0.1, (168, 172, 168))
    _window(b, b.rng.uniform(0.3, 0.7), 0.25)
    b.box(0, 0.46, 1, 0.5, (120, 84, 60))
    b.box(0, 0.5, 1, 0.7, (246, 240, 226))
    for i in range(5):
        b.box(i * 0.2 + 0.004, 0.52, i * 0.2 + 0.19, 0.69, (222, 208, 186))
    fridge = b.rng.choice((0.0, 0.82))
    b.box(fridge, 0.16, fridge + 0.18, 0.72, (230, 236, 242))
    b.box(fridge + 0.02, 0.3, fridge + 0.035, 0.42, (130, 136, 144))


def _garden(b: Brush) -> None:
    b.sky(0.5)
    b.box(0, 0.46, 1, 0.64, (238, 232, 216))
    for i in range(11):
        b.box(i * 0.1 - 0.012, 0.44, i * 0.1 + 0.012, 0.64, (208, 196, 172))
    b.box(0, 0.62, 1, 1, (112, 176, 84))
    b.tree(b.rng.choice((0.08, 0.92)), 0.66, 1.1, (84, 150, 70))
    for _ in range(12):
        x, y = b.rng.random(), b.rng.uniform(0.65, 0.98)
        b.oval(x, y, 0.014, 0.014, COLORS[b.rng.choice(("red", "yellow", "pink", "white", "purple"))])


def _snow(b: Brush) -> None:
    b.sky(0.6)
    b.oval(0.2, 0.95, 0.6, 0.38, (226, 236, 248))
    b.oval(0.85, 1.0, 0.6, 0.42, (238, 244, 252))
    b.box(0, 0.72, 1, 1, (244, 248, 254))
    for x in (0.1, 0.3, 0.72, 0.9):
        b.fir(x + b.rng.uniform(-0.06, 0.06), 0.64, b.rng.uniform(0.5, 0.8), (60, 110, 92))
    if b.light != "night":
        x = b.rng.choice((0.16, 0.84))
        for y, r in ((0.66, 0.07), (0.56, 0.05), (0.49, 0.035)):
            b.oval(x, y, r, r, (250, 252, 255))
        b.shape([(x, 0.485), (x, 0.5), (x + 0.05, 0.495)], COLORS["orange"])
    for _ in range(30):
        b.oval(b.rng.random(), b.rng.random() * 0.7, 0.006, 0.006, (255, 255, 255))


def _playground(b: Brush) -> None:
    b.sky(0.55)
    b.box(0, 0.5, 1, 0.66, (136, 186, 100))
    b.box(0, 0.62, 1, 1, (222, 188, 132))
    x = b.rng.choice((0.05, 0.62))
    b.shape([(x + 0.05, 0.66), (x + 0.3, 0.3), (x + 0.34, 0.3), (x + 0.12, 0.66)], COLORS["yellow"])
    b.stroke([(x + 0.33, 0.3), (x + 0.33, 0.68)], COLORS["red"], 0.02)
    s = 0.62 if x < 0.3 else 0.08
    b.stroke([(s, 0.68), (s + 0.06, 0.26), (s + 0.26, 0.26), (s + 0.32, 0.68)], COLORS["blue"], 0.018)
    for dx in (0.11, 0.19):
        b.stroke([(s + dx, 0.26), (s + dx, 0.55)], (90, 90, 96), 0.006)
    b.box(s + 0.1, 0.54, s + 0.2, 0.56, COLORS["brown"])


def _lake(b: Brush) -> None:
    b.sky(0.45)
    b.box(0, 0.36, 1, 0.46, (86, 132, 92))
    b.box(0, 0.44, 1, 0.76, (70, 150, 190))
    for _ in range(6):
        x, y = b.rng.random(), b.rng.uniform(0.48, 0.72)
        b.box(x, y, x + 0.14, y + 0.008, (166, 212, 230))
    x = b.rng.uniform(0.1, 0.75)
    b.shape([(x, 0.5), (x + 0.22, 0.5), (x + 0.17, 0.56), (x + 0.05, 0.56)], (150, 90, 52))
    b.shape([(x + 0.11, 0.49), (x + 0.11, 0.28), (x + 0.22, 0.47)], (250, 248, 240))
    b.box(0, 0.74, 1, 1, (150, 112, 74))
    for y in (0.8, 0.87, 0.94):
        b.box(0, y, 1, y + 0.008, (110, 78, 50))


def _farm(b: Brush) -> None:
    b.sky(0.58)
    b.oval(0.7, 0.8, 0.6, 0.25, (158, 178, 84))
    b.box(0, 0.62, 1, 1, (176, 190, 92))
    x = b.rng.choice((0.06, 0.56))
    b.box(x, 0.36, x + 0.34, 0.64, (178, 52, 46))
    b.shape([(x - 0.03, 0.37), (x + 0.37, 0.37), (x + 0.28, 0.22), (x + 0.06, 0.22)], (106, 52, 48))
    b.box(x + 0.11, 0.46, x + 0.23, 0.64, (246, 240, 230))
    b.box(x + 0.13, 0.48, x + 0.21, 0.64, (120, 44, 40))
    other = 0.72 if x < 0.3 else 0.2
    b.box(other - 0.05, 0.3, other + 0.05, 0.64, (190, 196, 204))
    b.oval(other, 0.3, 0.05, 0.05, (150, 158, 170))


def _desert(b: Brush) -> None:
    b.sky(0.6)
    b.oval(0.25, 0.86, 0.5, 0.26, (226, 178, 112))
    b.oval(0.8, 0.88, 0.5, 0.24, (236, 190, 124))
    b.box(0, 0.7, 1, 1, (240, 200, 136))
    for x in (b.rng.uniform(0.04, 0.3), b.rng.uniform(0.7, 0.96)):
        green = (70, 130, 80)
        b.stroke([(x, 0.72), (x, 0.42)], green, 0.05)
        b.stroke([(x, 0.6), (x + 0.08, 0.58), (x + 0.08, 0.48)], green, 0.032)
        b.stroke([(x, 0.56), (x - 0.07, 0.54), (x - 0.07, 0.46)], green, 0.032)


PLACES: dict[str, str] = {
    "beach": "at the beach",
    "forest": "in the forest",
    "mountains": "in the mountains",
    "street": "in the street",
    "living room": "in the living room",
    "kitchen": "in the kitchen",
    "garden": "in the garden",
    "snow": "in the snow",
    "playground": "at the playground",
    "lake": "at the lake",
    "farm": "on the farm",
    "desert": "in the desert",
}
INDOORS = {"living room", "kitchen"}

_PAINTERS: dict[str, Callable[[Brush], None]] = {
    "beach": _beach,
    "forest": _forest,
    "mountains": _mountains,
    "street": _street,
    "living room": _living_room,
    "kitchen": _kitchen,
    "garden": _garden,
    "snow": _snow,
    "playground": _playground,
    "lake": _lake,
    "farm": _farm,
    "desert": _desert,
}
