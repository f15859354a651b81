"""Puts a lookalike in somebody's place on a drawn photo, and measures whether it shows; writes no files.

What two lookalikes differ in may be hidden: under a hat, behind an umbrella, by somebody in front. There
nobody could tell them apart, so such a photo is no question.
"""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from photopal.lab.synthetic.identity import Identity, draw_lookalike
from photopal.lab.synthetic.photo import DrawnPhoto, draw_photo

LEAST_DIFFERENCE = 0.02
"""Of the pixels of somebody the share that must look different; a moustache seen near by is a little more."""

LEAST_STEP = 24
"""From how many of 255 steps in a channel on a pixel looks different."""

TRIES = 24
"""After so many photos, or lookalikes, the one that differs most has to do."""


def in_place_of(photo: DrawnPhoto, look: Identity, other: Identity) -> DrawnPhoto:
    """The same photo with another in somebody's place: in pose, clothes and place alike."""
    subjects = tuple(replace(s, identity=other) if s.identity == look else s for s in photo.scene.subjects)
    return draw_photo(replace(photo.scene, subjects=subjects), size_px=photo.image.width)


def difference_to(photo: DrawnPhoto, look: Identity, other: Identity) -> float:
    """What share of somebody's pixels would look different were another in its place; 0 for who is absent."""
    return difference(photo, in_place_of(photo, look, other), look)


def difference(photo: DrawnPhoto, twin: DrawnPhoto, look: Identity) -> float:
    """The same for a photo that has the other in somebody's place already."""
    places = [n for n, subject in enumerate(photo.scene.subjects) if subject.identity == look]
    if not places:
        return 0.0
    mask = photo.mask(places[0]) | twin.mask(places[0])
    if not mask.any():
        return 0.0
    pixels, others = (np.asarray(one.image, dtype=int)[mask] for one in (photo, twin))
    return float((np.abs(pixels - others).max(axis=1) > LEAST_STEP).mean())


def nearly_same(photo: DrawnPhoto, look: Identity) -> DrawnPhoto:
    """The same photo with a lookalike in somebody's place that can be told from it there."""
    rng = random.Random(f"near-duplicate {photo.scene.seed}")
    best, most = photo, -1.0
    for _ in range(TRIES):
        twin = in_place_of(photo, look, draw_lookalike(look, rng, held_out=None))
        found = difference(photo, twin, look)
        if found > most:
            best, most = twin, found
        if found >= LEAST_DIFFERENCE:
            break
    return best
