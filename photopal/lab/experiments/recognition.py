"""The recognition task: who is asked for on which photo, and what model and maps say; makes no figures.

Positive and negative questions follow from the photos, as the authors make them (MC-LLaVA, section 4), with
further negatives of four kinds. Where they count a concept as present although `position.json` says that it
is not, the truth is No, and what they count is kept beside it.

In their questions the photo alone tells something: whoever sees many subjects, or the right kind of one, may
well say Yes. So some are marked as balanced: about photos of one concept, each asked for that one and for
another of its kind, so that neither photo nor name nor kind is worth anything without knowing who it is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from photopal.lab.datasets.scenario import Dataset, DatasetConcept, DatasetPhoto, Kind, Negative, Scenario
from photopal.lab.experiments.evaluator import Control, Evaluator, yes_shares
from photopal.lab.experiments.measures import RecognitionResult
from photopal.lab.metrics.yes_no import choose_threshold
from photopal.prompts import MOST_CONCEPTS

RANDOM_NEGATIVES = 8
OTHER_NEGATIVES = 4
"""Photos without any of a scenario's concepts: of nobody of the dataset, and of other scenarios' concepts."""

LONE_NEGATIVES = 100
"""The latter for a concept that is alone, as in Yo'LLaVA, whose authors have no other negatives."""

VALIDATION_NEGATIVES = 8

T = TypeVar("T")


@dataclass(frozen=True)
class RecognitionQuestion:
    """One recognition question before it is answered; see `RecognitionResult`."""

    photo: Path
    names: tuple[str, ...]
    kind: Kind
    is_there: bool
    authors_say: bool | None
    negative: Negative | None = None
    is_balanced: bool = False


def list_questions(dataset: Dataset, scenario: Scenario, *, seed: int) -> list[RecognitionQuestion]:
    """All recognition questions of a scenario."""
    rng = random.Random(f"negatives {scenario.name} {seed}")
    random_photos = _sample(dataset.negatives.test, RANDOM_NEGATIVES, rng)
    elsewhere = [c for one in dataset.scenarios if one.name != scenario.name for c in one.concepts]
    others = [(other, photo) for other in elsewhere for photo in other.test]
    is_alone = len(scenario.concepts) == 1
    others = _sample(others, LONE_NEGATIVES if is_alone else OTHER_NEGATIVES, rng)
    partners = balanced_partners(scenario.concepts)
    asked: list[RecognitionQuestion] = []
    for concept in scenario.concepts:
        name = (concept.name,)
        partner = partners.get(concept.name)
        is_paired = partner is not None
        asked += [
            RecognitionQuestion(
                photo=p.path, names=name, kind="si_sq", is_there=True, authors_say=True, is_balanced=is_paired
            )
            for p in concept.test
        ]
        asked += [_about_multi(photo, concept, scenario) for photo in scenario.multi]
        for other in scenario.concepts:
            if other is not concept:
                negative = _likeness(concept, other)
                is_paired = other.name == partner
                asked += [
                    RecognitionQuestion(
                        photo=p.path,
                        names=name,
                        kind="si_sq",
                        is_there=False,
                        authors_say=False,
                        negative=negative,
                        is_balanced=is_paired,
                    )
                    for p in other.test
                ]
        alike = [photo for photo in scenario.lookalikes if photo.resembles == concept.name]
        asked += [
            RecognitionQuestion(
                photo=p.path, names=name, kind="si_sq", is_there=False, authors_say=None, negative=p.negative
            )
            for p in (*random_photos, *alike)
        ]
        authors_say = False if is_alone else None
        asked += [
            RecognitionQuestion(
                photo=photo.path,
                names=name,
                kind="si_sq",
                is_there=False,
                authors_say=authors_say,
                negative=_likeness(concept, other),
            )
            for other, photo in others
        ]
    names = tuple(scenario.names)
    if len(names) > 1:
        for photo in scenario.multi:
            asked.append(
                RecognitionQuestion(
                    photo=photo.path,
                    names=names,
                    kind="mi_mq",
                    is_there=set(names) <= set(photo.regions),
                    authors_say=True,
                )
            )
    return asked


def balanced_partners(concepts: Sequence[DatasetConcept]) -> dict[str, str]:
    """For each concept the next one of its kind, round and round; those alone of their kind have none."""
    kinds = dict.fromkeys(concept.kind for concept in concepts)
    rings = [[concept.name for concept in concepts if concept.kind == kind] for kind in kinds]
    return {
        name: after
        for ring in rings
        if len(ring) > 1
        for name, after in zip(ring, [*ring[1:], ring[0]], strict=True)
    }


def _sample(all_: Sequence[T], most: int, rng: random.Random) -> list[T]:
    return rng.sample(list(all_), min(len(all_), most))


def _about_multi(photo: DatasetPhoto, concept: DatasetConcept, scenario: Scenario) -> RecognitionQuestion:
    if concept.name in photo.regions:
        return RecognitionQuestion(
            photo=photo.path, names=(concept.name,), kind="mi_sq", is_there=True, authors_say=True
        )
    shown = [other for other in scenario.concepts if other.name in photo.regions]
    kinds = [_likeness(concept, other) for other in shown]
    order: tuple[Negative, ...] = ("sibling", "same kind", "other kind")
    negative: Negative = "random"
    for kind in reversed(order):
        negative = kind if kind in kinds else negative
    return RecognitionQuestion(
        photo=photo.path,
        names=(concept.name,),
        kind="mi_sq",
        is_there=False,
        authors_say=True,
        negative=negative,
    )


def _likeness(concept: DatasetConcept, other: DatasetConcept) -> Negative:
    if other.name == concept.sibling:
        return "sibling"
    return "same kind" if other.kind == concept.kind else "other kind"


def list_validation(dataset: Dataset, scenario: Scenario) -> list[RecognitionQuestion]:
    """Everyone of a scenario asked for on the validation photos of all its concepts and of nobody."""
    shown = {photo.path: concept.name for concept in scenario.concepts for photo in concept.validation}
    negatives = list(dataset.negatives.validation) or [
        photo
        for one in dataset.scenarios
        if one.name != scenario.name
        for concept in one.concepts
        for photo in concept.validation
    ]
    rng = random.Random(f"validation {scenario.name}")
    shown |= {photo.path: "" for photo in _sample(negatives, VALIDATION_NEGATIVES, rng)}
    return [
        RecognitionQuestion(
            photo=path, names=(name,), kind="si_sq", is_there=name == present, authors_say=None
        )
        for path, present in shown.items()
        for name in scenario.names
    ]


def find_threshold(
    evaluator: Evaluator, dataset: Dataset, scenario: Scenario, control: Control = "asked"
) -> float:
    """At which p(Yes) a name counts as there, asked so: the best on validation photos of all concepts."""
    shares = shares_of_yes(evaluator, list_validation(dataset, scenario), control)
    positives = [share for one, share in shares if one.is_there]
    return choose_threshold(positives, [share for one, share in shares if not one.is_there])


def recognize(
    evaluator: Evaluator, asked: Sequence[RecognitionQuestion], control: Control, *, threshold: float
) -> list[RecognitionResult]:
    """Answer recognition questions: by the model's p(Yes), and without a control by the maps as well."""
    answered: list[RecognitionResult] = []
    for one, share in shares_of_yes(evaluator, asked, control):
        score, is_seen, sureness = None, None, None
        if control == "asked" and len(one.names) == 1:
            score, is_seen, sureness = _seen(evaluator, one, share)
        answered.append(
            RecognitionResult(
                kind=one.kind,
                is_there=one.is_there,
                authors_say=one.authors_say,
                probability=share,
                threshold=threshold,
                negative=one.negative,
                score=score,
                is_seen=is_seen,
                sureness=sureness,
                is_balanced=one.is_balanced,
            )
        )
    return answered


def shares_of_yes(
    evaluator: Evaluator, asked: Sequence[RecognitionQuestion], control: Control
) -> list[tuple[RecognitionQuestion, float]]:
    """p(Yes) of each question, in any order; one prompt a photo where it holds everyone."""
    is_together = len(evaluator.learned.concepts) <= MOST_CONCEPTS
    groups: dict[tuple[Path, tuple[str, ...]], list[RecognitionQuestion]] = {}
    for one in asked:
        groups.setdefault((one.photo, () if is_together else one.names), []).append(one)
    shares: list[tuple[RecognitionQuestion, float]] = []
    for (path, names), several in groups.items():
        setup = evaluator.set_up(path, names, control, has_marks=False)
        shares += zip(several, yes_shares(evaluator, setup, [one.names for one in several]), strict=True)
    return shares


def _seen(
    evaluator: Evaluator, asked: RecognitionQuestion, yes: float
) -> tuple[float | None, bool | None, float | None]:
    """Height of the map above its threshold, what the product decides, and the sum that this rests on."""
    wanted = next(concept.id for concept in evaluator.learned.concepts if concept.name == asked.names[0])
    sighting = evaluator.analysis(asked.photo).of(wanted)
    if sighting is None:
        return None, None, None
    band = evaluator.bank.concepts[wanted].calibration
    # As `Calibration.share`, but beyond the ends of the band too: a threshold for any recall is then found.
    place = 0.5 + sighting.score / max(band.high - band.low, 1e-6)
    return sighting.score, sighting.is_present, place + yes
