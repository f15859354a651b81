"""Questions about a whole photo: what it shows, who, where, when and how many; needs no names."""

from __future__ import annotations

import random

from photopal.drawn.identity import Person, Pet
from photopal.drawn.painting.places import INDOORS, PLACES
from photopal.drawn.painting.props import ACTIVITIES
from photopal.drawn.scene import HATS, TOP_COLOURS, TROUSER_COLOURS, Subject
from photopal.drawn.talking import grammars as ways
from photopal.drawn.talking.phrasing import phrase
from photopal.drawn.talking.talk import PROPS, Exchange, Talk, things_of
from photopal.drawn.wording import (
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
from photopal.prompts import questions as ask

SIDES = ("on the left", "in the middle", "on the right")
SPECIES_WORDS = ("a dog", "a cat", "a rabbit", "a parrot")


def yes_no(is_true: bool) -> str:
    """Yes or No."""
    return ask.YES if is_true else ask.NO


def caption(talk: Talk, rng: random.Random) -> Exchange:
    """Ask for a caption, mostly in photopal's own words; now and then for a short or a full one."""
    style = rng.choices(("own", "other", "short", "full"), (4, 3, 1, 1))[0]
    if style == "full" and 1 <= len(talk.scene.subjects) <= 2:
        words = full_caption_words(talk.scene, talk.names)
        return Exchange("caption", phrase(rng.choice(ways.FULL_CAPTION), rng), words)
    if style == "short":
        words = short_caption_words(talk.scene, talk.names)
        return Exchange("caption", phrase(rng.choice(ways.SHORT_CAPTION), rng), words)
    question = ask.CAPTION_QUESTION if style == "own" else phrase(rng.choice(ways.CAPTION), rng)
    return Exchange("caption", question, caption_words(talk.scene, talk.names))


def who(talk: Talk, rng: random.Random) -> Exchange:
    """Ask who is in the photo."""
    names = [name for name, _ in talk.named]
    strangers = len(talk.scene.subjects) - len(names)
    if rng.random() < 0.15:
        return Exchange("who", phrase(rng.choice(ways.ANYBODY), rng), _somebody_known(names))
    if names:
        answer = sentence(join_words([*names, "somebody else"] if strangers else names))
    else:
        answer = "Nobody I know." if strangers else "Nobody."
    return Exchange("who", phrase(rng.choice((*ask.WHO_TEMPLATES, *ways.WHO)), rng), answer)


def _somebody_known(names: list[str]) -> str:
    return f"Yes, {join_words(names)}." if names else ask.NO


def place(talk: Talk, rng: random.Random) -> Exchange:
    """Ask where the photo was taken."""
    here = talk.scene.place
    draw = rng.random()
    if draw < 0.6:
        return Exchange("place", phrase(rng.choice(ways.PLACE), rng), sentence(PLACES[here]))
    if draw < 0.85:
        asked = here if rng.random() < 0.5 else rng.choice([name for name in PLACES if name != here])
        question = phrase(rng.choice(ways.IS_PLACE), rng, where=PLACES[asked])
        return Exchange("place", question, yes_no(asked == here))
    question = phrase(rng.choice(ways.INDOORS), rng)
    lower = question.lower()
    is_inside = here in INDOORS
    if " or " in lower:
        return Exchange("place", question, "Indoors." if is_inside else "Outdoors.")
    says_inside = "indoors" in lower or "inside" in lower
    return Exchange("place", question, yes_no(is_inside == says_inside))


def light(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask for the time of day or the weather, outdoors."""
    scene = talk.scene
    if scene.place in INDOORS:
        return None
    if scene.light != "night" and rng.random() < 0.5:
        weather = "rainy" if scene.has_rain else "cloudy" if scene.light == "cloudy" else "sunny"
        if rng.random() < 0.6:
            return Exchange("light", phrase(rng.choice(ways.WEATHER), rng), f"{weather.capitalize()}.")
        asked = rng.choice(("rainy", "raining", "sunny") if weather != "cloudy" else ("rainy", "sunny"))
        question = phrase(rng.choice(ways.IS_WEATHER), rng, weather=asked)
        return Exchange("light", question, yes_no(asked.startswith(weather[:4])))
    answer = {"night": "night", "sunset": "sunset"}.get(scene.light, "day")
    if rng.random() < 0.6:
        return Exchange("light", phrase(rng.choice(ways.TIME), rng), f"{answer.capitalize()}.")
    asked = answer if rng.random() < 0.5 else rng.choice(("night", "sunset", "day"))
    question = phrase(rng.choice(ways.IS_TIME), rng, light=asked)
    return Exchange("light", question, yes_no(asked == answer))


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
    return Exchange("count", phrase(rng.choice(ways.COUNT), rng, what=what), f"{NUMBERS[min(number, 5)]}.")


def exists(talk: Talk, rng: random.Random) -> Exchange:
    """Ask whether there is a person, a kind of pet or a thing."""
    there = {thing for subject in talk.scene.subjects for thing in things_of(subject)}
    for subject in talk.scene.subjects:
        one = subject.identity
        there |= {with_article(one.species), "a pet", "an animal"} if isinstance(one, Pet) else {"a person"}
        there |= {"a child"} if isinstance(one, Person) and one.age == "child" else set()
    living = ("a person", "a pet", "a child", *SPECIES_WORDS)
    known = sorted(there)
    if known and rng.random() < 0.45:
        what = rng.choice(known)
    else:
        what = rng.choice(living if rng.random() < 0.4 else _ALL_THINGS)
    return Exchange("exists", phrase(rng.choice(ways.EXISTS), rng, what=what), yes_no(what in there))


def who_does(talk: Talk, rng: random.Random) -> Exchange:
    """Ask who does, wears or has something, or who is on one side."""
    subjects = talk.in_order
    draw = rng.random()
    if draw < 0.4:
        doing = _something([s.activity for _, s in subjects], ACTIVITIES, rng)
        fitting = [pair for pair in subjects if pair[1].activity == doing]
        return Exchange("who", phrase(rng.choice(ways.WHO_DOES), rng, doing=doing), talk.tell_who(fitting))
    if draw < 0.7:
        there = sorted({thing for _, s in subjects for thing in things_of(s) if thing not in PROPS.values()})
        garment = _something(there, _GARMENTS, rng)
        fitting = [pair for pair in subjects if garment in things_of(pair[1])]
        question = phrase(rng.choice(ways.WHO_WEARS), rng, garment=garment)
        return Exchange("who", question, talk.tell_who(fitting))
    side = rng.choice(SIDES)
    fitting = [pair for pair in subjects if side_words(pair[1]) == side]
    if any(side_words(subject) is None for _, subject in subjects):
        return who(talk, rng)
    return Exchange("who", phrase(rng.choice(ways.SIDE_WHO), rng, side=side), talk.tell_who(fitting))


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
    kind = rng.choices(("activity", "clothes", "appearance", "position"), (4, 3, 3, 2))[0]
    answer = _about(subject, word, kind)
    if answer is None:
        return None
    return Exchange(kind, phrase(rng.choice(ways.OF_STRANGER[kind]), rng, who=word), answer)


def _about(subject: Subject, word: str, kind: str) -> str | None:
    if kind == "activity":
        return f"The {word} is {subject.activity}."
    if kind == "clothes":
        return sentence(clothes_words(subject))
    if kind == "position":
        side = side_words(subject)
        return None if side is None else sentence(side)
    return sentence(describe_fully(subject.identity))


def _something(there: list[str], others: tuple[str, ...], rng: random.Random) -> str:
    """Something that is there, three times of four, or anything."""
    return rng.choice(there) if there and rng.random() < 0.75 else rng.choice(others)


_GARMENTS = (
    "a hat",
    "glasses",
    *(f"a {hat}" for hat in HATS if hat != "none"),
    *(f"{with_article(colour)} top" for colour in TOP_COLOURS),
    *(f"{colour} trousers" for colour in TROUSER_COLOURS),
    "a striped top",
    "a dotted top",
    "a collar",
)
_ALL_THINGS = (*PROPS.values(), "a hat", "glasses", "a beard", *_GARMENTS)
