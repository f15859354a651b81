"""What can be asked about one subject of a photo: doing, wearing, looks, place; knows no wording."""

from __future__ import annotations

import random

from photopal.lab.bundled import readers
from photopal.lab.bundled.album import names_in
from photopal.lab.bundled.matter import Maker, Matter, about, yes_no
from photopal.lab.bundled.shown import Shown, species_of
from photopal.lab.synthetic.identity import HAIR_COLOURS, Person, Pet
from photopal.lab.synthetic.wording import clothes_words, side_words


def _activity(shown: Shown, rng: random.Random) -> Matter | None:
    if (asked := shown.anyone(rng)) is None:
        return None
    who, subject = asked
    return about(shown, who, lambda text: readers.read_activities(text) == {subject.activity})


def _outfit(shown: Shown, rng: random.Random) -> Matter | None:
    if (asked := shown.anyone(rng, Person)) is None:
        return None
    who, subject = asked
    truth = readers.read_garments(clothes_words(subject))
    return about(shown, who, lambda text: readers.read_garments(text) == truth)


def _colour(garment: str) -> Maker:
    def make(shown: Shown, rng: random.Random) -> Matter | None:
        asked = shown.anyone(rng, Person)
        if asked is None or asked[1].clothes is None:
            return None
        colour = getattr(asked[1].clothes, garment)
        return about(shown, asked[0], lambda text: readers.read_colours(text) == {colour})

    return make


def _hat(shown: Shown, rng: random.Random) -> Matter | None:
    asked = shown.anyone(rng, Person)
    if asked is None or asked[1].clothes is None:
        return None
    return yes_no(asked[1].clothes.hat != "none", who=asked[0])


def _side(shown: Shown, rng: random.Random) -> Matter | None:
    pairs = [(n, s) for n, s in zip(shown.names, shown.scene.subjects, strict=True) if n is not None]
    placed = [(name, side) for name, s in pairs if (side := side_words(s)) in readers.SIDES]
    if not placed:
        return None
    name, side = rng.choice(placed)
    return about(shown, name, lambda text: readers.read_sides(text) == {side})


def _beside(shown: Shown, rng: random.Random) -> Matter | None:
    if not shown.present:
        return None
    name = rng.choice(sorted(shown.present))
    near = shown.neighbours(name)
    named = {str(shown.names[i]) for i in near if shown.names[i] is not None}
    strangers = [shown.scene.subjects[i].identity for i in near if shown.names[i] is None]

    def is_right(text: str) -> bool:
        if set(names_in(text, shown.everyone)) - {name} != named:
            return False
        if not near:
            return readers.says_nobody(text) or readers.read_numbers(text) == {0}
        pets = {identity.species for identity in strangers if isinstance(identity, Pet)}
        has_people = any(isinstance(identity, Person) for identity in strangers)
        is_of_strangers = bool(strangers) or not readers.says_somebody(text)
        is_of_people = not has_people or readers.says_person(text)
        return is_of_strangers and is_of_people and pets <= readers.read_species(text)

    return Matter(is_right, {"name": name})


def _hair(shown: Shown, rng: random.Random) -> Matter | None:
    asked = shown.anyone(rng, Person)
    if asked is None or not isinstance(asked[1].identity, Person) or asked[1].identity.hair_style == "bald":
        return None
    colour = asked[1].identity.hair_colour
    return about(shown, asked[0], lambda text: readers.read_colours(text) & set(HAIR_COLOURS) == {colour})


def _glasses(shown: Shown, rng: random.Random) -> Matter | None:
    asked = shown.anyone(rng, Person)
    if asked is None or not isinstance(asked[1].identity, Person):
        return None
    return yes_no(asked[1].identity.glasses != "none", who=asked[0])


def _age(shown: Shown, rng: random.Random) -> Matter | None:
    asked = shown.anyone(rng, Person)
    if asked is None or not isinstance(asked[1].identity, Person):
        return None
    age = asked[1].identity.age
    return about(shown, asked[0], lambda text: readers.read_ages(text) == {age})


def _species(shown: Shown, rng: random.Random) -> Matter | None:
    choices = shown.named(Pet)
    if not choices:
        return None
    name, subject = rng.choice(choices)
    species = species_of(subject.identity)
    return about(shown, name, lambda text: readers.read_species(text) == {species})


def _coat(shown: Shown, rng: random.Random) -> Matter | None:
    asked = shown.anyone(rng, Pet)
    if asked is None or not isinstance(asked[1].identity, Pet) or asked[1].identity.species == "parrot":
        return None
    pet = asked[1].identity
    both = {pet.coat} if pet.pattern == "plain" else {pet.coat, pet.second_coat}
    return about(shown, asked[0], lambda text: {pet.coat} <= readers.read_colours(text) <= both)


SUBJECT_MAKERS: dict[str, Maker] = {
    "activity": _activity,
    "outfit": _outfit,
    "top": _colour("top"),
    "trousers": _colour("trousers"),
    "hat": _hat,
    "side": _side,
    "beside": _beside,
    "hair": _hair,
    "glasses": _glasses,
    "age": _age,
    "species": _species,
    "coat": _coat,
}
