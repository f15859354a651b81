"""Times captions by a model in bfloat16 against the same model in float32, both by photopal.

Run it with `python tests/benchmarks/formats.py`. Texts need not be equal: rounding may turn a word of a model
with random weights, whose words are all about as likely. How many are is printed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from caption import PHOTOS, Ours
from models import MODELS, make_photos, model_folder
from sides import Comparison, common_options, peak_mb, print_table, run_comparison, take_turns

FORMATS = ("float32", "bfloat16")


def compare(name: str, root: Path, asked: argparse.Namespace) -> None:
    """Both formats in turn on one model."""
    folder = model_folder(name, root, is_small=asked.quick)
    photos = make_photos(root / f"photos {name}", asked.photos or PHOTOS[name], side_px=asked.side)
    ours = {dtype: Ours(folder, photos, root, dtype=dtype) for dtype in FORMATS}
    texts = [one.caption() for one in ours.values()]
    taken = take_turns({dtype: one.caption for dtype, one in ours.items()}, rounds=asked.rounds)
    title = f"{name}: {len(photos)} photos of {asked.side} pixels a side"
    print_table(title, taken, plain=FORMATS[0], units=dict.fromkeys(FORMATS, len(photos)), unit="photo")
    equal = sum(texts[0][path.name] == texts[1][path.name] for path in photos)
    print(f"equal text: {equal} of {len(photos)}", flush=True)
    for one in ours.values():
        one.library.close()


def run_one(name: str, root: Path, asked: argparse.Namespace) -> None:
    """One format alone; prints the most memory it held."""
    folder = model_folder(name, root, is_small=asked.quick)
    photos = make_photos(root / f"photos {name}", asked.photos or PHOTOS[name], side_px=asked.side)
    Ours(folder, photos, root, dtype=asked.only).caption()
    print(peak_mb())


def main() -> None:
    """Read the command line and run."""
    parser = common_options(__doc__, MODELS, quick="a few small photos, once, no memory")
    parser.add_argument("--photos", type=int, default=0, help="how many; a number for each model by itself")
    parser.add_argument("--side", type=int, default=1080, help="pixels a side")
    asked = parser.parse_args()
    if asked.quick:
        asked.photos, asked.side, asked.rounds = 3, 200, 1
    comparison = Comparison(__file__, FORMATS, compare, run_one, ["photos", "side"])
    with tempfile.TemporaryDirectory() as folder:
        run_comparison(asked, comparison, Path(folder))


if __name__ == "__main__":
    main()
