"""Puts outcomes of scenarios into one table with intervals and controls; knows no terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from photopal.lab.metrics.intervals import Interval, bootstrap
from photopal.lab.runs.measures import MEASURES, Definition, Measure, Values
from photopal.lab.runs.outcomes import Outcomes
from photopal.lab.runs.posing import CONTROLS, Control
from photopal.lab.runs.run import Evaluation

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
