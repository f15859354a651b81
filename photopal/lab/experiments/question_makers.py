"""What can be asked about a drawn photo, in which words, and who judges the answer; knows no model.

A judge says whether an answer is right by the facts of the scene, in whatever words they are told. It is
strict: every fact asked for must be there, and none of the same sort that is false.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from photopal.lab.metrics import answer_facts
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.identity import HAIR_COLORS, SPECIES, Identity, Person, Pet
from photopal.lab.synthetic.painting.places import INDOORS
from photopal.lab.synthetic.scene import Scene, Subject
from photopal.lab.synthetic.wording import clothes_words, side_words
from photopal.prompts import templates as questions
from photopal.text import names_in

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
class PhotoFacts:
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

    def neighbors(self, name: str) -> list[int]:
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


def facts_of_photo(photo: DrawnPhoto, cast: Sequence[Identity], names: Sequence[str]) -> PhotoFacts:
    """Look at a photo as one who knows a cast by their names."""
    of = dict(zip(cast, names, strict=True))
    shown = tuple(of.get(subject.identity) for subject in photo.scene.subjects)
    return PhotoFacts(photo, shown, tuple(name for name in names if name not in shown))


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


Judge = Callable[[str], bool]


@dataclass(frozen=True)
class Topic:
    """Something to ask.

    Attributes:
        is_right: Says whether an answer is right.
        gaps: What the wording leaves open: who, name, what, thing.
        answer: Where there are but two answers, which is right: Yes or No; else empty.
    """

    is_right: Judge
    gaps: dict[str, str] = field(default_factory=dict)
    answer: str = ""


Maker = Callable[[PhotoFacts, random.Random], Topic | None]
"""Finds something of its kind to ask about a photo; None where there is nothing."""


def about(shown: PhotoFacts, who: str, judge: Judge) -> Topic:
    """A matter of one subject: an answer that speaks of another name is wrong."""
    others = [name for name in shown.everyone if name != who]
    return Topic(lambda text: judge(text) and not names_in(text, others), {"who": who, "name": who})


def yes_no(is_yes: bool, **gaps: str) -> Topic:
    """A matter of Yes or No."""
    gaps |= {"who": gaps["name"]} if "name" in gaps else {}
    return Topic(lambda text: answer_facts.read_yes_no(text) is is_yes, gaps, "Yes" if is_yes else "No")


def _place(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    return Topic(lambda text: answer_facts.read_places(text) == {shown.scene.place})


def _count(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    what = rng.choice(("people", "people", "pets", "dogs", "cats"))
    number = shown.count(what)
    return Topic(lambda text: answer_facts.read_numbers(text) == {number}, {"what": what})


def _exists(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    there: dict[str, bool] = {f"a {species}": shown.count(f"{species}s") > 0 for species in SPECIES}
    there |= {thing: has for thing in THINGS if (has := shown.has(thing)) is not None}
    wanted = rng.random() < 0.5
    choices = [thing for thing, is_there in there.items() if is_there == wanted]
    return yes_no(wanted, thing=rng.choice(choices)) if choices else None


def _missing(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    things = [thing for thing in THINGS if shown.has(thing) is False]
    things += [f"a {species}" for species in SPECIES if not shown.count(f"{species}s")]
    return yes_no(False, thing=rng.choice(things)) if things else None


def _found(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    things = [thing for thing in THINGS if shown.has(thing)]
    things += [f"a {species}" for species in SPECIES if shown.count(f"{species}s")]
    return yes_no(True, thing=rng.choice(things)) if things else None


def _time(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    light = {"cloudy": "day"}.get(shown.scene.light, shown.scene.light)
    if not shown.is_outdoors or light not in ("day", "sunset", "night"):
        return None
    return Topic(lambda text: answer_facts.read_light(text) == {light})


def _weather(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    scene = shown.scene
    if not shown.is_outdoors or scene.place == "snow" or scene.light not in ("day", "cloudy"):
        return None
    truth = "rainy" if scene.has_rain else "sunny" if scene.light == "day" else "cloudy"
    return Topic(lambda text: answer_facts.read_weather(text) == {truth})


def _dark(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    is_told = shown.is_outdoors and shown.scene.light in ("day", "cloudy", "night")
    return yes_no(shown.scene.light == "night") if is_told else None


def _rain(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    return yes_no(shown.scene.has_rain) if shown.is_outdoors else None


def _who(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    def is_right(text: str) -> bool:
        named = set(names_in(text, shown.everyone))
        if named or shown.present:
            return named == shown.present
        return answer_facts.says_unknown(text) if shown.scene.subjects else answer_facts.says_nobody(text)

    return Topic(is_right)


def _present(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    wanted = bool(shown.present) and (not shown.absent or rng.random() < 0.5)
    choices = sorted(shown.present) if wanted else list(shown.absent)
    return yes_no(wanted, name=rng.choice(choices)) if choices else None


def _absent(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    if not shown.absent:
        return None
    name = rng.choice(shown.absent)
    others = [other for other in shown.everyone if other != name]
    return Topic(lambda text: answer_facts.says_absent(text) and not names_in(text, others), {"name": name})


def _scene(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    def is_right(text: str) -> bool:
        is_named = set(names_in(text, shown.everyone)) == shown.present
        has_place = answer_facts.read_places(text) == {shown.scene.place}
        # A short description may leave out what is done; what it does say must be so.
        is_silent = bool(shown.scene.subjects) and not answer_facts.read_activities(text)
        return is_named and has_place and (is_silent or tells_activities(shown, text))

    return Topic(is_right)


def tells_activities(shown: PhotoFacts, text: str) -> bool:
    """Whether a description says of everybody what they do: after each name, and of all together no more."""
    found = answer_facts.find_activities(text)
    if {activity for activity, _ in found} != {subject.activity for subject in shown.scene.subjects}:
        return False
    low = text.lower()
    for name, subject in zip(shown.names, shown.scene.subjects, strict=True):
        at = low.find(name.lower()) if name is not None else -1
        after = [activity for activity, place in found if place > at]
        if at >= 0 and after and after[0] != subject.activity:
            return False
    return True


SCENE_MAKERS: dict[str, Maker] = {
    "place": _place,
    "count": _count,
    "exists": _exists,
    "missing": _missing,
    "found": _found,
    "time": _time,
    "weather": _weather,
    "dark": _dark,
    "rain": _rain,
    "who": _who,
    "present": _present,
    "absent": _absent,
    "scene": _scene,
}


def _activity(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    if (asked := shown.anyone(rng)) is None:
        return None
    who, subject = asked
    return about(shown, who, lambda text: answer_facts.read_activities(text) == {subject.activity})


def _outfit(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    if (asked := shown.anyone(rng, Person)) is None:
        return None
    who, subject = asked
    truth = answer_facts.read_garments(clothes_words(subject))
    return about(shown, who, lambda text: answer_facts.read_garments(text) == truth)


def _color(garment: str) -> Maker:
    def make(shown: PhotoFacts, rng: random.Random) -> Topic | None:
        asked = shown.anyone(rng, Person)
        if asked is None or asked[1].clothes is None:
            return None
        color = getattr(asked[1].clothes, garment)
        return about(shown, asked[0], lambda text: answer_facts.read_colors(text) == {color})

    return make


def _hat(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    asked = shown.anyone(rng, Person)
    if asked is None or asked[1].clothes is None:
        return None
    return yes_no(asked[1].clothes.hat != "none", who=asked[0])


def _side(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    pairs = [(n, s) for n, s in zip(shown.names, shown.scene.subjects, strict=True) if n is not None]
    placed = [(name, side) for name, s in pairs if (side := side_words(s)) in answer_facts.SIDES]
    if not placed:
        return None
    name, side = rng.choice(placed)
    return about(shown, name, lambda text: answer_facts.read_sides(text) == {side})


def _beside(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    if not shown.present:
        return None
    name = rng.choice(sorted(shown.present))
    near = shown.neighbors(name)
    named = {str(shown.names[i]) for i in near if shown.names[i] is not None}
    strangers = [shown.scene.subjects[i].identity for i in near if shown.names[i] is None]

    def is_right(text: str) -> bool:
        if set(names_in(text, shown.everyone)) - {name} != named:
            return False
        if not near:
            return answer_facts.says_nobody(text) or answer_facts.read_numbers(text) == {0}
        pets = {identity.species for identity in strangers if isinstance(identity, Pet)}
        has_people = any(isinstance(identity, Person) for identity in strangers)
        is_of_strangers = bool(strangers) or not answer_facts.says_somebody(text)
        is_of_people = not has_people or answer_facts.says_person(text)
        return is_of_strangers and is_of_people and pets <= answer_facts.read_species(text)

    return Topic(is_right, {"name": name})


def _hair(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    asked = shown.anyone(rng, Person)
    if asked is None or not isinstance(asked[1].identity, Person) or asked[1].identity.hair_style == "bald":
        return None
    color = asked[1].identity.hair_color
    return about(shown, asked[0], lambda text: answer_facts.read_colors(text) & set(HAIR_COLORS) == {color})


def _glasses(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    asked = shown.anyone(rng, Person)
    if asked is None or not isinstance(asked[1].identity, Person):
        return None
    return yes_no(asked[1].identity.glasses != "none", who=asked[0])


def _age(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    asked = shown.anyone(rng, Person)
    if asked is None or not isinstance(asked[1].identity, Person):
        return None
    age = asked[1].identity.age
    return about(shown, asked[0], lambda text: answer_facts.read_ages(text) == {age})


def _species(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    choices = shown.named(Pet)
    if not choices:
        return None
    name, subject = rng.choice(choices)
    species = species_of(subject.identity)
    return about(shown, name, lambda text: answer_facts.read_species(text) == {species})


def _coat(shown: PhotoFacts, rng: random.Random) -> Topic | None:
    asked = shown.anyone(rng, Pet)
    if asked is None or not isinstance(asked[1].identity, Pet) or asked[1].identity.species == "parrot":
        return None
    pet = asked[1].identity
    both = {pet.coat} if pet.pattern == "plain" else {pet.coat, pet.second_coat}
    return about(shown, asked[0], lambda text: {pet.coat} <= answer_facts.read_colors(text) <= both)


SUBJECT_MAKERS: dict[str, Maker] = {
    "activity": _activity,
    "outfit": _outfit,
    "top": _color("top"),
    "trousers": _color("trousers"),
    "hat": _hat,
    "side": _side,
    "beside": _beside,
    "hair": _hair,
    "glasses": _glasses,
    "age": _age,
    "species": _species,
    "coat": _coat,
}


FREE_QUESTIONS = Path(__file__).with_name("free_questions.txt")

MAKERS: Mapping[str, Maker] = {**SCENE_MAKERS, **SUBJECT_MAKERS}
"""Kind of question → what finds something of that kind to ask."""

PLAIN: Mapping[str, tuple[str, ...]] = {
    "place": ("Where was this photo taken?", "Where is this?", "What place is this?"),
    "activity": ("What is {who} doing?",),
    "outfit": ("What is {who} wearing?",),
    "top": ("What colour is the top of {who}?",),
    "trousers": ("What colour are the trousers of {who}?",),
    "hat": ("Is {who} wearing a hat?",),
    "count": ("How many {what} are there?", "How many {what} are in this photo?"),
    "side": questions.POSITION_TEMPLATES,
    "beside": ("Who is beside {name}?", "Who is next to {name}?"),
    "who": questions.WHO_TEMPLATES,
    "absent": (*questions.ACTIVITY_TEMPLATES, *questions.POSITION_TEMPLATES),
    "missing": ("Is there {thing} in this photo?", "Can you see {thing}?", "Is there {thing}?"),
    "found": ("Is there {thing} in this photo?", "Can you see {thing}?", "Is there {thing}?"),
}
"""Kind of question → wordings that training has too."""


def free_questions() -> list[tuple[str, str]]:
    """Kind and wording of every free question, in the order of the list."""
    lines = FREE_QUESTIONS.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(": ", 1) for line in lines if line and not line.startswith("#")]
    return [(kind, wording) for kind, wording in pairs]
