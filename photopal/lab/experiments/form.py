"""What an experiment is: cells that can be computed apart, and what their results tell; computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photopal.lab.metrics.intervals import UNKNOWN, Interval

if TYPE_CHECKING:
    from photopal.lab.experiments.bench import Bench
    from photopal.lab.experiments.plan import Plan

Rows = list[list[float]]
"""What a figure is made of: a row for each question, a column for each fact of it."""

Figures = dict[str, Rows]
"""By the name of the figure."""


@dataclass(frozen=True)
class Cell:
    """The smallest piece of an experiment: one scenario with one seed.

    Attributes:
        experiment: Its name.
        seed: Who is drawn, on which photos, and everything random in learning.
        place: Which scenario of that seed.
    """

    experiment: str
    seed: int
    place: int

    @property
    def key(self) -> str:
        """Names the file in which its result is kept."""
        return f"{self.experiment}-{self.seed}-{self.place:02}"


@dataclass(frozen=True)
class Result:
    """What came of a cell.

    Attributes:
        cell: Which.
        scenario: The name of the scenario.
        group: plain, or lookalike.
        arms: For each arm of the experiment its figures.
        facts: Whatever else was measured: curves, seconds, counts.
        cpu_seconds: What it took.
    """

    cell: Cell
    scenario: str
    group: str
    arms: Mapping[str, Figures]
    facts: Mapping[str, Any]
    cpu_seconds: float


Results = Mapping[str, Sequence[Result]]
"""The results of all experiments, by name."""


@dataclass(frozen=True)
class Table:
    """A table of the report; `note` says what it rests on."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One curve: points, and intervals around them where there are any."""

    label: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    around: tuple[Interval, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A picture with curves.

    Attributes:
        name: Of the file, without its ending.
        title: What is shown.
        x: What is to the right.
        y: What is upward.
        lines: The curves.
        is_log: Whether x is spaced by its logarithm to base 2.
    """

    name: str
    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    is_log: bool = False


@dataclass(frozen=True)
class Verdict:
    """One claim of the method beside what was measured.

    Attributes:
        claim: What is claimed.
        target: What would do, in words.
        figure: What was measured; nan where nothing was.
        interval: 95 %, over scenarios.
        margin: By how much the target is met; below zero by how much it is missed; None where there is none.
        experiment: What measured it.
        is_firm: Whether the target also asks that the interval is above a floor.
        floor: Which.
        basis: How many scenarios and seeds it rests on, in words.
    """

    claim: str
    target: str
    figure: float
    interval: Interval = UNKNOWN
    margin: float | None = None
    experiment: str = ""
    is_firm: bool = False
    floor: float = 0.0
    basis: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is no target or no figure."""
        if self.margin is None or self.margin != self.margin:
            return None
        return self.margin >= 0 and (not self.is_firm or self.interval[0] > self.floor)


@dataclass(frozen=True)
class Section:
    """What an experiment tells."""

    title: str
    about: str
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: Short; names its cells.
        run: Computes a cell: the figures of its arms, and facts.
        tell: Makes tables, plots and verdicts of the results of all experiments.
        needs: The experiments whose results it tells of; its own by default.
    """

    name: str
    run: Callable[[Bench, Cell], tuple[dict[str, Figures], dict[str, Any]]] | None
    tell: Callable[[Results, Plan], Section]
    needs: tuple[str, ...] = field(default=())

    @property
    def sources(self) -> tuple[str, ...]:
        """Whose cells are computed for it."""
        return self.needs or (self.name,)
