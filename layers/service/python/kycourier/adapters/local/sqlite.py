"""How a SQLite file is opened and shared: by many threads and processes, and safely.

One connection serves one thread at a time and never crosses a fork. A file that was
removed or replaced is noticed at the next use, so that nobody goes on in a lost copy.
"""

import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from kycourier.adapters.local.files import (
    PRIVATE_FILE,
    attempt,
    check_writable,
    flush_together,
    locked_folder,
    make_folder,
    sync_file,
    sync_folder,
)
from kycourier.core.errors import NewerSchema, StoreUnavailable

T = TypeVar("T")
BUSY_SECONDS = 2.0


class _File:
    """A file as one process found it: its threads write in turn, and share flushes."""

    def __init__(self, path: Path) -> None:
        self.process, self.identity = os.getpid(), _identity(path)
        self._turn = threading.Lock()
        self._log = Path(f"{os.path.realpath(path)}-wal")

    def is_at(self, path: Path) -> bool:
        return self.process == os.getpid() and self.identity == _identity(path)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the other threads: SQLite itself would look now and then."""
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise StoreUnavailable("SQLITE_BUSY")
        try:
            yield
        finally:
            self._turn.release()

    def flush(self) -> None:
        """Make the log last; a file that a person put back may have none."""
        with suppress(FileNotFoundError):
            flush_together(self._log, partial(sync_file, self._log))


class _Open(NamedTuple):
    connection: sqlite3.Connection
    file: _File


_left_behind: list[sqlite3.Connection] = []  # a parent's: closing them is not for us


class SqliteFile:
    """One SQLite file with its tables; made, mode 0600, when there is none."""

    def __init__(self, path: str | Path, *, schema: int, tables: str) -> None:
        """Open it once; `tables` makes them. Raises StoreUnavailable, NewerSchema."""
        self._path = Path(path).absolute()
        self._schema = schema
        self._file: _File | None = None
        self._idle: list[_Open] = []
        weakref.finalize(self, _close_all, self._idle)
        attempt(lambda: self._prepare(tables), failure=StoreUnavailable)

    def read(self, query: str, values: tuple[object, ...]) -> list[sqlite3.Row]:
        """Read rows as last committed. Raises StoreUnavailable, NewerSchema."""
        return attempt(
            lambda: self._use(
                lambda lent: lent.connection.execute(query, values).fetchall()
            ),
            failure=StoreUnavailable,
        )

    def write(
        self, work: Callable[[sqlite3.Connection], T], *, must_last: bool = True
    ) -> T:
        """Do `work` alone and whole, or not at all, whatever it raises; and to last.

        The log is flushed when the next writer is at work already, so that many at once
        share one flush; not at all for what need not last. Raises StoreUnavailable,
        NewerSchema, and what `work` does.
        """

        def transaction(lent: _Open) -> tuple[T, _File]:
            connection = lent.connection
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
            return result, lent.file

        def in_turn() -> T:
            with self._find().turn():  # mostly by the connection that wrote last
                result, file = self._use(transaction)
            if must_last:
                file.flush()
            return result

        return attempt(in_turn, failure=StoreUnavailable)

    def _use(self, work: Callable[[_Open], T]) -> T:
        """Lend a connection; after any failure it is closed, which rolls back."""
        lent = self._take()
        try:
            result = work(lent)
        except BaseException:
            lent.connection.close()
            raise
        self._idle.append(lent)
        return result

    def _find(self) -> _File:
        file = self._file
        if file is None or not file.is_at(self._path):
            file = self._file = _File(self._path)
        return file

    def _take(self) -> _Open:
        file = self._find()
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if idle.file is file:
                return idle
            _close(idle)
        return _Open(self._connect(), file)

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
            file, connection = _File(self._path), self._connect()
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
        self._file = file
        self._idle.append(_Open(connection, file))


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
    if idle.file.process == os.getpid():
        idle.connection.close()
    else:
        _left_behind.append(idle.connection)


def _close_all(idle: list[_Open]) -> None:
    for each in idle:
        _close(each)
