"""Registers and tunes the concepts of a scenario as the product does, or wrongly on purpose; asks nothing.

A fault is a deliberate mistake. An evaluation that gives the same figures with and without it measures
nothing; `photopal.lab.experiments.planted_errors` shows that each is detected.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from photopal.box import WHOLE_PHOTO, Box
from photopal.concepts import Bank, Reference, RegisterOptions
from photopal.concepts.initialize import (
    background_direction,
    calibrate_concepts,
    find_subjects,
    register_concept,
)
from photopal.concepts.registration import likely_concepts
from photopal.concepts.wording import (
    MOST_ASKED,
    MOST_DESCRIPTIONS,
    Examples,
    begin_in_words,
    say_looks,
    sort_descriptions,
)
from photopal.lab.datasets.drawn_scenarios import Family
from photopal.lab.datasets.scenario import Dataset, DatasetConcept, DatasetPhoto, Scenario
from photopal.lab.experiments.photo_store import PhotoStore, read_mask
from photopal.library import ConceptRecord
from photopal.tuning import TuneOptions, TuningConcept, TuningPhoto, TuningReport, tune_from_best_start
from photopal.vlm.protocol import PhotoFeatures

Fault = Literal["masks ignored", "labels shifted", "marks at random", "wrong rows"]
Region = Literal["mask", "box", "none"]
"""What is known of where a concept is on its training photos: its mask, a box around it, or nothing."""

FAULTS: tuple[Fault, ...] = ("masks ignored", "labels shifted", "marks at random", "wrong rows")

MOST_NEGATIVES = 24


@dataclass(frozen=True)
class LearningOptions:
    """How a scenario is learned.

    Attributes:
        tune: Settings of tuning; None registers only.
        register: Settings of registration.
        fault: A deliberate mistake, to see that it is caught.
        region: How well the masks are made use of.
    """

    tune: TuneOptions | None
    register: RegisterOptions
    fault: Fault | None = None
    region: Region = "mask"


@dataclass(frozen=True, eq=False)
class LearnedScenario:
    """What was learned of a scenario.

    Attributes:
        scenario: What it was learned from.
        concepts: Its concepts, as a library would list them.
        registered: The bank after registration.
        tuned: The bank after tuning, if there was any.
        foreign: Rows of concepts of other scenarios under the same ids; None where there are no others.
        report: Of tuning.
        seconds: What registration took.
    """

    scenario: Scenario
    concepts: tuple[ConceptRecord, ...]
    registered: Bank
    tuned: Bank | None
    foreign: Bank | None
    report: TuningReport | None
    seconds: float


def learn(
    store: PhotoStore, dataset: Dataset, scenario: Scenario, options: LearningOptions
) -> LearnedScenario:
    """Register a scenario from its training photos, then tune it.

    Validation photos give tuning its choice among epochs and are in no row. Test photos are not looked at.

    Raises:
        DatasetError: A photo or mask is missing or cannot be read.
    """
    started = time.monotonic()
    negatives = negatives_for(dataset, scenario, options.register.seed)
    others = foreign_concepts(dataset, scenario, options.register.seed)
    concepts = concept_rows(scenario)
    taught = _taught(scenario.concepts, others, options.fault)
    features = store.features([photo.path for photo in negatives[:MOST_NEGATIVES]])
    registered = register(store, concepts, taught, features, options)
    seconds = time.monotonic() - started
    foreign = None
    if others:
        rows = [replace(row, name=other.name) for row, other in zip(concepts, others, strict=False)]
        foreign = register(store, rows, others, features, replace(options, fault=None))
        looks = {row.id: other.about or "" for row, other in zip(concepts, others, strict=False)}
        foreign = foreign.with_concepts([replace(c, words=looks[i]) for i, c in foreign.concepts.items()])
    tuned, report = None, None
    if options.tune is not None:
        photos = tuning_photos(store, registered, taught, negatives)
        tuned, report = tune_from_best_start(
            store.model, registered, tuning_concepts(concepts), photos, options.tune
        )
    if options.fault == "wrong rows":
        registered = _with_wrong_rows(registered, foreign)
        tuned = _with_wrong_rows(tuned, foreign) if tuned is not None else None
    return LearnedScenario(
        scenario=scenario,
        concepts=concepts,
        registered=registered,
        tuned=tuned,
        foreign=foreign,
        report=report,
        seconds=seconds,
    )


def in_own_words(store: PhotoStore, learned: LearnedScenario, negatives: Sequence[PhotoFeatures]) -> Bank:
    """The registered bank with what the model itself says of each concept, chosen as the product does.

    Args:
        store: Opens and encodes photos.
        learned: What was registered.
        negatives: Photos of nobody.

    Raises:
        DatasetError: A photo or mask is missing or cannot be read.
    """
    examples = examples_of_each(store, learned, negatives)
    said = say_of_each(store, learned, examples)
    return begin_in_words(store.model, learned.registered, said, some_of(examples))


def say_of_each(
    store: PhotoStore, learned: LearnedScenario, examples: Mapping[int, Examples]
) -> dict[int, str]:
    """What a model itself says of each registered concept, chosen as the product does; by id.

    Args:
        store: Opens and encodes photos.
        learned: What was registered.
        examples: For each concept, photos that show it and photos that do not.

    Raises:
        DatasetError: A photo or mask is missing or cannot be read.
    """
    best = {}
    for row, concept in zip(learned.concepts, learned.scenario.concepts, strict=True):
        said = []
        for photo in concept.train[:MOST_DESCRIPTIONS]:
            image = store.image(photo.path)
            where = photo.regions.get(concept.name)
            mask = where.mask if where is not None else None
            box = WHOLE_PHOTO if mask is None else _extent(read_mask(mask, image.size))
            said.append(say_looks(store.model, row.kind, image, box))
        told = [words for words in said if words]
        best[row.id] = next(
            iter(sort_descriptions(store.model, learned.registered, row.id, told, examples[row.id])), ""
        )
    return best


def examples_of_each(
    store: PhotoStore, learned: LearnedScenario, negatives: Sequence[PhotoFeatures]
) -> dict[int, Examples]:
    """For each registered concept photos that show it, and photos of others or, without any, of nobody."""
    shown = {
        row.id: store.features([photo.path for photo in concept.train[:MOST_DESCRIPTIONS]])
        for row, concept in zip(learned.concepts, learned.scenario.concepts, strict=True)
    }
    examples: dict[int, Examples] = {}
    for concept_id, mine in shown.items():
        others = [one for i, features in shown.items() if i != concept_id for one in features]
        examples[concept_id] = mine, (others or list(negatives))[:MOST_DESCRIPTIONS]
    return examples


def some_of(examples: Mapping[int, Examples]) -> dict[int, Examples]:
    """The examples of as many concepts as the product asks about."""
    return dict(islice(examples.items(), MOST_ASKED))


def _extent(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around a mask `[height, width]`."""
    rows, columns = np.nonzero(mask)
    x, y = int(columns.min()), int(rows.min())
    pixels = (x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y)
    return Box.from_pixels(pixels, mask.shape[1], mask.shape[0])


def concept_rows(scenario: Scenario) -> tuple[ConceptRecord, ...]:
    """The concepts of a scenario as a library would list them, with ids from 1."""
    return tuple(
        ConceptRecord(id=number, name=concept.name, kind=concept.kind, about=concept.about, created_at="")
        for number, concept in enumerate(scenario.concepts, start=1)
    )


def register_family(store: PhotoStore, family: Family, options: RegisterOptions) -> LearnedScenario:
    """Register a family drawn in memory; its photos for thresholds are not those for tuning."""
    started = time.monotonic()
    concepts = concept_rows(family.scenario)
    negatives = store.features([photo.path for photo in family.calibration])
    how = LearningOptions(None, options)
    bank = register(store, concepts, family.scenario.concepts, negatives, how)
    return LearnedScenario(
        scenario=family.scenario,
        concepts=concepts,
        registered=bank,
        tuned=None,
        foreign=None,
        report=None,
        seconds=time.monotonic() - started,
    )


def tune_family(
    store: PhotoStore, family: Family, learned: LearnedScenario, options: TuneOptions
) -> tuple[Bank, TuningReport]:
    """Tune a registered family jointly; of its negatives those are left out that the maps take for it."""
    photos = tuning_photos(
        store, learned.registered, family.scenario.concepts, family.negatives, is_screened=True
    )
    concepts = tuning_concepts(learned.concepts)
    return tune_from_best_start(store.model, learned.registered, concepts, photos, options)


def register(
    store: PhotoStore,
    rows: Sequence[ConceptRecord],
    concepts: Sequence[DatasetConcept],
    negatives: Sequence[PhotoFeatures],
    options: LearningOptions,
) -> Bank:
    """Register concepts from their training photos with masks, and calibrate their presence."""
    found = {}
    for row, concept in zip(rows, concepts, strict=False):
        features = store.features([photo.path for photo in concept.train])
        references = [
            Reference(str(photo.path), feature, _mask(store, photo, concept.name, options))
            for photo, feature in zip(concept.train, features, strict=True)
        ]
        found[row.id] = find_subjects(references, list(negatives))
    bank = Bank(store.model.fingerprint, "")
    bank = bank.with_concepts(
        [
            register_concept(
                store.model, row.id, found[row.id], name=row.name, references_key="", options=options.register
            )
            for row in rows
            if row.id in found
        ]
    )
    subjects = [subject for several in found.values() for subject in several]
    bank = replace(bank, background=background_direction(subjects))
    return calibrate_concepts(bank, found, negatives)


def negatives_for(dataset: Dataset, scenario: Scenario, seed: int) -> list[DatasetPhoto]:
    """Training photos that show none of a scenario's concepts: random ones, else those of other scenarios."""
    hard = [photo for concept in scenario.concepts for photo in concept.hard_negatives]
    known = list(dataset.negatives.train)
    if hard or known:
        return [*hard[: MOST_NEGATIVES // 2 if known else None], *known]
    rest = [
        photo
        for other in dataset.scenarios
        if other.name != scenario.name
        for concept in other.concepts
        for photo in concept.train
    ]
    return random.Random(f"strangers {scenario.name} {seed}").sample(rest, min(len(rest), MOST_NEGATIVES))


def foreign_concepts(dataset: Dataset, scenario: Scenario, seed: int) -> list[DatasetConcept]:
    """For each concept one of another scenario, of the same kind where there is one; empty without others.

    Where the other scenarios have too few, one serves several times.
    """
    rng = random.Random(f"foreign {scenario.name} {seed}")
    known = [c for other in dataset.scenarios if other.name != scenario.name for c in other.concepts]
    if not known:
        return []
    rng.shuffle(known)
    chosen: list[DatasetConcept] = []
    pool: list[DatasetConcept] = []
    for concept in scenario.concepts:
        pool = pool or list(known)
        match = next((other for other in pool if other.kind == concept.kind), pool[0])
        pool.remove(match)
        chosen.append(match)
    return chosen


def _taught(
    concepts: Sequence[DatasetConcept], others: Sequence[DatasetConcept], fault: Fault | None
) -> list[DatasetConcept]:
    """Whose photos each concept is learned from: its own, or with shifted labels the next one's."""
    if fault != "labels shifted":
        return list(concepts)
    return [*concepts[1:], concepts[0]] if len(concepts) > 1 else list(others[:1]) or list(concepts)


def _mask(
    store: PhotoStore, photo: DatasetPhoto, name: str, options: LearningOptions
) -> NDArray[np.bool_] | None:
    size = store.image(photo.path).size
    if options.fault == "masks ignored":
        return np.ones((size[1], size[0]), dtype=bool)
    where = photo.regions.get(name)
    if where is None or where.mask is None or options.region == "none":
        return None
    mask = read_mask(where.mask, size)
    return filled_box(mask) if options.region == "box" else mask


def filled_box(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The smallest box around a mask `[height, width]`, as a mask."""
    rows, columns = np.nonzero(mask)
    box = np.zeros_like(mask)
    box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    return box


def tuning_concepts(concepts: Sequence[ConceptRecord]) -> dict[int, TuningConcept]:
    """What tuning is told of concepts, by id: kind, and looks where the dataset has them in words."""
    return {row.id: TuningConcept(row.id, row.kind, (row.about,) if row.about else ()) for row in concepts}


def tuning_photos(
    store: PhotoStore,
    bank: Bank,
    concepts: Sequence[DatasetConcept],
    negatives: Sequence[DatasetPhoto],
    *,
    is_screened: bool = False,
) -> list[TuningPhoto]:
    """Training and validation photos of concepts and training photos of nobody, as tuning takes them.

    From a training photo the maps leave out whom they cannot exclude, as in the product. A validation photo
    is asked about everyone: the dataset knows who is there, and lookalikes are what the choice is about.

    Args:
        store: Opens and encodes photos.
        bank: Registered concepts with thresholds.
        concepts: Whose photos to take.
        negatives: Photos that show none of them.
        is_screened: Whether negatives are left out on which the maps see a concept, as the product does,
            which does not know who is on a photo.
    """
    photos = []
    for concept_id, concept in enumerate(concepts, start=1):
        for photo in (*concept.train, *concept.validation):
            image = store.image(photo.path)
            plain, mirrored = store.model.encode_photos([image, ImageOps.mirror(image)])
            is_held_out = photo in concept.validation
            likely = frozenset() if is_held_out else frozenset(likely_concepts(bank, plain) - {concept_id})
            present = frozenset({concept_id})
            photos.append(
                TuningPhoto(
                    key=str(photo.path),
                    features=plain,
                    mirrored=mirrored,
                    present=present,
                    likely=likely,
                    is_held_out=is_held_out,
                )
            )
    chosen = [photo.path for photo in negatives[:MOST_NEGATIVES]]
    for path, features in zip(chosen, store.features(chosen), strict=True):
        if not is_screened or not likely_concepts(bank, features):
            photos.append(TuningPhoto(str(path), features, None, frozenset()))
    return photos


def _with_wrong_rows(bank: Bank, foreign: Bank | None) -> Bank:
    """Every concept with the rows of the next one, a single one with those of another scenario."""
    ids = list(bank.concepts)
    source = [bank.concepts[i] for i in (*ids[1:], *ids[:1])]
    if len(ids) == 1 and foreign is not None:
        source = [foreign.concepts[ids[0]]]
    wrong = [
        replace(bank.concepts[i], inputs=other.inputs, outputs=other.outputs)
        for i, other in zip(ids, source, strict=True)
    ]
    return bank.with_concepts(wrong)
