"""Times `index` against the way rclip 3.3.0 reads photos; an unchanged second run; memory by number of files.

Run it with `python tests/benchmarks/index.py`. What is compared is what both do without an encoder: hash,
decode, resize, store. The other way is written here from what rclip 3.3.0 does with a photo: a thread for
each core; SHA-256 of the first MB and the last KB of the file; the whole photo decoded by Pillow, made RGB,
resized so that the short side has 256 pixels, cropped, turned into normalised floats; one row with a vector
for each photo; one commit. photopal does its usual run: BLAKE2b of the whole file, a decode at an eighth of
the size, EXIF, an encoded thumbnail, a perceptual hash, words for the search, a commit each second. Both
ways take turns in one process, on the same files.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from sides import peak_mb

from photopal.ingest.indexer import index_folders
from photopal.library import Library

SIDE_PX = 256
AHEAD = 24


def make_photos(folder: Path, count: int) -> None:
    """Write 12-megapixel JPEGs of about 3 MB: soft shapes, and noise as cameras have it."""
    folder.mkdir()
    for seed in range(count):
        rng = np.random.default_rng(seed)
        shapes = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).resize(
            (4000, 3000), Image.Resampling.BICUBIC
        )
        grain = Image.fromarray(rng.integers(0, 255, (750, 1000, 3), dtype=np.uint8)).resize(
            (4000, 3000), Image.Resampling.BILINEAR
        )
        exif = Image.Exif()
        exif[0x0110] = "Camera"
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:{seed % 28 + 1:02} 10:00:00"
        Image.blend(shapes, grain, 0.25).save(folder / f"{seed:04}.jpg", quality=90, exif=exif)


def make_small(folder: Path, count: int) -> None:
    """Write tiny JPEGs that differ, a thousand in each folder."""
    cells = Image.new("L", (8, 4))
    for number in range(count):
        path = folder / f"{number // 1000:04}" / f"IMG_{number:06}.jpg"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        cells.putdata([255 * (number >> bit & 1) for bit in range(32)])
        cells.resize((32, 16), Image.Resampling.NEAREST).save(path)


def read_whole(path: Path) -> tuple[Path, os.stat_result, str, np.ndarray]:
    """Read one photo the other way."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(1 << 20))
        if file.seek(0, io.SEEK_END) > 1024:
            file.seek(-1024, io.SEEK_END)
            digest.update(file.read(1024))
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = SIDE_PX / min(picture.size)
    width, height = (max(SIDE_PX, int(side * scale)) for side in picture.size)
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - SIDE_PX) // 2, (height - SIDE_PX) // 2
    picture = picture.crop((left, top, left + SIDE_PX, top + SIDE_PX))
    floats = (np.asarray(picture, dtype=np.float32) / 255 - 0.45) / 0.27
    return path, path.stat(), digest.hexdigest(), floats.transpose(2, 0, 1)


def index_whole(folder: Path, database: Path) -> int:
    """Index a folder the other way."""
    with sqlite3.connect(database) as rows:
        rows.execute(
            "CREATE TABLE images (path TEXT UNIQUE, modified REAL, size INTEGER, vector BLOB, hash TEXT)"
        )
        waiting = deque(sorted(folder.rglob("*.jpg")))
        at_work: deque[Future[tuple[Path, os.stat_result, str, np.ndarray]]] = deque()
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            while waiting or at_work:
                while waiting and len(at_work) < AHEAD:
                    at_work.append(threads.submit(read_whole, waiting.popleft()))
                path, status, digest, floats = at_work.popleft().result()
                vector = floats.reshape(-1)[:512].tobytes()
                row = (str(path), status.st_mtime, status.st_size, vector, digest)
                rows.execute("INSERT INTO images VALUES (?, ?, ?, ?, ?)", row)
        count: int = rows.execute("SELECT count(*) FROM images").fetchone()[0]
    return count


def index_ours(folder: Path, database: Path) -> int:
    """Index a folder as `photopal index` does."""
    with Library(database) as library:
        return index_folders(library, [folder]).added


def timed(work: Callable[[], int], count: int) -> tuple[float, float]:
    """Photos a second, and processor milliseconds for a photo, which a busy machine hardly changes."""
    started, used = time.perf_counter(), time.process_time()
    assert work() == count
    return count / (time.perf_counter() - started), 1000 * (time.process_time() - used) / count


def compare(root: Path, *, photos: int, rounds: int) -> None:
    """Both ways in turn."""
    make_photos(root / "photos", photos)
    size_mb = sum(path.stat().st_size for path in (root / "photos").iterdir()) / photos / 1e6
    print(f"{photos} photos of 12 megapixels, {size_mb:.1f} MB each, {os.cpu_count()} cores")
    found: dict[str, list[tuple[float, float]]] = {"photopal": [], "the other way": []}
    for turn in range(rounds):
        for name, way in (("photopal", index_ours), ("the other way", index_whole)):
            database = root / f"{turn} {way.__name__}.db"
            found[name].append(
                timed(lambda way=way, database=database: way(root / "photos", database), photos)
            )
    for name, pairs in found.items():
        speeds, times = zip(*pairs, strict=True)
        print(f"{name:14} {spread(speeds)} photos/s, {spread(times)} ms of processor for each")
    both = list(zip(*found.values(), strict=True))
    print(f"ratio          {spread([ours[0] / other[0] for ours, other in both])} by the clock")
    print(f"               {spread([other[1] / ours[1] for ours, other in both])} by processor time")


def spread(values: Sequence[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):6.1f} ({min(values):.1f} to {max(values):.1f})"


def measure(folder: Path, database: Path) -> None:
    """In a process of its own: index a folder twice, and say how long it took and what memory it needed."""
    for turn in ("first", "again"):
        started, used = time.perf_counter(), time.process_time()
        with Library(database) as library:
            report = index_folders(library, [folder])
        took_s, cpu_s = time.perf_counter() - started, time.process_time() - used
        files = report.added + report.unchanged
        print(
            f"{files:8,} small files, {turn}: {took_s:7.1f} s ({cpu_s:.1f} s of processor),"
            f" {peak_mb():.0f} MB",
            flush=True,
        )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(*asked.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        compare(root, photos=asked.photos, rounds=asked.rounds)
        for count in asked.files:
            make_small(root / f"small {count}", count)
            words = ["--measure", str(root / f"small {count}"), str(root / f"small {count}.db")]
            subprocess.run([sys.executable, __file__, *words], check=True)


if __name__ == "__main__":
    main()
