"""Opens connections with one deadline from name resolution to the last byte read."""

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

from kycourier.adapters.http.responses import (
    DeadlineResponse,
    seconds_left,
    transport_errors,
)
from kycourier.adapters.http.sockets import open_socket
from kycourier.core.errors import SettingError, TransportError
from kycourier.core.timing import CONNECT_SECONDS

T = TypeVar("T")


def build_pool(
    base_url: str,
    *,
    connections: int,
    max_body_bytes: int,
    extra_ca_file: str | None = None,
) -> HTTPConnectionPool:
    """Builds the connection pool of one host; TLS certificates are always verified.

    Args:
        base_url: The host's URL; `http` only for loopback.
        connections: How many idle connections are kept.
        max_body_bytes: The largest response body that is accepted.
        extra_ca_file: Certificates that are trusted besides the public ones.

    Raises:
        SettingError: `extra_ca_file` has no readable certificates.
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
        pool.ConnectionCls = DeadlineConnection
    else:
        pool = HTTPSConnectionPool(ssl_context=_tls_context(extra_ca_file), **options)
        pool.ConnectionCls = DeadlineTlsConnection
    return pool


def preconnect(pool: HTTPConnectionPool) -> None:
    """Opens a connection before the first request; a failed one is dropped."""
    with suppress(TransportError, ClosedPoolError):
        connection: Any = pool._get_conn()  # noqa: SLF001 - urllib3 has no public one
        connection.preconnect()
        pool._put_conn(connection)  # noqa: SLF001 - as above


def _tls_context(extra_ca_file: str | None) -> ssl.SSLContext:
    """Returns one context for all hosts: reading the root certificates takes 13 ms.

    Concurrent callers wait for the one that reads. Raises SettingError.
    """
    with _roots_lock:
        return _build_tls_context(extra_ca_file)


@cache
def _build_tls_context(extra_ca_file: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if extra_ca_file is None:
        return context
    with suppress(OSError):
        context.load_verify_locations(extra_ca_file)
        return context
    raise SettingError("SSL_CERT_FILE", "names no readable certificates")


_roots_lock = Lock()


class DeadlineConnection(HTTPConnection):
    """A connection with a deadline, which replaces a kept connection that had died.

    urllib3 sets `timeout` to the seconds left, at the start of a request and of its
    response. If a kept connection ends before the first byte of the response, the
    request is sent once more on a new connection.
    """

    debuglevel = 0  # overrides http.client's class-wide switch, which prints URLs
    _write_request: Callable[[], None]

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - urllib3's
        max_body_bytes: int,
        **options: Any,  # noqa: ANN401 - urllib3's
    ) -> None:
        self._max_body_bytes = max_body_bytes
        self._kept = False
        self.response: DeadlineResponse | None = None  # to the last request
        super().__init__(*args, **options)

    @property
    def timeout(self) -> float:
        """The seconds left, above zero. Raises TransportError."""
        return seconds_left(self._ends_at)

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._ends_at = inf if seconds is None else monotonic() + seconds

    def preconnect(self) -> None:
        """Connects before the first request. Raises TransportError."""
        self.timeout = CONNECT_SECONDS
        self.connect()
        self._kept = True

    def connect(self) -> None:
        """Connects, with a TLS handshake and verification for https."""
        self._kept = False
        with transport_errors("connection_reset"):
            super().connect()

    def _new_conn(self) -> socket.socket:
        sock = open_socket(self.host, self.port, seconds=self.timeout)
        for option in self.socket_options or ():
            sock.setsockopt(*option)
        sock.settimeout(self.timeout)
        return sock

    def response_class(  # type: ignore[override]  # http.client only calls it
        self, sock: socket.socket, *_debuglevel: object, method: str
    ) -> DeadlineResponse:
        """Builds the response that will be read from the socket."""
        self.response = DeadlineResponse(
            sock, method, ends_at=self._ends_at, max_body_bytes=self._max_body_bytes
        )
        return self.response

    def request(
        self,
        *args: Any,  # noqa: ANN401 - urllib3's
        **options: Any,  # noqa: ANN401 - urllib3's
    ) -> None:
        """Sends the request, on a new connection if the kept one had died."""
        self._start(partial(super().request, *args, **options))

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
        """Reads status and headers; resends if the kept connection had died."""
        return self._finish(super().getresponse)

    def send_post(self, request: bytes) -> DeadlineResponse:
        """Sends an encoded POST request and reads the response's status and headers.

        urllib3 takes three times as long for it. As with `request` and `getresponse`,
        the request is sent again if the kept connection had died.
        """
        self._start(partial(self._send_encoded, request))
        return self._finish(self._receive_head)

    def _send_encoded(self, request: bytes) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self.timeout)
        self.sock.sendall(request)

    def _receive_head(self) -> DeadlineResponse:
        response = self.response_class(self.sock, method="POST")
        try:
            response.begin()
        except BaseException:
            response.close()
            raise
        return response

    def _start(self, write_request: Callable[[], None]) -> None:
        self.response, self._write_request = None, write_request
        try:
            self._send()
        except TransportError:
            if not self._had_died():
                raise
            self._resend()

    def _finish(self, receive: Callable[[], T]) -> T:
        try:
            with transport_errors("connection_reset"):
                response = receive()
        except TransportError:
            if not self._had_died():
                raise
            self._resend()
            with transport_errors("connection_reset"):
                response = receive()
        self._kept = True
        del self._write_request  # it holds the query
        return response

    def _send(self) -> None:
        with transport_errors("connection_reset"):
            self._write_request()

    def _resend(self) -> None:
        self.close()
        self._send()

    def _had_died(self) -> bool:
        return self._kept and not (self.response and self.response.reader.begun)


class DeadlineTlsConnection(DeadlineConnection, HTTPSConnection):
    """A DeadlineConnection over TLS, with the pool's context."""

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open and no unexpected data has arrived.

        Readable bytes may be session tickets, which TLS sends after a handshake.
        """
        if self.sock is None or super().is_connected:
            return self.sock is not None
        self.sock.settimeout(0)
        try:
            self.sock.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            pass  # the connection has ended
        return False
