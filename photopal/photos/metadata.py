"""Gathers what a photo's file, its sidecars and its name say about it, each fact with its source.

Sources are asked in one order, and the first to say something believable counts: what a person wrote into a
sidecar, what the camera wrote into EXIF, embedded XMP, IPTC, texts of PNG, Google Takeout, the file's name.
Lists, such as keywords, come from all of them. Nothing here was said by a model.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from photopal.photos.dates import DateTaken, date_in_folder, date_in_name, judged, read_date
from photopal.photos.discover import Skipped
from photopal.photos.embedded import Blocks, find_blocks
from photopal.photos.exif import Exif, exif_of, is_by_camera, name_camera
from photopal.photos.iptc import (
    DATE_CREATED,
    DATE_DIGITIZED,
    DESCRIPTION,
    HEADLINE,
    KEYWORDS,
    TIME_CREATED,
    TIME_DIGITIZED,
    TITLE,
    Records,
    read_iptc,
)
from photopal.photos.picasa import PicasaFace
from photopal.photos.sidecar_words import without_photopal
from photopal.photos.sidecars import Sidecars, read_takeout, read_xmp_sidecar
from photopal.photos.turns import Box, has_shape, turn_between, turned_box
from photopal.photos.xmp import Xmp, is_xmp, texts_of
from photopal.text import name_key

METADATA_VERSION = 5
"""Grows when files are read differently: what was read under a smaller number is read again."""

Field = Literal[
    "camera", "make", "model", "lens", "orientation", "position", "altitude_m",
    "title", "description", "rating", "keyword", "hierarchy", "person",
]  # fmt: skip
RegionKind = Literal["Face", "Pet"]

_MOST_ITEMS = 500
_MOST_LETTERS = 5_000


@dataclass(frozen=True)
class Fact:
    """Something a source says; of a position the value is (latitude, longitude) in degrees."""

    field: Field
    value: Any
    source: str


NOBODY = frozenset({"unknown", "_unknown_", "unconfirmed", "ignored", "unnamed"})
"""What programs call those whom nobody has named; keys of names."""


@dataclass(frozen=True)
class Region:
    """Where somebody is in a photo, as a file says.

    Attributes:
        name: Who; None where nobody said it.
        kind: Face or Pet.
        box: x, y, width, height as fractions of the image as stored, before EXIF's orientation; see
            `upright_box`.
        source: Who says so.
        drawn_on: Width and height in pixels of the image that it was drawn on, where the file says so.
        orientation: That of the file that it is about, where it may not be the photo's; see `merged`.
    """

    name: str | None
    kind: RegionKind
    box: Box
    source: str
    drawn_on: tuple[float, float] | None = None
    orientation: int | None = None

    def upright_box(self, orientation: int, width_px: int, height_px: int) -> Box | None:
        """Return the box as fractions of the upright photo; None where it was drawn on another picture.

        Regions belong to the image as stored, but some programs write them, and the size of the image with
        them, as it is shown. Where the size has the shape of neither, the photo was cropped or turned since.

        Args:
            orientation: EXIF's, 1 to 8, of the file by which the photo is known.
            width_px: Width of the upright photo.
            height_px: Height of the upright photo.
        """
        stored_px = (height_px, width_px) if orientation >= 5 else (width_px, height_px)
        if self.drawn_on is None or has_shape(self.drawn_on, stored_px):
            return turned_box(orientation, self.box)
        own = self.orientation or orientation
        if own < 5 or not has_shape(self.drawn_on, stored_px[::-1]):
            return None
        return self.box if own == orientation else turned_box(turn_between(own, orientation), self.box)


@dataclass(frozen=True)
class Metadata:
    """What the files know of one photo.

    Attributes:
        dates: When it was taken, by each source that says so, those that count most first.
        facts: All else, in the order of the sources.
        regions: Faces and pets.
        unread: Sidecars from which nothing can be read, and why; not written down.
    """

    dates: tuple[DateTaken, ...] = ()
    facts: tuple[Fact, ...] = ()
    regions: tuple[Region, ...] = ()
    unread: tuple[Skipped, ...] = dataclasses.field(default=(), compare=False)

    @property
    def taken(self) -> DateTaken | None:
        """The first date that can be believed."""
        return next((date for date in self.dates if date.certainty != "unsure"), None)

    @property
    def unsure(self) -> DateTaken | None:
        """Where no date can be believed, the first that cannot."""
        return None if self.taken else next(iter(self.dates), None)

    def first(self, field: Field) -> Fact | None:
        """Return what counts for a field of which there is one; None where nobody says anything."""
        return next((fact for fact in self.facts if fact.field == field), None)

    def value(self, field: Field) -> Any:
        """Return the value of `first`, or None."""
        fact = self.first(field)
        return None if fact is None else fact.value

    def all(self, field: Field) -> dict[Any, list[str]]:
        """Return all values of a field, each with the sources that say so, in order."""
        values: dict[Any, list[str]] = {}
        for fact in self.facts:
            if fact.field == field:
                values.setdefault(fact.value, []).append(fact.source)
        return values

    def words(self) -> list[str]:
        """Return the words to find the photo by: title, description, keywords, names of persons and pets."""
        words = [self.value("title"), self.value("description"), *self.all("keyword"), *self.all("hierarchy")]
        return list(dict.fromkeys(filter(None, [*words, *self.names()])))

    def names(self) -> list[str]:
        """Return the names of the persons and pets that are in the photo."""
        names = [*self.all("person"), *(region.name for region in self.regions)]
        return list(dict.fromkeys(filter(None, names)))

    def named_boxes(self, width_px: int, height_px: int) -> dict[str, Box | None]:
        """Return the names of the persons and pets that are in the photo, and where each of them is.

        Args:
            width_px: Width of the upright photo.
            height_px: Height of the upright photo.

        Returns:
            x, y, width, height as fractions of the upright photo, of the first region that fits it; None
            without one. Spellings that are found as one are one name.
        """
        orientation = self.value("orientation") or 1
        spelled: dict[str, str] = {}
        for name in self.names():
            if name_key(name) not in NOBODY:
                spelled.setdefault(name_key(name), name)
        found: dict[str, Box | None] = dict.fromkeys(spelled.values())
        for region in self.regions:
            spelling = spelled.get(name_key(region.name or ""))
            if spelling is not None and found[spelling] is None:
                found[spelling] = region.upright_box(orientation, width_px, height_px)
        return found

    def to_json(self) -> str:
        """Write it down."""
        return json.dumps(
            {
                "dates": [[date.at, date.certainty, date.source] for date in self.dates],
                "facts": [[fact.field, fact.value, fact.source] for fact in self.facts],
                "regions": [
                    [each.name, each.kind, each.box, each.source, each.drawn_on] for each in self.regions
                ],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Metadata:
        """Read what `to_json` wrote."""
        said = json.loads(text)
        return cls(
            dates=tuple(DateTaken(*date) for date in said["dates"]),
            facts=tuple(
                Fact(field, tuple(value) if isinstance(value, list) else value, source)
                for field, value, source in said["facts"]
            ),
            regions=tuple(
                # Before version 2 no size was kept.
                Region(name, kind, tuple(box), source, tuple(size[0]) if size and size[0] else None)
                for name, kind, box, source, *size in said["regions"]
            ),
        )


def merged(parts: Sequence[Metadata], *, own: int = 0) -> Metadata:
    """Return what the files of one photo, which has copies, say together.

    Args:
        parts: What each file says.
        own: Which of them the photo is known by. How it is turned is that file's to say alone; the pixels,
            and so the regions of the image as stored, are the same in all.
    """
    if len(parts) == 1:
        return parts[0]
    turned = parts[own].first("orientation")
    facts = dict.fromkeys(
        fact for part in parts for fact in part.facts if fact.field != "orientation" or fact == turned
    )
    return Metadata(
        dates=_in_order(dict.fromkeys(date for part in parts for date in part.dates)),
        facts=tuple(sorted(facts, key=lambda fact: _SOURCES.index(fact.source))),
        regions=tuple(
            dict.fromkeys(
                region for part in parts for region in _as_in_copy(part, turned.value if turned else 1)
            )
        ),
    )


def _as_in_copy(metadata: Metadata, orientation: int) -> Iterator[Region]:
    """Yield what a file says of regions; where they may be as the file is shown, with how it is turned."""
    own = metadata.value("orientation") or 1
    for region in metadata.regions:
        is_doubtful = region.drawn_on is not None and own != orientation and max(own, orientation) >= 5
        yield replace(region, orientation=own) if is_doubtful else region


def read_metadata(
    file: BinaryIO, path: Path, sidecars: Sidecars | None = None, *, now: datetime | None = None
) -> Metadata:
    """Read what an open photo file, its sidecars and its path say; the position in the file is lost.

    Args:
        file: The photo; only its headers are read.
        path: Where it is; the names of the file and its folder may have a date.
        sidecars: What lies beside it.
        now: What counts as the future; the present when left out.
    """
    blocks = find_blocks(file)
    return gather_metadata(blocks, exif_of(file, blocks), path, sidecars, now=now)


def gather_metadata(
    blocks: Blocks, exif: Exif, path: Path, sidecars: Sidecars | None = None, *, now: datetime | None = None
) -> Metadata:
    """Return what blocks of metadata, EXIF that was read, sidecars and a path say; see `read_metadata`."""
    beside = sidecars or Sidecars()
    unread: list[Skipped] = []

    def note(sidecar: Path, reason: str) -> None:
        unread.append(Skipped(sidecar, f"sidecar not read: {reason}"))

    takeout = read_takeout(beside.takeout, path.name, on_fault=note) if beside.takeout else {}
    sources = [
        *_of_sidecars(path, beside, note),
        metadata_of_exif(exif),
        _of_xmp(Xmp(blocks.xmp), "XMP"),
        _of_iptc(read_iptc(blocks.iptc) if blocks.iptc else {}),
        _of_texts(blocks.texts),
        _of_takeout(takeout),
        _of_picasa(beside.picasa, exif.orientation),
    ]
    dates = [
        judged(date, is_from_clock=date.source not in _BY_PEOPLE, now=now)
        for each in sources
        for date in each.dates
    ]
    for named in (date_in_name(path.stem), *map(date_in_folder, path.parts[-2:-4:-1])):
        if named is not None:
            dates.append(named)
    # Leave out a region that another source gave before: programs write the same face in several ways.
    regions = (region for each in sources for region in each.regions)
    kept: list[Region] = []
    for region in regions:
        is_known = any(
            one.name == region.name
            and max(abs(a - b) for a, b in zip(one.box, region.box, strict=True)) < 0.01
            for one in kept
        )
        if not is_known:
            kept.append(region)
    return Metadata(
        dates=_in_order(dates),
        facts=tuple(fact for each in sources for fact in each.facts),
        regions=tuple(kept),
        unread=tuple(unread),
    )


def metadata_of_exif(exif: Exif) -> Metadata:
    """Return EXIF as facts; its dates as they were written."""
    dates = (
        read_date(exif.taken_at, "EXIF DateTimeOriginal"),
        read_date(exif.digitized_at, "EXIF DateTimeDigitized"),
    )
    position = None if exif.latitude is None or exif.longitude is None else (exif.latitude, exif.longitude)
    facts = {
        "camera": exif.camera, "make": exif.make, "model": exif.model, "lens": exif.lens,
        "orientation": exif.orientation if exif.orientation != 1 else None,
        "position": position, "altitude_m": exif.altitude_m, "title": exif.title,
        "description": exif.description, "rating": exif.rating,
    }  # fmt: skip
    return _said("EXIF", dates, facts, {"keyword": exif.keywords})


_RANKS = (
    "you",
    "sidecar exif:DateTimeOriginal",
    "sidecar photoshop:DateCreated",
    "EXIF DateTimeOriginal",
    "XMP exif:DateTimeOriginal",
    "XMP photoshop:DateCreated",
    "IPTC DateCreated",
    "PNG Creation Time",
    "sidecar exif:DateTimeDigitized",
    "sidecar xmp:CreateDate",
    "EXIF DateTimeDigitized",
    "XMP exif:DateTimeDigitized",
    "XMP xmp:CreateDate",
    "IPTC DigitalCreationDate",
    "EXIF",
    "Takeout photoTakenTime",
    "file name",
    "folder name",
)
"""The sources of dates: a person's word first, and when it was taken before when it was made digital.

"EXIF" without a field stands for whatever date an earlier version of photopal took.
"""

_SOURCES = ("sidecar", "EXIF", "XMP", "IPTC", "PNG", "Takeout", "Picasa")
_RANK = {source: rank for rank, source in enumerate(_RANKS)}
_BY_PEOPLE = ("you", "Takeout photoTakenTime", "file name", "folder name")


def _in_order(dates: Iterable[DateTaken]) -> tuple[DateTaken, ...]:
    return tuple(sorted(dates, key=lambda date: _RANK[date.source]))


def _said(
    source: str,
    dates: Iterable[DateTaken | None],
    facts: dict[str, Any],
    lists: dict[str, Iterable[str]],
    regions: Iterable[Region] = (),
) -> Metadata:
    found = [Fact(field, _short(value), source) for field, value in facts.items() if value not in (None, "")]  # type: ignore[arg-type]
    for field, values in lists.items():
        items = list(dict.fromkeys(_short(value) for value in values if value.strip()))
        found += [Fact(field, value, source) for value in items[:_MOST_ITEMS]]  # type: ignore[arg-type]
    return Metadata(
        tuple(date for date in dates if date is not None), tuple(found), tuple(regions)[:_MOST_ITEMS]
    )


def _short(value: Any) -> Any:
    """Return a text as one line of printable letters; anything else as it is."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())[:_MOST_LETTERS]
    return "".join(letter for letter in line if letter.isprintable())


def _of_sidecars(path: Path, sidecars: Sidecars, on_fault: Callable[[Path, str], None]) -> Iterator[Metadata]:
    for sidecar in sidecars.xmp:
        packet = read_xmp_sidecar(sidecar, on_fault=on_fault)
        xmp = Xmp([packet])
        if packet and not xmp and not is_xmp(packet):
            on_fault(sidecar, "no valid XMP")
        meant = xmp.text("photoshop:SidecarForExtension")
        # IMG.xmp may be about the RAW file of the same name only.
        if meant is None or meant.casefold() == path.suffix[1:].casefold():
            yield _of_xmp(xmp, "sidecar")


def _of_xmp(xmp: Xmp, source: str) -> Metadata:
    if not xmp:
        return Metadata()
    # What photopal wrote itself is known to it, and was not said by anybody else.
    xmp = without_photopal(xmp)
    names = ("exif:DateTimeOriginal", "photoshop:DateCreated", "exif:DateTimeDigitized", "xmp:CreateDate")
    make, model = xmp.text("tiff:Make"), xmp.text("tiff:Model")
    facts = {
        "camera": name_camera(make, model),
        "make": make,
        "model": model,
        "lens": xmp.text("exifEX:LensModel") or xmp.text("aux:Lens"),
        "position": _position(
            *(_with_hemisphere(xmp, f"exif:GPS{name}") for name in ("Latitude", "Longitude"))
        ),
        "altitude_m": _altitude_m(xmp),
        "title": xmp.text("dc:title"),
        "description": xmp.text("dc:description"),
        "rating": _rating(xmp),
    }
    if facts["description"] and is_by_camera(str(facts["description"])):
        facts["description"] = None
    # See `levels_of`: a level may have a slash in it.
    hierarchies = [
        text if "/" in text else text.replace("|", "/") for text in xmp.texts("lr:hierarchicalSubject")
    ]
    hierarchies += xmp.texts("digiKam:TagsList")
    regions = [*_mwg_regions(xmp, source), *_microsoft_regions(xmp, source)]
    named = [region.name for region in regions if region.name and region.kind == "Face"]
    named += _named_without_box(xmp)
    return _said(
        source,
        [read_date(xmp.text(name), f"{source} {name}") for name in names],
        facts,
        {
            "keyword": [*xmp.texts("dc:subject"), *xmp.texts("MicrosoftPhoto:LastKeywordXMP")],
            "hierarchy": hierarchies,
            "person": [*xmp.texts("Iptc4xmpExt:PersonInImage"), *named],
        },
        regions,
    )


def levels_of(hierarchy: str) -> list[str]:
    """Return the levels of a keyword, the outermost first: of "Places/Nice", "Topics|Food/Drink"."""
    return hierarchy.split("|" if "|" in hierarchy else "/")


_DEGREES = re.compile(
    r"\s*(\d{1,3}(?:\.\d+)?)(?:[,°\s]+(\d{1,2}(?:\.\d+)?))?(?:[,'\s]+(\d{1,2}(?:\.\d+)?))?[\s\"]*([NSEW])\s*",
    re.IGNORECASE,
)


def _with_hemisphere(xmp: Xmp, name: str) -> str | None:
    """Return a coordinate with its letter, which some programs write apart, as EXIF does."""
    text, letter = xmp.text(name), xmp.text(f"{name}Ref")
    has_none = text is not None and text[:1].isdigit() and text[-1].isdigit()
    return f"{text}{letter[0]}" if has_none and letter else text


def _position(latitude: str | None, longitude: str | None) -> tuple[float, float] | None:
    north = _degrees(latitude, hemispheres="NS", limit=90)
    east = _degrees(longitude, hemispheres="EW", limit=180)
    # Where no position is known, devices and Takeout write zeros.
    return None if north is None or east is None or north == east == 0 else (north, east)


def _degrees(text: str | None, *, hemispheres: str, limit: float) -> float | None:
    """Read "48,30.5N", "48,30,30N" or signed decimal degrees."""
    match = _DEGREES.fullmatch(text or "")
    if match:
        if match[4].upper() not in hemispheres:
            return None
        degrees = sum(float(part or 0) / 60**place for place, part in enumerate(match.groups()[:3]))
        degrees = -degrees if match[4].upper() in "SW" else degrees
    else:
        number = _number(text)
        if number is None:
            return None
        degrees = number
    return degrees if -limit <= degrees <= limit else None


def _number(text: Any) -> float | None:
    """Read a number or a ratio; None where it is neither, or not finite."""
    above, _, below = str(text).partition("/")
    try:
        number = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if abs(number) < 1e12 else None


def _altitude_m(xmp: Xmp) -> float | None:
    metres = _number(xmp.text("exif:GPSAltitude"))
    return -abs(metres) if metres is not None and xmp.text("exif:GPSAltitudeRef") == "1" else metres


def _rating(xmp: Xmp) -> int | None:
    """Return stars, 1 to 5, or -1 for a photo that was rejected; 0 says that nobody gave any."""
    stars = _number(xmp.text("xmp:Rating"))
    if stars is not None and -1 <= stars <= 5 and stars:
        return round(stars)
    percent = _number(xmp.text("MicrosoftPhoto:Rating"))
    # 1, 25, 50, 75 and 99 stand for the stars.
    return None if stars is not None or percent is None or not 1 <= percent <= 100 else int(percent // 25) + 1


def _mwg_regions(xmp: Xmp, source: str) -> Iterator[Region]:
    for size in xmp.structures("mwg-rs:Regions", "mwg-rs:AppliedToDimensions")[:1] or [{}]:
        width, height = _number(size.get("stDim:w")), _number(size.get("stDim:h"))
    for region in xmp.structures("mwg-rs:Regions", "mwg-rs:RegionList"):
        area, kind = region.get("mwg-rs:Area"), texts_of(region.get("mwg-rs:Type"))
        kind_name = kind[0] if kind else "Face"
        if not isinstance(area, dict) or kind_name not in ("Face", "Pet"):
            continue
        x, y, w, h = (_number(area.get(f"stArea:{name}")) for name in "xywh")
        if area.get("stArea:unit") == "pixel":
            if not width or not height:
                continue
            x, w = (None if side is None else side / width for side in (x, w))
            y, h = (None if side is None else side / height for side in (y, h))
        # MWG gives the middle of the area.
        box = None if x is None or y is None else _box(x - (w or 0) / 2, y - (h or 0) / 2, w, h)
        if box is not None:
            name = texts_of(region.get("mwg-rs:Name"))
            drawn_on = (width, height) if width and height else None
            yield Region(_short(name[0]) if name else None, kind_name, box, source, drawn_on)  # type: ignore[arg-type]


def _microsoft_regions(xmp: Xmp, source: str) -> Iterator[Region]:
    for region in xmp.structures("MP:RegionInfo", "MPRI:Regions"):
        name = texts_of(region.get("MPReg:PersonDisplayName"))
        sides = [_number(side) for side in "".join(texts_of(region.get("MPReg:Rectangle"))).split(",")]
        box = _box(*sides) if len(sides) == 4 else None
        if box is not None:
            yield Region(_short(name[0]) if name else None, "Face", box, source)


def _named_without_box(xmp: Xmp) -> Iterator[str]:
    """Yield whom regions name that may have no rectangle: points, circles, and persons tagged without any."""
    for region in xmp.structures("mwg-rs:Regions", "mwg-rs:RegionList"):
        if texts_of(region.get("mwg-rs:Type"))[:1] in ([], ["Face"]):
            yield from texts_of(region.get("mwg-rs:Name"))[:1]
    for region in xmp.structures("MP:RegionInfo", "MPRI:Regions"):
        yield from texts_of(region.get("MPReg:PersonDisplayName"))[:1]


def _box(x: float | None, y: float | None, width: float | None, height: float | None) -> Box | None:
    """Return a box within the image; None where nothing of it is."""
    if x is None or y is None or width is None or height is None:
        return None
    left, top = max(0.0, x), max(0.0, y)
    right, bottom = min(1.0, x + width), min(1.0, y + height)
    if right <= left or bottom <= top:
        return None
    return tuple(round(side, 6) for side in (left, top, right - left, bottom - top))  # type: ignore[return-value]


def _of_iptc(records: Records) -> Metadata:
    description = " ".join(records.get(DESCRIPTION, [])[:1])
    facts = {
        "title": next(iter(records.get(TITLE, records.get(HEADLINE, []))), None),
        "description": None if is_by_camera(description) else description,
    }
    dates = (
        _iptc_date(records, DATE_CREATED, TIME_CREATED, "IPTC DateCreated"),
        _iptc_date(records, DATE_DIGITIZED, TIME_DIGITIZED, "IPTC DigitalCreationDate"),
    )
    return _said("IPTC", dates, facts, {"keyword": records.get(KEYWORDS, [])})


def _iptc_date(
    records: Records, date_key: tuple[int, int], time_key: tuple[int, int], source: str
) -> DateTaken | None:
    """Join "20240703" and "182201+0200"."""
    day = next(iter(records.get(date_key, [])), "")
    time = next(iter(records.get(time_key, [])), "")
    if not re.fullmatch(r"\d{8}", day):
        # Some programs write it with marks between.
        return read_date(day, source)
    text = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    if re.match(r"\d{6}", time):
        text += f" {time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}"
    return read_date(text, source)


def _of_texts(texts: dict[str, str]) -> Metadata:
    by_name = {name.casefold(): text.strip() for name, text in texts.items()}
    written = by_name.get("creation time", "")
    date = read_date(written, "PNG Creation Time") or _mail_date(written, "PNG Creation Time")
    facts = {"title": by_name.get("title"), "description": by_name.get("description")}
    return _said("PNG", [date], facts, {})


def _mail_date(text: str, source: str) -> DateTaken | None:
    """Read a date as in letterheads, "Wed, 03 Jul 2024 18:22:01 +0200", which PNG recommends."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return read_date(moment.isoformat(timespec="seconds"), source)


def _of_takeout(said: dict[str, Any]) -> Metadata:
    people = said.get("people") if isinstance(said.get("people"), list) else []
    names = [
        each["name"] for each in people or [] if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]
    description = said.get("description")
    facts = {
        "position": _takeout_position(said.get("geoData")) or _takeout_position(said.get("geoDataExif")),
        "description": description if isinstance(description, str) else None,
    }
    return _said("Takeout", [_takeout_date(said)], facts, {"person": names})


def _of_picasa(faces: Iterable[PicasaFace], orientation: int) -> Metadata:
    # Nothing says whether the boxes of a photo that is stored turned are of the stored or the upright one.
    regions = [
        Region(_short(face.name), "Face", face.box, "Picasa")
        for face in faces
        if face.box is not None and orientation == 1
    ]
    return _said("Picasa", (), {}, {"person": [face.name for face in faces]}, regions)


def _takeout_date(said: dict[str, Any]) -> DateTaken | None:
    taken = said.get("photoTakenTime")
    seconds = _number(taken.get("timestamp")) if isinstance(taken, dict) else None
    if seconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return read_date(moment.isoformat(timespec="seconds"), "Takeout photoTakenTime")


def _takeout_position(said: Any) -> tuple[float, float] | None:
    if not isinstance(said, dict):
        return None
    return _position(str(said.get("latitude")), str(said.get("longitude")))
