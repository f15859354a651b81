"""Plans a photo: who is where, doing and wearing what, in which place and light; paints nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from photopal.lab.synthetic.identity import Identity, Person, Pet, draw_identity
from photopal.lab.synthetic.painting.people import Clothes
from photopal.lab.synthetic.painting.places import INDOORS, PLACES
from photopal.lab.synthetic.painting.props import PARROT_ACTIVITIES, PERSON_ACTIVITIES, PET_ACTIVITIES

LIGHTS = ("day", "sunset", "night", "cloudy")
TOP_COLORS = ("red", "blue", "green", "yellow", "white", "black", "pink", "purple", "orange")
TROUSER_COLORS = ("blue", "black", "brown", "grey", "white")
HATS = ("none", "cap", "beanie", "straw hat", "party hat")
COLLARS = ("none", "red", "blue", "green", "yellow")
CLOTH_PATTERNS = ("plain", "striped", "dotted")
SKYWARD = {"flying a kite": 0.66, "holding a balloon": 0.66, "holding an umbrella": 0.72}
"""How tall, as a fraction of the photo, somebody may be who needs the sky above for what it does."""
EDGE = 0.22
"""Who stands nearer to the photo's edge than this turns what it holds inwards."""


@dataclass(frozen=True)
class Subject:
    """One person or pet in one photo.

    Attributes:
        identity: Who it is.
        activity: What it is doing.
        x: Horizontal center, as a fraction of the width.
        ground: Where its feet are, as a fraction of the height from the top.
        height: Its height, as a fraction of the photo's height.
        is_mirrored: Whether it faces the other way.
        clothes: What a person wears; None for a pet.
        collar: The color of a pet's collar, or "none".
    """

    identity: Identity
    activity: str
    x: float
    ground: float
    height: float
    is_mirrored: bool
    clothes: Clothes | None = None
    collar: str = "none"


@dataclass(frozen=True)
class Scene:
    """Everything that is true of one drawn photo.

    Attributes:
        place: A key of `PLACES`.
        light: day, sunset, night or cloudy.
        subjects: From left to right.
        seed: Drives what is painted at random (clouds, trees, noise).
        has_rain: Whether rain falls.
    """

    place: str
    light: str
    subjects: tuple[Subject, ...]
    seed: int
    has_rain: bool = False

    @property
    def people(self) -> int:
        """How many people are in the photo."""
        return sum(isinstance(subject.identity, Person) for subject in self.subjects)

    @property
    def pets(self) -> int:
        """How many pets are in the photo."""
        return sum(isinstance(subject.identity, Pet) for subject in self.subjects)


def draw_clothes(rng: random.Random) -> Clothes:
    """Pick an outfit at random."""
    top, hat_color = rng.sample(TOP_COLORS, 2)
    return Clothes(
        top=top,
        pattern=rng.choice(CLOTH_PATTERNS),
        trousers=rng.choice(TROUSER_COLORS),
        hat=rng.choices(HATS, (12, 1, 1, 1, 1))[0],
        hat_color=hat_color,
    )


def plan_scene(
    cast: Sequence[Identity], rng: random.Random, *, bystanders: int = 0, held_out: bool | None = False
) -> Scene:
    """Plan a photo of everyone in the cast.

    Args:
        cast: Zero to four identities, each shown once.
        rng: Source of randomness.
        bystanders: Strangers added to the cast.
        held_out: Which identities strangers are taken from (see `draw_identity`).
    """
    shown = [*cast, *(draw_identity(rng, held_out=held_out) for _ in range(bystanders))]
    rng.shuffle(shown)
    count = len(shown)
    zoom = rng.uniform(0.7, 1.0) if count <= 2 else rng.uniform(0.6, 0.8)
    if count == 1 and rng.random() < 0.25:
        zoom = rng.uniform(1.0, 1.3)
    width = min(0.86, 0.3 * count + 0.1)
    start = rng.uniform(0.0, 1 - width)
    subjects = []
    for index, identity in enumerate(shown):
        center = start + width * (index + 0.5) / max(count, 1)
        x = min(0.88, max(0.12, center + rng.uniform(-0.05, 0.05)))
        subjects.append(_place_subject(identity, rng, x=x, zoom=zoom))
    place = rng.choice(tuple(PLACES))
    light = rng.choices(LIGHTS, (6, 2, 2, 2))[0]
    return Scene(
        place=place,
        light=light,
        subjects=tuple(subjects),
        seed=rng.getrandbits(32),
        has_rain=light == "cloudy" and place not in INDOORS | {"snow", "desert"} and rng.random() < 0.5,
    )


def _place_subject(identity: Identity, rng: random.Random, *, x: float, zoom: float) -> Subject:
    depth = rng.uniform(0.92, 1.08)
    ground = min(0.99, 0.86 + 0.1 * (depth - 0.92) / 0.16)
    if zoom > 1.0:
        ground = 0.95 + (zoom - 0.95)
    if isinstance(identity, Person):
        height = 0.78 * zoom * depth * (0.76 if identity.age == "child" else 1.0)
        clothes = draw_clothes(rng)
        activity = rng.choices(PERSON_ACTIVITIES, (3, *([1] * (len(PERSON_ACTIVITIES) - 1))))[0]
        if activity in SKYWARD:
            height, ground = min(height, SKYWARD[activity]), min(ground, 0.96)
        return Subject(
            identity=identity,
            activity=activity,
            x=x,
            ground=ground,
            height=height,
            is_mirrored=_is_mirrored(x, rng),
            clothes=clothes,
        )
    height = 0.45 * zoom * depth * (1.22 if identity.size == "big" else 0.95)
    choices = PARROT_ACTIVITIES if identity.species == "parrot" else PET_ACTIVITIES
    ground = ground if zoom <= 1.0 else 0.95
    activity, is_mirrored, collar = rng.choice(choices), _is_mirrored(x, rng), rng.choice(COLLARS)
    collar = "none" if identity.species == "parrot" else collar
    return Subject(
        identity=identity,
        activity=activity,
        x=x,
        ground=ground,
        height=height,
        is_mirrored=is_mirrored,
        clothes=None,
        collar=collar,
    )


def _is_mirrored(x: float, rng: random.Random) -> bool:
    is_mirrored = rng.random() < 0.5
    if x < EDGE:
        return False
    return is_mirrored or x > 1 - EDGE
