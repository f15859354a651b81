"""What a question can be about, and who judges its answer; knows no wording and no model.

A judge says whether an answer is right by the facts of the scene, in whatever words they are told. It is
strict: every fact asked for must be there, and none of the same sort that is false.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from photopal.lab.bundled import readers
from photopal.lab.bundled.album import names_in
from photopal.lab.bundled.shown import Shown

Judge = Callable[[str], bool]


@dataclass(frozen=True)
class Matter:
    """Something to ask.

    Attributes:
        is_right: Says whether an answer is right.
        gaps: What the wording leaves open: who, name, what, thing.
        answer: Where there are but two answers, which is right: Yes or No; else empty.
    """

    is_right: Judge
    gaps: dict[str, str] = field(default_factory=dict)
    answer: str = ""


Maker = Callable[[Shown, random.Random], Matter | None]
"""Finds something of its kind to ask about a photo; None where there is nothing."""


def about(shown: Shown, who: str, judge: Judge) -> Matter:
    """A matter of one subject: an answer that speaks of another name is wrong."""
    others = [name for name in shown.everyone if name != who]
    return Matter(lambda text: judge(text) and not names_in(text, others), {"who": who, "name": who})


def yes_no(is_yes: bool, **gaps: str) -> Matter:
    """A matter of Yes or No."""
    gaps |= {"who": gaps["name"]} if "name" in gaps else {}
    return Matter(lambda text: readers.read_yes_no(text) is is_yes, gaps, "Yes" if is_yes else "No")
