"""Who lives in the drawn world: people and pets with a fixed look; knows nothing of how they are painted."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, fields, replace
from typing import Literal

SKINS = ("pale", "rosy", "tan", "brown", "dark")
HAIR_COLORS = ("black", "brown", "blond", "red", "grey", "blue", "pink")
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

_PERSON_ATTRIBUTES = ("hair_color", "hair_style", "glasses", "beard", "skin")
_PET_ATTRIBUTES = ("coat", "second_coat", "pattern", "ears")
_TRIES = 64


@dataclass(frozen=True)
class Person:
    """The look of one person, the same in every photo."""

    skin: str
    hair_color: str
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
    # The hash decides what every trained model has seen, so the words that go into it never change.
    words = {field.name: getattr(identity, field.name) for field in fields(identity)}
    look = "|".join(f"{name.replace('color', 'colour')}={word}" for name, word in words.items())
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
        hair_color=rng.choice(HAIR_COLORS),
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
    """Pick a sibling of an identity: the same but for one attribute that can be seen.

    Raises:
        LookupError: It has no sibling of the kind that `held_out` asks for.
    """
    for _ in range(_TRIES):
        attributes = _PERSON_ATTRIBUTES if isinstance(identity, Person) else _PET_ATTRIBUTES
        changed = _changed(identity, rng.choice(attributes))
        sibling = changed[0] if len(changed) == 1 else rng.choice(changed)
        if sibling != identity and (held_out is None or is_held_out(sibling) == held_out):
            return sibling
    fitting = [s for s in list_lookalikes(identity) if held_out is None or is_held_out(s) == held_out]
    if not fitting:
        kept = "held out" if held_out else "trained on"
        raise LookupError(f"nobody who is {kept} looks like {identity}")
    return rng.choice(fitting)


def list_lookalikes(identity: Identity) -> list[Identity]:
    """Every sibling that `draw_lookalike` may pick, in a fixed order."""
    attributes = _PERSON_ATTRIBUTES if isinstance(identity, Person) else _PET_ATTRIBUTES
    siblings = [sibling for attribute in attributes for sibling in _changed(identity, attribute)]
    return [sibling for sibling in dict.fromkeys(siblings) if sibling != identity]


def _changed(identity: Identity, attribute: str) -> list[Identity]:
    """The identity with every value an attribute may take, or another where it has no choice there."""
    if isinstance(identity, Person):
        return list(_changed_person(identity, attribute))
    return list(_changed_pet(identity, attribute))


def _changed_person(person: Person, attribute: str) -> list[Person]:
    if attribute == "hair_color" and person.hair_style != "bald":
        return [replace(person, hair_color=color) for color in HAIR_COLORS]
    if attribute == "hair_style":
        return [replace(person, hair_style=style) for style in HAIR_STYLES]
    if attribute == "glasses":
        glasses = GLASSES[1:] if person.glasses == "none" else GLASSES[:1]
        return [replace(person, glasses=worn) for worn in glasses]
    if attribute == "beard" and person.age == "adult":
        beards = BEARDS[1:] if person.beard == "none" else BEARDS[:1]
        return [replace(person, beard=beard) for beard in beards]
    return [replace(person, skin=skin) for skin in SKINS]


def _changed_pet(pet: Pet, attribute: str) -> list[Pet]:
    palette = FEATHERS if pet.species == "parrot" else COATS
    if attribute == "coat":
        coats = [c for c in palette if c != pet.second_coat or pet.pattern == "plain"]
        is_plain = pet.pattern == "plain" and pet.species != "parrot"
        return [replace(pet, coat=coat, second_coat=coat if is_plain else pet.second_coat) for coat in coats]
    others = [c for c in palette if c != pet.coat]
    if attribute == "second_coat" and pet.second_coat != pet.coat:
        return [replace(pet, second_coat=second) for second in others]
    if attribute == "ears" and pet.species == "dog":
        return [replace(pet, ears="up" if pet.ears == "down" else "down")]
    if pet.pattern == "plain" and pet.second_coat == pet.coat:
        return [replace(pet, pattern=p, second_coat=second) for second in others for p in PATTERNS[1:]]
    return [replace(pet, pattern=pattern) for pattern in PATTERNS[1:]]
