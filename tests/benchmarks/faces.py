"""Times faces, found and compared: `python tests/benchmarks/faces.py`.

A photo of 12 megapixels is searched again and again, and beside it the plain way: decoded to 1,600 pixels,
the detector on its colors, enlarged once. Seconds are of computing, so that other programs matter less.

A file of N made-up faces is written as the library writes it, then searched again and again. Beside it, in
turns in the same run, stands the plain way: the differences of all vectors, their squares, and the sum.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from photopal.faces.detector import load_detector
from photopal.library.face_matrix import WIDTH, FaceMatrix
from photopal.photos import open_photo

_AT_ONCE = 50_000
_PEOPLE = 50
_LARGE_PX = (4000, 3000)


sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faces.made_up import draw_face  # noqa: E402 - found from the folder above only


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    _time_search(max(3, options.rounds // 3))
    _time_comparison(options)


def _time_search(rounds: int) -> None:
    """Search a noisy photo with a drawn face, in turns with the plain way."""
    import dlib

    random = np.random.default_rng(0)
    noise = random.integers(0, 255, (300, 400, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize(_LARGE_PX, Image.Resampling.BICUBIC)
    photo.paste(draw_face(900), (1500, 900))
    detector, plain_detector = load_detector(), dlib.get_frontal_face_detector()
    ours, plain = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        photo.save(path, quality=90)
        for _ in range(rounds):
            begin = time.process_time()
            faces = detector.find_in_file(path)
            ours.append(time.process_time() - begin)
            begin = time.process_time()
            pixels = np.asarray(open_photo(path, max_side_px=1600))
            found = plain_detector.run(pixels, 1, 0.0)[0]
            plain.append(time.process_time() - begin)
            assert len(faces) == len(found) == 1
    ratio = statistics.median(plain) / statistics.median(ours)
    print(f"12-megapixel photo: {statistics.median(ours):.2f} s of computing, its face described")
    print(f"detector on colors: {statistics.median(plain):.2f} s, {ratio:.1f} times as long, none described")


def _time_comparison(options: argparse.Namespace) -> None:
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
        people = vectors[:: max(1, options.faces // _PEOPLE)][:_PEOPLE] + np.float32(0.02)
        limit = np.array([0.55], np.float32)
        ours, plain, together = [], [], []
        for _ in range(options.rounds):
            begin = time.perf_counter()
            [(ids, distances)] = matrix.near(center[None], limit)
            ours.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            matrix.near(people, np.repeat(limit, len(people)))
            together.append(time.perf_counter() - begin)
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
    print(f"{len(people)} people at once: {1e3 * statistics.median(together):.1f} ms")
    print(f"plain differences: {1e3 * statistics.median(plain):.1f} ms, {ratio:.1f} times as long")


if __name__ == "__main__":
    main()
