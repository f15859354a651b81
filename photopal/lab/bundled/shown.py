"""What is true of a drawn photo for those who know some of its subjects by name; asks nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from photopal.lab.synthetic.identity import Identity, Person, Pet
from photopal.lab.synthetic.painting.places import INDOORS
from photopal.lab.synthetic.photo import DrawnPhoto, draw_photo
from photopal.lab.synthetic.scene import Scene, Subject

THINGS = {
    "a kite": "flying a kite",
    "a guitar": "playing the guitar",
    "an ice cream": "eating an ice cream",
    "an umbrella": "holding an umbrella",
    "a balloon": "holding a balloon",
    "a ball": "playing with a ball",
    "a book": "reading a book",
    "a bicycle": "riding a bicycle",
    "a cake": "holding a cake",
}
"""Things a photo may show, each with what somebody does who has it."""

_PART_OF_PLACE = {
    "an umbrella": "beach",
    "a book": "living room",
    "a bicycle": "street",
    "a ball": "playground",
}
_VISIBLE_SHARE = 0.6


@dataclass(frozen=True, eq=False)
class Shown:
    """A photo and whom of it one knows.

    Attributes:
        photo: The drawn photo.
        names: For each subject of its scene its name, None for strangers.
        absent: Names of those who are not there.
    """

    photo: DrawnPhoto
    names: tuple[str | None, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def scene(self) -> Scene:
        """What was drawn."""
        return self.photo.scene

    @property
    def is_outdoors(self) -> bool:
        """Whether light and weather can be seen."""
        return self.scene.place not in INDOORS

    @property
    def present(self) -> set[str]:
        """The names of those who are there."""
        return {name for name in self.names if name is not None}

    @property
    def everyone(self) -> list[str]:
        """All names that may be spoken of."""
        return [*sorted(self.present), *self.absent]

    @cached_property
    def order(self) -> list[int]:
        """Indices of the subjects from left to right."""
        return sorted(range(len(self.scene.subjects)), key=lambda index: self.scene.subjects[index].x)

    @cached_property
    def clear(self) -> list[int]:
        """Indices of the subjects that can be seen well: from head to feet, not cut off, hardly covered."""
        return [index for index in range(len(self.scene.subjects)) if _is_clear(self.photo, index)]

    def named(self, kind: type[Person] | type[Pet] | None = None) -> list[tuple[str, Subject]]:
        """Those with a name who can be seen well, with their names."""
        pairs = [(self.names[i], self.scene.subjects[i]) for i in self.clear] if self.names else []
        kinds = (Person, Pet) if kind is None else (kind,)
        return [(name, s) for name, s in pairs if name is not None and isinstance(s.identity, kinds)]

    def alone(self) -> list[tuple[str, Subject]]:
        """Those who can be seen well and told without a name, as "the person" or "the dog"."""
        words = [species_of(subject.identity) for subject in self.scene.subjects]
        return [(f"the {words[i]}", self.scene.subjects[i]) for i in self.clear if words.count(words[i]) == 1]

    def anyone(
        self, rng: random.Random, kind: type[Person] | type[Pet] | None = None
    ) -> tuple[str, Subject] | None:
        """Somebody to ask about: by name where a name is known, else as "the person" or "the dog"."""
        choices = self.named(kind)
        if not choices:
            choices = [(who, s) for who, s in self.alone() if kind is None or isinstance(s.identity, kind)]
        return rng.choice(choices) if choices else None

    def neighbours(self, name: str) -> list[int]:
        """Indices of those who stand beside a name, from left to right."""
        place = next(n for n, index in enumerate(self.order) if self.names[index] == name)
        return [self.order[n] for n in (place - 1, place + 1) if 0 <= n < len(self.order)]

    def count(self, what: str) -> int:
        """How many people, pets, dogs, cats … are there."""
        kinds = [species_of(subject.identity) for subject in self.scene.subjects]
        if what == "people":
            return kinds.count("person")
        return len(kinds) - kinds.count("person") if what == "pets" else kinds.count(what[:-1])

    def has(self, thing: str) -> bool | None:
        """Whether a thing is there; None where it may be part of the place."""
        if self.scene.place == _PART_OF_PLACE.get(thing):
            return None
        return any(subject.activity == THINGS[thing] for subject in self.scene.subjects)


def show(photo: DrawnPhoto, cast: Sequence[Identity], names: Sequence[str]) -> Shown:
    """Look at a photo as one who knows a cast by their names."""
    of = dict(zip(cast, names, strict=True))
    shown = tuple(of.get(subject.identity) for subject in photo.scene.subjects)
    return Shown(photo, shown, tuple(name for name in names if name not in shown))


def species_of(identity: Identity) -> str:
    """A person or a kind of pet."""
    return identity.species if isinstance(identity, Pet) else "person"


def _is_clear(photo: DrawnPhoto, index: int) -> bool:
    subject = photo.scene.subjects[index]
    box = photo.box(index)
    if box is None or subject.ground > 1.0:
        return False
    x, _, width, _ = box
    if x <= 0 or x + width >= photo.image.width:
        return False
    if len(photo.scene.subjects) == 1:
        return True
    lone = draw_photo(replace(photo.scene, subjects=(subject,)), size_px=64, supersample=1)
    share = photo.mask(index).mean() / max(1e-9, float(lone.mask(0).mean()))
    return bool(share >= _VISIBLE_SHARE)
