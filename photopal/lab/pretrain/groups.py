"""Draws training photos in groups that share a cast, and says what can be seen on them; knows no models."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from photopal.lab.synthetic import identity as look
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.identity import Identity, Person, draw_identity, draw_lookalike
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.painting.props import ACTIVITIES
from photopal.lab.synthetic.scene import (
    CLOTH_PATTERNS,
    COLLARS,
    HATS,
    LIGHTS,
    TOP_COLORS,
    TROUSER_COLORS,
    Scene,
    Subject,
    plan_scene,
)

PHOTOS_PER_GROUP = 4
CAST_SIZE = 5
SIDE_PX = 160
GRID = 10
OWNED_SHARE = 0.3
THING_SHARE = 0.12


@dataclass(frozen=True)
class Group:
    """Photos of one cast: every photo shows some of it, so each serves as reference for the others.

    Attributes:
        cast: Who may be shown.
        photos: The drawn photos.
        members: For each photo, for each of its subjects, the index in the cast; -1 for a stranger.
        patch_owners: int8 [photos, patches]: the subject (from 0) that covers each patch, -1 for none.
        patch_things: int8 [photos, patches]: the subject whose thing is in each patch, -1 for none.
    """

    cast: tuple[Identity, ...]
    photos: tuple[DrawnPhoto, ...]
    members: tuple[tuple[int, ...], ...]
    patch_owners: NDArray[np.int8]
    patch_things: NDArray[np.int8]


def draw_cast(rng: random.Random, *, size: int = CAST_SIZE, held_out: bool | None = False) -> list[Identity]:
    """Pick different identities; half of the casts hold lookalikes."""
    cast: list[Identity] = []
    with_lookalikes = rng.random() < 0.5
    while len(cast) < size:
        identity = None
        if cast and with_lookalikes and rng.random() < 0.5:
            with contextlib.suppress(LookupError):  # not everybody has a sibling that is held out too
                identity = draw_lookalike(rng.choice(cast), rng, held_out=held_out)
        identity = identity or draw_identity(rng, held_out=held_out)
        if identity not in cast:
            cast.append(identity)
    return cast


def draw_group(rng: random.Random, *, size_px: int = SIDE_PX, held_out: bool | None = False) -> Group:
    """Draw one group."""
    cast = draw_cast(rng, held_out=held_out)
    photos, members, owners, things = [], [], [], []
    for _ in range(PHOTOS_PER_GROUP):
        count = rng.choices((0, 1, 2, 3, 4), (1, 7, 8, 4, 1))[0]
        shown = rng.sample(range(len(cast)), count)
        strangers = 1 if count < 3 and rng.random() < 0.15 else 0
        scene = plan_scene([cast[i] for i in shown], rng, bystanders=strangers, held_out=held_out)
        photo = draw_photo(scene, size_px=size_px)
        index_of = {cast[i]: i for i in shown}
        photos.append(photo)
        members.append(tuple(index_of.get(subject.identity, -1) for subject in scene.subjects))
        owners.append(patch_subjects(photo.owners, count=len(photo.scene.subjects), share=OWNED_SHARE))
        things.append(patch_subjects(photo.things, count=len(photo.scene.subjects), share=THING_SHARE))
    return Group(
        cast=tuple(cast),
        photos=tuple(photos),
        members=tuple(members),
        patch_owners=np.stack(owners),
        patch_things=np.stack(things),
    )


def patch_subjects(painted: NDArray[np.uint8], *, count: int, share: float) -> NDArray[np.int8]:
    """Say which subject covers each patch most: int8 [GRID * GRID], -1 where nobody covers enough.

    Args:
        painted: What is painted at each pixel: n for the n-th subject (from 1), 0 for nobody.
        count: How many subjects there are.
        share: The share of a patch that is enough.
    """
    if not count:
        return np.full(GRID * GRID, -1, np.int8)
    side = painted.shape[0] // GRID
    blocks = painted.reshape(GRID, side, GRID, side).transpose(0, 2, 1, 3).reshape(GRID * GRID, -1)
    shares = np.stack([(blocks == n + 1).mean(axis=1) for n in range(count)])
    best = shares.argmax(axis=0)
    return np.where(shares.max(axis=0) >= share, best, -1).astype(np.int8)


class GroupStream(IterableDataset[object]):
    """Endless batches made from groups, drawn in worker processes."""

    def __init__(self, seed: int, groups_per_batch: int, make: Callable[[list[Group]], object]) -> None:
        super().__init__()
        self.seed = seed
        self.groups_per_batch = groups_per_batch
        self.make = make

    def __iter__(self) -> Iterator[object]:
        """Draw batches for ever; every worker has its own seed."""
        info = get_worker_info()
        rng = random.Random(self.seed * 1009 + (info.id if info else 0))
        while True:
            yield self.make([draw_group(rng) for _ in range(self.groups_per_batch)])


ALL_COATS = tuple(dict.fromkeys((*look.COATS, *look.FEATHERS)))
IGNORED = -100

SUBJECT_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "kind": ("person", *look.SPECIES),
    "skin": look.SKINS,
    "hair_colour": look.HAIR_COLORS,
    "hair_style": look.HAIR_STYLES,
    "glasses": look.GLASSES,
    "beard": look.BEARDS,
    "build": look.BUILDS,
    "age": look.AGES,
    "freckles": ("no", "yes"),
    "coat": ALL_COATS,
    "second_coat": ALL_COATS,
    "pattern": look.PATTERNS,
    "ears": look.EARS,
    "size": look.SIZES,
    "top": TOP_COLORS,
    "top_pattern": CLOTH_PATTERNS,
    "trousers": TROUSER_COLORS,
    "hat": HATS,
    "hat_colour": TOP_COLORS,
    "collar": COLLARS,
    "activity": ACTIVITIES,
}
PHOTO_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "place": tuple(PLACES),
    "light": LIGHTS,
    "rain": ("no", "yes"),
    "people": ("0", "1", "2", "3", "4", "5"),
    "pets": ("0", "1", "2", "3", "4", "5"),
}


def describe_subject(subject: Subject) -> list[int]:
    """Give the class of every subject attribute, in order; `IGNORED` where it does not apply."""
    identity = subject.identity
    values: dict[str, str] = {"activity": subject.activity}
    if isinstance(identity, Person):
        values |= {
            "kind": "person",
            "skin": identity.skin,
            "hair_style": identity.hair_style,
            "glasses": identity.glasses,
            "beard": identity.beard,
            "build": identity.build,
            "age": identity.age,
            "freckles": "yes" if identity.has_freckles else "no",
        }
        if identity.hair_style != "bald" or identity.beard != "none":
            values["hair_colour"] = identity.hair_color
        if subject.clothes is not None:
            clothes = subject.clothes
            values |= {"top": clothes.top, "top_pattern": clothes.pattern}
            values |= {"trousers": clothes.trousers, "hat": clothes.hat}
            if clothes.hat != "none":
                values["hat_colour"] = clothes.hat_color
    else:
        values |= {
            "kind": identity.species,
            "coat": identity.coat,
            "second_coat": identity.second_coat,
            "pattern": identity.pattern,
            "ears": identity.ears,
            "size": identity.size,
        }
        if identity.species != "parrot":
            values["collar"] = subject.collar
    return [
        classes.index(values[name]) if name in values else IGNORED
        for name, classes in SUBJECT_ATTRIBUTES.items()
    ]


def describe_photo(scene: Scene) -> list[int]:
    """Give the class of every attribute of the whole photo, in order."""
    values = {
        "place": scene.place,
        "light": scene.light,
        "rain": "yes" if scene.has_rain else "no",
        "people": str(min(scene.people, 5)),
        "pets": str(min(scene.pets, 5)),
    }
    return [classes.index(values[name]) for name, classes in PHOTO_ATTRIBUTES.items()]
