"""Asks about a drawn scene and answers from its ground truth; knows no model."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photopal.drawn.identity import Identity, Person, Pet
from photopal.drawn.painting.places import INDOORS, PLACES
from photopal.drawn.scene import Scene, Subject
from photopal.drawn.wording import (
    NUMBERS,
    caption_words,
    clothes_words,
    describe_fully,
    describe_identity,
    join_words,
    sentence,
    side_words,
)
from photopal.prompts import questions as ask


@dataclass(frozen=True)
class Exchange:
    """A question and its true answer.

    Attributes:
        kind: What is asked for, such as recognition, place or activity.
        question: The question.
        answer: The answer.
    """

    kind: str
    question: str
    answer: str


@dataclass(frozen=True)
class Talk:
    """What one may speak of: a scene, the names of its subjects, and names of others.

    Attributes:
        scene: What is true.
        names: For each subject its name, or None.
        absent: Names of identities that are not in the scene.
        absent_looks: Their identities, in the same order.
    """

    scene: Scene
    names: tuple[str | None, ...]
    absent: tuple[str, ...] = ()
    absent_looks: tuple[Identity, ...] = ()

    @property
    def named(self) -> list[tuple[str, Subject]]:
        """The subjects that have a name, from left to right."""
        pairs = [(n, s) for n, s in zip(self.names, self.scene.subjects, strict=True) if n is not None]
        return sorted(pairs, key=lambda pair: pair[1].x)


def converse(talk: Talk, rng: random.Random, *, count: int = 10) -> list[Exchange]:
    """Hold a conversation of `count` exchanges: recognition, who, caption and whatever else applies."""
    exchanges = [caption(talk, rng)]
    if talk.named or talk.absent:
        exchanges += [recognise(talk, rng) for _ in range(3)]
        exchanges.append(who(talk, rng))
    while len(exchanges) < count:
        makers = _OF_NAMES if (talk.named or talk.absent) and rng.random() < 0.6 else _OF_SCENES
        exchange = rng.choice(makers)(talk, rng)
        if exchange is not None and all(exchange.question != other.question for other in exchanges):
            exchanges.append(exchange)
    return exchanges


def caption(talk: Talk, rng: random.Random) -> Exchange:
    """Ask for a caption."""
    question = rng.choices(ask.CAPTION_TEMPLATES, (4, 1, 1, 1))[0]
    return Exchange("caption", question, caption_words(talk.scene, talk.names))


def recognise(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether one or two names are in the photo."""
    present = [name for name, _ in talk.named]
    is_yes = bool(present) and (not talk.absent or rng.random() < 0.5)
    asked = [rng.choice(present if is_yes else talk.absent)]
    if rng.random() < 0.2:
        others = [name for name in present if name not in asked]
        if others:
            asked.insert(rng.randrange(2), rng.choice(others))
    question = rng.choice(ask.RECOGNITION_TEMPLATES).format(name=" and ".join(asked))
    return Exchange("recognition", question, ask.YES if is_yes else ask.NO)


def who(talk: Talk, rng: random.Random) -> Exchange:
    """Ask who is in the photo."""
    names = [name for name, _ in talk.named]
    strangers = len(talk.scene.subjects) - len(names)
    if names:
        answer = sentence(join_words([*names, "somebody else"] if strangers else names))
    else:
        answer = "Nobody I know." if strangers else "Nobody."
    return Exchange("who", rng.choice(ask.WHO_TEMPLATES), answer)


def _about_someone(
    talk: Talk,
    rng: random.Random,
    kind: str,
    templates: Sequence[str],
    tell: Callable[[str, Subject], str | None],
) -> Exchange | None:
    present = talk.named
    if talk.absent and (not present or rng.random() < 0.2):
        name = rng.choice(talk.absent)
        return Exchange("absent", rng.choice(templates).format(name=name), ask.absent_answer(name))
    if not present:
        return None
    name, subject = rng.choice(present)
    answer = tell(name, subject)
    return None if answer is None else Exchange(kind, rng.choice(templates).format(name=name), answer)


def activity(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is doing."""
    return _about_someone(talk, rng, "activity", ask.ACTIVITY_TEMPLATES, lambda n, s: f"{n} is {s.activity}.")


def clothes(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is wearing."""
    templates = (
        "What is {name} wearing?",
        "Which clothes does {name} wear?",
        "Describe the outfit of {name}.",
    )
    return _about_someone(talk, rng, "clothes", templates, lambda n, s: sentence(clothes_words(s)))


def top_colour(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask for the colour of a named person's top."""
    templates = ("What colour is the top of {name}?", "Which colour does {name} wear?")
    return _about_someone(
        talk, rng, "clothes", templates, lambda n, s: sentence(s.clothes.top) if s.clothes else None
    )


def position(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask where a named one is."""

    def tell(name: str, subject: Subject) -> str | None:
        side = side_words(subject)
        return None if side is None else sentence(side)

    return _about_someone(talk, rng, "position", ask.POSITION_TEMPLATES, tell)


def beside(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask who is beside a named one."""

    def tell(name: str, subject: Subject) -> str | None:
        order = sorted(range(len(talk.names)), key=lambda index: talk.scene.subjects[index].x)
        place = next(n for n, index in enumerate(order) if talk.names[index] == name)
        near = [order[n] for n in (place - 1, place + 1) if 0 <= n < len(order)]
        if not near:
            return "Nobody."
        said = [talk.names[i] or describe_identity(talk.scene.subjects[i].identity) for i in near]
        return sentence(join_words([str(words) for words in said]))

    return _about_someone(talk, rng, "beside", ("Who is beside {name}?", "Who is next to {name}?"), tell)


def appearance(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a name stands for, in the photo or not."""
    known = [(name, subject.identity) for name, subject in talk.named]
    known += list(zip(talk.absent, talk.absent_looks, strict=True))
    if not known:
        return None
    name, identity = rng.choice(known)
    question = rng.choice(ask.APPEARANCE_TEMPLATES).format(name=name)
    return Exchange("appearance", question, f"{name} is {describe_fully(identity)}.")


def choose_position(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask where a named one is, with lettered options."""
    placed = [(name, side_words(subject)) for name, subject in talk.named]
    placed = [(name, side) for name, side in placed if side is not None]
    if not placed:
        return None
    name, side = rng.choice(placed)
    options = ["on the left", "in the middle", "on the right"]
    return _choice(f"Where is {name}?", options, str(side), rng)


def choose_activity(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a named one is doing, with lettered options."""
    if not talk.named:
        return None
    name, subject = rng.choice(talk.named)
    pool = ("waving", "reading a book", "sleeping", "running", "flying a kite", "sitting", "holding a cake")
    others = rng.sample([words for words in pool if words != subject.activity], 2)
    return _choice(f"What is {name} doing?", [subject.activity, *others], subject.activity, rng)


def _choice(question: str, options: list[str], right: str, rng: random.Random) -> Exchange:
    shuffled = rng.sample(options, len(options))
    listed = " ".join(f"{letter}. {words}" for letter, words in zip("ABCD", shuffled, strict=False))
    return Exchange("choice", f"{question} {listed} Answer with the letter.", "ABCD"[shuffled.index(right)])


def place(talk: Talk, rng: random.Random) -> Exchange:
    """Ask where the photo was taken."""
    question = rng.choice(("Where was this photo taken?", "Where is this?", "What place is this?"))
    return Exchange("place", question, sentence(PLACES[talk.scene.place]))


def time_of_day(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask for the time of day or the weather, outdoors."""
    scene = talk.scene
    if scene.place in INDOORS:
        return None
    if scene.light != "night" and rng.random() < 0.5:
        weather = "Rainy." if scene.has_rain else "Cloudy." if scene.light == "cloudy" else "Sunny."
        return Exchange("light", rng.choice(("What is the weather like?", "How is the weather?")), weather)
    answer = {"night": "Night.", "sunset": "Sunset."}.get(scene.light, "Day.")
    question = rng.choice(("What time of day is it?", "Is it day or night?"))
    return Exchange("light", question, answer)


def count_them(talk: Talk, rng: random.Random) -> Exchange:
    """Ask for how many people, pets or of one species there are."""
    what = rng.choice(("people", "people", "pets", "dogs", "cats"))
    if what in {"people", "pets"}:
        number = talk.scene.people if what == "people" else talk.scene.pets
    else:
        pets = [s.identity for s in talk.scene.subjects if isinstance(s.identity, Pet)]
        number = sum(pet.species == what[:-1] for pet in pets)
    question = rng.choice((f"How many {what} are there?", f"How many {what} are in this photo?"))
    return Exchange("count", question, f"{NUMBERS[min(number, 5)]}.")


def exists(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether there is a person, a kind of pet or a thing."""
    species = {s.identity.species for s in talk.scene.subjects if isinstance(s.identity, Pet)}
    doing = {s.activity for s in talk.scene.subjects}
    things = {"a kite": "flying a kite", "a guitar": "playing the guitar", "a cake": "holding a cake"}
    things |= {"a ball": "playing with a ball", "an umbrella": "holding an umbrella"}
    what = rng.choice(("a person", "a dog", "a cat", "a rabbit", "a parrot", *things))
    if what == "a person":
        is_there = talk.scene.people > 0
    elif what in things:
        is_there = things[what] in doing
    else:
        is_there = what[2:] in species
    question = rng.choice((f"Is there {what} in this photo?", f"Can you see {what}?", f"Is there {what}?"))
    return Exchange("exists", question, ask.YES if is_there else ask.NO)


def stranger(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask about the only person or the only pet of a species, without a name."""
    subjects = talk.scene.subjects
    words = [s.identity.species if isinstance(s.identity, Pet) else "person" for s in subjects]
    if words.count("person") == len(words) - 1 and rng.random() < 0.5:
        words = [word if word == "person" else "pet" for word in words]
    single = [(s, w) for s, w in zip(subjects, words, strict=True) if words.count(w) == 1]
    if not single:
        return None
    subject, word = rng.choice(single)
    if rng.random() < 0.4:
        return Exchange("activity", f"What is the {word} doing?", f"The {word} is {subject.activity}.")
    if rng.random() < 0.5 and isinstance(subject.identity, Person):
        return Exchange("clothes", f"What is the {word} wearing?", sentence(clothes_words(subject)))
    answer = sentence(describe_fully(subject.identity))
    return Exchange("appearance", f"What does the {word} look like?", answer)


_OF_NAMES: tuple[Callable[[Talk, random.Random], Exchange | None], ...] = (
    activity,
    activity,
    clothes,
    top_colour,
    position,
    beside,
    appearance,
    choose_position,
    choose_activity,
)
_OF_SCENES: tuple[Callable[[Talk, random.Random], Exchange | None], ...] = (
    place,
    time_of_day,
    count_them,
    exists,
    stranger,
)
