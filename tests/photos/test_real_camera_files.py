"""What exifread reads of real cameras' files is what exiftool reads of them."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from photopal.photos import PHOTO_SUFFIXES, Exif, read_exif

EXIFTOOL_FIELDS = [
    "EXIF:Make", "EXIF:Model", "EXIF:LensModel", "IFD0:Orientation",
    "EXIF:DateTimeOriginal", "EXIF:OffsetTimeOriginal", "EXIF:CreateDate", "EXIF:OffsetTimeDigitized",
    "EXIF:ModifyDate", "EXIF:OffsetTime", "EXIF:GPSLatitude", "EXIF:GPSLatitudeRef",
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


def expected_date(said: dict[str, object]) -> str | None:
    pairs = [
        ("DateTimeOriginal", "OffsetTimeOriginal"),
        ("CreateDate", "OffsetTimeDigitized"),
        ("ModifyDate", "OffsetTime"),
    ]
    for date_name, offset_name in pairs:
        match = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d:\d\d:\d\d)", str(said.get(date_name, "")))
        if match and match[1] != "0000":
            offset = str(said.get(offset_name, ""))
            return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}" + (
                offset if offset[:1] in ("+", "-") else ""
            )
    return None


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
        "taken_at": (exif.taken_at, expected_date(said)),
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
