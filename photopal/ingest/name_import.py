"""Makes concepts of the persons and pets that the files of a library name; reads no file and learns nothing.

Programs such as digiKam, Lightroom and Picasa write who is where into the files. A few photos of everybody
become reference photos with their boxes. All others need none: a name in a photo's file counts as it stands
as soon as there is a concept of that name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from photopal.box import Box, PixelBox
from photopal.errors import ConceptError
from photopal.library.library import Library
from photopal.library.models import ConceptKind, ConceptRecord, PhotoRecord
from photopal.photos.metadata import NOBODY, Metadata, Region, levels_of
from photopal.text import count, name_key, usable_name

MOST_REFERENCES = 8
"""How many reference photos somebody gets at most, those they have already among them."""

_LEAST_SIDE_PX = 20
_LARGE_SIDE_PX = 200  # a larger face is no better
_SAME_FACE = 0.3
_PETS = ("pets", "pet", "animals", "haustiere", "animaux", "mascotas")


@dataclass(frozen=True)
class NamedReference:
    """A photo by which somebody is to be known; without a box nobody else is named on it."""

    photo: PhotoRecord
    box: PixelBox | None


@dataclass(frozen=True)
class ImportedName:
    """A person or pet whom files name.

    Attributes:
        name: That of the concept; of several spellings the most frequent one.
        kind: What a new concept is to be.
        concept_id: The concept that has the name already.
        photos: On how many photos the files name them.
        references: What is to be added; none where there are enough.
    """

    name: str
    kind: ConceptKind
    concept_id: int | None
    photos: int
    references: tuple[NamedReference, ...]


@dataclass(frozen=True)
class LeftOut:
    """A name, or a region on a photo, that cannot be used, and why."""

    name: str
    reason: str
    photo: PhotoRecord | None = None


@dataclass(frozen=True)
class NameImport:
    """What an import is to do: names by how often they are met, and what it leaves out."""

    names: tuple[ImportedName, ...]
    left_out: tuple[LeftOut, ...]


@dataclass
class _Candidate:
    """A photo that may become a reference photo; `side_px` is its box's shorter side, 0 without one."""

    reference: NamedReference
    side_px: int = 0


@dataclass
class _Named:
    """What is known of one name while the photos are gone through."""

    spellings: Counter[str] = field(default_factory=Counter)
    kinds: Counter[ConceptKind] = field(default_factory=Counter)
    photo_ids: set[int] = field(default_factory=set)
    candidates: list[_Candidate] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def plan_import(library: Library, photos: Iterable[PhotoRecord]) -> NameImport:
    """Tell whom the files of photos name, and by which photos they would become known; changes nothing.

    Args:
        library: Its facts are those that `photopal index` read.
        photos: Photos of the library, each once.
    """
    found: dict[str, _Named] = defaultdict(_Named)
    for photo in photos:
        facts = library.facts.get(photo.id)
        if facts is not None:
            _note_photo(photo, facts, found)
    concepts = library.concepts.by_key()
    names: list[ImportedName] = []
    left_out: list[LeftOut] = []
    for key, named in found.items():
        concept = concepts.get(key)
        left_out += named.left_out
        spelling = min(named.spellings, key=lambda each: (-named.spellings[each], each.isupper(), each))
        try:
            name = usable_name(spelling) if concept is None else concept.name
        except ConceptError as error:
            left_out.append(LeftOut(spelling, error.message))
            continue
        references = _choose(library, concept, named.candidates)
        if concept is None and not references:
            if not named.left_out:
                left_out.append(LeftOut(name, "no file says where they are, and no photo shows them alone"))
            continue
        names.append(
            ImportedName(
                name=name,
                kind=_kind_of(named) if concept is None else concept.kind,
                concept_id=None if concept is None else concept.id,
                photos=len(named.photo_ids),
                references=tuple(references),
            )
        )
    names.sort(key=lambda each: (-each.photos, each.name))
    left_out.sort(key=lambda each: (each.name, "" if each.photo is None else str(each.photo.path)))
    return NameImport(tuple(names), tuple(left_out))


def apply_import(library: Library, plan: NameImport) -> None:
    """Do what `plan_import` said, as one entry of the journal, all or none.

    Raises:
        ConceptError: A name has been taken since, or a box is outside its photo.
    """
    new = [each for each in plan.names if each.references]
    with library.history.recording(f"imported {count(len(new), 'name')} from files"):
        for each in new:
            concept_id = each.concept_id
            if concept_id is None:
                concept_id = library.concepts.add(each.name, kind=each.kind).id
            for reference in each.references:
                library.concepts.add_reference(concept_id, reference.photo.id, box=reference.box)


def _note_photo(photo: PhotoRecord, facts: Metadata, found: dict[str, _Named]) -> None:
    """Note whom the files of a photo name, and where."""
    orientation = facts.value("orientation") or 1
    pets = {
        name_key(parts[-1])
        for path in facts.all("hierarchy")
        if len(parts := levels_of(str(path))) > 1 and parts[0].casefold() in _PETS
    }
    regions: dict[str, list[Region]] = defaultdict(list)
    for region in facts.regions:
        if region.name:
            regions[name_key(region.name)].append(region)
    spellings = {name_key(name): name for name in facts.names() if name_key(name) not in NOBODY}
    boxes = {
        key: [region.upright_box(orientation, photo.width_px, photo.height_px) for region in regions[key]]
        for key in spellings
    }
    for key, spelling in spellings.items():
        named = found[key]
        named.spellings[spelling] += 1
        named.photo_ids.add(photo.id)
        is_pet = key in pets or any(region.kind == "Pet" for region in regions[key])
        # Microsoft's regions, which have no size, and names without a region cannot say that it is a pet.
        if is_pet or any(region.drawn_on for region in regions[key]):
            named.kinds["pet" if is_pet else "person"] += 1
        if not regions[key]:
            if len(spellings) == 1:
                named.candidates.append(_Candidate(NamedReference(photo, None)))
            continue
        others = [box for other, theirs in boxes.items() if other != key for box in theirs if box is not None]
        box, reason = _one_box([box for box in boxes[key] if box is not None], others)
        pixels = None if box is None else Box(*box).to_pixels(photo.width_px, photo.height_px)
        if pixels is None:
            named.left_out.append(LeftOut(spelling, reason, photo))
        elif min(pixels[2:]) < _LEAST_SIDE_PX:
            named.left_out.append(LeftOut(spelling, f"smaller than {_LEAST_SIDE_PX} pixels", photo))
        else:
            named.candidates.append(_Candidate(NamedReference(photo, pixels), min(pixels[2:])))


def _one_box(
    boxes: Sequence[tuple[float, float, float, float]], others: Sequence[tuple[float, float, float, float]]
) -> tuple[tuple[float, float, float, float] | None, str]:
    """Return where somebody is, or why that cannot be told."""
    if not boxes:
        return None, "the photo was cropped or turned since the region was drawn"
    largest = max(boxes, key=lambda box: box[2] * box[3])
    if any(_overlap(largest, box) < _SAME_FACE for box in boxes):
        return None, "two regions in different parts of the photo have this name"
    if any(_overlap(largest, box) >= 1 - _SAME_FACE for box in others):
        return None, "the same region has another name, too"
    return largest, ""


def _overlap(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Return the share that two boxes have in common of what they cover together."""
    width = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    height = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    return common / (box[2] * box[3] + other[2] * other[3] - common)


def _kind_of(named: _Named) -> ConceptKind:
    # Many programs call every region a face; who says that it is a pet's means it.
    return "pet" if 0 < named.kinds.total() <= 4 * named.kinds["pet"] else "person"


def _choose(
    library: Library, concept: ConceptRecord | None, candidates: Sequence[_Candidate]
) -> list[NamedReference]:
    """Choose large faces from all the time of which there are photos; whole photos only without any box."""
    known: set[int] = set()
    if concept is not None:
        known = {reference.photo.id for reference in library.concepts.references(concept.id)}
        denied = [
            one.photo.id
            for one in library.corrections.of_concept(concept.id, most=_EVERY)
            if not one.is_present
        ]
        candidates = [one for one in candidates if one.reference.photo.id not in {*known, *denied}]
    boxed = [one for one in candidates if one.side_px]
    # Without a box a photo says less, and nothing that is not known already of somebody who has photos.
    usable = boxed or ([] if known else list(candidates))
    most = MOST_REFERENCES - len(known)
    if not usable or most <= 0:
        return []
    by_size = sorted(usable, key=lambda one: (-one.side_px, str(one.reference.photo.path)))
    enough_px = min(_LARGE_SIDE_PX, by_size[min(most, len(by_size)) - 1].side_px)
    large = [one for one in by_size if one.side_px >= enough_px]
    # Equal parts of them in the order of time, of each the largest: a face changes over the years, and the
    # frames of a burst say the same.
    large.sort(key=lambda one: (one.reference.photo.taken_at or "", str(one.reference.photo.path)))
    parts = min(most, len(large))
    edges = [len(large) * part // parts for part in range(parts + 1)]
    return [max(large[start:end], key=lambda one: one.side_px).reference for start, end in pairwise(edges)]


_EVERY = 1 << 31
