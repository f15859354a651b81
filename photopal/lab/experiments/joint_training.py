"""Joint tuning against separate tuning, and against baselines on the same photos and the same model.

MC-LLaVA, section 4.3. "Separate" has the same photos and as many updates of every concept, but each concept
is alone in its prompts; the rows are put together afterwards. "Yo'LLaVA-M" besides has no photos of the other
concepts among its negatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from photopal.lab.experiments.conditions import Bench, DescribingExaminer, retrieve, tune_apart, tune_jointly
from photopal.lab.experiments.evaluator import Examiner
from photopal.lab.experiments.results import (
    Cell,
    Experiment,
    Figures,
    Result,
    Results,
    Section,
    Table,
    difference,
    estimate,
    mean_of,
    number,
    of_group,
)
from photopal.lab.experiments.tables import at_least, compare, differences, groups_in, rests_on, shown
from photopal.lab.experiments.tasks import examine

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "together"
TASKS = ("recognition", "choice", "caption")
WEIGHTED = "recognition: weighted"
OWN = "recognition: weighted, more negatives, own threshold"
FIGURES = (
    OWN,
    WEIGHTED,
    "recognition: AUROC of p(yes)",
    "choice: accuracy",
    "caption: F1 of names, all offered",
    "caption: F1 of names, none offered",
)
ARMS = {
    "joint": "joint (ours)",
    "separate": "separate, same photos and updates",
    "yollava": "Yo'LLaVA-M: separate, no others' photos",
    "registered": "registered only, no training",
    "description": "looks in words",
    "retrieval": "retrieval by global feature",
    "plain": "plain model",
}
BRIEF = {"yollava": "Yo'LLaVA-M", "registered": "registered only"}


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune one scenario in three ways and ask each, and the baselines, the same."""
    dataset, scenario = bench.scenario(cell)
    seed = cell.seed
    learned = bench.register(dataset, scenario, seed)
    photos = bench.lessons(dataset, learned, seed)
    options = bench.plan.tune(seed)
    tuned = {
        "joint": tune_jointly(bench, learned, photos, options),
        "separate": tune_apart(bench, learned, photos, options),
        "yollava": tune_apart(bench, learned, photos, options, has_others=False),
    }
    banks = {arm: one.bank for arm, one in tuned.items()} | {"registered": learned.registered}
    arms: dict[str, Figures] = {}
    for arm, bank in banks.items():
        arms[arm] = examine(Examiner(bench.shelf, learned, bank, seed=seed), dataset, TASKS, seed=seed)
    asked = TASKS[:2]
    described = DescribingExaminer(bench.shelf, learned, learned.registered, seed=seed)
    arms["description"] = examine(described, dataset, asked, seed=seed)
    plain = Examiner(bench.shelf, learned, learned.registered, seed=seed)
    arms["plain"] = examine(plain, dataset, asked, seed=seed, control="no concept")
    arms["retrieval"] = retrieve(bench.shelf, dataset, scenario, seed=seed)
    return arms, {arm: {"steps": one.steps, "seconds": one.seconds} for arm, one in tuned.items()}


def tell(results: Results, plan: Plan) -> Section:
    """The arms side by side, on plain and on lookalike scenarios, and what joint tuning gains."""
    cells = list(results[NAME])
    pairs = [("joint", "separate"), ("joint", "yollava"), ("joint", "registered"), ("joint", "retrieval")]
    tables = []
    for group in ("plain", "lookalike"):
        chosen = of_group(cells, group)
        tables.append(compare(f"Baselines, {group} scenarios", chosen, ranked(chosen), FIGURES))
        tables.append(differences(f"Joint tuning, paired, {group} scenarios", chosen, pairs, FIGURES, BRIEF))
    tables.append(_costs(cells))
    gain = difference(cells, WEIGHTED, ("joint", "separate"))
    alike = difference(of_group(cells, "lookalike"), WEIGHTED, ("joint", "separate"))
    verdicts = (
        at_least(f"joint − separate, recognition, {groups_in(cells)}", gain, 0.0, NAME, is_firm=True),
        at_least("… on lookalike scenarios", alike, 0.05, NAME),
        shown("… each at its threshold from validation photos", difference(cells, OWN, pairs[0]), NAME),
    )
    about = (
        "The same photos, the same model, the same number of updates of every concept. The arms are ranked "
        "by the first column, in which each of them, asked in its own way, has its threshold from the same "
        "validation photos; p = 0.5 suits some ways of asking better than others. Retrieval has no p(yes). "
        "It, the plain model and looks in words learn nothing; looks stand in the question itself."
    )
    return Section("Joint against separate, and baselines", about, tuple(tables), (), verdicts)


def ranked(cells: Sequence[Result]) -> dict[str, str]:
    """The arms, the best first: by recognition, each at a threshold of its own from validation photos."""
    figures = {arm: estimate(cells, arm, OWN).value for arm in ARMS}
    order = sorted(
        ARMS, key=lambda arm: -math.inf if math.isnan(figures[arm]) else figures[arm], reverse=True
    )
    return {arm: ARMS[arm] for arm in order}


def _costs(cells: Sequence[Result]) -> Table:
    """Updates of every concept, and seconds of the whole scenario, which the other worker's load moves."""
    rows = []
    for arm in ("joint", "separate", "yollava"):
        steps = mean_of(cells, lambda r, a=arm: r.facts[a]["steps"])  # type: ignore[misc]
        seconds = mean_of(cells, lambda r, a=arm: r.facts[a]["seconds"])  # type: ignore[misc]
        rows.append((ARMS[arm], number(steps.value, 1), number(seconds.value, 1)))
    columns = ("", "updates of a concept", "seconds of tuning")
    return Table("What the ways of tuning cost", columns, tuple(rows), rests_on(cells))


EXPERIMENT = Experiment(NAME, run, tell)
