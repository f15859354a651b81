"""Runs the tasks of a dataset on a model, scenario by scenario, and puts the figures into one table."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial

from photopal.concepts import RegisterOptions
from photopal.errors import DatasetError
from photopal.lab.datasets.scenario import TASKS, Dataset, Task
from photopal.lab.experiments.evaluator import CONTROLS, Evaluator
from photopal.lab.experiments.learned_scenario import Fault, LearnedScenario, LearningOptions, learn
from photopal.lab.experiments.measures import MEASURES, Definition, Measure, Values
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.results import Figures, Result, Run, of_group, pooled, rows_in
from photopal.lab.experiments.tasks import evaluate_tasks
from photopal.lab.metrics.intervals import Interval, bootstrap
from photopal.progress import OnProgress
from photopal.tuning import TuneOptions
from photopal.vlm.protocol import VisionModel


@dataclass(frozen=True)
class EvalOptions:
    """What is run.

    Attributes:
        tasks: Which tasks.
        scenarios: The most scenarios; None for all.
        has_tuning: Whether to tune after registering.
        has_controls: Whether to ask again with something taken away.
        tune: Settings of tuning; its seed is the run's.
        seed: Drives everything random.
        fault: A deliberate mistake, to see that it is caught.
    """

    tasks: tuple[Task, ...] = TASKS
    scenarios: int | None = None
    has_tuning: bool = True
    has_controls: bool = True
    tune: TuneOptions = field(default_factory=TuneOptions)
    seed: int = 0
    fault: Fault | None = None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came of a run.

    Attributes:
        results: For each scenario its figures "registered", "tuned" where it was, and with each control,
            which is of the tuned concepts where there are any.
        tuning_seconds: What tuning took, by scenario; empty without tuning.
        register_seconds: What registration took, by scenario.
    """

    results: tuple[Result, ...]
    tuning_seconds: tuple[float, ...]
    register_seconds: tuple[float, ...]

    @property
    def last(self) -> str:
        """The condition that has the controls."""
        return "tuned" if self.tuning_seconds else "registered"

    def rows(self, measure: Measure, condition: str) -> list[Values]:
        """What a figure is made of, scenario by scenario."""
        return [rows_in(result, condition, measure.key) for result in self.results]

    def of_group(self, group: str) -> Evaluation:
        """The scenarios of a kind."""
        return replace(self, results=tuple(of_group(self.results, group)))


def evaluate(
    model: VisionModel, dataset: Dataset, options: EvalOptions, *, on_progress: OnProgress | None = None
) -> Evaluation:
    """Learn every scenario and run the tasks on it.

    Every photo is encoded once. Controls are run with tuned concepts, or without tuning with registered ones.

    Args:
        model: The frozen model.
        dataset: What to run.
        options: Settings.
        on_progress: Told of every scenario.

    Raises:
        DatasetError: There is no scenario, or a photo or mask is missing or cannot be read.
    """
    store = PhotoStore(remember(model))
    scenarios = dataset.scenarios[: options.scenarios]
    if not scenarios:
        raise DatasetError(f"{dataset.root}: no scenarios")
    tune = options.tune if options.has_tuning else None
    how = LearningOptions(tune, RegisterOptions(options.tune.tokens, options.seed), options.fault)
    results, tuning, registering = [], [], []
    for index, scenario in enumerate(scenarios):
        started = time.process_time()
        learned = learn(store, dataset, scenario, how)
        conditions = _evaluate_scenario(store, dataset, learned, options)
        results.append(
            Result(
                run=Run("dataset", options.seed, index),
                scenario=scenario.name,
                group=scenario.group,
                conditions=conditions,
                facts={},
                cpu_seconds=time.process_time() - started,
            )
        )
        registering.append(learned.seconds)
        tuning += [learned.report.seconds] if learned.report is not None else []
        store.clear()
        if on_progress:
            on_progress(index + 1, len(scenarios), scenario.name)
    return Evaluation(tuple(results), tuple(tuning), tuple(registering))


def _evaluate_scenario(
    store: PhotoStore, dataset: Dataset, learned: LearnedScenario, options: EvalOptions
) -> dict[str, Figures]:
    """Run all tasks with every bank, and with every control where there is no further bank."""
    store.features([photo.path for photo in learned.scenario.test_photos])  # all at once
    banks = {"registered": learned.registered}
    if learned.tuned is not None:
        banks["tuned"] = learned.tuned
    tasks = [*(["places"] if "grounding" in options.tasks else []), *options.tasks]
    conditions = {}
    for way, bank in banks.items():
        evaluator = Evaluator(store, learned, bank, seed=options.seed, fault=options.fault)
        ask = partial(evaluate_tasks, evaluator, dataset, tasks, seed=options.seed, caption_negatives=0)
        conditions[way] = ask()
        if options.has_controls and bank is list(banks.values())[-1]:
            conditions |= {control: ask(control=control) for control in evaluator.controls}
    return conditions


HEADLINES = ("recognition", "grounding", "choice")
"""The tasks whose first figure is shown for each kind of scenario."""


@dataclass(frozen=True)
class Row:
    """One figure over all scenarios.

    Attributes:
        task: The task.
        measure: What is measured.
        definition: Whether the authors define it so, or this project.
        registered: With registered rows; None where it was not run.
        tuned: With tuned rows; None where it was not run.
        interval: Bootstrap 95 % interval over scenarios, of the tuned figure or else of the registered one.
        controls: For each control the figure, with the rows the interval is of.
        questions: How many questions it rests on.
        scenarios: On how many scenarios.
        group: The scenarios it is of; empty for all.
    """

    task: str
    measure: str
    definition: Definition
    registered: float | None
    tuned: float | None
    interval: Interval
    controls: dict[str, float]
    questions: int
    scenarios: int
    group: str = ""


def tabulate(evaluation: Evaluation, *, seed: int = 0) -> tuple[Row, ...]:
    """All figures that have a question to rest on; those of lookalike scenarios by themselves, too."""
    rows = [row for measure in MEASURES if (row := _row(measure, evaluation, seed)) is not None]
    groups = sorted({result.group for result in evaluation.results})
    for group in groups if len(groups) > 1 else ():
        for task in HEADLINES:
            measure = next(measure for measure in MEASURES if measure.task == task)
            row = _row(measure, evaluation.of_group(group), seed, group)
            rows += [row] if row is not None else []
    return tuple(rows)


def _row(measure: Measure, evaluation: Evaluation, seed: int, group: str = "") -> Row | None:
    last = evaluation.rows(measure, evaluation.last)
    questions = sum(len(values) for values in last)
    figure = pooled(measure.figure, last)
    if not questions or math.isnan(figure):
        return None
    controls: dict[str, float] = {}
    for control in CONTROLS if measure.has_controls else ():
        values = evaluation.rows(measure, control)
        if any(len(one) for one in values):
            controls[control] = pooled(measure.figure, values)
    return Row(
        task=measure.task,
        measure=measure.name,
        definition=measure.definition,
        registered=pooled(measure.figure, evaluation.rows(measure, "registered")),
        tuned=figure if evaluation.last == "tuned" else None,
        interval=bootstrap(partial(pooled, measure.figure), last, seed=seed),
        controls=controls,
        questions=questions,
        scenarios=len(last),
        group=group,
    )


def facts(evaluation: Evaluation, rows: Sequence[Row], *, seed: int) -> dict[str, object]:
    """As JSON: the rows, what was not to be had as null, and the first figure of each task by scenario."""
    first = {task: next(m for m in MEASURES if m.task == task) for task in (*HEADLINES, "vqa", "caption")}
    scenarios = []
    for result in evaluation.results:
        figures = {
            task: _known(pooled(m.figure, [rows_in(result, evaluation.last, m.key)]))
            for task, m in first.items()
        }
        scenarios.append({"name": result.scenario, "group": result.group, "figures": figures})
    return {
        "seed": seed,
        "rows": [_plain(row) for row in rows],
        "scenarios": scenarios,
        "register_seconds": list(evaluation.register_seconds),
        "tuning_seconds": list(evaluation.tuning_seconds),
    }


def _plain(row: Row) -> dict[str, object]:
    controls = {control: _known(figure) for control, figure in row.controls.items()}
    interval = [_known(end) for end in row.interval]
    known = {"registered": _known(row.registered), "tuned": _known(row.tuned)}
    return {**asdict(row), **known, "interval": interval, "controls": controls}


def _known(figure: float | None) -> float | None:
    """JSON has no word for what is not a number."""
    return None if figure is None or math.isnan(figure) else figure
