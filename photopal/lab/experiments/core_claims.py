"""Is anything learned: recognition with its controls, lookalikes, places, marks, captions; trains jointly.

MC-LLaVA, sections 3 and 4. Every scenario is registered and tuned once, and asked in many ways. What the
calibration section tells comes from the same runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.concepts import Bank, RegisterOptions
from photopal.lab.datasets.scenario import Dataset
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.evaluator import MARKS, Control, Evaluator, MarkedEvaluator, Marks, map_score
from photopal.lab.experiments.learned_scenario import LearnedScenario, LearningOptions, in_own_words, register
from photopal.lab.experiments.recognition import list_questions, list_validation, shares_of_yes
from photopal.lab.experiments.results import (
    Estimate,
    Experiment,
    Figures,
    Result,
    Results,
    Rows,
    Run,
    Section,
    Table,
    Verdict,
    difference,
    estimate,
    of_group,
)
from photopal.lab.experiments.tables import (
    GROUPS,
    at_least,
    at_most,
    compare,
    differences,
    groups_in,
    no_gain,
    shown,
    within,
)
from photopal.lab.experiments.tasks import evaluate_tasks

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "claims"
TASKS = ("recognition", "places", "choice", "caption")
WEIGHTED = "recognition: weighted"
BALANCED = "recognition: AUROC of p(yes), balanced"
ERROR = "recognition: ECE of p(yes)"
RECOGNITION = (
    WEIGHTED,
    "recognition: weighted, authors' labels",
    "recognition: weighted, more negatives, own threshold",
    "recognition: AUROC of p(yes)",
    BALANCED,
    ERROR,
)
KINDS = ("random", "other kind", "same kind", "sibling", "near-duplicate")
DECIDED = ", whole decision"
PERMUTED = "rows permuted"
CONTROLS: dict[str, str] = {
    PERMUTED: "tuned, embeddings exchanged within the scenario",
    "wrong concept": "embeddings of other scenarios' concepts",
    "no concept": "no concept in the prompt",
}
OWN_WORDS = "own words"
CHOICE_CONTROLS: tuple[Control, ...] = ("no concept", "wrong concept", "blank image", "text only")
GROUNDING = "grounding: accuracy"
TOLD = "grounding: accuracy without letters"
MARK_PAIRS: tuple[tuple[Marks, Marks], ...] = (
    ("marks", "no marks"),
    ("marks", "sentence only"),
    ("marks", "random marks"),
    ("random marks", "no marks"),
    ("sentence only", "no marks"),
)


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Learn one scenario and ask everything about it."""
    dataset, scenario = context.scenario(run)
    seed = run.seed
    learned = context.register(dataset, scenario, seed)
    photos = context.tuning_photos(dataset, learned, seed)
    tuned, report = context.tune(learned, photos, context.plan.tune(seed))
    learned = context.with_bank(learned, tuned)
    conditions: dict[str, Figures] = {}
    for condition, bank in (("registered", learned.registered), ("tuned", tuned)):
        conditions[condition] = context.evaluate(dataset, learned, bank, TASKS, seed)
    if any(concept.words for concept in tuned.concepts.values()):
        negatives = context.negative_features(dataset, scenario, seed)
        own = in_own_words(context.store, learned, negatives)
        conditions[OWN_WORDS] = context.evaluate(dataset, learned, own, ("caption",), seed)
    evaluator = Evaluator(context.store, learned, tuned, seed=seed)
    for control in (one for one in CHOICE_CONTROLS if one in evaluator.controls):
        tasks = ("recognition", "choice") if control in CONTROLS else ("choice",)
        conditions[control] = evaluate_tasks(evaluator, dataset, tasks, seed=seed, control=control)
    if len(learned.concepts) > 1:
        others = Evaluator(context.store, learned, permuted(tuned), seed=seed)
        conditions[PERMUTED] = evaluate_tasks(others, dataset, ("recognition",), seed=seed)
    for marks in MARKS:
        marked = MarkedEvaluator(context.store, learned, tuned, seed=seed, marks=marks)
        conditions[marks] = evaluate_tasks(marked, dataset, ("grounding",), seed=seed)
    conditions["one concept alone"] = {"presence alone: AUROC": _alone(context, dataset, learned, seed)}
    facts = _answers(evaluator, dataset, seed)
    facts |= {"tuning_s": report.seconds, "register_s": learned.seconds, "best_epoch": report.best_epoch}
    return conditions, facts


def permuted(bank: Bank) -> Bank:
    """Every concept with the rows of the next one; maps and thresholds stay its own."""
    concepts = list(bank.concepts.values())
    return bank.with_concepts(
        [
            replace(one, inputs=other.inputs, outputs=other.outputs)
            for one, other in zip(concepts, [*concepts[1:], *concepts[:1]], strict=True)
        ]
    )


def _alone(context: ExperimentContext, dataset: Dataset, learned: LearnedScenario, seed: int) -> Rows:
    """Scores by the maps where each concept is the only one registered: m = 1."""
    scenario = learned.scenario
    negatives = context.negative_features(dataset, scenario, seed)
    asked = [one for one in list_questions(dataset, scenario, seed=seed) if len(one.names) == 1]
    how = LearningOptions(None, RegisterOptions(seed=seed))
    scored: Rows = []
    for row, concept in zip(learned.concepts, scenario.concepts, strict=True):
        bank = register(context.store, [row], [concept], negatives, how)
        mine = [one for one in asked if one.names == (row.name,)]
        features = context.store.features([one.photo for one in mine])
        readings = [map_score(bank, row.id, one) for one in features]
        scored += [[float(one.is_there), round(s, 6)] for one, s in zip(mine, readings, strict=True)]
    return scored


def _answers(evaluator: Evaluator, dataset: Dataset, seed: int) -> dict[str, Any]:
    """p(yes) and map scores of single names one by one, on validation and on test photos."""
    scenario = evaluator.learned.scenario
    number = {name: index for index, name in enumerate(scenario.names)}
    ids = {concept.name: concept.id for concept in evaluator.learned.concepts}
    asked = [one for one in list_questions(dataset, scenario, seed=seed) if len(one.names) == 1]
    answers: dict[str, Any] = {}
    for split, questions in (("validation", list_validation(dataset, scenario)), ("test", asked)):
        rows = []
        for one, share in shares_of_yes(evaluator, questions, "asked"):
            sighting = evaluator.analysis(one.photo).of(ids[one.names[0]])
            if sighting is not None:
                facts = (number[one.names[0]], one.is_there, share, sighting.score, sighting.is_present)
                rows.append([round(float(fact), 6) for fact in facts])
        answers[split] = rows
    calibrations = [evaluator.bank.concepts[ids[name]].calibration for name in scenario.names]
    answers["half_bands"] = [(one.high - one.low) / 2 for one in calibrations]
    return answers


def summarize(results: Results, plan: Plan) -> Section:
    """Tables of everything asked, and the claims that rest on it."""
    runs = list(results[NAME])
    about = (
        "Recognition by the authors' questions (mean of the recall of Yes and of No at p = 0.5) with the "
        "correct labels, next to the figure with the authors' labels, which count a concept as present that "
        "is missing from the last photo of several; and with all negatives, at a threshold from validation "
        "photos. Controls remove the concept. A control that always says No gets a mean recall of 0.5, "
        "whatever p(yes) reveals; and many subjects in a photo, or one of the right kind, make Yes more "
        "likely without any concept. So controls are judged by the AUROC of p(yes) on balanced questions: "
        "about photos of one concept, each asked for that concept and for another of its kind. With the "
        "embeddings of another concept of the scenario, a model that relies on the embeddings is below 0.5: "
        "it answers for that concept."
    )
    verdicts = (*_learning(runs), *_marks(runs), *_negatives(runs), *_maps_and_words(runs))
    return Section(
        title="Is anything learned?", about=about, tables=_tables(runs), plots=(), verdicts=verdicts
    )


def _tables(runs: Sequence[Result]) -> tuple[Table, ...]:
    both = {"registered": "registered only", "tuned": "tuned"}
    told = {OWN_WORDS: "registered only, in the model's own words"}
    kinds = [f"recognition: FPR at recall 0.9, {kind}" for kind in KINDS]
    decided = [f"{kind}{DECIDED}" for kind in kinds]
    marks: dict[str, str] = {one: one for one in MARKS}
    other = (
        "places: peak within the mask",
        "places: box IoU",
        "recognition: AUROC of the maps",
        "choice: accuracy",
        "caption: F1 of names, all offered",
        "caption: wrong names per photo, all offered",
        "caption: F1 of names, none offered",
        "caption: wrong names per photo, none offered",
    )
    away = {"tuned": "tuned"} | {one: CONTROLS.get(one, one) for one in CHOICE_CONTROLS}
    note = f"{groups_in(runs).capitalize()}."
    return (
        *(
            compare(f"Recognition, {group} scenarios", of_group(runs, group), both | CONTROLS, RECOGNITION)
            for group in GROUPS
        ),
        compare("False positives at recall 0.9, by kind of negative", runs, both, kinds, note),
        compare("… by the whole decision: location map and p(yes)", runs, both, decided, note),
        compare("Localization, presence, multiple choice and captions", runs, both | told, other, note),
        compare("Multiple choice under controls", runs, away, ("choice: accuracy",), note),
        differences(
            "Multiple choice against its controls, paired",
            runs,
            [("tuned", one) for one in CHOICE_CONTROLS],
            ("choice: accuracy",),
            away,
        ),
        compare("Grounding with and without marks", runs, marks, (GROUNDING, TOLD), note),
        differences("Marks, paired", runs, MARK_PAIRS, (GROUNDING, TOLD)),
    )


def _learning(runs: Sequence[Result]) -> list[Verdict]:
    """Recognition of plain scenarios, and what is left of it without the concept."""
    plain = of_group(runs, "plain")
    learned = estimate(plain, "tuned", WEIGHTED)
    mine = estimate(runs, "tuned", BALANCED)
    where = groups_in(runs)
    found = [
        at_least("learned at all: weighted recognition, plain scenarios", learned, 0.9, NAME),
        shown(f"… AUROC on balanced questions, {where}", mine, NAME),
    ]
    for control, words in CONTROLS.items():
        area = estimate(runs, control, BALANCED)
        claim = f"… {words}: AUROC on balanced questions, {where}"
        is_permuted = control == PERMUTED
        found.append(
            at_most(claim, area, 0.55, NAME) if is_permuted else within(claim, area, 0.5, 0.05, NAME)
        )
        weighted = estimate(plain, control, WEIGHTED)
        found.append(shown(f"… {words}: weighted recognition, plain scenarios", weighted, NAME))
    return found


def _marks(runs: Sequence[Result]) -> list[Verdict]:
    """Grounding with marks against no marks, the sentence alone, and marks elsewhere."""
    where = groups_in(runs)

    def gain(first: Marks, second: Marks, figure: str = GROUNDING) -> Estimate:
        return difference(runs, figure, (first, second))

    return [
        at_least(f"marks on − off, grounding, {where}", gain("marks", "no marks"), 0.03, NAME),
        at_least(f"marks − sentence only, {where}", gain("marks", "sentence only"), 0.0, NAME, is_firm=True),
        at_least(f"marks − marks at random, {where}", gain("marks", "random marks"), 0.0, NAME, is_firm=True),
        no_gain(f"marks at random − off, {where}", gain("random marks", "no marks"), 0.03, NAME),
        shown(f"sentence only − off, {where}", gain("sentence only", "no marks"), NAME),
        shown(f"marks on − off, grounding without letters, {where}", gain("marks", "no marks", TOLD), NAME),
    ]


def _negatives(runs: Sequence[Result]) -> list[Verdict]:
    """False positives by who is there instead."""
    where = groups_in(runs)

    def rate(kind: str, by: str = "") -> Estimate:
        return estimate(runs, "tuned", f"recognition: FPR at recall 0.9, {kind}{by}")

    return [
        at_most(f"FPR at recall 0.9 of the model's Yes: random, {where}", rate("random"), 0.02, NAME),
        at_most(f"… same category, {where}", rate("same kind"), 0.05, NAME),
        at_most(f"… sibling, {where}", rate("sibling"), 0.05, NAME),
        shown(f"… near-duplicate, {where}", rate("near-duplicate"), NAME),
        at_most(f"… by the whole decision: random, {where}", rate("random", DECIDED), 0.02, NAME),
        at_most(f"… by the whole decision: same category, {where}", rate("same kind", DECIDED), 0.05, NAME),
        at_most(f"… by the whole decision: sibling, {where}", rate("sibling", DECIDED), 0.05, NAME),
        shown(f"… by the whole decision: near-duplicate, {where}", rate("near-duplicate", DECIDED), NAME),
    ]


def _maps_and_words(runs: Sequence[Result]) -> list[Verdict]:
    """Places and presence by the maps, calibration of p(yes), names in captions."""
    where = groups_in(runs)
    peak = estimate(runs, "registered", "places: peak within the mask")
    area = estimate(runs, "registered", "recognition: AUROC of the maps")
    alone = estimate(runs, "one concept alone", "presence alone: AUROC")
    error = estimate(of_group(runs, "plain"), "tuned", ERROR)
    names = estimate(runs, "tuned", "caption: F1 of names, all offered")
    wrong = estimate(runs, "tuned", "caption: wrong names per photo, all offered")
    offered = "caption: F1 of names, none offered"
    found, untuned = (estimate(runs, condition, offered) for condition in ("tuned", OWN_WORDS))
    told = f"… in the model's own words, not tuned: names F1, {where}"
    return [
        at_least(f"location: arg-max inside the mask, {where}", peak, 0.85, NAME),
        at_least(f"presence AUROC, absent concepts, {where}", area, 0.95, NAME),
        at_least(f"… one concept registered (m = 1), {where}", alone, 0.95, NAME),
        at_most("ECE of p(yes), plain scenarios", error, 0.05, NAME),
        at_least(f"captions: names F1, all names offered, {where}", names, 0.9, NAME),
        at_most(f"… hallucinated names a photo, {where}", wrong, 0.05, NAME),
        shown(f"… names F1, those offered that the maps find, {where}", found, NAME),
        *([] if math.isnan(untuned.value) else [shown(told, untuned, NAME)]),
    ]


EXPERIMENT = Experiment(NAME, compute, summarize)
