"""Questions about a whole photo: what it shows, who, where, when and how many; needs no names."""

from __future__ import annotations

import random

from photopal.lab.synthetic.identity import Person, Pet
from photopal.lab.synthetic.painting.places import INDOORS, PLACES
from photopal.lab.synthetic.painting.props import ACTIVITIES
from photopal.lab.synthetic.scene import HATS, TOP_COLOURS, TROUSER_COLOURS
from photopal.lab.synthetic.talking.grammars import ask
from photopal.lab.synthetic.talking.subjects import SIDES, Told, clothing, doing, looking, placing
from photopal.lab.synthetic.talking.talk import PROPS, SPECIES_WORDS, Exchange, Talk, things_of, yes_no
from photopal.lab.synthetic.wording import (
    NUMBERS,
    caption_words,
    full_caption_words,
    join_words,
    sentence,
    short_caption_words,
    side_words,
    with_article,
)
from photopal.prompts import templates as own


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
    there = {thing for subject in talk.scene.subjects for thing in things_of(subject)}
    for subject in talk.scene.subjects:
        one = subject.identity
        there |= {with_article(one.species), "a pet", "an animal"} if isinstance(one, Pet) else {"a person"}
        there |= {"a child"} if isinstance(one, Person) and one.age == "child" else set()
    living = ("a person", "a pet", "a child", *SPECIES_WORDS)
    asked = living if rng.random() < 0.35 else _ALL_THINGS
    known = sorted(there & set(asked))
    what = rng.choice(known if known and rng.random() < 0.5 else asked)
    return ask("exists", "exists", yes_no(what in there), rng, what=what)


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
    words = [s.identity.species if isinstance(s.identity, Pet) else "person" for s in subjects]
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
    *(f"{with_article(colour)} top" for colour in TOP_COLOURS),
    *(f"{colour} trousers" for colour in TROUSER_COLOURS),
    "a striped top",
    "a dotted top",
    "a collar",
)
_ALL_THINGS = (*PROPS.values(), "a hat", "glasses", "a beard", *_GARMENTS)
