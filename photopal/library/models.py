"""The facts a library gives and takes, as frozen records; knows no SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from photopal.files import Stamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ConceptKind = Literal["person", "pet", "thing"]
Order = Literal["best", "newest", "oldest"]


@dataclass(frozen=True)
class PhotoRecord:
    """A photo the library knows.

    Attributes:
        id: The library's number for the photo; never given to another.
        path: A path where the file is, or was last seen while it is missing.
        content_hash: Stands for what the photo looks like, 32 hex digits; an edit of metadata leaves it.
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
        picture_changed_at: When the pixels were found to be edited after the user had said something of the
            photo; ISO 8601 in UTC.
        taken_certainty: "exact", or only to the "day", "month" or "year"; `taken_at` is as long as that.
        taken_source: Who says when it was taken.
        taken_unsure: Where nothing is known for sure, a date that cannot be believed.
        stamp: Of the file at `path` when it was indexed; None while it is another photo's.
        file_hash: Of all its bytes then; None where only an earlier version has read it.
        picture_hash: Of its picture, whatever metadata is beside it; None as above.
        orientation: EXIF's, 1 to 8.
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
    picture_changed_at: str | None = None
    taken_certainty: str | None = None
    taken_source: str | None = None
    taken_unsure: str | None = None
    stamp: Stamp | None = field(default=None, compare=False)
    file_hash: str | None = field(default=None, compare=False)
    picture_hash: str | None = field(default=None, compare=False)
    orientation: int = field(default=1, compare=False)


@dataclass(frozen=True)
class ConceptRecord:
    """A person, pet or thing the user has named; `created_at` is ISO 8601 in UTC.

    `born` is a year, `birthday` the day in it as "MM-DD". With `is_child` they are a child on every photo, of
    whatever year.
    """

    id: int
    name: str
    kind: ConceptKind
    about: str | None
    created_at: str
    born: int | None = None
    is_child: bool = False
    birthday: str | None = None

    @property
    def looks(self) -> str:
        """What the user says of their looks, as it goes on after "is"; empty where they say nothing."""
        return (self.about or "").strip(" .")


@dataclass(frozen=True)
class Stay:
    """Photos of one day in one place.

    Attributes:
        day: The day, local time.
        place: The nearest place names, the nearest first, joined by commas.
        latitude: The middle of the photos, in degrees.
        longitude: The same.
        photos: How many.
    """

    day: date
    place: str
    latitude: float
    longitude: float
    photos: int


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
        probability: The model's own p(Yes) where it was asked; None where the location map was decisive.
    """

    concept_id: int
    score: float
    is_present: bool
    point: tuple[float, float]
    box: tuple[float, float, float, float] | None
    probability: float | None = None


FindingSource = Literal["face", "look"]
"""What somebody was found by: a face, or how a pet or thing looks."""

FindingVerdict = Literal["present", "looks like", "unsure", "absent"]

EvidenceSource = Literal["user", "caption", "reference", "file", "face", "look", "model"]
"""Whose word it is: the user's of the photo, in its caption or by a reference photo, a face's, a look's, or a
vision-language model's."""

Verdict = Literal["yes", "looks like", "no", "unsure"]
_VERDICTS: dict[FindingVerdict, Verdict] = {"present": "yes", "absent": "no"}

_SURE = 0.8


@dataclass(frozen=True)
class Evidence:
    """Whether a photo shows a concept, by the strongest word there is about it.

    Attributes:
        concept_id: The concept; one that others were merged into speaks for all of them.
        is_present: Whether it counts as shown.
        source: Whose word that is. The user's word of the photo beats a name in a caption the user wrote,
            this a reference photo, this a name that somebody put into the file, this what was found by a
            face or look, and this a model.
        score: How sure the model is, where it is the model's word; its scale is the model's.
        probability: The model's own p(Yes), where it was asked; or that of a face or look.
        box: x, y, width, height as fractions of the upright photo.
        found: The verdict, where it is a face's or look's. Who is only looked like counts as shown.
    """

    concept_id: int
    is_present: bool
    source: EvidenceSource
    score: float | None = None
    probability: float | None = None
    box: tuple[float, float, float, float] | None = None
    found: FindingVerdict | None = None

    @property
    def is_of_user(self) -> bool:
        """Whether the user said so, in whichever way: to photopal, or with a name in the file."""
        return self.source not in ("face", "look", "model")

    @property
    def verdict(self) -> Verdict:
        """What to tell of it: a model that was asked and is undecided, or at odds with its map, is unsure."""
        if self.found is not None:
            return _VERDICTS.get(self.found, self.found)  # type: ignore[arg-type]
        if self.probability is not None:
            is_decided = self.probability >= _SURE if self.is_present else self.probability <= 1 - _SURE
            if not is_decided:
                return "unsure"
        return "yes" if self.is_present else "no"


@dataclass(frozen=True)
class Finding:
    """What a face or look says of one concept on a photo.

    Attributes:
        concept_id: The concept.
        source: What it was found by.
        verdict: Whether the photo shows it.
        probability: That it does, 0 to 1.
        score: What the verdict is from; of a face its distance, of which less is more alike.
        threshold: Which score counts as shown.
        box: x, y, width, height as fractions of the upright photo.
        reference_id: The reference photo that is most like it.
        decides: Whether it beats what a vision-language model found.
    """

    concept_id: int
    source: FindingSource
    verdict: FindingVerdict
    probability: float
    score: float
    threshold: float
    box: tuple[float, float, float, float] | None
    reference_id: int | None = None
    decides: bool = True


@dataclass(frozen=True)
class PhotoFindings:
    """Who was found on a photo by faces and looks; whoever is not among `findings` was not found.

    Attributes:
        face_key: What the people were when its faces were compared with them; None where they were not.
        look_key: The same of pets and things.
        species: "dog" or "cat", where it shows one.
        findings: By concept and source.
    """

    face_key: str | None = None
    look_key: str | None = None
    species: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Correction:
    """A photo of which the user said that it shows a concept, or that it does not.

    Attributes:
        photo: The photo.
        is_present: What was said.
        box: Where the concept is: x, y, width, height in pixels of the upright photo.
    """

    photo: PhotoRecord
    is_present: bool
    box: tuple[int, int, int, int] | None


CaptionSource = Literal["model", "facts"]
"""What a caption is from: a model that understands the photo, or what is known of it without looking."""


@dataclass(frozen=True)
class CaptionRecord:
    """A caption with what it was made by; `created_at` is ISO 8601 in UTC.

    Where `by_hand`, the user wrote the text; model, bank and wording are then those that found who appears,
    and empty while no model has looked. The text is empty where a model named somebody whom the user has
    taken off the photo: such a caption is not shown, and is to be made anew. `corrections` is what the user
    had said of the photo when the caption was made, as `Corrections.key` puts it. `source` is None where the
    caption is so old that it is not known whether the model understood the photo.
    """

    photo_id: int
    text: str
    model: str
    bank: str | None
    prompt_version: str
    created_at: str
    by_hand: bool
    corrections: str
    source: CaptionSource | None
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
        any_concepts: Groups of names of concepts; of every group at least one is in the photo.
        looks_like: Names of concepts of which the photo shows at least a likeness, and no more is known.
        without_concepts: Names of concepts of which none is in the photo, as far as the library knows.
        one_of: Names of concepts of which exactly one is in the photo; None is no restriction.
        places: Names of the place where the photo was taken, or of its file or folder; one is enough.
        without_places: Names of which the place has none.
        has_caption: Only photos with a caption, or only those without.
        has_date: Only photos with a date, or only those without.
        has_time: Only photos whose local time of day is known, or only those of which it is not.
        has_place: Only photos whose place is known, or only those of which it is not.
        has_camera: Only photos whose camera is known, or only those of which it is not.
        since: The earliest date: a date, or any beginning of an ISO 8601 time such as "2024-07".
        until: The latest date, itself included: until "2024" takes in all of 2024.
        periods: First and last days, in order and apart from each other, of which one has the photo's date in
            it; None on an open side. Without any, no photo fits; None is no restriction.
        hours: Hours of the day, 0 to 23, in one of which the photo was taken; None is no restriction.
        camera: Part of the camera's name, in either case.
        cameras: Parts of which one, besides, is in the camera's name.
        without_cameras: Parts that the camera's name does not have; a photo without a known camera fits too.
        ratings: Numbers of stars, 1 to 5, of which the photo has one; none is no restriction.
        without_ratings: Numbers of stars of which it has none; a photo without a rating fits too.
        has_rating: Only photos with stars, or only those without.
        limit: How many hits to give at most.
        order: The best hits first, and the newest of those that are as good; or by date, undated photos last.
        offset: How many hits to pass over first.
    """

    text: str = ""
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    any_words: tuple[tuple[str, ...], ...] = ()
    concepts: tuple[str, ...] = ()
    any_concepts: tuple[tuple[str, ...], ...] = ()
    looks_like: tuple[str, ...] = ()
    without_concepts: tuple[str, ...] = ()
    one_of: tuple[str, ...] | None = None
    places: tuple[str, ...] = ()
    without_places: tuple[str, ...] = ()
    has_caption: bool | None = None
    has_date: bool | None = None
    has_time: bool | None = None
    has_place: bool | None = None
    has_camera: bool | None = None
    since: str | date | None = None
    until: str | date | None = None
    periods: tuple[tuple[date | None, date | None], ...] | None = None
    hours: tuple[int, ...] | None = None
    camera: str | None = None
    cameras: tuple[str, ...] = ()
    without_cameras: tuple[str, ...] = ()
    ratings: tuple[int, ...] = ()
    without_ratings: tuple[int, ...] = ()
    has_rating: bool | None = None
    order: Order = "best"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class SearchHit:
    """A photo that fits a query; a larger `rank` fits better, 0 where the query has no words.

    `looks_like` has those of the `names` who are only looked like.
    """

    photo: PhotoRecord
    caption: str | None
    names: list[str]
    rank: float
    looks_like: tuple[str, ...] = ()


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


@dataclass(frozen=True)
class Face:
    """A face in a photo.

    Attributes:
        box: x, y, width, height as fractions of the upright photo, 0 to 1.
        vector: `[128]`, float32; the Euclidean distance of two is small where they show one person.
        side_px: The longer side of the box in pixels of the photo's file.
        sharpness: 0 for no detail at all to 1 for a crisp face.
        yaw: How far the face is turned to a side: 0 frontal, about 1 at half profile, negative to the left.
        score: The detector's own; higher is surer, 0 its threshold.
    """

    box: tuple[float, float, float, float]
    vector: NDArray[np.float32]
    side_px: int
    sharpness: float
    yaw: float
    score: float

    @property
    def quality(self) -> float:
        """How far its vector can be relied on, 0 to 1: large, sharp, frontal and surely a face."""
        size = min(1.0, self.side_px / 120)
        sureness = min(1.0, max(0.0, 0.5 + self.score))
        return size * (0.3 + 0.7 * self.sharpness) * max(0.2, 1.0 - 0.6 * abs(self.yaw)) * sureness


@dataclass(frozen=True)
class FaceRecord:
    """A face that the library knows.

    Attributes:
        id: The library's number for the face; never given to another.
        photo_id: The photo it is on.
        face: What was found.
        group_id: The group of faces like it, None while it is in none.
    """

    id: int
    photo_id: int
    face: Face
    group_id: int | None


@dataclass(frozen=True)
class FaceGroup:
    """Faces of one person, as far as can be told.

    Attributes:
        id: The library's number for the group; never given to another.
        total: `[128]`, float64, the sum of the faces' vectors.
        face_count: How many faces it has.
        is_fixed: Whether the user formed it, so that it is never merged unasked.
        is_ignored: Whether the user does not want to name it.
        is_settled: Whether it has not changed since groups were last settled.
    """

    id: int
    total: NDArray[np.float64]
    face_count: int
    is_fixed: bool = False
    is_ignored: bool = False
    is_settled: bool = False
