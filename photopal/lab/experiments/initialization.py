"""What tuning starts from: loss and accuracy over updates (MC-LLaVA, figure 5).

k-means against random embeddings, in a block before the question, as in the paper; and, for models that were
never taught names, the words of a description against random embeddings, behind the name in the question.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from photopal.concepts import BankConcept
from photopal.concepts.initialize import begin_with_words
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.evaluator import Evaluator
from photopal.lab.experiments.learned_scenario import tuning_concepts
from photopal.lab.experiments.results import (
    Experiment,
    Figures,
    Plot,
    Result,
    Results,
    Run,
    Section,
    Table,
    Verdict,
    estimate,
    geometric_mean_of,
    mean_of,
    median_of,
)
from photopal.lab.experiments.tables import at_least, compare, groups_in, line, rests_on, shown
from photopal.lab.experiments.tasks import evaluate_tasks
from photopal.tuning import TuningProgress, tune_bank
from photopal.tuning.start import thorough

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "initialization"
STARTS = {"kmeans": "k-means", "random": "random embeddings"}
INLINE = {"words": "words of the description, inline", "noise": "random embeddings, inline"}
AGAINST = {"kmeans": "random", "words": "noise"}
SHARE = 0.95
FIGURES = ("recognition: weighted", "recognition: AUROC of p(yes)")


def compute(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Tune one scenario from either start and follow it, pass by pass."""
    dataset, scenario = context.scenario(run)
    seed, epochs = run.seed, context.plan.long_epochs
    options = replace(context.plan.tune(seed), epochs=epochs, patience=epochs)
    conditions: dict[str, Figures] = {}
    facts: dict[str, Any] = {}
    photos = None
    for start in STARTS | INLINE:
        learned = context.register(
            dataset, scenario, seed, initialization=start if start in STARTS else "kmeans"
        )
        photos = photos or context.tuning_photos(dataset, learned, seed)
        progress: list[TuningProgress] = []
        begun, how = learned.registered, options
        if start in INLINE:
            looks = {one.id: one.about for one in learned.concepts if one.about}
            worded = [begin_with_words(context.model, begun.concepts[i], words) for i, words in looks.items()]
            begun = begun.with_concepts(worded if start == "words" else at_random(worded, seed))
            how = replace(thorough(options), epochs=epochs, variants=options.variants)
        tuned, report = tune_bank(
            context.model,
            begun,
            tuning_concepts(learned.concepts),
            photos,
            how,
            on_progress=progress.append,
        )
        for condition, bank in ((f"{start} at once", begun), (f"{start} tuned", tuned)):
            evaluator = Evaluator(context.store, learned, bank, seed=seed)
            conditions[condition] = evaluate_tasks(evaluator, dataset, ("recognition",), seed=seed)
        facts[start] = {
            "steps": [one.epoch * report.steps // max(1, report.epochs) for one in progress],
            "loss": [one.validation.loss for one in progress],
            "accuracy": [one.validation.accuracy for one in progress],
        }
    return conditions, facts


def at_random(concepts: Sequence[BankConcept], seed: int) -> list[BankConcept]:
    """The same concepts with random embeddings of the same lengths."""
    generator = torch.Generator().manual_seed(seed)
    changed = []
    for concept in concepts:
        noise = torch.randn(concept.inputs.shape, generator=generator)
        inputs = torch.nn.functional.normalize(noise, dim=-1) * concept.inputs.norm(dim=-1, keepdim=True)
        changed.append(replace(concept, inputs=inputs))
    return changed


def steps_to(curve: dict[str, list[float]], level: float) -> float:
    """Updates until the validation accuracy first reaches a level; infinite where it never does."""
    for steps, accuracy in zip(curve["steps"], curve["accuracy"], strict=True):
        if accuracy >= level:
            return float(steps)
    return math.inf


def _level(result: Result, start: str) -> float:
    """95 % of the better final accuracy of a start and of the one it is compared with."""
    pair = next(pair for pair in AGAINST.items() if start in pair)
    return float(SHARE * max(result.facts[one]["accuracy"][-1] for one in pair))


def needed_steps(result: Result, start: str) -> float:
    """Updates until 95 % of the better final accuracy of the two runs; all updates where it takes more.

    A start that is there without any update counts with half a pass: accuracy is looked at once a pass, so
    less cannot be told apart.
    """
    level = _level(result, start)
    steps = result.facts[start]["steps"]
    found = min(steps_to(result.facts[start], level), float(steps[-1]))
    return found or max(1.0, steps[min(1, len(steps) - 1)] / 2)


def times_fewer(result: Result, start: str = "kmeans") -> float:
    """Updates that random embeddings in the same place need over those that a start needs."""
    return needed_steps(result, AGAINST[start]) / needed_steps(result, start)


def never_gets_there(result: Result, start: str) -> bool:
    """Whether all updates were not enough."""
    level = _level(result, start)
    return math.isinf(steps_to(result.facts[start], level))


def summarize(results: Results, plan: Plan) -> Section:
    """Curves, how many updates either start needs, and accuracy with none."""
    runs = list(results[NAME])
    starts = STARTS | INLINE
    conditions = {f"{s} {when}": f"{w}, {when}" for s, w in starts.items() for when in ("at once", "tuned")}
    plots = (
        _plot(runs, "accuracy", "validation accuracy"),
        _plot(runs, "loss", "validation loss of an answer token"),
    )
    about = (
        "Loss and accuracy are measured on held-out photos after every epoch. An initialization that "
        "reaches 95 % without any update counts as half an epoch, one that never does as all its updates, "
        "so that the true ratio may be larger. Ratios are computed per scenario and averaged "
        "geometrically."
    )
    tables = (compare("Test photos, before and after tuning", runs, conditions, FIGURES), _steps(runs))
    return Section(title="Initialization", about=about, tables=tables, plots=plots, verdicts=_verdicts(runs))


def _steps(runs: Sequence[Result]) -> Table:
    rows = []
    for start, words in (STARTS | INLINE).items():
        each = mean_of(runs, lambda r, s=start: needed_steps(r, s))  # type: ignore[misc]
        half = median_of(runs, lambda r, s=start: needed_steps(r, s))  # type: ignore[misc]
        at_once = sum(r.facts[start]["accuracy"][0] >= _level(r, start) for r in runs)
        never = sum(never_gets_there(r, start) for r in runs)
        rows.append((words, str(each), str(half), str(at_once), str(never)))
    for start, words in (STARTS | INLINE).items():
        if start in AGAINST:
            ratio = geometric_mean_of(runs, lambda r, s=start: times_fewer(r, s))  # type: ignore[misc]
            half = median_of(runs, lambda r, s=start: times_fewer(r, s))  # type: ignore[misc]
            rows.append((f"random embeddings / {words}, geometric mean", str(ratio), str(half), "", ""))
    columns = ("start", "updates, mean", "median", "scenarios there with none", "that never get there")
    note = f"{rests_on(runs)}. The better final accuracy of each pair counts, on validation photos."
    return Table("Updates to 95 % of the final validation accuracy", columns, tuple(rows), note)


def _verdicts(runs: Sequence[Result]) -> tuple[Verdict, ...]:
    ratio = geometric_mean_of(runs, times_fewer)
    claim = f"k-means: times fewer updates to 95 % than random embeddings, {groups_in(runs)}"
    found = [
        at_least(claim, ratio, 1.5, NAME, is_firm=True, floor=1.0),
        shown("… the median of scenarios", median_of(runs, times_fewer), NAME),
    ]
    words_ratio = geometric_mean_of(runs, lambda r: times_fewer(r, "words"))
    inline = f"{INLINE['words']}: times fewer updates to 95 % than {INLINE['noise']}"
    found.append(shown(inline, words_ratio, NAME))
    for start, words in (STARTS | INLINE).items():
        zero = mean_of(runs, lambda r, s=start: r.facts[s]["accuracy"][0])  # type: ignore[misc]
        found.append(shown(f"… without any update, validation accuracy, {words}", zero, NAME))
        tested = estimate(runs, f"{start} at once", FIGURES[0])
        found.append(shown(f"… without any update, test photos, weighted recognition, {words}", tested, NAME))
    return tuple(found)


def _plot(runs: Sequence[Result], what: str, words: str) -> Plot:
    lines = []
    for start, label in (STARTS | INLINE).items():
        epochs = range(min((len(r.facts[start][what]) for r in runs), default=0))
        points = {}
        for epoch in epochs:
            x = sum(r.facts[start]["steps"][epoch] for r in runs) / len(runs)
            points[x] = mean_of(runs, lambda r, e=epoch, s=start: r.facts[s][what][e])  # type: ignore[misc]
        lines.append(line(label, points))
    return Plot(
        name=f"starting-{what}",
        title=f"Tuning from either start: {words}",
        x="updates",
        y=words,
        lines=tuple(lines),
    )


EXPERIMENT = Experiment(NAME, compute, summarize)
