"""How one HTTP answer is read: by its deadline, within its size, and only in plain."""

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

from kycourier.core.errors import UpstreamUnreachable

BUFFER_BYTES = 1 << 16
PIECE_BYTES = 1 << 20
HEAD_BYTES = 1 << 18  # interim answers' heads too; libraries take their time for each
BODILESS = {204, 304}
LARGE_BYTES = 4 << 20
MOST_LARGE = 2
LATE_SECONDS = 0.1


def seconds_left(ends_at: float) -> float:
    """Tell the seconds until `ends_at` on the monotonic clock, more than none.

    Raises UpstreamUnreachable("timeout").
    """
    left = ends_at - monotonic()
    if left <= 0:
        raise UpstreamUnreachable("timeout")
    return left


@contextmanager
def named(fault: str) -> Iterator[None]:
    """Raise what sockets and HTTP raise as ours; `fault` names an OSError."""
    try:
        yield
    except (TimeoutError, ReadTimeout):
        reason = "timeout"
    except ssl.SSLError:
        reason = "tls"
    except OSError:
        reason = fault
    except (HTTPException, HTTPError, ValueError):
        reason = "protocol"
    else:
        return
    raise UpstreamUnreachable(reason)


def check_head(head: Message, *, max_body_bytes: int) -> None:
    """Refuse a body that is encoded, too large or of no certain length.

    That several lengths are one is urllib3's to check.
    Raises UpstreamUnreachable: encoded, too_large, protocol.
    """
    encodings = head.get_all("Content-Encoding", [])
    codings = head.get_all("Transfer-Encoding", [])
    if any(name.strip().lower() not in {"", "identity"} for name in encodings):
        raise UpstreamUnreachable("encoded")
    if codings and [name.lower() for name in codings] != ["chunked"]:
        raise UpstreamUnreachable("encoded")
    for length in head.get_all("Content-Length", []):
        if not re.fullmatch(" *[0-9]{1,18} *", length):
            raise UpstreamUnreachable("protocol")
        if int(length) > max_body_bytes:
            raise UpstreamUnreachable("too_large")


class RoomForLarge:
    """Lets few large bodies be in memory at once; the rest wait in their sockets."""

    def __init__(self) -> None:
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(MOST_LARGE):
            self.give_back()

    def take(self, ends_at: float) -> None:
        """Take a place, or wait for one. Raises UpstreamUnreachable("timeout")."""
        with suppress(Empty):
            self._places.get(timeout=seconds_left(ends_at))
            return
        raise UpstreamUnreachable("timeout")

    def give_back(self) -> None:
        """Give a place back; this may be called while memory is being freed."""
        self._places.put(None)


def read_body(
    answer: BaseHTTPResponse, *, max_body_bytes: int, make_room: Callable[[], None]
) -> bytes:
    """Read to the end, in one piece where the length is known.

    `make_room` is called once before more than LARGE_BYTES are held. Raises
    UpstreamUnreachable: timeout, reset, tls, too_large; and what urllib3 does.
    """
    length = answer.length_remaining
    if length is not None and length > LARGE_BYTES:
        make_room()
    wanted = length or PIECE_BYTES
    body = io.BytesIO(answer.read(min(wanted, max_body_bytes + 1)))  # shared, no copy
    size = body.seek(0, io.SEEK_END)
    while piece := answer.read(min(wanted, max_body_bytes + 1 - size)):
        if length is None and size <= LARGE_BYTES < size + len(piece):
            make_room()
        size += body.write(piece)
    if size > max_body_bytes:
        raise UpstreamUnreachable("too_large")
    return body.getvalue()


class AnswerReader(io.RawIOBase):
    """A socket's bytes until `ends_at`, at most `left`, not ending by surprise."""

    def __init__(
        self, sock: socket.socket, stream: io.RawIOBase, *, ends_at: float, left: int
    ) -> None:
        self._sock = sock
        self._stream = stream
        self._ends_at = ends_at
        self.left = left
        self.begun = False
        self.may_end = False

    def readable(self) -> bool:
        """Tell io that this is for reading."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # io gives it a memoryview
        """Receive what there is, or until a large buffer, which is a body's, is full.

        Raises UpstreamUnreachable: timeout, reset, tls, too_large.
        """
        count, is_body = 0, len(buffer) > BUFFER_BYTES
        with named("reset"):
            while True:
                self._bound_wait()
                received = self._sock.recv_into(buffer[count:])
                count += received
                if not (received and is_body and count < len(buffer)):
                    break
        if count == 0 and not self.may_end:
            raise UpstreamUnreachable("reset")
        self.begun = True
        self.left -= count
        if self.left < 0:
            raise UpstreamUnreachable("too_large")
        return count

    def _bound_wait(self) -> None:
        """Let the socket wait until the end, give or take LATE_SECONDS.

        A timeout that is set is a call of the system, for each 16 KB of a body.
        """
        left, bound = seconds_left(self._ends_at), self._sock.gettimeout()
        if bound is None or not left <= bound <= left + LATE_SECONDS:
            self._sock.settimeout(left)

    def close(self) -> None:
        """Let the socket go."""
        self._stream.close()
        super().close()


class Answer(HTTPResponse):
    """An HTTP answer that http.client parses from an AnswerReader."""

    def __init__(
        self, sock: socket.socket, method: str, *, ends_at: float, max_body_bytes: int
    ) -> None:
        super().__init__(sock, method=method)
        self.reader = AnswerReader(
            sock, self.fp.detach(), ends_at=ends_at, left=HEAD_BYTES
        )
        self.fp = io.BufferedReader(self.reader, BUFFER_BYTES)
        self._max_body_bytes = max_body_bytes

    def begin(self) -> None:
        """Read the head, past those of interim answers.

        Raises what http.client does, and as `check_head`.
        """
        super().begin()
        while self.status // 100 == 1:  # http.client itself passes over 100 alone
            self.headers = self.msg = None  # type: ignore[assignment]  # not begun
            super().begin()
        assert_header_parsing(self.msg)
        check_head(self.headers, max_body_bytes=self._max_body_bytes)
        if self._may_go_on():
            self.will_close = True
        self.reader.may_end = self.length is None and not self.chunked
        # Room for chunk sizes; http.client itself would read on without end.
        self.reader.left = self._max_body_bytes * 5 // 4 + PIECE_BYTES

    def _may_go_on(self) -> bool:
        """Tell whether bytes may come after the end that would seem the next answer."""
        return self.status in BODILESS or (
            self.chunked and "Content-Length" in self.headers
        )
