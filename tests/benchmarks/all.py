"""Runs every benchmark and writes what they print into docs/performance.md; times nothing itself.

Run it with `python -m tests.benchmarks.all` from the project's folder, on a machine that does nothing else;
it takes half an hour on two cores. Each table stands on the page between `<!-- name -->` and
`<!-- end -->`; `--only NAME…` runs some of them. A benchmark that fails leaves its old table and is told of.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "performance.md"
RUNS = {
    "tune": ["tune.py", "--steps", "8"],
    "learn": ["tune.py", "--epochs", "4"],
    "scratch": ["tune.py", "--epochs", "6", "--start", "random"],
    "race": ["tune.py", "--seconds", "60", "--concepts", "3", "--photos", "8"],
    "recognise": ["recognise.py", "--rounds", "2"],
    "caption": ["caption.py"],
    "many": ["caption.py", "--models", "bundled", "--many", "10000"],
    "formats": ["formats.py", "--models", "llava"],
    "ask": ["ask.py", "--rounds", "2"],
    "growth": ["growth.py"],
    "gallery": ["gallery.py"],
}


def run(words: list[str]) -> str:
    """What a benchmark prints.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, str(HERE / words[0]), *words[1:]]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=env)
    return done.stdout.strip()


def put(page: str, name: str, told: str) -> str:
    """The page with a table in its place.

    Raises:
        ValueError: The page has no such place.
    """
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(page):
        raise ValueError(f"{PAGE.name} has no place for {name}")
    lines = "\n".join(line.rstrip() for line in told.splitlines())
    return place.sub(lambda match: f"{match[1]}```text\n{lines}\n```\n{match[2]}", page)


def main() -> int:
    """Run what is asked for; returns how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=list(RUNS), default=list(RUNS))
    asked = parser.parse_args()
    failed = 0
    for name in asked.only:
        started = time.monotonic()
        try:
            told = run(RUNS[name])
        except subprocess.CalledProcessError as error:
            failed += 1
            print(f"{name} failed:\n{error.stdout}\n{error.stderr}", file=sys.stderr, flush=True)
            continue
        PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), name, told), encoding="utf-8")
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
