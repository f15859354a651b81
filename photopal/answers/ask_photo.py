"""Answers a question about given photos with the model, by name; knows no SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from photopal.answers.assistant import Assistant, Personal, View
from photopal.library import ConceptRow
from photopal.prompts import absent_answer, build_prompt, find_names, write_names
from photopal.vision.batch import Asked, answer_side_by_side

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
    absence = _absence(assistant, view, question)
    if absence is not None:
        if on_text:
            on_text(absence.text)
        return absence
    personal = assistant.personalise(view, asked=named_in(question, assistant.concepts))
    asked = _asked(assistant, personal, question)
    prefix = assistant.prefix(view, personal, asked.encoded)
    text = assistant.model.generate(asked.encoded, asked.features, asked.rows, on_text=on_text, prefix=prefix)
    return PhotoAnswer(text, _names_on(view), is_from_model=True)


def ask_each(assistant: Assistant, view: View, questions: Sequence[str]) -> list[PhotoAnswer]:
    """Answer several questions about one photo together, each as `ask_view` answers it alone.

    Args:
        assistant: Looks and speaks.
        view: The photo.
        questions: In the user's words.
    """
    answers = [_absence(assistant, view, question) for question in questions]
    open_ = [question for question, answer in zip(questions, answers, strict=True) if answer is None]
    named = [named_in(question, assistant.concepts) for question in open_]
    prepared = assistant.personalise_each([(view, asked) for asked in named])
    asked = [_asked(assistant, personal, q) for personal, q in zip(prepared, open_, strict=True)]
    texts = iter(answer_side_by_side(assistant.model, asked))
    names = _names_on(view)
    return [PhotoAnswer(next(texts), names, is_from_model=True) if a is None else a for a in answers]


def _asked(assistant: Assistant, personal: Personal, question: str) -> Asked:
    prompt = build_prompt(write_names(question, personal.names), personal.offered)
    encoded = assistant.model.encode_prompt(prompt, personal.features)
    return Asked(encoded, personal.features, personal.rows)


def _absence(assistant: Assistant, view: View, question: str) -> PhotoAnswer | None:
    """What to say where everyone a question names is clearly absent; else None."""
    asked = named_in(question, assistant.concepts)
    present = {s.concept.id for s in view.present}
    if not asked or any(concept.id in present for concept in asked):
        return None
    words = " ".join(absent_answer(concept.name) for concept in asked)
    text = f"No. {words}" if _YES_NO.match(question) else words
    return PhotoAnswer(text, _names_on(view), is_from_model=False)


def _names_on(view: View) -> tuple[str, ...]:
    return tuple(s.concept.name for s in view.present)
