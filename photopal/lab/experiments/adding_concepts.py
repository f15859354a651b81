"""One more concept for a bank in use: its cost, and what it does to the concepts that are there.

The last concept of a scenario joins the others, either with their rows frozen, as the product does it, or in
a new joint run of them all.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.lab.datasets.scenario import Dataset
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import LearnedScenario, tuning_concepts
from photopal.lab.experiments.recognition import (
    RecognitionQuestion,
    find_threshold,
    list_questions,
    recognize,
)
from photopal.lab.experiments.results import Experiment, Figures, Results, Run, Section, Table, mean_of
from photopal.lab.experiments.tables import compare, differences, rests_on
from photopal.lab.experiments.tasks import rows_of
from photopal.tuning.dataset import photos_for_newcomers

if TYPE_CHECKING:
    from photopal.concepts import Bank
    from photopal.lab.experiments.plan import Plan

NAME = "adding"
FIGURES = (
    "recognition: weighted",
    "recognition: weighted, more negatives, own threshold",
    "recognition: AUROC of p(yes)",
)
OLD = {
    "old, before": "old concepts, before",
    "old, added": "old concepts, one more added",
    "old, anew": "old concepts, all tuned anew",
}
NEW = {
    "new, registered": "new concept, registered only",
    "new, added": "new concept, tuned alone",
    "new, anew": "new concept, all tuned anew",
}


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune all but the last concept, then add it in either way."""
    dataset, scenario = context.scenario(run)
    seed, options = run.seed, context.plan.tune(run.seed)
    first = replace(scenario, concepts=scenario.concepts[:-1])
    before = context.register(dataset, first, seed)
    photos_before = context.tuning_photos(dataset, before, seed)
    started = time.process_time()
    old, _ = context.tune(before, photos_before, options)
    seconds = {"the old ones": time.process_time() - started}

    learned = context.register(dataset, scenario, seed)
    photos = context.tuning_photos(dataset, learned, seed)
    newest = learned.concepts[-1].id
    # Thresholds and directions are made anew with everybody; the old concepts keep their tuned rows.
    kept = [
        replace(one, direction=new.direction, calibration=new.calibration)
        for one, new in ((one, learned.registered.concepts[i]) for i, one in old.concepts.items())
    ]
    start = learned.registered.with_concepts(kept)
    tuned_concepts = {
        i: replace(concept, is_frozen=i != newest) for i, concept in tuning_concepts(learned.concepts).items()
    }
    started = time.process_time()
    of_newcomer = photos_for_newcomers(photos, start, tuned_concepts)
    added, _ = context.tune(learned, of_newcomer, options, concepts=tuned_concepts, bank=start)
    seconds["one more, the old ones frozen"] = time.process_time() - started
    started = time.process_time()
    anew, _ = context.tune(learned, photos, options)
    seconds["all of them anew"] = time.process_time() - started

    of_old = [one for one in list_questions(dataset, first, seed=seed) if len(one.names) == 1]
    newcomer = (scenario.concepts[-1].name,)
    of_new = [one for one in list_questions(dataset, scenario, seed=seed) if one.names == newcomer]
    conditions = {"old, before": _ask(context, dataset, before, old, of_old)}
    for condition, bank in (("added", added), ("anew", anew)):
        conditions[f"old, {condition}"] = _ask(context, dataset, learned, bank, of_old)
        conditions[f"new, {condition}"] = _ask(context, dataset, learned, bank, of_new)
    conditions["new, registered"] = _ask(context, dataset, learned, start, of_new)
    return conditions, {"tuning_cpu_s": seconds}


def _ask(
    context: ExperimentContext,
    dataset: Dataset,
    learned: LearnedScenario,
    bank: Bank,
    asked: list[RecognitionQuestion],
) -> Figures:
    evaluator = Evaluator(context.store, learned, bank, seed=0)
    threshold = find_threshold(evaluator, dataset, learned.scenario)
    return rows_of("recognition", recognize(evaluator, asked, "asked", threshold=threshold))


def summarize(results: Results, plan: Plan) -> Section:
    """Old and new concepts with either way, and what each costs."""
    runs = list(results[NAME])
    costs = ("the old ones", "one more, the old ones frozen", "all of them anew")
    rows = tuple(
        (words, str(mean_of(runs, lambda r, w=words: r.facts["tuning_cpu_s"][w])))  # type: ignore[misc]
        for words in costs
    )
    pairs = [("old, added", "old, before"), ("old, anew", "old, added"), ("new, added", "new, anew")]
    tables = (
        compare("The old concepts", runs, OLD, FIGURES),
        compare("The new concept", runs, NEW, FIGURES),
        differences("Paired", runs, pairs, FIGURES),
        Table("CPU seconds of tuning", ("what is tuned", "seconds"), rows, rests_on(runs)),
    )
    about = (
        "The last concept of each scenario is added later. The old ones are evaluated on the same photos "
        "before and after; none of these photos shows the new one alone."
    )
    return Section("Adding one concept", about, tables)


EXPERIMENT = Experiment(NAME, compute, summarize)
