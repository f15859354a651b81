"""What came of each question, before any figure is made of it; knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from photopal.lab.datasets.form import Kind, Negative
from photopal.lab.metrics.names import NamesTold
from photopal.lab.runs.posing import Control


@dataclass(frozen=True)
class Recognised:
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
    is_balanced: bool = False


@dataclass(frozen=True)
class Chosen:
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
class Located:
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
class Answered:
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
class Captioned:
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
    names: NamesTold
    words: float


Outcome = Recognised | Chosen | Located | Answered | Captioned


@dataclass
class Outcomes:
    """The outcomes of one scenario with one bank.

    Attributes:
        name: The scenario.
        group: plain or lookalike.
        under: For each control what came of the questions of each task.
    """

    name: str
    group: str
    under: dict[Control, dict[str, list[Outcome]]] = field(default_factory=dict)

    def add(self, control: Control, task: str, outcomes: Sequence[Outcome]) -> None:
        """Add outcomes of a task."""
        self.under.setdefault(control, {}).setdefault(task, []).extend(outcomes)

    def of(self, control: Control, task: str) -> list[Outcome]:
        """The outcomes of a task."""
        return self.under.get(control, {}).get(task, [])
