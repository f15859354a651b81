"""Draws the curves of the report with matplotlib, which is an extra; knows no experiment."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from photopal.errors import UsageError
from photopal.lab.experiments.form import Line, Plot

_COLOURS = ("#1b66c9", "#d7263d", "#1a7f37", "#9a3fb5", "#b35900")
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
    for number, line in enumerate(plot.lines):
        _draw_line(axes, line, number)
    if plot.is_log:
        axes.set_xscale("log", base=2)
        ticks = sorted({x for line in plot.lines for x in line.xs})
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    axes.set_title(plot.title, fontsize=11)
    axes.grid(visible=True, alpha=0.25)
    if any(line.xs for line in plot.lines):
        axes.legend(frameon=False, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def _draw_line(axes: object, line: Line, number: int) -> None:
    colour, marker = _COLOURS[number % len(_COLOURS)], _MARKERS[number % len(_MARKERS)]
    axes.plot(  # type: ignore[attr-defined]
        line.xs, line.ys, color=colour, marker=marker, markersize=4, linewidth=1.6, label=line.label
    )
    if line.around:
        lows, highs = _ends(line.around)
        axes.fill_between(line.xs, lows, highs, color=colour, alpha=0.13, linewidth=0)  # type: ignore[attr-defined]


def _ends(around: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [low for low, _ in around], [high for _, high in around]
