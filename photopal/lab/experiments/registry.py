"""Lists the experiments in the order of the report; runs none."""

from __future__ import annotations

from photopal.lab.experiments import (
    adding,
    calibration,
    crowd,
    ingredients,
    learned,
    mistakes,
    order,
    photos,
    starting,
    together,
    tokens,
)
from photopal.lab.experiments.form import Cell, Experiment
from photopal.lab.experiments.plan import Plan

EXPERIMENTS: tuple[Experiment, ...] = (
    learned.EXPERIMENT,
    together.EXPERIMENT,
    starting.EXPERIMENT,
    tokens.EXPERIMENT,
    photos.EXPERIMENT,
    crowd.EXPERIMENT,
    calibration.EXPERIMENT,
    ingredients.EXPERIMENT,
    order.EXPERIMENT,
    adding.EXPERIMENT,
    mistakes.EXPERIMENT,
)
BY_NAME = {one.name: one for one in EXPERIMENTS}
LONGEST_FIRST = (crowd.NAME, order.NAME, tokens.NAME, starting.NAME)
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
