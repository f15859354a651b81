"""Keeps how photos look, as 64 bits each, and what tells bursts and copies apart; compares nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from photopal.library.connection import path_of
from photopal.library.index_table import IndexTable

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
            found.append(f"a row of {row[0]} points to a row of {row[2]} that is not there")
        return found
