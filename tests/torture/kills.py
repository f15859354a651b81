"""Kills photopal at random moments and checks that nothing committed is lost and the next run completes.

Run it with `python tests/torture/kills.py --kills 20`. It draws a small family, then again and again starts
index, tune, caption or caption --watch, ends it with SIGKILL after a random time, opens the library, compares
it with what was committed before, and lets the command run to its end.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from photopal.lab.synthetic.album import AlbumOptions, write_album
from photopal.library import Library

LONGEST_DELAY_S = {"index": 2.5, "tune": 12.0, "caption": 9.0, "watch": 12.0}
COMMANDS = tuple(LONGEST_DELAY_S)
PATIENCE_S = 1200


@dataclass
class Bench:
    """A family, its library, and what was committed so far."""

    folder: Path
    model: str
    seed: int
    drops: int = 0

    def __post_init__(self) -> None:
        options = AlbumOptions(references=4, photos=10, size_px=192)
        self.album = write_album(self.folder / "album", seed=self.seed, options=options)
        self.finish(["index", str(self.album.photos_folder)])
        for concept in self.album.concepts:
            words = ["add-concept", concept.name, str(self.album.folder / "references" / concept.name)]
            self.finish([*words, "--mask", str(self.album.folder / "masks" / concept.name)])

    def command(self, words: Sequence[str]) -> list[str]:
        """The whole command line."""
        home = str(self.folder / "home")
        return [sys.executable, "-m", "photopal", "--home", home, "--model", self.model, *words]

    def finish(self, words: Sequence[str]) -> None:
        """Run a command to its end; it must end well."""
        done = subprocess.run(
            self.command(words), capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        if done.returncode != 0:
            raise AssertionError(f"{words} ended with {done.returncode}: {done.stderr[-2000:]}")

    def drop_photos(self, count: int) -> None:
        """Bring new photos into the folder: copies of one that differ in their last bytes."""
        source = self.folder / "large.jpg"
        if not source.exists():  # large enough that index takes its time over each
            with Image.open(self.album.photos[0].path) as photo:
                photo.resize((2400, 2400)).save(source)
        for _ in range(count):
            self.drops += 1
            new = self.album.photos_folder / f"new_{self.drops:04d}.jpg"
            mark = Image.new("L", (8, 4))
            mark.putdata([255 * (self.drops >> bit & 1) for bit in range(32)])
            with Image.open(source) as photo:
                photo.paste(mark.resize((256, 128), Image.Resampling.NEAREST).convert("RGB"), (0, 0))
                photo.save(new)

    def prepare(self, name: str) -> tuple[list[str], list[str]]:
        """The words to kill and the words that must complete afterwards."""
        photos = str(self.album.photos_folder)
        if name == "index":
            self.drop_photos(100)
            return ["index", photos], ["index", photos]
        if name == "tune":
            return ["tune", "--epochs", "40", "--patience", "40"], ["tune", "--epochs", "1"]
        self.drop_photos(4)
        if name == "watch":
            return ["caption", "--watch", photos], ["caption", "--watch", "--once", photos]
        return ["caption", "--force"], ["caption"]

    def committed(self) -> tuple[set[str], dict[int, str], dict[str, int]]:
        """Hashes of photos, captions by photo, references by concept: what must not be lost."""
        with sqlite3.connect(self.folder / "home" / "library.db") as database:
            verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise AssertionError(f"integrity: {verdict}")
        with Library(self.folder / "home" / "library.db", read_only=True) as library:
            rows = list(library.photos.all())
            captions = {row.id: library.captions.get(row.id) for row in rows}
            kept = {photo_id: row.text for photo_id, row in captions.items() if row is not None}
            references = {c.name: len(library.concepts.references(c.id)) for c in library.concepts.all()}
            return {row.content_hash for row in rows}, kept, references


def kill_once(bench: Bench, name: str, rng: random.Random) -> str:
    """Start a command, kill it, check, and let it complete; says what happened."""
    killed, completing = bench.prepare(name)
    before = bench.committed()
    process = subprocess.Popen(
        bench.command(killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    delay = rng.uniform(0.3, LONGEST_DELAY_S[name])
    deadline = time.monotonic() + delay
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    was_running = process.poll() is None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    after = bench.committed()
    if not before[0] <= after[0]:
        raise AssertionError(f"{name}: photos were lost")
    if not before[1].keys() <= after[1].keys():
        raise AssertionError(f"{name}: captions were lost")
    if before[2] != after[2]:
        raise AssertionError(f"{name}: reference photos changed")
    bench.finish(completing)
    ended = bench.committed()
    files = sum(1 for path in bench.album.photos_folder.rglob("*.jpg") if path.is_file())
    if name == "index" and len(ended[0]) < files:
        raise AssertionError(f"index: {len(ended[0])} photos in the library, {files} files")
    if name in {"caption", "watch"} and len(ended[1]) < files:
        raise AssertionError(f"{name}: {len(ended[1])} captions for {files} photos")
    how = f"killed after {delay:4.1f} s" if was_running else "had ended by itself"
    return f"{name:8} {how}: {len(before[0])} → {len(after[0])} → {len(ended[0])} photos"


def run_kills(folder: Path, *, model: str, kills: int, seed: int) -> int:
    """Kill `kills` times, the commands in turn; returns how many runs it took."""
    rng = random.Random(seed)
    bench = Bench(folder, model, seed)
    killed = runs = 0
    while killed < kills:
        words = kill_once(bench, COMMANDS[runs % len(COMMANDS)], rng)
        runs += 1
        killed += "killed" in words
        print(f"{killed:3}/{kills} {words}", flush=True)
    return runs


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = run_kills(Path(folder), model=asked.model, kills=asked.kills, seed=asked.seed)
    print(f"{asked.kills} kills in {runs} runs; nothing was lost, every next run completed")


if __name__ == "__main__":
    main()
