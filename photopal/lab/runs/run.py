"""Runs the tasks of a dataset on a model, scenario by scenario; makes no figures and prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from photopal.concepts import Bank, RegisterOptions
from photopal.errors import DatasetError
from photopal.lab.datasets.form import TASKS, Dataset, DatasetPhoto, Kind, Scenario, Task
from photopal.lab.runs.choices import choose, locate
from photopal.lab.runs.learning import Fault, Learned, LearnOptions, learn
from photopal.lab.runs.outcomes import Outcomes
from photopal.lab.runs.photos import Shelf, remember
from photopal.lab.runs.posing import Control, Examiner
from photopal.lab.runs.recognition import find_threshold, list_questions, recognise
from photopal.lab.runs.telling import answer, caption
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
    shelf = Shelf(remember(model))
    scenarios = dataset.scenarios[: options.scenarios]
    if not scenarios:
        raise DatasetError(f"{dataset.root}: no scenarios")
    registered, tuned, tuning, registering = [], [], [], []
    for number, scenario in enumerate(scenarios, start=1):
        learned = learn(shelf, dataset, scenario, learn_options(options))
        run = _Run(shelf, dataset, learned, options)
        registered.append(run.examine(learned.registered, has_controls=learned.tuned is None))
        registering.append(learned.seconds)
        if learned.tuned is not None and learned.report is not None:
            tuned.append(run.examine(learned.tuned, has_controls=True))
            tuning.append(learned.report.seconds)
        shelf.clear()
        if on_progress:
            on_progress(number, len(scenarios), scenario.name)
    return Evaluation(tuple(registered), tuple(tuned), tuple(tuning), tuple(registering))


def learn_options(options: EvalOptions) -> LearnOptions:
    """How a run learns its scenarios."""
    tune = options.tune if options.has_tuning else None
    register = RegisterOptions(tokens=options.tune.tokens, seed=options.seed)
    return LearnOptions(tune, register, options.fault)


@dataclass(frozen=True, eq=False)
class _Run:
    """One scenario of a run."""

    shelf: Shelf
    dataset: Dataset
    learned: Learned
    options: EvalOptions

    def examine(self, bank: Bank, *, has_controls: bool) -> Outcomes:
        """Run all tasks with one bank."""
        scenario = self.learned.scenario
        examiner = Examiner(self.shelf, self.learned, bank, seed=self.options.seed, fault=self.options.fault)
        self.shelf.features([photo.path for photo in scenario.test_photos])
        outcomes = Outcomes(scenario.name, scenario.group)
        controls: tuple[Control, ...] = ("asked",)
        if has_controls and self.options.has_controls:
            controls += examiner.controls
        for task in self.options.tasks:
            self._run_task(task, examiner, outcomes, controls)
        return outcomes

    def _run_task(
        self, task: Task, examiner: Examiner, outcomes: Outcomes, controls: Sequence[Control]
    ) -> None:
        scenario = self.learned.scenario
        asked = [question for question in scenario.questions if question.task == task]
        if task == "recognition":
            questions = list_questions(self.dataset, scenario, seed=self.options.seed)
            for control in controls:
                threshold = find_threshold(examiner, self.dataset, scenario, control)
                outcomes.add(control, task, recognise(examiner, questions, control, threshold=threshold))
            return
        if task == "grounding":
            outcomes.add("asked", "places", locate(examiner, scenario.test_photos))
        if task == "caption":
            outcomes.add("asked", task, caption(examiner, _photos(scenario), "asked", has_offer=False))
        for control in controls:
            if task == "vqa":
                outcomes.add(control, task, answer(examiner, asked, control))
            elif task == "caption":
                outcomes.add(control, task, caption(examiner, _photos(scenario), control, has_offer=True))
            else:
                outcomes.add(control, task, choose(examiner, asked, control))


def _photos(scenario: Scenario) -> list[tuple[Kind, DatasetPhoto]]:
    single: list[tuple[Kind, DatasetPhoto]] = [("si_sq", p) for c in scenario.concepts for p in c.test]
    return single + [("mi_sq", photo) for photo in scenario.multi]
