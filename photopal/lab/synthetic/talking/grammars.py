"""How everything that is asked about drawn photos may be phrased; knows no answers."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from photopal.lab.synthetic.talking.phrasing import phrase
from photopal.lab.synthetic.talking.talk import Exchange
from photopal.prompts import templates as own

COMMON_SHARE = 0.35

COMMON: Mapping[str, tuple[str, ...]] = {
    "caption": (own.CAPTION_QUESTION,),
    "recognition": own.RECOGNITION_TEMPLATES,
    "who": own.WHO_TEMPLATES,
    "place": ("Where [was this photo taken|is this]?", "What place is this?"),
    "count": ("How many {what} are [there|in this photo]?",),
    "exists": ("Is there {what} [in this photo|]?", "Can you see {what}?"),
    "who_does": ("Who is {doing}?",),
    "activity": own.ACTIVITY_TEMPLATES,
    "clothes": ("What is {name} wearing?",),
    "top": ("What colour is [{name}'s top|the top of {name}]?",),
    "wears": ("Is {name} wearing {garment}?",),
    "position": own.POSITION_TEMPLATES,
    "beside": ("Who is [beside|next to] {name}?",),
    "appearance": own.APPEARANCE_TEMPLATES,
    "choice": ("{question} {options} Answer with the letter.",),
}
"""Way of asking → how it is worded most, photopal's own questions among them."""


def _read() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    text = Path(__file__).with_name("phrasings.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            way, grammar = line.split(": ", 1)
            found[way].append(grammar)
    return {way: tuple(grammars) for way, grammars in found.items()}


WAYS: Mapping[str, tuple[str, ...]] = _read()
"""Way of asking → its grammars; see `phrase`."""


def word(way: str, rng: random.Random, /, **fields: str) -> str:
    """Phrase a question: one time in three as it is commonly asked, else in any way there is."""
    common = COMMON.get(way, ())
    grammars = common if common and rng.random() < COMMON_SHARE else WAYS[way]
    return phrase(rng.choice(grammars), rng, **fields)


def ask(kind: str, way: str, answer: str, rng: random.Random, /, **fields: str) -> Exchange:
    """An exchange, its question phrased in one of the ways it may be."""
    return Exchange(kind, word(way, rng, **fields), answer, way, fields)


def all_grammars() -> tuple[str, ...]:
    """Every grammar there is."""
    return tuple(grammar for ways in (COMMON, WAYS) for grammars in ways.values() for grammar in grammars)
