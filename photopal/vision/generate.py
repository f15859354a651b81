"""Greedy answers and scores of given answers; knows the protocol's steps, not how a model takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from photopal.vision.protocol import ConceptRows, EncodedPrompt, PhotoFeatures, PrefixCache

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """Hands on text as it grows, never a character that the next token may still change."""

    def __init__(self, on_text: Callable[[str], None] | None) -> None:
        """Hand text to `on_text`, if there is one."""
        self._on_text = on_text
        self._told = ""

    def show(self, text: str) -> None:
        """Hand on what is new and settled in the text so far."""
        settled = text.lstrip().rstrip(_UNFINISHED).rstrip()
        if self._on_text and settled.startswith(self._told) and settled != self._told:
            self._on_text(settled[len(self._told) :])
            self._told = settled

    def finish(self, text: str) -> str:
        """Hand on the rest; returns the whole text without spaces at its ends."""
        whole = text.strip()
        if self._on_text and whole.startswith(self._told) and whole != self._told:
            self._on_text(whole[len(self._told) :])
            self._told = whole
        return whole


class Steps(Protocol):
    """What greedy decoding needs of a model."""

    @property
    def end_ids(self) -> frozenset[int]:
        """The ids that end an answer."""

    def begin(
        self,
        encoded: EncodedPrompt,
        features: PhotoFeatures | None,
        rows: ConceptRows | None,
        *,
        prefix: PrefixCache | None,
    ) -> tuple[Tensor, Any]:
        """Last hidden state `[hidden]` of the prompt, and the keys and values to append to."""

    def step(self, model_id: int, position: int, *, rows: ConceptRows | None, past: Any) -> Tensor:
        """Hidden state `[hidden]` after one more token; appends to `past`."""

    def logits(self, hidden: Tensor, rows: ConceptRows | None = None) -> Tensor:
        """Logits over base vocabulary and identifiers."""

    def decode(self, ids: Tensor | Sequence[int], names: Sequence[str] = ()) -> str:
        """Text of model ids."""


def answer_greedily(
    steps: Steps,
    encoded: EncodedPrompt,
    started: tuple[Tensor, Any],
    *,
    rows: ConceptRows | None,
    max_new_tokens: int,
    on_text: Callable[[str], None] | None,
) -> str:
    """Take the likeliest token again and again.

    Args:
        steps: The model.
        encoded: The prompt.
        started: What `steps.begin` gave for it.
        rows: The concepts.
        max_new_tokens: Where to stop at the latest.
        on_text: Told each new piece of text; the pieces joined are the answer.

    Returns:
        The answer, with names, without spaces at its ends.
    """
    hidden, past = started
    names = rows.names if rows else ()
    stream = TextStream(on_text)
    ids: list[int] = []
    position = encoded.next_position
    while len(ids) < max_new_tokens:
        model_id = int(steps.logits(hidden, rows).argmax())
        if model_id in steps.end_ids:
            break
        ids.append(model_id)
        if on_text:
            stream.show(steps.decode(ids, names))
        if len(ids) < max_new_tokens:
            hidden = steps.step(model_id, position, rows=rows, past=past)
            position += 1
    return stream.finish(steps.decode(ids, names))


def telling_lengths(answers: Sequence[Sequence[int]]) -> list[int]:
    """How many ids of each answer it takes to tell it from all the others.

    Args:
        answers: Model ids with their end-of-turn ids, so that none begins another.

    Returns:
        One count per answer, at least 1.

    Raises:
        ValueError: Two answers are the same, or there is none.
    """
    if not answers:
        raise ValueError("there are no answers to score")
    lengths = []
    for place, ids in enumerate(answers):
        others = [other for number, other in enumerate(answers) if number != place]
        common = max((_common(ids, other) for other in others), default=0)
        if common == len(ids):
            raise ValueError("two answers are the same to the model")
        lengths.append(common + 1)
    return lengths


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    for place, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return place
    return min(len(first), len(second))


def sum_log_probabilities(logits: Tensor, ids: Tensor) -> Tensor:
    """The log-probability of ids.

    Args:
        logits: `[tokens, vocab]`, what the model says before each id.
        ids: `[tokens]` model ids.

    Returns:
        A scalar.
    """
    return torch.log_softmax(logits.float(), dim=-1).gather(-1, ids[:, None]).sum()
