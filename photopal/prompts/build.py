"""Builds the personalized prompt from concepts, marks and a question; knows no photo and no model."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from photopal.text import name_spans, write_over
from photopal.vlm.placeholders import NAME_PATTERN, name_placeholder, token_placeholder

if TYPE_CHECKING:
    from photopal.vlm.protocol import ChatPrompt

Order = Literal["image-first", "system-first"]

MOST_CONCEPTS = 4
"""How many concepts a prompt holds at most, in tuning as in use; the maps choose them."""


@dataclass(frozen=True)
class PromptConcept:
    """One concept of a prompt; its place in the sequence is its slot.

    Attributes:
        token_count: Soft tokens in use.
        mark: The number of its mark on the photo, if it has one.
        is_inline: Whether its soft tokens follow its name in the question itself, as a description would;
            only where a question names nobody they are in a sentence before it.
    """

    token_count: int
    mark: int | None = None
    is_inline: bool = False


def concept_block(concepts: Sequence[PromptConcept], question: str = "") -> str:
    """Introduce the concepts and say at which marks they are (MC-LLaVA, sections 3.2 and 3.3).

    Every concept gives `<name> is <t0>…<tk-1>.`; every marked one further
    `<name> is located at 'Mark Number i'.` An inline one gives the first only where the question names
    nobody.

    Args:
        concepts: By slot.
        question: What is asked after it.
    """
    sentences = []
    for slot, concept in enumerate(concepts):
        if not concept.is_inline or NAME_PATTERN.search(question) is None:
            sentences.append(f"{name_placeholder(slot)} is {_soft_tokens(slot, concept)}.")
    for slot, concept in enumerate(concepts):
        if concept.mark is not None:
            name = _named(slot, concept)
            sentences.append(f"{name} is located at 'Mark Number {concept.mark}'.")
    return " ".join(sentences)


def _soft_tokens(slot: int, concept: PromptConcept) -> str:
    return "".join(token_placeholder(slot, index) for index in range(concept.token_count))


def _named(slot: int, concept: PromptConcept) -> str:
    """What stands for a concept in a sentence: its name, and behind it the soft tokens of an inline one."""
    return name_placeholder(slot) + (_soft_tokens(slot, concept) if concept.is_inline else "")


def build_prompt(
    question: str,
    concepts: Sequence[PromptConcept] = (),
    *,
    order: Order = "image-first",
    has_image: bool = True,
) -> ChatPrompt:
    """Put the concept block and a question together.

    Args:
        question: May hold identifier placeholders (see `write_names`).
        concepts: Who may be spoken of.
        order: Whether the block stands after the photo, where its keys and values do not change the photo's,
            or in the system message before it, as the authors have it.
        has_image: Whether a photo goes with the question.
    """
    from photopal.vlm.protocol import ChatPrompt

    if not concepts:
        return ChatPrompt(user=question, has_image=has_image)
    block = concept_block(concepts, question)
    for slot, concept in enumerate(concepts):
        question = question.replace(name_placeholder(slot), _named(slot, concept))
    if order == "system-first":
        return ChatPrompt(user=question, system=block or None, has_image=has_image)
    return ChatPrompt(user=f"{block} {question}".lstrip(), has_image=has_image)


def write_names(text: str, names: Sequence[str]) -> str:
    """Replace whole names in a text by the identifier placeholders of their slots.

    Case does not matter; longer names win over shorter ones; "A" is not found in "Alex".

    Args:
        text: What the user wrote.
        names: The names by slot.
    """
    text = unicodedata.normalize("NFC", text)
    spans = name_spans(text, names)
    return write_over(text, ((start, end, name_placeholder(slot)) for start, end, slot in spans))
