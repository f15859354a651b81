"""Holds conversations about drawn scenes, every answer true; knows no model."""

from __future__ import annotations

import random
from collections.abc import Callable

from photopal.lab.synthetic.talking import choices, names, scenes
from photopal.lab.synthetic.talking.talk import Exchange, Talk

Maker = Callable[[Talk, random.Random], Exchange | None]
MOST_TRIES = 200
CHOICE_SHARE = 0.6

_OF_NAMES: tuple[tuple[Maker, int], ...] = (
    (names.activity, 5),
    (names.clothes, 6),
    (names.position, 3),
    (names.beside, 6),
    (names.together, 1),
    (names.appearance, 3),
    (choices.choose, 1),
)
_OF_SCENES: tuple[tuple[Maker, int], ...] = (
    (scenes.place, 3),
    (scenes.light, 5),
    (scenes.count_them, 3),
    (scenes.exists, 6),
    (scenes.who_does, 4),
    (scenes.stranger, 8),
)


def converse(talk: Talk, rng: random.Random, *, count: int = 10) -> list[Exchange]:
    """Hold a conversation of `count` exchanges: caption, recognition, who, mostly a choice, and others.

    No question is asked twice but those of recognition, which may be about another name.
    """
    exchanges = [scenes.caption(talk, rng)]
    has_names = bool(talk.named or talk.absent)
    if has_names:
        exchanges += [names.recognise(talk, rng) for _ in range(2)]
        exchanges.append(scenes.who(talk, rng))
        choice = choices.choose(talk, rng) if rng.random() < CHOICE_SHARE else None
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


__all__ = ["Exchange", "Talk", "converse"]
