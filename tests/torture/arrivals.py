"""Drops photos into a watched folder in every bad way at once; each must be indexed exactly once.

Run it with `python tests/torture/arrivals.py`. It starts `photopal index --watch` on an empty folder and
drops 1,000 photos at once: some copied slowly, some damaged, some renamed on the way. It reads `photopal
watch-status` meanwhile, ends the watch with SIGTERM, compares the library with what was dropped, and starts
the watch again, which must find nothing to do. With `--minutes 60` photos keep coming for an hour and
memory must not grow.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from photopal.library import Library

PATIENCE_S = 1800
MEMORY_MB = 50


@dataclass(frozen=True)
class Plan:
    """How many photos come, and how many of them in a bad way."""

    photos: int = 1000
    slow: int = 50
    damaged: int = 20
    renamed: int = 10


def make_jpeg(number: int) -> bytes:
    """A small photo with a picture unlike any other."""
    encoded = io.BytesIO()
    cells = Image.new("L", (8, 4))
    cells.putdata([255 * (number >> bit & 1) for bit in range(32)])
    cells.resize((64, 48), Image.Resampling.NEAREST).convert("RGB").save(encoded, "JPEG")
    return encoded.getvalue()


class Watch:
    """A running `photopal index --watch`."""

    def __init__(self, home: Path, folder: Path, *options: str) -> None:
        self.home = home
        words = [sys.executable, "-m", "photopal", "--home", str(home)]
        self._words = words
        self.process = subprocess.Popen(
            [*words, "index", "--watch", str(folder), *options],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.said: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        self.said += self.process.stderr

    def status(self) -> dict[str, object] | None:
        """What `photopal watch-status --json` says of it."""
        done = subprocess.run(
            [*self._words, "watch-status", "--json"], capture_output=True, text=True, check=False
        )
        return next(iter(json.loads(done.stdout or "[]")), None)

    def memory_mb(self) -> float:
        """The memory it holds now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no memory known")

    def end(self) -> list[str]:
        """Ask it to end, wait, and return what it said."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        self._listener.join(10)
        return self.said


def wait_until(condition, what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.2)


def drop(folder: Path, plan: Plan, rng: random.Random) -> tuple[set[str], set[str], list[threading.Thread]]:
    """Drop photos; returns the names to be indexed, those to be reported, and the slow copiers."""
    ways = ["slow"] * plan.slow + ["damaged"] * plan.damaged + ["renamed"] * plan.renamed
    ways += ["whole"] * (plan.photos - len(ways))
    rng.shuffle(ways)
    good: set[str] = set()
    bad: set[str] = set()
    copiers: list[threading.Thread] = []
    for number, way in enumerate(ways):
        path, content = folder / f"{number:04}.jpg", make_jpeg(number)
        if way == "damaged":
            path.write_bytes(content[: len(content) * rng.randint(1, 7) // 10])
            bad.add(path.name)
        elif way == "whole":
            path.write_bytes(content)
            good.add(path.name)
        else:
            final = path.with_name(f"renamed {number:04}.jpg") if way == "renamed" else path
            copiers.append(
                threading.Thread(target=copy_slowly, args=(content, path, final, rng.uniform(0.3, 1.2)))
            )
            copiers[-1].start()
            good.add(final.name)
    return good, bad, copiers


def copy_slowly(content: bytes, path: Path, final: Path, pause_s: float) -> None:
    """Write a file in five pieces; half-way it gets its final name."""
    piece = -(-len(content) // 5)
    for place, start in enumerate(range(0, len(content), piece)):
        if place == 3 and final != path:
            path.rename(final)
            path = final
        with path.open("ab") as file:
            file.write(content[start : start + piece])
        time.sleep(pause_s)


def compare(home: Path, folder: Path, good: set[str], bad: set[str]) -> dict[int, str]:
    """Compare the library with what was dropped; returns when each photo came."""
    with Library(home / "library.db", read_only=True) as library:
        rows = list(library.photos.all())
        indexed = sorted(path.name for row in rows for path in library.paths.of(row.id))
        problems = {problem.path.name for problem in library.paths.problems()}
        added = {row[0]: row[1] for row in library.connection.rows("SELECT id, added_at FROM photos")}
    assert indexed == sorted(good), (
        f"{sorted(good.symmetric_difference(indexed))[:10]} are missing or too many"
    )
    assert len(rows) == len(good), "a photo is there twice"
    assert problems == bad, f"{sorted(problems.symmetric_difference(bad))[:10]} are or are not problems"
    return added


def arrive(root: Path, plan: Plan, seed: int) -> None:
    """One burst of arrivals, from start to end."""
    rng, folder, home = random.Random(seed), root / "inbox", root / "home"
    folder.mkdir()
    watch = Watch(home, folder)
    wait_until(lambda: any(line.startswith("Watching") for line in watch.said), "the watch watches")
    started = time.monotonic()
    good, bad, copiers = drop(folder, plan, rng)
    print(f"dropped {len(good)} good and {len(bad)} damaged files", flush=True)
    most = rate = 0.0
    seen: list[str] = []

    def is_done() -> bool:
        nonlocal most, rate
        status = watch.status()
        assert status is not None, "".join(watch.said)
        most, rate = max(most, status["backlog"]), max(rate, status["per_minute"] or 0)
        seen.append(str(status["last_error"]))
        return status["backlog"] == 0 and status["done"] >= len(good) and status["skipped"] >= len(bad)

    for copier in copiers:
        copier.join()
    wait_until(is_done, f"all is done: {watch.status()} {''.join(watch.said)[-2000:]}")
    took_s = time.monotonic() - started
    time.sleep(2.5)
    watch.end()
    added = compare(home, folder, good, bad)
    print(
        f"indexed {len(added)} once each, {len(bad)} reported, in {took_s:.1f} s; largest backlog {most:.0f}"
    )
    assert any("broken or cut short" in error or "the file is empty" in error for error in seen) or not bad
    again = Watch(home, folder, "--once")
    again.process.wait(PATIENCE_S)
    again._listener.join(10)
    assert "0 photos done" in "".join(again.said), again.said
    assert compare(home, folder, good, bad) == added, "work was repeated"
    print("a second watch found nothing to do", flush=True)


def keep_arriving(root: Path, minutes: float) -> None:
    """Photos that come, move and go for a long time; memory must stay what it is."""
    folder, home = root / "stream", root / "stream home"
    folder.mkdir()
    watch = Watch(home, folder)
    wait_until(lambda: any(line.startswith("Watching") for line in watch.said), "the watch watches")
    began = time.monotonic()
    number, first_mb = 0, 0.0
    while time.monotonic() - began < 60 * minutes:
        for _ in range(10):
            number += 1
            (folder / f"{number:06}.jpg").write_bytes(make_jpeg(number))
        if number > 400:
            (folder / f"{number - 400:06}.jpg").unlink(missing_ok=True)
        time.sleep(1.0)
        if not first_mb and time.monotonic() - began > min(60.0, 12 * minutes):
            first_mb = watch.memory_mb()
    last_mb = watch.memory_mb()
    watch.end()
    print(f"{number} photos in {minutes:g} minutes: {first_mb:.0f} MB, later {last_mb:.0f} MB")
    assert last_mb - first_mb < MEMORY_MB, "memory grows"


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in vars(Plan()).items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    asked = vars(parser.parse_args())
    minutes, seed = asked.pop("minutes"), asked.pop("seed")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as root:
        arrive(Path(root), Plan(**asked), seed)
        if minutes:
            keep_arriving(Path(root), minutes)


if __name__ == "__main__":
    main()
