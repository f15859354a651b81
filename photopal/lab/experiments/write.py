"""Writes the report as a Markdown page with plots beside it; computes nothing.

What a person writes about the results stands in `notes.md` beside the plots. It is put into the page as it is
and never overwritten: there a missed claim is explained after the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from photopal.lab.experiments.estimates import number, span
from photopal.lab.experiments.form import Section, Table, Verdict
from photopal.lab.experiments.plots import draw_plot

NOTES = "notes.md"
EMPTY_NOTES = "No notes on this run yet.\n"
CLAIM_COLUMNS = ("claim", "figure", "95 % interval", "target", "met", "rests on", "command")


@dataclass(frozen=True)
class Heading:
    """What the page says of the run as a whole.

    Attributes:
        model: Name and fingerprint.
        plan: full or quick.
        seeds: Those of the plan.
        counts: Cells computed and planned, by experiment.
        cpu_seconds: Of all cells.
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


def write_report(folder: Path, heading: Heading, sections: Sequence[Section]) -> Path:
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


def page_of(heading: Heading, sections: Sequence[Section], notes: str) -> str:
    """The page: claims first, then what was found out about them, then everything measured."""
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    parts = [
        "# Results",
        _opening(heading),
        "## The claims",
        markdown(claims_table(verdicts)),
        "## What to make of it",
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


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _opening(heading: Heading) -> str:
    name, fingerprint = heading.model
    seeds = ", ".join(map(str, heading.seeds))
    return (
        f"Written by `{heading.command}`; do not edit. Model {name} ({fingerprint[:12]}), {heading.plan} "
        f"plan, seeds {seeds}, drawn scenes of people and pets that the bundled model never saw. "
        "The model is small and the scenes are drawn: what follows says which direction of the paper is "
        "reproduced, never its absolute numbers. Intervals are bootstrap 95 % intervals over scenarios; "
        "differences are paired. Thresholds and the choice among passes come from validation photos, nothing "
        "is chosen on test photos."
    )


def _counts(heading: Heading) -> Table:
    rows = tuple((name, str(done), str(planned)) for name, (done, planned) in heading.counts.items())
    note = (
        f"{heading.cpu_seconds:.0f} processor seconds in all; the last call took "
        f"{heading.wall_seconds:.0f} s beyond what was kept."
    )
    return Table("Scenarios of each experiment", ("experiment", "computed", "planned"), rows, note)
