"""Finds and reads the files beside a photo that speak of it: XMP sidecars and Google Takeout's JSON."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photopal.files import PART_NAME
from photopal.photos.discover import is_photo_named
from photopal.photos.picasa import PICASA_NAMES, PicasaFace, read_picasa
from photopal.photos.xmp import XMP_LIMIT_BYTES, Xmp

SIDECAR_SUFFIXES = (".xmp", ".json")
"""The endings, in lower case, of the files that may speak of a photo."""

_JSON_LIMIT_BYTES = 1024 * 1024
_TAKEOUT_END = ".supplemental-metadata"
# Takeout cuts the name before ".json" at this length.
_TAKEOUT_CUT = 46
_NUMBERED = re.compile(r"^(?P<name>.*?)\((?P<number>\d{1,4})\)$", re.DOTALL)
_EDITED = re.compile(
    r"-(?:edited|bearbeitet|modifié|editado|modificato|bewerkt|redigerad|redigeret|編集済み|已修改)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sidecars:
    """The files that speak of one photo.

    Attributes:
        xmp: XMP sidecars, the one with the whole name first.
        takeout: Takeout's JSON.
        stamp: Changes whenever one of them comes, goes or changes; empty without any.
        picasa: The faces that Picasa named on it.
    """

    xmp: tuple[Path, ...] = ()
    takeout: Path | None = None
    stamp: str = ""
    picasa: tuple[PicasaFace, ...] = ()


def is_sidecar_named(name: str) -> bool:
    """Tell whether a file's name ends as a sidecar's."""
    return name.lower().endswith(SIDECAR_SUFFIXES)


def photos_of_sidecar(sidecar: Path) -> list[Path]:
    """Return the files beside a sidecar that it may be about, by their names."""
    try:
        names = sorted(os.listdir(sidecar.parent))  # noqa: PTH208
    except OSError:
        return []
    if sidecar.name.lower().endswith(".json"):
        about = [name for name in names if takeout_name(name, [sidecar.name])]
    else:
        meant = sidecar.name[:-4].casefold()
        about = [name for name in names if meant in (name.casefold(), os.path.splitext(name)[0].casefold())]  # noqa: PTH122
    return [sidecar.with_name(name) for name in about if is_photo_named(name)]


class SidecarFinder:
    """Finds sidecars; the folder asked about last is listed only once.

    `parts` are the temporary files of atomic writes, photopal's or not, in the folders that were listed.
    """

    def __init__(self) -> None:
        self.parts: list[Path] = []
        self._folder: str | None = None
        self._xmp: dict[str, str] = {}
        self._json: list[str] = []
        self._names: list[str] = []
        self._stems: Counter[str] | None = None
        self._picasa: dict[str, tuple[PicasaFace, ...]] = {}

    def count_alike(self, path: Path) -> int:
        """Count the photos in a folder that have a name but for its ending, in whichever case."""
        self.find(path)
        if self._stems is None:
            self._stems = Counter(
                os.path.splitext(name)[0].casefold()  # noqa: PTH122
                for name in self._names
                if is_photo_named(name)
            )
        return self._stems[path.stem.casefold()]

    def find(self, path: Path) -> Sidecars:
        """Return the sidecars of a photo as they are now, of its folder as it was when it was listed."""
        folder, name = os.path.split(path)
        if folder != self._folder:
            self._list(folder)
        if not self._xmp and not self._json and not self._picasa:
            return Sidecars()
        stem = os.path.splitext(name)[0]  # noqa: PTH122 - names may be of any encoding
        whole = [self._xmp[key] for key in (name.casefold(), stem.casefold()) if key in self._xmp]
        takeout = takeout_name(name, self._json) if self._json else None
        found = [*whole, *([takeout] if takeout else [])]
        faces = self._picasa.get(name.casefold(), ())
        stamps: list[object] = [(each, *_stamp(os.path.join(folder, each))) for each in found]  # noqa: PTH118
        # Picasa has one file for all photos of a folder: only of those with faces does anything change.
        stamps += faces
        return Sidecars(
            xmp=tuple(path.with_name(each) for each in whole),
            takeout=path.with_name(takeout) if takeout else None,
            stamp=hashlib.blake2b(repr(stamps).encode("utf-8", "replace"), digest_size=8).hexdigest()
            if stamps
            else "",
            picasa=faces,
        )

    def _list(self, folder: str) -> None:
        self._folder, self._xmp, self._json, self._names, self._stems = folder, {}, [], [], None
        self._picasa = {}
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError:
            return
        self._names = names
        for name in names:
            suffix = name[-5:].casefold()
            if suffix.endswith(".xmp") and not name.startswith("."):
                self._xmp.setdefault(name[:-4].casefold(), name)
            elif suffix == ".json":
                self._json.append(name)
            elif name.casefold() in PICASA_NAMES:
                self._picasa |= read_picasa(Path(folder, name))
            elif PART_NAME.fullmatch(name):
                self.parts.append(Path(folder, name))


def sidecar_to_write(photo: Path, finder: SidecarFinder, *, is_short: bool) -> Path:
    """Return the XMP sidecar that a photo has, or is to get; no folder in its path is a link.

    Args:
        photo: The photo's path.
        finder: Knows the folder as it is now.
        is_short: Whether a new sidecar of photo.jpg is to be photo.xmp instead of photo.jpg.xmp. Where
            there is another photo.* it is not.
    """
    found = finder.find(photo).xmp
    for sidecar in found:
        if sidecar.name[:-4].casefold() == photo.name.casefold():
            return Path(os.path.realpath(sidecar))
        # photo.xmp may be about photo.cr2, and says so, or may be about either.
        meant = Xmp([read_xmp_sidecar(sidecar)]).text("photoshop:SidecarForExtension")
        is_alone = meant is None and finder.count_alike(photo) == 1
        if is_alone or (meant is not None and meant.casefold() == photo.suffix[1:].casefold()):
            return Path(os.path.realpath(sidecar))
    is_short = is_short and not found and finder.count_alike(photo) == 1
    new = photo.with_suffix(".xmp") if is_short else photo.with_name(f"{photo.name}.xmp")
    return Path(os.path.realpath(new))


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


def takeout_name(photo: str, names: list[str]) -> str | None:
    """Return the name of Takeout's JSON of a photo, of names in the same folder; None where none fits.

    Takeout calls it after the photo, with ".supplemental-metadata" since 2024, cuts long names, puts the
    number of a second photo of the same name at the end, and has none for the edited copy of a photo.
    """
    stem, ending = os.path.splitext(photo)  # noqa: PTH122
    numbered = _NUMBERED.match(stem)
    plain, number = (numbered["name"], numbered["number"]) if numbered else (stem, None)
    wanted = [(photo, None), (plain + ending, number), (_EDITED.sub("", plain) + ending, number)]
    for name, its_number in dict.fromkeys(wanted):
        fits = [each for each in names if _fits(each, name, its_number)]
        if fits:
            return max(fits, key=len)
    return None


def _fits(json_name: str, photo: str, number: str | None) -> bool:
    said = json_name[:-5]
    match = _NUMBERED.match(said)
    if (match["number"] if match else None) != number:
        return False
    said = match["name"] if match else said
    if said == photo:
        return True
    whole = photo + _TAKEOUT_END
    is_cut = len(said) >= _TAKEOUT_CUT - 1 and len(said) < len(whole)
    return whole.startswith(said) and (len(said) > len(photo) or is_cut)


def read_xmp_sidecar(path: Path) -> bytes:
    """Return a sidecar's packet; empty where it cannot be read or is too long."""
    return _read(path, XMP_LIMIT_BYTES)


def read_takeout(path: Path) -> dict[str, Any]:
    """Return what Takeout's JSON says; empty where it is none."""
    try:
        said = json.loads(_read(path, _JSON_LIMIT_BYTES))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) and "photoTakenTime" in said else {}


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError:
        return b""
    return content if len(content) <= limit_bytes else b""
