"""How many soft tokens and how many photos a concept needs, registered and tuned (MC-LLaVA, section 4.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photopal.lab.datasets.scenario import Scenario
from photopal.lab.experiments.conditions import ExperimentContext
from photopal.lab.experiments.results import Experiment, Figures, Plot, Results, Run, Section, estimate
from photopal.lab.experiments.tables import compare, differences, line, shown

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

TOKENS = "tokens"
WEIGHTED = "recognition: weighted"
TOKEN_FIGURES = (WEIGHTED, "recognition: AUROC of p(yes)", "choice: accuracy")


def compute_tokens(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register and tune one scenario with every number of tokens."""
    dataset, scenario = context.scenario(run)
    conditions: dict[str, Figures] = {}
    for tokens in context.plan.tokens:
        learned = context.register(dataset, scenario, run.seed, tokens=tokens)
        found = context.before_and_after(dataset, learned, ("recognition", "choice"), run.seed)
        conditions |= {f"{how} {tokens}": figures for how, figures in found.items()}
    return conditions, {}


def summarize_tokens(results: Results, plan: Plan) -> Section:
    """A table of all numbers and a curve."""
    runs = list(results[TOKENS])
    ways = ("registered", "tuned")
    conditions = {f"{how} {k}": f"k = {k}, {how}" for how in ways for k in plan.tokens}
    lines = tuple(
        line(how, {float(k): estimate(runs, f"{how} {k}", WEIGHTED) for k in plan.tokens}) for how in ways
    )
    plot = Plot(
        name="tokens",
        title="Soft tokens a concept",
        x="k",
        y="recognition, weighted",
        lines=lines,
        is_log=True,
    )
    curve = ", ".join(map(str, plan.tokens))
    last = estimate(runs, f"tuned {plan.tokens[-1]}", WEIGHTED)
    verdict = shown(f"k = {curve}: weighted recognition at the last", last, TOKENS, "curve shown")
    table = compare("Soft tokens", runs, conditions, TOKEN_FIGURES)
    return Section(
        title="How many soft tokens",
        about="Each k is registered and tuned separately.",
        tables=(table,),
        plots=(plot,),
        verdicts=(verdict,),
    )


TOKEN_EXPERIMENT = Experiment(TOKENS, compute_tokens, summarize_tokens)


PHOTOS = "photos"
PHOTO_FIGURES = (
    WEIGHTED,
    "recognition: weighted, more negatives, own threshold",
    "recognition: AUROC of p(yes)",
    "recognition: AUROC of the maps",
    "places: peak within the mask",
)


def with_fewer(scenario: Scenario, count: int) -> Scenario:
    """The scenario with so many photos a concept; of three or more a fifth, at least one, validates."""
    concepts = []
    for one in scenario.concepts:
        held = min(len(one.validation), max(1, round(count / 5)) if count >= 3 else 0)
        concepts.append(replace(one, train=one.train[: count - held], validation=one.validation[:held]))
    return replace(scenario, concepts=tuple(concepts))


def compute_photos(context: ExperimentContext, run: Run) -> tuple[dict[str, Figures], dict[str, Any]]:
    """Register and tune one scenario with every number of photos."""
    dataset, scenario = context.scenario(run)
    conditions: dict[str, Figures] = {}
    for count in context.plan.photos:
        learned = context.register(dataset, with_fewer(scenario, count), run.seed)
        found = context.before_and_after(dataset, learned, ("recognition", "places"), run.seed)
        conditions |= {f"{how} {count}": figures for how, figures in found.items()}
    return conditions, {}


def summarize_photos(results: Results, plan: Plan) -> Section:
    """Training-free beside tuned for every number, and a curve."""
    runs = list(results[PHOTOS])
    ways = {"registered": "registered", "tuned": "tuned"}
    conditions = {f"{how} {n}": f"{n} photo{'s' * (n > 1)}, {how}" for n in plan.photos for how in ways}
    tables = (
        compare("Photos a concept", runs, conditions, PHOTO_FIGURES),
        differences(
            "Effect of tuning, paired",
            runs,
            [(f"tuned {n}", f"registered {n}") for n in plan.photos],
            PHOTO_FIGURES[:3],
        ),
    )
    lines = tuple(
        line(how, {float(n): estimate(runs, f"{how} {n}", WEIGHTED) for n in plan.photos}) for how in ways
    )
    plot = Plot(name="photos", title="Photos a concept", x="photos", y="recognition, weighted", lines=lines)
    listed = ", ".join(map(str, plan.photos))
    last = estimate(runs, f"tuned {plan.photos[-1]}", WEIGHTED)
    verdict = shown(f"photos = {listed}: weighted recognition at the last", last, PHOTOS, "curve shown")
    about = (
        "One photo in five is held out for thresholds and for choosing the best epoch; with fewer than three "
        "photos none is held out, and the threshold is p = 0.5."
    )
    return Section(
        title="How many photos; training-free against tuned",
        about=about,
        tables=tables,
        plots=(plot,),
        verdicts=(verdict,),
    )


PHOTO_EXPERIMENT = Experiment(PHOTOS, compute_photos, summarize_photos)
