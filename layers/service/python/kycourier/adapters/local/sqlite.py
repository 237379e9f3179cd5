"""How a SQLite file is opened and shared: by many threads and processes, and safely.

One connection serves one thread at a time and never crosses a fork. A file that was
removed or replaced is noticed at the next use, so that nobody goes on in a lost copy.
"""

import os
import sqlite3
import stat
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from kycourier.adapters.local.files import (
    PRIVATE_FILE,
    attempt,
    check_writable,
    locked_folder,
    make_folder,
    sync_file,
    sync_folder,
)
from kycourier.core.errors import NewerSchema, StoreUnavailable

T = TypeVar("T")
BUSY_SECONDS = 2.0


class _Open(NamedTuple):
    connection: sqlite3.Connection
    process: int
    file: tuple[int, int]


_left_behind: list[sqlite3.Connection] = []  # a parent's: closing them is not for us


class SqliteFile:
    """One SQLite file with its tables; made, mode 0600, when there is none."""

    def __init__(self, path: str | Path, *, schema: int, tables: str) -> None:
        """Open it once; `tables` makes them. Raises StoreUnavailable, NewerSchema."""
        self._path = Path(path).absolute()
        self._schema = schema
        self._idle: list[_Open] = []
        weakref.finalize(self, _close_all, self._idle)
        attempt(lambda: self._prepare(tables), failure=StoreUnavailable)

    def read(self, query: str, values: tuple[object, ...]) -> list[sqlite3.Row]:
        """Read rows as last committed. Raises StoreUnavailable, NewerSchema."""
        return attempt(
            lambda: self._use(lambda db: db.execute(query, values).fetchall()),
            failure=StoreUnavailable,
        )

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` alone and whole, or not at all, whatever it raises; and to last.

        The log is flushed when the next writer is at work already, so that many at once
        share one flush. Raises StoreUnavailable, NewerSchema, and what `work` does.
        """

        def transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
            self._flush()
            return result

        return attempt(lambda: self._use(transaction), failure=StoreUnavailable)

    def _flush(self) -> None:
        """Make the log last; a file that a person put back may have none."""
        with suppress(FileNotFoundError):
            sync_file(Path(f"{os.path.realpath(self._path)}-wal"))

    def _use(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Lend a connection; after any failure it is closed, which rolls back."""
        lent = self._take()
        try:
            result = work(lent.connection)
        except BaseException:
            lent.connection.close()
            raise
        self._idle.append(lent)
        return result

    def _take(self) -> _Open:
        file = _identity(self._path)
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if idle.process == os.getpid() and idle.file == file:
                return idle
            _close(idle)
        return _Open(self._connect(), os.getpid(), file)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_SECONDS,
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
            raise NewerSchema("database")
        connection.row_factory = sqlite3.Row
        return connection

    def _prepare(self, tables: str) -> None:
        """Make file and tables, or make sure that they can be written to.

        The switch to WAL does not wait for its turn, hence the lock.
        """
        make_folder(self._path.parent)
        with locked_folder(self._path.parent):
            _make_private(self._path)
            file, connection = _identity(self._path), self._connect()
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                _choose_flush(connection)
                connection.execute("BEGIN IMMEDIATE")
                if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                    for statement in tables.split(";"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {self._schema}")
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
        self._idle.append(_Open(connection, os.getpid(), file))


def _choose_flush(connection: sqlite3.Connection) -> None:
    """Leave the flush of a log to us; without one SQLite does it."""
    has_log = connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if has_log else 'FULL'}")


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _make_private(path: Path) -> None:
    """Make an empty file, or take what is there from group and others."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE))
    except FileExistsError:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            _restrict(path.with_name(name))
        check_writable(path)  # SQLite would open it to read
    else:
        sync_folder(path.parent)


def _restrict(path: Path) -> None:
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            path.chmod(PRIVATE_FILE)


def _close(idle: _Open) -> None:
    if idle.process == os.getpid():
        idle.connection.close()
    else:
        _left_behind.append(idle.connection)


def _close_all(idle: list[_Open]) -> None:
    for each in idle:
        _close(each)
