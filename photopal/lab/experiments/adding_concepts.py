"""One more concept for a bank in use: its cost, and what it does to the concepts that are there.

The last concept of a scenario joins the others, either with their rows frozen, as the product does it, or in
a new joint run of them all.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.lab.datasets.scenario import Dataset
from photopal.lab.experiments.conditions import Bench
from photopal.lab.experiments.evaluator import Examiner
from photopal.lab.experiments.recognition import Asked, find_threshold, list_questions, recognise
from photopal.lab.experiments.registration import Learned, told_concepts
from photopal.lab.experiments.results import Cell, Experiment, Figures, Results, Section, Table, mean_of
from photopal.lab.experiments.tables import compare, differences, rests_on
from photopal.lab.experiments.tasks import rows_of

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


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune all but the last concept, then add it in either way."""
    dataset, scenario = bench.scenario(cell)
    seed, options = cell.seed, bench.plan.tune(cell.seed)
    first = replace(scenario, concepts=scenario.concepts[:-1])
    before = bench.register(dataset, first, seed)
    lessons = bench.lessons(dataset, before, seed)
    started = time.process_time()
    old, _ = bench.tune(before, lessons, options)
    seconds = {"the old ones": time.process_time() - started}

    learned = bench.register(dataset, scenario, seed)
    photos = bench.lessons(dataset, learned, seed)
    newest = learned.concepts[-1].id
    # Thresholds and directions are made anew with everybody; the old concepts keep their tuned rows.
    kept = [
        replace(learned.registered.concepts[i], inputs=one.inputs, outputs=one.outputs, is_tuned=True)
        for i, one in old.concepts.items()
    ]
    start = learned.registered.with_concepts(kept)
    told = {
        i: replace(concept, is_frozen=i != newest) for i, concept in told_concepts(learned.concepts).items()
    }
    started = time.process_time()
    added, _ = bench.tune(learned, photos, options, concepts=told, bank=start)
    seconds["one more, the old ones frozen"] = time.process_time() - started
    started = time.process_time()
    anew, _ = bench.tune(learned, photos, options)
    seconds["all of them anew"] = time.process_time() - started

    of_old = [one for one in list_questions(dataset, first, seed=seed) if len(one.names) == 1]
    newcomer = (scenario.concepts[-1].name,)
    of_new = [one for one in list_questions(dataset, scenario, seed=seed) if one.names == newcomer]
    arms = {"old, before": _ask(bench, dataset, before, old, of_old)}
    for arm, bank in (("added", added), ("anew", anew)):
        arms[f"old, {arm}"] = _ask(bench, dataset, learned, bank, of_old)
        arms[f"new, {arm}"] = _ask(bench, dataset, learned, bank, of_new)
    arms["new, registered"] = _ask(bench, dataset, learned, start, of_new)
    return arms, {"tuning_cpu_s": seconds}


def _ask(bench: Bench, dataset: Dataset, learned: Learned, bank: Bank, asked: list[Asked]) -> Figures:
    examiner = Examiner(bench.shelf, learned, bank, seed=0)
    threshold = find_threshold(examiner, dataset, learned.scenario)
    return rows_of("recognition", recognise(examiner, asked, "asked", threshold=threshold))


def tell(results: Results, plan: Plan) -> Section:
    """Old and new concepts with either way, and what each costs."""
    cells = list(results[NAME])
    costs = ("the old ones", "one more, the old ones frozen", "all of them anew")
    rows = tuple(
        (words, str(mean_of(cells, lambda r, w=words: r.facts["tuning_cpu_s"][w])))  # type: ignore[misc]
        for words in costs
    )
    pairs = [("old, added", "old, before"), ("old, anew", "old, added"), ("new, added", "new, anew")]
    tables = (
        compare("The old concepts", cells, OLD, FIGURES),
        compare("The new concept", cells, NEW, FIGURES),
        differences("Paired", cells, pairs, FIGURES),
        Table("Processor seconds of tuning", ("what is tuned", "seconds"), rows, rests_on(cells)),
    )
    about = (
        "The last concept of each scenario comes later. The old ones are asked for on the same photos before "
        "and after; none of these shows the new one alone."
    )
    return Section("Adding one concept", about, tables)


EXPERIMENT = Experiment(NAME, run, tell)
