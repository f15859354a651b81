"""Draws scenarios: identities that training never saw, their reference and test photos, lookalikes."""

from __future__ import annotations

import random
from collections.abc import Container, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.lab.datasets.scenario import ConceptRegion, DatasetConcept, DatasetPhoto, Scenario
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.identity import Identity, draw_identity, draw_lookalike, is_held_out
from photopal.lab.synthetic.scene import plan_scene
from photopal.lab.synthetic.wording import describe_fully

_NAMES = """
Al Alex Alma Amir Ana Anna Anton Arno Aya Bea Ben Bo Carl Carla Cleo Clara Dana Dario Ed Edda Eli
Elin Ella Emil Emma Enzo Eva Fay Felix Finn Flo Frida Gil Gina Greta Gus Hana Hanna Hugo Ida Ines
Ira Ivan Ivo Jan Jana Jo Jon Jonas Jule Juno Kai Karl Kira Lea Leo Leon Lia Lina Liv Lotte Lou Luca
Luis Mai Maja Mara Marc Mats Max Mia Mila Milo Mina Moritz Nele Nia Nico Nina Noa Noah Nora Olga
Otto Pablo Paul Paula Pia Rafi Rex Rita Rosa Ruth Sam Sara Selma Theo Tilda Tim Timo Uma Vera Vito
Wanda Yara Yuki Zoe
"""
NAMES = tuple(_NAMES.split())


def draw_cast(rng: random.Random, size: int, used: Set[Identity], *, has_lookalikes: bool) -> list[Identity]:
    """Identities that training never saw and no other scenario has.

    Args:
        rng: Source of randomness.
        size: How many.
        used: Those of other scenarios.
        has_lookalikes: Whether the second is the first but for one attribute.
    """
    looks: list[Identity] = []
    while len(looks) < size:
        look = draw_identity(rng, held_out=True)
        new = [look]
        if has_lookalikes and not looks:
            lookalike = _held_out_lookalike(look, rng)
            new = [] if lookalike is None else [look, lookalike]
        if not any(one in used or one in looks for one in new):
            looks += new
    return looks


def name_of(number: int) -> str:
    """The name of the n-th concept of a dataset; some stand within others, as "Al" in "Alex"."""
    again, index = divmod(number, len(NAMES))
    return NAMES[index] + (str(again + 1) if again else "")


def _held_out_lookalike(look: Identity, rng: random.Random) -> Identity | None:
    """A lookalike that training never saw either, where there is one."""
    for _ in range(300):
        lookalike = draw_lookalike(look, rng, held_out=None)
        if is_held_out(lookalike):
            return lookalike
    return None


SMALLEST_SHARE = 0.008
"""Of a photo the share that everybody on it covers at least."""


def draw_others(count: int, rng: random.Random, *, avoid: Container[Identity]) -> list[Identity]:
    """Different identities that training never saw, none of which is to be avoided."""
    found: list[Identity] = []
    while len(found) < count:
        identity = draw_identity(rng, held_out=True)
        if identity not in avoid and identity not in found:
            found.append(identity)
    return found


def draw_visible(shown: Sequence[Identity], rng: random.Random, *, size_px: int) -> DrawnPhoto:
    """Draw until everyone shown covers enough of the photo to be told."""
    while True:
        photo = draw_photo(plan_scene(shown, rng), size_px=size_px)
        covers = [photo.mask(n).mean() for n in range(len(photo.scene.subjects))]
        if all(cover >= SMALLEST_SHARE for cover in covers):
            return photo


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


def difference(photo: DrawnPhoto, other_photo: DrawnPhoto, look: Identity) -> float:
    """The same for a photo that has the other in somebody's place already."""
    indices = [n for n, subject in enumerate(photo.scene.subjects) if subject.identity == look]
    if not indices:
        return 0.0
    mask = photo.mask(indices[0]) | other_photo.mask(indices[0])
    if not mask.any():
        return 0.0
    pixels, others = (np.asarray(one.image, dtype=int)[mask] for one in (photo, other_photo))
    return float((np.abs(pixels - others).max(axis=1) > LEAST_STEP).mean())


def nearly_same(photo: DrawnPhoto, look: Identity) -> DrawnPhoto:
    """The same photo with a lookalike in somebody's place that can be told from it there."""
    rng = random.Random(f"near-duplicate {photo.scene.seed}")
    best, most = photo, -1.0
    for _ in range(TRIES):
        other_photo = in_place_of(photo, look, draw_lookalike(look, rng, held_out=None))
        found = difference(photo, other_photo, look)
        if found > most:
            best, most = other_photo, found
        if found >= LEAST_DIFFERENCE:
            break
    return best


FAMILY_NAMES = ("Anna", "Ben", "Rex", "Mia", "Leo", "Zoe", "Max", "Ida")
CALIBRATION_NEGATIVES = 8
"""How many of a family's negatives are for thresholds; the others are for tuning."""


@dataclass(frozen=True, eq=False)
class FamilyPhoto:
    """A test photo and its truth.

    Attributes:
        path: Its name, which is no file.
        drawn: The drawn photo with its scene.
        present: Indices in the cast of those shown.
        boxes: Their boxes in pixels, by index in the cast.
    """

    path: Path
    drawn: DrawnPhoto
    present: tuple[int, ...]
    boxes: dict[int, tuple[int, int, int, int]]


@dataclass(frozen=True, eq=False)
class Family:
    """A scenario drawn in memory, and the truth of its test photos.

    Attributes:
        scenario: Its concepts with their reference photos and masks.
        cast: Their identities.
        tests: Test photos: of some of the cast, of strangers, of nobody.
        calibration: Photos without the cast, for thresholds.
        negatives: Further ones, for tuning.
        images: Every photo by its path, which is no file.
    """

    scenario: Scenario
    cast: tuple[Identity, ...]
    tests: tuple[FamilyPhoto, ...]
    calibration: tuple[DatasetPhoto, ...]
    negatives: tuple[DatasetPhoto, ...]
    images: Mapping[Path, Image.Image]


@dataclass(frozen=True)
class FamilyOptions:
    """Settings of a family.

    Attributes:
        concepts: How many identities have names.
        photos: Reference photos each.
        tests: Test photos.
        has_lookalikes: Whether the second of the cast looks like the first but for one attribute.
        size_px: Side of the photos.
        strangers: Photos without the cast.
    """

    concepts: int = 3
    photos: int = 8
    tests: int = 24
    has_lookalikes: bool = False
    size_px: int = 256
    strangers: int = 16


def draw_family(seed: int, options: FamilyOptions) -> Family:
    """Draw a family; the same seed gives the same photos."""
    rng = random.Random(f"scenario {seed}")
    cast = _draw_members(rng, options)
    names = [*FAMILY_NAMES, *(f"Name{n}" for n in range(len(FAMILY_NAMES), options.concepts))]
    images: dict[Path, Image.Image] = {}
    concepts = []
    for index, identity in enumerate(cast):
        train = []
        for number in range(options.photos):
            drawn, mask = _draw_reference(identity, cast, rng, options)
            path = Path(f"{index}-{number}")
            images[path] = drawn.image
            train.append(DatasetPhoto(path, {names[index]: ConceptRegion(mask)}))
        about = describe_fully(identity)
        concepts.append(DatasetConcept(names[index], identity.kind, about, tuple(train)))
    tests = tuple(_draw_test(number, cast, rng, options) for number in range(options.tests))
    images |= {test.path: test.drawn.image for test in tests}
    negatives = []
    for number in range(options.strangers):
        others = draw_others(rng.choice((1, 2)), rng, avoid=cast)
        # Tuning sorts its photos by their names, so those of one purpose are counted together.
        later = number - CALIBRATION_NEGATIVES
        path = Path(f"s-{later}" if later >= 0 else f"c-{number}")
        images[path] = draw_visible(others, rng, size_px=options.size_px).image
        negatives.append(DatasetPhoto(path))
    return Family(
        scenario=Scenario(f"family {seed:06}", tuple(concepts)),
        cast=tuple(cast),
        tests=tests,
        calibration=tuple(negatives[:CALIBRATION_NEGATIVES]),
        negatives=tuple(negatives[CALIBRATION_NEGATIVES:]),
        images=images,
    )


def _draw_members(rng: random.Random, options: FamilyOptions) -> list[Identity]:
    cast = [draw_identity(rng, held_out=True)]
    while options.has_lookalikes and len(cast) < 2:
        try:
            cast.append(draw_lookalike(cast[0], rng, held_out=True))
        except LookupError:  # not everybody has a lookalike that is held out too
            cast = [draw_identity(rng, held_out=True)]
    return [*cast, *draw_others(options.concepts - len(cast), rng, avoid=cast)]


def _draw_reference(
    identity: Identity, cast: Sequence[Identity], rng: random.Random, options: FamilyOptions
) -> tuple[DrawnPhoto, NDArray[np.bool_]]:
    company = draw_others(1, rng, avoid=cast) if rng.random() < 0.3 else []
    photo = draw_visible([identity, *company], rng, size_px=options.size_px)
    index = next(n for n, s in enumerate(photo.scene.subjects) if s.identity == identity)
    return photo, photo.mask(index)


def _draw_test(
    number: int, cast: Sequence[Identity], rng: random.Random, options: FamilyOptions
) -> FamilyPhoto:
    count = (1, 2, 1, 0, 2, min(3, len(cast)))[number % 6]
    present = rng.sample(range(len(cast)), min(count, len(cast)))
    company = draw_others(rng.choice((0, 1)) if count else rng.choice((0, 1, 2)), rng, avoid=cast)
    photo = draw_visible([*(cast[p] for p in present), *company], rng, size_px=options.size_px)
    boxes = {}
    for index, subject in enumerate(photo.scene.subjects):
        box = photo.box(index)
        if subject.identity in cast and box is not None:
            boxes[cast.index(subject.identity)] = box
    return FamilyPhoto(Path(f"t-{number}"), photo, tuple(sorted(present)), boxes)
