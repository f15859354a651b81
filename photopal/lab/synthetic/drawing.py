"""Paints a planned scene into a photo with its ground truth; writes no files."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from photopal.lab.synthetic.identity import Person
from photopal.lab.synthetic.painting.canvas import THING, Canvas, Pen
from photopal.lab.synthetic.painting.people import paint_person
from photopal.lab.synthetic.painting.pets import paint_pet
from photopal.lab.synthetic.painting.places import INDOORS, paint_place
from photopal.lab.synthetic.scene import Scene, Subject

TINTS: dict[str, tuple[float, float, float]] = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.03, 0.88, 0.78),
    "night": (0.56, 0.6, 0.84),
    "cloudy": (0.9, 0.93, 0.97),
}


@dataclass(frozen=True)
class DrawnPhoto:
    """A drawn photo with its ground truth.

    Attributes:
        image: RGB picture.
        owners: uint8 array [height, width]: 0 for nobody, n for the n-th subject of the scene (from 1).
        things: Likewise where each subject's thing can be seen: its kite, its ball.
        scene: What was planned.
    """

    image: Image.Image
    owners: NDArray[np.uint8]
    things: NDArray[np.uint8]
    scene: Scene

    def mask(self, index: int) -> NDArray[np.bool_]:
        """Where the subject with this index (from 0) can be seen: bool [height, width]."""
        seen: NDArray[np.bool_] = self.owners == index + 1
        return seen

    def box(self, index: int) -> tuple[int, int, int, int] | None:
        """The visible part of a subject as (x, y, width, height) in pixels; None when all hidden."""
        rows, columns = np.nonzero(self.mask(index))
        if rows.size == 0:
            return None
        x, y = int(columns.min()), int(rows.min())
        return (x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1)


def draw_photo(scene: Scene, *, size_px: int = 160, supersample: int = 2) -> DrawnPhoto:
    """Paint a scene as a square photo of `size_px`; the same scene gives the same picture."""
    rng = random.Random(scene.seed)
    side = size_px * supersample
    canvas = Canvas.blank(side, side)
    paint_place(canvas, scene.place, rng, light=scene.light)
    order = sorted(range(len(scene.subjects)), key=lambda index: scene.subjects[index].ground)
    for index in order:
        _paint_subject(canvas, scene.subjects[index], number=index + 1)
    if scene.has_rain:
        drops = Canvas(canvas.image, Image.new("L", canvas.image.size))
        for _ in range(45):
            x, y = rng.random() * canvas.width, rng.random() * canvas.height
            length = 0.05 * canvas.height
            drops.line([(x, y), (x - length * 0.3, y + length)], (196, 210, 226), 0.006 * canvas.width)
    image = canvas.image.reduce(supersample)
    painted = np.asarray(canvas.owners)[supersample // 2 :: supersample, supersample // 2 :: supersample]
    things = np.where(painted > THING, painted - THING, 0).astype(np.uint8)
    owners = np.where(painted < THING, painted, 0).astype(np.uint8)
    return DrawnPhoto(_develop(image, scene, rng), owners, things, scene)


def _paint_subject(canvas: Canvas, subject: Subject, *, number: int) -> None:
    pen = Pen(
        canvas=canvas,
        x=subject.x * canvas.width,
        y=subject.ground * canvas.height,
        unit=subject.height * canvas.height,
        is_mirrored=subject.is_mirrored,
    )
    canvas.owner = 0
    pen.ellipse(0, 0.01, 0.24, 0.035, (96, 98, 96))
    canvas.owner = number
    if isinstance(subject.identity, Person):
        if subject.clothes is None:
            raise ValueError("a person needs clothes")
        paint_person(pen, subject.identity, subject.clothes, activity=subject.activity)
    else:
        paint_pet(pen, subject.identity, collar=subject.collar, activity=subject.activity)
    canvas.owner = 0


def _develop(image: Image.Image, scene: Scene, rng: random.Random) -> Image.Image:
    tint = TINTS[scene.light]
    if scene.place in INDOORS:
        tint = (1 - (1 - tint[0]) * 0.4, 1 - (1 - tint[1]) * 0.4, 1 - (1 - tint[2]) * 0.4)
    gain = rng.uniform(0.9, 1.08)
    table: list[int] = []
    for channel in tint:
        factor = channel * gain * rng.uniform(0.97, 1.03)
        table.extend(np.minimum(255, np.rint(np.arange(256) * factor)).astype(int).tolist())
    image = image.point(table)
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(image.width / 128 * rng.uniform(0.3, 0.8)))
    if rng.random() < 0.5:
        noise = np.random.default_rng(rng.getrandbits(32))
        pixels = np.asarray(image, dtype=np.int16)
        grain = noise.integers(-8, 9, size=pixels.shape[:2], dtype=np.int16)[..., None]
        image = Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
    return image
