"""Paints a person: identity, clothes, pose and what is in the hands; knows nothing of the scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot

from photopal.lab.synthetic.identity import Person
from photopal.lab.synthetic.painting.canvas import COLORS, THING, Color, Pen, shade
from photopal.lab.synthetic.painting.props import paint_prop

SKIN_COLORS: dict[str, Color] = {
    "pale": (252, 226, 204),
    "rosy": (244, 192, 164),
    "tan": (216, 160, 112),
    "brown": (160, 106, 66),
    "dark": (96, 62, 44),
}
HEAD_Y, HEAD_R = 0.76, 0.2
HEAD_SCALE, HEAD_DROP = 1.25, 0.18  # heads are drawn larger than life: they tell people apart
RAISED = {"waving", "flying a kite", "holding an umbrella", "holding a balloon"}
RAISED_HAND = (0.32, 0.94)
HIDING_HANDS = {"playing the guitar", "reading a book", "holding a cake", "taking a photo"}


@dataclass(frozen=True)
class Clothes:
    """What a person wears in one photo.

    Attributes:
        top: Color of the top.
        pattern: plain, striped or dotted.
        trousers: Color of the trousers.
        hat: none, cap, beanie, straw hat or party hat.
        hat_color: Color of the hat.
    """

    top: str
    pattern: str
    trousers: str
    hat: str
    hat_color: str


def paint_person(pen: Pen, person: Person, clothes: Clothes, *, activity: str) -> None:
    """Paint a person standing on the pen's ground."""
    skin = SKIN_COLORS[person.skin]
    hair = COLORS[person.hair_color]
    half = 0.19 if person.build == "broad" else 0.135
    owner = pen.canvas.owner
    if activity == "riding a bicycle":
        pen.canvas.owner = THING + owner
        paint_prop(pen, activity, clothes.hat_color)
        pen.canvas.owner = owner
    head = replace(pen, unit=pen.unit * HEAD_SCALE, y=pen.y + HEAD_DROP * pen.unit)
    _paint_back_hair(head, person, hair)
    _paint_legs(pen, clothes, half, is_riding=activity == "riding a bicycle")
    _paint_body(pen, clothes, half)
    _paint_arms(pen, clothes, skin, half, activity)
    _paint_head(head, person, skin, hair)
    if clothes.hat != "none":
        _paint_hat(head, clothes)
    if activity in RAISED:
        _paint_raised_arm(pen, clothes, skin, half, activity)
    if activity != "riding a bicycle":
        pen.canvas.owner = THING + owner
        paint_prop(pen, activity, clothes.hat_color)
        pen.canvas.owner = owner


def _paint_back_hair(pen: Pen, person: Person, hair: Color) -> None:
    dark = shade(hair, 0.88)
    if person.hair_style == "long":
        pen.box((-0.215, 0.44, 0.215, 0.8), dark, radius=0.09)
    elif person.hair_style == "bob":
        pen.box((-0.24, 0.575, 0.24, 0.82), dark, radius=0.1)
    elif person.hair_style == "ponytail":
        pen.ellipse(0.27, 0.74, 0.075, 0.17, dark)
    elif person.hair_style == "curly":
        for x, y in ((-0.2, 0.8), (0.2, 0.8), (-0.21, 0.69), (0.21, 0.69), (-0.12, 0.94), (0.12, 0.94)):
            pen.ellipse(x, y, 0.09, 0.09, dark)


def _paint_legs(pen: Pen, clothes: Clothes, half: float, *, is_riding: bool) -> None:
    color = COLORS[clothes.trousers]
    shoe = shade(color, 0.5)
    if is_riding:
        pen.line([(-0.02, 0.32), (0.13, 0.24), (0.08, 0.1)], color, 0.1)
        pen.ellipse(0.11, 0.08, 0.06, 0.03, shoe)
        return
    for side in (-1, 1):
        x = side * half * 0.55
        pen.line([(x, 0.3), (x * 1.1, 0.05)], color, half * 0.85)
        pen.ellipse(x * 1.1 + side * 0.02, 0.025, 0.07, 0.03, shoe)


def _pattern_color(clothes: Clothes) -> Color:
    if clothes.top == "black":
        return (170, 170, 176)
    light = clothes.top in {"white", "yellow", "pink"}
    return shade(COLORS[clothes.top], 0.62 if light else 1.75)


def _paint_body(pen: Pen, clothes: Clothes, half: float) -> None:
    second = _pattern_color(clothes)
    pen.box((-half, 0.27, half, 0.59), COLORS[clothes.top], radius=0.07)
    if clothes.pattern == "striped":
        for y in (0.33, 0.42, 0.51):
            pen.box((-half, y - 0.02, half, y + 0.02), second)
    elif clothes.pattern == "dotted":
        for row, y in enumerate((0.33, 0.42, 0.51)):
            for x in (-0.6, 0.0, 0.6) if row % 2 else (-0.3, 0.35):
                pen.ellipse(x * half, y, 0.024, 0.024, second)


def _paint_sleeve(pen: Pen, clothes: Clothes, points: list[tuple[float, float]]) -> None:
    """Paint an arm with the pattern of the top, so that a thing before the belly does not hide it."""
    pen.line(points, shade(COLORS[clothes.top], 0.86), 0.085)
    if clothes.pattern == "plain":
        return
    second = _pattern_color(clothes)
    for (x0, y0), (x1, y1) in pairwise(points):
        dx, dy = x1 - x0, y1 - y0
        length = hypot(dx, dy)
        for along in (0.25, 0.6) if length > 0.1 else ():
            x, y = x0 + along * dx, y0 + along * dy
            across = (-0.042 * dy / length, 0.042 * dx / length)
            if clothes.pattern == "striped":
                pen.line([(x - across[0], y - across[1]), (x + across[0], y + across[1])], second, 0.04)
            else:
                pen.ellipse(x, y, 0.024, 0.024, second)


def _paint_arms(pen: Pen, clothes: Clothes, skin: Color, half: float, activity: str) -> None:
    shoulder = half - 0.01
    left_hand = (-shoulder - 0.07, 0.31)
    right_hand = (shoulder + 0.07, 0.31)
    if activity in HIDING_HANDS:
        left_hand, right_hand = (-0.1, 0.38), (0.1, 0.38)
    elif activity in {"eating an ice cream", "playing with a ball"}:
        right_hand = (shoulder + 0.13, 0.5)
    elif activity == "riding a bicycle":
        right_hand = (shoulder + 0.12, 0.4)
        left_hand = (shoulder + 0.1, 0.38)
    arms = [(-shoulder, left_hand), (shoulder, right_hand)]
    for shoulder_x, hand in arms[:1] if activity in RAISED else arms:
        _paint_sleeve(pen, clothes, [(shoulder_x, 0.54), hand])
        pen.ellipse(*hand, 0.05, 0.05, skin)


def _paint_raised_arm(pen: Pen, clothes: Clothes, skin: Color, half: float, activity: str) -> None:
    """Paint the right arm beside the head and in front of hair and hat, so that it is seen."""
    x, y = RAISED_HAND
    _paint_sleeve(pen, clothes, [(half - 0.01, 0.54), (x, 0.64), (x, y - 0.05)])
    pen.ellipse(x, y, 0.06, 0.06, skin)
    if activity == "waving":
        for dx, dy in ((-0.085, 0.06), (-0.035, 0.105), (0.035, 0.105), (0.085, 0.06)):
            pen.line([(x, y), (x + dx, y + dy)], skin, 0.035)


def _paint_head(pen: Pen, person: Person, skin: Color, hair: Color) -> None:
    pen.box((-0.05, 0.53, 0.05, 0.63), shade(skin, 0.9))
    for side in (-1, 1):
        pen.ellipse(side * HEAD_R, HEAD_Y - 0.01, 0.04, 0.05, shade(skin, 0.93))
    pen.ellipse(0, HEAD_Y, HEAD_R, HEAD_R, skin)
    if person.beard == "beard":
        beard = shade(hair, 0.8)
        pen.pie((0, HEAD_Y - 0.005), (HEAD_R, HEAD_R), (15, 165), beard)
        pen.ellipse(0, HEAD_Y - 0.03, 0.13, 0.06, skin)
    cheek = shade(skin, 0.86)
    for side in (-1, 1):
        pen.ellipse(side * 0.075, HEAD_Y + 0.02, 0.021, 0.028, (36, 30, 34))
        if person.has_freckles:
            for dx, dy in ((0.0, 0.0), (0.035, 0.018), (0.035, -0.02)):
                pen.ellipse(side * (0.1 + dx), HEAD_Y - 0.045 + dy, 0.013, 0.013, shade(skin, 0.6))
        else:
            pen.ellipse(side * 0.12, HEAD_Y - 0.05, 0.03, 0.02, cheek)
    pen.ellipse(0, HEAD_Y - 0.025, 0.018, 0.022, cheek)
    mouth = (150, 40, 44) if person.skin != "dark" else (214, 120, 110)
    pen.arc((0, HEAD_Y - 0.07), (0.065, 0.045), (20, 160), mouth, 0.022)
    if person.beard == "moustache":
        for side in (-1, 1):
            pen.ellipse(side * 0.05, HEAD_Y - 0.06, 0.058, 0.026, shade(hair, 0.8))
    _paint_hair(pen, person, hair)
    _paint_glasses(pen, person)


def _paint_hair(pen: Pen, person: Person, hair: Color) -> None:
    top = (0.0, HEAD_Y + 0.015)
    style = person.hair_style
    if style == "bald":
        pen.ellipse(-0.06, HEAD_Y + 0.13, 0.04, 0.022, shade(SKIN_COLORS[person.skin], 1.12))
        return
    if style == "mohawk":
        pen.box((-0.05, HEAD_Y + 0.11, 0.05, HEAD_Y + 0.32), hair, radius=0.045)
        return
    pen.pie(top, (HEAD_R + 0.015, HEAD_R + 0.02), (194, 346), hair)
    pen.polygon([(-0.19, HEAD_Y + 0.06), (-0.1, HEAD_Y + 0.17), (0.02, HEAD_Y + 0.1)], hair)
    if style in {"long", "bob"}:
        low = 0.6 if style == "long" else 0.62
        for side in (-1, 1):
            pen.line([(side * 0.195, HEAD_Y + 0.05), (side * 0.205, low)], hair, 0.055)
    elif style == "bun":
        pen.ellipse(0, HEAD_Y + 0.25, 0.085, 0.075, shade(hair, 0.9))
    elif style == "ponytail":
        pen.ellipse(0.19, HEAD_Y + 0.09, 0.04, 0.04, (230, 80, 90))
    elif style == "curly":
        for x, y in ((-0.17, 0.1), (-0.09, 0.17), (0.0, 0.19), (0.09, 0.17), (0.17, 0.1)):
            pen.ellipse(x, HEAD_Y + y, 0.075, 0.07, hair)


def _paint_glasses(pen: Pen, person: Person) -> None:
    if person.glasses == "none":
        return
    frame = (28, 28, 36)
    y = HEAD_Y + 0.02
    for side in (-1, 1):
        x = side * 0.08
        if person.glasses == "round":
            pen.arc((x, y), (0.066, 0.066), (0, 360), frame, 0.02)
        elif person.glasses == "square":
            corners = [(x - 0.068, y - 0.05), (x + 0.068, y - 0.05), (x + 0.068, y + 0.05)]
            red = (176, 34, 40)
            pen.line([*corners, (x - 0.068, y + 0.05), corners[0]], red, 0.022)
        else:
            pen.ellipse(x, y - 0.008, 0.073, 0.058, frame)
    pen.line([(-0.02, y + 0.01), (0.02, y + 0.01)], frame, 0.016)


def _paint_hat(pen: Pen, clothes: Clothes) -> None:
    color = COLORS[clothes.hat_color]
    brow = HEAD_Y + 0.1
    if clothes.hat == "cap":
        pen.pie((0, brow), (0.2, 0.15), (180, 360), color)
        pen.box((0.0, brow - 0.005, 0.3, brow + 0.035), shade(color, 0.75), radius=0.015)
    elif clothes.hat == "beanie":
        pen.pie((0, brow), (0.205, 0.19), (180, 360), color)
        pen.box((-0.21, brow - 0.01, 0.21, brow + 0.045), shade(color, 0.75), radius=0.02)
        pen.ellipse(0, brow + 0.2, 0.045, 0.045, (250, 250, 250))
    elif clothes.hat == "straw hat":
        straw = (226, 190, 110)
        pen.ellipse(0, brow + 0.02, 0.34, 0.06, straw)
        pen.pie((0, brow + 0.03), (0.18, 0.16), (180, 360), straw)
        pen.box((-0.18, brow + 0.03, 0.18, brow + 0.07), color)
    elif clothes.hat == "party hat":
        pen.polygon([(-0.13, brow + 0.03), (0.13, brow + 0.03), (0, brow + 0.34)], color)
        pen.ellipse(0, brow + 0.34, 0.04, 0.04, (255, 236, 120))
