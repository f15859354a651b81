"""Builds the personalized prompt from concepts, marks and a question; knows no photo and no model."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from photopal.text import name_spans, write_over
from photopal.vlm.placeholders import name_placeholder, token_placeholder

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
    """

    token_count: int
    mark: int | None = None


def concept_block(concepts: Sequence[PromptConcept]) -> str:
    """Introduce the concepts and say at which marks they are (MC-LLaVA, sections 3.2 and 3.3).

    Every concept gives `<name> is <t0>…<tk-1>.`; every marked one further
    `<name> is located at 'Mark Number i'.`
    """
    sentences = []
    for slot, concept in enumerate(concepts):
        tokens = "".join(token_placeholder(slot, index) for index in range(concept.token_count))
        sentences.append(f"{name_placeholder(slot)} is {tokens}.")
    for slot, concept in enumerate(concepts):
        if concept.mark is not None:
            sentences.append(f"{name_placeholder(slot)} is located at 'Mark Number {concept.mark}'.")
    return " ".join(sentences)


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
    block = concept_block(concepts)
    if order == "system-first":
        return ChatPrompt(user=question, system=block, has_image=has_image)
    return ChatPrompt(user=f"{block} {question}", has_image=has_image)


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
