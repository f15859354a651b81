"""Keeps what files say of photos, each fact with its source, and the dates that the user set; opens no file.

Each path has what its file, its sidecars and its name say. A photo has what its paths say together; of that
the library keeps in the photo's row what searching and sorting need. What reads files is imported when it is
needed: a search starts without it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from photopal.errors import UsageError
from photopal.library.connection import Connection, path_bytes, path_of, precisely_now, storable
from photopal.library.fts import WordIndex
from photopal.library.history import Journal

if TYPE_CHECKING:
    from photopal.photos.dates import DateTaken
    from photopal.photos.metadata import Metadata

BY_USER = "you"
"""The source of dates that the user set."""


class FileFacts:
    """The part of a library that is about what files say of photos.

    Args:
        connection: The open library.
        journal: Where changes by the user are recorded.
        words: Renewed for each photo whose facts change.
    """

    def __init__(self, connection: Connection, *, journal: Journal, words: WordIndex) -> None:
        self._connection = connection
        self._journal = journal
        self._words = words

    def put(self, path: Path, metadata: Metadata, *, sidecars: str, place: str | None = None) -> None:
        """Keep what a path says in place of what it said, for a photo the library knows there.

        Args:
            path: A path of the library.
            metadata: As `read_metadata` gives it.
            sidecars: The stamp of the sidecars that were read.
            place: Place names of the position; without it a known place stays while the position does.
        """
        from photopal.photos.metadata import METADATA_VERSION

        key = path_bytes(path)
        with self._connection.writing():
            self._connection.execute(
                "INSERT INTO metadata (path, version, sidecars, facts, place) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET version = excluded.version, sidecars = excluded.sidecars,"
                " facts = excluded.facts, place = excluded.place",
                (
                    key, METADATA_VERSION, sidecars, storable(metadata.to_json()),
                    place or self._place_at(key, metadata.value("position")),
                ),
            )  # fmt: skip
            for row in self._connection.rows("SELECT photo_id FROM paths WHERE path = ?", (key,)):
                self.refresh(row[0])
                self._words.refresh((row[0],))

    def stamps_at(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """Return the stamps of the sidecars that were read for paths; none where more is read by now."""
        from photopal.photos.metadata import METADATA_VERSION

        marks = ", ".join("?" * len(keys))
        rows = self._connection.rows(
            f"SELECT path, sidecars FROM metadata WHERE version = ? AND path IN ({marks})",
            (METADATA_VERSION, *keys),
        )
        return {row[0]: row[1] for row in rows}

    def get(self, photo_id: int) -> Metadata | None:
        """Return what the files of a photo say together, the user's date first; None where none was read."""
        from photopal.photos.metadata import Metadata

        found = self._of_files(photo_id)
        own = self.set_date_of(photo_id)
        if own is None:
            return found
        said = found or Metadata()
        return Metadata(dates=(own, *said.dates), facts=said.facts, regions=said.regions)

    def photos_with_persons(self) -> list[int]:
        """Return the ids of the photos, of those that are there, whose files name persons or pets."""
        return list(
            self._connection.iter_column(
                "SELECT id FROM photos WHERE persons IS NOT NULL AND missing_since IS NULL ORDER BY id"
            )
        )

    def orientation_at(self, path: Path) -> int | None:
        """Return EXIF's orientation of the file at a path, links followed; None where none was read."""
        from photopal.photos.metadata import Metadata

        keys = (path_bytes(path), os.path.realpath(path_bytes(path)))
        rows = self._connection.rows(
            "SELECT facts FROM metadata WHERE path IN (?1, ?2) ORDER BY path <> ?1", keys
        )
        return Metadata.from_json(rows[0][0]).value("orientation") or 1 if rows else None

    def count_outdated(self) -> int:
        """Count the files of which an earlier version has read less than is read by now."""
        from photopal.photos.metadata import METADATA_VERSION

        [row] = self._connection.rows(
            "SELECT count(*) FROM metadata JOIN paths USING (path)"
            " WHERE missing_since IS NULL AND version < ?",
            (METADATA_VERSION,),
        )
        return int(row[0])

    def set_date_of(self, photo_id: int) -> DateTaken | None:
        """Return the date that the user set for a photo, or None."""
        from photopal.photos.dates import read_date

        rows = self._connection.rows("SELECT taken_at FROM set_dates WHERE photo_id = ?", (photo_id,))
        return read_date(rows[0][0], BY_USER) if rows else None

    def set_date(self, photo_id: int, taken_at: str, *, path: Path) -> DateTaken:
        """Set when a photo was taken, as far as it is known; no file's date replaces it.

        Args:
            photo_id: The photo.
            taken_at: The beginning of an ISO 8601 time: a year, a month, a day or a time.
            path: The photo's path, for the journal.

        Raises:
            UsageError: It is no date, or one on which no photo can have been taken.
        """
        from photopal.photos.dates import judged, read_date

        date = read_date(taken_at, BY_USER)
        if date is None or judged(date, is_from_clock=False).certainty == "unsure":
            raise UsageError(f"no photo can have been taken on {taken_at!r}")
        with self._journal.recording(f"set the date of {storable(str(path))} to {date.at}"):
            self._journal.touch("set_dates", photo_id)
            self._connection.execute(
                "INSERT INTO set_dates VALUES (?, ?, ?) ON CONFLICT (photo_id) DO UPDATE SET"
                " taken_at = excluded.taken_at, set_at = excluded.set_at",
                (photo_id, date.at, precisely_now()),
            )
            self.refresh(photo_id)
            self._words.refresh((photo_id,))
        return date

    def refresh(self, photo_id: int) -> None:
        """Renew what a photo's row has of its files' facts; belongs inside `writing`, before its words."""
        from photopal.photos.metadata import Metadata

        files = self._files(photo_id)
        found = _together(files)
        own = self.set_date_of(photo_id)
        if found is None and own is None:
            return
        facts = found or Metadata()
        taken, unsure = own or facts.taken, None if own else facts.unsure
        date = (
            taken and taken.at, taken and taken.certainty, taken and taken.source, unsure and unsure.at,
        )  # fmt: skip
        self._connection.execute(
            "UPDATE photos SET taken_at = ?, taken_certainty = ?, taken_source = ?, taken_unsure = ?"
            " WHERE id = ?",
            (*date, photo_id),
        )
        if found is not None:
            position = facts.value("position")
            latitude, longitude = position or (None, None)
            place = next((f.place for f in files if f.place and f.said.value("position") == position), None)
            self._connection.execute(
                # A place is the name of a position; another one has another name, or none.
                "UPDATE photos SET place = coalesce(?1, CASE WHEN latitude IS ?2 AND longitude IS ?3"
                " THEN place END) WHERE id = ?4",
                (place, latitude, longitude, photo_id),
            )
            self._connection.execute(
                "UPDATE photos SET camera = ?, make = ?, model = ?, lens = ?, orientation = ?, latitude = ?,"
                " longitude = ?, altitude_m = ?, tags = ?, persons = ?, rating = ? WHERE id = ?",
                (
                    *(facts.value(name) for name in ("camera", "make", "model", "lens")),
                    facts.value("orientation") or 1, latitude, longitude, facts.value("altitude_m"),
                    storable(" / ".join(facts.words())) or None, _storable_names(facts),
                    facts.value("rating"), photo_id,
                ),
            )  # fmt: skip

    def globs(self) -> dict[Path, list[str]]:
        """Return the globs of what the user does not want, by the folder that was indexed."""
        rows = self._connection.rows("SELECT root, globs FROM excludes ORDER BY root")
        return {path_of(row[0]): json.loads(row[1]) for row in rows}

    def set_globs(self, root: Path, globs: Sequence[str]) -> None:
        """Remember the globs of what is not wanted of a folder, in place of those it had."""
        with self._connection.writing():
            self._connection.execute("DELETE FROM excludes WHERE root = ?", (path_bytes(root),))
            if globs:
                self._connection.execute(
                    "INSERT INTO excludes VALUES (?, ?)", (path_bytes(root), json.dumps(list(globs)))
                )

    def _of_files(self, photo_id: int) -> Metadata | None:
        return _together(self._files(photo_id))

    def _files(self, photo_id: int) -> list[_File]:
        """Return what each path where a photo is says; of a missing photo, all its paths."""
        from photopal.photos.metadata import Metadata

        rows = self._connection.rows(
            "SELECT facts, metadata.place, paths.missing_since, paths.path = photos.path AS is_own"
            " FROM metadata JOIN paths ON paths.path = metadata.path JOIN photos ON photos.id = photo_id"
            " WHERE photo_id = ? ORDER BY paths.path",
            (photo_id,),
        )
        present = [row for row in rows if row["missing_since"] is None] or rows
        return [_File(Metadata.from_json(row["facts"]), row["place"], bool(row["is_own"])) for row in present]

    def _place_at(self, key: bytes, position: tuple[float, float] | None) -> str | None:
        """Return the place that is known of a path, if its position is still the same."""
        from photopal.photos.metadata import Metadata

        for facts, place in self._connection.rows(
            "SELECT facts, place FROM metadata WHERE path = ? AND place NOT NULL", (key,)
        ):
            if Metadata.from_json(facts).value("position") == position:
                return str(place)
        return None


class _File(NamedTuple):
    """What one file of a photo says, with the place names of its position.

    `is_own` tells whether the photo is known by its path.
    """

    said: Metadata
    place: str | None
    is_own: bool


def _together(files: list[_File]) -> Metadata | None:
    from photopal.photos.metadata import merged

    own = next((number for number, file in enumerate(files) if file.is_own), 0)
    return merged([file.said for file in files], own=own) if files else None


def _storable_names(facts: Metadata) -> str | None:
    names = facts.names()
    return storable(json.dumps(names, ensure_ascii=False)) if names else None
