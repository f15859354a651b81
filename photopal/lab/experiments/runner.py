"""Lists the experiments, computes their runs in worker processes within budgets, and reports on them."""

from __future__ import annotations

import multiprocessing
import queue
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from photopal.errors import DatasetError, PhotopalError, UsageError
from photopal.lab.experiments import (
    ablations,
    adding_concepts,
    core_claims,
    initialization,
    joint_training,
    learning_curves,
    many_concepts,
    planted_errors,
    risk_coverage,
    siblings,
)
from photopal.lab.experiments.conditions import ExperimentContext, draw_scenes
from photopal.lab.experiments.plan import Plan
from photopal.lab.experiments.results import Experiment, Result, ResultStore, Run, Section
from photopal.progress import OnProgress
from photopal.vlm import load_model

EXPERIMENTS: tuple[Experiment, ...] = (
    core_claims.EXPERIMENT,
    joint_training.EXPERIMENT,
    initialization.EXPERIMENT,
    learning_curves.TOKEN_EXPERIMENT,
    learning_curves.PHOTO_EXPERIMENT,
    many_concepts.EXPERIMENT,
    siblings.EXPERIMENT,
    risk_coverage.EXPERIMENT,
    ablations.ABLATION_EXPERIMENT,
    ablations.ORDER_EXPERIMENT,
    adding_concepts.EXPERIMENT,
    planted_errors.EXPERIMENT,
)
BY_NAME = {one.name: one for one in EXPERIMENTS}
LONGEST_FIRST = (many_concepts.NAME, ablations.ORDER, learning_curves.TOKENS, initialization.NAME)
"""Experiments with few long runs, which must not be the last to begin."""


def list_runs(plan: Plan, wanted: tuple[str, ...] = ()) -> list[Run]:
    """The runs of some experiments, all by default: long ones first, and each seed in turn."""
    sources = {name for one in EXPERIMENTS if not wanted or one.name in wanted for name in one.sources}
    ordered = [*LONGEST_FIRST, *(name for name in BY_NAME if name not in LONGEST_FIRST)]
    return [
        Run(name, seed, index)
        for name in ordered
        if name in sources and name in plan.shares
        for turn in zip(*(_indices(plan, name, seed) for seed in plan.seeds), strict=True)
        for seed, index in zip(plan.seeds, turn, strict=True)
    ]


def _indices(plan: Plan, name: str, seed: int) -> list[int]:
    """Indices of scenarios in the dataset of a seed, plain and lookalike ones mixed in proportion.

    So whatever a budget leaves out, it leaves out of both alike.
    Every seed begins one scenario later, so that a few of each have two, three and four concepts.
    """
    share, drawn = plan.shares[name], plan.drawn
    plain = [(seed + turn) % drawn.scenarios for turn in range(share.plain)]
    alike = [drawn.scenarios + (seed + turn) % drawn.lookalikes for turn in range(share.lookalike)]
    due = [((turn + 0.5) / len(group), index) for group in (plain, alike) for turn, index in enumerate(group)]
    return [index for _, index in sorted(due)]


POLL_S = 1.0


@dataclass(frozen=True)
class RunEnvironment:
    """Where and with what runs are computed.

    Attributes:
        model: Folder or hub id.
        device: As `load_model` takes it.
        plan: How much.
        folder: Of drawn scenes and kept results.
        workers: Processes, each with one thread; 0 computes in this one.
        dtype: As `load_model` takes it.
        image_tokens: As `load_model` takes it.
    """

    model: str | Path
    device: str
    plan: Plan
    folder: Path
    workers: int = 2
    dtype: str = "auto"
    image_tokens: int = 0

    def context(self) -> ExperimentContext:
        """A context of its own, with the model loaded."""
        model = load_model(self.model, device=self.device, dtype=self.dtype, image_tokens=self.image_tokens)
        return ExperimentContext(model, self.plan, self.folder)


@dataclass
class BudgetAccount:
    """What every experiment has spent, in CPU seconds."""

    plan: Plan
    spent: dict[str, float] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count a result."""
        name = result.run.experiment
        self.spent[name] = self.spent.get(name, 0.0) + result.cpu_seconds
        self.counted[name] = self.counted.get(name, 0) + 1

    def allows(self, name: str, running: int) -> bool:
        """Whether another run fits the budget, those that are running included; the first always does."""
        count = self.counted.get(name, 0)
        mean = self.spent.get(name, 0.0) / count if count else 0.0
        expected = self.spent.get(name, 0.0) + mean * (running + 1)
        return expected <= self.plan.shares[name].budget_s


def compute_runs(
    runs: Sequence[Run], environment: RunEnvironment, *, on_progress: OnProgress | None = None
) -> dict[str, list[Result]]:
    """Compute runs that are not kept yet, as far as their budgets go.

    Args:
        runs: In the order in which to begin them.
        environment: Where and with what.
        on_progress: Told of every run.

    Returns:
        The results by experiment, in the order of their runs.

    Raises:
        DatasetError: A run cannot be computed.
    """
    stored, account = ResultStore(environment.folder), BudgetAccount(environment.plan)
    found = {run: kept for run in runs if (kept := stored.get(run)) is not None}
    for result in found.values():
        account.add(result)
    todo = [run for run in runs if run not in found]
    for done, result in enumerate(_computed(todo, environment, account), start=len(found) + 1):
        stored.put(result)
        account.add(result)
        found[result.run] = result
        if on_progress:
            on_progress(done, len(runs), result.run.key)
    results: dict[str, list[Result]] = {}
    for run in sorted(found, key=lambda one: (one.experiment, one.seed, one.index)):
        results.setdefault(run.experiment, []).append(found[run])
    return results


def compute_run(context: ExperimentContext, run: Run) -> Result:
    """Compute one run."""
    experiment = BY_NAME[run.experiment]
    if experiment.compute is None:
        raise ValueError(f"{experiment.name} has no runs of its own")
    _, scenario = context.scenario(run)
    started = time.process_time()
    conditions, facts = experiment.compute(context, run)
    context.forget()
    return Result(
        run=run,
        scenario=scenario.name,
        group=scenario.group,
        conditions=conditions,
        facts=facts,
        cpu_seconds=time.process_time() - started,
    )


def _computed(todo: list[Run], environment: RunEnvironment, account: BudgetAccount) -> Iterator[Result]:
    if not todo:
        return
    environment.folder.mkdir(parents=True, exist_ok=True)
    for seed in sorted({run.seed for run in todo}):
        draw_scenes(environment.plan, environment.folder, seed)
    if environment.workers == 0:
        context = environment.context()
        for run in todo:
            if account.allows(run.experiment, 0):
                yield compute_run(context, run)
        return
    with _WorkerPool(environment) as pool:
        yield from pool.compute(todo, account)


def take_next(waiting: list[Run], running: Sequence[Run], account: BudgetAccount) -> Run | None:
    """Take the next run to begin from those that wait, and drop those before it that no budget is left for.

    What a run costs is not known before the first of its experiment is done, so the others wait for it.
    """
    for run in list(waiting):
        same = sum(one.experiment == run.experiment for one in running)
        if same and not account.counted.get(run.experiment):
            continue
        waiting.remove(run)
        if account.allows(run.experiment, same):
            return run
    return None


class _WorkerPool:
    """Worker processes, each with the model, that are handed one run at a time."""

    def __init__(self, environment: RunEnvironment) -> None:
        context = multiprocessing.get_context("spawn")
        self._tasks: Any = context.Queue()
        self._done: Any = context.Queue()
        self._workers: list[BaseProcess] = [
            context.Process(target=_work, args=(environment, self._tasks, self._done), daemon=True)
            for _ in range(environment.workers)
        ]

    def __enter__(self) -> _WorkerPool:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join()
        for one in (self._tasks, self._done):
            one.close()
            one.cancel_join_thread()

    def compute(self, todo: list[Run], account: BudgetAccount) -> Iterator[Result]:
        """Hand out runs as workers become free."""
        waiting, running = list(todo), list[Run]()
        while waiting or running:
            while len(running) < len(self._workers) and (run := take_next(waiting, running, account)):
                self._tasks.put(run)
                running.append(run)
            if running:
                result = self._next()
                running.remove(result.run)
                yield result

    def _next(self) -> Result:
        while True:
            try:
                message = self._done.get(timeout=POLL_S)
            except queue.Empty:
                dead = [worker for worker in self._workers if not worker.is_alive()]
                if dead:
                    raise DatasetError(
                        f"a worker of the report ended with code {dead[0].exitcode}",
                        hint="What was finished is kept; run the same command again to go on.",
                    ) from None
                continue
            if isinstance(message, PhotopalError):
                raise message
            result: Result = message
            return result


def _work(environment: RunEnvironment, tasks: Any, done: Any) -> None:
    """The life of a worker: compute what comes, until it is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends the workers
    torch.set_num_threads(1)
    context = environment.context()
    while (run := _next_run(tasks)) is not None:
        try:
            done.put(compute_run(context, run))
        except PhotopalError as error:
            done.put(error)


def _next_run(tasks: Any) -> Run | None:
    """What to compute next; None once the parent is gone, which may have been killed."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        with suppress(queue.Empty):
            run: Run = tasks.get(timeout=POLL_S)
            return run
    return None


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        sections: One for each experiment.
        counts: Runs computed and planned, by experiment.
        cpu_seconds: Of all runs.
        wall_seconds: Of this run.
    """

    sections: tuple[Section, ...]
    counts: dict[str, tuple[int, int]]
    cpu_seconds: float
    wall_seconds: float


def make_report(
    environment: RunEnvironment,
    wanted: Sequence[str] = (),
    *,
    is_anew: bool = False,
    on_progress: OnProgress | None = None,
) -> Report:
    """Run experiments, all by default; what is kept of an earlier run is not computed again.

    Args:
        environment: Where, with what, and how much.
        wanted: Names of experiments.
        is_anew: Whether to forget what is kept: scenes and results, or with `wanted` only the results of the
            runs it takes.
        on_progress: Told of every run.

    Raises:
        UsageError: There is no such experiment.
        DatasetError: A run cannot be computed.
    """
    unknown = [name for name in wanted if name not in BY_NAME]
    if unknown:
        raise UsageError(f"{unknown[0]}: no such experiment", hint=f"There are {', '.join(BY_NAME)}.")
    started = time.monotonic()
    runs = list_runs(environment.plan, tuple(wanted))
    if is_anew:
        _forget(runs, environment, is_whole=not wanted)
    results = compute_runs(runs, environment, on_progress=on_progress)
    chosen = [one for one in EXPERIMENTS if not wanted or one.name in wanted]
    sections = tuple(one.summarize(results, environment.plan) for one in chosen)
    planned: dict[str, int] = {}
    for run in runs:
        planned[run.experiment] = planned.get(run.experiment, 0) + 1
    counts = {name: (len(results.get(name, ())), count) for name, count in planned.items()}
    cpu_seconds = sum(one.cpu_seconds for several in results.values() for one in several)
    return Report(sections, counts, cpu_seconds, time.monotonic() - started)


def _forget(runs: Sequence[Run], environment: RunEnvironment, *, is_whole: bool) -> None:
    """Delete what an earlier run kept; not the scenes of which other runs have results."""
    if is_whole:
        shutil.rmtree(environment.folder, ignore_errors=True)
        return
    stored = ResultStore(environment.folder)
    for run in runs:
        stored.forget(run)
