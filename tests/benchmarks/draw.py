"""Prints how long a drawn photo takes at 160 and 512 px: `python tests/benchmarks/draw.py`."""

import random
import statistics
import time

from photopal.lab.synthetic.drawing import draw_photo
from photopal.lab.synthetic.identity import draw_identity
from photopal.lab.synthetic.scene import plan_scene

PHOTOS = {160: 400, 512: 60}


def measure(size_px: int, count: int) -> list[float]:
    """Return the milliseconds of each of `count` photos after a few to warm up."""
    times_ms = []
    for seed in range(count + 5):
        rng = random.Random(seed)
        scene = plan_scene([draw_identity(rng) for _ in range(seed % 5)], rng)
        start = time.perf_counter()
        draw_photo(scene, size_px=size_px)
        times_ms.append(1000 * (time.perf_counter() - start))
    return times_ms[5:]


def main() -> None:
    """Measure and print."""
    print("size     median   10 %..90 %   (ms a photo)")
    for size_px, count in PHOTOS.items():
        times_ms = measure(size_px, count)
        deciles = statistics.quantiles(times_ms, n=10)
        print(f"{size_px} px  {statistics.median(times_ms):7.2f}  {deciles[0]:.2f}..{deciles[-1]:.2f}")


if __name__ == "__main__":
    main()
