"""Makes photo files a concept's reference photos, with their boxes and masks, all or none; learns nothing."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from photopal.box import PixelBox
from photopal.errors import ConceptError, PhotoError, UsageError
from photopal.files import is_folder
from photopal.library.library import Library
from photopal.library.models import ConceptRecord, PhotoRecord
from photopal.photos import Photo, Skipped, find_photos, open_photo, record_photo
from photopal.photos.decode import open_header, quiet_pillow
from photopal.photos.exclude import Excludes
from photopal.photos.geocode import PlaceNames
from photopal.photos.turns import turn_between, turned_pixels, turned_png
from photopal.text import count


@dataclass(frozen=True)
class ReferenceFile:
    """A photo file with what is said of it.

    Attributes:
        path: The photo.
        box: Where the concept is: x, y, width, height in pixels of the upright photo.
        mask: A picture as large as the upright photo, white where the concept is.
    """

    path: Path
    box: PixelBox | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class ReadReference:
    """A photo file that was read, with its box or its mask as a PNG of the upright photo's size."""

    photo: Photo
    box: PixelBox | None = None
    mask_png: bytes | None = None


@dataclass(frozen=True)
class AddedReferences:
    """What came of adding reference photos.

    Attributes:
        concept: Whom they show.
        is_new: Whether the concept had no name before.
        added: How many photos were not its reference photos before, or had another box or mask.
    """

    concept: ConceptRecord
    is_new: bool
    added: int


def list_reference_files(
    paths: Sequence[Path],
    *,
    boxes: Sequence[PixelBox] = (),
    masks: Sequence[Path] = (),
    excludes: Excludes | None = None,
    on_left_out: Callable[[str, int], None] | None = None,
) -> list[ReferenceFile]:
    """Pair photos with boxes and masks, in the order of the photos; a folder stands for the photos in it.

    Args:
        paths: Photos and folders of photos.
        boxes: None, or one for each photo.
        masks: None, one for each photo, or one folder with masks of the photos' names: `IMG_1.png` or
            `IMG_1_mask.png` for `IMG_1.jpg`.
        excludes: As of `find_photos`.
        on_left_out: As of `find_photos`.

    Raises:
        UsageError: A path cannot be searched, there is no photo, or the numbers do not fit together.
    """
    if boxes and masks:
        raise UsageError("--box and --mask cannot be used together")
    unreachable: list[Skipped] = []
    photos = list(find_photos(paths, on_skip=unreachable.append, excludes=excludes, on_left_out=on_left_out))
    if unreachable:
        raise UsageError(f"{unreachable[0].path}: {unreachable[0].reason}")
    if len(masks) == 1 and is_folder(masks[0]):
        photos = [photo for photo in photos if not _is_mask_name(photo, masks[0])]
        masks = [_mask_of(photo, masks[0]) for photo in photos]
    if not photos:
        raise UsageError(f"{paths[0]}: no photo found")
    for what, given in (("--box", boxes), ("--mask", masks)):
        if given and len(given) != len(photos):
            raise UsageError(
                f"{len(given)} {what} options for {count(len(photos), 'photo')}",
                hint=f"Give {what} once for each photo, in the same order, or leave it out.",
            )
    none = [None] * len(photos)
    return [
        ReferenceFile(path, box, mask)
        for path, box, mask in zip(photos, boxes or none, masks or none, strict=True)
    ]


def _is_mask_name(photo: Path, folder: Path) -> bool:
    return photo.stem.endswith("_mask") and photo.parent == Path(os.path.abspath(folder))  # noqa: PTH100


def _mask_of(photo: Path, folder: Path) -> Path:
    try:
        named = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise UsageError(f"{folder}: cannot be opened: {error.strerror or error}") from error
    for stem in (f"{photo.stem}_mask", photo.stem):
        for path in named:
            if path.stem == stem and not path.samefile(photo):
                return path
    raise UsageError(
        f"{folder}: no mask for {photo}", hint=f"Name it {photo.stem}.png or {photo.stem}_mask.png."
    )


def read_references(files: Sequence[ReferenceFile]) -> list[ReadReference]:
    """Read photo files that are to be reference photos, with their masks.

    Raises:
        ConceptError: A photo or mask cannot be read.
    """
    photos = [_read_photo(file.path) for file in files]
    return [
        ReadReference(photo, file.box, _read_mask(file, photo))
        for file, photo in zip(files, photos, strict=True)
    ]


def add_references(
    library: Library,
    name: str,
    files: Sequence[ReferenceFile | ReadReference],
    *,
    kind: str | None = None,
    about: str | None = None,
) -> AddedReferences:
    """Make photo files reference photos of a concept, old or new; unknown photos enter the library.

    Photos that are such already keep their box and mask where neither is given.

    Args:
        library: Open for writing.
        name: Of the concept, in whichever case.
        files: At least one; read already, or to be read.
        kind: person, pet or thing; left out, a new concept is a person.
        about: Its looks in words; replaces what was said before.

    Raises:
        ConceptError: A photo or mask cannot be read, a box or mask does not fit. Nothing is added then.
    """
    references = [
        one
        for file in files
        for one in ([file] if isinstance(file, ReadReference) else read_references([file]))
    ]
    place_names = PlaceNames()
    with library.history.recording(f'added {count(len(files), "photo")} of "{" ".join(name.split())}"'):
        concept = library.concepts.get_or_none(name)
        is_new = concept is None
        if concept is None:
            concept = library.concepts.add(name, kind=kind or "person", about=about)
        else:
            concept = library.concepts.update(concept.id, kind=kind, about=about)
        before = {r.photo.id: (r.box, r.mask_png) for r in library.concepts.references(concept.id)}
        given: dict[int, ReadReference] = {}
        for reference in references:
            exif = reference.photo.exif
            place = place_names.name(exif.latitude, exif.longitude)
            photo_id = library.photos.add(reference.photo, place=place)
            reference = _as_known(reference, library.photos.get(photo_id))
            given[photo_id] = _merged(given.get(photo_id, reference), reference)
        shown = {photo_id: (one.box, one.mask_png) for photo_id, one in given.items()}
        shown = {i: said for i, said in shown.items() if i not in before or said != (None, None)}
        for photo_id, (box, mask_png) in shown.items():
            library.concepts.add_reference(concept.id, photo_id, box=box, mask_png=mask_png)
        added = sum(before.get(photo_id) != said for photo_id, said in shown.items())
    return AddedReferences(concept, is_new, added)


def _as_known(reference: ReadReference, photo: PhotoRecord) -> ReadReference:
    """Turn a box or mask as the photo is known, which may be by a copy that is turned differently."""
    read = reference.photo
    turn = turn_between(read.orientation, photo.orientation)
    if turn == 1:
        return reference
    box, mask = reference.box, reference.mask_png
    return replace(
        reference,
        box=None if box is None else turned_pixels(turn, box, (read.width_px, read.height_px)),
        mask_png=None if mask is None else turned_png(turn, mask),
    )


def _merged(first: ReadReference, other: ReadReference) -> ReadReference:
    """Two files of one picture, with what was given for either of them.

    Raises:
        ConceptError: They were given different boxes or masks.
    """
    said, also = (first.box, first.mask_png), (other.box, other.mask_png)
    if said != also and (None, None) not in (said, also):
        raise ConceptError(
            f"{other.photo.path}: the same picture as {first.photo.path}, with another box or mask",
            hint="Give one of them.",
        )
    return other if said == (None, None) else first


def _read_photo(path: Path) -> Photo:
    try:
        return record_photo(path)
    except PhotoError as error:
        raise ConceptError(error.message, hint=error.hint) from error


def _read_mask(file: ReferenceFile, photo: Photo) -> bytes | None:
    """The mask as a PNG of the photo's upright size; what is transparent there counts as black.

    Raises:
        ConceptError: It cannot be read, has another size, or is empty.
    """
    if file.mask is None:
        return None
    try:
        with file.mask.open("rb") as opened, quiet_pillow(), open_header(opened, file.mask) as picture:
            size_px = picture.size
            has_alpha = picture.mode in ("RGBA", "LA", "PA")
            alpha = picture.getchannel("A") if has_alpha else None
        gray = open_photo(file.mask).convert("L") if alpha is None or _is_flat(alpha) else alpha
    except Exception as error:
        # A decoder fed with a broken file raises nearly anything.
        reason = error.reason if isinstance(error, PhotoError) else getattr(error, "strerror", None) or error
        raise ConceptError(f"{file.mask}: the mask cannot be read: {reason}") from error
    if size_px != (photo.width_px, photo.height_px):
        raise ConceptError(
            f"{file.mask}: the mask is {size_px[0]} x {size_px[1]} pixels, the photo {file.path}"
            f" {photo.width_px} x {photo.height_px} upright"
        )
    brightest = int(gray.getextrema()[1])  # type: ignore[arg-type]
    if brightest == 0:
        raise ConceptError(
            f"{file.mask}: the mask is completely black", hint="A mask must be white where the subject is."
        )
    encoded = io.BytesIO()
    gray.point(lambda value: 255 if value * 2 > brightest else 0).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()


def _is_flat(alpha: Image.Image) -> bool:
    low, high = alpha.getextrema()
    return low == high
