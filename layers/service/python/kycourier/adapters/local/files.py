"""How private files and folders are made on this machine, to last and by one at a time.

Never open a SQLite file with these: closing it would drop SQLite's locks on it. On its
log (`-wal`) there are none.
"""

import errno
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from kycourier.adapters.system import draw_mark
from kycourier.core.errors import KycourierError

T = TypeVar("T")
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_FOLDER_SECONDS, _LOCK_EVERY_SECONDS = 10.0, 0.01
_NAMELESS = getattr(os, "O_TMPFILE", 0)  # Linux alone has it


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


def make_folder(folder: Path, *, to_last: bool = True) -> None:
    """Make a folder and those above it, mode 0700, unless there. Raises OSError.

    Those above last; whether its own name does is the caller's to say, or to do.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    if to_last:
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


class _Rounds:
    """Flushes of one thing for many threads, one after another."""

    def __init__(self) -> None:
        self._running = threading.Lock()
        self._begun = self._ended = self._failed = 0
        self._error = errno.EIO

    def flush(self, flush: Callable[[], None]) -> None:
        """Flush, unless a thread has since this one asked. Raises OSError."""
        mine = self._begun + 1  # a round that is under way may have begun too early
        with self._running:
            if self._ended < mine:
                self._begun += 1
                try:
                    flush()
                except OSError as error:
                    self._failed, self._error = self._begun, error.errno or errno.EIO
                self._ended = self._begun
            if self._failed >= mine:
                raise OSError(self._error, "was not flushed")


@lru_cache(maxsize=64)
def _rounds(_what: Hashable, _process: int) -> _Rounds:
    return _Rounds()


def flush_together(what: Hashable, flush: Callable[[], None]) -> None:
    """Make last what this thread wrote; who asks while one flushes shares the next.

    `flush` is any of theirs that name the same thing. Raises OSError, to all of them.
    """
    _rounds(what, os.getpid()).flush(flush)


def sync_folder_together(folder: Path) -> None:
    """Make a folder's entries last, for many threads at once. Raises OSError."""
    flush_together(folder, partial(sync_folder, folder))


def place_file(path: Path, content: bytes, *, to_last: bool = True) -> bool:
    """Put a whole file in place, mode 0600; False if one is there already.

    Its bytes last; whether its name does is the caller's to say, or to do. Where files
    without a name are unknown, a killed writer leaves a `.….part` beside it. Raises
    OSError.
    """
    placed = _place_nameless(path, content)
    if placed is None:
        placed = _place_named(path, content)
    if to_last:
        sync_folder(path.parent)
    return placed


def _place_nameless(path: Path, content: bytes) -> bool | None:
    """Name the file when it is whole; None where that is not to be had, or fails."""
    try:
        handle = os.open(path.parent, _NAMELESS | os.O_WRONLY, PRIVATE_FILE)
    except OSError:
        return None
    try:
        _fill(handle, content)
        open_file = f"/proc/self/fd/{handle}"
        os.link(open_file, path, src_dir_fd=handle, follow_symlinks=True)
    except FileExistsError:
        return False
    except OSError:
        return None
    finally:
        os.close(handle)
    return True


def _place_named(path: Path, content: bytes) -> bool:
    """Write the file under another name first, and take that away."""
    temporary = path.with_name(f".{draw_mark()}.part")
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
    try:
        _fill(handle, content)
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)
    return True


def _fill(handle: int, content: bytes) -> None:
    """Write all of it, to last."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]
    os.fsync(handle)
