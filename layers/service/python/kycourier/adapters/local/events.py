"""Events as lines of one file that many processes append to."""

import errno
import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path

from kycourier.adapters.local.files import (
    PRIVATE_FILE,
    attempt,
    flush_together,
    lock,
    make_folder,
    sync_folder,
)
from kycourier.core.errors import SinkUnavailable, forgetful
from kycourier.core.order_record import OutboxEvent

LOCK_SECONDS = 2.0
_UNFIT = re.compile(r"[\n\r\ud800-\udfff]")  # ends a line, or is no UTF-8


class FileEventSink:
    """One JSON text a line, each publish one write, flushed to the disk."""

    def __init__(self, path: str | Path) -> None:
        """Make the file unless there. Raises SinkUnavailable."""
        self._path = Path(path).absolute()
        attempt(lambda: _make(self._path), failure=SinkUnavailable)

    @forgetful
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Append all, in order, or none. Raises SinkUnavailable."""
        lines = "".join(_line(event) for event in events).encode("utf-8")
        if lines:
            attempt(lambda: _append(self._path, lines), failure=SinkUnavailable)


def _line(event: OutboxEvent) -> str:
    if not event.body or _UNFIT.search(event.body):
        raise SinkUnavailable("event is not a line of text")
    return f"{event.body}\n"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)


def _make(path: Path) -> None:
    make_folder(path.parent)
    os.close(_open(path))
    sync_folder(path.parent)


def _append(path: Path, lines: bytes) -> None:
    """Write the lines whole; what a killed writer left becomes a line of its own."""
    handle = _open(path)
    try:
        lock(handle, within_seconds=LOCK_SECONDS)
        status = os.fstat(handle)
        end = status.st_size
        torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
        text = b"\n" + lines if torn else lines
        if os.write(handle, text) != len(text):
            os.ftruncate(handle, end)
            raise OSError(errno.ENOSPC, "short write")
        fcntl.flock(handle, fcntl.LOCK_UN)
        flush_together((status.st_dev, status.st_ino), lambda: os.fsync(handle))
    finally:
        os.close(handle)
