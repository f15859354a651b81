"""Answers many prompts side by side; knows no wording and judges nothing.

Each is answered word for word as `VisionModel.generate` answers it alone. Prompts about one photo and one
concept block share its keys and values: they stand one behind another in a row, each blind to the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from photopal.vision.asked import Asked, beginning_of, shared_length
from photopal.vision.protocol import VisionModel
from photopal.vision.writer import Writer

AT_ONCE = 64
"""How many answers are generated side by side."""

MOST_TOKENS = 12_288
"""How many tokens of prompts and answers stand side by side, which bounds the memory of keys and values."""

_LEAST_IN_ROW, _MOST_IN_ROW = 8, 32
_USUAL_ANSWER = 16
_EVEN = 0.5
OnAnswers = Callable[[int], None]


@torch.no_grad()
def answer_side_by_side(
    model: VisionModel, asked: Sequence[Asked], *, at_once: int = AT_ONCE, on_answers: OnAnswers | None = None
) -> list[str]:
    """Answer prompts greedily, many at a time.

    Args:
        model: Who answers.
        asked: The prompts.
        at_once: How many side by side at most.
        on_answers: Told after each batch how many were answered in it.

    Returns:
        One answer a prompt, as `generate` gives it.
    """
    answers = [""] * len(asked)
    for batch in _batches(model, asked, at_once):
        order = [place for row in batch for place in row]
        chosen = [asked[place] for place in order]
        if _is_batchable(model, chosen):
            ids = Writer(model, _rows(asked, batch)).write()
            told = [
                model.decode(i, one.rows.names if one.rows else ()).strip()
                for i, one in zip(ids, chosen, strict=True)
            ]
        else:
            told = [
                model.generate(one.encoded, one.features, one.rows, max_new_tokens=one.max_new_tokens)
                for one in chosen
            ]
        for place, text in zip(order, told, strict=True):
            answers[place] = text
        if on_answers:
            on_answers(len(order))
    return answers


@torch.no_grad()
def first_of_two(
    model: VisionModel, asked: Sequence[Asked], words: tuple[str, str], *, at_once: int = AT_ONCE
) -> list[float]:
    """How likely the first of two answers is beside the second, as `score_answers` gives it.

    Args:
        model: Who answers.
        asked: The prompts.
        words: The two answers.
        at_once: How many prompts side by side at most.

    Returns:
        One share in 0…1 a prompt.
    """
    first, second = (int(model.answer_ids(word)[0]) for word in words)
    shares = [0.0] * len(asked)
    for batch in _batches(model, asked, at_once):
        order = [place for row in batch for place in row]
        chosen = [asked[place] for place in order]
        if first != second and _is_batchable(model, chosen):
            logits = Writer(model, _rows(asked, batch)).begin()
            told = torch.sigmoid(logits[:, first] - logits[:, second]).tolist()
        else:
            scores = [
                model.score_answers(one.encoded, one.features, one.rows, answers=words) for one in chosen
            ]
            told = [float(torch.softmax(score, dim=0)[0]) for score in scores]
        for place, share in zip(order, told, strict=True):
            shares[place] = share
    return shares


def _is_batchable(model: VisionModel, asked: Sequence[Asked]) -> bool:
    return model.supports_prefix and len(asked) > 1


def _rows(asked: Sequence[Asked], batch: Sequence[Sequence[int]]) -> list[list[Asked]]:
    return [[asked[place] for place in row] for row in batch]


def _batches(model: VisionModel, asked: Sequence[Asked], at_once: int) -> list[list[list[int]]]:
    """Batches of rows of places: a row's prompts have a common beginning, a batch's rows are of like size."""
    alike: dict[object, list[int]] = {}
    for place, one in enumerate(asked):
        alike.setdefault(beginning_of(one, model.vocab_size), []).append(place)
    rows = [row for places in alike.values() for row in _split(model, asked, places, at_once)]
    batches: list[list[list[int]]] = []
    longest = 0
    sized = [(-len(row), _tokens(model, asked, row), row) for row in rows]
    for _, tokens, row in sorted(sized, key=lambda one: one[:2]):
        longest = max(longest, tokens)
        batch = batches[-1] if batches else []
        is_full = sum(map(len, batch)) + len(row) > at_once or (len(batch) + 1) * longest > MOST_TOKENS
        if not batch or is_full or len(row) < _EVEN * len(batch[0]):
            batches.append([])
            longest = tokens
        batches[-1].append(row)
    return batches


def _tokens(model: VisionModel, asked: Sequence[Asked], row: Sequence[int]) -> int:
    """How many tokens a row has at most: what its prompts share, and the rest and the answer of each."""
    shared = shared_length(asked[row[0]], model.vocab_size)
    return shared + sum(len(asked[p].encoded.ids) - shared + asked[p].max_new_tokens for p in row)


def _split(
    model: VisionModel, asked: Sequence[Asked], places: Sequence[int], at_once: int
) -> list[list[int]]:
    """Rows of prompts with a common beginning, about as many in each.

    All that stands in a row is looked at by all, though most is masked, so a row's own words should not be
    many more than what is shared.
    """
    shared = shared_length(asked[places[0]], model.vocab_size)
    own = max(len(asked[p].encoded.ids) for p in places) - shared
    fitting = min(_MOST_IN_ROW, max(_LEAST_IN_ROW, shared // (own + _USUAL_ANSWER)))
    limit = own + max(asked[p].max_new_tokens for p in places)
    most = max(1, min(at_once, fitting, (MOST_TOKENS - shared) // limit))
    count = math.ceil(len(places) / most)
    return [list(places[number::count]) for number in range(count)]


__all__ = ["AT_ONCE", "Asked", "OnAnswers", "answer_side_by_side", "first_of_two"]
