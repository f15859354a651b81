"""Times tuning against the authors' loop, on the same model, photos, questions and epochs.

Run it with `python tests/benchmarks/tune.py`. The other side is in authors.py. Its photos are prepared as
pixels once, which its loop leaves to other processes. Of its epoch `--steps` questions are timed, for a
whole one takes long; what is printed is seconds a question. Before, both sides are asked for the loss of
the same prompts, which must be equal. With `--epochs` nothing is timed so: both sides learn the names of two
who look alike on the bundled model, at two learning rates, and their accuracy on photos drawn for that is
printed after each epoch. With `--seconds` both learn on the plain model, which was never taught names, for as
many seconds: the authors' loop as they have it, photopal as `photopal tune` does. `--families` does so for
several families, and adds the mean difference, with its bootstrap interval over families.
"""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from authors import AuthorsLoop, moments_bytes, reordered
from models import MODELS, model_folder
from PIL import Image
from sides import (
    Comparison,
    common_options,
    peak_mb,
    print_floor,
    print_machine,
    print_table,
    run_comparison,
    take_turns,
)

from photopal.concepts import Bank, RegisterOptions
from photopal.config import own_model_path
from photopal.lab.datasets.drawn_scenarios import FamilyOptions, draw_family
from photopal.lab.experiments.learned_scenario import register_family, tuning_concepts
from photopal.lab.experiments.photo_store import PhotoStore
from photopal.lab.metrics.intervals import bootstrap
from photopal.tuning import TuneOptions, TuningConcept, TuningPhoto, Validation, choose_start
from photopal.tuning.batching import PackedExample, PrefixStore, example_loss
from photopal.tuning.trainer import TuningRun
from photopal.vlm import load_model
from photopal.vlm.model import LoadedModel

AUTHORS, OURS = "authors' loop", "photopal"
TURNS = 6
Question = tuple[torch.Tensor, int, PackedExample]


@dataclass
class Lessons:
    """What both sides learn from: photos by key, one set of questions for each, and photos to test with.

    Without photos of their own for it, every fifth of the others is held out.
    """

    model: LoadedModel
    bank: Bank
    concepts: dict[int, TuningConcept]
    images: dict[str, Image.Image]
    photos: list[TuningPhoto]
    tests: list[TuningPhoto]
    options: TuneOptions


def family(*, concepts: int, photos: int) -> FamilyOptions:
    """Whom speed is measured with: photos of the bundled model's size and none to test with."""
    return FamilyOptions(concepts=concepts, photos=photos, tests=0, size_px=160)


def prepare(folder: Path, sizes: FamilyOptions, *, start: str = "kmeans", seed: int = 3) -> Lessons:
    """Draw concepts with reference photos, as many strangers and test photos, and register them."""
    model = load_model(folder)
    family = draw_family(seed, sizes)
    store = PhotoStore(model, images=family.images)
    learned = register_family(store, family, RegisterOptions(tokens=16, initialization=start))
    shown = [
        (str(photo.path), family.images[photo.path], frozenset({number}))
        for number, concept in enumerate(family.scenario.concepts, start=1)
        for photo in concept.train
    ]
    negatives = [*family.calibration, *family.negatives][: sizes.photos]
    shown += [(f"s-{number}", family.images[p.path], frozenset()) for number, p in enumerate(negatives)]
    shown += [
        (str(test.path), test.drawn.image, frozenset(index + 1 for index in test.present))
        for test in family.tests
    ]
    features = model.encode_photos([image for _, image, _ in shown])
    photos = [TuningPhoto(k, f, None, who) for (k, _, who), f in zip(shown, features, strict=True)]
    trained = len(photos) - len(family.tests)
    concepts = tuning_concepts(learned.concepts)
    images = {key: image for key, image, _ in shown}
    options = TuneOptions(variants=1, mirror_share=0.0)
    return Lessons(model, learned.registered, concepts, images, photos[:trained], photos[trained:], options)


class Ours:
    """Our run, an epoch at a time."""

    def __init__(self, lessons: Lessons) -> None:
        self.run = TuningRun(lessons.model, lessons.bank, lessons.concepts, lessons.options)
        held_out = lessons.tests or lessons.photos[::5]
        training = [photo for photo in lessons.photos if photo not in held_out]
        rng = random.Random(0)
        options = lessons.options
        self.lessons = self.run.prepare(
            training, rng, variants=options.variants, mirror_share=options.mirror_share
        )
        self.tests = self.run.prepare_validation(held_out)
        self.rng, self.total = rng, 15 * math.ceil(len(self.lessons) / lessons.options.batch_photos)

    def epoch(self) -> float:
        """Learn from every photo once."""
        return self.run.run_epoch(self.lessons, self.rng, self.total)

    def validate(self) -> Validation:
        """On held-out photos."""
        return self.run.validate(self.tests)

    def accuracy(self) -> float:
        """On held-out photos."""
        return self.validate().accuracy

    def questions(self) -> int:
        """How many questions an epoch has."""
        return sum(len(variants[0].encoded) for variants in self.lessons)

    def products(self) -> float:
        """Multiplications and additions of an epoch's matrix products, attention left out.

        Photos' own tokens are computed once a run and not counted. Gradients of rows ask for a second
        product of the size of the first with every weight, and none for the weights themselves.
        """
        model = self.run.model
        decoder = model._checkpoint.model.get_decoder()
        weights = sum(p.numel() for p in decoder.parameters() if p.ndim == 2)
        weights -= model.input_embeddings.numel()
        total = 0.0
        for [packed] in self.lessons:
            tokens = int(packed.layout.ids.shape[0])
            total += 4.0 * tokens * weights + 4.0 * packed.answer_tokens * model.output_embeddings.numel()
        return total


class Theirs:
    """Their run over the same questions, a number of steps at a time."""

    def __init__(self, folder: Path, lessons: Lessons, ours: Ours) -> None:
        self.loop = AuthorsLoop(folder, lessons.bank, learning_rate=lessons.options.learning_rate)
        pixels = {key: self.loop.pixels(image) for key, image in lessons.images.items()}
        told = [
            (
                pixels[variants[0].example.photo.key],
                reordered(lessons.model, variants[0], lessons.bank, "system-first"),
            )
            for variants in ours.lessons
        ]
        self.steps: list[Question] = [(p, n, one) for p, one in told for n in range(len(one.encoded))]
        random.Random(1).shuffle(self.steps)
        self.next = 0
        self.pixels = pixels
        self.tests = [
            [reordered(lessons.model, packed, lessons.bank, "system-first") for packed in variants]
            for variants in ours.tests
        ]
        self.lessons = lessons

    def learn(self, count: int) -> None:
        """Learn from some questions."""
        for pixels, number, packed in self.steps[:count]:
            self.loop.step(pixels, packed.encoded[number], packed.example.slots)

    def go_on(self, count: int) -> None:
        """Learn from the questions that come next, from the first again after the last."""
        for _ in range(count):
            pixels, number, packed = self.steps[self.next % len(self.steps)]
            self.loop.step(pixels, packed.encoded[number], packed.example.slots)
            self.next += 1

    def validate(self) -> Validation:
        """On held-out photos, in their own order of prompts."""
        lessons = self.lessons
        run = TuningRun(lessons.model, self.loop.tuned(), lessons.concepts, lessons.options)
        run.store = None
        return run.validate(self.tests)

    def accuracy(self) -> float:
        """On held-out photos, in their own order of prompts."""
        return self.validate().accuracy


def check_losses(ours: Ours, theirs: Theirs) -> float:
    """The largest difference of the loss of a photo's questions between both sides, before any step."""
    differences = []
    for [packed] in ours.lessons[:2]:
        rows = ours.run.table.slots(packed.example.slots)
        with torch.no_grad():
            result = example_loss(ours.run.model, packed, rows, PrefixStore(ours.run.model))
        plain = theirs.loop.loss(theirs.pixels[packed.example.photo.key], packed)
        differences.append(abs(float(result.total) / result.tokens - plain))
    return max(differences)


def compare(name: str, root: Path, asked: argparse.Namespace) -> None:
    """Both sides in turn on one model."""
    folder = model_folder(name, root, is_small=asked.quick)
    lessons = prepare(folder, family(concepts=asked.concepts, photos=asked.photos))
    ours = Ours(lessons)
    theirs = Theirs(folder, lessons, ours)
    difference = check_losses(ours, theirs)
    if difference > 1e-4:
        raise SystemExit(f"the losses differ by {difference}")
    steps = min(asked.steps or len(theirs.steps), len(theirs.steps))
    taken = take_turns({AUTHORS: lambda: theirs.learn(steps), OURS: ours.epoch}, rounds=asked.rounds)
    units = {AUTHORS: steps, OURS: ours.questions()}
    title = (
        f"{name}: {len(ours.lessons)} photos, {ours.questions()} questions; losses differ by {difference:.0e}"
    )
    print_table(title, taken, plain=AUTHORS, units=units, unit="question")
    theirs_mb, ours_mb = theirs.loop.moments_bytes() / 1e6, moments_bytes(ours.run.optimizer) / 1e6
    print(
        f"moments of the optimiser: {theirs_mb:.2f} MB and {ours_mb:.2f} MB, {theirs_mb / ours_mb:.0f} times"
    )
    print_floor(ours.products(), taken[OURS])


def learn(root: Path, asked: argparse.Namespace) -> None:
    """Both sides learn on the bundled model, at the authors' rate and at ten times that; prints accuracy.

    The photos they are tested on are drawn for it: of some of the family, of strangers and of nobody.
    """
    folder = model_folder("bundled", root)
    sizes = replace(
        family(concepts=asked.concepts, photos=asked.photos),
        tests=4 if asked.quick else 24,
        has_lookalikes=True,
    )
    lessons = prepare(folder, sizes, start=asked.start)
    works: dict[str, Callable[[], object]] = {}
    tests: dict[str, Callable[[], float]] = {}
    for rate in (lessons.options.learning_rate, 10 * lessons.options.learning_rate):
        at_rate = replace(lessons, options=replace(lessons.options, learning_rate=rate))
        ours = Ours(at_rate)
        theirs = Theirs(folder, at_rate, ours)
        works[f"{AUTHORS} at {rate:g}"] = partial(theirs.learn, len(theirs.steps))
        tests[f"{AUTHORS} at {rate:g}"] = theirs.accuracy
        works[f"{OURS} at {rate:g}"] = ours.epoch
        tests[f"{OURS} at {rate:g}"] = ours.accuracy
    asks = sum(len(variants[0].encoded) for variants in ours.tests)
    print(
        f"\nbundled: {len(ours.lessons)} photos, {ours.questions()} questions; accuracy on {len(ours.tests)} "
        f"others, {asks} questions, from {asked.start} rows that alone give {ours.accuracy():.3f}",
        flush=True,
    )
    spent = dict.fromkeys(works, 0.0)
    for epoch in range(1, asked.epochs + 1):
        for side, work in works.items():
            started = time.perf_counter()
            work()
            spent[side] += time.perf_counter() - started
        told = [f"{side}: {tests[side]():.3f} after {spent[side]:.1f} s" for side in works]
        print(f"epoch {epoch}: {'; '.join(told)}", flush=True)


def race(asked: argparse.Namespace) -> None:
    """Both sides learn on the plain model for as many seconds; prints how well both tell names apart.

    photopal's seconds begin with the choice of what it starts from, the loop's with its first step. Photos
    are prepared before, for both.
    """
    curves = [race_family(seed, asked) for seed in range(3, 3 + asked.families)]
    if len(curves) < 2:
        return
    print(f"\nMean accuracy over {len(curves)} families, and photopal less the better of the loop's rates:")
    for turn, until in enumerate(turns(asked), start=1):
        told = [curve[turn - 1] for curve in curves]
        words = [f"{name}: {sum(one[name] for one in told) / len(told):.3f}" for name in told[0]]
        low, high = bootstrap(lead, told)
        print(f"{until:.0f} s: {'; '.join(words)}; difference {lead(told):+.3f} ({low:+.3f} to {high:+.3f})")


def turns(asked: argparse.Namespace) -> list[float]:
    """After how many seconds both sides are tested."""
    return [asked.seconds * turn / TURNS for turn in range(1, TURNS + 1)]


def lead(told: Sequence[dict[str, float]]) -> float:
    """By how much photopal is better than the loop at the rate that is better for a family."""
    ahead = [one[OURS] - max(v for name, v in one.items() if name != OURS) for one in told]
    return sum(ahead) / len(ahead)


def race_family(seed: int, asked: argparse.Namespace) -> list[dict[str, float]]:
    """The race of one family; gives the accuracy of each side after each turn."""
    folder = own_model_path("plain")
    sizes = family(concepts=asked.concepts, photos=asked.photos)
    lessons = prepare(folder, replace(sizes, tests=4 if asked.quick else 24), seed=seed)
    sides: dict[str, Theirs | Ours] = {}
    for rate in (lessons.options.learning_rate, 10 * lessons.options.learning_rate):
        at_rate = replace(lessons, options=replace(lessons.options, learning_rate=rate))
        sides[f"{AUTHORS} at {rate:g}"] = Theirs(folder, at_rate, Ours(at_rate))
    spent = dict.fromkeys(sides, 0.0)
    started = time.perf_counter()
    start = choose_start(lessons.model, lessons.bank, lessons.concepts, lessons.photos, lessons.options)
    spent[OURS] = time.perf_counter() - started
    sides[OURS] = Ours(replace(lessons, bank=start.bank, options=start.options))
    questions = len(next(side for side in sides.values() if isinstance(side, Theirs)).steps)
    print(
        f"\nplain: {len(lessons.photos)} photos, {questions} questions of the loop; photopal starts from "
        f"{start.way} after {spent[OURS]:.1f} s. Accuracy, AUROC of p(yes) on {len(lessons.tests)} others"
    )
    curve = []
    for until in turns(asked):
        for name, side in sides.items():
            while spent[name] < until:
                started = time.perf_counter()
                if isinstance(side, Theirs):
                    side.go_on(4)
                else:
                    side.epoch()
                spent[name] += time.perf_counter() - started
        told = {name: side.validate() for name, side in sides.items()}
        words = [f"{name}: {one.accuracy:.3f}, {one.area:.3f}" for name, one in told.items()]
        print(f"{until:.0f} s: {'; '.join(words)}", flush=True)
        curve.append({name: one.accuracy for name, one in told.items()})
    return curve


def run_one(name: str, root: Path, asked: argparse.Namespace) -> None:
    """One side alone; prints the most memory it took beyond what both prepare."""
    folder = model_folder(name, root)
    lessons = prepare(folder, family(concepts=asked.concepts, photos=asked.photos))
    ours = Ours(lessons)
    before = peak_mb()
    if asked.only == AUTHORS:
        Theirs(folder, lessons, ours).learn(4)
    else:
        ours.epoch()
    print(peak_mb() - before)


def main() -> None:
    """Read the command line and run."""
    parser = common_options(__doc__, MODELS, quick="a few photos, once, no memory")
    parser.add_argument("--concepts", type=int, default=2)
    parser.add_argument("--photos", type=int, default=6, help="reference photos of each concept")
    parser.add_argument("--steps", type=int, default=20, help="questions of their epoch to time; 0 for all")
    parser.add_argument("--start", choices=("kmeans", "random"), default="kmeans", help="rows to start from")
    parser.add_argument("--epochs", type=int, default=0, help="compare accuracy, not speed, over these")
    parser.add_argument("--seconds", type=float, default=0.0, help="compare on the plain model for so long")
    parser.add_argument("--families", type=int, default=1, help="for how many families, with --seconds")
    asked = parser.parse_args()
    if asked.quick:
        asked.photos, asked.steps, asked.rounds = 2, 2, 1
    comparison = Comparison(__file__, [AUTHORS, OURS], compare, run_one, ["photos", "concepts"])
    with tempfile.TemporaryDirectory() as folder:
        if asked.seconds:
            print_machine()
            race(asked)
        elif asked.epochs:
            print_machine()
            learn(Path(folder), asked)
        else:
            run_comparison(asked, comparison, Path(folder))


if __name__ == "__main__":
    main()
