"""Keeps photos as contents, whatever path they are at; never opens a file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.errors import LibraryError
from photopal.library.connection import now, path_bytes, path_of
from photopal.library.look_table import LookTable
from photopal.library.rows import PhotoRow

if TYPE_CHECKING:
    from photopal.photos import Photo

PHOTO_COLUMNS = ", ".join(
    f"photos.{name}"
    for name in (
        "id", "path", "content_hash", "width_px", "height_px", "taken_at", "camera", "lens",
        "latitude", "longitude", "format", "size_bytes", "place",
    )
)  # fmt: skip

_ROWS_AT_ONCE = 500

_UPSERT_PHOTO = """
    INSERT INTO photos (content_hash, path, size_bytes, width_px, height_px, format, taken_at, camera,
      make, model, lens, orientation, latitude, longitude, altitude_m, place, added_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (content_hash) DO UPDATE SET width_px = excluded.width_px,
      height_px = excluded.height_px, format = excluded.format, taken_at = excluded.taken_at,
      camera = excluded.camera, make = excluded.make, model = excluded.model, lens = excluded.lens,
      orientation = excluded.orientation, latitude = excluded.latitude,
      longitude = excluded.longitude, altitude_m = excluded.altitude_m,
      place = coalesce(excluded.place, place)
    RETURNING id
"""


class PhotoTable(LookTable):
    """The part of a library that is about photos."""

    def add_photo(self, photo: Photo, *, place: str | None = None) -> int:
        """Record a photo at its path and return its id.

        Contents the library knows keep their id, caption and concepts. A path that held other
        contents moves on to these. A photo that was missing is there again.

        Args:
            photo: As `record_photo` gives it.
            place: Place names, the nearest first; without it a known place stays.
        """
        path, exif = path_bytes(photo.path), photo.exif
        facts = (
            photo.content_hash, path, photo.size_bytes, photo.width_px, photo.height_px, photo.format,
            exif.taken_at, exif.camera, exif.make, exif.model, exif.lens, exif.orientation,
            exif.latitude, exif.longitude, exif.altitude_m, place, now(),
        )  # fmt: skip
        with self.writing():
            photo_id: int = self._execute(_UPSERT_PHOTO, facts).fetchone()[0]
            self._execute(
                "INSERT INTO thumbnails VALUES (?, ?) ON CONFLICT DO UPDATE SET jpeg = excluded.jpeg",
                (photo_id, photo.thumbnail),
            )
            self.save_look(photo_id, photo.look)
            stamp = {"size_bytes": photo.size_bytes, "mtime_ns": photo.mtime_ns}
            self.add_path(photo_id, photo.path, **stamp)
            if photo.notes:
                from photopal.photos import Skipped

                self.add_problem(Skipped(photo.path, "; ".join(photo.notes)), **stamp, is_note=True)
        return photo_id

    def photo(self, photo_id: int) -> PhotoRow:
        """Return a photo by its id, missing or not.

        Raises:
            LibraryError: No photo has this id.
        """
        rows = self._rows(f"SELECT {PHOTO_COLUMNS} FROM photos WHERE id = ?", (photo_id,))
        if not rows:
            raise LibraryError(f"the library has no photo {photo_id}")
        return photo_row(rows[0])

    def photo_at(self, path: Path) -> PhotoRow | None:
        """Return the photo that was last seen at a path, links followed; None if none is there."""
        real_path = Path(os.path.realpath(path))
        rows = self._rows(
            f"SELECT {PHOTO_COLUMNS} FROM paths JOIN photos ON photos.id = paths.photo_id"
            " WHERE paths.path IN (?, ?) AND paths.missing_since IS NULL ORDER BY paths.path <> ?",
            (path_bytes(path), path_bytes(real_path), path_bytes(path)),
        )
        return photo_row(rows[0]) if rows else None

    def photos(self, *, with_caption: bool | None = None) -> Iterator[PhotoRow]:
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
            rows = self._rows(
                f"SELECT {PHOTO_COLUMNS} FROM photos WHERE missing_since IS NULL AND id > ?{condition}"
                f" ORDER BY id LIMIT {_ROWS_AT_ONCE}",
                (last_id,),
            )
            if not rows:
                return
            yield from map(photo_row, rows)
            last_id = rows[-1]["id"]

    def photo_with_hash(self, content_hash: str) -> PhotoRow | None:
        """Return the photo with these contents, missing or not; None if the library has none."""
        rows = self._rows(f"SELECT {PHOTO_COLUMNS} FROM photos WHERE content_hash = ?", (content_hash,))
        return photo_row(rows[0]) if rows else None

    def is_missing(self, photo_id: int) -> bool:
        """Tell whether no file of a photo is there any more."""
        return bool(self._rows("SELECT 1 FROM photos WHERE id = ? AND missing_since NOT NULL", (photo_id,)))

    def thumbnail(self, photo_id: int) -> bytes:
        """Return a photo's thumbnail, an upright JPEG of at most 256 pixels a side.

        Raises:
            LibraryError: No photo has this id.
        """
        rows = self._rows("SELECT jpeg FROM thumbnails WHERE photo_id = ?", (photo_id,))
        if not rows:
            raise LibraryError(f"the library has no photo {photo_id}")
        jpeg: bytes = rows[0][0]
        return jpeg


def photo_row(row: sqlite3.Row) -> PhotoRow:
    """Build a photo from a row that has `PHOTO_COLUMNS`."""
    facts = {name: row[name] for name in PhotoRow.__dataclass_fields__}
    return PhotoRow(**{**facts, "path": path_of(facts["path"])})
