"""What registration and tuning are made of, one ingredient changed at a time on the same scenarios.

Boxes, or nothing, in place of masks; prompts with one name only, without distractors; no talk of looks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.lab.experiments.arms import one_name_each, tune_jointly
from photopal.lab.experiments.bench import Bench
from photopal.lab.experiments.exam import examine
from photopal.lab.experiments.form import Cell, Experiment, Figures, Results, Section
from photopal.lab.experiments.tables import compare, differences
from photopal.lab.runs.learning import Region, told_concepts
from photopal.lab.runs.posing import Examiner

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "ingredients"
TASKS = ("recognition", "places", "choice", "caption")
FIGURES = (
    "recognition: weighted",
    "recognition: AUROC of p(yes)",
    "places: peak within the mask",
    "choice: accuracy",
    "choice: accuracy without photos",
    "caption: F1 of names, all offered",
)
REGIONS: dict[Region, str] = {"mask": "masks", "box": "boxes", "none": "no masks"}
TUNED = {
    "masks, tuned": "as it is",
    "boxes, tuned": "boxes for masks",
    "no masks, tuned": "no masks",
    "one name a prompt": "one name a prompt, no distractors",
    "no looks": "no conversations about looks",
}


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Learn one scenario as it is and with each change."""
    dataset, scenario = bench.scenario(cell)
    seed, options = cell.seed, bench.plan.tune(cell.seed)
    banks, facts = {}, {}
    taught = {region: bench.register(dataset, scenario, seed, region=region) for region in REGIONS}
    for region, words in REGIONS.items():
        photos = bench.lessons(dataset, taught[region], seed)
        tuned = tune_jointly(bench, taught[region], photos, options)
        banks[f"{words}, registered"] = (taught[region], taught[region].registered)
        banks[f"{words}, tuned"] = (taught[region], tuned.bank)
        facts[f"{words}, tuned"] = tuned.steps
    learned = taught["mask"]
    photos = bench.lessons(dataset, learned, seed)
    told = told_concepts(learned.concepts)
    single = one_name_each(photos, list(told))
    larger = replace(options, batch_photos=max(1, round(options.batch_photos * len(single) / len(photos))))
    alone, report = bench.tune(learned, single, larger)
    silent = {i: replace(concept, descriptions=()) for i, concept in told.items()}
    without, _ = bench.tune(learned, photos, options, concepts=silent)
    banks |= {"one name a prompt": (learned, alone), "no looks": (learned, without)}
    facts["one name a prompt"] = report.steps
    arms = {
        arm: examine(Examiner(bench.shelf, one, bank, seed=seed), dataset, TASKS, seed=seed)
        for arm, (one, bank) in banks.items()
    }
    return arms, {"steps": facts}


def tell(results: Results, plan: Plan) -> Section:
    """Each change beside what it changes."""
    cells = list(results[NAME])
    registered = {f"{words}, registered": words for words in REGIONS.values()}
    base = "masks, tuned"
    pairs = [(base, arm) for arm in TUNED if arm != base]
    tables = (
        compare("Masks, boxes, nothing: registered only", cells, registered, FIGURES),
        compare("One ingredient changed, tuned", cells, TUNED, FIGURES),
        differences("What each ingredient gives, paired", cells, pairs, FIGURES, TUNED),
    )
    about = (
        "A prompt with one name holds the one who is there, or one who is not; such prompts are twice as "
        "many and come twice as many an update. Without masks the subject is what recurs across its photos. "
        "Talk of looks is tuned on with the photo at hand; the authors' conversations have none, which the "
        "questions without photos come nearest to."
    )
    return Section("Ingredients", about, tables)


EXPERIMENT = Experiment(NAME, run, tell)
