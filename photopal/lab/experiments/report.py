"""Runs experiments and tells what came of them, in one go; prints nothing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from photopal.errors import UsageError
from photopal.lab.experiments.form import Cell, Result, Section
from photopal.lab.experiments.keep import Keeper
from photopal.lab.experiments.registry import BY_NAME, EXPERIMENTS, list_cells
from photopal.lab.experiments.runner import OnProgress, Place, run_cells


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
