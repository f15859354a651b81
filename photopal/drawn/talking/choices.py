"""Questions with lettered options about somebody with a name."""

from __future__ import annotations

import random

from photopal.drawn.identity import Person
from photopal.drawn.scene import TOP_COLOURS
from photopal.drawn.talking.grammars import ask
from photopal.drawn.talking.subjects import SIDES, activities_of
from photopal.drawn.talking.talk import Exchange, Talk
from photopal.drawn.wording import side_words

LETTERS = "ABCD"


def choose(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask where a named one is, what it does, or which colour it wears, with two to four options."""
    if not talk.named:
        return None
    name, subject = rng.choice(talk.named)
    draw = rng.random()
    if draw < 0.35:
        side = side_words(subject)
        return None if side is None else _options(f"Where is {name}?", list(SIDES), side, rng)
    if draw < 0.6 and subject.clothes is not None:
        top = subject.clothes.top
        others = rng.sample([colour for colour in TOP_COLOURS if colour != top], rng.randint(1, 3))
        return _options(f"What colour is the top of {name}?", [top, *others], top, rng)
    pool = [doing for doing in activities_of(subject) if doing != subject.activity]
    others = rng.sample(pool, min(len(pool), rng.randint(1, 3)))
    return _options(f"What is {name} doing?", [subject.activity, *others], subject.activity, rng)


def choose_name(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask which of the named ones does something, with the names as options."""
    people = [(name, s) for name, s in talk.named if isinstance(s.identity, Person)]
    names = [name for name, _ in talk.named] + list(talk.absent)
    if not people or len(names) < 2:
        return None
    name, subject = rng.choice(people)
    if sum(other.activity == subject.activity for _, other in talk.in_order) > 1:
        return None
    others = rng.sample([other for other in names if other != name], min(len(names) - 1, 3))
    return _options(f"Who is {subject.activity}?", [name, *others], name, rng)


def _options(question: str, options: list[str], right: str, rng: random.Random) -> Exchange:
    shuffled = rng.sample(options, len(options))
    listed = " ".join(f"{letter}. {words}" for letter, words in zip(LETTERS, shuffled, strict=False))
    return ask("choice", "choice", LETTERS[shuffled.index(right)], rng, question=question, options=listed)
