"""Appends events as lines to one file that many processes share."""

import errno
import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path

from kycourier.adapters.local.files import (
    PRIVATE_FILE,
    group_flush,
    lock,
    make_folder,
    os_errors_as,
    sync_folder,
)
from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import scrub_traceback
from kycourier.core.timing import EVENT_FILE_LOCK_SECONDS

_INVALID = re.compile(r"[\n\r\ud800-\udfff]")  # ends a line, or is no UTF-8


class FileEventSink:
    """A file with one JSON text per line; each publish is one flushed write."""

    def __init__(self, path: str | Path) -> None:
        """Creates the file if it is absent. Raises SinkUnavailableError."""
        self._path = Path(path).absolute()
        os_errors_as(lambda: _create(self._path), failure=SinkUnavailableError)

    @scrub_traceback
    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Appends all, in order, or none. Raises SinkUnavailableError."""
        lines = "".join(_line(event) for event in events).encode("utf-8")
        if lines:
            os_errors_as(
                lambda: _append(self._path, lines), failure=SinkUnavailableError
            )


def _line(event: OutboxEvent) -> str:
    if not event.body or _INVALID.search(event.body):
        raise SinkUnavailableError("event is not a line of text")
    return f"{event.body}\n"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, PRIVATE_FILE)


def _create(path: Path) -> None:
    make_folder(path.parent)
    os.close(_open(path))
    sync_folder(path.parent)


def _append(path: Path, lines: bytes) -> None:
    """Writes the lines whole, after ending a line that a killed writer left open."""
    handle = _open(path)
    try:
        lock(handle, within_seconds=EVENT_FILE_LOCK_SECONDS)
        status = os.fstat(handle)
        end = status.st_size
        torn = end > 0 and os.pread(handle, 1, end - 1) != b"\n"
        text = b"\n" + lines if torn else lines
        if os.write(handle, text) != len(text):
            os.ftruncate(handle, end)
            raise OSError(errno.ENOSPC, "short write")
        fcntl.flock(handle, fcntl.LOCK_UN)
        group_flush((status.st_dev, status.st_ino), lambda: os.fsync(handle))
    finally:
        os.close(handle)
