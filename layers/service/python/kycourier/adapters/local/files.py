"""How private files and folders are made on this machine, to last and by one at a time.

Never open a SQLite file with these: closing it would drop SQLite's locks on it. On its
log (`-wal`) there are none.
"""

import errno
import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from kycourier.core.errors import KycourierError

T = TypeVar("T")
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_FOLDER_SECONDS, _LOCK_EVERY_SECONDS = 10.0, 0.01


def attempt(work: Callable[[], T], *, failure: type[KycourierError]) -> T:
    """Do `work`; what the system refuses becomes `failure`, which keeps its name."""
    try:
        return work()
    except (OSError, sqlite3.Error) as error:
        name = name_of(error)
    raise failure(name)


def name_of(error: OSError | sqlite3.Error) -> str:
    """Name an error by its symbol, as in `ENOSPC` or `SQLITE_FULL`; never its text."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, mode 0700, unless there. Raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    sync_folder(folder.parent)


def check_writable(path: Path, *, how: int = os.W_OK) -> None:
    """Refuse a place where this user may not write. Raises PermissionError."""
    if not os.access(path, how):
        raise PermissionError(errno.EACCES, "may not be written to")


def sync_folder(folder: Path) -> None:
    """Make a folder's entries last. Raises OSError."""
    sync_file(folder, os.O_DIRECTORY)


def sync_file(path: Path, flags: int = 0) -> None:
    """Make last what was written to a file, whoever wrote it. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(handle: int, *, within_seconds: float) -> None:
    """Keep other threads and processes out that ask for the same.

    Whoever has it may be frozen: it is not waited for longer. Raises OSError.
    """
    ends_at = monotonic() + within_seconds
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= ends_at:
                raise
        sleep(_LOCK_EVERY_SECONDS)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Keep others out that ask for the same folder. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(handle, within_seconds=_FOLDER_SECONDS)
        yield
    finally:
        os.close(handle)


def place_file(path: Path, content: bytes) -> bool:
    """Put a whole file in place, mode 0600, to last; False if one is there already.

    A writer that is killed leaves a `.….part` beside it and no file. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    temporary = Path(name)
    placed = True
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)
    except FileExistsError:
        placed = False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return placed
