"""Opens a library file and runs SQL on it, one writer at a time; knows no photo, concept or caption."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from photopal.errors import LibraryError
from photopal.files import is_file, is_folder
from photopal.library import migrations as schema
from photopal.library.lock import WriterLock
from photopal.library.search_text import index_text

WRITER_WAIT_S = 10.0

_OF_THE_DISK = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
)
_RESTORE = "Restore a backup with `photopal restore FILE`."
_PROBE_BYTES = 1 << 16


class Connection:
    """A library file in WAL mode: any number of readers, one writer at a time.

    The writer's lock is taken for each change and given back with its commit, so that a watching
    photopal and a captioning one work side by side. Reading never waits for writing.

    Args:
        path: The library file; created, with its folder, unless `read_only`.
        read_only: For searching and counting; changes are refused.
        wait_s: How long a change waits for another process's change, in seconds.

    Attributes:
        path: The library file, absolute.
        read_only: Whether changes are refused.
        sqlite: The open connection, in autocommit mode, for what concerns the whole file.

    Raises:
        LibraryError: There is no library to read, it is no library, or a newer photopal wrote it.
    """

    def __init__(self, path: Path, *, read_only: bool = False, wait_s: float = WRITER_WAIT_S) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve would follow links
        self.read_only = read_only
        self._wait_s = wait_s
        self._depth = 0
        # Whether the library was of an earlier version until now.
        self.was_older = False
        if read_only:
            self.sqlite = self._open_for_reading()
        else:
            self.sqlite = self._open_for_writing()

    def close(self) -> None:
        """Close the library; closing twice does nothing."""
        self.sqlite.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make several changes one: all are committed at the end, or none after an error.

        Raises:
            LibraryLockedError: Another process is writing; the message has its pid.
            LibraryError: The library is open for reading only, or SQLite fails.
        """
        if self._depth:
            # A change inside a change belongs to the outer one.
            yield
            return
        if self.read_only:
            raise LibraryError(f"{self.path}: opened for reading only")
        with self.lock():
            self.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                if self.sqlite.in_transaction:
                    self.sqlite.execute("ROLLBACK")
                raise
            finally:
                self._depth = 0

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return the rows that a query selects.

        Raises:
            LibraryError: SQLite fails.
        """
        try:
            return self.sqlite.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._error("read", error) from error

    def iter_column(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the first column of rows as SQLite finds them, so that the caller may stop early.

        Raises:
            LibraryError: SQLite fails.
        """
        try:
            with closing(self.sqlite.execute(sql, parameters)) as rows:
                for row in rows:
                    yield row[0]
        except sqlite3.Error as error:
            raise self._error("read", error) from error

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement that changes the library; belongs inside `writing`.

        Raises:
            LibraryError: SQLite fails.
        """
        try:
            return self.sqlite.execute(sql, parameters)
        except sqlite3.Error as error:
            raise self._error("written", error) from error

    def _error(self, what: str, error: sqlite3.Error) -> LibraryError:
        """Put what SQLite says into words.

        Args:
            what: What was tried with the file: it "cannot be" this.
            error: What SQLite raised.
        """
        # The lower byte is the kind of error, the others say more of it.
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if kind == sqlite3.SQLITE_NOTADB:
            return LibraryError(f"{self.path}: not a photopal library: {error}", hint=_RESTORE)
        if kind == sqlite3.SQLITE_CORRUPT:
            return LibraryError(f"{self.path}: damaged: {error}", hint=_RESTORE)
        reason = _refusal(self.path.parent) if kind in _OF_THE_DISK else None
        return LibraryError(f"{self.path}: cannot be {what}: {reason or error}")

    def lock(self) -> WriterLock:
        """Return the right to write, to be taken in a `with`; `writing` takes it by itself."""
        return lock_of(self.path, wait_s=self._wait_s)

    def _open_for_writing(self) -> sqlite3.Connection:
        self._refuse_folder()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(
                f"{self.path.parent}: cannot be created: {error.strerror or error}",
                hint="Choose another home folder with --home.",
            ) from error
        connection = self._connect(f"{self.path.as_uri()}?mode=rwc")
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # Every commit reaches the disk in order; after a power cut the last few may be gone.
            connection.execute("PRAGMA synchronous = NORMAL")
            if not schema.is_current(connection):
                self.was_older = schema.schema_version(connection) > 0
                schema.bring_up_to_date(connection, self.lock())
        except sqlite3.Error as error:
            connection.close()
            raise self._error("written", error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_folder(self) -> None:
        if is_folder(self.path):
            raise LibraryError(f"{self.path}: is a folder, not a library file")

    def _open_for_reading(self) -> sqlite3.Connection:
        self._refuse_folder()
        if not is_file(self.path):
            raise LibraryError(f"{self.path}: no library yet", hint="photopal index FOLDER")
        error: sqlite3.Error | None = None
        # A library on a medium that cannot be written is read as one that nobody changes.
        for mode in ("mode=ro", "mode=ro&immutable=1"):
            connection = self._connect(f"{self.path.as_uri()}?{mode}")
            try:
                if schema.is_current(connection):
                    return connection
            except sqlite3.OperationalError as failure:
                error = failure
                connection.close()
                continue
            except sqlite3.Error as failure:
                connection.close()
                raise self._error("read", failure) from failure
            except BaseException:
                connection.close()
                raise
            connection.close()
            # An older library is brought up to date first, as a writer would.
            self._open_for_writing().close()
            return self._connect(f"{self.path.as_uri()}?{mode}")
        raise LibraryError(f"{self.path}: cannot be read: {error}") from error

    def _connect(self, uri: str) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=self._wait_s)
        except sqlite3.Error as error:
            raise LibraryError(f"{self.path}: cannot be opened: {error}") from error
        connection.row_factory = sqlite3.Row
        connection.create_function("index_text", 1, index_text, deterministic=True)
        return connection


def lock_of(path: Path, *, wait_s: float = WRITER_WAIT_S) -> WriterLock:
    """Return the right to write to a library file, open or not, to be taken in a `with`."""
    return WriterLock(path.with_name(path.name + ".lock"), wait_s=wait_s)


def _refusal(folder: Path) -> str | None:
    """What the system says to a file in a folder; SQLite keeps to "disk I/O error" and the like."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
    except OSError as error:
        return error.strerror
    return None


def now() -> str:
    """Return the time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def precisely_now() -> str:
    """Return the time in UTC, ISO 8601 to the microsecond, to tell what came first."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def path_bytes(path: Path) -> bytes:
    """Return an absolute path as the bytes the file system uses, whatever encoding they are in."""
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 - resolve would follow links


def path_of(stored: bytes) -> Path:
    """Return the path that `path_bytes` stored."""
    return Path(os.fsdecode(stored))


def storable(text: str) -> str:
    """Return a text that SQLite can keep as text: what is not Unicode becomes a question mark."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
