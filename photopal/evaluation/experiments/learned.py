"""Is anything learned: recognition with its controls, lookalikes, places, marks, captions; trains jointly.

MC-LLaVA, sections 3 and 4. Every scenario is registered and tuned once, and asked in many ways. What the
calibration section tells comes from the same cells.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.concepts import RegisterOptions
from photopal.evaluation.datasets.form import Dataset
from photopal.evaluation.experiments.bench import Bench
from photopal.evaluation.experiments.estimates import difference, estimate, of_group
from photopal.evaluation.experiments.exam import MARKS, MarkedExaminer, examine, map_score
from photopal.evaluation.experiments.form import Cell, Experiment, Figures, Results, Rows, Section, Verdict
from photopal.evaluation.experiments.tables import (
    at_least,
    at_most,
    compare,
    differences,
    shown,
    within,
)
from photopal.evaluation.runs.learning import Learned, LearnOptions, register
from photopal.evaluation.runs.posing import Control, Examiner
from photopal.evaluation.runs.recognition import list_questions, list_validation, shares_of_yes

if TYPE_CHECKING:
    from photopal.evaluation.experiments.plan import Plan

NAME = "learned"
TASKS = ("recognition", "places", "choice", "caption")
RECOGNITION = (
    "recognition: weighted",
    "recognition: weighted, more negatives, own threshold",
    "recognition: AUROC of p(yes)",
    "recognition: ECE of p(yes)",
)
KINDS = ("random", "other kind", "same kind", "sibling", "near-duplicate")


def run(bench: Bench, cell: Cell) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Learn one scenario and ask everything about it."""
    dataset, scenario = bench.scenario(cell)
    seed = cell.seed
    learned = bench.register(dataset, scenario, seed)
    tuned, report = bench.tune(learned, bench.lessons(dataset, learned, seed), bench.plan.tune(seed))
    learned = bench.with_bank(learned, tuned)
    arms: dict[str, Figures] = {}
    for arm, bank in (("registered", learned.registered), ("tuned", tuned)):
        arms[arm] = examine(Examiner(bench.shelf, learned, bank, seed=seed), dataset, TASKS, seed=seed)
    examiner = Examiner(bench.shelf, learned, tuned, seed=seed)
    controls: tuple[Control, ...] = ("no concept", "wrong concept")
    for control in (one for one in controls if one in examiner.controls):
        arms[control] = examine(examiner, dataset, ("recognition",), seed=seed, control=control)
    for marks in MARKS:
        marked = MarkedExaminer(bench.shelf, learned, tuned, seed=seed, marks=marks)
        arms[marks] = examine(marked, dataset, ("grounding",), seed=seed)
    arms["one concept alone"] = {"presence alone: AUROC": _alone(bench, dataset, learned, seed)}
    facts = _answers(examiner, dataset, seed)
    facts |= {"tuning_s": report.seconds, "register_s": learned.seconds, "best_epoch": report.best_epoch}
    return arms, facts


def _alone(bench: Bench, dataset: Dataset, learned: Learned, seed: int) -> Rows:
    """Scores by the maps where each concept is the only one registered: m = 1."""
    scenario = learned.scenario
    strangers = bench.stranger_features(dataset, scenario, seed)
    asked = [one for one in list_questions(dataset, scenario, seed=seed) if len(one.names) == 1]
    how = LearnOptions(None, RegisterOptions(seed=seed))
    scored: Rows = []
    for row, concept in zip(learned.concepts, scenario.concepts, strict=True):
        bank = register(bench.shelf, [row], [concept], strangers, how)
        mine = [one for one in asked if one.names == (row.name,)]
        features = bench.shelf.features([one.photo for one in mine])
        readings = [map_score(bank, row.id, one) for one in features]
        scored += [[float(one.is_there), round(s, 6)] for one, s in zip(mine, readings, strict=True)]
    return scored


def _answers(examiner: Examiner, dataset: Dataset, seed: int) -> dict[str, Any]:
    """p(yes) and map scores of single names one by one, on validation and on test photos."""
    scenario = examiner.learned.scenario
    number = {name: place for place, name in enumerate(scenario.names)}
    ids = {concept.name: concept.id for concept in examiner.learned.concepts}
    asked = [one for one in list_questions(dataset, scenario, seed=seed) if len(one.names) == 1]
    told: dict[str, Any] = {}
    for split, questions in (("validation", list_validation(dataset, scenario)), ("test", asked)):
        rows = []
        for one, share in shares_of_yes(examiner, questions, "asked"):
            sighting = examiner.view(one.photo).of(ids[one.names[0]])
            if sighting is not None:
                facts = (number[one.names[0]], one.is_there, share, sighting.score, sighting.is_present)
                rows.append([round(float(fact), 6) for fact in facts])
        told[split] = rows
    calibrations = [examiner.bank.concepts[ids[name]].calibration for name in scenario.names]
    told["half_bands"] = [(one.high - one.low) / 2 for one in calibrations]
    return told


def tell(results: Results, plan: Plan) -> Section:
    """Tables of everything asked, and the claims that rest on it."""
    cells = list(results[NAME])
    plain = of_group(cells, "plain")
    names = {
        "registered": "registered only",
        "tuned": "tuned",
        "wrong concept": "tuned, another concept's rows",
        "no concept": "no concept in the prompt",
    }
    kinds = [f"recognition: FPR at recall 0.9, {kind}" for kind in KINDS]
    both = {"registered": "registered only", "tuned": "tuned"}
    marks: dict[str, str] = {one: one for one in MARKS}
    other = (
        "places: peak within the mask",
        "places: box IoU",
        "recognition: AUROC of the maps",
        "choice: accuracy",
        "caption: F1 of names, all offered",
        "caption: wrong names a photo, all offered",
    )
    tables = [
        compare("Recognition, plain scenarios", plain, names, RECOGNITION),
        compare("Recognition, lookalike scenarios", of_group(cells, "lookalike"), names, RECOGNITION),
        compare("False positives at recall 0.9, by who is there instead", cells, both, kinds),
        compare("Places, presence, choice and captions", cells, both, other),
        compare("Grounding with and without marks", cells, marks, ("grounding: accuracy",)),
        differences(
            "Marks, paired",
            cells,
            [(MARKS[0], MARKS[1]), (MARKS[2], MARKS[1]), (MARKS[3], MARKS[1])],
            ("grounding: accuracy",),
        ),
    ]
    about = (
        "Recognition by the authors' definition (mean of the recall of Yes and of No at p = 0.5) and with "
        "all negatives at a threshold from validation photos. Controls take the concept away."
    )
    return Section("Is anything learned?", about, tuple(tables), (), tuple(_verdicts(results)))


def _verdicts(results: Results) -> list[Verdict]:
    cells = list(results[NAME])
    plain = of_group(cells, "plain")
    weighted = "recognition: weighted"

    def rate(kind: str) -> str:
        return f"recognition: FPR at recall 0.9, {kind}"

    found = [
        at_least("learned at all: weighted recognition", estimate(plain, "tuned", weighted), 0.9, NAME),
        within("… another concept's rows", estimate(plain, "wrong concept", weighted), 0.5, 0.05, NAME),
        within("… no concept in the prompt", estimate(plain, "no concept", weighted), 0.5, 0.05, NAME),
    ]
    grounding = "grounding: accuracy"
    on, off, random = (MARKS[0], MARKS[1], MARKS[2])
    astray = difference(cells, grounding, (random, off))
    # No better: the interval of the gain reaches zero or below.
    astray_claim = at_most("marks at random − off", replace(astray, value=astray.interval[0]), 0.0, NAME)
    found += [
        at_least("marks on − off, grounding", difference(cells, grounding, (on, off)), 0.03, NAME),
        replace(astray_claim, figure=astray.value, target="no better than off"),
        shown("sentence only − off", difference(cells, grounding, (MARKS[3], off)), NAME),
    ]
    found += [
        at_most("FPR at recall 0.9: random", estimate(cells, "tuned", rate("random")), 0.02, NAME),
        at_most("… same category", estimate(cells, "tuned", rate("same kind")), 0.05, NAME),
        at_most("… sibling", estimate(cells, "tuned", rate("sibling")), 0.05, NAME),
        shown("… near-duplicate", estimate(cells, "tuned", rate("near-duplicate")), NAME),
    ]
    peak, area = "places: peak within the mask", "recognition: AUROC of the maps"
    alone = estimate(cells, "one concept alone", "presence alone: AUROC")
    names, wrong = "caption: F1 of names, all offered", "caption: wrong names a photo, all offered"
    found += [
        at_least("location: arg-max inside the mask", estimate(cells, "registered", peak), 0.85, NAME),
        at_least("presence AUROC, absent concepts", estimate(cells, "registered", area), 0.95, NAME),
        at_least("… one concept registered (m = 1)", alone, 0.95, NAME),
        at_most("ECE of p(yes)", estimate(plain, "tuned", "recognition: ECE of p(yes)"), 0.05, NAME),
        at_least("captions: names F1, all names offered", estimate(cells, "tuned", names), 0.9, NAME),
        at_most("… hallucinated names a photo", estimate(cells, "tuned", wrong), 0.05, NAME),
    ]
    return found


EXPERIMENT = Experiment(NAME, run, tell)
