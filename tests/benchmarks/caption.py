"""Times `photopal caption` against a plain transformers loop, on the same photos, with equal text.

Run it with `python tests/benchmarks/caption.py`. The plain loop opens each photo, hands it with the question
to the model's processor, and generates; it stores nothing. photopal does its usual run: photos decoded on
threads, encoded and captioned in batches, captions and search words stored. Both generate greedily, up to as
many words, and every text is compared. Both take turns in one process; memory is that of a process of its own
for each. With `--many`, only photopal runs: it captions that many small photos, the same few again and again,
and prints the most memory it held on the way.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from models import MODELS, make_photos, model_folder
from PIL import Image
from plain import PlainModel
from sides import (
    Comparison,
    common_options,
    peak_mb,
    print_floor,
    print_table,
    run_comparison,
    take_turns,
)

PLAIN, OURS = "plain loop", "photopal caption"
PHOTOS = {"bundled": 96, "llava": 12}
REPEATED = 50


class Ours:
    """Captions a folder into a library of its own."""

    def __init__(self, folder: Path, photos: list[Path], root: Path, *, dtype: str = "auto") -> None:
        from photopal.assistant.assistant import Assistant
        from photopal.concepts import Bank
        from photopal.ingest.indexer import index_folders
        from photopal.instances import load_encoder
        from photopal.library import Library
        from photopal.vlm import load_model

        model = load_model(folder, dtype=dtype)
        # With the second look of the command, by which drawn photos are told from camera photos.
        self.assistant = Assistant(model, Bank(model.fingerprint, ""), [], glance=load_encoder().glance)
        self.library = Library(root / f"{folder.name}-{dtype}.db")
        index_folders(self.library, [photos[0].parent])

    def caption_many(self, count: int) -> None:
        """Caption as many photos, the library's again and again; prints memory and speed on the way."""
        import itertools
        import time

        from photopal.assistant.caption import CaptionOptions, caption_photos

        rows = list(self.library.photos.all())
        for _ in range(10):
            started, few = time.perf_counter(), count // 10
            again = itertools.islice(itertools.cycle(rows), few)
            caption_photos(self.library, self.assistant, again, options=CaptionOptions(is_forced=True))
            took_ms = 1000 * (time.perf_counter() - started) / few
            print(f"{few:6} photos more: {took_ms:6.1f} ms each, {peak_mb():6.0f} MB at most", flush=True)

    def products(self, photos: int, words: int) -> float:
        """Multiplications and additions of the matrix products of a run, attention left out.

        Args:
            photos: How many photos.
            words: Tokens of all captions.
        """
        from photopal.prompts import CAPTION_QUESTION, build_prompt

        model = self.assistant.model
        whole = model._checkpoint.model.model
        features = model.encode_photos([Image.new("RGB", (64, 64))])[0]
        prompt = int(model.encode_prompt(build_prompt(CAPTION_QUESTION), features).ids.shape[0])
        tower = sum(w.numel() for w in whole.vision_tower.parameters() if w.ndim == 2)
        joint = sum(w.numel() for w in whole.multi_modal_projector.parameters() if w.ndim == 2)
        head = model.output_embeddings.numel()
        decoder = sum(w.numel() for w in whole.language_model.parameters() if w.ndim == 2) - head
        patches = int(features.tokens.shape[0])
        seen = patches * (tower + joint) + prompt * decoder
        return 2.0 * (photos * seen + words * (decoder + head))

    def caption(self) -> dict[str, str]:
        """Caption all photos anew; returns the text by file name."""
        from photopal.assistant.caption import CaptionOptions, caption_photos

        texts: dict[str, str] = {}
        caption_photos(
            self.library,
            self.assistant,
            self.library.photos.all(),
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
    photos = make_photos(root / f"photos {name}", asked.photos or PHOTOS[name], side_px=asked.side)
    plain, ours = PlainModel(folder), Ours(folder, photos, root)
    one, other = caption_plainly(plain, photos), ours.caption()
    equal = sum(one[path.name] == other[path.name] for path in photos)
    sides = {PLAIN: lambda: caption_plainly(plain, photos), OURS: ours.caption}
    taken = take_turns(sides, rounds=asked.rounds)
    words = sum(len(text.split()) for text in one.values()) / len(photos)
    title = f"{name}: {len(photos)} photos of {asked.side} pixels a side, {words:.0f} words a caption"
    print_table(title, taken, plain=PLAIN, units=dict.fromkeys(sides, len(photos)), unit="photo")
    print(f"equal text: {equal} of {len(photos)}", flush=True)
    tokens = sum(len(plain.processor.tokenizer(text)["input_ids"]) for text in one.values())
    print_floor(ours.products(len(photos), tokens), taken[OURS])
    ours.library.close()
    if equal < len(photos):
        raise SystemExit(1)


def caption_many(root: Path, asked: argparse.Namespace) -> None:
    """Our side alone, over many photos."""
    name = asked.models[0]
    folder = model_folder(name, root, is_small=asked.quick)
    photos = make_photos(root / f"photos {name}", REPEATED, side_px=160)
    ours = Ours(folder, photos, root)
    print(f"\n{name}: {asked.many} photos, {REPEATED} different ones again and again")
    ours.caption_many(asked.many)
    ours.library.close()


def run_one(name: str, root: Path, asked: argparse.Namespace) -> None:
    """One side alone; prints the most memory it held."""
    folder = model_folder(name, root, is_small=asked.quick)
    photos = make_photos(root / f"photos {name}", asked.photos or PHOTOS[name], side_px=asked.side)
    if asked.only == PLAIN:
        caption_plainly(PlainModel(folder), photos)
    else:
        Ours(folder, photos, root).caption()
    print(peak_mb())


def main() -> None:
    """Read the command line and run."""
    parser = common_options(__doc__, MODELS, quick="a few small photos, once, no memory")
    parser.add_argument("--photos", type=int, default=0, help="how many; a number for each model by itself")
    parser.add_argument("--many", type=int, default=0, help="photos to caption and nothing else")
    parser.add_argument("--side", type=int, default=1080, help="pixels a side")
    asked = parser.parse_args()
    if asked.quick:
        asked.photos, asked.side, asked.rounds = 3, 200, 1
    comparison = Comparison(__file__, [PLAIN, OURS], compare, run_one, ["photos", "side"])
    with tempfile.TemporaryDirectory() as folder:
        if asked.many:
            caption_many(Path(folder), asked)
        else:
            run_comparison(asked, comparison, Path(folder))


if __name__ == "__main__":
    main()
