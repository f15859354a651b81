"""Casts an album: a family with names, somebody who looks like one of them, and who is in which photo."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields, replace
from typing import Literal

from photopal.errors import UsageError
from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import Identity, Person, Pet, draw_identity, draw_lookalike, is_held_out
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import Scene, plan_scene

# What a reader expects of these names; any other name may be anybody's.
BEARDLESS = {"Anna", "Clara", "Emma", "Mia"}
SPECIES_OF = {
    "Rex": "dog",
    "Bello": "dog",
    "Mimi": "cat",
    "Tiger": "cat",
    "Clover": "rabbit",
    "Kiwi": "parrot",
}

_VISIBLE_SHARE = 0.6
_FAMILY_DIFFERENCES, _STRANGER_DIFFERENCES = 3, 2


@dataclass(frozen=True)
class Family:
    """Who an album is about; none of them is ever trained on.

    Attributes:
        names: The name of each identity, people first.
        lookalike: A stranger, one attribute apart from `likeness`.
        likeness: Whom the lookalike resembles.
    """

    names: dict[Identity, str]
    lookalike: Identity
    likeness: Identity


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names that are missing, twice there, or no names of folders (UsageError)."""
    if not names or len({name.casefold() for name in names}) < len(names):
        raise UsageError("an album needs names, each only once")
    for name in names:
        if name != name.strip(" .") or not name.isprintable() or set(name) & set('/\\:*?"<>|') or not name:
            raise UsageError(f"{name!r} cannot be the name of a folder")


def draw_family(people: tuple[str, ...], pets: tuple[str, ...], rng: random.Random) -> Family:
    """Draw a family whose members differ clearly, and the lookalike of one of its people."""
    while True:
        names: dict[Identity, str] = {}
        for name in people:
            names[_draw_member(name, "person", names, rng)] = name
        for name in pets:
            names[_draw_member(name, "pet", names, rng)] = name
        candidates = list(names)[: len(people) or len(pets)]
        for likeness in rng.sample(candidates, len(candidates)):
            others = {other: name for other, name in names.items() if other != likeness}
            # Not everybody has a sibling that is held out too.
            for _ in range(200):
                sibling = draw_lookalike(likeness, rng, held_out=None)
                if is_held_out(sibling) and _is_unlike(sibling, others, _STRANGER_DIFFERENCES):
                    return Family(names, sibling, likeness)


def draw_stranger(family: Family, rng: random.Random) -> Identity:
    """Draw somebody who is not easily taken for a member of the family."""
    while True:
        stranger = draw_identity(rng, held_out=True)
        if _is_unlike(stranger, family.names, _STRANGER_DIFFERENCES):
            return stranger


def cast_photos(family: Family, rng: random.Random, *, count: int) -> list[list[Identity]]:
    """Choose who is in each of `count` photos: one shows nobody, some strangers, the others the family."""
    members = list(family.names)
    others = [member for member in members if member != family.likeness]
    casts: list[list[Identity]] = [
        members[:4],
        [],
        [family.lookalike],
        [draw_stranger(family, rng)],
        [family.likeness, family.lookalike],
        [*others[:1], family.lookalike],
    ]
    while len(casts) < count:
        size = min(rng.choices((1, 2, 3), (5, 3, 1))[0], len(members))
        shown = rng.sample(members, size)
        if size < 3 and rng.random() < 0.25:
            shown.append(family.lookalike if rng.random() < 0.3 else draw_stranger(family, rng))
        casts.append(shown)
    return casts[:count]


def cast_references(
    family: Family, member: Identity, rng: random.Random, *, count: int
) -> list[list[Identity]]:
    """Choose who is in each reference photo of a member: two of three show nobody else."""
    others = [other for other in family.names if other != member]
    casts: list[list[Identity]] = []
    for index in range(count):
        company = [rng.choice([*others, draw_stranger(family, rng)])] if index % 3 == 2 else []
        casts.append([member, *company])
    return casts


def plan_visible(cast: list[Identity], rng: random.Random) -> Scene:
    """Plan a photo in which nobody is much hidden behind others."""
    while True:
        scene = plan_scene(cast, rng)
        if _is_everyone_visible(scene):
            return scene


def plan_clear(cast: list[Identity], rng: random.Random, *, not_at: set[str]) -> Scene:
    """Plan a photo as one would choose to show somebody: by light, nobody cut off, not at those places."""
    while True:
        scene = plan_visible(cast, rng)
        is_elsewhere = scene.place not in not_at or len(not_at) > len(PLACES) // 2
        if is_elsewhere and scene.light != "night" and not _is_cut_off(scene):
            return scene


def nudge(scene: Scene, rng: random.Random) -> Scene:
    """Return a scene as it is a second later: everybody has moved a little."""
    moved = (replace(subject, x=subject.x + rng.uniform(-0.008, 0.008)) for subject in scene.subjects)
    return replace(scene, subjects=tuple(moved))


def _draw_member(
    name: str, kind: Literal["person", "pet"], names: dict[Identity, str], rng: random.Random
) -> Identity:
    while True:
        identity = draw_identity(rng, held_out=True, kind=kind)
        if _suits(name, identity) and _is_unlike(identity, names, _FAMILY_DIFFERENCES):
            return identity


def _suits(name: str, identity: Identity) -> bool:
    if isinstance(identity, Pet):
        return SPECIES_OF.get(name, identity.species) == identity.species
    return identity.beard == "none" or name not in BEARDLESS


def _is_unlike(identity: Identity, names: dict[Identity, str], differences: int) -> bool:
    return all(count_differences(identity, other) >= differences for other in names)


def count_differences(one: Identity, other: Identity) -> int:
    """Count the attributes two identities differ in; a person and a pet differ in all."""
    if type(one) is not type(other):
        return len(fields(Person))
    return sum(getattr(one, field.name) != getattr(other, field.name) for field in fields(one))


def _is_everyone_visible(scene: Scene) -> bool:
    if len(scene.subjects) < 2:
        return True
    together = draw_photo(scene, size_px=64, supersample=1)
    for index, subject in enumerate(scene.subjects):
        alone = draw_photo(replace(scene, subjects=(subject,)), size_px=64, supersample=1)
        if together.mask(index).sum() < _VISIBLE_SHARE * alone.mask(0).sum():
            return False
    return True


def _is_cut_off(scene: Scene) -> bool:
    owners = draw_photo(scene, size_px=64, supersample=1).owners
    return bool(owners[:, 0].any() or owners[:, -1].any())
