"""Finds and reads the files beside a photo that speak of it: XMP sidecars and Google Takeout's JSON."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from photopal.files import PART_NAME, is_file
from photopal.photos.discover import is_photo_named
from photopal.photos.picasa import PicasaFace, is_picasa_named, read_picasa
from photopal.photos.xmp import XMP_LIMIT_BYTES, Xmp
from photopal.text import fold_letters

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

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that are about this photo alone."""
        return self.xmp if self.takeout is None else (*self.xmp, self.takeout)


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
        meant = fold_letters(sidecar.name[:-4])
        about = [name for name in names if meant in map(fold_letters, (name, os.path.splitext(name)[0]))]  # noqa: PTH122
    return [sidecar.with_name(name) for name in about if is_photo_named(name)]


class _PhotoNames(NamedTuple):
    """How the photos of a folder are called, with and without the ending, and how many are alike without."""

    spellings: set[str]
    stems: Counter[str]

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        pairs = [(name, os.path.splitext(name)[0]) for name in names]  # noqa: PTH122
        return cls(
            spellings={spelling for pair in pairs for spelling in pair},
            stems=Counter(fold_letters(stem) for _, stem in pairs),
        )


class SidecarFinder:
    """Finds sidecars; the folder asked about last is listed only once.

    Of the folders that were listed, `parts` are the temporary files of atomic writes, photopal's or not, and
    `picasa_files` the files of Picasa, each with why it cannot be read, None where it can be.
    """

    def __init__(self) -> None:
        self.parts: list[Path] = []
        self.picasa_files: dict[Path, str | None] = {}
        self._folder: str | None = None
        self._xmp: dict[str, list[str]] = {}
        self._json: list[str] = []
        self._names: list[str] = []
        self._photos: _PhotoNames | None = None
        self._picasa: dict[str, tuple[PicasaFace, ...]] = {}

    def count_alike(self, path: Path) -> int:
        """Count the photos in a folder that have a name but for its ending, in whichever case."""
        self.find(path)
        return self._photo_names().stems[fold_letters(path.stem)]

    def find(self, path: Path) -> Sidecars:
        """Return the sidecars of a photo as they are now, of its folder as it was when it was listed."""
        folder, name = os.path.split(path)
        if folder != self._folder:
            self._list(folder)
        if not self._xmp and not self._json and not self._picasa:
            return Sidecars()
        stem = os.path.splitext(name)[0]  # noqa: PTH122 - names may be of any encoding
        whole = [sidecar for called in (name, stem) if (sidecar := self._xmp_of(called))]
        takeout = takeout_name(name, self._json) if self._json else None
        found = [*whole, *([takeout] if takeout else [])]
        faces = self._picasa.get(fold_letters(name), ())
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

    def _xmp_of(self, called: str) -> str | None:
        """Return the XMP sidecar that is called after a photo.

        Copying between systems may change the case of a name and how its accents are encoded. But where a
        folder tells such names apart, a sidecar is about the photo that is called exactly so.
        """
        alike = self._xmp.get(fold_letters(called), [])
        for sidecar in alike:
            if sidecar[:-4] == called:
                return sidecar
        if not alike:
            return None
        taken = self._photo_names().spellings
        return next((sidecar for sidecar in alike if sidecar[:-4] not in taken), None)

    def sidecar_of_another(self, path: Path) -> Path | None:
        """Return the sidecar of another photo whose name differs in case or accents only, if it has one."""
        self.find(path)
        alike = self._xmp.get(fold_letters(path.name), [])
        for sidecar in alike:
            if sidecar[:-4] != path.name and sidecar[:-4] in self._photo_names().spellings:
                return path.with_name(sidecar)
        return None

    def _photo_names(self) -> _PhotoNames:
        if self._photos is None:
            self._photos = _PhotoNames.of(name for name in self._names if is_photo_named(name))
        return self._photos

    def _list(self, folder: str) -> None:
        self._folder, self._xmp, self._json, self._names = folder, {}, [], []
        self._photos, self._picasa = None, {}
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208
        except OSError:
            return
        self._names = names
        for name in names:
            suffix = name[-5:].casefold()
            if suffix.endswith(".xmp") and not name.startswith("."):
                self._xmp.setdefault(fold_letters(name[:-4]), []).append(name)
            elif suffix == ".json":
                self._json.append(name)
            elif is_picasa_named(name):
                faults: list[str] = []
                self._picasa |= read_picasa(Path(folder, name), on_fault=faults.append)
                self.picasa_files[Path(folder, name)] = next(iter(faults), None)
            elif PART_NAME.fullmatch(name):
                self.parts.append(Path(folder, name))


def sidecar_to_write(photo: Path, finder: SidecarFinder, *, is_short: bool) -> Path:
    """Return the XMP sidecar that a photo has, or is to get; no folder in its path is a link.

    Args:
        photo: The photo's path.
        finder: Knows the folder as it is now.
        is_short: Whether a new sidecar of photo.jpg is to be photo.xmp instead of photo.jpg.xmp. Where
            there is another photo.* it is not.

    Of photos whose names differ in case only, the second is to get none but the first one's: on most
    systems two such files cannot stand beside each other.
    """
    found = finder.find(photo).xmp
    for sidecar in found:
        if fold_letters(sidecar.name[:-4]) == fold_letters(photo.name):
            return Path(os.path.realpath(sidecar))
        # photo.xmp may be about photo.cr2, and says so, or may be about either.
        meant = Xmp([read_xmp_sidecar(sidecar)]).text("photoshop:SidecarForExtension")
        is_alone = meant is None and finder.count_alike(photo) == 1
        if is_alone or (meant is not None and meant.casefold() == photo.suffix[1:].casefold()):
            return Path(os.path.realpath(sidecar))
    theirs = finder.sidecar_of_another(photo)
    if theirs is not None:
        return Path(os.path.realpath(theirs))
    is_short = is_short and not found and finder.count_alike(photo) == 1
    new = photo.with_suffix(".xmp") if is_short else photo.with_name(f"{photo.name}.xmp")
    return Path(os.path.realpath(new))


def _stamp(path: str) -> tuple[int, int]:
    """Return what changes when there is more to read, or when what could not be read can be."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return (0, 0)
    if not os.access(path, os.R_OK):
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)


def takeout_name(photo: str, names: list[str]) -> str | None:
    """Return the name of Takeout's JSON of a photo, of names in the same folder; None where none fits.

    Takeout calls it after the photo, with ".supplemental-metadata" since 2024, cuts long names, puts the
    number of a second photo of the same name at the end, and has none for the edited copy of a photo.
    """
    photo = unicodedata.normalize("NFC", photo)
    stem, ending = os.path.splitext(photo)  # noqa: PTH122
    numbered = _NUMBERED.match(stem)
    plain, number = (numbered["name"], numbered["number"]) if numbered else (stem, None)
    wanted = [(photo, None), (plain + ending, number), (_EDITED.sub("", plain) + ending, number)]
    for name, its_number in dict.fromkeys(wanted):
        # The number of a second photo comes behind the cut: without it, it is the first one's.
        least = len(stem) if numbered and its_number is None else 0
        fits = [each for each in names if _fits(each, name, its_number, least_letters=least)]
        if fits:
            return max(fits, key=len)
    return None


def _fits(json_name: str, photo: str, number: str | None, *, least_letters: int) -> bool:
    said = unicodedata.normalize("NFC", json_name[:-5])
    match = _NUMBERED.match(said)
    if (match["number"] if match else None) != number:
        return False
    said = match["name"] if match else said
    if said == photo:
        return True
    whole = photo + _TAKEOUT_END
    is_cut = max(_TAKEOUT_CUT - 1, least_letters) <= len(said) < len(whole)
    return whole.startswith(said) and (len(said) > len(photo) or is_cut)


_OnFault = Callable[[Path, str], None]
"""Told of a sidecar from which nothing can be read, and why."""


def read_xmp_sidecar(path: Path, *, on_fault: _OnFault | None = None) -> bytes:
    """Return a sidecar's packet; empty where it cannot be read or is too long."""
    return _read(path, XMP_LIMIT_BYTES, on_fault)


def read_takeout(path: Path, photo: str | None = None, *, on_fault: _OnFault | None = None) -> dict[str, Any]:
    """Return what Takeout's JSON says; empty where it is none, or not about a photo of a given name."""
    content = _read(path, _JSON_LIMIT_BYTES, on_fault)
    try:
        said = json.loads(content) if content else None
    except (ValueError, RecursionError):
        if on_fault is not None:
            on_fault(path, "no valid JSON")
        return {}
    if not isinstance(said, dict) or "photoTakenTime" not in said:
        return {}
    return {} if photo is not None and _is_of_another(path.stem, said.get("title"), photo) else said


def _is_of_another(json_name: str, title: Any, photo: str) -> bool:
    """Whether a JSON whose name was cut before the photo's ends has the title of another photo.

    Photos whose names differ behind a long title only have the same 46 letters in front. Takeout replaces
    letters that systems do not allow in the name of a file, so only letters and digits are compared.
    """
    stem = os.path.splitext(unicodedata.normalize("NFC", photo))[0]  # noqa: PTH122
    plain = _EDITED.sub("", _NUMBERED.sub(r"\g<name>", stem))
    cut = _NUMBERED.sub(r"\g<name>", unicodedata.normalize("NFC", json_name))
    if len(cut) >= len(plain) or not isinstance(title, str):
        return False
    return not any(_letters(spelled).startswith(_letters(plain)) for spelled in (title, html.unescape(title)))


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", fold_letters(name))


def _read(path: Path, limit_bytes: int, on_fault: _OnFault | None) -> bytes:
    # A folder may be called so, and a pipe would never end.
    if not is_file(path):
        return b""
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        content, fault = b"", f"cannot be opened: {error.strerror or error}"
    else:
        fault = "the file is empty" if not content else f"larger than {limit_bytes >> 20} MB"
        if 0 < len(content) <= limit_bytes:
            return content
    if on_fault is not None:
        on_fault(path, fault)
    return b""
