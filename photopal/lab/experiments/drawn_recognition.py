"""Measures registration and tuning on drawn families: recognition, locations, names in captions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import fmean

import numpy as np
import torch

from photopal.concepts import RegisterOptions
from photopal.lab.datasets.drawn_scenarios import FamilyOptions, draw_family
from photopal.lab.experiments.assistant_evaluation import AssistantEvaluation
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import register_family, tune_family
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.tallies import Tallies, share, weighted
from photopal.lab.metrics.intervals import Counts, Interval, bootstrap
from photopal.progress import OnProgress
from photopal.tuning import TuneOptions, TuningReport
from photopal.vlm.protocol import VisionModel

ROUNDS = 2000
WAYS = ("registered", "tuned")


def _recall_of_yes(counts: Counts) -> Counts:
    return share(counts[..., :2])


def _recall_of_no(counts: Counts) -> Counts:
    return share(counts[..., 2:])


MEASURES: dict[str, tuple[str, Callable[[Counts], Counts]]] = {
    "recognition by the model, weighted": ("", weighted),
    "recall of Yes": ("", _recall_of_yes),
    "recall of No": ("", _recall_of_no),
    "presence by maps and model, weighted": (" assistant", weighted),
    "place: peak within the box": (" location", share),
    "captions with exactly the right names": (" exact names", share),
    "captions with a wrong name": (" wrong names", share),
}
"""Measure → what follows the way of learning in the key of its counts, and its figure of them."""


@dataclass(frozen=True)
class FamilyResult:
    """What was counted on one family, registered and tuned.

    Attributes:
        tallies: The counts; the family is their only cluster.
        family: Its name.
        report: Of tuning.
        tuning_seconds: What tuning took, encoding photos included.
    """

    tallies: Tallies
    family: str
    report: TuningReport
    tuning_seconds: float

    def counts(self, way: str, measure: str) -> Counts:
        """The counts of a measure."""
        ending = MEASURES[measure][0]
        columns = 4 if ending in ("", " assistant") else 2
        return self.tallies.counts(f"{way}{ending}", self.family, columns=columns)

    def facts(self) -> dict[str, object]:
        """As JSON."""
        counts = {way: self._count_facts(way) for way in WAYS}
        return {**counts, "report": asdict(self.report), "tuning_seconds": self.tuning_seconds}

    def _count_facts(self, way: str) -> dict[str, int]:
        recognized, seen, located, exact, wrong = (
            self.counts(way, measure).astype(int).tolist()
            for measure in MEASURES
            if measure not in ("recall of Yes", "recall of No")
        )
        return {
            "yes_hits": recognized[0],
            "yes": recognized[1],
            "no_hits": recognized[2],
            "no": recognized[3],
            "seen_hits": seen[0],
            "unseen_hits": seen[2],
            "place_hits": located[0],
            "captions": exact[1],
            "exact_captions": exact[0],
            "false_captions": wrong[0],
        }


@dataclass(frozen=True)
class Row:
    """One measure over all families.

    Attributes:
        measure: What is measured.
        registered: With concept embeddings from registration alone.
        tuned: With tuned ones.
        interval: Bootstrap 95 % interval of the tuned figure's mean over families; None for a single one.
        counts: What it rests on.
    """

    measure: str
    registered: float
    tuned: float
    interval: Interval | None
    counts: str


@dataclass(frozen=True)
class RecognitionTable:
    """All measures, and what tuning cost."""

    rows: tuple[Row, ...]
    tuning_seconds: float
    threads: int
    results: tuple[FamilyResult, ...]

    def facts(self) -> dict[str, object]:
        """As JSON: the rows, and the counts of every family."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "tuning_seconds": self.tuning_seconds,
            "threads": self.threads,
            "scenarios": [result.facts() for result in self.results],
        }


def measure_families(
    model: VisionModel,
    options: FamilyOptions,
    *,
    seeds: Sequence[int],
    on_progress: OnProgress | None = None,
) -> RecognitionTable:
    """Measure the families of some seeds, each registered and then tuned."""
    results = []
    for number, seed in enumerate(seeds, start=1):
        results.append(measure_family(model, options, TuneOptions(seed=seed)))
        if on_progress:
            on_progress(number, len(seeds), seed)
    return RecognitionTable(
        rows=tabulate_families(results),
        tuning_seconds=fmean(result.tuning_seconds for result in results),
        threads=torch.get_num_threads(),
        results=tuple(results),
    )


def measure_family(model: VisionModel, options: FamilyOptions, tune: TuneOptions) -> FamilyResult:
    """Measure the family of a seed, registered and then tuned."""
    family = draw_family(tune.seed, options)
    store = PhotoStore(remember(model), images=family.images)
    learned = register_family(store, family, RegisterOptions(tokens=tune.tokens, seed=tune.seed))
    started = time.perf_counter()
    tuned, report = tune_family(store, family, learned, tune)
    seconds = time.perf_counter() - started
    tallies = Tallies()
    for way, bank in zip(WAYS, (learned.registered, tuned), strict=True):
        evaluation = AssistantEvaluation(Evaluator(store, learned, bank, seed=tune.seed), family, tallies)
        evaluation.recognize(way)
        evaluation.locate(way)
        evaluation.caption(way)
        evaluation.finish()
    return FamilyResult(tallies, family.scenario.name, report, seconds)


def tabulate_families(results: Sequence[FamilyResult]) -> tuple[Row, ...]:
    """Add up the counts of families and take intervals over them."""
    rows = []
    for measure, (_, figure) in MEASURES.items():
        take = partial(_figure, measure, figure)
        values = [take([result], "tuned") for result in results]
        rows.append(
            Row(
                measure=measure,
                registered=take(results, "registered"),
                tuned=take(results, "tuned"),
                interval=bootstrap(fmean, values, rounds=ROUNDS) if len(values) > 1 else None,
                counts=_counts_words(measure, results),
            )
        )
    return tuple(rows)


def _figure(
    measure: str, figure: Callable[[Counts], Counts], results: Sequence[FamilyResult], way: str
) -> float:
    return float(figure(np.sum([result.counts(way, measure) for result in results], axis=0)))


def _counts_words(measure: str, results: Sequence[FamilyResult]) -> str:
    name = measure if measure.startswith("captions") else "recognition by the model, weighted"
    counts = [result.counts("tuned", name) for result in results]
    if measure.startswith("captions"):
        return f"{sum(int(one[1]) for one in counts)} captions"
    return f"{sum(int(one[1]) for one in counts)} there, {sum(int(one[3]) for one in counts)} not there"
