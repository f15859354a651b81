"""What can be asked about one subject, named or "the dog": doing, wearing, looks, place; knows no wording."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from photopal.lab.synthetic.identity import Identity, Person, Pet
from photopal.lab.synthetic.painting.props import PARROT_ACTIVITIES, PERSON_ACTIVITIES, PET_ACTIVITIES
from photopal.lab.synthetic.scene import Subject
from photopal.lab.synthetic.talking.talk import PROPS, SPECIES_WORDS, kind_words, things_of, yes_no
from photopal.lab.synthetic.wording import clothes_words, describe_fully, sentence, side_words, with_article

SIDES = ("on the left", "in the middle", "on the right")


@dataclass(frozen=True)
class Told:
    """A question about somebody, and its true answer.

    Attributes:
        way: The way of asking.
        answer: The answer.
        fields: What the question speaks of, besides the one it is about.
    """

    way: str
    answer: str
    fields: dict[str, str] = field(default_factory=dict)


OfSubject = Callable[[str, Subject, random.Random], Told | None]
OfLooks = Callable[[str, Identity, random.Random], Told | None]


def doing(name: str, subject: Subject, rng: random.Random) -> Told:
    """What somebody is doing or holding, or whether it does something."""
    draw = rng.random()
    if draw < 0.65:
        return Told("activity", sentence(f"{name} is {subject.activity}"))
    if draw < 0.75:
        thing = PROPS.get(subject.activity)
        return Told("holds", sentence(thing) if thing is not None and thing != "a bicycle" else "Nothing.")
    asked = subject.activity if rng.random() < 0.5 else rng.choice(activities_of(subject))
    return Told("is_doing", yes_no(asked == subject.activity), {"doing": asked})


def activities_of(subject: Subject) -> tuple[str, ...]:
    """What somebody of its kind may be doing."""
    if isinstance(subject.identity, Person):
        return PERSON_ACTIVITIES
    return PARROT_ACTIVITIES if subject.identity.species == "parrot" else PET_ACTIVITIES


def clothing(name: str, subject: Subject, rng: random.Random) -> Told | None:
    """What somebody wears, in full or one thing of it, or whether it wears something."""
    ways: tuple[OfSubject, ...] = (_outfit, _colour, _wears)
    weights: tuple[int, ...] = (2, 2, 2)
    if subject.clothes is not None:
        ways, weights = (*ways, _top, _trousers, _has_hat, _which_hat), (*weights, 3, 2, 2, 2)
    return rng.choices(ways, weights)[0](name, subject, rng)


def _outfit(_: str, subject: Subject, rng: random.Random) -> Told:
    return Told("clothes", sentence(clothes_words(subject)))


def _top(_: str, subject: Subject, rng: random.Random) -> Told | None:
    return None if subject.clothes is None else Told("top", sentence(subject.clothes.top))


def _trousers(_: str, subject: Subject, rng: random.Random) -> Told | None:
    return None if subject.clothes is None else Told("trousers", sentence(subject.clothes.trousers))


def _has_hat(_: str, subject: Subject, rng: random.Random) -> Told | None:
    return None if subject.clothes is None else Told("has_hat", yes_no(subject.clothes.hat != "none"))


def _which_hat(_: str, subject: Subject, rng: random.Random) -> Told | None:
    worn = subject.clothes
    if worn is None or (worn.hat == "none" and rng.random() < 0.7):
        return None
    hat = "none" if worn.hat == "none" else with_article(f"{worn.hat_colour} {worn.hat}")
    return Told("which_hat", sentence(hat))


def _colour(_: str, subject: Subject, rng: random.Random) -> Told | None:
    colours = colours_of(subject)
    garment = rng.choice(sorted(colours)) if colours else None
    return None if garment is None else Told("colour_of", sentence(colours[garment]), {"garment": garment})


def colours_of(subject: Subject) -> dict[str, str]:
    """The colour of everything somebody wears or has that can be asked for."""
    clothes, identity = subject.clothes, subject.identity
    colours: dict[str, str] = {}
    if clothes is not None:
        colours |= {"top": clothes.top, "trousers": clothes.trousers}
        if clothes.hat != "none":
            colours |= {"hat": clothes.hat_colour, clothes.hat: clothes.hat_colour}
    if isinstance(identity, Person):
        if identity.hair_style != "bald":
            colours["hair"] = identity.hair_colour
    else:
        colours["fur" if identity.species != "parrot" else "plumage"] = coat_words(identity)
        if subject.collar != "none" and identity.species != "parrot":
            colours["collar"] = subject.collar
    return colours


def coat_words(pet: Pet) -> str:
    """The colours of a pet: "brown and white"."""
    is_plain = pet.pattern == "plain" and pet.species != "parrot"
    return pet.coat if is_plain or pet.second_coat == pet.coat else f"{pet.coat} and {pet.second_coat}"


def _wears(_: str, subject: Subject, rng: random.Random) -> Told:
    worn = sorted(thing for thing in things_of(subject) if thing not in PROPS.values())
    if worn and rng.random() < 0.5:
        garment = rng.choice(worn)
    else:
        garment = rng.choice(_WORN if subject.clothes is not None else _COLLARS)
    return Told("wears", yes_no(garment in worn), {"garment": garment})


_WORN = (
    *("a hat", "glasses", "a cap", "a beanie", "a straw hat", "a striped top", "a dotted top", "a red top"),
    *("a blue top", "a green top", "a yellow top", "black trousers", "blue trousers", "white trousers"),
)
_COLLARS = ("a collar", "a red collar", "a blue collar", "a green collar")


def placing(_: str, subject: Subject, rng: random.Random) -> Told | None:
    """Where somebody is, or whether it is on one side."""
    side = side_words(subject)
    if side is None:
        return None
    if rng.random() < 0.7:
        return Told("position", sentence(side))
    asked = side if rng.random() < 0.35 else rng.choice(SIDES)
    return Told("is_side", yes_no(asked == side), {"side": asked})


def looking(name: str, identity: Identity, rng: random.Random) -> Told | None:
    """What somebody looks like, in full or in one respect; needs no photo."""
    if isinstance(identity, Pet):
        ways: tuple[OfLooks, ...] = (_described, _species, _coat, _is_kind)
        weights: tuple[int, ...] = (4, 2, 2, 1)
    else:
        ways, weights = (_described, _hair, _glasses, _age, _has_look, _is_kind), (4, 2, 2, 2, 2, 1)
    return rng.choices(ways, weights)[0](name, identity, rng)


def _described(name: str, identity: Identity, rng: random.Random) -> Told:
    return Told("appearance", sentence(f"{name} is {describe_fully(identity)}"))


def _species(_: str, identity: Identity, rng: random.Random) -> Told:
    return Told("species", sentence(kind_words(identity)))


def _coat(_: str, identity: Identity, rng: random.Random) -> Told | None:
    if not isinstance(identity, Pet) or identity.species == "parrot":
        return None
    return Told("coat", sentence(coat_words(identity)))


def _hair(_: str, identity: Identity, rng: random.Random) -> Told | None:
    if not isinstance(identity, Person) or identity.hair_style == "bald":
        return None
    return Told("hair", sentence(identity.hair_colour))


def _glasses(_: str, identity: Identity, rng: random.Random) -> Told | None:
    if not isinstance(identity, Person) or (identity.glasses == "none" and rng.random() < 0.4):
        return None
    return Told("glasses", yes_no(identity.glasses != "none"))


def _age(_: str, identity: Identity, rng: random.Random) -> Told:
    return Told("age", sentence(kind_words(identity)))


def _is_kind(_: str, identity: Identity, rng: random.Random) -> Told:
    kinds = ("a person", "a pet", "a child", "an adult", *SPECIES_WORDS)
    true = {kind_words(identity), "a pet" if isinstance(identity, Pet) else "a person"}
    kind = rng.choice(sorted(true)) if rng.random() < 0.5 else rng.choice(kinds)
    return Told("is_kind", yes_no(kind in true), {"kind": kind})


def _has_look(_: str, identity: Identity, rng: random.Random) -> Told | None:
    if not isinstance(identity, Person):
        return None
    looks = looks_of(identity)
    look = rng.choice(sorted(looks)) if rng.random() < 0.5 else rng.choice(_LOOKS)
    return Told("has_look", yes_no(look in looks), {"look": look})


def looks_of(person: Person) -> set[str]:
    """Everything one may say that a person has."""
    looks = {f"{person.skin} skin"}
    if person.hair_style != "bald":
        looks.add(f"{person.hair_colour} hair")
    else:
        looks.add("a bald head")
    if person.hair_style in {"short", "long", "curly"}:
        looks.add(f"{person.hair_style} hair")
    elif person.hair_style != "bald":
        looks.add(with_article(person.hair_style))
    looks |= {"glasses"} if person.glasses != "none" else set()
    looks |= {f"a {person.beard}"} if person.beard != "none" else set()
    return looks | ({"freckles"} if person.has_freckles else set())


_LOOKS = (
    *("glasses", "a beard", "a moustache", "freckles", "long hair", "short hair", "curly hair", "a bun"),
    *("a ponytail", "black hair", "blond hair", "red hair", "brown hair", "a bald head"),
)
