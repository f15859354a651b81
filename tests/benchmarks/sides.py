"""Times two sides in turn in one process, and prints a table of ratios; knows not what they do."""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[], object]


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        wall_s: Seconds by the clock.
        processor_s: Seconds of processor time of all threads, which other programs lengthen less.
    """

    wall_s: float
    processor_s: float


def time_run(work: Work) -> Run:
    """Run once."""
    started, processor_started = time.perf_counter(), time.process_time()
    work()
    return Run(time.perf_counter() - started, time.process_time() - processor_started)


def take_turns(sides: Mapping[str, Work], *, rounds: int) -> dict[str, list[Run]]:
    """Run every side once a round, in changing order; returns what each run took.

    A first round, which is not timed, warms up caches and memory.
    """
    for work in sides.values():
        work()
    taken: dict[str, list[Run]] = {name: [] for name in sides}
    for turn in range(rounds):
        names = list(sides) if turn % 2 == 0 else list(sides)[::-1]
        for name in names:
            taken[name].append(time_run(sides[name]))
    return taken


def print_table(
    title: str, taken: Mapping[str, Sequence[Run]], *, plain: str, units: Mapping[str, float], unit: str
) -> None:
    """Print seconds a unit and the ratio to the plain side: medians, with the smallest and the largest.

    Args:
        title: What was done.
        taken: What each run took, by side.
        plain: The side that the others are compared with.
        units: How many units each side did in a run.
        unit: What a unit is.
    """
    print(f"\n{title}")
    heads = f"{'':24}{'s a ' + unit:>14}{'spread':>19}{'times as fast':>15}{'spread':>21}"
    print(f"{heads}{'by processor time':>20}")
    for name, runs in taken.items():
        each = [run.wall_s / units[name] for run in runs]
        pairs = list(zip(taken[plain], runs, strict=True))
        share = units[name] / units[plain]
        ratios = [share * slow.wall_s / quick.wall_s for slow, quick in pairs]
        busy = [share * slow.processor_s / max(1e-9, quick.processor_s) for slow, quick in pairs]
        spread, gain = f"{min(each):.4f} to {max(each):.4f}", f"{min(ratios):.1f} to {max(ratios):.1f}"
        told = f"{name:24}{statistics.median(each):14.4f}{spread:>19}{statistics.median(ratios):15.1f}"
        print(f"{told} {gain:>20}{statistics.median(busy):20.1f}", flush=True)


def peak_mb() -> float:
    """The most memory this process ever held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says counts the process that started this one too.
        [held] = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(held) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def matrix_rate(side: int = 1024, *, for_s: float = 2.0) -> float:
    """Multiplications and additions a second of large float32 matrix products here, one after another.

    Args:
        side: Rows and columns of the matrices.
        for_s: How long to multiply; the median counts, as processors are fastest at first.
    """
    import torch

    left, right = torch.randn(side, side), torch.randn(side, side)
    took_s: list[float] = []
    while sum(took_s) < for_s:
        started = time.perf_counter()
        torch.mm(left, right)
        took_s.append(time.perf_counter() - started)
    return 2.0 * side**3 / statistics.median(took_s)


def print_floor(products: float, taken: Sequence[Run]) -> None:
    """Print how long the matrix products of a run would take at the rate of a large one, and the share.

    Args:
        products: Multiplications and additions that cannot be left out.
        taken: What each run took.
    """
    rate = matrix_rate()
    floor_s, middle_s = products / rate, statistics.median(run.wall_s for run in taken)
    print(
        f"floor: {products / 1e9:.1f} G multiplications and additions, at {rate / 1e9:.0f} G/s "
        f"{floor_s:.2f} s of {middle_s:.2f} s, a share of {floor_s / middle_s:.0%}",
        flush=True,
    )


def print_memory(script: str, words: Sequence[str], sides: Sequence[str]) -> None:
    """Run each side in a process of its own with `--only SIDE`, and print the most memory it held."""
    for side in sides:
        command = [sys.executable, script, *words, "--only", side]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(f"{side:30}{float(told[-1]):14.0f} MB at most", flush=True)


def print_machine() -> None:
    """Print on what the figures were taken."""
    import torch

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    threads, cores = torch.get_num_threads(), os.cpu_count()
    print(f"{cores} cores, {threads} threads, load {load:.1f}, torch {torch.__version__}")


@dataclass(frozen=True)
class Comparison:
    """What a benchmark does for each model once its options are read.

    Attributes:
        script: The benchmark's own file.
        sides: The sides whose memory is measured, each in a process of its own.
        compare: Times the sides on a model, with a folder for its files.
        run_one: Runs the side `asked.only` alone and prints its memory.
        options: Names of the options that such a process is given besides the model.
    """

    script: str
    sides: Sequence[str]
    compare: Callable[[str, Path, argparse.Namespace], object]
    run_one: Callable[[str, Path, argparse.Namespace], object]
    options: Sequence[str]


def common_options(about: str | None, models: Sequence[str], *, quick: str) -> argparse.ArgumentParser:
    """A parser with the options of every benchmark; `quick` says what --quick leaves out."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--models", nargs="*", choices=models, default=list(models))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    return parser


def run_comparison(asked: argparse.Namespace, comparison: Comparison, folder: Path) -> None:
    """Compare the sides on every model asked for, or run one side alone where `--only` says so."""
    if asked.only:
        comparison.run_one(asked.models[0], folder, asked)
        return
    print_machine()
    for name in asked.models:
        root = folder / name
        root.mkdir()
        comparison.compare(name, root, asked)
        if not asked.quick:
            words = ["--models", name]
            for option in comparison.options:
                value = getattr(asked, option)
                values = value if isinstance(value, list) else [value]
                words += [f"--{option.replace('_', '-')}", *map(str, values)]
            print_memory(comparison.script, words, comparison.sides)
