"""Paints a pet: identity, collar and pose; knows nothing of the scene."""

from __future__ import annotations

from photopal.lab.synthetic.identity import Pet
from photopal.lab.synthetic.painting.canvas import COLORS, THING, Color, Pen, shade
from photopal.lab.synthetic.painting.props import paint_ball

INK = (34, 30, 32)


def paint_pet(pen: Pen, pet: Pet, *, collar: str, activity: str) -> None:
    """Paint a pet on the pen's ground; collar is a color's name or "none"."""
    coat, second = COLORS[pet.coat], COLORS[pet.second_coat]
    if pet.species == "parrot":
        _paint_parrot(pen, pet, coat, second, is_flying=activity == "flying")
        return
    if activity == "sleeping":
        _paint_lying(pen, pet, coat, second)
        head = (0.42, 0.3)
    elif activity == "running":
        _paint_running(pen, pet, coat, second)
        head = (0.45, 0.62)
    else:
        _paint_sitting(pen, pet, coat, second)
        head = (0.0, 0.68)
    if collar != "none":
        x, y = head
        pen.box((x - 0.17, y - 0.28, x + 0.17, y - 0.21), COLORS[collar], radius=0.02)
        pen.ellipse(x, y - 0.29, 0.035, 0.035, COLORS["yellow"])
    _paint_head(pen, pet, head, is_asleep=activity == "sleeping")
    if activity == "playing with a ball":
        owner = pen.canvas.owner
        pen.canvas.owner = THING + owner
        paint_ball(pen, 0.42, 0.14, 0.15)
        pen.canvas.owner = owner


def _paint_tail(pen: Pen, pet: Pet, root: tuple[float, float], color: Color) -> None:
    x, y = root
    if pet.species == "rabbit":
        pen.ellipse(x, y, 0.09, 0.09, shade(color, 1.2))
    elif pet.species == "cat":
        pen.line([(x, y), (x - 0.16, y + 0.08), (x - 0.2, y + 0.3)], color, 0.075)
    else:
        pen.line([(x, y), (x - 0.2, y + 0.18)], color, 0.09)


def _paint_pattern(
    pen: Pen, pet: Pet, body: tuple[float, float, float, float], second: Color, *, is_side: bool
) -> None:
    x, y, rx, ry = body
    if pet.pattern == "patched":
        pen.ellipse(x - rx * 0.35, y + ry * 0.3, rx * 0.4, ry * 0.38, second)
        pen.ellipse(x + rx * 0.4, y - ry * 0.25, rx * 0.34, ry * 0.34, second)
    elif pet.pattern == "striped":
        for offset in (-0.55, -0.1, 0.35):
            if is_side:
                pen.line([(x + rx * offset, y + ry * 0.75), (x + rx * offset, y - ry * 0.3)], second, 0.05)
            else:
                span = rx * (1 - 0.5 * abs(offset))
                pen.line([(x - span, y + ry * offset), (x + span, y + ry * offset)], second, 0.05)
    elif pet.pattern == "bibbed":
        pen.ellipse(x + (rx * 0.6 if is_side else 0), y - ry * 0.1, rx * 0.5, ry * 0.7, second)


def _paint_sitting(pen: Pen, pet: Pet, coat: Color, second: Color) -> None:
    _paint_tail(pen, pet, (-0.2, 0.12), shade(coat, 0.85))
    pen.ellipse(-0.17, 0.12, 0.15, 0.12, shade(coat, 0.86))
    pen.ellipse(0.17, 0.12, 0.15, 0.12, shade(coat, 0.86))
    pen.ellipse(0, 0.27, 0.24, 0.28, coat)
    _paint_pattern(pen, pet, (0, 0.27, 0.24, 0.28), second, is_side=False)
    paw = second if pet.pattern == "bibbed" else shade(coat, 0.94)
    for side in (-1, 1):
        pen.ellipse(side * 0.09, 0.04, 0.08, 0.05, paw)


def _paint_running(pen: Pen, pet: Pet, coat: Color, second: Color) -> None:
    _paint_tail(pen, pet, (-0.4, 0.4), shade(coat, 0.85))
    paw = second if pet.pattern == "bibbed" else shade(coat, 0.86)
    for start, end in ((-0.3, -0.46), (-0.2, -0.12), (0.22, 0.14), (0.3, 0.46)):
        pen.line([(start, 0.28), (end, 0.05)], paw, 0.1)
    pen.ellipse(0, 0.37, 0.44, 0.19, coat)
    _paint_pattern(pen, pet, (0, 0.37, 0.44, 0.19), second, is_side=True)


def _paint_lying(pen: Pen, pet: Pet, coat: Color, second: Color) -> None:
    _paint_tail(pen, pet, (-0.4, 0.1), shade(coat, 0.85))
    pen.ellipse(-0.05, 0.19, 0.46, 0.2, coat)
    _paint_pattern(pen, pet, (-0.05, 0.19, 0.46, 0.2), second, is_side=True)
    pen.ellipse(0.3, 0.05, 0.12, 0.05, shade(coat, 0.9))


def _paint_ears(pen: Pen, pet: Pet, head: tuple[float, float], coat: Color) -> None:
    x, y = head
    inner = (240, 170, 170)
    for side in (-1, 1):
        if pet.species == "rabbit" and pet.ears == "up":
            pen.ellipse(x + side * 0.11, y + 0.38, 0.075, 0.24, coat)
            pen.ellipse(x + side * 0.11, y + 0.36, 0.035, 0.17, inner)
        elif pet.species == "rabbit":
            pen.ellipse(x + side * 0.27, y - 0.02, 0.085, 0.24, shade(coat, 0.85))
        elif pet.species == "dog" and pet.ears == "down":
            pen.ellipse(x + side * 0.25, y - 0.02, 0.09, 0.2, shade(coat, 0.7))
        else:
            tip = 0.36 if pet.species == "cat" else 0.42
            base = [(x + side * 0.26, y + 0.08), (x + side * 0.05, y + 0.2), (x + side * 0.23, y + tip)]
            pen.polygon(base, shade(coat, 0.85 if pet.species == "dog" else 1.0))
            if pet.species == "cat":
                small = [
                    (x + side * 0.21, y + 0.14),
                    (x + side * 0.1, y + 0.2),
                    (x + side * 0.2, y + tip - 0.06),
                ]
                pen.polygon(small, inner)


def _paint_head(pen: Pen, pet: Pet, head: tuple[float, float], *, is_asleep: bool) -> None:
    x, y = head
    coat, second = COLORS[pet.coat], COLORS[pet.second_coat]
    _paint_ears(pen, pet, head, coat)
    pen.ellipse(x, y, 0.27, 0.24, coat)
    if pet.pattern == "patched":
        pen.ellipse(x - 0.1, y + 0.06, 0.11, 0.12, second)
    elif pet.pattern == "striped":
        for dx in (-0.08, 0.0, 0.08):
            pen.line([(x + dx, y + 0.22), (x + dx, y + 0.12)], second, 0.035)
    _paint_muzzle(pen, pet, head)
    _paint_eyes(pen, pet, head, is_asleep=is_asleep)


def _paint_muzzle(pen: Pen, pet: Pet, head: tuple[float, float]) -> None:
    x, y = head
    coat = COLORS[pet.coat]
    light = COLORS[pet.second_coat] if pet.pattern == "bibbed" else shade(coat, 1.22)
    if pet.coat == "black" and pet.pattern != "bibbed":
        light = (88, 84, 88)
    if pet.species == "dog":
        pen.ellipse(x, y - 0.1, 0.15, 0.11, light)
        pen.ellipse(x, y - 0.05, 0.055, 0.04, INK)
    else:
        pen.ellipse(x, y - 0.11, 0.1, 0.075, light)
        pen.ellipse(x, y - 0.06, 0.032, 0.024, (232, 120, 130))
    if pet.species == "cat":
        whisker = (250, 250, 250) if pet.coat in {"black", "brown", "grey", "ginger"} else (90, 84, 84)
        for side in (-1, 1):
            for dy in (0.0, -0.06):
                ends = [(x + side * 0.1, y - 0.1 + dy), (x + side * 0.3, y - 0.07 + dy * 2)]
                pen.line(ends, whisker, 0.012)


def _paint_eyes(pen: Pen, pet: Pet, head: tuple[float, float], *, is_asleep: bool) -> None:
    x, y = head
    ring = (250, 250, 246)
    for side in (-1, 1):
        if is_asleep:
            pen.arc((x + side * 0.11, y + 0.03), (0.05, 0.03), (10, 170), _eye_ink(pet), 0.022)
        else:
            pen.ellipse(x + side * 0.11, y + 0.04, 0.05, 0.055, ring)
            eye = (70, 150, 70) if pet.species == "cat" else INK
            pen.ellipse(x + side * 0.11, y + 0.035, 0.036, 0.042, eye)
            if pet.species == "cat":
                pen.ellipse(x + side * 0.11, y + 0.035, 0.014, 0.036, INK)


def _eye_ink(pet: Pet) -> Color:
    return (220, 216, 210) if pet.coat == "black" else INK


def _paint_parrot(pen: Pen, pet: Pet, coat: Color, second: Color, *, is_flying: bool) -> None:
    lift = 0.35 if is_flying else 0.0
    wing = second
    pen.polygon([(-0.1, 0.2 + lift), (0.1, 0.2 + lift), (0.04, -0.02 + lift), (-0.12, -0.02 + lift)], wing)
    if is_flying:
        for side in (-1, 1):
            tips = [(side * 0.1, 0.5 + lift), (side * 0.62, 0.78 + lift), (side * 0.5, 0.42 + lift)]
            pen.polygon([*tips, (side * 0.12, 0.28 + lift)], wing)
    pen.ellipse(0, 0.4 + lift, 0.2, 0.28, coat)
    if not is_flying:
        for side in (-1, 1):
            pen.ellipse(side * 0.17, 0.36, 0.08, 0.22, wing)
            pen.ellipse(side * 0.07, 0.08, 0.05, 0.03, (90, 84, 80))
    body = (0.0, 0.36 + lift, 0.15, 0.2)
    if pet.pattern == "bibbed":
        pen.ellipse(0, 0.4 + lift, 0.1, 0.18, second)
    elif pet.pattern != "plain":
        _paint_pattern(pen, pet, body, second, is_side=False)
    _paint_parrot_head(pen, pet, coat, second, lift=lift)


def _paint_parrot_head(pen: Pen, pet: Pet, coat: Color, second: Color, *, lift: float) -> None:
    pen.ellipse(0, 0.74 + lift, 0.19, 0.18, coat)
    if pet.pattern == "patched":
        pen.ellipse(0, 0.88 + lift, 0.1, 0.06, second)
    if pet.size == "big":
        for dx in (-0.06, 0.0, 0.06):
            pen.line([(dx, 0.9 + lift), (dx * 2, 1.02 + lift)], second, 0.04)
    for side in (-1, 1):
        pen.ellipse(side * 0.09, 0.78 + lift, 0.055, 0.055, (252, 252, 248))
        pen.ellipse(side * 0.09, 0.775 + lift, 0.03, 0.034, INK)
    pen.polygon([(-0.06, 0.73 + lift), (0.06, 0.73 + lift), (0.0, 0.6 + lift)], (60, 56, 60))
