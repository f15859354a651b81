"""Who lives in the drawn world: people and pets with a fixed look; knows nothing of how they are painted."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, fields, replace
from typing import Literal

SKINS = ("pale", "rosy", "tan", "brown", "dark")
HAIR_COLOURS = ("black", "brown", "blond", "red", "grey", "blue", "pink")
HAIR_STYLES = ("short", "long", "bob", "bun", "curly", "bald", "mohawk", "ponytail")
GLASSES = ("none", "round", "square", "dark")
BEARDS = ("none", "beard", "moustache")
BUILDS = ("slim", "broad")
AGES = ("adult", "child")
SPECIES = ("dog", "cat", "rabbit", "parrot")
COATS = ("black", "white", "brown", "ginger", "grey", "cream")
FEATHERS = ("green", "red", "blue", "yellow", "white", "grey")
PATTERNS = ("plain", "patched", "striped", "bibbed")
EARS = ("up", "down")
SIZES = ("small", "big")

HELD_OUT_SHARE = 0.1


@dataclass(frozen=True)
class Person:
    """The look of one person, the same in every photo."""

    skin: str
    hair_colour: str
    hair_style: str
    glasses: str
    beard: str
    build: str
    age: str
    has_freckles: bool

    @property
    def kind(self) -> Literal["person"]:
        """The kind of concept."""
        return "person"


@dataclass(frozen=True)
class Pet:
    """The look of one pet, the same in every photo."""

    species: str
    coat: str
    second_coat: str
    pattern: str
    ears: str
    size: str

    @property
    def kind(self) -> Literal["pet"]:
        """The kind of concept."""
        return "pet"


Identity = Person | Pet


def is_held_out(identity: Identity) -> bool:
    """Say whether an identity is kept out of every training for ever, by a hash of its look."""
    look = "|".join(f"{field.name}={getattr(identity, field.name)}" for field in fields(identity))
    digest = hashlib.blake2b(look.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") < HELD_OUT_SHARE * 2**32


def draw_person(rng: random.Random) -> Person:
    """Pick a person at random."""
    age = "child" if rng.random() < 0.25 else "adult"
    style = rng.choice(HAIR_STYLES)
    if age == "child" and style == "bald":
        style = "short"
    return Person(
        skin=rng.choice(SKINS),
        hair_colour=rng.choice(HAIR_COLOURS),
        hair_style=style,
        glasses=rng.choices(GLASSES, (5, 2, 2, 1))[0],
        beard="none" if age == "child" else rng.choices(BEARDS, (4, 2, 1))[0],
        build=rng.choice(BUILDS),
        age=age,
        has_freckles=rng.random() < 0.2,
    )


def draw_pet(rng: random.Random) -> Pet:
    """Pick a pet at random."""
    species = rng.choices(SPECIES, (4, 4, 2, 2))[0]
    palette = FEATHERS if species == "parrot" else COATS
    coat, second = rng.sample(palette, 2)
    pattern = rng.choice(PATTERNS)
    return Pet(
        species=species,
        coat=coat,
        second_coat=second if pattern != "plain" or species == "parrot" else coat,
        pattern=pattern,
        ears=rng.choice(EARS) if species in {"dog", "rabbit"} else "up",
        size=rng.choice(SIZES),
    )


def draw_identity(
    rng: random.Random, *, held_out: bool | None = False, kind: Literal["person", "pet"] | None = None
) -> Identity:
    """Pick somebody of the drawn world.

    Args:
        rng: Source of randomness.
        held_out: True for identities never trained on, False for the others, None for either.
        kind: A person or a pet; None for either, people more often.
    """
    while True:
        chosen = kind or ("person" if rng.random() < 0.62 else "pet")
        identity = draw_person(rng) if chosen == "person" else draw_pet(rng)
        if held_out is None or is_held_out(identity) == held_out:
            return identity


def draw_lookalike(identity: Identity, rng: random.Random, *, held_out: bool | None = False) -> Identity:
    """Pick a sibling of an identity: the same but for one attribute that can be seen."""
    while True:
        if isinstance(identity, Person):
            sibling: Identity = _changed_person(identity, rng)
        else:
            sibling = _changed_pet(identity, rng)
        if sibling != identity and (held_out is None or is_held_out(sibling) == held_out):
            return sibling


def _changed_person(person: Person, rng: random.Random) -> Person:
    attribute = rng.choice(("hair_colour", "hair_style", "glasses", "beard", "skin"))
    if attribute == "hair_colour" and person.hair_style != "bald":
        return replace(person, hair_colour=rng.choice(HAIR_COLOURS))
    if attribute == "hair_style":
        return replace(person, hair_style=rng.choice(HAIR_STYLES))
    if attribute == "glasses":
        return replace(person, glasses="none" if person.glasses != "none" else rng.choice(GLASSES[1:]))
    if attribute == "beard" and person.age == "adult":
        return replace(person, beard="none" if person.beard != "none" else rng.choice(BEARDS[1:]))
    return replace(person, skin=rng.choice(SKINS))


def _changed_pet(pet: Pet, rng: random.Random) -> Pet:
    palette = FEATHERS if pet.species == "parrot" else COATS
    attribute = rng.choice(("coat", "second_coat", "pattern", "ears"))
    if attribute == "coat":
        coat = rng.choice([c for c in palette if c != pet.second_coat or pet.pattern == "plain"])
        is_plain = pet.pattern == "plain" and pet.species != "parrot"
        return replace(pet, coat=coat, second_coat=coat if is_plain else pet.second_coat)
    if attribute == "second_coat" and pet.second_coat != pet.coat:
        return replace(pet, second_coat=rng.choice([c for c in palette if c != pet.coat]))
    if attribute == "ears" and pet.species == "dog":
        return replace(pet, ears="up" if pet.ears == "down" else "down")
    if pet.pattern == "plain" and pet.second_coat == pet.coat:
        second = rng.choice([c for c in palette if c != pet.coat])
        return replace(pet, pattern=rng.choice(PATTERNS[1:]), second_coat=second)
    return replace(pet, pattern=rng.choice(PATTERNS[1:]))
