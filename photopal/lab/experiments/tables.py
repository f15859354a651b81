"""Tables, claims and plots of estimates, and the page of results made of them; knows no experiment.

What a person writes about the results stands in `notes.md` beside the plots. It is put into the page as it is
and never overwritten: there a missed claim is explained after the run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from photopal.errors import UsageError
from photopal.lab.experiments.results import (
    Estimate,
    Line,
    Plot,
    Result,
    Section,
    Table,
    Verdict,
    difference,
    estimate,
    number,
    seeds_of,
    span,
)
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
    "caption: wrong names per photo, all offered": "wrong names per photo",
    "caption: F1 of names, none offered": "names F1, none offered",
    "caption: wrong names per photo, none offered": "wrong names per photo, none offered",
}
"""Headings of columns."""


def heading(figure: str) -> str:
    """A figure's name as the heading of a column."""
    return SHORT.get(figure, figure.removeprefix("recognition: ").removeprefix("FPR at recall 0.9, "))


def rests_on(results: Sequence[Result]) -> str:
    """What a table rests on, in words."""
    seeds = ", ".join(map(str, seeds_of(results)))
    seconds = sum(result.cpu_seconds for result in results)
    return f"{count(len(results), 'scenario')}; seeds {seeds}; {seconds:.0f} CPU seconds"


def groups_in(results: Sequence[Result]) -> str:
    """Which kinds of scenarios there are, in words: for claims, which must not mix them unsaid."""
    groups = [group for group in GROUPS if any(result.group == group for result in results)]
    return f"{' and '.join(groups) or 'no'} scenarios"


def compare(
    title: str,
    results: Sequence[Result],
    conditions: Mapping[str, str],
    figures: Sequence[str],
    note: str = "",
) -> Table:
    """Conditions down, figures across, each with its interval.

    Args:
        title: Of the table.
        results: The runs.
        conditions: By their name in the runs, as the table calls them.
        figures: Which.
        note: What to add to what it rests on.
    """
    rows, questions = [], dict.fromkeys(figures, 0)
    for condition, words in conditions.items():
        found = [estimate(results, condition, figure) for figure in figures]
        if all(math.isnan(one.value) for one in found):
            continue
        rows.append((words, *map(str, found)))
        for figure, one in zip(figures, found, strict=True):
            questions[figure] = max(questions[figure], one.questions)
    counts = ", ".join(f"{heading(f)} {number:,}" for f, number in questions.items() if number)
    words = f"{rests_on(results)}. Questions per condition: {counts}. {note}".strip()
    return Table(title, ("", *map(heading, figures)), tuple(rows), words)


def differences(
    title: str,
    results: Sequence[Result],
    pairs: Sequence[tuple[str, str]],
    figures: Sequence[str],
    names: Mapping[str, str] | None = None,
) -> Table:
    """Paired differences of conditions, the first minus the second, on the same scenarios."""
    called = names or {}
    rows = [
        (
            f"{called.get(first, first)} − {called.get(second, second)}",
            *(signed(difference(results, figure, (first, second))) for figure in figures),
        )
        for first, second in pairs
    ]
    words = f"{rests_on(results)}. The same scenarios are drawn for both conditions."
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
    return Verdict(
        claim=claim,
        target=target,
        figure=found.value,
        interval=found.interval,
        margin=margin,
        experiment=experiment,
        basis=found.basis,
    )


_COLORS = ("#1b66c9", "#d7263d", "#1a7f37", "#9a3fb5", "#b35900")
_MARKERS = "osD^v"


def need_plots() -> None:
    """Make sure that plots can be drawn.

    Raises:
        UsageError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise UsageError(
            "plots need matplotlib, which is not installed", hint="Run: pip install 'photopal[report]'"
        )


def draw_plot(plot: Plot, path: Path) -> None:
    """Write a plot as a PNG; the same plot gives the same picture.

    Raises:
        UsageError: matplotlib is not installed.
    """
    need_plots()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for index, curve in enumerate(plot.lines):
        _draw_line(axes, curve, index)
    if plot.is_log:
        axes.set_xscale("log", base=2)
        ticks = sorted({x for curve in plot.lines for x in curve.xs})
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    axes.set_title(plot.title, fontsize=11)
    axes.grid(visible=True, alpha=0.25)
    if any(curve.xs for curve in plot.lines):
        axes.legend(frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def _draw_line(axes: object, curve: Line, index: int) -> None:
    color, marker = _COLORS[index % len(_COLORS)], _MARKERS[index % len(_MARKERS)]
    axes.plot(  # type: ignore[attr-defined]
        curve.xs, curve.ys, color=color, marker=marker, markersize=4, linewidth=1.6, label=curve.label
    )
    if curve.around:
        lows, highs = zip(*curve.around, strict=True)
        axes.fill_between(curve.xs, lows, highs, color=color, alpha=0.13, linewidth=0)  # type: ignore[attr-defined]


NOTES = "notes.md"
EMPTY_NOTES = "No notes on this run yet.\n"
CLAIM_COLUMNS = ("claim", "figure", "95 % interval", "target", "met", "rests on", "command")


@dataclass(frozen=True)
class ReportHeading:
    """What the page says of the run as a whole.

    Attributes:
        model: Name and fingerprint.
        plan: full or quick.
        seeds: Those of the plan.
        counts: Runs computed and planned, by experiment.
        cpu_seconds: Of all runs.
        wall_seconds: Of this call; what was kept from an earlier one is not in it.
        command: Makes this page.
    """

    model: tuple[str, str]
    plan: str
    seeds: Sequence[int]
    counts: dict[str, tuple[int, int]]
    cpu_seconds: float
    wall_seconds: float
    command: str


def write_report(folder: Path, heading: ReportHeading, sections: Sequence[Section]) -> Path:
    """Write `results.md` into a folder, and plots and an empty `notes.md` into `results` in it.

    Returns:
        The page.
    """
    beside = folder / "results"
    beside.mkdir(parents=True, exist_ok=True)
    notes = beside / NOTES
    if not notes.exists():
        notes.write_text(EMPTY_NOTES, encoding="utf-8")
    for section in sections:
        for plot in section.plots:
            draw_plot(plot, beside / f"{plot.name}.png")
    page = folder / "results.md"
    page.write_text(page_of(heading, sections, notes.read_text(encoding="utf-8")), encoding="utf-8")
    return page


def page_of(heading: ReportHeading, sections: Sequence[Section], notes: str) -> str:
    """The page: claims first, then what was found out about them, then everything measured."""
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    parts = [
        "# Results",
        _opening(heading),
        "## The claims",
        markdown(claims_table(verdicts)),
        "## Interpretation",
        notes.strip(),
    ]
    for section in sections:
        parts += [f"## {section.title}", section.about]
        parts += [markdown(table) for table in section.tables if table.rows]
        parts += [f"![{plot.title}](results/{plot.name}.png)" for plot in section.plots]
    parts += ["## What was run", markdown(_counts(heading))]
    return "\n\n".join(parts) + "\n"


def section_words(section: Section) -> str:
    """One section as Markdown, for the screen."""
    parts = [f"## {section.title}", section.about, *(markdown(table) for table in section.tables)]
    if section.verdicts:
        parts.append(markdown(claims_table(section.verdicts)))
    return "\n\n".join(parts)


def claims_table(verdicts: Sequence[Verdict]) -> Table:
    """Every claim with its figure, interval and target, met or by how much missed, and what it rests on."""
    rows = [
        (
            one.claim,
            number(one.figure),
            span(one.interval).strip(" ()") or "–",
            one.target,
            verdict_words(one),
            one.basis or "–",
            f"`photopal eval report --only {one.experiment}`",
        )
        for one in verdicts
    ]
    return Table("Method, section 8", CLAIM_COLUMNS, tuple(rows))


def verdict_words(verdict: Verdict) -> str:
    """Met or missed, and by how much."""
    if verdict.is_met is None:
        is_shown = verdict.margin is None and not math.isnan(verdict.figure)
        return "shown" if is_shown else "not measured"
    margin = verdict.margin or 0.0
    if verdict.is_met:
        return f"met by {margin:.3f}"
    if margin < 0:
        return f"**missed by {-margin:.3f}**"
    if math.isnan(verdict.interval[0]):
        return "**missed**: no interval"
    return f"**missed**: the interval reaches {verdict.floor:g}"


def markdown(table: Table) -> str:
    """A table with its title above and what it rests on below."""
    lines = [
        f"**{table.title}**",
        "",
        _line(table.columns),
        _line(["---"] * len(table.columns)),
        *map(_line, table.rows),
    ]
    return "\n".join([*lines, "", f"*{table.note}*"] if table.note else lines)


def _line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"


def _opening(heading: ReportHeading) -> str:
    name, fingerprint = heading.model
    seeds = ", ".join(map(str, heading.seeds))
    return (
        f"Written by `{heading.command}`; do not edit. Model {name} ({fingerprint[:12]}), {heading.plan} "
        f"plan, seeds {seeds}, drawn scenes of people and pets not in the bundled model's training. "
        "The model is small and the scenes are drawn: the results show whether the paper's effects are "
        "reproduced, not its absolute numbers. Intervals are 95 % bootstrap intervals over scenarios; "
        "differences are paired. Thresholds and the best epoch are chosen on validation photos, nothing on "
        "test photos."
    )


def _counts(heading: ReportHeading) -> Table:
    rows = tuple((name, str(done), str(planned)) for name, (done, planned) in heading.counts.items())
    note = (
        f"{heading.cpu_seconds:.0f} CPU seconds in all; the last call took "
        f"{heading.wall_seconds:.0f} s beyond stored results."
    )
    return Table("Scenarios of each experiment", ("experiment", "computed", "planned"), rows, note)
