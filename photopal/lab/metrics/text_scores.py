"""Compares free answers with true ones, and names in captions with who is there; knows no photo."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from photopal.text import names_in

WEIGHTS = (0.7, 0.3)
EPSILON = 0.1
_ARTICLES = {"a", "an", "the"}


def character_score(truth: str, answer: str) -> float:
    """What MC-LLaVA's code computes for VQA, there under the name BLEU: n-grams of characters, not of words.

    Precision of single characters and of pairs, in geometric mean with the weights 0.7 and 0.3, times the
    brevity penalty. A precision of no hits counts as a tenth of a hit, one of no single character as zero.
    """
    if not answer:
        return 0.0
    logs = 0.0
    for size, weight in enumerate(WEIGHTS, start=1):
        said, true = _grams(answer, size), _grams(truth, size)
        hits = sum((said & true).values())
        if size == 1 and not hits:
            return 0.0
        logs += weight * math.log((hits or EPSILON) / max(1, sum(said.values())))
    penalty = 1.0 if len(answer) > len(truth) else math.exp(1 - len(truth) / len(answer))
    return penalty * math.exp(logs)


def _grams(text: str, size: int) -> Counter[str]:
    return Counter(text[start : start + size] for start in range(len(text) - size + 1))


def words_of(text: str) -> list[str]:
    """The words of an answer without case, punctuation and articles."""
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in _ARTICLES]


def is_exact(truth: str, answer: str) -> bool:
    """Whether two answers have the same words in the same order."""
    return words_of(truth) == words_of(answer)


def word_f1(truth: str, answer: str) -> float:
    """The harmonic mean of precision and recall of words, each counted as often as it stands there."""
    true, said = Counter(words_of(truth)), Counter(words_of(answer))
    hits = sum((true & said).values())
    if not true or not said:
        return float(true == said)
    return 2 * hits / (sum(true.values()) + sum(said.values()))


def rotations(options: Sequence[str]) -> list[tuple[str, ...]]:
    """Every order of options that comes of moving the first ones to the end; the given one first."""
    return [(*options[start:], *options[:start]) for start in range(len(options))]


@dataclass(frozen=True)
class NameCounts:
    """Names of one caption.

    Attributes:
        hits: Names told of those who are there.
        wrong: Names told of those who are not.
        missing: Names not told of those who are there.
    """

    hits: int
    wrong: int
    missing: int


def count_names(caption: str, truth: Sequence[str], known: Sequence[str]) -> NameCounts:
    """Compare the whole names in a caption with who is there; "A" does not stand in "Alex"."""
    told = {*names_in(caption, known)}
    return NameCounts(len(told & {*truth}), len(told - {*truth}), len({*truth} - told))


def substring_recall(caption: str, truth: Sequence[str]) -> float:
    """The share of those there whose name is a substring, as MC-LLaVA has it; nan with nobody there."""
    return sum(name in caption for name in truth) / len(truth) if truth else math.nan


def names_f1(hits: float, wrong: float, missing: float) -> float:
    """F1 of names, counted over all captions together; 1 where no name is due and none is told."""
    faults = wrong + missing
    return 2 * hits / (2 * hits + faults) if hits or faults else 1.0
