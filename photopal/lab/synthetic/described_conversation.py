"""Holds conversations about drawn scenes in which nobody has a name, every answer true; knows no model."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from photopal.lab.synthetic.conversation import MOST_TRIES
from photopal.lab.synthetic.scene import Scene
from photopal.lab.synthetic.talking import choices, described, names, scenes
from photopal.lab.synthetic.talking.described import Marked
from photopal.lab.synthetic.talking.talk import Exchange, Talk

Maker = Callable[[random.Random], Exchange | None]

ASKED_OF_NAMES = frozenset({"who", "anybody"})
"""Ways of asking that speak of whom one knows."""

_OF_SCENES = (
    (scenes.place, 3),
    (scenes.light, 3),
    (scenes.count_them, 3),
    (scenes.exists, 3),
    (scenes.who_does, 4),
    (scenes.stranger, 4),
)
_OF_SOMEBODY = (
    (names.activity, 4),
    (names.clothes, 5),
    (names.position, 4),
    (names.beside, 5),
    (names.appearance, 1),
    (choices.choose, 5),
)
_OF_MARKS = (
    (described.at_mark, 6),
    (described.mark_of, 5),
    (described.described_at_mark, 6),
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
    first = [scenes.caption(_nameless(scene), rng), described.described(scene, rng)]
    if marks:
        first += [described.at_mark(Marked(scene, marks), rng), described.mark_of(Marked(scene, marks), rng)]
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


def _makers(scene: Scene, marks: Mapping[int, int], rng: random.Random) -> list[tuple[Maker, int]]:
    """What can be asked of a scene, with how often."""
    makers: list[tuple[Maker, int]] = [
        *_bound(_OF_SCENES, _nameless(scene)),
        *_bound(_OF_SOMEBODY, described.talk_by_looks(scene, rng)),
        (partial(described.described, scene), 5),
        (partial(described.everybody, scene), 1),
    ]
    if marks:
        marked = Marked(scene, marks)
        makers += _bound(_OF_MARKS, marked)
        by_marks = _bound(_OF_SOMEBODY, described.talk_by_marks(marked, rng))
        makers += [(partial(_of_marked, maker), weight) for maker, weight in by_marks]
    return makers


def _bound(
    makers: Sequence[tuple[Callable[[Any, random.Random], Exchange | None], int]], of: object
) -> list[tuple[Maker, int]]:
    return [(partial(maker, of), weight) for maker, weight in makers]


def _of_marked(maker: Maker, rng: random.Random) -> Exchange | None:
    """Book what is asked of the one at a mark apart from what is asked of somebody described."""
    exchange = maker(rng)
    if exchange is None or exchange.kind in ("choice", "absent"):
        return exchange
    return replace(exchange, kind="marked")


def _nameless(scene: Scene) -> Talk:
    return Talk(scene, (None,) * len(scene.subjects))


def _draw(makers: list[tuple[Maker, int]], rng: random.Random) -> Maker:
    return rng.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0]
