"""People as clouds of vectors, spread as those of real faces are, and a drawn face that is found."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from photopal.library.models import Face

# Two faces of one person lie about 0.45 apart, those of two people about 0.9.
_WITHIN, _BETWEEN = 0.028, 0.057


class Crowd:
    def __init__(self, seed=0):
        self.random = np.random.default_rng(seed)
        self.base = self.random.normal(0, 0.1, 128)
        self.centers = {}

    def vectors(self, who, count=1):
        """`[count, 128]` of somebody: always the same person for the same key."""
        if who not in self.centers:
            self.centers[who] = self.base + self.random.normal(0, _BETWEEN, 128)
        spread = self.random.normal(0, _WITHIN, (count, 128))
        return (self.centers[who] + spread).astype(np.float32)

    def face(self, who, *, x=0.4, side_px=200, sharpness=0.5):
        return Face(
            box=(x, 0.3, 0.1, 0.1),
            vector=self.vectors(who)[0],
            side_px=side_px,
            sharpness=sharpness,
            yaw=0.0,
            score=1.5,
        )

    def between(self, first, second, part):
        """A vector `[128]` on the line between two people's middles."""
        self.vectors(first), self.vectors(second)
        return (self.centers[first] * (1 - part) + self.centers[second] * part).astype(np.float32)


def draw_face(side_px=400):
    size = 400
    picture = Image.new("RGB", (size, size), (120, 130, 140))
    draw = ImageDraw.Draw(picture)

    def oval(x, y, half_width, half_height, color):
        box = (x - half_width, y - half_height, x + half_width, y + half_height)
        draw.ellipse(tuple(size * (0.5 + value) for value in box), fill=color)

    oval(0, -0.08, 0.27, 0.34, (60, 40, 30))
    oval(0, 0.02, 0.22, 0.31, (222, 180, 155))
    for x in (-0.095, 0.095):
        oval(x, -0.06, 0.055, 0.03, (150, 105, 90))
        oval(x, -0.055, 0.045, 0.02, (245, 245, 240))
        oval(x, -0.055, 0.02, 0.021, (40, 30, 25))
        brow = [(x - 0.06, -0.115), (x, -0.13), (x + 0.06, -0.115)]
        points = [tuple(size * (0.5 + value) for value in point) for point in brow]
        draw.line(points, fill=(70, 45, 35), width=7)
    nose = [(0, -0.05), (-0.045, 0.085), (0.045, 0.085)]
    draw.polygon([tuple(size * (0.5 + value) for value in point) for point in nose], fill=(205, 160, 135))
    oval(0, 0.175, 0.085, 0.025, (170, 80, 80))
    return picture.filter(ImageFilter.GaussianBlur(3)).resize((side_px, side_px))


def picture_with_face():
    """600 x 450 pixels; the face's middle is at 0.42, 0.47."""
    picture = Image.new("RGB", (600, 450), (120, 130, 140))
    picture.paste(draw_face(200), (150, 100))
    return picture


class PretendDetector:
    """Finds the faces that the test says are on a photo, by its file's name."""

    def __init__(self, faces):
        self.faces = faces
        self.searched = []

    def find_in_file(self, path):
        self.searched.append(path.name)
        faces = self.faces.get(path.name, [])
        if isinstance(faces, Exception):
            raise faces
        return faces


def photo_named(library, name):
    return next(photo for photo in library.photos.all() if photo.path.name == name)
