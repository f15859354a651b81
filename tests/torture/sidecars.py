"""Kills `write-metadata` at random moments and checks that every sidecar is the old or the new one.

Run it with `python tests/torture/sidecars.py --sidecars 200 --kills 20`. It puts sidecars of many programs'
shapes beside photos that show somebody, and again and again writes the name into them, ends that with SIGKILL
after a random time, looks at each sidecar, undoes what was journaled, and compares with the beginning.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from photopal.ingest.indexer import index_folders
from photopal.library import Library
from tests.photos.sidecar_shapes import sidecars


def prepare(folder: Path, number: int) -> None:
    """Index photos that all show Anna, every second one with a sidecar."""
    photos = folder / "photos"
    photos.mkdir()
    shapes = islice(cycle(content for _, content in sidecars()), number)
    for index, content in enumerate(shapes):
        levels = np.random.default_rng(index).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(levels).resize((80, 60)).save(photos / f"{index:04d}.png")
        if index % 2 == 0:
            (photos / f"{index:04d}.png.xmp").write_bytes(content)
    with Library(folder / "home" / "library.db") as library:
        index_folders(library, [photos])
        anna = library.concepts.add("Anna")
        with library.writing():
            for photo in library.photos.all():
                library.corrections.put(photo.id, anna.id, is_present=True, box=(10, 5, 20, 20))


def contents(folder: Path) -> dict[str, bytes]:
    """The sidecars by name."""
    return {path.name: path.read_bytes() for path in (folder / "photos").glob("*.xmp")}


def command(folder: Path) -> list[str]:
    """The whole command line."""
    words = ["--home", str(folder / "home"), "write-metadata", "--yes"]
    return [sys.executable, "-m", "photopal", *words]


def undo_writing(folder: Path) -> None:
    """Undo what is journaled of writing, if anything is."""
    with Library(folder / "home" / "library.db") as library:
        if library.history.entries(1)[0].what.startswith("wrote "):
            library.history.undo()


def kill_once(folder: Path, old: dict[str, bytes], new: dict[str, bytes], delay_s: float) -> str:
    """Start the command, kill it, and check; says how far it came.

    The time counts from the first sidecar that is written, as the program takes its time to start.
    """
    process = subprocess.Popen(
        command(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    photos = folder / "photos"
    before = photos.stat().st_mtime_ns
    while process.poll() is None and photos.stat().st_mtime_ns == before:
        time.sleep(0.001)
    time.sleep(delay_s)
    was_running = process.poll() is None
    if was_running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    present = contents(folder)
    written = 0
    for name in old.keys() | new.keys():
        if present.get(name) not in (old.get(name), new.get(name)):
            raise AssertionError(f"{name} is neither the old nor the new one")
        written += present.get(name) == new.get(name) != old.get(name)
    undo_writing(folder)
    if contents(folder) != old:
        raise AssertionError("undo did not bring the old sidecars back")
    return f"{'killed' if was_running else 'had ended'} with {written} of {len(new)} written; all undone"


def run_kills(folder: Path, *, sidecars_number: int, kills: int, seed: int) -> list[str]:
    """Kill `kills` times; returns what happened each time."""
    rng = random.Random(seed)
    prepare(folder, sidecars_number)
    old = contents(folder)
    start = time.monotonic()
    subprocess.run(command(folder), check=True, capture_output=True)
    took_s = time.monotonic() - start
    new = contents(folder)
    undo_writing(folder)
    if contents(folder) != old or len(new) != sidecars_number:
        raise AssertionError("undo did not bring the old sidecars back")
    told = [kill_once(folder, old, new, rng.uniform(0, took_s / 4)) for _ in range(kills)]
    left = len(list((folder / "photos").glob(".*.part")))
    subprocess.run(command(folder), check=True, capture_output=True)
    if contents(folder) != new or list((folder / "photos").glob(".*.part")):
        raise AssertionError("the next run did not write all sidecars and remove what the kills left")
    return [*told, f"the kills left {left} temporary files, which the next run removed"]


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sidecars", type=int, default=200)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = run_kills(Path(folder), sidecars_number=asked.sidecars, kills=asked.kills, seed=asked.seed)
    print("\n".join(told))


if __name__ == "__main__":
    main()
