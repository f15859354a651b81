"""Times looking for N concepts on one photo against maps as the authors make them, in time and memory.

Run it with `python tests/benchmarks/recognise.py`. The other side is written here from what is published of
MC-LLaVA: for each concept the cosine of every patch with every stored patch vector, each of these maps
enlarged to the photo, their mean, the share of pixels above a threshold. photopal does what it does for
every photo: one matrix product for all concepts, who contests whom, scores, and the place of each. Encoding
the photo is the same for both and left out of the ratio; its time is printed beside. `--vectors` stored
vectors a concept are few: ten reference photos have several hundred.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from models import MODELS, make_photos, model_folder
from sides import Comparison, common_options, peak_mb, print_table, run_comparison, take_turns

if TYPE_CHECKING:
    from torch import Tensor

    from photopal.assistant.assistant import Assistant
    from photopal.vlm.protocol import PhotoFeatures, VisionModel

AUTHORS, OURS = "authors' maps", "photopal"
TAU, GAMMA = 0.318, 100 / 256**2


def stored_vectors(model_width: int, concepts: int, vectors: int) -> Tensor:
    """`[concepts, vectors, width]` patch vectors, each concept's around a direction of its own."""
    import torch

    generator = torch.Generator().manual_seed(concepts)
    around = torch.randn(concepts, 1, model_width, generator=generator)
    return around + 0.5 * torch.randn(concepts, vectors, model_width, generator=generator)


def authors_way(patches: Tensor, stored: Tensor, size: tuple[int, int]) -> list[bool]:
    """Who is there, from enlarged maps of every stored vector; `size` is height and width in pixels."""
    import torch

    units = torch.nn.functional.normalize(patches, dim=-1)
    seen = []
    for vectors in stored:
        cosines = torch.einsum("rcw,vw->vrc", units, torch.nn.functional.normalize(vectors, dim=-1))
        large = torch.nn.functional.interpolate(cosines[None], size=size, mode="bilinear")[0]
        seen.append(float((large.mean(dim=0) > TAU).float().mean()) > GAMMA)
    return seen


def our_assistant(model: VisionModel, stored: Tensor) -> Assistant:
    """An assistant that knows as many concepts, by the same vectors."""
    import torch

    from photopal.assistant.assistant import Assistant
    from photopal.concepts import Bank
    from photopal.concepts.bank import BankConcept
    from photopal.concepts.calibration import Calibration
    from photopal.concepts.localize import concept_direction
    from photopal.library import ConceptRecord

    rows, output = torch.zeros(17, model.hidden_size), torch.zeros(model.hidden_size)
    band = Calibration(TAU, TAU)
    learned = [
        BankConcept(number, rows, output, concept_direction(vectors), band, "")
        for number, vectors in enumerate(stored)
    ]
    concepts = [
        ConceptRecord(id=number, name=f"Name{number}", kind="person", about=None, created_at="")
        for number in range(len(learned))
    ]
    return Assistant(model, Bank(model.fingerprint, "").with_concepts(learned), concepts)


def largest_difference(patches: Tensor, stored: Tensor) -> float:
    """Between the mean of the cosines and the product with the mean of the unit vectors, on the grid."""
    import torch

    from photopal.concepts.localize import location_maps

    units = torch.nn.functional.normalize(stored, dim=-1)
    every = torch.stack([location_maps(patches, vectors).mean(dim=0) for vectors in units])
    return float((every - location_maps(patches, units.mean(dim=1))).abs().max())


def open_one(name: str, root: Path, asked: argparse.Namespace) -> tuple[VisionModel, PhotoFeatures]:
    """A model, and the features of one photo."""
    from photopal.photos import open_photo
    from photopal.vlm import load_model

    model = load_model(model_folder(name, root, is_small=asked.quick))
    [path] = make_photos(root / "photos", 1, side_px=200)
    return model, model.encode_photos([open_photo(path)])[0]


def compare(name: str, root: Path, asked: argparse.Namespace) -> None:
    """Both sides in turn, for each number of concepts."""
    from PIL import Image

    model, features = open_one(name, root, asked)
    image = Image.new("RGB", (asked.size[1], asked.size[0]))
    encoding = take_turns({"encode": lambda: model.encode_photos([image])}, rounds=asked.rounds)
    print(f"\n{name}: encoding the photo takes {min(run.wall_s for run in encoding['encode']):.4f} s")
    for count in asked.concepts:
        stored = stored_vectors(features.patches.shape[-1], count, asked.vectors)
        difference = largest_difference(features.patches, stored)
        if difference > 1e-5:
            raise SystemExit(f"the maps differ by {difference}")
        assistant = our_assistant(model, stored)
        sides = {}
        if count <= asked.most_for_authors:
            sides[AUTHORS] = lambda s=stored: authors_way(features.patches, s, tuple(asked.size))
        sides[OURS] = lambda a=assistant: a.see([image], [features])
        taken = take_turns(sides, rounds=asked.rounds)
        title = f"{name}, {count} concepts, {asked.vectors} vectors each, maps differ by {difference:.0e}"
        print_table(title, taken, plain=next(iter(sides)), units=dict.fromkeys(sides, 1), unit="photo")


def run_one(name: str, root: Path, asked: argparse.Namespace) -> None:
    """One side alone with the most concepts both take; prints what memory it took beyond the model."""
    from PIL import Image

    model, features = open_one(name, root, asked)
    stored = stored_vectors(features.patches.shape[-1], asked.most_for_authors, asked.vectors)
    before = peak_mb()
    if asked.only == AUTHORS:
        authors_way(features.patches, stored, tuple(asked.size))
    else:
        image = Image.new("RGB", (asked.size[1], asked.size[0]))
        our_assistant(model, stored).see([image], [features])
    print(peak_mb() - before)


def main() -> None:
    """Read the command line and run."""
    parser = common_options(__doc__, MODELS, quick="few concepts, small photo, once, no memory")
    parser.add_argument("--concepts", type=int, nargs="*", default=[1, 8, 64, 512])
    parser.add_argument("--most-for-authors", type=int, default=64, help="concepts, for their side")
    parser.add_argument("--vectors", type=int, default=64, help="stored vectors a concept")
    parser.add_argument("--size", type=int, nargs=2, default=[1080, 1920], help="height and width in pixels")
    asked = parser.parse_args()
    if asked.quick:
        asked.concepts, asked.vectors, asked.size, asked.rounds = [1, 3], 4, [90, 160], 1
    comparison = Comparison(
        __file__, [AUTHORS, OURS], compare, run_one, ["vectors", "most_for_authors", "size"]
    )
    with tempfile.TemporaryDirectory() as folder:
        run_comparison(asked, comparison, Path(folder))


if __name__ == "__main__":
    main()
