"""Draws scenarios: identities that training never saw, their reference and test photos, lookalikes."""

from __future__ import annotations

import random
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.lab.synthetic.dialogue.talk import Talk
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.identity import Identity, draw_identity, draw_lookalike, is_held_out
from photopal.lab.synthetic.scene import plan_scene
from photopal.library import ConceptRecord

_NAMES = """
Al Alex Alma Amir Ana Anna Anton Arno Aya Bea Ben Bo Carl Carla Cleo Clara Dana Dario Ed Edda Eli
Elin Ella Emil Emma Enzo Eva Fay Felix Finn Flo Frida Gil Gina Greta Gus Hana Hanna Hugo Ida Ines
Ira Ivan Ivo Jan Jana Jo Jon Jonas Jule Juno Kai Karl Kira Lea Leo Leon Lia Lina Liv Lotte Lou Luca
Luis Mai Maja Mara Marc Mats Max Mia Mila Milo Mina Moritz Nele Nia Nico Nina Noa Noah Nora Olga
Otto Pablo Paul Paula Pia Rafi Rex Rita Rosa Ruth Sam Sara Selma Theo Tilda Tim Timo Uma Vera Vito
Wanda Yara Yuki Zoe
"""
NAMES = tuple(_NAMES.split())


def draw_cast(rng: random.Random, size: int, used: Set[Identity], *, has_sibling: bool) -> list[Identity]:
    """Identities that training never saw and no other scenario has.

    Args:
        rng: Source of randomness.
        size: How many.
        used: Those of other scenarios.
        has_sibling: Whether the second is the first but for one attribute.
    """
    looks: list[Identity] = []
    while len(looks) < size:
        look = draw_identity(rng, held_out=True)
        new = [look]
        if has_sibling and not looks:
            sibling = _held_out_sibling(look, rng)
            new = [] if sibling is None else [look, sibling]
        if not any(one in used or one in looks for one in new):
            looks += new
    return looks


def name_of(number: int) -> str:
    """The name of the n-th concept of a dataset; some stand within others, as "Al" in "Alex"."""
    again, place = divmod(number, len(NAMES))
    return NAMES[place] + (str(again + 1) if again else "")


def _held_out_sibling(look: Identity, rng: random.Random) -> Identity | None:
    """A lookalike that training never saw either, where there is one."""
    for _ in range(300):
        sibling = draw_lookalike(look, rng, held_out=None)
        if is_held_out(sibling):
            return sibling
    return None


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


FAMILY_NAMES = ("Anna", "Ben", "Rex", "Mia", "Leo", "Zoe", "Max", "Ida")
SMALLEST_SHARE = 0.008


@dataclass(frozen=True, eq=False)
class DrawnReference:
    """A reference photo and where its concept is."""

    image: Image.Image
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TestPhoto:
    """A test photo and its truth.

    Attributes:
        photo: The drawn photo with its scene.
        present: Places in the cast of those shown.
        boxes: Their boxes in pixels, by place in the cast.
    """

    __test__ = False

    photo: DrawnPhoto
    present: tuple[int, ...]
    boxes: dict[int, tuple[int, int, int, int]]

    def talk(self, names: Sequence[str], cast: Sequence[Identity]) -> Talk:
        """What may be said of it, with these names for the cast."""
        of = {cast[place]: names[place] for place in self.present}
        shown = tuple(of.get(subject.identity) for subject in self.photo.scene.subjects)
        absent = tuple(n for place, n in enumerate(names) if place not in self.present)
        looks = tuple(cast[place] for place in range(len(names)) if place not in self.present)
        return Talk(self.photo.scene, shown, absent, looks)


@dataclass(frozen=True, eq=False)
class Scenario:
    """A cast with names, reference photos and test photos.

    Attributes:
        concepts: As the library would list them.
        cast: Their identities.
        references: For each concept its reference photos.
        tests: Test photos: of some of the cast, of strangers, of nobody.
        strangers: Further photos without the cast, for calibration and negatives.
    """

    concepts: tuple[ConceptRecord, ...]
    cast: tuple[Identity, ...]
    references: tuple[tuple[DrawnReference, ...], ...]
    tests: tuple[TestPhoto, ...]
    strangers: tuple[Image.Image, ...]


@dataclass(frozen=True)
class ScenarioOptions:
    """Settings of a scenario.

    Attributes:
        concepts: How many identities have names.
        photos: Reference photos each.
        tests: Test photos.
        has_lookalikes: Whether the second of the cast looks like the first but for one attribute.
        size_px: Side of the photos.
        strangers: Further photos without the cast.
        held_out: True for identities kept out of training.
    """

    concepts: int = 3
    photos: int = 8
    tests: int = 24
    has_lookalikes: bool = False
    size_px: int = 256
    strangers: int = 16
    held_out: bool | None = True


def make_scenario(seed: int, options: ScenarioOptions) -> Scenario:
    """Draw a scenario; the same seed gives the same photos."""
    rng = random.Random(f"scenario {seed}")
    cast = _draw_family(rng, options)
    names = [*FAMILY_NAMES, *(f"Name{n}" for n in range(len(FAMILY_NAMES), options.concepts))]
    concepts = tuple(
        ConceptRecord(id=place + 1, name=names[place], kind=identity.kind, about=None, created_at="")
        for place, identity in enumerate(cast)
    )
    references = tuple(
        tuple(_draw_reference(identity, cast, rng, options) for _ in range(options.photos))
        for identity in cast
    )
    tests = tuple(_draw_test(number, cast, rng, options) for number in range(options.tests))
    strangers = tuple(_draw_strangers(cast, rng, options) for _ in range(options.strangers))
    return Scenario(concepts, tuple(cast), references, tests, strangers)


def _draw_family(rng: random.Random, options: ScenarioOptions) -> list[Identity]:
    cast = [draw_identity(rng, held_out=options.held_out)]
    while options.has_lookalikes and len(cast) < 2:
        try:
            cast.append(draw_lookalike(cast[0], rng, held_out=options.held_out))
        except LookupError:  # not everybody has a sibling that is held out too
            cast = [draw_identity(rng, held_out=options.held_out)]
    while len(cast) < options.concepts:
        identity = draw_identity(rng, held_out=options.held_out)
        if identity not in cast:
            cast.append(identity)
    return cast


def _others(
    cast: Sequence[Identity], rng: random.Random, count: int, held_out: bool | None
) -> list[Identity]:
    found: list[Identity] = []
    while len(found) < count:
        identity = draw_identity(rng, held_out=held_out)
        if identity not in cast and identity not in found:
            found.append(identity)
    return found


def _draw_visible(shown: Sequence[Identity], rng: random.Random, options: ScenarioOptions) -> DrawnPhoto:
    """Draw until everyone shown covers enough of the photo to be told."""
    while True:
        photo = draw_photo(plan_scene(shown, rng), size_px=options.size_px)
        covers = [photo.mask(n).mean() for n in range(len(photo.scene.subjects))]
        if all(cover >= SMALLEST_SHARE for cover in covers):
            return photo


def _draw_reference(
    identity: Identity, cast: Sequence[Identity], rng: random.Random, options: ScenarioOptions
) -> DrawnReference:
    company = _others(cast, rng, 1, options.held_out) if rng.random() < 0.3 else []
    photo = _draw_visible([identity, *company], rng, options)
    place = next(n for n, s in enumerate(photo.scene.subjects) if s.identity == identity)
    return DrawnReference(photo.image, photo.mask(place))


def _draw_test(
    number: int, cast: Sequence[Identity], rng: random.Random, options: ScenarioOptions
) -> TestPhoto:
    count = (1, 2, 1, 0, 2, min(3, len(cast)))[number % 6]
    places = rng.sample(range(len(cast)), min(count, len(cast)))
    company = _others(cast, rng, rng.choice((0, 1)) if count else rng.choice((0, 1, 2)), options.held_out)
    photo = _draw_visible([*(cast[p] for p in places), *company], rng, options)
    boxes = {}
    for index, subject in enumerate(photo.scene.subjects):
        box = photo.box(index)
        if subject.identity in cast and box is not None:
            boxes[cast.index(subject.identity)] = box
    return TestPhoto(photo, tuple(sorted(places)), boxes)


def _draw_strangers(cast: Sequence[Identity], rng: random.Random, options: ScenarioOptions) -> Image.Image:
    return _draw_visible(_others(cast, rng, rng.choice((1, 2)), options.held_out), rng, options).image
