"""Lists the experiments, computes their runs in worker processes within budgets, and reports on them."""

from __future__ import annotations

import multiprocessing
import queue
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
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
)
from photopal.lab.experiments.conditions import Bench, draw_scenes
from photopal.lab.experiments.plan import Plan
from photopal.lab.experiments.results import Cell, Experiment, Keeper, Result, Section
from photopal.vlm import load_model

EXPERIMENTS: tuple[Experiment, ...] = (
    core_claims.EXPERIMENT,
    joint_training.EXPERIMENT,
    initialization.EXPERIMENT,
    learning_curves.TOKEN_EXPERIMENT,
    learning_curves.PHOTO_EXPERIMENT,
    many_concepts.EXPERIMENT,
    risk_coverage.EXPERIMENT,
    ablations.INGREDIENT_EXPERIMENT,
    ablations.ORDER_EXPERIMENT,
    adding_concepts.EXPERIMENT,
    planted_errors.EXPERIMENT,
)
BY_NAME = {one.name: one for one in EXPERIMENTS}
LONGEST_FIRST = (many_concepts.NAME, ablations.ORDER, learning_curves.TOKENS, initialization.NAME)
"""Experiments with few long cells, which must not be the last to begin."""


def list_cells(plan: Plan, wanted: tuple[str, ...] = ()) -> list[Cell]:
    """The cells of some experiments, all by default: long ones first, and each seed in turn."""
    sources = {name for one in EXPERIMENTS if not wanted or one.name in wanted for name in one.sources}
    ordered = [*LONGEST_FIRST, *(name for name in BY_NAME if name not in LONGEST_FIRST)]
    return [
        Cell(name, seed, place)
        for name in ordered
        if name in sources and name in plan.shares
        for turn in zip(*(_places(plan, name, seed) for seed in plan.seeds), strict=True)
        for seed, place in zip(plan.seeds, turn, strict=True)
    ]


def _places(plan: Plan, name: str, seed: int) -> list[int]:
    """Places of scenarios in the dataset of a seed, plain and lookalike ones mixed in proportion.

    So whatever a budget leaves out, it leaves out of both alike.
    Every seed begins one scenario later, so that a few of each have two, three and four concepts.
    """
    share, drawn = plan.shares[name], plan.drawn
    plain = [(seed + turn) % drawn.scenarios for turn in range(share.plain)]
    alike = [drawn.scenarios + (seed + turn) % drawn.lookalikes for turn in range(share.lookalike)]
    due = [((turn + 0.5) / len(group), place) for group in (plain, alike) for turn, place in enumerate(group)]
    return [place for _, place in sorted(due)]


OnProgress = Callable[[int, int | None, object], None]
POLL_S = 1.0


@dataclass(frozen=True)
class Place:
    """Where and with what cells are computed.

    Attributes:
        model: Folder or hub id.
        device: As `load_model` takes it.
        plan: How much.
        folder: Of drawn scenes and kept results.
        workers: Processes, each with one thread; 0 computes in this one.
        dtype: As `load_model` takes it.
    """

    model: str | Path
    device: str
    plan: Plan
    folder: Path
    workers: int = 2
    dtype: str = "auto"

    def bench(self) -> Bench:
        """A bench of its own, with the model loaded."""
        return Bench(load_model(self.model, device=self.device, dtype=self.dtype), self.plan, self.folder)


@dataclass
class Account:
    """What every experiment has spent, in processor seconds."""

    plan: Plan
    spent: dict[str, float] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count a result."""
        name = result.cell.experiment
        self.spent[name] = self.spent.get(name, 0.0) + result.cpu_seconds
        self.counted[name] = self.counted.get(name, 0) + 1

    def allows(self, name: str, running: int) -> bool:
        """Whether another cell fits the budget, those that are running included; the first always does."""
        count = self.counted.get(name, 0)
        mean = self.spent.get(name, 0.0) / count if count else 0.0
        expected = self.spent.get(name, 0.0) + mean * (running + 1)
        return expected <= self.plan.shares[name].budget_s


def run_cells(
    cells: Sequence[Cell], place: Place, *, on_progress: OnProgress | None = None
) -> dict[str, list[Result]]:
    """Compute cells that are not kept yet, as far as their budgets go.

    Args:
        cells: In the order in which to begin them.
        place: Where and with what.
        on_progress: Told of every cell.

    Returns:
        The results by experiment, in the order of their cells.

    Raises:
        DatasetError: A cell cannot be computed.
    """
    keeper, account = Keeper(place.folder), Account(place.plan)
    found = {cell: kept for cell in cells if (kept := keeper.get(cell)) is not None}
    for result in found.values():
        account.add(result)
    todo = [cell for cell in cells if cell not in found]
    for done, result in enumerate(_computed(todo, place, account), start=len(found) + 1):
        keeper.put(result)
        account.add(result)
        found[result.cell] = result
        if on_progress:
            on_progress(done, len(cells), result.cell.key)
    results: dict[str, list[Result]] = {}
    for cell in sorted(found, key=lambda one: (one.experiment, one.seed, one.place)):
        results.setdefault(cell.experiment, []).append(found[cell])
    return results


def compute(bench: Bench, cell: Cell) -> Result:
    """Compute one cell."""
    experiment = BY_NAME[cell.experiment]
    if experiment.run is None:
        raise ValueError(f"{experiment.name} has no cells of its own")
    _, scenario = bench.scenario(cell)
    started = time.process_time()
    arms, facts = experiment.run(bench, cell)
    bench.forget()
    return Result(cell, scenario.name, scenario.group, arms, facts, time.process_time() - started)


def _computed(todo: list[Cell], place: Place, account: Account) -> Iterator[Result]:
    if not todo:
        return
    place.folder.mkdir(parents=True, exist_ok=True)
    for seed in sorted({cell.seed for cell in todo}):
        draw_scenes(place.plan, place.folder, seed)
    if place.workers == 0:
        bench = place.bench()
        for cell in todo:
            if account.allows(cell.experiment, 0):
                yield compute(bench, cell)
        return
    with _Crew(place) as crew:
        yield from crew.compute(todo, account)


class _Crew:
    """Worker processes, each with the model, that are handed one cell at a time."""

    def __init__(self, place: Place) -> None:
        context = multiprocessing.get_context("spawn")
        self._tasks: Any = context.Queue()
        self._done: Any = context.Queue()
        self._workers: list[BaseProcess] = [
            context.Process(target=_work, args=(place, self._tasks, self._done), daemon=True)
            for _ in range(place.workers)
        ]

    def __enter__(self) -> _Crew:
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

    def compute(self, todo: list[Cell], account: Account) -> Iterator[Result]:
        """Hand out cells as workers become free."""
        waiting, running = list(todo), list[Cell]()
        while waiting or running:
            while waiting and len(running) < len(self._workers):
                cell = waiting.pop(0)
                same = sum(one.experiment == cell.experiment for one in running)
                if account.allows(cell.experiment, same):
                    self._tasks.put(cell)
                    running.append(cell)
            if running:
                result = self._next()
                running.remove(result.cell)
                yield result

    def _next(self) -> Result:
        while True:
            try:
                told = self._done.get(timeout=POLL_S)
            except queue.Empty:
                dead = [worker for worker in self._workers if not worker.is_alive()]
                if dead:
                    raise DatasetError(
                        f"a worker of the report ended with code {dead[0].exitcode}",
                        hint="What was finished is kept; run the same command again to go on.",
                    ) from None
                continue
            if isinstance(told, PhotopalError):
                raise told
            result: Result = told
            return result


def _work(place: Place, tasks: Any, done: Any) -> None:
    """The life of a worker: compute what comes, until it is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends the workers
    torch.set_num_threads(1)
    bench = place.bench()
    while (cell := _next_cell(tasks)) is not None:
        try:
            done.put(compute(bench, cell))
        except PhotopalError as error:
            done.put(error)


def _next_cell(tasks: Any) -> Cell | None:
    """What to compute next; None once the parent is gone, which may have been killed."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        with suppress(queue.Empty):
            cell: Cell = tasks.get(timeout=POLL_S)
            return cell
    return None


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        sections: One for each experiment.
        counts: Cells computed and planned, by experiment.
        cpu_seconds: Of all cells.
        wall_seconds: Of this run.
    """

    sections: tuple[Section, ...]
    counts: dict[str, tuple[int, int]]
    cpu_seconds: float
    wall_seconds: float


def make_report(
    place: Place,
    wanted: Sequence[str] = (),
    *,
    is_anew: bool = False,
    on_progress: OnProgress | None = None,
) -> Report:
    """Run experiments, all by default; what is kept of an earlier run is not computed again.

    Args:
        place: Where, with what, and how much.
        wanted: Names of experiments.
        is_anew: Whether to forget what is kept: scenes and results, or with `wanted` only the results of the
            cells it takes.
        on_progress: Told of every cell.

    Raises:
        UsageError: There is no such experiment.
        DatasetError: A cell cannot be computed.
    """
    unknown = [name for name in wanted if name not in BY_NAME]
    if unknown:
        raise UsageError(f"{unknown[0]}: no such experiment", hint=f"There are {', '.join(BY_NAME)}.")
    started = time.monotonic()
    cells = list_cells(place.plan, tuple(wanted))
    if is_anew:
        _forget(cells, place, is_whole=not wanted)
    results = run_cells(cells, place, on_progress=on_progress)
    chosen = [one for one in EXPERIMENTS if not wanted or one.name in wanted]
    sections = tuple(one.tell(results, place.plan) for one in chosen)
    planned: dict[str, int] = {}
    for cell in cells:
        planned[cell.experiment] = planned.get(cell.experiment, 0) + 1
    counts = {name: (len(results.get(name, ())), count) for name, count in planned.items()}
    return Report(sections, counts, _cpu(results.values()), time.monotonic() - started)


def _forget(cells: Sequence[Cell], place: Place, *, is_whole: bool) -> None:
    """Delete what an earlier run kept; not the scenes of which other cells have results."""
    if is_whole:
        shutil.rmtree(place.folder, ignore_errors=True)
        return
    keeper = Keeper(place.folder)
    for cell in cells:
        keeper.forget(cell)


def _cpu(results: Iterable[Sequence[Result]]) -> float:
    return sum(one.cpu_seconds for several in results for one in several)
