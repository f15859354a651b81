"""Questions with lettered options: about somebody with a name, about the photo, or for a name."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from photopal.lab.synthetic.dialogue.questions import SIDES, activities_of, colors_of
from photopal.lab.synthetic.dialogue.talk import Exchange, Talk, ask, things_of, word
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.painting.places import PLACES
from photopal.lab.synthetic.scene import TOP_COLORS, TROUSER_COLORS, Subject
from photopal.lab.synthetic.wording import NUMBERS, describe_fully, side_words

LETTERS = "ABCD"
TEMPTING_SHARE = 0.6

Asker = Callable[[Talk, random.Random], Exchange | None]


def choose(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask something with two to four options; None where it cannot be asked of this photo."""
    return rng.choices([asker for asker, _ in _ASKERS], [weight for _, weight in _ASKERS])[0](talk, rng)


def options_of(
    right: str, pool: Sequence[str], tempting: Sequence[str], rng: random.Random, *, count: int
) -> list[str]:
    """The right option first, then wrong ones.

    Args:
        right: What is true.
        pool: What may be offered.
        tempting: What is true of others in the photo; these are offered first.
        rng: Source of randomness.
        count: How many options to give; fewer where the pool has no more.
    """
    first = [words for words in dict.fromkeys(tempting) if words != right]
    rest = [words for words in dict.fromkeys(pool) if words not in (right, *first)]
    wrong = rng.sample(first, len(first)) + rng.sample(rest, len(rest))
    return [right, *wrong[: count - 1]]


def _side(talk: Talk, rng: random.Random) -> Exchange | None:
    name, subject = _someone(talk, rng)
    side = None if subject is None else side_words(subject)
    if side is None:
        return None
    options = [side, *(other for other in SIDES if other != side)]
    return _lettered("position", options, rng, name=name)


def _activity(talk: Talk, rng: random.Random) -> Exchange | None:
    name, subject = _someone(talk, rng)
    if subject is None:
        return None
    others = [other.activity for _, other in talk.in_order if other is not subject]
    return _lettered(
        "activity", _mixed(subject.activity, activities_of(subject), others, rng), rng, name=name
    )


def _color(talk: Talk, rng: random.Random) -> Exchange | None:
    name, subject = _someone(talk, rng)
    colors = {} if subject is None else colors_of(subject)
    if subject is None or not colors:
        return None
    garment = (
        rng.choice(("top", "trousers", *colors)) if subject.clothes is not None else rng.choice([*colors])
    )
    worn = [colors_of(other).get(garment, "") for _, other in talk.in_order if other is not subject]
    pool = TROUSER_COLORS if garment == "trousers" else TOP_COLORS
    options = _mixed(colors[garment], pool, [color for color in worn if color], rng)
    if garment == "top" and rng.random() < 0.7:
        return _lettered("top", options, rng, name=name)
    return _lettered("colour_of", options, rng, name=name, garment=garment)


def _place(talk: Talk, rng: random.Random) -> Exchange:
    options = _mixed(PLACES[talk.scene.place], tuple(PLACES.values()), (), rng)
    if talk.named and rng.random() < 0.4:
        return _lettered("place_of", options, rng, name=rng.choice(talk.named)[0])
    return _lettered("place", options, rng)


def _number(talk: Talk, rng: random.Random) -> Exchange:
    what = rng.choice(("people", "pets"))
    number = talk.scene.people if what == "people" else talk.scene.pets
    words = [one.lower() for one in NUMBERS]
    return _lettered("count", _mixed(words[min(number, 5)], words, (), rng), rng, what=what)


def _looks(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask what a name stands for, or whose looks are told."""
    known = talk.looks
    if not known:
        return None
    name, identity = rng.choice(known)
    right = describe_fully(identity)
    if rng.random() < 0.5:
        names = [other for other, look in known if describe_fully(look) != right]
        return _named("who_looks", name, names, rng, looks=right)
    others = [describe_fully(look) for _, look in known]
    pool = [describe_fully(draw_identity(rng, kind=identity.kind)) for _ in range(2)]
    tempting = others if rng.random() < TEMPTING_SHARE else []
    return _lettered("appearance", options_of(right, pool, tempting, rng, count=3), rng, name=name)


def _who_does(talk: Talk, rng: random.Random) -> Exchange | None:
    name, subject = _someone(talk, rng)
    if subject is None or sum(other.activity == subject.activity for _, other in talk.in_order) > 1:
        return None
    return _named("who_does", name, _other_names(talk, name), rng, doing=subject.activity)


def _who_wears(talk: Talk, rng: random.Random) -> Exchange | None:
    name, subject = _someone(talk, rng)
    if subject is None:
        return None
    others = {thing for _, other in talk.in_order if other is not subject for thing in things_of(other)}
    own = sorted(thing for thing in things_of(subject) - others if thing.endswith((" top", " trousers")))
    return _named("who_wears", name, _other_names(talk, name), rng, garment=rng.choice(own)) if own else None


def _furthest(talk: Talk, rng: random.Random) -> Exchange | None:
    if not talk.named:
        return None
    end = rng.choice(("left", "right"))
    name = talk.named[0 if end == "left" else -1][0]
    return _named("furthest", name, _other_names(talk, name), rng, end=end)


def _beside(talk: Talk, rng: random.Random) -> Exchange | None:
    """Ask for the one named neighbor of a named one."""
    name, _ = _someone(talk, rng)
    named = [other for other, _ in talk.beside(name) if other is not None]
    if not named:
        return None
    right = rng.choice(named)
    others = [other for other in _other_names(talk, right) if other not in (name, *named)]
    return _named("beside", right, others, rng, name=name)


def _someone(talk: Talk, rng: random.Random) -> tuple[str, Subject] | tuple[str, None]:
    return rng.choice(talk.named) if talk.named else ("", None)


def _other_names(talk: Talk, name: str) -> list[str]:
    return [other for other, _ in talk.named if other != name] + list(talk.absent)


def _mixed(right: str, pool: Sequence[str], tempting: Sequence[str], rng: random.Random) -> list[str]:
    tempting = tempting if rng.random() < TEMPTING_SHARE else ()
    return options_of(right, pool, tempting, rng, count=rng.randint(2, 4))


def _named(
    way: str, right: str, others: Sequence[str], rng: random.Random, /, **fields: str
) -> Exchange | None:
    wrong = rng.sample(list(others), min(len(others), len(LETTERS) - 1))
    return _lettered(way, [right, *wrong], rng, **fields) if wrong else None


def _lettered(way: str, options: Sequence[str], rng: random.Random, /, **fields: str) -> Exchange:
    """Phrase a question and list options, of which the first is right, in any order."""
    shuffled = rng.sample(list(options), len(options))
    listed = " ".join(f"{letter}. {words}" for letter, words in zip(LETTERS, shuffled, strict=False))
    letter = LETTERS[shuffled.index(options[0])]
    question = word(way, rng, **fields)
    return ask("choice", "choice", letter, rng, question=question, options=listed, asked=way, **fields)


_ASKERS: tuple[tuple[Asker, int], ...] = (
    (_side, 2),
    (_activity, 2),
    (_color, 3),
    (_place, 2),
    (_number, 1),
    (_looks, 2),
    (_who_does, 3),
    (_who_wears, 2),
    (_furthest, 2),
    (_beside, 2),
)
