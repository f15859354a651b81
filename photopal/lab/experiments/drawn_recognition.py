"""Measures registration and tuning on drawn scenarios: recognition, locations, names in captions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

import torch
from PIL import ImageOps

from photopal.assistant.assistant import Assistant
from photopal.assistant.caption import caption_view
from photopal.concepts import Bank, Reference, RegisterOptions
from photopal.concepts.initialize import (
    background_direction,
    calibrate_concepts,
    find_subjects,
    register_concept,
)
from photopal.lab.datasets.drawn_scenarios import Scenario, ScenarioOptions, make_scenario
from photopal.lab.experiments.album_captions import names_in
from photopal.lab.metrics.intervals import Interval, bootstrap
from photopal.lab.synthetic.wording import describe_fully
from photopal.tuning import TuneOptions, TuningConcept, TuningPhoto, TuningReport, tune_bank
from photopal.tuning.dataset import likely_concepts
from photopal.vlm.protocol import VisionModel


@dataclass(frozen=True)
class Tally:
    """Counts of right answers.

    Attributes:
        yes_hits: Concepts present that were recognised.
        yes: Concepts present.
        no_hits: Concepts absent that were not claimed.
        no: Concepts absent.
        seen_hits: The same as yes_hits by the whole assistant: maps first, the model where they are unsure.
        unseen_hits: The same as no_hits by the whole assistant.
        place_hits: Location maps whose peak is within the box of the concept.
        captions: Photos captioned.
        exact_captions: Captions that name exactly those present.
        false_captions: Captions that name somebody absent.
    """

    yes_hits: int = 0
    yes: int = 0
    no_hits: int = 0
    no: int = 0
    seen_hits: int = 0
    unseen_hits: int = 0
    place_hits: int = 0
    captions: int = 0
    exact_captions: int = 0
    false_captions: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Add up counts."""
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        )

    @property
    def recognition(self) -> float:
        """The paper's weighted recognition: the mean of the recall of Yes and of No, by the model alone."""
        return (self.yes_hits / max(1, self.yes) + self.no_hits / max(1, self.no)) / 2

    @property
    def presence(self) -> float:
        """The same for the whole assistant."""
        return (self.seen_hits / max(1, self.yes) + self.unseen_hits / max(1, self.no)) / 2


@dataclass(frozen=True)
class ScenarioResult:
    """What was measured on one scenario, before and after tuning."""

    registered: Tally
    tuned: Tally
    report: TuningReport
    tuning_seconds: float


def register_scenario(model: VisionModel, scenario: Scenario, options: RegisterOptions) -> Bank:
    """Register the cast from its reference photos with masks, and calibrate."""
    features = [model.encode_photos([r.image for r in references]) for references in scenario.references]
    found = {}
    for place, concept in enumerate(scenario.concepts):
        references = [
            Reference(f"{place}-{number}", feature, reference.mask)
            for number, (feature, reference) in enumerate(
                zip(features[place], scenario.references[place], strict=True)
            )
        ]
        found[concept.id] = find_subjects(references, [])
    bank = Bank(model.fingerprint, "")
    bank = bank.with_concepts(
        [
            register_concept(model, c.id, found[c.id], name=c.name, references_key="", options=options)
            for c in scenario.concepts
        ]
    )
    bank = replace(
        bank, background=background_direction([s for subjects in found.values() for s in subjects])
    )
    return calibrate_concepts(bank, found, model.encode_photos(scenario.strangers[:8]))


def tune_scenario(
    model: VisionModel, scenario: Scenario, bank: Bank, options: TuneOptions
) -> tuple[Bank, TuningReport]:
    """Tune the cast jointly on its reference photos and on strangers."""
    photos = []
    for place, concept in enumerate(scenario.concepts):
        for number, reference in enumerate(scenario.references[place]):
            plain, mirrored = model.encode_photos([reference.image, ImageOps.mirror(reference.image)])
            likely = likely_concepts(bank, plain) - {concept.id}
            photos.append(
                TuningPhoto(f"{place}-{number}", plain, mirrored, frozenset({concept.id}), frozenset(likely))
            )
    for number, features in enumerate(model.encode_photos(scenario.strangers[8:])):
        if not likely_concepts(bank, features):
            photos.append(TuningPhoto(f"s-{number}", features, None, frozenset()))
    concepts = {
        c.id: TuningConcept(c.id, c.kind, (describe_fully(identity),))
        for c, identity in zip(scenario.concepts, scenario.cast, strict=True)
    }
    return tune_bank(model, bank, concepts, photos, options)


def measure_bank(model: VisionModel, scenario: Scenario, bank: Bank, *, has_captions: bool = True) -> Tally:
    """Ask about every concept on every test photo, and caption it."""
    assistant = Assistant(model, bank, scenario.concepts)
    tally = Tally()
    for test in scenario.tests:
        view = assistant.look(test.photo.image)
        probabilities = assistant.recognize(view.features, scenario.concepts[:4])
        for place, probability in enumerate(probabilities):
            concept = scenario.concepts[place]
            sighting = view.of(concept.id)
            is_seen = sighting is not None and sighting.is_present
            if place in test.present:
                box = test.boxes.get(place)
                hit = (
                    sighting is not None
                    and box is not None
                    and _is_inside(sighting.point, box, test.photo.image.size)
                )
                tally += Tally(
                    yes=1, yes_hits=int(probability >= 0.5), seen_hits=int(is_seen), place_hits=int(hit)
                )
            else:
                tally += Tally(no=1, no_hits=int(probability < 0.5), unseen_hits=int(not is_seen))
        if has_captions:
            told = names_in(caption_view(assistant, view).text, [c.name for c in scenario.concepts])
            truth = {scenario.concepts[place].name for place in test.present}
            tally += Tally(
                captions=1, exact_captions=int(told == truth), false_captions=int(bool(told - truth))
            )
    return tally


def _is_inside(point: tuple[float, float], box: tuple[int, int, int, int], size: tuple[int, int]) -> bool:
    x, y = point[0] * size[0], point[1] * size[1]
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


def measure_scenario(
    model: VisionModel, scenario: Scenario, options: TuneOptions, *, tokens: int = 16
) -> ScenarioResult:
    """Measure a scenario registered only, then tuned."""
    bank = register_scenario(model, scenario, RegisterOptions(tokens=tokens, seed=options.seed))
    registered = measure_bank(model, scenario, bank)
    started = time.perf_counter()
    tuned, report = tune_scenario(model, scenario, bank, options)
    seconds = time.perf_counter() - started
    return ScenarioResult(registered, measure_bank(model, scenario, tuned), report, seconds)


ROUNDS = 2000
MEASURES: dict[str, Callable[[Tally], float]] = {
    "recognition by the model, weighted": lambda t: t.recognition,
    "recall of Yes": lambda t: t.yes_hits / max(1, t.yes),
    "recall of No": lambda t: t.no_hits / max(1, t.no),
    "presence by maps and model, weighted": lambda t: t.presence,
    "place: peak within the box": lambda t: t.place_hits / max(1, t.yes),
    "captions with exactly the right names": lambda t: t.exact_captions / max(1, t.captions),
    "captions with a wrong name": lambda t: t.false_captions / max(1, t.captions),
}


@dataclass(frozen=True)
class Row:
    """One measure over all scenarios.

    Attributes:
        measure: What is measured.
        registered: With rows from registration alone.
        tuned: With tuned rows.
        interval: Bootstrap 95 % interval of the tuned figure's mean over scenarios; None for a single one.
        counts: What it rests on.
    """

    measure: str
    registered: float
    tuned: float
    interval: Interval | None
    counts: str


@dataclass(frozen=True)
class Table:
    """All measures, and what tuning cost."""

    rows: tuple[Row, ...]
    tuning_seconds: float
    threads: int
    results: tuple[ScenarioResult, ...]

    def facts(self) -> dict[str, object]:
        """As JSON: the rows, and the counts of every scenario."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "tuning_seconds": self.tuning_seconds,
            "threads": self.threads,
            "scenarios": [asdict(result) for result in self.results],
        }


def measure_all(
    model: VisionModel,
    options: ScenarioOptions,
    *,
    seeds: Sequence[int],
    on_progress: Callable[[int, int | None, object], None] | None = None,
) -> Table:
    """Measure the scenarios of some seeds, each registered and then tuned."""
    results = []
    for number, seed in enumerate(seeds, start=1):
        scenario = make_scenario(seed, options)
        results.append(measure_scenario(model, scenario, TuneOptions(seed=seed)))
        if on_progress:
            on_progress(number, len(seeds), seed)
    seconds = sum(result.tuning_seconds for result in results) / len(results)
    return Table(tabulate(results), seconds, torch.get_num_threads(), tuple(results))


def tabulate(results: Sequence[ScenarioResult]) -> tuple[Row, ...]:
    """Add up the counts of scenarios and take intervals over them."""
    registered = sum((result.registered for result in results), Tally())
    tuned = sum((result.tuned for result in results), Tally())
    rows = []
    for measure, figure in MEASURES.items():
        is_caption = measure.startswith("captions")
        counts = f"{tuned.captions} captions" if is_caption else f"{tuned.yes} there, {tuned.no} not there"
        values = [figure(result.tuned) for result in results]
        around = bootstrap(fmean, values, rounds=ROUNDS) if len(values) > 1 else None
        rows.append(Row(measure, figure(registered), figure(tuned), around, counts))
    return tuple(rows)
