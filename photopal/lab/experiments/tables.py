"""Makes tables and curves of estimates: arms down, figures across; knows no experiment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from photopal.lab.experiments.estimates import (
    Estimate,
    difference,
    estimate,
    number,
    seeds_of,
)
from photopal.lab.experiments.form import Line, Result, Table, Verdict
from photopal.text import count

GROUPS = ("plain", "lookalike")
SHORT = {
    "recognition: weighted": "recognition, weighted",
    "recognition: weighted, authors' labels": "weighted, authors' labels",
    "recognition: weighted, more negatives, own threshold": "more negatives, own threshold",
    "recognition: AUROC of p(yes)": "AUROC of p(yes)",
    "recognition: AUROC of p(yes), balanced": "AUROC, balanced",
    "recognition: ECE of p(yes)": "ECE of p(yes)",
    "recognition: AUROC of the maps": "AUROC of the maps",
    "places: peak within the mask": "peak within the mask",
    "places: box IoU": "box IoU",
    "grounding: accuracy": "grounding",
    "choice: accuracy": "choice",
    "choice: accuracy without photos": "choice without photos",
    "caption: F1 of names, all offered": "names F1",
    "caption: wrong names a photo, all offered": "wrong names a photo",
    "caption: F1 of names, none offered": "names F1, none offered",
    "caption: wrong names a photo, none offered": "wrong names a photo, none offered",
}
"""Headings of columns."""


def heading(figure: str) -> str:
    """A figure's name as the heading of a column."""
    return SHORT.get(figure, figure.removeprefix("recognition: ").removeprefix("FPR at recall 0.9, "))


def rests_on(results: Sequence[Result]) -> str:
    """What a table rests on, in words."""
    seeds = ", ".join(map(str, seeds_of(results)))
    seconds = sum(result.cpu_seconds for result in results)
    return f"{count(len(results), 'scenario')}; seeds {seeds}; {seconds:.0f} processor seconds"


def groups_in(results: Sequence[Result]) -> str:
    """Which kinds of scenarios there are, in words: for claims, which must not mix them unsaid."""
    groups = [group for group in GROUPS if any(result.group == group for result in results)]
    return f"{' and '.join(groups) or 'no'} scenarios"


def compare(
    title: str, results: Sequence[Result], arms: Mapping[str, str], figures: Sequence[str], note: str = ""
) -> Table:
    """Arms down, figures across, each with its interval.

    Args:
        title: Of the table.
        results: The cells.
        arms: By their name in the cells, as the table calls them.
        figures: Which.
        note: What to add to what it rests on.
    """
    rows, questions = [], dict.fromkeys(figures, 0)
    for arm, words in arms.items():
        found = [estimate(results, arm, figure) for figure in figures]
        if all(math.isnan(one.value) for one in found):
            continue
        rows.append((words, *map(str, found)))
        for figure, one in zip(figures, found, strict=True):
            questions[figure] = max(questions[figure], one.questions)
    counts = ", ".join(f"{heading(f)} {number:,}" for f, number in questions.items() if number)
    words = f"{rests_on(results)}. Questions an arm: {counts}. {note}".strip()
    return Table(title, ("", *map(heading, figures)), tuple(rows), words)


def differences(
    title: str,
    results: Sequence[Result],
    pairs: Sequence[tuple[str, str]],
    figures: Sequence[str],
    names: Mapping[str, str] | None = None,
) -> Table:
    """Paired differences of arms, the first minus the second, on the same scenarios."""
    called = names or {}
    rows = [
        (
            f"{called.get(first, first)} − {called.get(second, second)}",
            *(signed(difference(results, figure, (first, second))) for figure in figures),
        )
        for first, second in pairs
    ]
    words = f"{rests_on(results)}. The same scenarios are drawn for both arms."
    return Table(title, ("difference", *map(heading, figures)), tuple(rows), words)


def signed(found: Estimate) -> str:
    """A difference with its sign."""
    if math.isnan(found.value):
        return "–"
    low, high = found.interval
    around = "" if math.isnan(low) else f" ({low:+.3f} to {high:+.3f})"
    return f"{found.value:+.3f}{around}"


def line(label: str, points: Mapping[float, Estimate]) -> Line:
    """A curve through estimates; those that could not be had are left out."""
    known = {x: found for x, found in points.items() if not math.isnan(found.value)}
    return Line(
        label,
        tuple(float(x) for x in known),
        tuple(found.value for found in known.values()),
        tuple(found.interval for found in known.values()),
    )


def at_least(
    claim: str, found: Estimate, target: float, experiment: str, *, is_firm: bool = False, floor: float = 0.0
) -> Verdict:
    """A claim that a figure is at least so high, and where it is firm, its interval above a floor."""
    words = f"≥ {number(target, 2)}" + (f", interval above {floor:g}" if is_firm else "")
    verdict = _verdict(claim, found, words, found.value - target, experiment)
    return replace(verdict, is_firm=is_firm, floor=floor)


def at_most(claim: str, found: Estimate, target: float, experiment: str) -> Verdict:
    """A claim that a figure is at most so high."""
    return _verdict(claim, found, f"≤ {number(target, 2)}", target - found.value, experiment)


def within(claim: str, found: Estimate, target: float, width: float, experiment: str) -> Verdict:
    """A claim that a figure is near another."""
    words = f"{number(target, 2)} ± {number(width, 2)}"
    return _verdict(claim, found, words, width - abs(found.value - target), experiment)


def no_gain(claim: str, found: Estimate, tolerance: float, experiment: str) -> Verdict:
    """A claim that a difference is no gain: not above zero, or surely below a tolerance.

    A wide interval that reaches zero is not enough: it would be met by measuring little.
    """
    words = f"≤ 0, or interval below +{number(tolerance, 2)}"
    room = tolerance - found.interval[1]
    margin = -found.value if math.isnan(room) else max(-found.value, room)
    return _verdict(claim, found, words, margin, experiment)


def shown(claim: str, found: Estimate, experiment: str, words: str = "reported") -> Verdict:
    """A figure without a target."""
    return _verdict(claim, found, words, None, experiment)


def _verdict(claim: str, found: Estimate, target: str, margin: float | None, experiment: str) -> Verdict:
    return Verdict(claim, target, found.value, found.interval, margin, experiment, basis=found.basis)
