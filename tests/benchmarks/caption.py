"""Times `photopal caption` against a plain transformers loop, on the same photos, with equal text.

Run it with `python tests/benchmarks/caption.py`. The plain loop opens each photo, hands it with the question
to the model's processor, and generates; it stores nothing. photopal does its usual run: photos decoded on
threads, encoded and captioned in batches, captions and search words stored. Both generate greedily, up to as
many words, and every text is compared. Both take turns in one process; memory is that of a process of its own
for each.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from models import MODELS, make_photos, model_folder
from plain import PlainModel
from sides import Comparison, common_options, peak_mb, print_table, run_comparison, take_turns

PLAIN, OURS = "plain loop", "photopal caption"


class Ours:
    """Captions a folder into a library of its own."""

    def __init__(self, folder: Path, photos: list[Path], root: Path) -> None:
        from photopal.answers.assistant import Assistant
        from photopal.concepts import Bank
        from photopal.library import Library, index_folders
        from photopal.vision import load_model

        model = load_model(folder)
        self.assistant = Assistant(model, Bank(model.fingerprint, ""), [])
        self.library = Library(root / f"{folder.name}.db")
        index_folders(self.library, [photos[0].parent])

    def caption(self) -> dict[str, str]:
        """Caption all photos anew; returns the text by file name."""
        from photopal.answers.caption import CaptionOptions, caption_photos

        texts: dict[str, str] = {}
        caption_photos(
            self.library,
            self.assistant,
            self.library.photos(),
            options=CaptionOptions(is_forced=True),
            on_caption=lambda made: texts.update({made.photo.path.name: made.caption.text}),
        )
        return texts


def caption_plainly(plain: PlainModel, photos: list[Path]) -> dict[str, str]:
    """Caption all photos one by one."""
    from photopal.prompts import CAPTION_QUESTION

    return {path.name: plain.ask(path, CAPTION_QUESTION) for path in photos}


def compare(name: str, root: Path, asked: argparse.Namespace) -> None:
    """Both sides in turn on one model."""
    folder = model_folder(name, root, is_small=asked.quick)
    photos = make_photos(root / f"photos {name}", asked.photos, side_px=asked.side)
    plain, ours = PlainModel(folder), Ours(folder, photos, root)
    one, other = caption_plainly(plain, photos), ours.caption()
    equal = sum(one[path.name] == other[path.name] for path in photos)
    sides = {PLAIN: lambda: caption_plainly(plain, photos), OURS: ours.caption}
    took_s = take_turns(sides, rounds=asked.rounds)
    words = sum(len(text.split()) for text in one.values()) / len(photos)
    title = f"{name}: {len(photos)} photos of {asked.side} pixels a side, {words:.0f} words a caption"
    print_table(title, took_s, plain=PLAIN, units=dict.fromkeys(sides, len(photos)), unit="photo")
    print(f"equal text: {equal} of {len(photos)}", flush=True)
    ours.library.close()
    if equal < len(photos):
        raise SystemExit(1)


def run_one(name: str, root: Path, asked: argparse.Namespace) -> None:
    """One side alone; prints the most memory it held."""
    folder = model_folder(name, root, is_small=asked.quick)
    photos = make_photos(root / f"photos {name}", asked.photos, side_px=asked.side)
    if asked.only == PLAIN:
        caption_plainly(PlainModel(folder), photos)
    else:
        Ours(folder, photos, root).caption()
    print(peak_mb())


def main() -> None:
    """Read the command line and run."""
    parser = common_options(__doc__, MODELS, quick="a few small photos, once, no memory")
    parser.add_argument("--photos", type=int, default=32)
    parser.add_argument("--side", type=int, default=1080, help="pixels a side")
    asked = parser.parse_args()
    if asked.quick:
        asked.photos, asked.side, asked.rounds = 3, 200, 1
    comparison = Comparison(__file__, [PLAIN, OURS], compare, run_one, ["photos", "side"])
    with tempfile.TemporaryDirectory() as folder:
        run_comparison(asked, comparison, Path(folder))


if __name__ == "__main__":
    main()
