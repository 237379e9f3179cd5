"""Connections that keep one deadline from the host's name to the answer's last byte."""

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from requests.adapters import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ClosedPoolError
from urllib3.response import HTTPResponse
from urllib3.util import parse_url

from kycourier.adapters.http_answer import Answer, named, seconds_left
from kycourier.adapters.sockets import CONNECT_SECONDS, open_socket
from kycourier.core.errors import SettingError, UpstreamUnreachable

T = TypeVar("T")


def build_pool(
    base_url: str,
    *,
    connections: int,
    max_body_bytes: int,
    extra_ca_file: str | None = None,
) -> HTTPConnectionPool:
    """Make the connections to one host; over TLS they are always verified.

    Raises SettingError for an `extra_ca_file` without certificates.
    """
    url = parse_url(base_url)
    options: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "maxsize": connections,
        "max_body_bytes": max_body_bytes,
    }
    if url.scheme == "http":
        pool = HTTPConnectionPool(**options)
        pool.ConnectionCls = TimedConnection
    else:
        pool = HTTPSConnectionPool(ssl_context=_trust(extra_ca_file), **options)
        pool.ConnectionCls = TimedTlsConnection
    return pool


def open_ahead(pool: HTTPConnectionPool) -> None:
    """Have a connection open for the first request, which else waits for it.

    One that failed is dropped, for it keeps a dead socket; the first request will tell.
    """
    with suppress(UpstreamUnreachable, ClosedPoolError):
        connection: Any = pool._get_conn()  # noqa: SLF001 - urllib3 has no word for it
        connection.open_ahead()
        pool._put_conn(connection)  # noqa: SLF001 - as above


def _trust(extra_ca_file: str | None) -> ssl.SSLContext:
    """Read the roots once for all hosts: each time takes 13 ms.

    Who comes meanwhile waits for them. Raises SettingError.
    """
    with _reading:
        return _read_roots(extra_ca_file)


@cache
def _read_roots(extra_ca_file: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if extra_ca_file is None:
        return context
    with suppress(OSError):
        context.load_verify_locations(extra_ca_file)
        return context
    raise SettingError("SSL_CERT_FILE", "names no readable certificates")


_reading = Lock()


class TimedConnection(HTTPConnection):
    """A connection whose timeout runs down, and which outlives being kept too long.

    urllib3 sets `timeout` to the seconds left when an exchange and when its answer
    begins. A kept connection that dies before a byte of the answer is opened anew and
    asked again, once.
    """

    debuglevel = 0  # shields from http.client's class-wide switch, which prints URLs
    _ask: Callable[[], None]

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - urllib3's
        max_body_bytes: int,
        **options: Any,  # noqa: ANN401 - urllib3's
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._kept = False
        self._answer: Answer | None = None
        super().__init__(*args, **options)

    @property
    def timeout(self) -> float:
        """The seconds left, never none. Raises UpstreamUnreachable."""
        return seconds_left(self._ends_at)

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._ends_at = inf if seconds is None else monotonic() + seconds

    def open_ahead(self) -> None:
        """Connect before there is anything to ask: it may have died by then, as kept.

        Raises UpstreamUnreachable.
        """
        self.timeout = CONNECT_SECONDS
        self.connect()
        self._kept = True

    def connect(self) -> None:
        """Connect, and over TLS shake hands and verify."""
        self._kept = False
        with named("reset"):
            super().connect()

    def _new_conn(self) -> socket.socket:
        sock = open_socket(self.host, self.port, seconds=self.timeout)
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        sock.settimeout(self.timeout)
        return sock

    def response_class(  # type: ignore[override]  # http.client only calls it
        self, sock: socket.socket, *_debuglevel: object, method: str
    ) -> Answer:
        """Begin to read an answer."""
        self._answer = Answer(
            sock, method, ends_at=self._ends_at, max_body_bytes=self._max_body_bytes
        )
        return self._answer

    def request(
        self,
        *args: Any,  # noqa: ANN401 - urllib3's
        **options: Any,  # noqa: ANN401 - urllib3's
    ) -> None:
        """Send, on a new connection if the kept one had died."""
        self._begin(partial(super().request, *args, **options))

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        """Read the answer's head, asking again if the kept connection had died."""
        return self._end(super().getresponse)

    def exchange(self, request: bytes) -> Answer:
        """Send a POST that is spelled already, and read its answer's head.

        What urllib3 does around that takes twice as long. As `request` and
        `getresponse` it is asked again if the kept connection had died.
        """
        self._begin(partial(self._send_spelled, request))
        return self._end(self._receive_spelled)

    def _send_spelled(self, request: bytes) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self.timeout)
        self.sock.sendall(request)

    def _receive_spelled(self) -> Answer:
        answer = self.response_class(self.sock, method="POST")
        try:
            answer.begin()
        except BaseException:
            answer.close()
            raise
        return answer

    def _begin(self, ask: Callable[[], None]) -> None:
        self._answer, self._ask = None, ask
        try:
            self._send()
        except UpstreamUnreachable:
            if not self._had_died():
                raise
            self._send_anew()

    def _end(self, receive: Callable[[], T]) -> T:
        try:
            with named("reset"):
                response = receive()
        except UpstreamUnreachable:
            if not self._had_died():
                raise
            self._send_anew()
            with named("reset"):
                response = receive()
        self._kept = True
        del self._ask  # it holds the query
        return response

    def _send(self) -> None:
        with named("reset"):
            self._ask()

    def _send_anew(self) -> None:
        self.close()
        self._send()

    def _had_died(self) -> bool:
        return self._kept and not (self._answer and self._answer.reader.begun)


class TimedTlsConnection(TimedConnection, HTTPSConnection):
    """The same over TLS, in the context it is given."""

    @property
    def is_connected(self) -> bool:
        """Tell whether it is open, and nobody has said a word that was not asked for.

        Bytes may lie there all the same: the tickets that TLS sends after a handshake.
        """
        if self.sock is None or super().is_connected:
            return self.sock is not None
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            pass  # it has died
        return False
