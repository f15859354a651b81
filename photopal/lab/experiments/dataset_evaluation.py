"""Runs the tasks of a dataset on a model, scenario by scenario, and puts the figures into one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from photopal.concepts import Bank, RegisterOptions
from photopal.errors import DatasetError
from photopal.lab.datasets.scenario import TASKS, Dataset, DatasetPhoto, Kind, Scenario, Task
from photopal.lab.experiments.evaluator import CONTROLS, Control, Evaluator
from photopal.lab.experiments.measures import MEASURES, Definition, Measure, Outcomes, Values
from photopal.lab.experiments.photo_store import PhotoStore, remember
from photopal.lab.experiments.recognition import find_threshold, list_questions, recognize
from photopal.lab.experiments.registration import Fault, LearnedScenario, LearningOptions, learn
from photopal.lab.experiments.tasks import answer, caption, choose, locate
from photopal.lab.metrics.intervals import Interval, bootstrap
from photopal.tuning import TuneOptions
from photopal.vlm.protocol import VisionModel

OnProgress = Callable[[int, int | None, object], None]


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
        registered: Outcomes with registered rows, by scenario.
        tuned: The same with tuned rows; empty without tuning.
        tuning_seconds: What tuning took, by scenario.
        register_seconds: What registration took, by scenario.
    """

    registered: tuple[Outcomes, ...]
    tuned: tuple[Outcomes, ...]
    tuning_seconds: tuple[float, ...]
    register_seconds: tuple[float, ...]

    @property
    def last(self) -> tuple[Outcomes, ...]:
        """Those with tuned rows, else those with registered ones; they have the controls."""
        return self.tuned or self.registered


def evaluate(
    model: VisionModel, dataset: Dataset, options: EvalOptions, *, on_progress: OnProgress | None = None
) -> Evaluation:
    """Learn every scenario and run the tasks on it.

    Every photo is encoded once. Controls are run with tuned rows, or without tuning with registered ones.

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
    registered, tuned, tuning, registering = [], [], [], []
    for number, scenario in enumerate(scenarios, start=1):
        learned = learn(store, dataset, scenario, learn_options(options))
        run = _ScenarioTasks(store, dataset, learned, options)
        registered.append(run.evaluate_tasks(learned.registered, has_controls=learned.tuned is None))
        registering.append(learned.seconds)
        if learned.tuned is not None and learned.report is not None:
            tuned.append(run.evaluate_tasks(learned.tuned, has_controls=True))
            tuning.append(learned.report.seconds)
        store.clear()
        if on_progress:
            on_progress(number, len(scenarios), scenario.name)
    return Evaluation(tuple(registered), tuple(tuned), tuple(tuning), tuple(registering))


def learn_options(options: EvalOptions) -> LearningOptions:
    """How a run learns its scenarios."""
    tune = options.tune if options.has_tuning else None
    register = RegisterOptions(tokens=options.tune.tokens, seed=options.seed)
    return LearningOptions(tune, register, options.fault)


@dataclass(frozen=True, eq=False)
class _ScenarioTasks:
    """One scenario of a run."""

    store: PhotoStore
    dataset: Dataset
    learned: LearnedScenario
    options: EvalOptions

    def evaluate_tasks(self, bank: Bank, *, has_controls: bool) -> Outcomes:
        """Run all tasks with one bank."""
        scenario = self.learned.scenario
        evaluator = Evaluator(
            self.store, self.learned, bank, seed=self.options.seed, fault=self.options.fault
        )
        self.store.features([photo.path for photo in scenario.test_photos])
        outcomes = Outcomes(scenario.name, scenario.group)
        controls: tuple[Control, ...] = ("asked",)
        if has_controls and self.options.has_controls:
            controls += evaluator.controls
        for task in self.options.tasks:
            self._run_task(task, evaluator, outcomes, controls)
        return outcomes

    def _run_task(
        self, task: Task, evaluator: Evaluator, outcomes: Outcomes, controls: Sequence[Control]
    ) -> None:
        scenario = self.learned.scenario
        asked = [question for question in scenario.questions if question.task == task]
        if task == "recognition":
            questions = list_questions(self.dataset, scenario, seed=self.options.seed)
            for control in controls:
                threshold = find_threshold(evaluator, self.dataset, scenario, control)
                outcomes.add(control, task, recognize(evaluator, questions, control, threshold=threshold))
            return
        if task == "grounding":
            outcomes.add("asked", "places", locate(evaluator, scenario.test_photos))
        if task == "caption":
            outcomes.add("asked", task, caption(evaluator, _photos(scenario), "asked", has_offer=False))
        for control in controls:
            if task == "vqa":
                outcomes.add(control, task, answer(evaluator, asked, control))
            elif task == "caption":
                outcomes.add(control, task, caption(evaluator, _photos(scenario), control, has_offer=True))
            else:
                outcomes.add(control, task, choose(evaluator, asked, control))


def _photos(scenario: Scenario) -> list[tuple[Kind, DatasetPhoto]]:
    single: list[tuple[Kind, DatasetPhoto]] = [("si_sq", p) for c in scenario.concepts for p in c.test]
    return single + [("mi_sq", photo) for photo in scenario.multi]


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
    groups = sorted({outcomes.group for outcomes in evaluation.last})
    for group in groups if len(groups) > 1 else ():
        for task in HEADLINES:
            measure = next(measure for measure in MEASURES if measure.task == task)
            row = _row(measure, _of_group(evaluation, group), seed, group)
            rows += [row] if row is not None else []
    return tuple(rows)


def _of_group(evaluation: Evaluation, group: str) -> Evaluation:
    def chosen(outcomes: Sequence[Outcomes]) -> tuple[Outcomes, ...]:
        return tuple(one for one in outcomes if one.group == group)

    return Evaluation(chosen(evaluation.registered), chosen(evaluation.tuned), (), ())


def _row(measure: Measure, evaluation: Evaluation, seed: int, group: str = "") -> Row | None:
    last = scenario_values(measure, evaluation.last, "asked")
    questions = sum(len(values) for values in last)
    figure = pooled(measure, last)
    if not questions or math.isnan(figure):
        return None
    registered = pooled(measure, scenario_values(measure, evaluation.registered, "asked"))
    controls: dict[str, float] = {}
    for control in CONTROLS if measure.has_controls else ():
        values = scenario_values(measure, evaluation.last, control)
        if any(len(one) for one in values):
            controls[control] = pooled(measure, values)
    return Row(
        measure.task,
        measure.name,
        measure.definition,
        registered,
        figure if evaluation.tuned else None,
        bootstrap(lambda drawn: pooled(measure, drawn), last, seed=seed),
        controls,
        questions,
        len(last),
        group,
    )


def facts(evaluation: Evaluation, rows: Sequence[Row], *, seed: int) -> dict[str, object]:
    """As JSON: the rows, what was not to be had as null, and the first figure of each task by scenario."""
    first = {task: next(m for m in MEASURES if m.task == task) for task in (*HEADLINES, "vqa", "caption")}
    scenarios = []
    for one in evaluation.last:
        figures = {task: _known(pooled(m, scenario_values(m, [one], "asked"))) for task, m in first.items()}
        scenarios.append({"name": one.name, "group": one.group, "figures": figures})
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


def scenario_values(measure: Measure, outcomes: Sequence[Outcomes], control: Control) -> list[Values]:
    """What a figure is made of, scenario by scenario."""
    return [measure.values(one.of(control, measure.task)) for one in outcomes]


def pooled(measure: Measure, values: Sequence[Values]) -> float:
    """A figure over the questions of several scenarios together; nan without any."""
    known = [one for one in values if len(one)]
    return measure.figure(np.concatenate(known)) if known else math.nan
