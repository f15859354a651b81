"""The library's tables as numbered steps; knows how a library grows, not what is asked of it.

The number of the last step done is SQLite's `user_version`. Each step runs in one transaction with
its number. sqlite-utils is imported here, by the steps alone: opening a current library never needs it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from photopal.errors import LibraryError
from photopal.library.later_steps import LATER_STEPS


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the number of the last step done in a library; 0 for an empty file."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def is_current(connection: sqlite3.Connection) -> bool:
    """Tell whether every step is done.

    Raises:
        LibraryError: The library was written by a newer photopal.
    """
    version = schema_version(connection)
    if version > len(_STEPS):
        raise LibraryError(
            f"the library has format {version}, this photopal knows up to {len(_STEPS)}",
            hint="update photopal",
        )
    return version == len(_STEPS)


def bring_up_to_date(connection: sqlite3.Connection, lock: AbstractContextManager[object]) -> None:
    """Run the steps that are missing, each in a transaction of its own.

    Args:
        connection: In autocommit mode (`isolation_level=None`).
        lock: The writer's lock; taken after the slow import, and given back.
    """
    from sqlite_utils import Database

    with lock:
        connection.execute("PRAGMA journal_mode = WAL")
        _run_steps(connection, Database)


def _run_steps(connection: sqlite3.Connection, database: Callable[..., Any]) -> None:
    for number, step in enumerate(_STEPS[schema_version(connection) :], start=schema_version(connection) + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(database(connection, execute_plugins=False))
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _create_photos(db: Any) -> None:
    """Photos are contents, known by hash; a path is where one of them was seen."""
    db["photos"].create(
        {
            "id": int,
            "content_hash": str,
            "path": bytes,
            "size_bytes": int,
            "width_px": int,
            "height_px": int,
            "format": str,
            "taken_at": str,
            "camera": str,
            "make": str,
            "model": str,
            "lens": str,
            "orientation": int,
            "latitude": float,
            "longitude": float,
            "altitude_m": float,
            "place": str,
            "added_at": str,
            "missing_since": str,
        },
        pk="id",
        not_null={"content_hash", "path", "size_bytes", "width_px", "height_px", "format", "added_at"},
    )
    db["photos"].create_index(["content_hash"], unique=True)
    db["photos"].create_index(["taken_at"])
    db["thumbnails"].create(
        {"photo_id": int, "jpeg": bytes}, pk="photo_id", foreign_keys=[("photo_id", "photos", "id")]
    )
    # Bytes, not text: a file name is whatever the file system holds, UTF-8 or not.
    db["paths"].create(
        {
            "path": bytes,
            "photo_id": int,
            "size_bytes": int,
            "mtime_ns": int,
            "seen_at": str,
            "missing_since": str,
        },
        pk="path",
        not_null={"photo_id", "size_bytes", "mtime_ns", "seen_at"},
        foreign_keys=[("photo_id", "photos", "id")],
    )
    db["paths"].create_index(["photo_id"])
    db["problems"].create(
        {"path": bytes, "reason": str, "size_bytes": int, "mtime_ns": int, "seen_at": str},
        pk="path",
        not_null={"reason", "seen_at"},
    )


def _create_concepts(db: Any) -> None:
    """A removed concept keeps its row and its reference photos, so that it can be restored."""
    db["concepts"].create(
        {
            "id": int,
            "name": str,
            "folded": str,
            "kind": str,
            "about": str,
            "created_at": str,
            "removed_at": str,
        },
        pk="id",
        not_null={"name", "folded", "kind", "created_at"},
    )
    db.execute("CREATE UNIQUE INDEX idx_concepts_folded ON concepts(folded) WHERE removed_at IS NULL")
    db["reference_photos"].create(
        {
            "concept_id": int,
            "photo_id": int,
            "box_x": int,
            "box_y": int,
            "box_width": int,
            "box_height": int,
            "mask_png": bytes,
            "added_at": str,
        },
        pk=("concept_id", "photo_id"),
        foreign_keys=[("concept_id", "concepts", "id"), ("photo_id", "photos", "id")],
    )
    db["reference_photos"].create_index(["photo_id"])


def _create_captions(db: Any) -> None:
    db["captions"].create(
        {
            "photo_id": int,
            "text": str,
            "model": str,
            "bank": str,
            "prompt_version": str,
            "created_at": str,
        },
        pk="photo_id",
        not_null={"text", "model", "prompt_version", "created_at"},
        foreign_keys=[("photo_id", "photos", "id")],
    )
    db["appearances"].create(
        {
            "photo_id": int,
            "concept_id": int,
            "score": float,
            "is_present": int,
            "point_x": float,
            "point_y": float,
            "box_x": float,
            "box_y": float,
            "box_width": float,
            "box_height": float,
        },
        pk=("photo_id", "concept_id"),
        foreign_keys=[("photo_id", "captions", "photo_id"), ("concept_id", "concepts", "id")],
    )
    db["appearances"].create_index(["concept_id", "is_present"])


def _create_search(db: Any) -> None:
    """One row of words for each photo; the triggers keep the index and the words in one transaction."""
    db["photo_words"].create(
        {"photo_id": int, "caption": str, "names": str, "place": str, "file": str},
        pk="photo_id",
        foreign_keys=[("photo_id", "photos", "id")],
    )
    db["photo_words"].enable_fts(
        ["caption", "names", "place", "file"],
        fts_version="FTS5",
        tokenize="unicode61 remove_diacritics 2",
        create_triggers=True,
    )


_STEPS = (_create_photos, _create_concepts, _create_captions, _create_search, *LATER_STEPS)
