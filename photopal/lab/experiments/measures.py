"""What came of each question, and the figures made of it, the authors' and ours; knows no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from photopal.lab.datasets.scenario import Kind, Negative
from photopal.lab.metrics.text_scores import NameCounts, names_f1
from photopal.lab.metrics.yes_no import auroc, calibration_error, false_positive_rate, weighted_recall


@dataclass(frozen=True)
class RecognitionResult:
    """One recognition question.

    Attributes:
        kind: Of photo and question.
        is_there: Whether all names asked for are on the photo.
        authors_say: What the authors count as true; None where they do not ask.
        probability: p(Yes) of the model.
        threshold: At which p(Yes) counts as Yes, from validation photos.
        negative: Who is there instead, for a name that is not there.
        score: Height of the location map above its threshold; None for several names and under controls.
        is_seen: What maps and model say together; None where there is no score.
        sureness: What that rests on, as a number: where the score lies in the abstain band, 0 at its lower
            end and 1 at its upper end, plus p(Yes); None where there is no score.
        is_balanced: Whether it is of the set in which every photo and every name comes with Yes as often as
            with No.
    """

    kind: Kind
    is_there: bool
    authors_say: bool | None
    probability: float
    threshold: float = 0.5
    negative: Negative | None = None
    score: float | None = None
    is_seen: bool | None = None
    sureness: float | None = None
    is_balanced: bool = False


@dataclass(frozen=True)
class ChoiceResult:
    """One multiple-choice question.

    Attributes:
        kind: Of photo and question.
        is_right: Whether the right letter is the likeliest.
        is_always_right: Whether it is in every rotation of the options; None where they were not rotated.
        options: How many options there are; 0 where they stand in the text.
    """

    kind: Kind
    is_right: bool
    is_always_right: bool | None
    options: int


@dataclass(frozen=True)
class ToldResult:
    """One question with given answers, asked without letters.

    Attributes:
        is_right: Whether the right answer is the likeliest of them.
    """

    is_right: bool


@dataclass(frozen=True)
class LocationResult:
    """Where one concept was found on a photo that shows it.

    Attributes:
        is_inside: Whether the peak of its map lies on it.
        overlap: Intersection over union of the boxes.
        chance: The share of the photo it covers: what a point at random would score.
        is_marked: Whether the mark that prompts draw for it is at it; None where they draw none for it.
    """

    is_inside: bool
    overlap: float
    chance: float
    is_marked: bool | None


@dataclass(frozen=True)
class AnswerResult:
    """One free answer.

    Attributes:
        kind: Of photo and question.
        characters: The authors' score.
        is_exact: Whether the words are the same.
        f1: Of words.
    """

    kind: Kind
    characters: float
    is_exact: bool
    f1: float


@dataclass(frozen=True)
class CaptionResult:
    """One caption.

    Attributes:
        kind: si_sq for photos of one concept, mi_sq for those of several.
        has_offer: Whether all names were in the prompt, or only those the maps found.
        substrings: The authors' recall; nan with nobody there.
        names: Whole names told.
        words: The best F1 of words with a caption of the dataset; nan where it has none.
    """

    kind: Kind
    has_offer: bool
    substrings: float
    names: NameCounts
    words: float


Outcome = RecognitionResult | ChoiceResult | ToldResult | LocationResult | AnswerResult | CaptionResult


Definition = Literal["authors", "ours"]
Values = NDArray[np.float64]
"""What a figure is made of: a row for each question, a column for each fact of it."""
Facts = Callable[[Outcome], tuple[float, ...] | None]
Figure = Callable[[Values], float]


@dataclass(frozen=True)
class Measure:
    """One figure.

    Attributes:
        task: Whose outcomes it takes.
        name: What it is called.
        definition: Whether the authors define it so, or this project.
        facts: What of an outcome it takes; None for outcomes it leaves out.
        figure: From rows of facts; nan where there is nothing to count.
        has_controls: Whether it is shown with something taken away, too.
    """

    task: str
    name: str
    definition: Definition
    facts: Facts
    figure: Figure
    has_controls: bool

    @property
    def key(self) -> str:
        """The name under which results keep its rows."""
        return f"{self.task}: {self.name}"

    def values(self, outcomes: Sequence[Outcome]) -> Values:
        """Rows of facts of the outcomes it takes."""
        rows = [row for outcome in outcomes if (row := self.facts(outcome)) is not None]
        return np.array(rows, dtype=float).reshape(len(rows), len(rows[0]) if rows else 1)


def mean(values: Values) -> float:
    """The mean of the first column; nan without rows."""
    known = values[:, 0][~np.isnan(values[:, 0])] if len(values) else values
    return float(known.mean()) if len(known) else math.nan


def _weighted(values: Values) -> float:
    return weighted_recall(values[:, 0] > 0.5, values[:, 1] > 0.5) if len(values) else math.nan


def _area(values: Values) -> float:
    return auroc(values[:, 0] > 0.5, values[:, 1]) if len(values) else math.nan


def _error(values: Values) -> float:
    return calibration_error(values[:, 0] > 0.5, values[:, 1]) if len(values) else math.nan


def _false_positives(values: Values) -> float:
    if not len(values):
        return math.nan
    is_there = values[:, 0] > 0.5
    return false_positive_rate(values[is_there, 1], values[~is_there, 1])


def _f1(values: Values) -> float:
    return names_f1(*(float(v) for v in values.sum(axis=0))) if len(values) else math.nan


def _true_yes_no(outcome: Outcome) -> tuple[float, ...] | None:
    """The authors' questions and what is true."""
    if not isinstance(outcome, RecognitionResult) or outcome.authors_say is None:
        return None
    return (outcome.is_there, outcome.probability >= 0.5)


def _authors_yes_no(outcome: Outcome) -> tuple[float, ...] | None:
    """The authors' questions and what they count as true, which need not be."""
    if not isinstance(outcome, RecognitionResult) or outcome.authors_say is None:
        return None
    return (outcome.authors_say, outcome.probability >= 0.5)


def _recall(said: bool) -> Facts:
    def facts(outcome: Outcome) -> tuple[float, ...] | None:
        row = _true_yes_no(outcome)
        return None if row is None or bool(row[0]) != said else (float(bool(row[1]) == said),)

    return facts


def _ours_yes_no(outcome: Outcome) -> tuple[float, ...] | None:
    if not isinstance(outcome, RecognitionResult):
        return None
    return (outcome.is_there, outcome.probability >= outcome.threshold)


def _probability(outcome: Outcome) -> tuple[float, ...] | None:
    return (outcome.is_there, outcome.probability) if isinstance(outcome, RecognitionResult) else None


def _balanced(outcome: Outcome) -> tuple[float, ...] | None:
    is_taken = isinstance(outcome, RecognitionResult) and outcome.is_balanced
    return _probability(outcome) if is_taken else None


def _single(negative: Negative, by: Literal["probability", "sureness"]) -> Facts:
    def facts(outcome: Outcome) -> tuple[float, ...] | None:
        if not isinstance(outcome, RecognitionResult) or outcome.kind == "mi_mq":
            return None
        value = outcome.probability if by == "probability" else outcome.sureness
        is_taken = outcome.is_there or outcome.negative == negative
        return (outcome.is_there, value) if is_taken and value is not None else None

    return facts


def _seen(outcome: Outcome) -> tuple[float, ...] | None:
    if not isinstance(outcome, RecognitionResult) or outcome.is_seen is None:
        return None
    return (outcome.is_there, outcome.is_seen)


def _map_score(outcome: Outcome) -> tuple[float, ...] | None:
    if not isinstance(outcome, RecognitionResult) or outcome.score is None:
        return None
    return (outcome.is_there, outcome.score)


def _right(*kinds: Kind) -> Facts:
    def facts(outcome: Outcome) -> tuple[float, ...] | None:
        return (outcome.is_right,) if isinstance(outcome, ChoiceResult) and outcome.kind in kinds else None

    return facts


def _told(outcome: Outcome) -> tuple[float, ...] | None:
    return (outcome.is_right,) if isinstance(outcome, ToldResult) else None


def _always_right(outcome: Outcome) -> tuple[float, ...] | None:
    if not isinstance(outcome, ChoiceResult) or outcome.is_always_right is None or outcome.kind == "text":
        return None
    return (outcome.is_always_right,)


def _located(attribute: str) -> Facts:
    return lambda o: (float(getattr(o, attribute)),) if isinstance(o, LocationResult) else None


def _marked(outcome: Outcome) -> tuple[float, ...] | None:
    if not isinstance(outcome, LocationResult) or outcome.is_marked is None:
        return None
    return (float(outcome.is_marked),)


def _answered(attribute: str) -> Facts:
    return lambda o: (float(getattr(o, attribute)),) if isinstance(o, AnswerResult) else None


def _captioned(has_offer: bool, take: Callable[[CaptionResult], tuple[float, ...]]) -> Facts:
    def facts(outcome: Outcome) -> tuple[float, ...] | None:
        if not isinstance(outcome, CaptionResult) or outcome.has_offer != has_offer:
            return None
        return take(outcome)

    return facts


def _names(caption: CaptionResult) -> tuple[float, ...]:
    return (caption.names.hits, caption.names.wrong, caption.names.missing)


def _wrong(caption: CaptionResult) -> tuple[float, ...]:
    return (caption.names.wrong,)


def _authors(task: str, name: str, facts: Facts, figure: Figure = mean) -> Measure:
    return Measure(task=task, name=name, definition="authors", facts=facts, figure=figure, has_controls=True)


def _ours(
    task: str, name: str, facts: Facts, figure: Figure = mean, *, has_controls: bool = False
) -> Measure:
    return Measure(
        task=task, name=name, definition="ours", facts=facts, figure=figure, has_controls=has_controls
    )


def _false_positive_measures(negative: Negative) -> tuple[Measure, Measure]:
    """By the model's p(Yes), and by what the product decides by: the location map and p(Yes)."""
    name = f"FPR at recall 0.9, {negative}"
    return (
        _ours("recognition", name, _single(negative, "probability"), _false_positives),
        _ours("recognition", f"{name}, whole decision", _single(negative, "sureness"), _false_positives),
    )


_ALL: tuple[Kind, ...] = ("si_sq", "mi_sq", "mi_mq")
_OFFERED_WORDS = _captioned(True, lambda caption: (caption.words,))
_SUBSTRINGS = _captioned(True, lambda caption: (caption.substrings,))

MEASURES: tuple[Measure, ...] = (
    _ours("recognition", "weighted", _true_yes_no, _weighted, has_controls=True),
    _ours("recognition", "recall of Yes", _recall(True), has_controls=True),
    _ours("recognition", "recall of No", _recall(False), has_controls=True),
    _authors("recognition", "weighted, authors' labels", _authors_yes_no, _weighted),
    _ours(
        "recognition", "weighted, more negatives, own threshold", _ours_yes_no, _weighted, has_controls=True
    ),
    _ours("recognition", "AUROC of p(yes)", _probability, _area, has_controls=True),
    _ours("recognition", "AUROC of p(yes), balanced", _balanced, _area, has_controls=True),
    _ours("recognition", "ECE of p(yes)", _probability, _error),
    *_false_positive_measures("random"),
    *_false_positive_measures("other kind"),
    *_false_positive_measures("same kind"),
    *_false_positive_measures("sibling"),
    *_false_positive_measures("near-duplicate"),
    _ours("recognition", "presence by maps and model, weighted", _seen, _weighted),
    _ours("recognition", "AUROC of the maps", _map_score, _area),
    _authors("grounding", "accuracy", _right(*_ALL)),
    _ours("grounding", "right in all rotations", _always_right),
    _ours("grounding", "accuracy without letters", _told),
    _ours("places", "peak within the mask", _located("is_inside")),
    _ours("places", "box IoU", _located("overlap")),
    _ours("places", "a random point within the mask", _located("chance")),
    _ours("places", "mark at its concept", _marked),
    _authors("choice", "accuracy", _right(*_ALL)),
    _authors("choice", "accuracy, si_sq", _right("si_sq")),
    _authors("choice", "accuracy, mi_sq", _right("mi_sq")),
    _authors("choice", "accuracy, mi_mq", _right("mi_mq")),
    _ours("choice", "right in all rotations", _always_right),
    _authors("choice", "accuracy without photos", _right("text")),
    _authors("vqa", "score on characters", _answered("characters")),
    _ours("vqa", "exact match", _answered("is_exact"), has_controls=True),
    _ours("vqa", "F1 of words", _answered("f1"), has_controls=True),
    _authors("caption", "names as substrings, all offered", _SUBSTRINGS),
    _ours("caption", "F1 of names, all offered", _captioned(True, _names), _f1, has_controls=True),
    _ours("caption", "wrong names per photo, all offered", _captioned(True, _wrong), has_controls=True),
    _ours("caption", "F1 of names, none offered", _captioned(False, _names), _f1),
    _ours("caption", "wrong names per photo, none offered", _captioned(False, _wrong)),
    _ours("caption", "F1 of words with given captions", _OFFERED_WORDS),
)
