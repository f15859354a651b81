"""Tells what became of recognition, false names and cost as the crowd grew; computes no cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from photopal.lab.experiments.estimates import (
    Estimate,
    difference,
    estimate,
    mean_of,
    number,
)
from photopal.lab.experiments.form import Plot, Result, Results, Section, Table, Verdict
from photopal.lab.experiments.tables import at_least, compare, line, rests_on, shown
from photopal.text import count

if TYPE_CHECKING:
    from photopal.lab.experiments.plan import Plan

NAME = "crowd"
WEIGHTED = "recognition: weighted"
AREA = "recognition: AUROC of p(yes)"
F1, WRONG = "caption: F1 of names, all offered", "caption: wrong names a photo, all offered"
KINDS = ("random", "same kind", "sibling", "near-duplicate")
WAYS = {"shortlist": "shortlist of at most 4", "all": "everyone in the prompt"}
ALLOWED_LOSS = 0.03
REFERENCE = 4


def in_blocks(cells: Sequence[Result]) -> list[Result]:
    """The blocks of every cell as results of their own, over which intervals are taken."""
    blocks = []
    for result in cells:
        seconds = result.cpu_seconds / max(1, len(result.facts["blocks"]))
        for place, arms in enumerate(result.facts["blocks"]):
            if arms:
                blocks.append(Result(result.cell, f"block {place}", "plain", arms, {}, seconds))
    return blocks


def tell(results: Results, plan: Plan) -> Section:
    """Tables over m, curves, and the claim about the shortlist."""
    cells = list(results[NAME])
    blocks = in_blocks(cells)
    sizes = plan.crowd
    arms = {f"{way} {m}": f"m = {m}, {words}" for m in sizes for way, words in WAYS.items()}
    kinds = [f"recognition: FPR at recall 0.9, {kind}" for kind in KINDS]
    room = "On photos of one concept and of nobody. A prompt has room for 16 concepts to name."
    compared = (
        compare("Registered concepts: recognition", blocks, arms, (WEIGHTED, AREA)),
        compare("False positives at recall 0.9 against m", blocks, arms, kinds),
        compare("Names in captions", blocks, arms, (F1, WRONG), note=room),
    )
    tables = (*(_of_blocks(table, blocks, cells) for table in compared), _costs(cells, sizes))
    lines = [
        line(words, {float(m): estimate(blocks, f"{way} {m}", WEIGHTED) for m in sizes})
        for way, words in WAYS.items()
    ]
    negatives = [
        line(kind, {float(m): estimate(blocks, f"shortlist {m}", figure) for m in sizes})
        for kind, figure in zip(KINDS, kinds, strict=True)
    ]
    x = "registered concepts"
    plots = (
        Plot("crowd", "Many registered concepts", x, "recognition, weighted", tuple(lines), is_log=True),
        Plot(
            "crowd-lookalikes",
            "Who is taken for a concept, with the shortlist",
            x,
            "false positives at recall 0.9",
            tuple(negatives),
            is_log=True,
        ),
    )
    about = (
        "Rows are registered, not tuned. The same questions about the same photos for every m; blocks of "
        "four neighbours are what intervals are drawn over. With the shortlist and with everyone the prompt "
        "has no marks, and captions are what the model says by itself. Prompts with more than 16 concepts "
        "are put together of several blocks; those of 64 are longer than any the bundled model learned from."
    )
    return Section("Many registered concepts", about, tables, plots, tuple(_verdicts(blocks, sizes)))


def _of_blocks(table: Table, blocks: Sequence[Result], cells: Sequence[Result]) -> Table:
    """A table that says what it rests on: blocks of a few crowds, not scenarios."""
    crowds = count(len(cells), "crowd")
    words = f"{count(len(blocks), 'block')} of four neighbours in {crowds}"
    note = table.note.replace(count(len(blocks), "scenario"), words, 1)
    return replace(table, note=note)


def _verdicts(blocks: Sequence[Result], sizes: Sequence[int]) -> list[Verdict]:
    most = max(sizes)
    reference = REFERENCE if REFERENCE in sizes else min(sizes)
    found = difference(blocks, WEIGHTED, (f"shortlist {most}", f"shortlist {reference}"))
    claim = f"shortlisted at m = {most} − at m = {reference}, weighted recognition"
    within = replace(at_least(claim, found, -ALLOWED_LOSS, NAME), target=f"≥ −{ALLOWED_LOSS}")
    everyone = estimate(blocks, f"all {most}", WEIGHTED)
    verdicts = (within, shown(f"… everyone in the prompt at m = {most}", everyone, NAME, "curve shown"))
    return [replace(one, basis=one.basis.replace("scenario", "block")) for one in verdicts]


def _costs(cells: Sequence[Result], sizes: Sequence[int]) -> Table:
    rows = []
    for m in sizes:
        tuning = mean_of(cells, lambda r, m=m: r.facts["tuning_cpu_s"].get(str(m), math.nan))  # type: ignore[misc]
        short = mean_of(cells, lambda r, m=m: _mean(r.facts["tokens"][f"shortlist {m}"]))  # type: ignore[misc]
        whole = mean_of(cells, lambda r, m=m: _mean(r.facts["tokens"][f"all {m}"]))  # type: ignore[misc]
        rows.append((str(m), *_words(tuning, m), number(short.value, 0), number(whole.value, 0)))
    columns = ("m", "tuning, one pass, CPU s", "a concept, CPU s", "tokens, shortlist", "tokens, everyone")
    return Table("Cost of tuning and length of prompts", columns, tuple(rows), rests_on(cells))


def _words(tuning: Estimate, size: int) -> tuple[str, str]:
    return number(tuning.value, 1), number(tuning.value / size, 2)


def _mean(numbers: Sequence[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else math.nan
