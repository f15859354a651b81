"""Questions about somebody with a name: there or not, doing and wearing what, where, beside whom."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from photopal.drawn.identity import Person, Pet
from photopal.drawn.painting.props import PARROT_ACTIVITIES, PERSON_ACTIVITIES, PET_ACTIVITIES
from photopal.drawn.scene import Subject
from photopal.drawn.talking import grammars as ways
from photopal.drawn.talking.phrasing import phrase
from photopal.drawn.talking.scenes import SIDES, SPECIES_WORDS, yes_no
from photopal.drawn.talking.talk import PROPS, Exchange, Talk, kind_words, things_of
from photopal.drawn.wording import clothes_words, describe_fully, sentence, side_words, with_article
from photopal.prompts import questions as ask

ABSENT_SHARE = 0.2
Question = tuple[str, str]


def recognise(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether one or two names are in the photo."""
    present = [name for name, _ in talk.named]
    is_yes = bool(present) and (not talk.absent or rng.random() < 0.5)
    asked = [rng.choice(present if is_yes else talk.absent)]
    if rng.random() < 0.2:
        others = [name for name in present if name not in asked]
        if others:
            asked.insert(rng.randrange(2), rng.choice(others))
    grammar = rng.choice((*ask.RECOGNITION_TEMPLATES, *ways.RECOGNITION))
    return Exchange("recognition", phrase(grammar, rng, name=" and ".join(asked)), yes_no(is_yes))


def _about_someone(
    talk: Talk,
    rng: random.Random,
    kind: str,
    grammars: Sequence[str],
    tell: Callable[[str, Subject], tuple[dict[str, str], str] | None],
) -> Exchange | None:
    """Ask about a name that is there, or now and then about one that is not.

    `tell` gives the fields of the grammars besides the name, and the answer. For a name that is not there
    they are told of somebody who is, so that the question asked gives nothing away.
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
    fields, answer = told
    question = phrase(rng.choice(grammars), rng, name=name, **fields)
    return (
        Exchange("absent", question, ask.absent_answer(name))
        if is_absent
        else Exchange(kind, question, answer)
    )


def activity(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is doing or holding, or whether it does something."""
    draw = rng.random()
    if draw < 0.6:
        grammars = (*ask.ACTIVITY_TEMPLATES, *ways.ACTIVITY)
        return _about_someone(talk, rng, "activity", grammars, lambda n, s: ({}, f"{n} is {s.activity}."))
    if draw < 0.75:
        return _about_someone(talk, rng, "activity", ways.HOLDS, lambda _, s: ({}, _held(s)))

    def tell(_: str, subject: Subject) -> tuple[dict[str, str], str]:
        doing = subject.activity if rng.random() < 0.5 else rng.choice(activities_of(subject))
        return {"doing": doing}, yes_no(doing == subject.activity)

    return _about_someone(talk, rng, "activity", ways.IS_DOING, tell)


def _held(subject: Subject) -> str:
    thing = PROPS.get(subject.activity)
    return sentence(thing) if thing is not None and thing != "a bicycle" else "Nothing."


def activities_of(subject: Subject) -> tuple[str, ...]:
    """What somebody of its kind may be doing."""
    if isinstance(subject.identity, Person):
        return PERSON_ACTIVITIES
    return PARROT_ACTIVITIES if subject.identity.species == "parrot" else PET_ACTIVITIES


def clothes(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is wearing."""
    return _about_someone(talk, rng, "clothes", ways.CLOTHES, lambda _, s: ({}, sentence(clothes_words(s))))


def colour(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask for the colour of something a named one wears or has."""

    def tell(_: str, subject: Subject) -> tuple[dict[str, str], str] | None:
        colours = _colours(subject)
        garment = rng.choice(sorted(colours)) if colours else None
        return None if garment is None else ({"garment": garment}, sentence(colours[garment]))

    return _about_someone(talk, rng, "clothes", ways.COLOUR_OF, tell)


def _colours(subject: Subject) -> dict[str, str]:
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
        colours["fur" if identity.species != "parrot" else "plumage"] = identity.coat
        if subject.collar != "none" and identity.species != "parrot":
            colours["collar"] = subject.collar
    return colours


def wears(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask whether a named one wears something, or has a look."""

    def tell(_: str, subject: Subject) -> tuple[dict[str, str], str] | None:
        worn = sorted(thing for thing in things_of(subject) if thing not in PROPS.values())
        if worn and rng.random() < 0.5:
            garment = rng.choice(worn)
        else:
            garment = rng.choice(_WORN if subject.clothes is not None else _COLLARS)
        return {"garment": garment}, yes_no(garment in worn)

    return _about_someone(talk, rng, "clothes", ways.WEARS, tell)


_WORN = (
    *("a hat", "glasses", "a cap", "a beanie", "a straw hat", "a striped top", "a dotted top", "a red top"),
    *("a blue top", "a green top", "a yellow top", "black trousers", "blue trousers", "white trousers"),
)
_COLLARS = ("a collar", "a red collar", "a blue collar", "a green collar")


def position(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask where a named one is, or whether it is on one side."""
    is_open = rng.random() < 0.7

    def tell(_: str, subject: Subject) -> tuple[dict[str, str], str] | None:
        side = side_words(subject)
        if side is None:
            return None
        asked = side if rng.random() < 0.35 else rng.choice(SIDES)
        return {"side": asked}, sentence(side) if is_open else yes_no(asked == side)

    grammars = (*ask.POSITION_TEMPLATES, *ways.POSITION) if is_open else ways.IS_SIDE
    return _about_someone(talk, rng, "position", grammars, tell)


def beside(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask who is beside a named one, or whether it is alone."""
    subjects = talk.in_order
    if rng.random() < 0.2:
        alone = yes_no(len(subjects) == 1)
        return _about_someone(talk, rng, "beside", ways.IS_ALONE, lambda _, s: ({}, alone))

    def tell(name: str, _: Subject) -> tuple[dict[str, str], str] | None:
        at = next((n for n, (other, _) in enumerate(subjects) if other == name), None)
        if at is None:
            return {}, ""
        near = [subjects[n] for n in (at - 1, at + 1) if 0 <= n < len(subjects)]
        return {}, talk.tell_who(near)

    return _about_someone(talk, rng, "beside", ways.BESIDE, tell)


def together(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask whether a named one is there with another."""
    present = [name for name, _ in talk.named]
    if not present or len(present) + len(talk.absent) < 2:
        return None
    name = rng.choice(present)
    others = [other for other in present if other != name]
    is_yes = bool(others) and (not talk.absent or rng.random() < 0.5)
    other = rng.choice(others if is_yes else talk.absent) if is_yes or talk.absent else None
    if other is None:
        return None
    question = phrase(rng.choice(ways.IS_WITH), rng, name=name, other=other)
    return Exchange("recognition", question, yes_no(is_yes))


def appearance(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a name stands for, in the photo or not."""
    known = [(name, subject.identity) for name, subject in talk.named]
    known += list(zip(talk.absent, talk.absent_looks, strict=True))
    if not known:
        return None
    name, identity = rng.choice(known)
    draw = rng.random()
    if draw < 0.15 and isinstance(identity, Pet):
        answer = sentence(kind_words(identity))
        return Exchange("appearance", phrase(rng.choice(ways.SPECIES), rng, name=name), answer)
    if draw < 0.3:
        kinds = ("a person", "a pet", "a child", "an adult", *SPECIES_WORDS)
        true = {kind_words(identity), "a pet" if isinstance(identity, Pet) else "a person"}
        kind = rng.choice(sorted(true)) if rng.random() < 0.5 else rng.choice(kinds)
        question = phrase(rng.choice(ways.IS_KIND), rng, name=name, kind=kind)
        return Exchange("appearance", question, yes_no(kind in true))
    if draw < 0.45 and isinstance(identity, Person):
        looks = _looks(identity)
        look = rng.choice(sorted(looks)) if rng.random() < 0.5 else rng.choice(_LOOKS)
        question = phrase(rng.choice(ways.HAS_LOOK), rng, name=name, look=look)
        return Exchange("appearance", question, yes_no(look in looks))
    question = phrase(rng.choice((*ask.APPEARANCE_TEMPLATES, *ways.APPEARANCE)), rng, name=name)
    return Exchange("appearance", question, f"{name} is {describe_fully(identity)}.")


def _looks(person: Person) -> set[str]:
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
