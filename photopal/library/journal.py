"""Writes down what the user changes, so that it can be taken back; knows rows, not what they mean.

An entry holds the rows that one command changed, as they were before and after. It is committed with the
change itself. What models find and what indexing sees is no user's change and is not written down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from photopal.library.connection import precisely_now
from photopal.library.models import JournalEntry
from photopal.library.photos import PhotoTable

KEYS = {
    "concepts": ("id",),
    "reference_photos": ("concept_id", "photo_id"),
    "captions": ("photo_id",),
}
"""The tables that hold what the user said, with their keys; rows are restored in this order."""

Image = dict[str, Any] | None
"""A row by column, bytes in hexadecimal under "hex"; None where there is no row."""


class JournalTable(PhotoTable):
    """The part of a library that remembers what the user changed."""

    # The rows touched since recording began, as they were; None while nothing is recorded.
    _touched: dict[tuple[str, tuple[Any, ...]], Image] | None = None

    @contextmanager
    def recording(self, what: str, *, undoes: int | None = None) -> Iterator[None]:
        """Make several of the user's changes one entry of the journal, and one transaction.

        Args:
            what: What is done, in words; inside another recording the outer one's words count.
            undoes: The entry that is taken back.
        """
        with self.writing():
            if self._touched is not None:
                yield
                return
            self._touched = {}
            try:
                yield
                self._write_entry(what, undoes)
            finally:
                self._touched = None

    def journal(self, limit: int = 50) -> list[JournalEntry]:
        """Return what the user changed, the latest first."""
        rows = self._rows(
            "SELECT id, made_at, what, undoes, undone_by FROM journal ORDER BY id DESC LIMIT ?", (limit,)
        )
        return [JournalEntry(*row) for row in rows]

    def _touch(self, place: str, *key: int) -> None:
        """Note a row as it is, before the first change to it."""
        if self._touched is not None and (place, key) not in self._touched:
            self._touched[place, key] = self._image(place, key)

    def _touch_new(self, place: str, *key: int) -> None:
        """Note that a row that was just made was not there before."""
        if self._touched is not None:
            self._touched.setdefault((place, key), None)

    def _image(self, place: str, key: tuple[Any, ...]) -> Image:
        condition = " AND ".join(f"{column} = ?" for column in KEYS[place])
        rows = self._rows(f"SELECT * FROM {place} WHERE {condition}", key)
        if not rows:
            return None
        values = dict(rows[0])
        return {
            name: {"hex": value.hex()} if isinstance(value, bytes) else value
            for name, value in values.items()
        }

    def _write_entry(self, what: str, undoes: int | None) -> None:
        """Write the rows that are not as they were; where there is none, nothing was done."""
        changed = []
        for (place, key), before in (self._touched or {}).items():
            after = self._image(place, key)
            if after != before:
                changed.append((place, json.dumps(key), _as_json(before), _as_json(after)))
        if not changed:
            return
        entry_id = self._execute(
            "INSERT INTO journal (made_at, what, undoes) VALUES (?, ?, ?) RETURNING id",
            (precisely_now(), what, undoes),
        ).fetchone()[0]
        for row in changed:
            self._execute("INSERT INTO journal_rows VALUES (?, ?, ?, ?, ?)", (entry_id, *row))


def _as_json(image: Image) -> str | None:
    return None if image is None else json.dumps(image)
