"""Writes a small family library of drawn photos as real files, with what is true of them; knows no model.

An album's folder holds the photo library (`photos/2023/…`), reference photos of each name
(`references/Anna/…`), their masks (`masks/Anna/…`) and the truth about every photo (`truth.json`).
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from photopal.errors import PhotopalError, UsageError
from photopal.lab.synthetic.camera import (
    Shot,
    a_second_later,
    add_grain,
    name_file,
    plan_shot,
    stamp_file,
    write_mask,
    write_photo,
)
from photopal.lab.synthetic.drawing import DrawnPhoto, draw_photo
from photopal.lab.synthetic.family import (
    Family,
    cast_photos,
    cast_references,
    check_names,
    draw_family,
    nudge,
    plan_clear,
    plan_visible,
)
from photopal.lab.synthetic.identity import Identity
from photopal.lab.synthetic.scene import Scene
from photopal.lab.synthetic.wording import caption_words, describe_fully, side_words

Box = tuple[int, int, int, int]
_PHOTOS_PER_BURST = 12


@dataclass(frozen=True)
class AlbumOptions:
    """What is in an album.

    Attributes:
        people: Names of people; one of them has a lookalike.
        pets: Names of pets.
        references: Reference photos of each name.
        photos: Photos of the library, one in twelve a second shot of a burst.
        size_px: Width and height of every photo.
        years: The years the photos are taken in.
    """

    people: tuple[str, ...] = ("Anna", "Ben")
    pets: tuple[str, ...] = ("Rex",)
    references: int = 8
    photos: int = 36
    size_px: int = 512
    years: tuple[int, ...] = (2022, 2023, 2024)


@dataclass(frozen=True)
class AlbumPhoto:
    """A written photo and what is true of it.

    Attributes:
        path: The file.
        scene: Who does what, where, in which light.
        names: For each subject of the scene its name, None for strangers.
        boxes: For each subject its visible part as (x, y, width, height) in pixels of the upright photo.
        shot: When, where and with which camera it is taken.
        burst_of: The photo of the same burst a second before, if there is one.
    """

    path: Path
    scene: Scene
    names: tuple[str | None, ...]
    boxes: tuple[Box | None, ...]
    shot: Shot
    burst_of: Path | None = None

    @property
    def caption(self) -> str:
        """What is seen, with names."""
        return caption_words(self.scene, self.names)


@dataclass(frozen=True)
class AlbumReference:
    """A reference photo of one concept.

    Attributes:
        photo: The photo.
        index: Which subject of its scene is the concept.
        mask: An 8-bit PNG of the upright photo's size: 255 where the concept is seen, else 0.
    """

    photo: AlbumPhoto
    index: int
    mask: Path

    @property
    def box(self) -> Box | None:
        """Where the concept is, as (x, y, width, height) in pixels of the upright photo."""
        return self.photo.boxes[self.index]


@dataclass(frozen=True)
class AlbumConcept:
    """Somebody with a name, and reference photos of them."""

    name: str
    identity: Identity
    references: tuple[AlbumReference, ...]


@dataclass(frozen=True)
class Album:
    """A written album.

    Attributes:
        folder: Where it is.
        photos: The photos of the library, oldest first.
        concepts: Who has a name, people first.
        lookalike: A stranger in some photos, one attribute apart from the concept `lookalike_of`.
        lookalike_of: A concept's name.
    """

    folder: Path
    photos: tuple[AlbumPhoto, ...]
    concepts: tuple[AlbumConcept, ...]
    lookalike: Identity
    lookalike_of: str

    @property
    def photos_folder(self) -> Path:
        """The photo library."""
        return self.folder / "photos"

    @property
    def truth(self) -> Path:
        """The JSON file with what is true of every photo."""
        return self.folder / "truth.json"


@dataclass(frozen=True)
class _Planned:
    """A photo before it is written: `concept` for reference photos, else the library's."""

    scene: Scene
    shot: Shot
    concept: Identity | None = None
    is_second: bool = False


def write_album(folder: Path, *, seed: int = 0, options: AlbumOptions | None = None) -> Album:
    """Write an album; the same seed and options give the same bytes (with the same Pillow).

    Args:
        folder: A folder that does not exist yet, or is empty.
        seed: Which family and which photos.
        options: How many of what; the defaults give 36 photos and 24 reference photos of three names.

    Raises:
        UsageError: The folder holds something, or the names cannot be used.
        PhotopalError: The folder cannot be written.
    """
    options = options or AlbumOptions()
    check_names((*options.people, *options.pets))
    rng = random.Random(seed)
    family = draw_family(options.people, options.pets, rng)
    planned = _plan(family, options, rng)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty", hint="Choose a new or an empty folder.")
        return _write(folder, planned, family, options)
    except OSError as error:
        raise PhotopalError(f"{folder} cannot be written: {error.strerror or error}") from error


def _plan(family: Family, options: AlbumOptions, rng: random.Random) -> list[_Planned]:
    """Plan every photo, oldest first."""
    bursts = options.photos // _PHOTOS_PER_BURST
    planned: list[_Planned] = []
    for number, cast in enumerate(cast_photos(family, rng, count=options.photos - bursts)):
        scene = plan_visible(cast, rng)
        year = options.years[number % len(options.years)]
        planned.append(_Planned(scene, plan_shot(scene, rng, year=year)))
    peopled = [photo for photo in planned if photo.scene.subjects]
    for first in rng.sample(peopled, min(bursts, len(peopled))):
        later = replace(first, scene=nudge(first.scene, rng), shot=a_second_later(first.shot), is_second=True)
        planned.append(later)
    for member in family.names:
        places: set[str] = set()
        for cast in cast_references(family, member, rng, count=options.references):
            scene = plan_clear(cast, rng, not_at=places)
            places.add(scene.place)
            shot = plan_shot(scene, rng, year=rng.choice(options.years))
            planned.append(_Planned(scene, shot, member))
    return sorted(planned, key=lambda photo: photo.shot.taken)


def _write(folder: Path, planned: list[_Planned], family: Family, options: AlbumOptions) -> Album:
    photos: list[AlbumPhoto] = []
    references: dict[str, list[AlbumReference]] = {name: [] for name in family.names.values()}
    taken = Counter[str]()
    for plan in planned:
        name = None if plan.concept is None else family.names[plan.concept]
        home = folder / "photos" / f"{plan.shot.taken:%Y}" if name is None else folder / "references" / name
        shot = plan.shot
        while (path := home / name_file(shot, taken[shot.camera.model])).exists():
            shot = a_second_later(shot)
        taken[shot.camera.model] += 1
        drawn = draw_photo(plan.scene, size_px=options.size_px)
        photo = _write_one(path, drawn, replace(plan, shot=shot), family)
        if plan.is_second:
            photo = replace(photo, burst_of=photos[-1].path)
        if plan.concept is None or name is None:
            photos.append(photo)
            continue
        index = next(i for i, s in enumerate(plan.scene.subjects) if s.identity == plan.concept)
        mask = folder / "masks" / name / f"{path.stem}.png"
        write_mask(mask, drawn.mask(index), shot)
        references[name].append(AlbumReference(photo, index, mask))
    concepts = [AlbumConcept(name, who, tuple(references[name])) for who, name in family.names.items()]
    album = Album(
        folder=folder,
        photos=tuple(photos),
        concepts=tuple(concepts),
        lookalike=family.lookalike,
        lookalike_of=family.names[family.likeness],
    )
    _write_truth(album)
    return album


def _write_one(path: Path, drawn: DrawnPhoto, plan: _Planned, family: Family) -> AlbumPhoto:
    image = add_grain(drawn.image, seed=plan.scene.seed) if plan.is_second else drawn.image
    write_photo(path, image, plan.shot)
    subjects = plan.scene.subjects
    return AlbumPhoto(
        path=path,
        scene=plan.scene,
        names=tuple(family.names.get(subject.identity) for subject in subjects),
        boxes=tuple(drawn.box(index) for index in range(len(subjects))),
        shot=plan.shot,
    )


def _write_truth(album: Album) -> None:
    references = {
        concept.name: [
            {"photo": _relative(one.photo.path, album), "mask": _relative(one.mask, album), "box": one.box}
            for one in concept.references
        ]
        for concept in album.concepts
    }
    written = [*album.photos, *(one.photo for concept in album.concepts for one in concept.references)]
    truth = {
        "concepts": {
            one.name: {
                "kind": one.identity.kind,
                "looks": describe_fully(one.identity),
                "references": references[one.name],
            }
            for one in album.concepts
        },
        "lookalike": {"of": album.lookalike_of, "looks": describe_fully(album.lookalike)},
        "photos": {_relative(photo.path, album): _truth_of(photo, album) for photo in written},
    }
    text = json.dumps(truth, indent=1, ensure_ascii=False)
    album.truth.write_text(text + "\n", encoding="utf-8", newline="\n")
    if written:
        stamp_file(album.truth, max(photo.shot.taken for photo in written))


def _relative(path: Path, album: Album) -> str:
    return path.relative_to(album.folder).as_posix()


def _truth_of(photo: AlbumPhoto, album: Album) -> dict[str, Any]:
    scene, shot = photo.scene, photo.shot
    return {
        "caption": photo.caption,
        "place": scene.place,
        "light": scene.light,
        "has_rain": scene.has_rain,
        "subjects": [
            {
                "name": name,
                "kind": subject.identity.kind,
                "looks": describe_fully(subject.identity),
                "activity": subject.activity,
                "side": side_words(subject),
                "box": box,
            }
            for subject, name, box in zip(scene.subjects, photo.names, photo.boxes, strict=True)
        ],
        "taken_at": shot.taken_at,
        "make": shot.camera.make,
        "model": shot.camera.model,
        "orientation": shot.orientation,
        "position": shot.position,
        "burst_of": None if photo.burst_of is None else _relative(photo.burst_of, album),
    }
