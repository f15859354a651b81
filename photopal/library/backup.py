"""Copies a whole library into a file and back, while others read and write; knows no table.

SQLite's own online backup copies the pages, so that the copy is the library of one moment. A copy counts only
once SQLite's integrity check found nothing. Going back is one transaction: whoever has the library open sees
the old one or the new one, and a kill on the way leaves the old one. A library that is damaged has no
transactions any more: its file makes room for the backup, and is kept as it is.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from photopal.errors import LibraryError, LibraryLockedError, UsageError
from photopal.files import atomic_path, is_file, is_folder, is_there
from photopal.library import migrations as schema
from photopal.library.connection import lock_of
from photopal.library.library import Library
from photopal.progress import OnProgress

"""Called with the number of pages done and the number of pages."""

_PAGES_AT_ONCE = 4096
_DATABASE_START = b"SQLite format 3\0"
_OF_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


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
    if is_folder(target):
        raise UsageError(
            f"{target}: is a folder", hint=f"Name a file in it, such as {target / 'photopal-backup.db'}."
        )
    if _is_same(target, library.path):
        raise UsageError(f"{target}: this is the library itself")
    if is_there(target) and not force:
        raise UsageError(f"{target}: already exists", hint="Use --force to replace an earlier backup.")
    if is_there(target) and not _is_database(target):
        raise UsageError(f"{target}: already exists and is not a backup", hint="Choose another file name.")
    try:
        with atomic_path(target) as part:
            _copy(library, part, on_progress)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LibraryError(f"{target}: cannot be written: {reason}") from error


_GIVE_A_BACKUP = "Give a file that `photopal backup` wrote."


def check_backup(source: Path) -> None:
    """Check that a file is a whole library that this photopal can read.

    Raises:
        LibraryError: It is not there or closed, no library, damaged, or of a newer photopal.
    """
    if not is_file(source):
        what = "is a folder" if is_folder(source) else "file not found"
        raise LibraryError(f"{source}: {what}", hint=_GIVE_A_BACKUP)
    try:
        # Of a file that is only closed, SQLite tells no more than of a spoilt one.
        source.open("rb").close()
    except OSError as error:
        raise LibraryError(
            f"{source}: cannot be opened: {error.strerror or error}", hint="Check who may read the file."
        ) from error
    try:
        with closing(_open(source)) as connection:
            schema.is_current(connection)
            tables = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'photos'"
            ).fetchone()[0]
            fault = _fault(connection)
    except sqlite3.Error as error:
        raise LibraryError(
            f"{source}: not a complete photopal library: {error}", hint=_GIVE_A_BACKUP
        ) from error
    if not tables:
        raise LibraryError(f"{source}: not a photopal library", hint=_GIVE_A_BACKUP)
    if fault is not None:
        raise LibraryError(f"{source}: damaged: {fault}", hint="Try an earlier backup.")


def find_damage(library_path: Path) -> str | None:
    """Return what is wrong with a library file, in SQLite's words; None for a sound one, or none at all.

    A file that cannot be read for another reason is not damaged: whoever opens it says why.
    """
    if not _has_content(library_path):
        return None
    try:
        with closing(_open(library_path)) as connection:
            return _fault(connection)
    except sqlite3.Error as error:
        return str(error) if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_DAMAGE else None


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


def compare(library_path: Path | None, source: Path) -> list[Difference]:
    """Compare a library file, which need not be there, with a backup of whichever photopal.

    Args:
        library_path: The library; None for one that is damaged, which counts as having nothing.
        source: The backup.

    Raises:
        LibraryError: One of them is no library.
    """
    now = library_path if library_path is not None and _has_content(library_path) else None
    try:
        with closing(sqlite3.connect(":memory:", uri=True)) as connection:
            connection.execute("ATTACH ? AS backup", (_read_only(source),))
            connection.execute("ATTACH ? AS now", (_read_only(now or source),))
            return [
                _difference(connection, what, sql, has_library=now is not None)
                for what, sql in _COMPARED.items()
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
    """Replace a sound library's contents by a backup; what was there is kept in a file beside it.

    Args:
        library: Open for writing; see `replace_damaged` for one that is damaged.
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
    # The copy may be of an older photopal.
    _let_readers_in(library)
    if not schema.is_current(library.connection.sqlite):
        schema.bring_up_to_date(library.connection.sqlite, library.connection.lock())
        library.heal()
    return aside


def replace_damaged(library_path: Path, source: Path, *, on_progress: OnProgress | None = None) -> Path:
    """Put a backup in the place of a damaged library file, whose bytes are kept in a file beside it.

    At every instant the bytes are under one of the two names; a kill on the way leaves the damaged library or
    the restored one.

    Args:
        library_path: The library file, as `find_damage` found it.
        source: A file that `back_up` wrote.
        on_progress: Told how far the copy is.

    Returns:
        The file with the damaged library.

    Raises:
        UsageError: The file is the library itself.
        LibraryError: The file is no sound library, or the library cannot be written.
        LibraryLockedError: Another process has the library open.
    """
    if _is_same(source, library_path):
        raise UsageError(f"{source}: this is the library itself")
    check_backup(source)
    # SQLite has a library's companions beside the file that a link leads to.
    damaged = library_path.resolve()
    aside = _free_name(damaged)
    try:
        with lock_of(library_path), _used_by_nobody(damaged), atomic_path(damaged) as part:
            with closing(_open(source)) as connection:
                fault = _copy_pages(connection, part, on_progress)
            if fault is not None:
                raise LibraryError(f"{source}: damaged: {fault}")
            _set_aside(damaged, aside)
    except (OSError, sqlite3.Error) as error:
        raise _not_restored(library_path, error) from error
    with Library(library_path) as library:
        _let_readers_in(library)
    return aside


if sys.platform == "win32":

    @contextmanager
    def _used_by_nobody(path: Path) -> Iterator[None]:
        """Do nothing: Windows replaces no file that is open."""
        yield

else:
    import fcntl

    # Where SQLite locks a file: whoever has a library open holds a shared lock all the time.
    _SHARED_FROM, _SHARED_BYTES = 0x40000002, 510

    @contextmanager
    def _used_by_nobody(path: Path) -> Iterator[None]:
        """Keep a library file from being opened in a `with`.

        Whoever had it open would go on writing to the file that was set aside, and delete the log of the new
        one in the end.

        Raises:
            LibraryLockedError: Another process has it open.
        """
        with path.open("r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_BYTES, _SHARED_FROM)
            except (BlockingIOError, PermissionError) as error:
                raise LibraryLockedError(
                    f"{path}: another process has the library open",
                    hint="Stop every other photopal, also one that watches folders, and try again.",
                ) from error
            yield


def _set_aside(damaged: Path, aside: Path) -> None:
    """Give a library file a second name, and its companions that name alone.

    A log of changes that stayed would be taken for one of the restored library.
    """
    try:
        aside.hardlink_to(damaged)
    except OSError:
        # No hard links on this file system.
        with atomic_path(aside, replace=False) as part:
            shutil.copyfile(damaged, part)
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            damaged.with_name(damaged.name + ending).replace(aside.with_name(aside.name + ending))


def _let_readers_in(library: Library) -> None:
    """Bring back the mode that keeps readers free, which a backup does not have."""
    library.connection.sqlite.execute("PRAGMA journal_mode = WAL")


def _put_back(library: Library, source: Path) -> None:
    try:
        with closing(_open(source)) as connection:
            connection.backup(library.connection.sqlite, pages=-1)
    except sqlite3.Error as error:
        raise _not_restored(library.path, error) from error


def _not_restored(library_path: Path, error: OSError | sqlite3.Error) -> LibraryError:
    reason = getattr(error, "strerror", None) or error
    return LibraryError(f"{library_path}: cannot be restored: {reason}")


def _copy(library: Library, part: Path, on_progress: OnProgress | None) -> None:
    fault = _copy_pages(library.connection.sqlite, part, on_progress)
    if fault is not None:
        raise LibraryError(
            f"{library.path}: not backed up, because the library is damaged: {fault}",
            hint="photopal restore FILE",
        )


def _copy_pages(source: sqlite3.Connection, part: Path, on_progress: OnProgress | None) -> str | None:
    """Copy a library into a file; return what is wrong with the copy."""

    def tell(_status: int, remaining: int, total: int) -> None:
        if on_progress is not None:
            on_progress(total - remaining, total)

    with closing(sqlite3.connect(part)) as copy:
        source.backup(copy, pages=_PAGES_AT_ONCE, progress=tell)
        # One file, without the companions of a library in use.
        copy.execute("PRAGMA journal_mode = DELETE")
        return _fault(copy)


def _fault(connection: sqlite3.Connection) -> str | None:
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return None if verdict == "ok" else " ".join(str(verdict).split())


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


def _has_content(path: Path) -> bool:
    """Whether a file is there and not empty; SQLite takes an empty one for a library without tables."""
    return is_file(path) and path.stat().st_size > 0


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
