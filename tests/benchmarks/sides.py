"""Times two sides in turn in one process, and prints a table of ratios; knows not what they do."""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Work = Callable[[], object]


def take_turns(sides: Mapping[str, Work], *, rounds: int) -> dict[str, list[float]]:
    """Run every side once a round, in changing order; returns the seconds of each run.

    A first round, which is not timed, warms up caches and memory.
    """
    for work in sides.values():
        work()
    took_s: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds):
        names = list(sides) if turn % 2 == 0 else list(sides)[::-1]
        for name in names:
            started = time.perf_counter()
            sides[name]()
            took_s[name].append(time.perf_counter() - started)
    return took_s


def print_table(
    title: str, took_s: Mapping[str, Sequence[float]], *, plain: str, units: Mapping[str, float], unit: str
) -> None:
    """Print seconds a unit and the ratio to the plain side: medians, with the smallest and the largest.

    Args:
        title: What was done.
        took_s: Seconds of each run, by side.
        plain: The side that the others are compared with.
        units: How many units each side did in a run.
        unit: What a unit is.
    """
    print(f"\n{title}")
    print(f"{'':30}{'s a ' + unit:>14}{'spread':>20}{'times as fast':>16}  {'spread':>18}")
    base = [seconds / units[plain] for seconds in took_s[plain]]
    for name, runs in took_s.items():
        each = [seconds / units[name] for seconds in runs]
        ratios = [slow / quick for slow, quick in zip(base, each, strict=True)]
        spread = f"{min(each):.4f} to {max(each):.4f}"
        gain = f"{min(ratios):.1f} to {max(ratios):.1f}"
        middle = f"{statistics.median(each):14.4f}{spread:>20}{statistics.median(ratios):16.1f}"
        print(f"{name:30}{middle}  {gain:>18}", flush=True)


def peak_mb() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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
