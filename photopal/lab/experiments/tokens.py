"""How many soft tokens a concept needs, registered and tuned (MC-LLaVA, section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photopal.lab.experiments.bench import Bench
from photopal.lab.experiments.estimates import estimate
from photopal.lab.experiments.exam import before_and_after
from photopal.lab.experiments.form import Cell, Experiment, Figures, Plot, Results, Section
from photopal.lab.experiments.tables import compare, line, shown

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "tokens"
WEIGHTED = "recognition: weighted"
FIGURES = (WEIGHTED, "recognition: AUROC of p(yes)", "choice: accuracy")


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register and tune one scenario with every number of tokens."""
    dataset, scenario = bench.scenario(cell)
    arms: dict[str, Figures] = {}
    for tokens in bench.plan.tokens:
        learned = bench.register(dataset, scenario, cell.seed, tokens=tokens)
        found = before_and_after(bench, dataset, learned, ("recognition", "choice"), seed=cell.seed)
        arms |= {f"{how} {tokens}": figures for how, figures in found.items()}
    return arms, {}


def tell(results: Results, plan: Plan) -> Section:
    """A table of all numbers and a curve."""
    cells = list(results[NAME])
    ways = ("registered", "tuned")
    arms = {f"{how} {k}": f"k = {k}, {how}" for how in ways for k in plan.tokens}
    lines = tuple(
        line(how, {float(k): estimate(cells, f"{how} {k}", WEIGHTED) for k in plan.tokens}) for how in ways
    )
    plot = Plot("tokens", "Soft tokens a concept", "k", "recognition, weighted", lines, is_log=True)
    curve = ", ".join(map(str, plan.tokens))
    last = estimate(cells, f"tuned {plan.tokens[-1]}", WEIGHTED)
    verdict = shown(f"k = {curve}: weighted recognition at the last", last, NAME, "curve shown")
    table = compare("Soft tokens", cells, arms, FIGURES)
    return Section(
        "How many soft tokens", "Each k is registered and tuned anew.", (table,), (plot,), (verdict,)
    )


EXPERIMENT = Experiment(NAME, run, tell)
