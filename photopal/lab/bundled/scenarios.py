"""Draws evaluation scenarios: identities the bundled model never saw, their reference and test photos."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.lab.synthetic.conversation import Talk
from photopal.lab.synthetic.identity import Identity, draw_identity, draw_lookalike
from photopal.lab.synthetic.photo import DrawnPhoto, draw_photo
from photopal.lab.synthetic.scene import plan_scene
from photopal.library import ConceptRecord

NAMES = ("Anna", "Ben", "Rex", "Mia", "Leo", "Zoe", "Max", "Ida")
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
    cast = _draw_cast(rng, options)
    names = [*NAMES, *(f"Name{n}" for n in range(len(NAMES), options.concepts))]
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


def _draw_cast(rng: random.Random, options: ScenarioOptions) -> list[Identity]:
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
