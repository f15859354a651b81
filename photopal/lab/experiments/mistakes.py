"""Mistakes made on purpose, which the evaluation must catch: what it does not see it does not measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from photopal.concepts import RegisterOptions
from photopal.lab.experiments.bench import Bench
from photopal.lab.experiments.estimates import difference, estimate
from photopal.lab.experiments.exam import examine
from photopal.lab.experiments.form import (
    Cell,
    Experiment,
    Figures,
    Result,
    Results,
    Section,
    Table,
    Verdict,
)
from photopal.lab.experiments.tables import groups_in, heading, rests_on, signed
from photopal.lab.runs.faults import WATCHED
from photopal.lab.runs.learning import FAULTS, Fault, LearnOptions, learn
from photopal.lab.runs.posing import Examiner

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "mistakes"
SOUND = "sound"
TASKS = ("recognition", "places", "grounding")


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register one scenario soundly and with each mistake, and ask the same."""
    dataset, scenario = bench.scenario(cell)
    how = RegisterOptions(seed=cell.seed)
    faults: tuple[Fault | None, ...] = (None, *FAULTS)
    arms = {}
    for fault in faults:
        learned = learn(bench.shelf, dataset, scenario, LearnOptions(None, how, fault))
        examiner = Examiner(bench.shelf, learned, learned.registered, seed=cell.seed, fault=fault)
        arms[fault or SOUND] = examine(examiner, dataset, TASKS, seed=cell.seed)
    return arms, {}


def tell(results: Results, plan: Plan) -> Section:
    """The watched figures of every mistake, and whether it is caught."""
    cells = list(results.get(NAME, ()))
    rows = []
    for fault in FAULTS:
        for task, measure in WATCHED[fault]:
            figure = f"{task}: {measure}"
            verdict = seen(cells, fault, figure)
            sound, broken = estimate(cells, SOUND, figure), estimate(cells, fault, figure)
            fall = difference(cells, figure, (SOUND, fault))
            said = "yes" if verdict.is_met else "no"
            rows.append((fault, heading(figure), str(sound), str(broken), signed(fall), said))
    columns = ("mistake", "figure", "sound", "with the mistake", "fall", "caught")
    about = (
        "Registered rows only. A mistake is caught where a figure falls below the interval "
        "of the sound run, and the paired fall is above zero. Among the claims stands the first figure of "
        "each mistake, whatever the others say."
    )
    table = Table("Mistakes on purpose", columns, tuple(rows), rests_on(cells))
    verdicts = tuple(seen(cells, fault, ": ".join(WATCHED[fault][0])) for fault in FAULTS)
    return Section("Are mistakes seen?", about, (table,), (), verdicts)


def seen(cells: Sequence[Result], fault: Fault, figure: str) -> Verdict:
    """The claim that a mistake lowers a figure: below the sound interval, and in nearly all draws."""
    sound, broken = estimate(cells, SOUND, figure), estimate(cells, fault, figure)
    fall = difference(cells, figure, (SOUND, fault))
    claim = f"{fault}, on purpose: fall of {heading(figure)}, {groups_in(cells)}"
    room = sound.interval[0] - broken.value
    target = "below the sound interval, fall above 0"
    return Verdict(claim, target, fall.value, fall.interval, room, NAME, is_firm=True, basis=fall.basis)


EXPERIMENT = Experiment(NAME, run, tell)
