"""Errors introduced on purpose, which the evaluation must detect: what it misses it does not measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from photopal.concepts import RegisterOptions
from photopal.errors import DatasetError
from photopal.lab.datasets.scenario import Dataset, Task
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.dataset_evaluation import (
    EvalOptions,
    Evaluation,
    evaluate,
)
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import FAULTS, Fault, LearningOptions, learn
from photopal.lab.experiments.measures import MEASURES, Measure
from photopal.lab.experiments.photo_store import remember
from photopal.lab.experiments.results import (
    Experiment,
    Figures,
    Result,
    Results,
    Run,
    Section,
    Table,
    Verdict,
    difference,
    estimate,
    pooled,
)
from photopal.lab.experiments.tables import groups_in, heading, rests_on, signed
from photopal.lab.experiments.tasks import evaluate_tasks
from photopal.lab.metrics.intervals import Interval, bootstrap, paired_bootstrap
from photopal.progress import OnProgress
from photopal.vlm.protocol import VisionModel

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

WATCHED: dict[Fault, tuple[tuple[str, str], ...]] = {
    "masks ignored": (
        ("places", "peak within the mask"),
        ("recognition", "AUROC of the maps"),
        ("recognition", "weighted"),
    ),
    "labels shifted": (("recognition", "weighted"), ("recognition", "AUROC of the maps")),
    "marks at random": (
        ("places", "mark at its concept"),
        ("grounding", "accuracy"),
        ("grounding", "right in all rotations"),
    ),
    "wrong rows": (("recognition", "weighted"), ("recognition", "AUROC of p(yes)")),
}
"""Which figures a mistake must show in: at least one of them; the first is the one the report claims.

Marks at random are watched where prompts have them, against the masks, and by answers, which a model that
finds concepts without marks gives as well with wrong ones.
"""


@dataclass(frozen=True)
class Caught:
    """One figure with and without a mistake.

    Attributes:
        fault: The mistake.
        task: The task.
        measure: The figure.
        sound: Without it.
        interval: Bootstrap 95 % interval of the sound figure over scenarios.
        broken: With it.
        drop: 95 % interval of the difference, the same scenarios drawn for both.
    """

    fault: Fault
    task: str
    measure: str
    sound: float
    interval: Interval
    broken: float
    drop: Interval

    @property
    def is_caught(self) -> bool:
        """Whether the figure falls below the sound one's interval, and falls in nearly all draws."""
        return self.broken < self.interval[0] and self.drop[0] > 0


def check_faults(
    model: VisionModel, dataset: Dataset, options: EvalOptions, *, on_progress: OnProgress | None = None
) -> tuple[Caught, ...]:
    """Run a dataset soundly and with each mistake.

    Args:
        model: The frozen model.
        dataset: What to run, of at least two scenarios.
        options: Settings; controls are left out.
        on_progress: Told of every run.

    Returns:
        The watched figures of each mistake.

    Raises:
        DatasetError: There are fewer than two scenarios, or a photo or mask cannot be read.
    """
    if len(dataset.scenarios[: options.scenarios]) < 2:
        raise DatasetError(f"{dataset.root}: intervals over scenarios take at least two of them")
    tasks: tuple[Task, ...] = ("recognition", "grounding")
    plain = replace(options, tasks=tasks, has_controls=False, fault=None)
    model = remember(model)
    sound = evaluate(model, dataset, plain)
    detected = []
    for number, fault in enumerate(FAULTS, start=1):
        broken = evaluate(model, dataset, replace(plain, fault=fault))
        watched = [measure for measure in MEASURES if (measure.task, measure.name) in WATCHED[fault]]
        detected += [_compare(fault, measure, sound, broken) for measure in watched]
        if on_progress:
            on_progress(number, len(FAULTS), fault)
    return tuple(one for one in detected if not math.isnan(one.sound))


def _compare(fault: Fault, measure: Measure, sound: Evaluation, broken: Evaluation) -> Caught:
    first, second = (one.rows(measure, one.last) for one in (sound, broken))
    figure = partial(pooled, measure.figure)
    return Caught(
        fault=fault,
        task=measure.task,
        measure=measure.name,
        sound=figure(first),
        interval=bootstrap(figure, first),
        broken=figure(second),
        drop=paired_bootstrap(figure, (first, second)),
    )


NAME = "errors"
SOUND = "sound"
TASKS = ("recognition", "places", "grounding")


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register one scenario soundly and with each mistake, and ask the same."""
    dataset, scenario = context.scenario(run)
    how = RegisterOptions(seed=run.seed)
    faults: tuple[Fault | None, ...] = (None, *FAULTS)
    conditions = {}
    for fault in faults:
        learned = learn(context.store, dataset, scenario, LearningOptions(None, how, fault))
        evaluator = Evaluator(context.store, learned, learned.registered, seed=run.seed, fault=fault)
        conditions[fault or SOUND] = evaluate_tasks(evaluator, dataset, TASKS, seed=run.seed)
    return conditions, {}


def summarize(results: Results, plan: Plan) -> Section:
    """The watched figures of every mistake, and whether it is caught."""
    runs = list(results.get(NAME, ()))
    rows = []
    for fault in FAULTS:
        for task, measure in WATCHED[fault]:
            figure = f"{task}: {measure}"
            verdict = seen(runs, fault, figure)
            sound, broken = estimate(runs, SOUND, figure), estimate(runs, fault, figure)
            fall = difference(runs, figure, (SOUND, fault))
            said = "yes" if verdict.is_met else "no"
            rows.append((fault, heading(figure), str(sound), str(broken), signed(fall), said))
    columns = ("mistake", "figure", "sound", "with the mistake", "fall", "caught")
    about = (
        "Registered only, not tuned. An error is detected if a figure falls below the interval of the "
        "correct run and the paired decrease is above zero. The claims contain the first figure of each "
        "error, whatever the others show."
    )
    table = Table("Planted errors", columns, tuple(rows), rests_on(runs))
    verdicts = tuple(seen(runs, fault, ": ".join(WATCHED[fault][0])) for fault in FAULTS)
    return Section(
        title="Are planted errors detected?", about=about, tables=(table,), plots=(), verdicts=verdicts
    )


def seen(runs: Sequence[Result], fault: Fault, figure: str) -> Verdict:
    """The claim that a mistake lowers a figure: below the sound interval, and in nearly all draws."""
    sound, broken = estimate(runs, SOUND, figure), estimate(runs, fault, figure)
    fall = difference(runs, figure, (SOUND, fault))
    claim = f"{fault}, planted: decrease of {heading(figure)}, {groups_in(runs)}"
    room = sound.interval[0] - broken.value
    target = "below the sound interval, fall above 0"
    return Verdict(
        claim=claim,
        target=target,
        figure=fall.value,
        interval=fall.interval,
        margin=room,
        experiment=NAME,
        is_firm=True,
        basis=fall.basis,
    )


EXPERIMENT = Experiment(NAME, compute, summarize)
