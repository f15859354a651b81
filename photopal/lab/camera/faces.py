"""Measures faces on folders of photos by identity: names, strangers, groups, time and memory."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from photopal.errors import DatasetError, PhotoError
from photopal.faces.detector import DETECTOR, FaceDetector
from photopal.faces.groups import FaceGroups
from photopal.faces.people import distances, learn_people, name_faces
from photopal.faces.recurring import find_recurring
from photopal.faces.scan import find_ahead
from photopal.lab.camera import peak_memory_mb
from photopal.library.models import Face
from photopal.photos import Skipped, find_photos, open_photo
from photopal.progress import OnProgress

_LARGE_PX = (4000, 3000)
_LARGE_PHOTOS = 6
_GROUPED_PEOPLE, _GROUPED_FACES = 40, 5


@dataclass(frozen=True)
class CameraOptions:
    """What is measured.

    Attributes:
        registered: How many people are registered at a time; one line for each number.
        references: How many reference photos each has.
        seeds: How many times people and references are drawn anew.
        strangers: How many identities with too few photos to be registered are searched at most.
        photos: How many photos of an identity are searched at most.
    """

    registered: tuple[int, ...] = (10, 20, 50)
    references: int = 5
    seeds: int = 5
    strangers: int = 400
    photos: int = 9


@dataclass(frozen=True)
class NamingRow:
    """How faces are named with some people registered; counts over all seeds.

    Attributes:
        registered: How many people are registered.
        tests: Photos of registered people that are no references.
        right: Those with their name and no other.
        wrong: Those with another's name.
        unsure: Those with no name, though somebody is thought possible.
        strangers: Photos of other people.
        named: Those of them that got a name.
        auroc: Of the distances of faces from means: a person's own against all others'.
    """

    registered: int
    tests: int
    right: int
    wrong: int
    unsure: int
    strangers: int
    named: int
    auroc: float


@dataclass(frozen=True)
class CameraTable:
    """All figures of a run.

    Attributes:
        options: What was asked for.
        identities: How many folders were read, and how many have enough photos to be registered.
        photos: How many photos were searched, and on how many no face was found.
        naming: One row for each number of registered people.
        groups: Faces, people, groups, groups of several faces, and the purity of the groups.
        speed: Seconds per photo of 12 megapixels on one thread, photos per second on all, and the highest
            memory of the process in megabytes.
    """

    options: CameraOptions
    identities: tuple[int, int]
    photos: tuple[int, int]
    naming: tuple[NamingRow, ...]
    groups: dict[str, float]
    speed: dict[str, float]
    detector: str = DETECTOR

    def facts(self) -> dict[str, Any]:
        """Everything as JSON takes it."""
        return asdict(self)


@dataclass
class _Album:
    vectors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    qualities: dict[str, list[float]] = field(default_factory=dict)
    photos: int = 0
    without_face: int = 0


def measure_faces(
    folder: Path, options: CameraOptions, *, seed: int = 0, on_progress: OnProgress | None = None
) -> CameraTable:
    """Search photos for faces and measure how they are named and grouped.

    Args:
        folder: A folder for each identity, with photos that show it.
        options: What to measure.
        seed: The first of the seeds.
        on_progress: Told of each photo.

    Raises:
        DatasetError: There is no folder with enough photos.
        ModelError: Faces cannot be found on this machine.
    """
    detector = FaceDetector()
    files = {
        path.name: sorted(find_photos([path], on_skip=_pass_over))
        for path in sorted(folder.iterdir())
        if path.is_dir()
    }
    chosen = _choose(files, options, np.random.default_rng(seed))
    if not chosen:
        raise DatasetError(f"{folder}: no folder with more than {options.references} photos")
    album = _search(detector, chosen, on_progress)
    able = [name for name, vectors in album.vectors.items() if len(vectors) > options.references]
    return CameraTable(
        options=options,
        identities=(len(chosen), len(able)),
        photos=(album.photos, album.without_face),
        naming=tuple(
            _measure_naming(album, able, count, options, seed)
            for count in options.registered
            if count <= len(able)
        ),
        groups=_measure_groups(album, able, np.random.default_rng(seed)),
        speed=_measure_speed(detector, next(iter(chosen.values()))[0]),
    )


def _pass_over(skipped: Skipped) -> None:
    """A folder or link inside an identity's folder that cannot be searched has no photos to measure on."""


def _choose(
    files: Mapping[str, list[Path]], options: CameraOptions, random: np.random.Generator
) -> dict[str, list[Path]]:
    """Identities to register, a few more than are needed at a time, and strangers."""
    able = [name for name, paths in files.items() if len(paths) > options.references]
    if not able:
        return {}
    most = max(max(options.registered), _GROUPED_PEOPLE) + 10
    able = [able[index] for index in random.permutation(len(able))[:most]]
    # Those with one photo: whose others are not looked at.
    others = [name for name in files if files[name] and name not in able]
    others = [others[index] for index in random.permutation(len(others))[: options.strangers]]
    return {name: files[name][: options.photos] for name in able} | {name: files[name][:1] for name in others}


def _search(
    detector: FaceDetector, files: Mapping[str, list[Path]], on_progress: OnProgress | None
) -> _Album:
    album = _Album()
    wanted = [(name, path) for name, paths in files.items() for path in paths]
    faces: dict[str, list[list[Face]]] = defaultdict(list)
    found = find_ahead(detector, wanted, lambda pair: pair[1])
    with closing(found):
        for done, ((name, path), result) in enumerate(found, start=1):
            if isinstance(result, PhotoError):
                continue
            album.photos += 1
            album.without_face += not result
            faces[name].append(result)
            if on_progress is not None:
                on_progress(done, len(wanted), path)
    for name, photos in faces.items():
        own = list(_faces_of(photos))
        if own:
            album.vectors[name] = np.array([face.vector for face in own])
            album.qualities[name] = [face.quality for face in own]
    return album


def _faces_of(photos: Sequence[list[Face]]) -> Iterator[Face]:
    """The identity's face on each of its photos: the one that recurs, on a single photo the most central."""
    if len(photos) == 1:
        if photos[0]:
            yield min(photos[0], key=lambda face: _from_middle(face.box))
        return
    empty = np.empty((0, 128), np.float32)
    vectors = [np.array([face.vector for face in faces]) if faces else empty for faces in photos]
    recurring = find_recurring(vectors)
    for faces, index in zip(photos, recurring.indexes if recurring else (), strict=False):
        if index is not None:
            yield faces[index]
        elif len(faces) == 1:
            # A lone face that is unlike the others is the identity's all the same: a hard one must count.
            yield faces[0]


def _from_middle(box: tuple[float, float, float, float]) -> float:
    x, y, width, height = box
    return abs(x + width / 2 - 0.5) + abs(y + height / 2 - 0.5)


def _measure_naming(
    album: _Album, able: Sequence[str], count: int, options: CameraOptions, seed: int
) -> NamingRow:
    tally: Counter[str] = Counter()
    own: list[float] = []
    foreign: list[float] = []
    for number in range(options.seeds):
        random = np.random.default_rng(seed + number)
        names = [able[index] for index in random.permutation(len(able))[:count]]
        references, tests = {}, []
        for key, name in enumerate(names):
            order = random.permutation(len(album.vectors[name]))
            references[key] = album.vectors[name][order[: options.references]]
            tests += [(key, vector) for vector in album.vectors[name][order[options.references :]]]
        people = learn_people(references)
        others = [vectors[0] for name, vectors in album.vectors.items() if name not in names]
        for key, vector in tests:
            evidence = name_faces(people, vector[None])
            named = [one.concept_id for one in evidence if one.verdict == "present"]
            tally["tests"] += 1
            tally["right"] += named == [key]
            tally["wrong"] += any(other != key for other in named)
            tally["unsure"] += not named and any(one.verdict == "unsure" for one in evidence)
        for vector in others:
            tally["strangers"] += 1
            tally["named"] += any(one.verdict == "present" for one in name_faces(people, vector[None]))
        for key, person in enumerate(people):
            own += distances(np.array([v for k, v in tests if k == key]), person.center).tolist()
            rest = np.array([*others, *(v for k, v in tests if k != key)])
            foreign += distances(rest, person.center).tolist()
    counts = {name: tally[name] for name in ("tests", "right", "wrong", "unsure", "strangers", "named")}
    return NamingRow(registered=count, auroc=_auroc(np.array(own), np.array(foreign)), **counts)


def _auroc(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    """The part of pairs in which a value of `low` is the lower; ties count half."""
    if not len(low) or not len(high):
        return float("nan")
    ordered = np.sort(high)
    below = len(high) - np.searchsorted(ordered, low, side="right")
    equal = np.searchsorted(ordered, low, side="right") - np.searchsorted(ordered, low, side="left")
    return float((below + equal / 2).mean() / len(high))


def _measure_groups(album: _Album, able: Sequence[str], random: np.random.Generator) -> dict[str, float]:
    names = [able[index] for index in random.permutation(len(able))[:_GROUPED_PEOPLE]]
    items = [
        (name, index)
        for name in names
        for index in random.permutation(len(album.vectors[name]))[:_GROUPED_FACES]
    ]
    groups = FaceGroups()
    group_of: dict[int, int | None] = {}
    for item in random.permutation(len(items)):
        name, index = items[item]
        done = groups.add([album.vectors[name][index]], qualities=[album.qualities[name][index]])
        for gone, into in done.merged:
            group_of = {key: into if group == gone else group for key, group in group_of.items()}
        group_of[int(item)] = done.groups[0]
    for gone, into in groups.settle():
        group_of = {key: into if group == gone else group for key, group in group_of.items()}
    members: dict[int, Counter[str]] = defaultdict(Counter)
    for item, group in group_of.items():
        if group is not None:
            members[group][items[item][0]] += 1
    grouped = sum(sum(names.values()) for names in members.values())
    return {
        "faces": len(items),
        "people": len(names),
        "ungrouped": len(items) - grouped,
        "groups": len(members),
        "groups_of_several": sum(sum(names.values()) > 1 for names in members.values()),
        "purity": sum(max(names.values()) for names in members.values()) / max(1, grouped),
    }


def _measure_speed(detector: FaceDetector, path: Path) -> dict[str, float]:
    """Time photos of 12 megapixels, made of one photo in the middle of a large frame."""
    picture = open_photo(path)
    frame = Image.new("RGB", _LARGE_PX, (110, 120, 130))
    side = _LARGE_PX[1] // 2
    frame.paste(picture.resize((side, side)), (side // 2, side // 2))
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.jpg" for number in range(_LARGE_PHOTOS)]
        for large in paths:
            frame.save(large, quality=90)
        begin, cpu = time.perf_counter(), time.process_time()
        detector.find_in_file(paths[0])
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
        begin = time.perf_counter()
        faces = sum(
            len(found) for _, found in find_ahead(detector, paths, lambda one: one) if isinstance(found, list)
        )
        rate = len(paths) / (time.perf_counter() - begin)
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "photos_per_s": rate,
        "faces_per_photo": faces / len(paths),
        "memory_mb": peak_memory_mb(),
    }
