"""The facts a library gives and takes, as frozen records; knows no SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

ConceptKind = Literal["person", "pet", "thing"]
Order = Literal["best", "newest", "oldest"]


@dataclass(frozen=True)
class PhotoRecord:
    """A photo the library knows.

    Attributes:
        id: The library's number for the photo; never given to another.
        path: A path where the file is, or was last seen while it is missing.
        content_hash: The photo's identity, 32 hex digits.
        width_px: Width of the upright photo.
        height_px: Height of the upright photo.
        taken_at: The beginning of an ISO 8601 local time, with the offset from UTC where it is known.
        camera: Make and model.
        lens: The lens model.
        latitude: Degrees, south negative.
        longitude: Degrees, west negative.
        format: JPEG, PNG, WEBP, TIFF, GIF, BMP, HEIC or AVIF.
        size_bytes: The file's size.
        place: The nearest place names, the nearest first, joined by commas.
        taken_certainty: "exact", or only to the "day", "month" or "year"; `taken_at` is as long as that.
        taken_source: Who says when it was taken.
        taken_unsure: Where nothing is known for sure, a date that cannot be believed.
    """

    id: int
    path: Path
    content_hash: str
    width_px: int
    height_px: int
    taken_at: str | None
    camera: str | None
    lens: str | None
    latitude: float | None
    longitude: float | None
    format: str
    size_bytes: int
    place: str | None
    taken_certainty: str | None = None
    taken_source: str | None = None
    taken_unsure: str | None = None


@dataclass(frozen=True)
class ConceptRecord:
    """A person, pet or thing the user has named; `created_at` is ISO 8601 in UTC."""

    id: int
    name: str
    kind: ConceptKind
    about: str | None
    created_at: str


@dataclass(frozen=True)
class ReferencePhoto:
    """A photo that shows a concept.

    Attributes:
        concept_id: The concept it shows.
        photo: The photo.
        box: Where the concept is: x, y, width, height in pixels of the upright photo.
        mask_png: A PNG as large as the upright photo, white where the concept is.
    """

    concept_id: int
    photo: PhotoRecord
    box: tuple[int, int, int, int] | None
    mask_png: bytes | None


@dataclass(frozen=True)
class Appearance:
    """What a model found of one concept in one photo.

    Attributes:
        concept_id: The concept looked for.
        score: How sure the model is; its scale is the model's.
        is_present: Whether the concept counts as seen in the photo.
        point: Where it is most visible: x, y as fractions of the upright photo.
        box: x, y, width, height as fractions of the upright photo.
    """

    concept_id: int
    score: float
    is_present: bool
    point: tuple[float, float]
    box: tuple[float, float, float, float] | None


@dataclass(frozen=True)
class CaptionRecord:
    """A caption with what it was made by; `created_at` is ISO 8601 in UTC.

    Where `by_hand`, the user wrote the text; model, bank and wording are then those that found who appears,
    and empty while no model has looked.
    """

    photo_id: int
    text: str
    model: str
    bank: str | None
    prompt_version: str
    created_at: str
    by_hand: bool
    appearances: tuple[Appearance, ...]


@dataclass(frozen=True)
class SearchQuery:
    """What to look for; everything given must hold.

    Attributes:
        text: Words of captions, names, places and file names. The last word may be unfinished.
        phrases: Words that follow each other, each phrase somewhere in the photo's words.
        without: Words and phrases of which none is in the photo's words.
        any_words: Groups of whole words; of every group at least one is in the photo's words.
        concepts: Names of concepts that are all in the photo.
        any_concepts: Names of concepts of which at least one is in the photo.
        without_concepts: Names of concepts of which none is in the photo, as far as the library knows.
        place: A name of the place where the photo was taken, or of its file or folder.
        has_caption: Only photos with a caption, or only those without.
        since: The earliest date: a date, or any beginning of an ISO 8601 time such as "2024-07".
        until: The latest date, itself included: until "2024" takes in all of 2024.
        camera: A part of the camera's name, in either case.
        limit: How many hits to give at most.
        order: The best hits first, and the newest of those that are as good; or by date, undated photos last.
        offset: How many hits to pass over first.
    """

    text: str = ""
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    any_words: tuple[tuple[str, ...], ...] = ()
    concepts: tuple[str, ...] = ()
    any_concepts: tuple[str, ...] = ()
    without_concepts: tuple[str, ...] = ()
    place: str | None = None
    has_caption: bool | None = None
    since: str | date | None = None
    until: str | date | None = None
    camera: str | None = None
    order: Order = "best"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class SearchHit:
    """A photo that fits a query; a larger `rank` fits better, 0 where the query has no words."""

    photo: PhotoRecord
    caption: str | None
    names: list[str]
    rank: float


@dataclass(frozen=True)
class Problem:
    """A file that could not be read when it was last tried; `seen_at` is ISO 8601 in UTC.

    With `is_note` it could be, and the reason is what decoders say is wrong with it.
    """

    path: Path
    reason: str
    seen_at: str
    is_note: bool = False


@dataclass(frozen=True)
class JournalEntry:
    """Something the user changed.

    Attributes:
        id: Its number.
        made_at: ISO 8601 in UTC.
        what: What was done, in words.
        undoes: The entry it takes back, if it does.
        undone_by: The entry that took it back, if it is taken back.
    """

    id: int
    made_at: str
    what: str
    undoes: int | None
    undone_by: int | None
