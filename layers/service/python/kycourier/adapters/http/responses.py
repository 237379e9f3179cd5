"""Reads HTTP responses within a deadline and a size, and only unencoded ones."""

import io
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from http.client import HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from time import monotonic

from requests.exceptions import ReadTimeout
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util.response import assert_header_parsing

from kycourier.core.errors import TransportError
from kycourier.core.timing import READ_TOLERANCE_SECONDS

BUFFER_BYTES = 1 << 16
PIECE_BYTES = 1 << 20
HEAD_BYTES = 1 << 18  # includes interim responses, which take time to parse
BODILESS = {204, 304}
LARGE_BYTES = 4 << 20
MAX_LARGE = 2


def seconds_left(ends_at: float) -> float:
    """Returns the seconds until `ends_at` on the monotonic clock, above zero.

    Raises:
        TransportError: `timed_out`.
    """
    left = ends_at - monotonic()
    if left <= 0:
        raise TransportError("timed_out")
    return left


@contextmanager
def transport_errors(fault: str) -> Iterator[None]:
    """Converts errors of sockets and HTTP libraries to TransportError.

    Args:
        fault: The reason of the TransportError for an OSError.

    Raises:
        TransportError: `timed_out`, `tls_failed`, `reply_not_http` or `fault`.
    """
    try:
        yield
    except (TimeoutError, ReadTimeout):
        reason = "timed_out"
    except ssl.SSLError:
        reason = "tls_failed"
    except OSError:
        reason = fault
    except (HTTPException, HTTPError, ValueError):
        reason = "reply_not_http"
    else:
        return
    raise TransportError(reason)


def check_headers(head: Message, *, max_body_bytes: int) -> None:
    """Rejects a body that is encoded, too large or of uncertain length.

    urllib3 checks that several lengths are equal.

    Raises:
        TransportError: `reply_encoded`, `reply_too_large` or `reply_not_http`.
    """
    encodings = head.get_all("Content-Encoding", [])
    codings = head.get_all("Transfer-Encoding", [])
    if any(name.strip().lower() not in {"", "identity"} for name in encodings):
        raise TransportError("reply_encoded")
    if codings and [name.lower() for name in codings] != ["chunked"]:
        raise TransportError("reply_encoded")
    for length in head.get_all("Content-Length", []):
        if not re.fullmatch(" *[0-9]{1,18} *", length):
            raise TransportError("reply_not_http")
        if int(length) > max_body_bytes:
            raise TransportError("reply_too_large")


class LargeBodySlots:
    """Limits how many large bodies are in memory; other responses stay unread."""

    def __init__(self) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(MAX_LARGE):
            self.release()

    def acquire(self, ends_at: float) -> None:
        """Takes a slot, or waits for one. Raises TransportError: `timed_out`."""
        with suppress(Empty):
            self._free.get(timeout=seconds_left(ends_at))
            return
        raise TransportError("timed_out")

    def release(self) -> None:
        """Returns a slot; a finalizer may call this, as SimpleQueue is reentrant."""
        self._free.put(None)


def read_body(
    response: BaseHTTPResponse,
    *,
    max_body_bytes: int,
    acquire_slot: Callable[[], None],
) -> bytes:
    """Reads a body to its end, in one piece where the length is known.

    Args:
        response: The response, of which the headers have been read.
        max_body_bytes: The largest body that is accepted.
        acquire_slot: Called once before more than LARGE_BYTES are in memory.

    Raises:
        TransportError: no whole response came within deadline and size.
        HTTPError: urllib3 cannot read the body.
    """
    length = response.length_remaining
    if length is not None and length > LARGE_BYTES:
        acquire_slot()
    chunk = length or PIECE_BYTES
    body = io.BytesIO(response.read(min(chunk, max_body_bytes + 1)))  # shared, no copy
    size = body.seek(0, io.SEEK_END)
    while piece := response.read(min(chunk, max_body_bytes + 1 - size)):
        if length is None and size <= LARGE_BYTES < size + len(piece):
            acquire_slot()
        size += body.write(piece)
    if size > max_body_bytes:
        raise TransportError("reply_too_large")
    return body.getvalue()


class DeadlineReader(io.RawIOBase):
    """A socket's bytes until `ends_at`, at most `left` of them.

    An end of the stream is an error unless `may_end` is set; `begun` is set by the
    first byte.
    """

    def __init__(
        self, sock: socket.socket, stream: io.RawIOBase, *, ends_at: float, left: int
    ) -> None:
        self._sock = sock
        self._stream = stream
        self._ends_at = ends_at
        self.left = left
        self.begun = False
        self.may_end = False

    def shorten(self, seconds: float) -> None:
        """Ends the stream in `seconds` at the latest."""
        self._ends_at = min(self._ends_at, monotonic() + seconds)

    def readable(self) -> bool:
        """Returns True, which io.BufferedReader requires."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io's type
        """Receives what has arrived; fills a large buffer, which is for a body.

        Raises:
            TransportError: no whole response came within deadline and size.
        """
        count, is_body = 0, len(buffer) > BUFFER_BYTES
        with transport_errors("connection_reset"):
            while True:
                self._bound_wait()
                received = self._sock.recv_into(buffer[count:])
                count += received
                if not (received and is_body and count < len(buffer)):
                    break
        if count == 0 and not self.may_end:
            raise TransportError("connection_reset")
        self.begun = True
        self.left -= count
        if self.left < 0:
            raise TransportError("reply_too_large")
        return count

    def _bound_wait(self) -> None:
        """Sets the socket's timeout to the time left, unless it is close enough.

        Setting it is a system call, which each 16 KB of a body would repeat.
        """
        left, bound = seconds_left(self._ends_at), self._sock.gettimeout()
        if bound is None or not left <= bound <= left + READ_TOLERANCE_SECONDS:
            self._sock.settimeout(left)

    def close(self) -> None:
        """Closes the socket's stream."""
        self._stream.close()
        super().close()


class DeadlineResponse(HTTPResponse):
    """An HTTP response that http.client parses from a DeadlineReader."""

    def __init__(
        self, sock: socket.socket, method: str, *, ends_at: float, max_body_bytes: int
    ) -> None:
        super().__init__(sock, method=method)
        self.reader = DeadlineReader(
            sock, self.fp.detach(), ends_at=ends_at, left=HEAD_BYTES
        )
        self.fp = io.BufferedReader(self.reader, BUFFER_BYTES)
        self._max_body_bytes = max_body_bytes

    def begin(self) -> None:
        """Reads status and headers, and skips interim responses.

        Raises:
            TransportError: as `check_headers`.
            HTTPException: the head cannot be parsed.
        """
        super().begin()
        while self.status // 100 == 1:  # http.client skips only 100
            self.headers = self.msg = None  # type: ignore[assignment]  # as before begin
            super().begin()
        assert_header_parsing(self.msg)
        check_headers(self.headers, max_body_bytes=self._max_body_bytes)
        if self._may_have_trailing_bytes():
            self.will_close = True
        self.reader.may_end = self.length is None and not self.chunked
        # A quarter more, for chunk sizes: http.client has no limit for them.
        self.reader.left = self._max_body_bytes * 5 // 4 + PIECE_BYTES

    def _may_have_trailing_bytes(self) -> bool:
        """Checks whether bytes may follow that would look like the next response."""
        return self.status in BODILESS or (
            self.chunked and "Content-Length" in self.headers
        )
