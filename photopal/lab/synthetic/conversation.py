"""Holds conversations about drawn scenes, with names or without, every answer true; knows no model."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from photopal.lab.synthetic.dialogue import descriptions, multiple_choice, questions
from photopal.lab.synthetic.dialogue.descriptions import Marked
from photopal.lab.synthetic.dialogue.talk import Exchange, Mention, Talk, things_of
from photopal.lab.synthetic.scene import Scene

Maker = Callable[[Talk, random.Random], Exchange | None]
MOST_TRIES = 200
CHOICE_SHARE = 0.6

_OF_NAMES: tuple[tuple[Maker, int], ...] = (
    (questions.activity, 5),
    (questions.clothes, 6),
    (questions.position, 3),
    (questions.beside, 6),
    (questions.together, 1),
    (questions.appearance, 3),
    (multiple_choice.choose, 1),
)
_OF_SCENES: tuple[tuple[Maker, int], ...] = (
    (questions.place, 3),
    (questions.light, 5),
    (questions.count_them, 3),
    (questions.exists, 6),
    (questions.who_does, 4),
    (questions.stranger, 8),
)


def converse(talk: Talk, rng: random.Random, *, count: int = 10) -> list[Exchange]:
    """Hold a conversation of `count` exchanges: caption, recognition, who, mostly a choice, and others.

    No question is asked twice but those of recognition, which may be about another name.
    """
    exchanges = [questions.caption(talk, rng)]
    has_names = bool(talk.named or talk.absent)
    if has_names:
        exchanges += [questions.recognize(talk, rng) for _ in range(2)]
        exchanges.append(questions.who(talk, rng))
        choice = multiple_choice.choose(talk, rng) if rng.random() < CHOICE_SHARE else None
        exchanges += [choice] if choice is not None else []
    for _ in range(MOST_TRIES):
        if len(exchanges) >= count:
            break
        makers = _OF_NAMES if has_names and rng.random() < 0.5 else _OF_SCENES
        maker = rng.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0]
        exchange = maker(talk, rng)
        if exchange is not None and all(exchange.question != other.question for other in exchanges):
            exchanges.append(exchange)
    return exchanges


NamelessMaker = Callable[[random.Random], Exchange | None]

ASKED_OF_NAMES = frozenset({"who", "anybody"})
"""Ways of asking that speak of whom one knows."""

_NAMELESS_SCENES = (
    (questions.place, 1),
    (questions.light, 1),
    (questions.count_them, 2),
    (questions.exists, 2),
    (questions.who_does, 4),
    (questions.stranger, 4),
)
_OF_SOMEBODY = (
    (questions.activity, 4),
    (questions.clothes, 5),
    (questions.position, 4),
    (questions.beside, 5),
    (questions.appearance, 1),
    (multiple_choice.choose, 5),
)
_OF_MARKS = (
    (descriptions.at_mark, 6),
    (descriptions.mark_of, 5),
    (descriptions.described_at_mark, 6),
)


def converse_without_names(
    scene: Scene, rng: random.Random, *, marks: Mapping[int, int] | None = None, count: int = 10
) -> list[Exchange]:
    """Hold a conversation of `count` exchanges: a caption, a description, marks where there are any, others.

    Args:
        scene: What is true.
        rng: Source of randomness.
        marks: Index of a subject → the number drawn on the photo at it.
        count: How many exchanges; fewer where there is not so much to ask.
    """
    makers = _makers(scene, marks or {}, rng)
    first = [questions.caption(_nameless(scene), rng), descriptions.described(scene, rng)]
    if marks:
        first += [
            descriptions.at_mark(Marked(scene, marks), rng),
            descriptions.mark_of(Marked(scene, marks), rng),
        ]
    exchanges: list[Exchange] = []
    for tries in range(MOST_TRIES):
        if len(exchanges) >= count:
            break
        exchange = first[tries] if tries < len(first) else _draw(makers, rng)(rng)
        if exchange is None or exchange.way in ASKED_OF_NAMES:
            continue
        if all(exchange.question != other.question for other in exchanges):
            exchanges.append(exchange)
    return exchanges


def _makers(scene: Scene, marks: Mapping[int, int], rng: random.Random) -> list[tuple[NamelessMaker, int]]:
    """What can be asked of a scene, with how often."""
    makers: list[tuple[NamelessMaker, int]] = [
        *_bound(_NAMELESS_SCENES, _nameless(scene), _mention_by_what_is_asked),
        *_bound(_OF_SOMEBODY, descriptions.talk_by_looks(scene, rng), _mention_by_name),
        (partial(descriptions.described, scene), 9),
        (partial(descriptions.everybody, scene), 1),
    ]
    if marks:
        marked = Marked(scene, marks)
        makers += [(partial(maker, marked), weight) for maker, weight in _OF_MARKS]
        by_marks = _bound(_OF_SOMEBODY, descriptions.talk_by_marks(marked, rng), _mention_by_name)
        makers += [(partial(_of_marked, maker), weight) for maker, weight in by_marks]
    return makers


Mentioning = Callable[[Talk, Exchange], Mention | None]


def _bound(
    makers: Sequence[tuple[Maker, int]], talk: Talk, mention: Mentioning
) -> list[tuple[NamelessMaker, int]]:
    return [(partial(_with_mention, maker, talk, mention), weight) for maker, weight in makers]


def _with_mention(maker: Maker, talk: Talk, mention: Mentioning, rng: random.Random) -> Exchange | None:
    exchange = maker(talk, rng)
    return exchange if exchange is None else replace(exchange, mention=mention(talk, exchange))


def _mention_by_name(talk: Talk, exchange: Exchange) -> Mention | None:
    """Who is meant by what the talk calls them."""
    name = exchange.fields.get("name")
    if name is None:
        return None
    if name in talk.names:
        return Mention(name, talk.names.index(name))
    return Mention(name, -1) if name in talk.absent else None


def _mention_by_what_is_asked(talk: Talk, exchange: Exchange) -> Mention | None:
    """Who is meant by "the dog", by what is worn or done, or by "a hat", where it is one or nobody."""
    subjects, fields = talk.scene.subjects, exchange.fields
    if exchange.way == "who_does":
        words, fits = fields["doing"], [s.activity == fields["doing"] for s in subjects]
    elif exchange.way == "who_wears":
        words, fits = fields["garment"], [fields["garment"] in things_of(s) for s in subjects]
    elif exchange.way == "exists":
        words, fits = fields["what"], [fields["what"] in questions.there_is(s) for s in subjects]
    elif "name" in fields:
        words, fits = fields["name"], [fields["name"][4:] in questions.only_words(s) for s in subjects]
    else:
        return None
    return Mention(words, fits.index(True) if any(fits) else -1) if sum(fits) <= 1 else None


def _of_marked(maker: NamelessMaker, rng: random.Random) -> Exchange | None:
    """Book what is asked of the one at a mark apart from what is asked of somebody described."""
    exchange = maker(rng)
    if exchange is None or exchange.kind in ("choice", "absent"):
        return exchange
    return replace(exchange, kind="marked")


def _nameless(scene: Scene) -> Talk:
    return Talk(scene, (None,) * len(scene.subjects))


def _draw(makers: list[tuple[NamelessMaker, int]], rng: random.Random) -> NamelessMaker:
    return rng.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0]
