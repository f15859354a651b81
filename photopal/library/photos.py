"""Keeps photos as contents, whatever path they are at; never opens a file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from photopal.errors import LibraryError
from photopal.files import Stamp
from photopal.library.connection import Connection, now, path_bytes, path_of
from photopal.library.metadata import FileFacts
from photopal.library.models import PhotoRecord
from photopal.library.paths import Paths
from photopal.library.pictures import Pictures, turn_for

if TYPE_CHECKING:
    from photopal.photos import Photo

_COLUMNS = (
    "id", "path", "content_hash", "width_px", "height_px", "taken_at", "camera", "lens", "latitude",
    "longitude", "format", "size_bytes", "place", "picture_changed_at", "taken_certainty", "taken_source",
    "taken_unsure", "picture_hash", "orientation",
)  # fmt: skip
# One lookup for three facts, in words that take less to read than JSON: whole libraries are read.
_FILE = (
    "(SELECT file.size_bytes || ' ' || file.mtime_ns || ' ' || coalesce(file.content_hash, '')"
    " FROM paths AS file WHERE file.path = photos.path AND file.photo_id = photos.id) AS file"
)
PHOTO_COLUMNS = ", ".join((*(f"photos.{name}" for name in _COLUMNS), _FILE))
_PHOTOS_AT_ONCE = 500
_PHASHES_AT_ONCE = 1000

_INSERT_PHOTO = """
    INSERT INTO photos (content_hash, picture_hash, path, size_bytes, width_px, height_px, format, added_at)
    VALUES (?, ?, ?, 0, 0, 0, '', ?) RETURNING id
"""
_UPDATE_PHOTO = """
    UPDATE photos SET content_hash = ?, picture_hash = ?, picture_bytes = ?, size_bytes = ?, width_px = ?,
      height_px = ?, format = ? WHERE id = ?
"""


class PhashRecord(NamedTuple):
    """A photo's perceptual hash, with what tells whether another photo is nearly the same."""

    photo_id: int
    phash: int
    taken_at: str | None
    camera: str | None
    pixels: int
    picture_bytes: int
    known_facts: int


class Photos:
    """The part of a library that is about photos: facts, thumbnails and perceptual hashes.

    Args:
        connection: The open library.
        paths: Where the photos' files are.
        facts: What the files say.
        pictures: Which file is which photo.
    """

    def __init__(self, connection: Connection, *, paths: Paths, facts: FileFacts, pictures: Pictures) -> None:
        self._connection = connection
        self._paths = paths
        self._facts = facts
        self._pictures = pictures

    def add(self, photo: Photo, *, place: str | None = None) -> int:
        """Record a photo at its path and return its id.

        A picture the library knows keeps its id, caption and concepts, whatever metadata its files have. A
        path that held another picture moves on to this one; see `Pictures.settle`. A photo that was missing
        is there again.

        Args:
            photo: As `record_photo` gives it.
            place: Place names, the nearest first; without it a known place stays while the position does.
        """
        picture_hash = photo.picture_hash or photo.content_hash
        stamp = {"size_bytes": photo.size_bytes, "mtime_ns": photo.mtime_ns}
        with self._connection.writing():
            before = self._paths.known_at([path_bytes(photo.path)]).get(path_bytes(photo.path))
            before_id = None if before is None else before.photo_id
            photo_id, words_of = self._known_id(photo, picture_hash, before_id)
            if photo_id is None:
                facts = (photo.content_hash, picture_hash, path_bytes(photo.path), now())
                photo_id = int(self._connection.execute(_INSERT_PHOTO, facts).fetchone()[0])
                if before is not None and before.photo_id != words_of:
                    self._pictures.note_replaced(before.photo_id, photo_id, was_there=not before.is_missing)
            self._paths.add(
                photo_id,
                photo.path,
                content_hash=photo.content_hash,
                orientation=photo.exif.orientation,
                **stamp,
            )
            self._put_picture(photo_id, photo, picture_hash)
            self._facts.put(photo.path, photo.facts, sidecars=photo.sidecars, place=place)
            if words_of is not None:
                self._pictures.copy_words(words_of, photo_id)
            if photo.notes:
                from photopal.photos import Skipped

                self._paths.add_problem(Skipped(photo.path, "; ".join(photo.notes)), **stamp, is_note=True)
        return photo_id

    def _known_id(
        self, photo: Photo, picture_hash: str, before_id: int | None
    ) -> tuple[int | None, int | None]:
        """Return which known photo a file is, and of which other one it is an earlier version."""
        photo_id = self._pictures.find(photo.content_hash, picture_hash, photo_id=before_id)
        if photo_id is not None:
            return photo_id, None
        if before_id is not None and self._pictures.same_as_before(before_id, thumbnail=photo.thumbnail):
            return before_id, None
        former_id = self._pictures.former_photo(picture_hash)
        if (
            former_id is not None
            and former_id == before_id
            # Elsewhere the edited picture may still be: then there are two photos.
            and not any(path != photo.path for path in self._paths.of(former_id))
        ):
            self._pictures.return_to(former_id, photo)
            return former_id, None
        return None, former_id

    def _put_picture(self, photo_id: int, photo: Photo, picture_hash: str) -> None:
        """Keep how a photo looks in a file, if it is known by that file; a copy may be turned differently."""
        known = self.get(photo_id)
        if path_bytes(known.path) != path_bytes(photo.path):
            self._connection.execute(
                "UPDATE photos SET picture_hash = coalesce(picture_hash, ?),"
                " picture_bytes = coalesce(picture_bytes, ?) WHERE id = ?",
                (picture_hash, photo.picture_bytes, photo_id),
            )
            return
        content_hash = self._follow_turn(photo_id, photo)
        self._connection.execute(
            _UPDATE_PHOTO,
            (
                content_hash, picture_hash, photo.picture_bytes, photo.size_bytes, photo.width_px,
                photo.height_px, photo.format, photo_id,
            ),
        )  # fmt: skip
        self._connection.execute(
            "INSERT INTO thumbnails VALUES (?, ?) ON CONFLICT DO UPDATE SET jpeg = excluded.jpeg",
            (photo_id, photo.thumbnail),
        )
        self.set_phash(photo_id, photo.phash)

    def _follow_turn(self, photo_id: int, photo: Photo) -> str:
        """Turn and scale what is said of positions as the photo is, and return the `content_hash` to keep.

        What is stored elsewhere by it is right as long as the photo looks the same.
        """
        from photopal.photos.turns import has_shape

        before, thumbnail = self.get(photo_id), self.thumbnail_or_none(photo_id)
        if thumbnail is None or thumbnail == photo.thumbnail:
            return before.content_hash
        row = self._connection.rows("SELECT orientation FROM photos WHERE id = ?", (photo_id,))[0]
        size_px, new_size_px = (before.width_px, before.height_px), (photo.width_px, photo.height_px)
        turn = turn_for(
            orientation=(row[0] or 1, photo.exif.orientation),
            size_px=(size_px, new_size_px),
            thumbnails=(thumbnail, photo.thumbnail),
        )
        self._pictures.turn(photo_id, turn, size_px)
        turned_px = size_px[::-1] if turn >= 5 else size_px
        if has_shape(turned_px, new_size_px):
            self._pictures.scale(photo_id, turned_px, new_size_px)
        return photo.content_hash

    def get(self, photo_id: int) -> PhotoRecord:
        """Return a photo by its id, missing or not.

        Raises:
            LibraryError: No photo has this id.
        """
        rows = self._connection.rows(f"SELECT {PHOTO_COLUMNS} FROM photos WHERE id = ?", (photo_id,))
        if not rows:
            raise LibraryError(f"no photo with id {photo_id} in the library")
        return photo_record(rows[0])

    def at(self, path: Path) -> PhotoRecord | None:
        """Return the photo that was last seen at a path, links followed; None if none is there."""
        real_path = Path(os.path.realpath(path))
        rows = self._connection.rows(
            f"SELECT {PHOTO_COLUMNS} FROM paths JOIN photos ON photos.id = paths.photo_id"
            " WHERE paths.path IN (?, ?) AND paths.missing_since IS NULL ORDER BY paths.path <> ?",
            (path_bytes(path), path_bytes(real_path), path_bytes(path)),
        )
        return photo_record(rows[0]) if rows else None

    def is_still(self, photo: PhotoRecord) -> bool:
        """Tell whether a photo looks as it did when it was read from the library."""
        sql = "SELECT 1 FROM photos WHERE id = ? AND content_hash = ?"
        return bool(self._connection.rows(sql, (photo.id, photo.content_hash)))

    def all(self, *, with_caption: bool | None = None) -> Iterator[PhotoRecord]:
        """Yield the photos whose files are there, by id; the library may be changed meanwhile.

        Args:
            with_caption: Only those with a caption, or only those without.
        """
        condition = {
            None: "",
            True: " AND id IN (SELECT photo_id FROM captions)",
            False: " AND id NOT IN (SELECT photo_id FROM captions)",
        }[with_caption]
        last_id = 0
        while True:
            rows = self._connection.rows(
                f"SELECT {PHOTO_COLUMNS} FROM photos WHERE missing_since IS NULL AND id > ?{condition}"
                f" ORDER BY id LIMIT {_PHOTOS_AT_ONCE}",
                (last_id,),
            )
            if not rows:
                return
            yield from map(photo_record, rows)
            last_id = rows[-1]["id"]

    def with_hash(self, content_hash: str) -> PhotoRecord | None:
        """Return the photo with these contents, missing or not; None if the library has none."""
        rows = self._connection.rows(
            f"SELECT {PHOTO_COLUMNS} FROM photos WHERE content_hash = ?", (content_hash,)
        )
        return photo_record(rows[0]) if rows else None

    def is_missing(self, photo_id: int) -> bool:
        """Tell whether no file of a photo is there any more."""
        return bool(
            self._connection.rows("SELECT 1 FROM photos WHERE id = ? AND missing_since NOT NULL", (photo_id,))
        )

    def thumbnail(self, photo_id: int) -> bytes:
        """Return a photo's thumbnail, an upright JPEG of at most 256 pixels a side.

        Raises:
            LibraryError: No photo has this id.
        """
        rows = self._connection.rows("SELECT jpeg FROM thumbnails WHERE photo_id = ?", (photo_id,))
        if not rows:
            raise LibraryError(f"no photo with id {photo_id} in the library")
        jpeg: bytes = rows[0][0]
        return jpeg

    def thumbnail_or_none(self, photo_id: int) -> bytes | None:
        """Return a photo's thumbnail; None where there is none."""
        rows = self._connection.rows("SELECT jpeg FROM thumbnails WHERE photo_id = ?", (photo_id,))
        return rows[0][0] if rows else None

    def set_phash(self, photo_id: int, phash: int | None) -> None:
        """Store a photo's perceptual hash; None where it shows next to nothing."""
        with self._connection.writing():
            self._connection.execute(
                "INSERT INTO looks VALUES (?, ?) ON CONFLICT DO UPDATE SET look = excluded.look",
                (photo_id, phash),
            )

    def phashes(self) -> Iterator[PhashRecord]:
        """Yield the hashes of the photos whose files are there, by id; photos without one are left out."""
        last_id = 0
        while True:
            rows = self._connection.rows(
                "SELECT photo_id, look AS phash, taken_at, camera, width_px * height_px AS pixels,"
                " coalesce(picture_bytes, size_bytes) AS picture_bytes,"
                " (taken_at NOT NULL) + (camera NOT NULL) + (latitude NOT NULL) + (lens NOT NULL)"
                " AS known_facts"
                " FROM looks"
                " JOIN photos ON photos.id = photo_id WHERE photo_id > ? AND missing_since IS NULL"
                f" AND look NOT NULL ORDER BY photo_id LIMIT {_PHASHES_AT_ONCE}",
                (last_id,),
            )
            if not rows:
                return
            yield from (PhashRecord(**dict(row)) for row in rows)
            last_id = rows[-1][0]

    def thumbnails_without_phash(self, limit: int) -> list[tuple[int, bytes]]:
        """Return ids and thumbnails of photos that an older photopal added, which had no perceptual hash."""
        sql = (
            "SELECT photo_id, jpeg FROM thumbnails WHERE photo_id NOT IN (SELECT photo_id FROM looks) LIMIT ?"
        )
        rows = self._connection.rows(sql, (limit,))
        return [(row[0], row[1]) for row in rows]


def photo_record(row: sqlite3.Row) -> PhotoRecord:
    """Build a photo from a row that begins with `PHOTO_COLUMNS`."""
    # By position, as looking up each name in a row takes several times as long.
    facts = dict(zip(_COLUMNS, row, strict=False))
    facts["path"] = path_of(facts["path"])
    facts["orientation"] = facts["orientation"] or 1
    file = row[len(_COLUMNS)]
    if file is None:
        return PhotoRecord(**facts)
    size_bytes, mtime_ns, file_hash = file.split(" ")
    return PhotoRecord(**facts, stamp=Stamp(int(size_bytes), int(mtime_ns)), file_hash=file_hash or None)
