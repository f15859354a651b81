"""Reads whom Picasa found on photos from the file that it keeps in each folder; knows no photo."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from photopal.files import is_file
from photopal.photos.turns import Box
from photopal.text import fold_letters

_NAMES = (".picasa.ini", "picasa.ini")
_LIMIT_BYTES = 4 * 1024 * 1024
_FACE = re.compile(r"rect64\(([0-9a-f]{1,16})\),([0-9a-f]{1,16})", re.IGNORECASE)
# Filters that show another part of the image, or show it tilted.
_MOVED = re.compile(r"(?:^|;)\s*(?:crop64|tilt|radtilt)=", re.IGNORECASE)
_FULL = 0xFFFF


@dataclass(frozen=True)
class PicasaFace:
    """A name, and the box as fractions of the image; None where Picasa shows the image turned or cropped."""

    name: str
    box: Box | None


def is_picasa_named(name: str) -> bool:
    """Tell whether a file is called as Picasa calls the one that it keeps in each folder."""
    return name.casefold() in _NAMES


def read_picasa(
    path: Path, *, on_fault: Callable[[str], None] = lambda reason: None
) -> dict[str, tuple[PicasaFace, ...]]:
    """Return the faces with a name by the name of the photo; none where it is no such file.

    Picasa's systems do not tell upper and lower case apart: names of photos are as `fold_letters` gives them.
    Names are in the same file, under numbers; faces whose number has no name there are left out.

    Args:
        path: The file.
        on_fault: Told why nothing can be read from it.
    """
    # A pipe would never end.
    if not is_file(path):
        return {}
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        on_fault(f"cannot be opened: {error.strerror or error}")
        return {}
    if len(content) > _LIMIT_BYTES:
        on_fault(f"larger than {_LIMIT_BYTES >> 20} MB")
        return {}
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in content.decode("utf-8-sig", errors="replace").splitlines():
        key, equals, value = line.strip().partition("=")
        if key.startswith("[") and key.endswith("]") and not equals:
            section = sections.setdefault(fold_letters(key[1:-1]), {})
        elif equals:
            section[key.strip().casefold()] = value.strip()
    if content.strip() and not sections:
        on_fault("no valid Picasa file")
    # A line of a person is the name, then the address and more behind semicolons.
    contacts = {number: value.partition(";")[0] for number, value in sections.get("contacts2", {}).items()}
    found = {}
    for name, entries in sections.items():
        is_changed = "rotate" in entries or "crop" in entries or _MOVED.search(entries.get("filters", ""))
        faces = tuple(
            PicasaFace(person, None if is_changed else box)
            for corners, number in _FACE.findall(entries.get("faces", ""))
            if (person := contacts.get(number.casefold(), "").strip()) and (box := _box(corners)) is not None
        )
        if faces:
            found[name] = faces
    return found


def _box(corners: str) -> Box | None:
    """Read left, top, right and bottom, four hexadecimal digits each, without the zeros in front."""
    digits = corners.rjust(16, "0")
    left, top, right, bottom = (int(digits[at : at + 4], 16) / _FULL for at in range(0, 16, 4))
    if right <= left or bottom <= top:
        return None
    return (round(left, 6), round(top, 6), round(right - left, 6), round(bottom - top, 6))
