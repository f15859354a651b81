"""Thresholds, abstaining, and how risk falls with coverage, from answers that were given; asks nothing.

The answers are those of `learned`: p(yes) and map scores of every concept on validation and on test photos.
Every choice is made on validation photos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from photopal.lab.experiments.core_claims import ERROR
from photopal.lab.experiments.core_claims import NAME as SOURCE
from photopal.lab.experiments.results import (
    FIGURES,
    Estimate,
    Experiment,
    Line,
    Plot,
    Result,
    Results,
    Section,
    Table,
    estimate,
    mean_of,
    number,
    of_group,
    pooled,
    rows_in,
)
from photopal.lab.experiments.tables import GROUPS, rests_on
from photopal.lab.metrics.intervals import bootstrap
from photopal.lab.metrics.yes_no import choose_threshold, weighted_recall

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "calibration"
ROUNDS = 400
COVERAGES = tuple(round(0.5 + 0.05 * step, 2) for step in range(11))
Answers = NDArray[np.float64]
"""`[answers, 5]`: which concept, whether it is there, p(yes), map score above its threshold, the verdict."""

CONCEPT, TRUE, SHARE, SCORE, SEEN = range(5)
Decide = Callable[[Result], Answers]
"""Gives `[answers, 3]`: whether it is there, whether Yes is said, how sure."""


def answers(result: Result, split: str) -> Answers:
    """What was answered on one split."""
    return np.array(result.facts[split], dtype=float).reshape(-1, 5)


def at_half(result: Result) -> Answers:
    """Yes from p = 0.5 on."""
    test = answers(result, "test")
    return _decided(test, np.full(len(test), 0.5))


def at_common(result: Result) -> Answers:
    """Yes from one threshold for the scenario on."""
    test = answers(result, "test")
    return _decided(test, np.full(len(test), _chosen(answers(result, "validation"))))


def at_own(result: Result) -> Answers:
    """Yes from a threshold for each concept on."""
    test, validation = answers(result, "test"), answers(result, "validation")
    levels = np.full(len(test), 0.5)
    for concept in np.unique(test[:, CONCEPT]):
        mine = validation[validation[:, CONCEPT] == concept]
        levels[test[:, CONCEPT] == concept] = _chosen(mine)
    return _decided(test, levels)


def by_maps(result: Result) -> Answers:
    """Yes where the map rises above the concept's threshold; no model is asked."""
    test = answers(result, "test")
    return np.stack([test[:, TRUE], test[:, SCORE] >= 0, np.abs(test[:, SCORE])], axis=1)


def by_both(result: Result) -> Answers:
    """As the product decides: by the map, and within its band by map and model."""
    test = answers(result, "test")
    return np.stack([test[:, TRUE], test[:, SEEN], np.abs(test[:, SCORE])], axis=1)


RULES: dict[str, Decide] = {
    "p(yes) at 0.5": at_half,
    "p(yes), one threshold a scenario": at_common,
    "p(yes), a threshold a concept": at_own,
    "maps alone": by_maps,
    "maps, in the abstain band with the model": by_both,
}


def _chosen(validation: Answers) -> float:
    is_there = validation[:, TRUE] > 0.5
    return choose_threshold(validation[is_there, SHARE].tolist(), validation[~is_there, SHARE].tolist())


def _decided(test: Answers, levels: NDArray[np.float64]) -> Answers:
    """How sure a p is counts on its own side of the threshold, from 0 there to 1 at the end."""
    share = test[:, SHARE]
    is_yes = share >= levels
    room = np.where(is_yes, 1 - levels, levels)
    sure = np.abs(share - levels) / np.maximum(room, 1e-9)
    return np.stack([test[:, TRUE], is_yes, sure], axis=1)


def in_band(result: Result) -> Answers:
    """`[answers, 2]`: whether the map leaves it undecided, and whether the map's own side is wrong."""
    test = answers(result, "test")
    half = np.array(result.facts["half_bands"])[test[:, CONCEPT].astype(int)]
    wrong = (test[:, SCORE] >= 0) != (test[:, TRUE] > 0.5)
    return np.stack([np.abs(test[:, SCORE]) < half, wrong], axis=1)


def risk_at(decided: Answers, coverage: float) -> float:
    """The share of wrong answers among the surest ones, so many of them as the coverage says."""
    order = np.argsort(-decided[:, 2], kind="stable")[: max(1, round(coverage * len(decided)))]
    return float(np.mean((decided[order, 0] > 0.5) != (decided[order, 1] > 0.5)))


def over(runs: Sequence[Result], decide: Decide, figure: Callable[[Answers], float]) -> Estimate:
    """A figure of decisions over scenarios."""
    values = [one for one in map(decide, runs) if len(one)]

    def make(drawn: Sequence[Answers]) -> float:
        return pooled(figure, drawn)

    return Estimate(make(values), bootstrap(make, values, rounds=ROUNDS), sum(map(len, values)), len(values))


def weighted(decided: Answers) -> float:
    """Mean of the recall of Yes and of No."""
    return weighted_recall(decided[:, 0] > 0.5, decided[:, 1] > 0.5)


def summarize(results: Results, plan: Plan) -> Section:
    """Rules side by side, what abstaining leaves, and the risk–coverage curve."""
    runs = [result for result in results[SOURCE] if len(answers(result, "test"))]
    rows = [
        (
            words,
            str(over(runs, decide, weighted)),
            *(str(over(runs, decide, lambda d, c=c: risk_at(d, c))) for c in (1.0, 0.9, 0.8)),  # type: ignore[misc]
        )
        for words, decide in RULES.items()
    ]
    columns = ("decided by", "weighted", "wrong of all", "wrong of the surest 90 %", "of the surest 80 %")
    count = sum(len(answers(result, "test")) for result in runs)
    note = f"{rests_on(runs)}. {count:,} questions with single names, all kinds of negatives."
    tables = (Table("Deciding", columns, tuple(rows), note), _band_table(runs), _error_table(runs))
    plot = Plot(
        name="risk-coverage",
        title="Wrong answers among those that are given",
        x="coverage",
        y="share wrong",
        lines=tuple(_curve(runs, words, decide) for words, decide in RULES.items()),
    )
    about = (
        "Tuned embeddings. The confidence of p(yes) is its distance from the threshold as a share of the "
        "largest possible distance; the confidence of a map is its distance from the concept's threshold."
    )
    return Section("Calibration", about, tables, (plot,))


def _band_table(runs: Sequence[Result]) -> Table:
    def inside(band: Answers) -> float:
        return float(band[:, 0].mean())

    def wrong(is_inside: bool) -> Callable[[Answers], float]:
        def share(band: Answers) -> float:
            chosen = band[(band[:, 0] > 0.5) == is_inside, 1]
            return float(chosen.mean()) if len(chosen) else float("nan")

        return share

    rows = (
        ("answers the maps leave undecided", str(over(runs, in_band, inside))),
        ("wrong by the map's side, outside the band", str(over(runs, in_band, wrong(False)))),
        ("wrong by the map's side, within the band", str(over(runs, in_band, wrong(True)))),
    )
    return Table("The abstain band of the maps", ("", "share"), rows, rests_on(runs))


def _error_table(runs: Sequence[Result]) -> Table:
    """p(yes) of all recognition questions with tuned rows: the same the claim about ECE rests on."""
    answers_given = np.concatenate([np.empty((0, 2)), *(rows_in(result, "tuned", ERROR) for result in runs)])
    bins = []
    for low in np.arange(0, 1, 0.1):
        inside = answers_given[
            (answers_given[:, 1] >= low) & ((answers_given[:, 1] < low + 0.1) | (low > 0.89))
        ]
        if len(inside):
            shares = (number(float(inside[:, 1].mean())), number(float(inside[:, 0].mean())))
            bins.append((f"{low:.1f} to {low + 0.1:.1f}", f"{len(inside):,}", *shares))
    each = mean_of(runs, lambda r: FIGURES[ERROR](rows_in(r, "tuned", ERROR)))
    errors = [f"{group} scenarios {estimate(of_group(runs, group), 'tuned', ERROR)}" for group in GROUPS]
    note = (
        f"{rests_on(runs)}. All recognition questions, names together, too. Expected calibration error: "
        f"{', '.join(errors)}; within a scenario, on average, {each}."
    )
    return Table("Calibration of p(yes)", ("p(yes)", "answers", "mean p", "true"), tuple(bins), note)


def _curve(runs: Sequence[Result], words: str, decide: Decide) -> Line:
    decided = np.concatenate([decide(result) for result in runs]) if runs else np.empty((0, 3))
    if not len(decided):
        return Line(words, (), ())
    return Line(words, COVERAGES, tuple(risk_at(decided, coverage) for coverage in COVERAGES))


EXPERIMENT = Experiment(NAME, None, summarize, needs=(SOURCE,))
