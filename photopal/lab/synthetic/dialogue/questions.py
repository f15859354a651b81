"""Questions about one subject, about a name and about a whole photo, with their true answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from photopal.lab.synthetic.dialogue.talk import (
    PROPS,
    SPECIES_WORDS,
    Exchange,
    Talk,
    ask,
    kind_words,
    things_of,
    yes_no,
)
from photopal.lab.synthetic.identity import Identity, Person, Pet
from photopal.lab.synthetic.painting.places import INDOORS, PLACES
from photopal.lab.synthetic.painting.props import (
    ACTIVITIES,
    PARROT_ACTIVITIES,
    PERSON_ACTIVITIES,
    PET_ACTIVITIES,
)
from photopal.lab.synthetic.scene import HATS, TOP_COLORS, TROUSER_COLORS, Subject
from photopal.lab.synthetic.wording import (
    NUMBERS,
    caption_words,
    clothes_words,
    describe_fully,
    full_caption_words,
    join_words,
    sentence,
    short_caption_words,
    side_words,
    with_article,
)
from photopal.prompts import templates as own
from photopal.prompts.templates import absent_answer

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
    ways: tuple[OfSubject, ...] = (_outfit, _color, _wears)
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
    hat = "none" if worn.hat == "none" else with_article(f"{worn.hat_color} {worn.hat}")
    return Told("which_hat", sentence(hat))


def _color(_: str, subject: Subject, rng: random.Random) -> Told | None:
    colors = colors_of(subject)
    garment = rng.choice(sorted(colors)) if colors else None
    return None if garment is None else Told("colour_of", sentence(colors[garment]), {"garment": garment})


def colors_of(subject: Subject) -> dict[str, str]:
    """The color of everything somebody wears or has that can be asked for."""
    clothes, identity = subject.clothes, subject.identity
    colors: dict[str, str] = {}
    if clothes is not None:
        colors |= {"top": clothes.top, "trousers": clothes.trousers}
        if clothes.hat != "none":
            colors |= {"hat": clothes.hat_color, clothes.hat: clothes.hat_color}
    if isinstance(identity, Person):
        if identity.hair_style != "bald":
            colors["hair"] = identity.hair_color
    else:
        colors["fur" if identity.species != "parrot" else "plumage"] = coat_words(identity)
        if subject.collar != "none" and identity.species != "parrot":
            colors["collar"] = subject.collar
    return colors


def coat_words(pet: Pet) -> str:
    """The colors of a pet: "brown and white"."""
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
    return Told("hair", sentence(identity.hair_color))


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
        looks.add(f"{person.hair_color} hair")
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


ABSENT_SHARE = 0.2


def recognize(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether one or two names are in the photo."""
    present = [name for name, _ in talk.named]
    is_yes = bool(present) and (not talk.absent or rng.random() < 0.5)
    asked = [rng.choice(present if is_yes else talk.absent)]
    if rng.random() < 0.2:
        others = [name for name in present if name not in asked]
        if others:
            asked.insert(rng.randrange(2), rng.choice(others))
    return ask("recognition", "recognition", yes_no(is_yes), rng, name=" and ".join(asked))


def _about_someone(
    talk: Talk, rng: random.Random, kind: str, tell: Callable[[str, Subject], Told | None]
) -> Exchange | None:
    """Ask about a name that is there, or now and then about one that is not.

    `tell` gives the question and its answer. For a name that is not there they are told of somebody who is,
    so that the question asked gives nothing away.
    """
    if not talk.scene.subjects or not (talk.named or talk.absent):
        return None
    is_absent = bool(talk.absent) and (not talk.named or rng.random() < ABSENT_SHARE)
    if is_absent:
        name, subject = rng.choice(talk.absent), rng.choice(talk.scene.subjects)
    else:
        name, subject = rng.choice(talk.named)
    told = tell(name, subject)
    if told is None:
        return None
    if is_absent:
        answer = absent_answer(name[:1].upper() + name[1:])
        return ask("absent", told.way, answer, rng, name=name, **told.fields)
    return ask(kind, told.way, told.answer, rng, name=name, **told.fields)


def activity(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is doing or holding, or whether it does something."""
    return _about_someone(talk, rng, "activity", lambda name, subject: doing(name, subject, rng))


def clothes(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is wearing, or for one thing of it."""
    return _about_someone(talk, rng, "clothes", lambda name, subject: clothing(name, subject, rng))


def position(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask where a named one is, or whether it is on one side."""
    return _about_someone(talk, rng, "position", lambda name, subject: placing(name, subject, rng))


def beside(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask who is beside a named one, or whether it is alone."""
    if rng.random() < 0.2:
        alone = Told("is_alone", yes_no(len(talk.scene.subjects) == 1))
        return _about_someone(talk, rng, "beside", lambda _, subject: alone)
    return _about_someone(
        talk, rng, "beside", lambda name, _: Told("beside", talk.tell_who(talk.beside(name)))
    )


def together(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask whether a named one is there with another."""
    present = [name for name, _ in talk.named]
    if not present or len(present) + len(talk.absent) < 2:
        return None
    name = rng.choice(present)
    others = [other for other in present if other != name]
    is_yes = bool(others) and (not talk.absent or rng.random() < 0.5)
    choices = others if is_yes else list(talk.absent)
    if not choices:
        return None
    return ask("recognition", "is_with", yes_no(is_yes), rng, name=name, other=rng.choice(choices))


def appearance(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a name stands for, in the photo or not."""
    known = talk.looks
    if not known:
        return None
    name, identity = rng.choice(known)
    told = looking(name, identity, rng)
    return None if told is None else ask("appearance", told.way, told.answer, rng, name=name, **told.fields)


def caption(talk: Talk, rng: random.Random) -> Exchange:
    """Ask for a caption; now and then for a short or a full one."""
    style = rng.choices(("plain", "short", "full"), (7, 1, 1))[0]
    if style == "full" and 1 <= len(talk.scene.subjects) <= 2:
        return ask("caption", "full_caption", full_caption_words(talk.scene, talk.names), rng)
    if style == "short":
        return ask("caption", "short_caption", short_caption_words(talk.scene, talk.names), rng)
    return ask("caption", "caption", caption_words(talk.scene, talk.names), rng)


def who(talk: Talk, rng: random.Random) -> Exchange:
    """Ask who is in the photo."""
    names = [name for name, _ in talk.named]
    strangers = len(talk.scene.subjects) - len(names)
    if rng.random() < 0.15:
        return ask("who", "anybody", f"Yes, {join_words(names)}." if names else own.NO, rng)
    if names:
        answer = sentence(join_words([*names, "somebody else"] if strangers else names))
    else:
        answer = "Nobody I know." if strangers else "Nobody."
    return ask("who", "who", answer, rng)


def place(talk: Talk, rng: random.Random) -> Exchange:
    """Ask where the photo was taken."""
    here = talk.scene.place
    draw = rng.random()
    if draw < 0.6:
        return ask("place", "place", sentence(PLACES[here]), rng)
    if draw < 0.85:
        asked = here if rng.random() < 0.5 else rng.choice([name for name in PLACES if name != here])
        return ask("place", "is_place", yes_no(asked == here), rng, where=PLACES[asked])
    is_inside = here in INDOORS
    if rng.random() < 0.3:
        return ask("place", "in_or_out", "Indoors." if is_inside else "Outdoors.", rng)
    if rng.random() < 0.5:
        return ask("place", "is_inside", yes_no(is_inside), rng)
    return ask("place", "is_outside", yes_no(not is_inside), rng)


def light(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask for the time of day or the weather, outdoors."""
    scene = talk.scene
    if scene.place in INDOORS:
        return None
    if scene.light != "night" and rng.random() < 0.5:
        return _weather(talk, rng)
    answer = {"night": "night", "sunset": "sunset"}.get(scene.light, "day")
    draw = rng.random()
    if draw < 0.6:
        return ask("light", "time", f"{answer.capitalize()}.", rng)
    if draw < 0.75:
        return ask("light", "dark", yes_no(answer == "night"), rng)
    if draw < 0.8:
        return ask("light", "bright", yes_no(answer == "day"), rng)
    asked = answer if rng.random() < 0.5 else rng.choice(("night", "sunset", "day"))
    return ask("light", "is_time", yes_no(asked == answer), rng, light=asked)


def _weather(talk: Talk, rng: random.Random) -> Exchange:
    scene = talk.scene
    weather = "rainy" if scene.has_rain else "cloudy" if scene.light == "cloudy" else "sunny"
    draw = rng.random()
    if draw < 0.55:
        return ask("light", "weather", f"{weather.capitalize()}.", rng)
    if draw < 0.75:
        return ask("light", "rain", yes_no(scene.has_rain), rng)
    if draw < 0.8:
        return ask("light", "dry", yes_no(not scene.has_rain), rng)
    asked = rng.choice(("rainy", "raining", "sunny") if weather != "cloudy" else ("rainy", "sunny"))
    return ask("light", "is_weather", yes_no(asked.startswith(weather[:4])), rng, weather=asked)


def count_them(talk: Talk, rng: random.Random) -> Exchange:
    """Ask for how many people, children, pets or of one species there are."""
    what = rng.choice(("people", "people", "pets", "animals", "dogs", "cats", "children", "persons"))
    identities = [subject.identity for subject in talk.scene.subjects]
    if what in {"people", "persons", "pets", "animals"}:
        number = talk.scene.people if what in {"people", "persons"} else talk.scene.pets
    elif what == "children":
        number = sum(isinstance(one, Person) and one.age == "child" for one in identities)
    else:
        number = sum(isinstance(one, Pet) and one.species == what[:-1] for one in identities)
    return ask("count", "count", f"{NUMBERS[min(number, 5)]}.", rng, what=what)


def exists(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether there is a person, a kind of pet or a thing."""
    there = {what for subject in talk.scene.subjects for what in there_is(subject)}
    living = ("a person", "a pet", "a child", *SPECIES_WORDS)
    asked = living if rng.random() < 0.35 else _ALL_THINGS
    known = sorted(there & set(asked))
    what = rng.choice(known if known and rng.random() < 0.5 else asked)
    return ask("exists", "exists", yes_no(what in there), rng, what=what)


def there_is(subject: Subject) -> set[str]:
    """What there is in a photo of somebody: "a dog", "an animal", and their things."""
    one = subject.identity
    there = {with_article(one.species), "a pet", "an animal"} if isinstance(one, Pet) else {"a person"}
    there |= {"a child"} if isinstance(one, Person) and one.age == "child" else set()
    return there | things_of(subject)


def only_words(subject: Subject) -> tuple[str, ...]:
    """What somebody is called who is the only one of a kind: "dog" and "pet", or "person"."""
    return (subject.identity.species, "pet") if isinstance(subject.identity, Pet) else ("person",)


def who_does(talk: Talk, rng: random.Random) -> Exchange:
    """Ask who does, wears or has something, or who is on one side or furthest to it."""
    subjects = talk.in_order
    draw = rng.random()
    if draw < 0.1 and subjects:
        end = rng.choice(("left", "right"))
        return ask(
            "who", "furthest", talk.tell_who(subjects[:1] if end == "left" else subjects[-1:]), rng, end=end
        )
    if draw < 0.4:
        asked = _something([s.activity for _, s in subjects], ACTIVITIES, rng)
        fitting = [pair for pair in subjects if pair[1].activity == asked]
        return ask("who", "who_does", talk.tell_who(fitting), rng, doing=asked)
    if draw < 0.7:
        there = sorted({thing for _, s in subjects for thing in things_of(s) if thing not in PROPS.values()})
        garment = _something(there, _GARMENTS, rng)
        fitting = [pair for pair in subjects if garment in things_of(pair[1])]
        return ask("who", "who_wears", talk.tell_who(fitting), rng, garment=garment)
    side = rng.choice(SIDES)
    fitting = [pair for pair in subjects if side_words(pair[1]) == side]
    if any(side_words(subject) is None for _, subject in subjects):
        return who(talk, rng)
    return ask("who", "side_who", talk.tell_who(fitting), rng, side=side)


def stranger(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask about the only person or the only pet of a species, without a name."""
    subjects = talk.scene.subjects
    words = [only_words(s)[0] for s in subjects]
    if words.count("person") == len(words) - 1 and rng.random() < 0.5:
        words = [word if word == "person" else "pet" for word in words]
    single = [(s, w) for s, w in zip(subjects, words, strict=True) if words.count(w) == 1]
    if not single:
        return None
    subject, word = rng.choice(single)
    who_asked, kind = (
        f"the {word}",
        rng.choices(("activity", "clothes", "appearance", "position"), (4, 5, 2, 1))[0],
    )
    told: Told | None
    if kind == "activity":
        told = doing(who_asked, subject, rng)
    elif kind == "clothes":
        told = clothing(who_asked, subject, rng)
    elif kind == "position":
        told = placing(who_asked, subject, rng)
    else:
        told = looking(who_asked, subject.identity, rng)
    return None if told is None else ask(kind, told.way, told.answer, rng, name=who_asked, **told.fields)


def _something(there: list[str], others: tuple[str, ...], rng: random.Random) -> str:
    """Something that is there, three times of four, or anything."""
    return rng.choice(there) if there and rng.random() < 0.75 else rng.choice(others)


_GARMENTS = (
    "a hat",
    "glasses",
    *(f"a {hat}" for hat in HATS if hat != "none"),
    *(f"{with_article(color)} top" for color in TOP_COLORS),
    *(f"{color} trousers" for color in TROUSER_COLORS),
    "a striped top",
    "a dotted top",
    "a collar",
)
_ALL_THINGS = (*PROPS.values(), "a hat", "glasses", "a beard", *_GARMENTS)
