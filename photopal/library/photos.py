"""Keeps photos as contents, whatever path they are at; never opens a file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from photopal.errors import LibraryError
from photopal.library.connection import Connection, now, path_bytes, path_of
from photopal.library.fts import KEY_STEP
from photopal.library.migrations import WORDS_KEY
from photopal.library.models import PhotoRow, Problem

if TYPE_CHECKING:
    from photopal.photos import Photo, Skipped

# A photo's words are made anew from the facts each time one of them changes; the same words are not written.
_UPSERT_WORDS = f"""
    WITH shown AS (SELECT id, name FROM concepts WHERE removed_at IS NULL AND id IN
      (SELECT concept_id FROM appearances WHERE photo_id = ?1 AND is_present
       UNION SELECT concept_id FROM reference_photos WHERE photo_id = ?1) ORDER BY id)
    INSERT INTO photo_words (key, photo_id, caption, names, place, file, facts)
    SELECT {WORDS_KEY}, photos.id, captions.text,
      (SELECT group_concat(name, ' / ') FROM shown), photos.place, ?2,
      'p' || CASE WHEN captions.photo_id IS NULL THEN '' WHEN by_hand THEN ' k h' ELSE ' k' END
      || coalesce(' m' || hex(photos.camera), '')
      || coalesce((SELECT group_concat(' c' || id, '') FROM shown), '')
    FROM photos LEFT JOIN captions ON captions.photo_id = photos.id WHERE photos.id = ?1
    ON CONFLICT (photo_id) DO UPDATE SET key = excluded.key, caption = excluded.caption,
      names = excluded.names, place = excluded.place, file = excluded.file, facts = excluded.facts
    WHERE (key, caption, names, place, file, facts) IS NOT (excluded.key, excluded.caption, excluded.names,
      excluded.place, excluded.file, excluded.facts)
"""


class PathTable(Connection):
    """The part of a library that is about files. A path is never forgotten, only marked missing."""

    def add_path(self, photo_id: int, path: Path, *, size_bytes: int, mtime_ns: int) -> None:
        """Note that a photo's file is at a path; whatever was there before is there no more."""
        key = path_bytes(path)
        with self.writing():
            before = self._rows("SELECT photo_id FROM paths WHERE path = ?", (key,))
            self._execute(
                "INSERT INTO paths VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (path) DO UPDATE SET"
                " photo_id = excluded.photo_id, size_bytes = excluded.size_bytes,"
                " mtime_ns = excluded.mtime_ns, seen_at = excluded.seen_at, missing_since = NULL",
                (key, photo_id, size_bytes, mtime_ns, now()),
            )
            self._execute("DELETE FROM problems WHERE path = ?", (key,))
            for changed_id in {photo_id, *(row[0] for row in before)}:
                self._settle(changed_id)

    def paths(self, photo_id: int) -> list[Path]:
        """Return every path at which a photo's file is, in path order; none while it is missing."""
        rows = self._rows(
            "SELECT path FROM paths WHERE photo_id = ? AND missing_since IS NULL ORDER BY path", (photo_id,)
        )
        return [path_of(row[0]) for row in rows]

    def stamp_at(self, path: Path) -> tuple[int, int] | None:
        """Return size in bytes and time in ns of the file last seen at a path; None if none is there."""
        rows = self._rows(
            "SELECT size_bytes, mtime_ns FROM paths WHERE path = ? AND missing_since IS NULL",
            (path_bytes(path),),
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def mark_missing(self, paths: Iterable[Path]) -> int:
        """Note that files are gone; return how many photos have no file left. Nothing is forgotten."""
        with self.writing():
            gone = 0
            for path in paths:
                rows = self._execute(
                    "UPDATE paths SET missing_since = ? WHERE path = ? AND missing_since IS NULL"
                    " RETURNING photo_id",
                    (now(), path_bytes(path)),
                ).fetchall()
                gone += sum(not self._settle(row[0]) for row in rows)
        return gone

    def mark_present(self, paths: Iterable[Path]) -> None:
        """Note that files that were missing are there again, unchanged."""
        with self.writing():
            for path in paths:
                rows = self._execute(
                    "UPDATE paths SET missing_since = NULL, seen_at = ? WHERE path = ? RETURNING photo_id",
                    (now(), path_bytes(path)),
                ).fetchall()
                for row in rows:
                    self._settle(row[0])

    def add_problem(
        self, skipped: Skipped, *, size_bytes: int | None, mtime_ns: int | None, is_note: bool = False
    ) -> None:
        """Record a file that cannot be read; size and time None means it is worth another try.

        Args:
            skipped: The file and the reason.
            size_bytes: Its size when it was tried.
            mtime_ns: Its modification time then.
            is_note: It can be read, and the reason is what decoders say of it.
        """
        with self.writing():
            self._execute(
                "INSERT INTO problems (path, reason, size_bytes, mtime_ns, seen_at, is_note)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET"
                " reason = excluded.reason, size_bytes = excluded.size_bytes,"
                " mtime_ns = excluded.mtime_ns, seen_at = excluded.seen_at, is_note = excluded.is_note",
                (path_bytes(skipped.path), display(skipped.reason), size_bytes, mtime_ns, now(), is_note),
            )

    def clear_problems(self, paths: Iterable[Path]) -> None:
        """Drop the problems of files that are gone or good."""
        with self.writing():
            for path in paths:
                self._execute("DELETE FROM problems WHERE path = ?", (path_bytes(path),))

    def problems(self) -> list[Problem]:
        """Return the files that could not be read, and those that have a note, in path order."""
        rows = self._rows("SELECT path, reason, seen_at, is_note FROM problems ORDER BY path")
        return [Problem(path_of(row[0]), row[1], row[2], is_note=bool(row[3])) for row in rows]

    def _settle(self, photo_id: int) -> bool:
        """Bring a photo's path, its tombstone and its words in line with its paths; tell if it is there."""
        rows = self._rows(
            "SELECT path FROM paths WHERE photo_id = ?1 AND missing_since IS NULL"
            " ORDER BY path <> (SELECT path FROM photos WHERE id = ?1), path LIMIT 1",
            (photo_id,),
        )
        if rows:
            self._execute(
                "UPDATE photos SET path = ?, missing_since = NULL WHERE id = ?", (rows[0][0], photo_id)
            )
        else:
            self._execute(
                "UPDATE photos SET missing_since = coalesce(missing_since, ?) WHERE id = ?",
                (now(), photo_id),
            )
        self._refresh_words((photo_id,))
        return bool(rows)

    def _refresh_words(self, photo_ids: Sequence[int]) -> None:
        """Make the searchable words of photos anew; belongs inside `writing`."""
        for photo_id in photo_ids:
            if photo_id >= KEY_STEP:
                raise LibraryError(f"too many photos: a library holds at most {KEY_STEP - 1:,}")
            rows = self._rows(
                "SELECT path FROM paths WHERE photo_id = ? AND missing_since IS NULL", (photo_id,)
            )
            if not rows:
                self._execute("DELETE FROM photo_words WHERE photo_id = ?", (photo_id,))
                continue
            files = {word for row in rows for word in path_of(row[0]).parts[-2:]}
            self._execute(_UPSERT_WORDS, (photo_id, display(" / ".join(sorted(files)))))


def display(text: str) -> str:
    """Return a text that SQLite can keep as text: what is not Unicode becomes a question mark."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


_ROWS_AT_ONCE = 500


class KnownPath(NamedTuple):
    """A path at which a file was seen; `number` is its row's."""

    number: int
    photo_id: int
    stamp: tuple[int, int]  # size in bytes, modification time in nanoseconds
    is_missing: bool


class KnownProblem(NamedTuple):
    """A path at which a file could not be read; without a stamp it is tried again."""

    reason: str
    stamp: tuple[int | None, int | None]


class KnownFile(NamedTuple):
    """A file that is there; `number` is its row's."""

    path: Path
    number: int
    photo_id: int
    stamp: tuple[int, int]


class IndexTable(PathTable):
    """The part of a library that is about many files at once."""

    def known_paths_at(self, keys: Sequence[bytes]) -> dict[bytes, KnownPath]:
        """Return what is known at paths, given as bytes, missing or not."""
        rows = self._rows_at(
            "path, rowid, photo_id, size_bytes, mtime_ns, missing_since NOT NULL", "paths", keys
        )
        return {row[0]: KnownPath(row[1], row[2], (row[3], row[4]), bool(row[5])) for row in rows}

    def known_problems_at(self, keys: Sequence[bytes]) -> dict[bytes, KnownProblem]:
        """Return the problems at paths, given as bytes; notes about files that can be read are none."""
        rows = self._rows_at("path, reason, size_bytes, mtime_ns, is_note", "problems", keys)
        return {row[0]: KnownProblem(row[1], (row[2], row[3])) for row in rows if not row[4]}

    def last_path_number(self) -> int:
        """Return the highest number of a path's row; later rows have higher ones."""
        last: int = self._rows("SELECT coalesce(max(rowid), 0) FROM paths")[0][0]
        return last

    def files_below(self, root: Path) -> Iterator[KnownFile]:
        """Yield the files that are there at a path and below it, in path order."""
        columns = "path, rowid, photo_id, size_bytes, mtime_ns"
        for row in self._rows_below(columns, "paths", root, condition="AND missing_since IS NULL"):
            yield KnownFile(path_of(row[0]), row[1], row[2], (row[3], row[4]))

    def problems_below(self, root: Path) -> Iterator[Path]:
        """Yield the paths of the problems at a path and below it."""
        for row in self._rows_below("path", "problems", root):
            yield path_of(row[0])

    def count_below(self, root: Path) -> int:
        """Count the files that are there at a path and below it."""
        key, first, end = _span(root)
        sql = "SELECT count(*) FROM paths WHERE (path = ? OR (path >= ? AND path < ?))"
        count: int = self._rows(f"{sql} AND missing_since IS NULL", (key, first, end))[0][0]
        return count

    def has_seen(self, root: Path) -> bool:
        """Tell whether anything was ever seen at a path or below it, missing by now or not."""
        return any(
            self._rows(
                f"SELECT 1 FROM {table} WHERE path = ? OR (path >= ? AND path < ?) LIMIT 1", _span(root)
            )
            for table in ("paths", "problems")
        )

    def files_of(self, photo_id: int) -> list[KnownFile]:
        """Return every path at which a photo's file is, in path order, with row numbers and stamps."""
        rows = self._rows(
            "SELECT path, rowid, photo_id, size_bytes, mtime_ns FROM paths"
            " WHERE photo_id = ? AND missing_since IS NULL ORDER BY path",
            (photo_id,),
        )
        return [KnownFile(path_of(row[0]), row[1], row[2], (row[3], row[4])) for row in rows]

    def _rows_at(self, columns: str, table: str, keys: Sequence[bytes]) -> list[Any]:
        marks = ", ".join("?" * len(keys))
        return self._rows(f"SELECT {columns} FROM {table} WHERE path IN ({marks})", keys)

    def _rows_below(self, columns: str, table: str, root: Path, *, condition: str = "") -> Iterator[Any]:
        key, first, end = _span(root)
        yield from self._rows(f"SELECT {columns} FROM {table} WHERE path = ? {condition}", (key,))
        sql = (
            f"SELECT {columns} FROM {table} WHERE path > ? AND path < ? {condition}"
            f" ORDER BY path LIMIT {_ROWS_AT_ONCE}"
        )
        while rows := self._rows(sql, (first, end)):
            yield from rows
            first = rows[-1][0]


def _span(root: Path) -> tuple[bytes, bytes, bytes]:
    """Return a path as bytes, and the two between which all paths below it sort."""
    key = path_bytes(root)
    first = key.rstrip(os.sep.encode()) + os.sep.encode()
    return key, first, first[:-1] + bytes([first[-1] + 1])


_ROWS_AT_ONCE = 1000


class LookRow(NamedTuple):
    """A photo as far as it matters for telling whether another one is nearly the same."""

    photo_id: int
    look: int
    taken_at: str | None
    camera: str | None
    pixels: int


class LookTable(IndexTable):
    """The part of a library that is about the look of photos."""

    def save_look(self, photo_id: int, look: int | None) -> None:
        """Keep what `look_of` made of a photo; None where it shows next to nothing."""
        with self.writing():
            self._execute(
                "INSERT INTO looks VALUES (?, ?) ON CONFLICT DO UPDATE SET look = excluded.look",
                (photo_id, look),
            )

    def looks(self) -> Iterator[LookRow]:
        """Yield the looks of the photos whose files are there, by id; those without one are left out."""
        last_id = 0
        while True:
            rows = self._rows(
                "SELECT photo_id, look, taken_at, camera, width_px * height_px FROM looks"
                " JOIN photos ON photos.id = photo_id WHERE photo_id > ? AND missing_since IS NULL"
                f" AND look NOT NULL ORDER BY photo_id LIMIT {_ROWS_AT_ONCE}",
                (last_id,),
            )
            if not rows:
                return
            yield from (LookRow(*row) for row in rows)
            last_id = rows[-1][0]

    def thumbnails_without_look(self, limit: int) -> list[tuple[int, bytes]]:
        """Return ids and thumbnails of photos that an older photopal took in, without asking for a look."""
        sql = (
            "SELECT photo_id, jpeg FROM thumbnails WHERE photo_id NOT IN (SELECT photo_id FROM looks) LIMIT ?"
        )
        rows = self._rows(sql, (limit,))
        return [(row[0], row[1]) for row in rows]

    def copies(self) -> list[tuple[int, list[Path]]]:
        """Return the photos with more than one file, each with the paths of all of them, in path order."""
        rows = self._rows(
            "SELECT photo_id, path FROM paths WHERE missing_since IS NULL AND photo_id IN"
            " (SELECT photo_id FROM paths WHERE missing_since IS NULL GROUP BY photo_id HAVING count(*) > 1)"
            " ORDER BY photo_id, path"
        )
        groups: dict[int, list[Path]] = {}
        for row in rows:
            groups.setdefault(row[0], []).append(path_of(row[1]))
        return list(groups.items())

    def thumbnail_or_none(self, photo_id: int) -> bytes | None:
        """Return a photo's thumbnail; None where there is none."""
        rows = self._rows("SELECT jpeg FROM thumbnails WHERE photo_id = ?", (photo_id,))
        return rows[0][0] if rows else None

    def faults(self) -> list[str]:
        """Let SQLite look through the whole library file; return what it finds wrong, in its words."""
        found = [row[0] for row in self._rows("PRAGMA integrity_check(20)") if row[0] != "ok"]
        for row in self._rows("PRAGMA foreign_key_check"):
            found.append(f"a row of {row[0]} refers to a missing row of {row[2]}")
        return found


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
            raise LibraryError(f"no photo with id {photo_id} in the library")
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
            raise LibraryError(f"no photo with id {photo_id} in the library")
        jpeg: bytes = rows[0][0]
        return jpeg


def photo_row(row: sqlite3.Row) -> PhotoRow:
    """Build a photo from a row that has `PHOTO_COLUMNS`."""
    facts = {name: row[name] for name in PhotoRow.__dataclass_fields__}
    return PhotoRow(**{**facts, "path": path_of(facts["path"])})
