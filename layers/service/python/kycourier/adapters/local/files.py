"""Creates private, durable files and folders, and locks them between processes.

SQLite files must not be opened here: closing them would drop SQLite's locks. Their log
(`-wal`) has no locks and may be opened.
"""

import errno
import fcntl
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

from kycourier.adapters.system import draw_marker
from kycourier.core.errors import KycourierError
from kycourier.core.timing import FOLDER_LOCK_SECONDS, LOCK_POLL_SECONDS

T = TypeVar("T")
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
_UNNAMED = getattr(os, "O_TMPFILE", 0)  # only Linux has it


def os_errors_as(work: Callable[[], T], *, failure: type[KycourierError]) -> T:
    """Runs `work`; an error of the system or SQLite becomes `failure`.

    Raises:
        KycourierError: of the class `failure`, with the error's symbol as reason.
    """
    try:
        return work()
    except (OSError, sqlite3.Error) as error:
        symbol = error_symbol(error)
    raise failure(symbol)


def error_symbol(error: OSError | sqlite3.Error) -> str:
    """Returns an error's symbol, such as `ENOSPC` or `SQLITE_FULL`, never its text."""
    if isinstance(error, OSError):
        return errno.errorcode.get(error.errno or 0, type(error).__name__)
    return str(getattr(error, "sqlite_errorname", type(error).__name__))


def make_folder(folder: Path, *, durable: bool = True) -> None:
    """Creates a folder and its parents, mode 0700, if they are absent.

    Args:
        folder: The folder.
        durable: Whether the folder's name is flushed; its parents' names always are.

    Raises:
        OSError: the file system failed.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    if durable:
        sync_folder(folder.parent)


def check_writable(path: Path, *, how: int = os.W_OK) -> None:
    """Checks that this user may write to `path`. Raises PermissionError."""
    if not os.access(path, how):
        raise PermissionError(errno.EACCES, "may not be written to")


def sync_folder(folder: Path) -> None:
    """Flushes a folder's entries to the disk. Raises OSError."""
    sync_file(folder, os.O_DIRECTORY)


def sync_file(path: Path, flags: int = 0) -> None:
    """Flushes a file to the disk, whichever process wrote it. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(handle: int, *, within_seconds: float) -> None:
    """Takes an exclusive lock against other threads and processes.

    The wait is bounded because the holder may be a frozen process.

    Raises:
        OSError: another holds the lock after `within_seconds`.
    """
    ends_at = monotonic() + within_seconds
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= ends_at:
                raise
        sleep(LOCK_POLL_SECONDS)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Holds an exclusive lock on a folder. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(handle, within_seconds=FOLDER_LOCK_SECONDS)
        yield
    finally:
        os.close(handle)


class _FlushGroup:
    """Runs the flushes of one file for many threads, one at a time."""

    def __init__(self) -> None:
        self._running = threading.Lock()
        self._begun = self._ended = self._failed = 0
        self._error = errno.EIO

    def flush(self, flush: Callable[[], None]) -> None:
        """Flushes, unless a flush began and ended since the call. Raises OSError."""
        needed = self._begun + 1  # a running flush may miss this thread's bytes
        with self._running:
            if self._ended < needed:
                self._begun += 1
                try:
                    flush()
                except OSError as error:
                    self._failed, self._error = self._begun, error.errno or errno.EIO
                self._ended = self._begun
            if self._failed >= needed:
                raise OSError(self._error, "was not flushed")


@lru_cache(maxsize=64)
def _flush_group(_what: Hashable, _process: int) -> _FlushGroup:
    return _FlushGroup()


def group_flush(what: Hashable, flush: Callable[[], None]) -> None:
    """Flushes this thread's writes; threads that wait for a flush share the next one.

    Args:
        what: Identifies the file.
        flush: Flushes it; one of the waiting threads' functions is called.

    Raises:
        OSError: the flush failed; every thread that shares it raises.
    """
    _flush_group(what, os.getpid()).flush(flush)


def group_sync_folder(folder: Path) -> None:
    """Flushes a folder's entries, for many threads at once. Raises OSError."""
    group_flush(folder, partial(sync_folder, folder))


def write_file_once(path: Path, content: bytes, *, durable: bool = True) -> bool:
    """Writes a file whole, mode 0600, unless it exists.

    Where unnamed files are not supported, a killed writer leaves a `.….part` file in
    the folder.

    Args:
        path: The file; its folder must exist.
        content: The bytes, which are always flushed.
        durable: Whether the file's name is flushed too.

    Returns:
        Whether the file was written; False if it existed.

    Raises:
        OSError: the file system failed.
    """
    written = _write_unnamed(path, content)
    if written is None:
        written = _write_linked(path, content)
    if durable:
        sync_folder(path.parent)
    return written


def _write_unnamed(path: Path, content: bytes) -> bool | None:
    """Links an unnamed file once it is whole; None if that is unsupported or fails."""
    try:
        handle = os.open(path.parent, _UNNAMED | os.O_WRONLY, PRIVATE_FILE)
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


def _write_linked(path: Path, content: bytes) -> bool:
    """Writes the file under a temporary name, links it, and removes that name."""
    temporary = path.with_name(f".{draw_marker()}.part")
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
    """Writes all bytes and flushes them."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]
    os.fsync(handle)


def make_private(path: Path) -> None:
    """Creates an empty file, or restricts an existing SQLite file to its owner."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE))
    except FileExistsError:
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            _restrict(path.with_name(name))
        check_writable(path)  # SQLite would open it read-only
    else:
        sync_folder(path.parent)


def _restrict(path: Path) -> None:
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            path.chmod(PRIVATE_FILE)
