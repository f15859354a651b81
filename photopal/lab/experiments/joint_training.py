"""Joint tuning against separate tuning, and against baselines on the same photos and the same model.

MC-LLaVA, section 4.3. "Separate" has the same photos and as many updates of every concept, but each concept
is alone in its prompts; the rows are put together afterwards. "Yo'LLaVA-M" besides has no photos of the other
concepts among its negatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from photopal.lab.experiments.conditions import (
    DescribingEvaluator,
    ExperimentContext,
    retrieve,
    tune_apart,
    tune_jointly,
)
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.results import (
    Experiment,
    Figures,
    Result,
    Results,
    Run,
    Section,
    Table,
    difference,
    estimate,
    mean_of,
    number,
    of_group,
)
from photopal.lab.experiments.tables import at_least, compare, differences, groups_in, rests_on, shown
from photopal.lab.experiments.tasks import evaluate_tasks

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "joint"
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
CONDITIONS = {
    "joint": "joint (ours)",
    "separate": "separate, same photos and updates",
    "yollava": "Yo'LLaVA-M: separate, no others' photos",
    "registered": "registered only, no training",
    "description": "descriptions in words",
    "retrieval": "retrieval by global feature",
    "plain": "plain model",
}
BRIEF = {"yollava": "Yo'LLaVA-M", "registered": "registered only"}


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune one scenario in three ways and ask each, and the baselines, the same."""
    dataset, scenario = context.scenario(run)
    seed = run.seed
    learned = context.register(dataset, scenario, seed)
    photos = context.tuning_photos(dataset, learned, seed)
    options = context.plan.tune(seed)
    tuned = {
        "joint": tune_jointly(context, learned, photos, options),
        "separate": tune_apart(context, learned, photos, options),
        "yollava": tune_apart(context, learned, photos, options, has_others=False),
    }
    banks = {condition: one.bank for condition, one in tuned.items()} | {"registered": learned.registered}
    conditions: dict[str, Figures] = {}
    for condition, bank in banks.items():
        conditions[condition] = context.evaluate(dataset, learned, bank, TASKS, seed)
    asked = TASKS[:2]
    described = DescribingEvaluator(context.store, learned, learned.registered, seed=seed)
    conditions["description"] = evaluate_tasks(described, dataset, asked, seed=seed)
    plain = Evaluator(context.store, learned, learned.registered, seed=seed)
    conditions["plain"] = evaluate_tasks(plain, dataset, asked, seed=seed, control="no concept")
    conditions["retrieval"] = retrieve(context.store, dataset, scenario, seed=seed)
    return conditions, {
        condition: {"steps": one.steps, "seconds": one.seconds} for condition, one in tuned.items()
    }


def summarize(results: Results, plan: Plan) -> Section:
    """The conditions side by side, on plain and on lookalike scenarios, and what joint tuning gains."""
    runs = list(results[NAME])
    pairs = [("joint", "separate"), ("joint", "yollava"), ("joint", "registered"), ("joint", "retrieval")]
    tables = []
    for group in ("plain", "lookalike"):
        chosen = of_group(runs, group)
        tables.append(compare(f"Baselines, {group} scenarios", chosen, ranked(chosen), FIGURES))
        tables.append(differences(f"Joint tuning, paired, {group} scenarios", chosen, pairs, FIGURES, BRIEF))
    tables.append(_costs(runs))
    gain = difference(runs, WEIGHTED, ("joint", "separate"))
    alike = difference(of_group(runs, "lookalike"), WEIGHTED, ("joint", "separate"))
    verdicts = (
        at_least(f"joint − separate, recognition, {groups_in(runs)}", gain, 0.0, NAME, is_firm=True),
        at_least("… on lookalike scenarios", alike, 0.05, NAME),
        shown("… each at its threshold from validation photos", difference(runs, OWN, pairs[0]), NAME),
    )
    about = (
        "The same photos, the same model and the same number of updates of every concept. Conditions are "
        "ranked by the first column, in which each of them has its own threshold from the same validation "
        "photos, because p = 0.5 suits some prompts better than others. Retrieval has no p(yes). Retrieval, "
        "the plain model and descriptions in words learn nothing; descriptions are part of the question."
    )
    return Section(
        title="Joint against separate, and baselines",
        about=about,
        tables=tuple(tables),
        plots=(),
        verdicts=verdicts,
    )


def ranked(runs: Sequence[Result]) -> dict[str, str]:
    """The conditions, best first: by recognition, each at its own threshold from validation photos."""
    figures = {condition: estimate(runs, condition, OWN).value for condition in CONDITIONS}
    order = sorted(
        CONDITIONS,
        key=lambda condition: -math.inf if math.isnan(figures[condition]) else figures[condition],
        reverse=True,
    )
    return {condition: CONDITIONS[condition] for condition in order}


def _costs(runs: Sequence[Result]) -> Table:
    """Updates of every concept, and seconds of the whole scenario, which the other worker's load moves."""
    rows = []
    for condition in ("joint", "separate", "yollava"):
        steps = mean_of(runs, lambda r, a=condition: r.facts[a]["steps"])  # type: ignore[misc]
        seconds = mean_of(runs, lambda r, a=condition: r.facts[a]["seconds"])  # type: ignore[misc]
        rows.append((CONDITIONS[condition], number(steps.value, 1), number(seconds.value, 1)))
    columns = ("", "updates of a concept", "seconds of tuning")
    return Table("Cost of the ways of tuning", columns, tuple(rows), rests_on(runs))


EXPERIMENT = Experiment(NAME, compute, summarize)
