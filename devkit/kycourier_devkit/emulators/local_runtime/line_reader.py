"""Reads lines from a pipe, each within a time limit."""

import os
import select
import time

from kycourier_devkit.emulators.running_function import ReadTimedOut

_CHUNK_BYTES = 1 << 16


class LineReader:
    """Reads a pipe line by line; one thread at a time."""

    def __init__(self, descriptor: int) -> None:
        """Takes over `descriptor`, the reading end of a pipe."""
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._rest = b""

    def read(self, timeout_seconds: float) -> bytes:
        """Returns the next line, or b"" after the pipe has ended.

        Raises:
            ReadTimedOut: the line is not complete within `timeout_seconds`.
        """
        deadline = time.monotonic() + timeout_seconds
        chunks = [self._rest]
        while b"\n" not in chunks[-1]:
            if self._file.closed:
                return b""
            self._wait(deadline)
            chunk = self._file.read(_CHUNK_BYTES)
            if not chunk:
                return b""
            chunks.append(chunk)
        line, _, self._rest = b"".join(chunks).partition(b"\n")
        return line

    def close(self) -> None:
        """Closes the pipe."""
        self._file.close()

    def _wait(self, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise ReadTimedOut
