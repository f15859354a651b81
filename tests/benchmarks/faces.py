"""Times the search of all faces of a library for one person: `python tests/benchmarks/faces.py`.

A file of N made-up faces is written as the library writes it, then searched again and again. Beside it, in
turns in the same run, stands the plain way: the differences of all vectors, their squares, and the sum.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from photopal.library.face_matrix import WIDTH, FaceMatrix

_AT_ONCE = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faces.f32"
        vectors = (random.normal(0, 0.06, (options.faces, WIDTH)) + 0.05).astype(np.float32)
        matrix = FaceMatrix(path)
        for start in range(0, options.faces, _AT_ONCE):
            rows = vectors[start : start + _AT_ONCE]
            matrix.refresh(
                lambda ids: {number: vectors[number - 1] for number in ids},
                lambda last, rows=rows: ((last + index, row) for index, row in enumerate(rows, start=1)),
            )
        center = vectors[options.faces // 2] + np.float32(0.02)
        ours, plain = [], []
        for _ in range(options.rounds):
            begin = time.perf_counter()
            ids, distances = matrix.near(center, 0.55)
            ours.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            squares = ((vectors - center) ** 2).sum(axis=1)
            plain.append(time.perf_counter() - begin)
            expected = np.flatnonzero(squares <= 0.55**2) + 1
            assert set(ids.tolist()) == set(expected.tolist())
            assert np.all(np.diff(distances) >= 0)
        size_mb = path.stat().st_size / 1e6
    ratio = statistics.median(plain) / statistics.median(ours)
    print(f"{options.faces:,} faces, {size_mb:.0f} MB, {options.rounds} rounds, {len(ids)} found")
    print(f"one person: {1e3 * statistics.median(ours):.1f} ms (best {1e3 * min(ours):.1f})")
    print(f"plain differences: {1e3 * statistics.median(plain):.1f} ms, {ratio:.1f} times as long")


if __name__ == "__main__":
    main()
