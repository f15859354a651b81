"""How the table asks: plainly, as photopal itself words it, or freely, as people might; knows no truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from photopal.lab.bundled.matter import Maker
from photopal.lab.bundled.scene_matters import SCENE_MAKERS
from photopal.lab.bundled.subject_matters import SUBJECT_MAKERS
from photopal.prompts import templates as questions

FREE_QUESTIONS = Path(__file__).with_name("free_questions.txt")

MAKERS: Mapping[str, Maker] = {**SCENE_MAKERS, **SUBJECT_MAKERS}
"""Kind of question → what finds something of that kind to ask."""

PLAIN: Mapping[str, tuple[str, ...]] = {
    "place": ("Where was this photo taken?", "Where is this?", "What place is this?"),
    "activity": ("What is {who} doing?",),
    "outfit": ("What is {who} wearing?",),
    "top": ("What colour is the top of {who}?",),
    "trousers": ("What colour are the trousers of {who}?",),
    "hat": ("Is {who} wearing a hat?",),
    "count": ("How many {what} are there?", "How many {what} are in this photo?"),
    "side": questions.POSITION_TEMPLATES,
    "beside": ("Who is beside {name}?", "Who is next to {name}?"),
    "who": questions.WHO_TEMPLATES,
    "absent": (*questions.ACTIVITY_TEMPLATES, *questions.POSITION_TEMPLATES),
    "missing": ("Is there {thing} in this photo?", "Can you see {thing}?", "Is there {thing}?"),
    "found": ("Is there {thing} in this photo?", "Can you see {thing}?", "Is there {thing}?"),
}
"""Kind of question → wordings that training has too."""


def free_questions() -> list[tuple[str, str]]:
    """Kind and wording of every free question, in the order of the list."""
    lines = FREE_QUESTIONS.read_text(encoding="utf-8").splitlines()
    pairs = [line.split(": ", 1) for line in lines if line and not line.startswith("#")]
    return [(kind, wording) for kind, wording in pairs]
