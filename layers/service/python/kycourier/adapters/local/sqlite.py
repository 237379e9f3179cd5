"""Opens SQLite files and shares them between threads and processes.

A connection is used by one thread at a time and never after a fork. A removed or
replaced file is detected at the next use, so that no write goes to a deleted file.
"""

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from kycourier.adapters.local.files import (
    group_flush,
    locked_folder,
    make_folder,
    make_private,
    os_errors_as,
    sync_file,
)
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.timing import SQLITE_BUSY_SECONDS

T = TypeVar("T")
Upgrade = Callable[[sqlite3.Connection], None]
_NO_UPGRADES: Mapping[int, Upgrade] = {}


class _OpenFile:
    """A file that this process opened: its threads share a write lock and flushes."""

    def __init__(self, path: Path) -> None:
        self.process, self.identity = os.getpid(), _identity(path)
        self._write_lock = threading.Lock()
        self._log = Path(f"{os.path.realpath(path)}-wal")

    def is_at(self, path: Path) -> bool:
        return self.process == os.getpid() and self.identity == _identity(path)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Holds the write lock between threads, for which SQLite itself would poll."""
        if not self._write_lock.acquire(timeout=SQLITE_BUSY_SECONDS):
            raise StoreUnavailableError("SQLITE_BUSY")
        try:
            yield
        finally:
            self._write_lock.release()

    def flush(self) -> None:
        """Flushes the log; a file restored from a backup may have none."""
        with suppress(FileNotFoundError):
            group_flush(self._log, partial(sync_file, self._log))


class _OpenConnection(NamedTuple):
    connection: sqlite3.Connection
    file: _OpenFile


# Connections of the parent process, kept referenced: closing them would harm it.
_inherited: list[sqlite3.Connection] = []


class SqliteFile:
    """One SQLite file with its tables; created, mode 0600, if it is absent."""

    def __init__(
        self,
        path: str | Path,
        *,
        schema: int,
        tables: str,
        upgrades: Mapping[int, Upgrade] = _NO_UPGRADES,
    ) -> None:
        """Opens the file, creates its tables if it is new, upgrades them if it is old.

        Args:
            path: The file.
            schema: The newest schema version that can be read.
            tables: SQL statements, separated by semicolons, that create the tables.
            upgrades: How tables of each older version become those of the next.

        Raises:
            StoreUnavailableError: SQLite or the file system failed.
            NewerSchemaError: a newer release created the file.
        """
        self._path = Path(path).absolute()
        self._schema = schema
        self._file: _OpenFile | None = None
        self._idle: list[_OpenConnection] = []
        weakref.finalize(self, _close_all, self._idle)
        os_errors_as(
            lambda: self._prepare(tables, upgrades), failure=StoreUnavailableError
        )

    def read(self, query: str, values: tuple[object, ...]) -> list[sqlite3.Row]:
        """Reads committed rows. Raises StoreUnavailableError, NewerSchemaError."""
        return os_errors_as(
            lambda: self._use(
                lambda pooled: pooled.connection.execute(query, values).fetchall()
            ),
            failure=StoreUnavailableError,
        )

    def write(
        self, work: Callable[[sqlite3.Connection], T], *, durable: bool = True
    ) -> T:
        """Runs `work` in an exclusive transaction, which rolls back if it raises.

        The log is flushed after the write lock is released, so that concurrent writers
        share one flush.

        Args:
            work: Reads and writes; its result is returned.
            durable: Whether the log is flushed.

        Raises:
            StoreUnavailableError: SQLite or the file system failed.
            NewerSchemaError: a newer release created the file.
            KycourierError: as `work` raises.
        """

        def transaction(pooled: _OpenConnection) -> tuple[T, _OpenFile]:
            connection = pooled.connection
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
            return result, pooled.file

        def serialized() -> T:
            with self._current_file().exclusive():
                result, file = self._use(transaction)
            if durable:
                file.flush()
            return result

        return os_errors_as(serialized, failure=StoreUnavailableError)

    def _use(self, work: Callable[[_OpenConnection], T]) -> T:
        """Runs `work` on a pooled connection; a failure closes it, which rolls back."""
        pooled = self._take()
        try:
            result = work(pooled)
        except BaseException:
            pooled.connection.close()
            raise
        self._idle.append(pooled)
        return result

    def _current_file(self) -> _OpenFile:
        file = self._file
        if file is None or not file.is_at(self._path):
            file = self._file = _OpenFile(self._path)
        return file

    def _take(self) -> _OpenConnection:
        file = self._current_file()
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:  # another thread took it
                break
            if idle.file is file:
                return idle
            _close(idle)
        return _OpenConnection(self._connect(), file)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=SQLITE_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _choose_flush(connection)
            schema = connection.execute("PRAGMA user_version").fetchone()[0]
        except BaseException:
            connection.close()
            raise
        if schema > self._schema:
            connection.close()
            raise NewerSchemaError("database")
        connection.row_factory = sqlite3.Row
        return connection

    def _prepare(self, tables: str, upgrades: Mapping[int, Upgrade]) -> None:
        """Creates or upgrades file and tables, and checks that they are writable.

        The folder's lock is needed because the switch to WAL does not wait for others.
        """
        make_folder(self._path.parent)
        with locked_folder(self._path.parent):
            make_private(self._path)
            file, connection = _OpenFile(self._path), self._connect()
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                _choose_flush(connection)
                connection.execute("BEGIN IMMEDIATE")
                stored = connection.execute("PRAGMA user_version").fetchone()[0]
                if stored == 0:
                    for statement in tables.split(";"):
                        connection.execute(statement)
                for version in range(stored or self._schema, self._schema):
                    upgrades[version](connection)
                if stored != self._schema:
                    connection.execute(f"PRAGMA user_version = {self._schema}")
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
        self._file = file
        self._idle.append(_OpenConnection(connection, file))


def _choose_flush(connection: sqlite3.Connection) -> None:
    """Turns off SQLite's flush of the log, which we flush; without a log it stays."""
    has_log = connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if has_log else 'FULL'}")


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _close(idle: _OpenConnection) -> None:
    if idle.file.process == os.getpid():
        idle.connection.close()
    else:
        _inherited.append(idle.connection)


def _close_all(idle: list[_OpenConnection]) -> None:
    for each in idle:
        _close(each)
