"""What is read of real cameras' files, EXIF, XMP and IPTC, is what exiftool reads of them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from photopal.photos import PHOTO_SUFFIXES, Exif, read_exif
from photopal.photos.metadata import Metadata, read_metadata

EXIFTOOL_FIELDS = [
    "EXIF:Make", "EXIF:Model", "EXIF:LensModel", "IFD0:Orientation",
    "EXIF:DateTimeOriginal", "EXIF:OffsetTimeOriginal", "EXIF:CreateDate", "EXIF:OffsetTimeDigitized",
    "EXIF:GPSLatitude", "EXIF:GPSLatitudeRef",
    "EXIF:GPSLongitude", "EXIF:GPSLongitudeRef", "EXIF:GPSAltitude", "EXIF:GPSAltitudeRef",
]  # fmt: skip


@pytest.fixture(scope="module")
def camera_files() -> list[Path]:
    folder = os.environ.get("PHOTOPAL_CAMERA_FILES")
    if not folder:
        pytest.skip("PHOTOPAL_CAMERA_FILES names no folder of real camera files")
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    return sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in PHOTO_SUFFIXES)


@pytest.fixture(scope="module")
def said_by_exiftool(camera_files: list[Path]) -> dict[Path, dict[str, object]]:
    options = [f"-{field}" for field in EXIFTOOL_FIELDS]
    command = ["exiftool", "-json", "-n", "-q", "-c", "%.9f", *options, *map(str, camera_files)]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {Path(said["SourceFile"]): said for said in json.loads(output)}


def trimmed(value: object) -> str | None:
    # exiftool writes a question mark for a byte that is not UTF-8, photopal the replacement character.
    text = "" if value is None else " ".join(str(value).replace("\ufffd", "?").split())
    return text or None


def iso(date: object, offset: object = "") -> str | None:
    """Write a date of exiftool's as photopal does: as long as it is known, with its offset."""
    match = re.match(
        r"(\d{4})(?:[:-](\d\d)(?:[:-](\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:\.\d+)?)?)?)?(Z|[+-]\d\d:\d\d)?",
        str(date or ""),
    )
    if match is None:
        return None
    year, month, day, time, seconds, own_offset = match.groups()
    if year == "0000":
        return year
    if not time:
        return "-".join(part for part in (year, month, day) if part and part != "00")
    offset = own_offset or (str(offset) if re.fullmatch(r"[+-]\d\d:\d\d", str(offset)) else "")
    return f"{year}-{month}-{day}T{time}{seconds or ':00'}{offset.replace('Z', '+00:00')}"


def expected_degrees(said: dict[str, object], name: str, *, negative: str, limit: float) -> float | None:
    degrees, hemisphere = said.get(f"GPS{name}"), str(said.get(f"GPS{name}Ref", ""))
    if not isinstance(degrees, int | float) or not hemisphere or degrees > limit:
        return None
    return -degrees if hemisphere.upper().startswith(negative) else degrees


def expected_position(said: dict[str, object]) -> tuple[float, float] | None:
    latitude = expected_degrees(said, "Latitude", negative="S", limit=90)
    longitude = expected_degrees(said, "Longitude", negative="W", limit=180)
    return None if latitude is None or longitude is None else (latitude, longitude)


def differences(path: Path, exif: Exif, said: dict[str, object]) -> list[str]:
    pairs = {
        "taken_at": (exif.taken_at, iso(said.get("DateTimeOriginal"), said.get("OffsetTimeOriginal"))),
        "digitized_at": (exif.digitized_at, iso(said.get("CreateDate"), said.get("OffsetTimeDigitized"))),
        "make": (trimmed(exif.make), trimmed(said.get("Make"))),
        "model": (exif.model, trimmed(said.get("Model"))),
        "lens": (exif.lens, trimmed(said.get("LensModel"))),
        "orientation": (exif.orientation, said.get("Orientation", 1)),
    }
    found = [
        f"{path.name} {name}: {ours!r} is not {theirs!r}"
        for name, (ours, theirs) in pairs.items()
        if ours != theirs
    ]
    ours = None if exif.latitude is None or exif.longitude is None else (exif.latitude, exif.longitude)
    if ours != pytest.approx(expected_position(said), abs=1e-6):
        found.append(f"{path.name} position: {ours} is not {expected_position(said)}")
    altitude = said.get("GPSAltitude")
    if not isinstance(altitude, int | float):
        altitude = None
    elif said.get("GPSAltitudeRef") == 1:
        altitude = -altitude
    if exif.altitude_m != pytest.approx(altitude, abs=0.01):
        found.append(f"{path.name} altitude: {exif.altitude_m} is not {altitude}")
    return found


def test_every_field_equals_exiftools(camera_files, said_by_exiftool):
    assert len(camera_files) >= 30
    found = [
        difference
        for path in camera_files
        for difference in differences(path, read_exif(path), said_by_exiftool[path])
    ]
    assert not found, "\n".join(found)


def test_the_files_are_of_many_kinds(camera_files, said_by_exiftool):
    cameras = {(said.get("Make"), said.get("Model")) for said in said_by_exiftool.values()}
    assert len(cameras) >= 20
    assert any(path.suffix.lower() in (".heic", ".heif") for path in camera_files)
    assert any(said.get("Orientation") in (3, 6, 8) for said in said_by_exiftool.values())


def listed(value: object) -> set[str]:
    values = value if isinstance(value, list) else [value]
    return {text for text in map(trimmed, values) if text}


def list_differences(path: Path, metadata: Metadata, said: dict[str, object]) -> list[str]:
    """Compare dates, keywords, titles, descriptions and persons of XMP and of IPTC."""
    dates = {date.source: date.at for date in metadata.dates}
    pairs: dict[str, tuple[object, object]] = {
        f"{group} {name}": (dates.get(f"{ours} {name}"), iso(said.get(f"{group}:{theirs}")))
        for group, ours, name, theirs in (
            ("XMP-exif", "XMP", "exif:DateTimeOriginal", "DateTimeOriginal"),
            ("XMP-exif", "XMP", "exif:DateTimeDigitized", "DateTimeDigitized"),
            ("XMP-photoshop", "XMP", "photoshop:DateCreated", "DateCreated"),
            ("XMP-xmp", "XMP", "xmp:CreateDate", "CreateDate"),
        )
    }
    for name in ("DateCreated", "DigitalCreationDate"):
        time = said.get(
            f"IPTC:{name.replace('Date', 'Time') if name == 'DigitalCreationDate' else 'TimeCreated'}", ""
        )
        day = said.get(f"IPTC:{name}")
        pairs[f"IPTC {name}"] = (dates.get(f"IPTC {name}"), iso(f"{day} {time}".strip() if day else None))
    values: dict[tuple[str, str], list[object]] = {}
    for fact in metadata.facts:
        values.setdefault((fact.source, fact.field), []).append(fact.value)
    for source, field, name in (
        ("XMP", "keyword", "XMP-dc:Subject"),
        ("IPTC", "keyword", "IPTC:Keywords"),
        ("XMP", "title", "XMP-dc:Title"),
        ("XMP", "description", "XMP-dc:Description"),
        ("XMP", "person", "XMP-iptcExt:PersonInImage"),
        ("XMP", "model", "XMP-tiff:Model"),
        ("IPTC", "description", "IPTC:Caption-Abstract"),
    ):
        pairs[f"{source} {field}"] = ({*map(str, values.get((source, field), []))}, listed(said.get(name)))
    return [
        f"{path.name} {name}: {ours!r} is not {theirs!r}"
        for name, (ours, theirs) in pairs.items()
        if ours != theirs
    ]


def test_xmp_and_iptc_equal_exiftools(camera_files):
    command = ["exiftool", "-json", "-n", "-G1", "-q", "-XMP:all", "-IPTC:all", *map(str, camera_files)]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found, told = [], 0
    for said in json.loads(output):
        path = Path(said["SourceFile"])
        if any(name.startswith("XMP-tmp") for name in said):
            # The packet's own address is wrong, and exiftool gives none of its properties their names.
            continue
        with path.open("rb") as file:
            metadata = read_metadata(file, path)
        found += list_differences(path, metadata, said)
        told += any(name.startswith(("XMP-dc", "IPTC")) for name in said)
    assert told >= 3
    assert not found, "\n".join(found)
