"""Copies a whole library into a file and back, while others read and write; knows no table.

SQLite's own online backup copies the pages, so that the copy is the library of one moment. A copy counts only
once SQLite's integrity check found nothing. Going back is one transaction: whoever has the library open sees
the old one or the new one, and a kill on the way leaves the old one.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from photopal.errors import LibraryError, UsageError
from photopal.files import atomic_path
from photopal.library import migrations as schema
from photopal.library.library import Library
from photopal.progress import OnProgress

"""Called with the number of pages done and the number of pages."""

_PAGES_AT_ONCE = 4096
_DATABASE_START = b"SQLite format 3\0"


def back_up(
    library: Library, target: Path, *, force: bool = False, on_progress: OnProgress | None = None
) -> None:
    """Copy a library into a file of its own, whole and checked, or not at all.

    Args:
        library: Open, for reading or for writing.
        target: The file to write.
        force: Write over an earlier backup that is there; a file of another kind is never touched.
        on_progress: Told how far the copy is.

    Raises:
        UsageError: The file is there already, is no backup, or is the library itself.
        LibraryError: The file cannot be written, or the copy is not sound.
    """
    if target.is_dir():
        raise UsageError(
            f"{target}: is a folder", hint=f"Name a file in it, such as {target / 'photopal-backup.db'}."
        )
    if _is_same(target, library.path):
        raise UsageError(f"{target}: this is the library itself")
    if target.exists() and not force:
        raise UsageError(f"{target}: already exists", hint="Use --force to replace an earlier backup.")
    if target.exists() and not _is_database(target):
        raise UsageError(f"{target}: already exists and is not a backup", hint="Choose another file name.")
    try:
        with atomic_path(target) as part:
            _copy(library, part, on_progress)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(f"{target}: cannot be written: {reason}") from error


def check_backup(source: Path) -> None:
    """Check that a file is a whole library that this photopal can read.

    Raises:
        LibraryError: It is not there, no library, damaged, or of a newer photopal.
    """
    if not source.is_file():
        raise LibraryError(f"{source}: file not found")
    try:
        with closing(_open(source)) as connection:
            schema.is_current(connection)
            tables = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'photos'"
            ).fetchone()[0]
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise LibraryError(f"{source}: not a complete photopal library: {error}") from error
    if not tables:
        raise LibraryError(f"{source}: not a photopal library")
    if verdict != "ok":
        raise LibraryError(f"{source}: damaged: {' '.join(str(verdict).split())}")


@dataclass(frozen=True)
class Difference:
    """What two library files hold of one kind.

    Attributes:
        what: The kind, in words.
        now: How many the library holds.
        backup: How many the backup holds.
        only_now: Those that are not, or not like that, in the backup; a restore takes them away.
        only_backup: Those that are not, or not like that, in the library; a restore brings them.
    """

    what: str
    now: int
    backup: int
    only_now: int
    only_backup: int


# What counts, by what tells whether two libraries have the same; removed concepts do not count.
_COMPARED = {
    "photos": "SELECT content_hash FROM {db}.photos WHERE missing_since IS NULL",
    "missing photos": "SELECT content_hash FROM {db}.photos WHERE missing_since NOT NULL",
    "captions": "SELECT content_hash, text FROM {db}.captions JOIN {db}.photos ON photos.id = photo_id",
    "concepts": "SELECT name, kind, about FROM {db}.concepts WHERE removed_at IS NULL",
    "reference photos": "SELECT name, content_hash, box_x, box_y, box_width, box_height, mask_png"
    " FROM {db}.reference_photos JOIN {db}.concepts ON concepts.id = concept_id"
    " JOIN {db}.photos ON photos.id = photo_id WHERE removed_at IS NULL",
}


def compare(library_path: Path, source: Path) -> list[Difference]:
    """Compare a library file, which need not be there, with a backup of whichever photopal.

    Raises:
        LibraryError: One of them is no library.
    """
    has_library = library_path.exists()
    try:
        with closing(sqlite3.connect(":memory:", uri=True)) as connection:
            connection.execute("ATTACH ? AS backup", (_read_only(source),))
            connection.execute("ATTACH ? AS now", (_read_only(library_path if has_library else source),))
            return [
                _difference(connection, what, sql, has_library=has_library) for what, sql in _COMPARED.items()
            ]
    except sqlite3.Error as error:
        raise LibraryError(f"{source}: cannot be compared with {library_path}: {error}") from error


def _difference(connection: sqlite3.Connection, what: str, sql: str, *, has_library: bool) -> Difference:
    def number(query: str) -> int:
        found: int = connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
        return found

    now, backup = (sql.format(db=name) for name in ("now", "backup"))
    if not has_library:
        return Difference(what=what, now=0, backup=number(backup), only_now=0, only_backup=number(backup))
    return Difference(
        what=what,
        now=number(now),
        backup=number(backup),
        only_now=number(f"{now} EXCEPT {backup}"),
        only_backup=number(f"{backup} EXCEPT {now}"),
    )


def restore(library: Library, source: Path, *, on_progress: OnProgress | None = None) -> Path:
    """Replace a library's contents by a backup; what was there is kept in a file beside it.

    Args:
        library: Open for writing.
        source: A file that `back_up` wrote.
        on_progress: Told how far each of the two copies is.

    Returns:
        The file with the previous contents.

    Raises:
        UsageError: The file is the library itself.
        LibraryError: The file is no sound library, or the library cannot be written.
        LibraryLockedError: Another process is writing; the message has its pid.
    """
    if _is_same(source, library.path):
        raise UsageError(f"{source}: this is the library itself")
    check_backup(source)
    aside = _free_name(library.path)
    with library.connection.lock():
        back_up(library, aside, on_progress=on_progress)
        try:
            _put_back(library, source)
        except BaseException:
            # The library is as it was, so a copy of it is only in the way.
            with suppress(OSError):
                aside.unlink()
            raise
    # The copy may be of an older photopal and may have lost the mode that keeps readers free.
    library.connection.sqlite.execute("PRAGMA journal_mode = WAL")
    if not schema.is_current(library.connection.sqlite):
        schema.bring_up_to_date(library.connection.sqlite, library.connection.lock())
        library.heal()
    return aside


def _put_back(library: Library, source: Path) -> None:
    try:
        with closing(_open(source)) as connection:
            connection.backup(library.connection.sqlite, pages=-1)
    except sqlite3.Error as error:
        raise LibraryError(f"{library.path}: cannot be restored: {error}") from error


def _copy(library: Library, part: Path, on_progress: OnProgress | None) -> None:
    def tell(_status: int, remaining: int, total: int) -> None:
        if on_progress is not None:
            on_progress(total - remaining, total)

    with closing(sqlite3.connect(part)) as copy:
        library.connection.sqlite.backup(copy, pages=_PAGES_AT_ONCE, progress=tell)
        # One file, without the companions of a library in use.
        copy.execute("PRAGMA journal_mode = DELETE")
        verdict = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        raise LibraryError(
            f"{library.path}: not backed up, because the library is damaged: {verdict}",
            hint="photopal restore FILE",
        )


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(_read_only(path), uri=True)


def _read_only(path: Path) -> str:
    uri = Path(os.path.abspath(path)).as_uri()  # noqa: PTH100 - resolve would follow links
    # A file that others have open has companions; one that lies still may be on a medium without writing.
    is_still = not path.with_name(path.name + "-wal").exists()
    return f"{uri}?mode=ro{'&immutable=1' if is_still else ''}"


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_DATABASE_START)) == _DATABASE_START
    except OSError:
        return False


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _free_name(path: Path) -> Path:
    """A name beside a library that no file has yet."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        name = path.with_name(f"{path.stem}-before-restore-{moment}{f'-{number}' if number else ''}.db")
        if not name.exists():
            return name
    raise LibraryError(f"{path.parent}: too many earlier libraries in this folder")
