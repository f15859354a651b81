"""Writes a gallery's folder: at every instant the old page works, or the new one.

Data files are named by what is in them and never changed, and the page that names them is written last, in
one go. A run that is killed leaves files that no page names; the next one removes them. Copies of photos are
listed before they are made, as only those may be removed again: somebody may keep photos beside them.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from photopal.assistant.file_names import FileNames
from photopal.errors import LibraryError, LibraryLockedError, PhotopalError, UsageError
from photopal.files import PART_NAME, Stamp, atomic_path, atomic_write, is_folder, stamp_of
from photopal.gallery.data import Tables, describe, pack_script, script
from photopal.library import Library, PhotoRecord
from photopal.library.lock import WriterLock
from photopal.progress import OnProgress

PHOTOS_PER_PACK = 64
"""How many thumbnails one file has: few enough to come quickly, many enough to be few files."""

_FIRST_PHOTOS, _PHOTOS_PER_LIST = 400, 4000
_MARKER, _NO_MEDIA, _COPY_LIST = ".photopal-gallery", ".nomedia", ".photopal-copies"
_PAGE, _DATA, _COPIES = "index.html", "data", "photos"
_LONGEST_NAME = 200
_WAIT_S = 2.0
_OURS = re.compile(r"(?:style|gallery|start|list|pack)-[0-9a-f]{16}\.(?:js|css)")
_COPY = re.compile(r"(\d{7,8})-.*", re.DOTALL)


@dataclass(frozen=True)
class GalleryReport:
    """What was written.

    Attributes:
        page: The page to open.
        photos: How many photos it shows.
        size_bytes: What the page and its data take, without copies of photos.
        not_copied: Photos of which no copy could be made, each with the reason; their links lead nowhere.
    """

    page: Path
    photos: int
    size_bytes: int
    not_copied: tuple[tuple[Path, str], ...] = ()


def check_folder(folder: Path) -> None:
    """Refuse a folder that a gallery must not be written to, before any work is done.

    Raises:
        UsageError: It is a file, or has something in it and is not a gallery.
    """
    if not os.path.lexists(folder):
        if not is_folder(folder.parent):
            raise UsageError(f"{folder.parent}: no such folder")
        return
    if not is_folder(folder):
        raise UsageError(f"{folder}: is not a folder")
    for inner in (folder / _DATA, folder / _COPIES):
        if inner.is_symlink():
            raise UsageError(f"{inner}: is a link, and a gallery is only written inside its folder")
    try:
        is_free = (folder / _MARKER).is_file() or not any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read: {error.strerror or error}") from error
    if not is_free:
        raise UsageError(
            f"{folder}: is not empty and not a gallery", hint="Choose a new or an empty folder with --into."
        )


def write_gallery(
    library: Library,
    photos: Sequence[PhotoRecord],
    folder: Path,
    *,
    title: str = "Photos",
    copy: bool = False,
    on_progress: OnProgress | None = None,
) -> GalleryReport:
    """Write a page that shows photos, with everything it needs beside it.

    The photos are only read. Without `copy` the page links to them where they are: by a relative path where
    they lie in the folder that the gallery lies in, else by an absolute one.

    Args:
        library: Has the thumbnails and all that is told of the photos.
        photos: Which, in any order; the newest come first.
        folder: Made if it is not there; an earlier gallery in it is replaced.
        title: Stands over the photos.
        copy: Copy the photos' files into the folder, for a gallery that can be given away.
        on_progress: Told of each photo.

    Raises:
        UsageError: The folder is not free for a gallery.
        LibraryLockedError: Another process is writing a gallery there and does not stop.
        PhotopalError: The folder cannot be written; a gallery that was there still works.
    """
    check_folder(folder)
    try:
        folder.mkdir(exist_ok=True)
        with _alone_in(folder):
            return _Writer(library, folder.resolve(), on_progress=on_progress).write(photos, title, copy=copy)
    except OSError as error:
        where = folder if error.filename is None else os.fsdecode(error.filename)
        raise PhotopalError(f"{where}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep others from writing to a folder, as each run removes the data that its own page does not name.

    The lock is on the file that makes the folder a gallery. It comes first, so that a run that is killed at
    once leaves no folder that is refused.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(WriterLock(folder / _MARKER, wait_s=_WAIT_S))
        except LibraryLockedError as error:
            raise LibraryLockedError(
                f"{folder}: another process is writing a gallery there", hint=error.hint
            ) from error
        except OSError:
            # A file system without locks.
            (folder / _MARKER).touch()
        yield


class _Writer:
    def __init__(self, library: Library, folder: Path, *, on_progress: OnProgress | None) -> None:
        self._library = library
        self._concepts = library.concepts.all()
        self._file_names = FileNames(library)
        self._folder = folder
        self._on_progress = on_progress
        self._written: dict[str, int] = {}
        self._links: dict[Path, str] = {}
        self._copies: set[str] = set()
        self._old_copies: set[str] = set()
        self._not_copied: list[tuple[Path, str]] = []

    def write(self, photos: Sequence[PhotoRecord], title: str, *, copy: bool) -> GalleryReport:
        (self._folder / _DATA).mkdir(exist_ok=True)
        # An index of photos leaves the folder out, or its copies would be found again.
        (self._folder / _NO_MEDIA).touch()
        photos = sorted(photos, key=lambda photo: photo.taken_at or "", reverse=True)
        self._old_copies = self._listed_copies()
        if copy:
            self._copies = set(map(_copy_name, photos))
            self._list_copies(self._old_copies | self._copies)
        tables = Tables()
        told: list[dict[str, Any]] = []
        packs: list[str] = []
        for start in range(0, len(photos), PHOTOS_PER_PACK):
            pack = []
            for photo in photos[start : start + PHOTOS_PER_PACK]:
                link = self._copied(photo) if copy else self._linked(photo)
                facts, because = describe(
                    self._library,
                    photo,
                    self._concepts,
                    file_names=self._file_names,
                    tables=tables,
                    link=link,
                )
                told.append(facts)
                pack.append((photo, because))
                if self._on_progress is not None:
                    self._on_progress(len(told), len(photos), photo.path)
            jpeg_of = self._library.photos.thumbnail_or_none
            packs.append(self._put("pack", pack_script(self._library, len(packs), pack, jpeg_of)))
        lists = [
            self._put("list", script("photos", told[start : start + _PHOTOS_PER_LIST]))
            for start in range(_FIRST_PHOTOS, len(told), _PHOTOS_PER_LIST)
        ]
        about = {
            **{name: list(getattr(tables, name)) for name in ("names", "places", "cameras", "folders")},
            "total": len(told),
            "perPack": PHOTOS_PER_PACK,
            "packs": packs,
            "lists": lists,
        }
        page = resources.files(__package__) / "page"
        values = {
            "title": html.escape(title),
            "style": self._put("style", (page / "gallery.css").read_text(encoding="utf-8"), suffix="css"),
            "script": self._put("gallery", (page / "gallery.js").read_text(encoding="utf-8")),
            "start": self._put("start", script("start", about, told[:_FIRST_PHOTOS])),
        }
        text = (page / _PAGE).read_text(encoding="utf-8")
        text = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], text)
        atomic_write(self._folder / _PAGE, text)
        self._remove_old()
        return GalleryReport(
            page=self._folder / _PAGE,
            photos=len(told),
            size_bytes=sum(self._written.values()) + len(text.encode()),
            not_copied=tuple(self._not_copied),
        )

    def _put(self, kind: str, text: str, *, suffix: str = "js") -> str:
        """Write a data file under a name that tells its content, unless it is there; return the name."""
        content = text.encode()
        name = f"{kind}-{hashlib.blake2b(content, digest_size=8).hexdigest()}.{suffix}"
        path = self._folder / _DATA / name
        if not path.is_file() or path.stat().st_size != len(content):
            # Not waited for, which would take most of the time: a gallery can be written again.
            atomic_write(path, content, durable=False)
        self._written[name] = len(content)
        return name

    def _linked(self, photo: PhotoRecord) -> tuple[str, Path]:
        parent = photo.path.parent
        if (link := self._links.get(parent)) is None:
            if photo.path.is_relative_to(self._folder.parent):
                between = Path(os.path.relpath(parent, self._folder)).as_posix()
                link = f"{quote_from_bytes(os.fsencode(between))}/"
            else:
                link = f"{parent.as_uri().rstrip('/')}/"
            self._links[parent] = link
        return link, photo.path

    def _copied(self, photo: PhotoRecord) -> tuple[str, Path]:
        """Copy a photo, unless the copy is there."""
        target = self._folder / _COPIES / _copy_name(photo)
        target.parent.mkdir(exist_ok=True)
        try:
            source = photo.path.open("rb")
        except OSError as error:
            self._not_copied.append((photo.path, error.strerror or str(error)))
            return f"{_COPIES}/", target
        with source:
            stamp = Stamp.of(os.fstat(source.fileno()))
            if target.is_symlink() or stamp_of(target) != stamp:
                with atomic_path(target, durable=False) as part:
                    with part.open("wb") as copy:
                        shutil.copyfileobj(source, copy, 1 << 20)
                    os.utime(part, ns=(stamp.mtime_ns, stamp.mtime_ns))
        return f"{_COPIES}/", target

    def _listed_copies(self) -> set[str]:
        """The names of the copies in the folder that are photopal's own."""
        try:
            return set(map(str, json.loads((self._folder / _COPY_LIST).read_bytes())))
        except (OSError, ValueError, TypeError):
            return {path.name for path in self._folder.glob(f"{_COPIES}/*-*") if self._is_copy(path)}

    def _is_copy(self, path: Path) -> bool:
        """Whether a file is certainly the copy of a photo; earlier versions wrote no list."""
        match = _COPY.fullmatch(path.name)
        if match is None:
            return False
        try:
            photo = self._library.photos.get(int(match[1]))
        except LibraryError:
            return False
        stamp = stamp_of(path)
        return _copy_name(photo) == path.name and stamp is not None and stamp.size_bytes == photo.size_bytes

    def _list_copies(self, names: set[str]) -> None:
        if names:
            atomic_write(self._folder / _COPY_LIST, json.dumps(sorted(names)), durable=False)
        else:
            (self._folder / _COPY_LIST).unlink(missing_ok=True)

    def _remove_old(self) -> None:
        """Remove what earlier galleries had and this one does not name; other files are left alone."""
        data, copies = self._folder / _DATA, self._folder / _COPIES
        for path in data.iterdir():
            is_ours = _OURS.fullmatch(path.name) or PART_NAME.fullmatch(path.name)
            if is_ours and path.name not in self._written and not path.is_dir():
                path.unlink(missing_ok=True)
        if copies.is_dir():
            for path in copies.iterdir():
                is_old = path.name in self._old_copies or PART_NAME.fullmatch(path.name) is not None
                if is_old and path.name not in self._copies and not path.is_dir():
                    path.unlink(missing_ok=True)
            if not self._copies and not any(copies.iterdir()):
                copies.rmdir()
        self._list_copies(self._copies)
        for name in (_PAGE, _COPY_LIST):
            for path in self._folder.glob(f".{name}.*.part"):
                if PART_NAME.fullmatch(path.name):
                    path.unlink(missing_ok=True)


def _copy_name(photo: PhotoRecord) -> str:
    """The name of a photo's copy; the library's number tells photos of one name apart."""
    name = photo.path.name
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = photo.path.suffix
    return f"{photo.id:07}-{name}"
