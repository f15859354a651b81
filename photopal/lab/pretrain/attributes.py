"""What the vision tower is taught to tell of whoever covers a patch: attribute names and classes."""

from __future__ import annotations

from photopal.lab.synthetic import identity as look
from photopal.lab.synthetic.identity import Person
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.painting.props import ACTIVITIES
from photopal.lab.synthetic.scene import (
    CLOTH_PATTERNS,
    COLLARS,
    HATS,
    LIGHTS,
    TOP_COLOURS,
    TROUSER_COLOURS,
    Scene,
    Subject,
)

ALL_COATS = tuple(dict.fromkeys((*look.COATS, *look.FEATHERS)))
IGNORED = -100

SUBJECT_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "kind": ("person", *look.SPECIES),
    "skin": look.SKINS,
    "hair_colour": look.HAIR_COLOURS,
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
    "top": TOP_COLOURS,
    "top_pattern": CLOTH_PATTERNS,
    "trousers": TROUSER_COLOURS,
    "hat": HATS,
    "hat_colour": TOP_COLOURS,
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
            values["hair_colour"] = identity.hair_colour
        if subject.clothes is not None:
            clothes = subject.clothes
            values |= {"top": clothes.top, "top_pattern": clothes.pattern}
            values |= {"trousers": clothes.trousers, "hat": clothes.hat}
            if clothes.hat != "none":
                values["hat_colour"] = clothes.hat_colour
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
