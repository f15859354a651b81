"""The one form of a dataset that all evaluations read; knows no layout on disk and no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Task = Literal["recognition", "grounding", "choice", "vqa", "caption"]
TASKS: tuple[Task, ...] = ("recognition", "grounding", "choice", "vqa", "caption")

Kind = Literal["si_sq", "mi_sq", "mi_mq", "text"]
"""Photo of one or of several concepts × question about one or about several; or no photo at all."""

Negative = Literal["random", "other kind", "same kind", "sibling", "near-duplicate"]
"""Whom a photo shows instead of the one asked for: nobody of the dataset, another concept, a lookalike.

A near-duplicate is a photo of the concept in which a lookalike stands in its place, all else being the same.
"""


@dataclass(frozen=True)
class ConceptRegion:
    """Where a concept is on a photo, as far as the dataset says.

    Attributes:
        mask: Bool `[height, width]`, or a picture, white where the concept is seen; as large as the photo.
        words: What the dataset says of the position, such as "left".
    """

    mask: Path | NDArray[np.bool_] | None = None
    words: str | None = None


@dataclass(frozen=True)
class DatasetPhoto:
    """A photo and who is on it.

    Attributes:
        path: The file.
        regions: Every concept of the dataset that the photo shows, by name, with where it is.
        absent: Concepts that the dataset says are not there though the photo belongs to their scenario.
        captions: What a caption of it may say; names are in it as they are.
        negative: How a photo without concepts resembles one; "random" where it does not.
        resembles: The concept it resembles, for lookalikes.
    """

    path: Path
    regions: Mapping[str, ConceptRegion] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    negative: Negative = "random"
    resembles: str | None = None


@dataclass(frozen=True)
class DatasetConcept:
    """A concept with its photos.

    Attributes:
        name: As the questions call it.
        kind: person, pet or thing.
        about: Its looks in words, if the dataset has them.
        train: Reference photos to register and tune on.
        validation: Reference photos held out for thresholds and for the choice among tuned rows.
        test: Photos for questions only.
        hard_negatives: Training photos of what merely resembles it.
        sibling: The concept of the same scenario that it resembles by construction.
    """

    name: str
    kind: Literal["person", "pet", "thing"]
    about: str | None = None
    train: tuple[DatasetPhoto, ...] = ()
    validation: tuple[DatasetPhoto, ...] = ()
    test: tuple[DatasetPhoto, ...] = ()
    hard_negatives: tuple[DatasetPhoto, ...] = ()
    sibling: str | None = None


@dataclass(frozen=True)
class Question:
    """A question with its true answer.

    Attributes:
        task: grounding, choice or vqa.
        kind: Of photo and question.
        text: The question; a name of a concept stands in it as it is, without angle brackets.
        answer: The true answer; the letter of an option where there are options.
        photo: What is asked about; None for a question about looks that needs no photo.
        options: The words of the lettered options, which are not in `text`; empty for free answers.
    """

    task: Task
    kind: Kind
    text: str
    answer: str
    photo: Path | None
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Concepts that are learned together, their photos and what is asked about them.

    Attributes:
        name: Unique in the dataset.
        concepts: Those learned together.
        multi: Test photos of several of them.
        lookalikes: Test photos of strangers that resemble one of them.
        questions: All but those of recognition and captions, which follow from the photos.
        group: What kind of scenario it is: plain, or lookalike.
    """

    name: str
    concepts: tuple[DatasetConcept, ...]
    multi: tuple[DatasetPhoto, ...] = ()
    lookalikes: tuple[DatasetPhoto, ...] = ()
    questions: tuple[Question, ...] = ()
    group: str = "plain"

    @property
    def names(self) -> list[str]:
        """Names of the concepts."""
        return [concept.name for concept in self.concepts]

    @property
    def test_photos(self) -> list[DatasetPhoto]:
        """All photos for questions, those of one concept first."""
        return [photo for concept in self.concepts for photo in concept.test] + list(self.multi)


@dataclass(frozen=True)
class Negatives:
    """Photos without any concept of the dataset, each used for one purpose only."""

    train: tuple[DatasetPhoto, ...] = ()
    validation: tuple[DatasetPhoto, ...] = ()
    test: tuple[DatasetPhoto, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Scenarios, and photos without any of their concepts.

    Attributes:
        root: The folder.
        layout: mc-llava, yollava or myvlm.
        scenarios: In the order of the dataset.
        negatives: Photos that show no concept.
    """

    root: Path
    layout: str
    scenarios: tuple[Scenario, ...]
    negatives: Negatives = field(default_factory=Negatives)
