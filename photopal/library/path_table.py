"""Keeps the paths photos were seen at and the files that could not be read; never opens a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from photopal.errors import LibraryError
from photopal.library.connection import Connection, now, path_bytes, path_of
from photopal.library.later_steps import WORDS_KEY
from photopal.library.match import KEY_STEP
from photopal.library.rows import Problem

if TYPE_CHECKING:
    from photopal.photos import Skipped

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
                raise LibraryError(f"a library holds at most {KEY_STEP - 1:,} photos")
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
