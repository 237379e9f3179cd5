"""Lines from a pipe, each within its time."""

import os
import select
import time

_PIECE_BYTES = 1 << 16


class Late(Exception):  # noqa: N818 - reads as a fact
    """What was waited for did not come in time."""


class LineReader:
    """Reads a pipe line by line; one thread at a time."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is the pipe's end, ours to close."""
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self._rest = b""

    def read(self, timeout_seconds: float) -> bytes:
        """Give the next line, or nothing when the pipe has ended.

        Raises Late when that takes longer.
        """
        deadline = time.monotonic() + timeout_seconds
        pieces = [self._rest]
        while b"\n" not in pieces[-1]:
            if self._file.closed:
                return b""
            self._wait(deadline)
            piece = self._file.read(_PIECE_BYTES)
            if not piece:
                return b""
            pieces.append(piece)
        line, _, self._rest = b"".join(pieces).partition(b"\n")
        return line

    def close(self) -> None:
        """Close the pipe."""
        self._file.close()

    def _wait(self, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise Late
