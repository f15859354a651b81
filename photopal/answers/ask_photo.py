"""Answers a question about given photos with the model, by name; knows no SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photopal.answers.assistant import Assistant, View
from photopal.library import ConceptRow
from photopal.prompts import absent_answer, build_prompt, find_names, write_names

_YES_NO = re.compile(r"\s*(is|are|can|could|do|does|did|was|were|has|have|would)\b", re.IGNORECASE)


@dataclass(frozen=True)
class PhotoAnswer:
    """An answer about one photo.

    Attributes:
        text: What is said.
        names: Names of those seen on the photo, from left to right.
        is_from_model: Whether the model said it; False where the location maps decided that somebody asked
            for is not there.
    """

    text: str
    names: tuple[str, ...]
    is_from_model: bool


def named_in(question: str, concepts: Sequence[ConceptRow]) -> list[ConceptRow]:
    """The concepts a question names, whole names only, in the order of the concepts."""
    return [concepts[place] for place in find_names(question, [c.name for c in concepts])]


def ask_view(
    assistant: Assistant, view: View, question: str, *, on_text: Callable[[str], None] | None = None
) -> PhotoAnswer:
    """Answer a question about a photo that was looked at.

    Where everyone the question names is clearly absent, that is the answer.

    Args:
        assistant: Looks and speaks.
        view: The photo.
        question: In the user's words, with names as they are.
        on_text: Told each new piece of the answer.
    """
    names = tuple(s.concept.name for s in view.present)
    asked = named_in(question, assistant.concepts)
    present = {s.concept.id for s in view.present}
    if asked and not any(concept.id in present for concept in asked):
        words = " ".join(absent_answer(concept.name) for concept in asked)
        text = f"No. {words}" if _YES_NO.match(question) else words
        if on_text:
            on_text(text)
        return PhotoAnswer(text, names, is_from_model=False)
    personal = assistant.personalise(view, asked=asked)
    prompt = build_prompt(write_names(question, personal.names), personal.offered)
    encoded = assistant.model.encode_prompt(prompt, personal.features)
    text = assistant.model.generate(encoded, personal.features, personal.rows, on_text=on_text)
    return PhotoAnswer(text, names, is_from_model=True)
