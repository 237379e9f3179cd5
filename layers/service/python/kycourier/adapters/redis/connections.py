"""Keeps connections to one Redis node, checks them before use and verifies TLS.

hiredis encodes and parses the protocol, in RESP 2, which all servers and proxies
support.
"""

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

import certifi
from hiredis import ProtocolError, Reader, pack_command
from msgspec import Struct

from kycourier.adapters.http.sockets import open_socket
from kycourier.adapters.redis.errors import RedisError
from kycourier.adapters.redis.urls import RedisUrl
from kycourier.core.errors import StoreUnavailableError, TransportError
from kycourier.core.redaction import Secret
from kycourier.core.timing import REDIS_CONNECT_SECONDS, REDIS_READ_SECONDS

PIECE_BYTES = 1 << 16
_INCOMPLETE = object()

Value = str | bytes | int


class Node(Struct, frozen=True):
    """A server's host and port."""

    host: str
    port: int


class Login:
    """User and password; the password is cached until `forget`."""

    def __init__(self, user: str | None, load: Callable[[], Secret]) -> None:
        self._user, self._load = user, load
        self._password: Secret | None = None

    def auth_arguments(self) -> Sequence[str]:
        """Returns the arguments of AUTH. Raises StoreUnavailableError."""
        password = self._password = self._password or self._load()
        text = password.expose()
        return (self._user, text) if self._user else (text,)

    def forget(self) -> None:
        """Drops the password, so that the next connection reads it again."""
        self._password = None


def build_tls_context(address: RedisUrl) -> ssl.SSLContext | None:
    """Builds the TLS context that verifies certificates and host names.

    It trusts the private authority of the URL's `ca`, else the public ones.

    Returns:
        The context; None for a URL without TLS.

    Raises:
        StoreUnavailableError: `ca` has no readable certificates.
    """
    if not address.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host
    try:
        context.load_verify_locations(address.ca_file or certifi.where())
    except OSError:
        pass  # raised below: the original error has the path
    else:
        return context
    raise StoreUnavailableError("ca names no readable certificates")


class Connection:
    """One connection, for one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._process = sock, os.getpid()
        self._reader = Reader(replyError=RedisError, notEnoughData=_INCOMPLETE)

    def call(self, command: Sequence[Value], *, seconds: float) -> object:
        """Sends a command and reads the whole response within `seconds`.

        Raises:
            RedisError: Redis sent an error; the connection can still be used.
            OSError: the connection failed or the time is over.
            ProtocolError: the response cannot be parsed.
        """
        ends_at = monotonic() + seconds
        self._socket.settimeout(seconds)
        packed = pack_command(tuple(command))  # type: ignore[arg-type]  # stub is narrower
        self._socket.sendall(packed)
        while (response := self._parse()) is _INCOMPLETE:
            left = ends_at - monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            piece = self._socket.recv(PIECE_BYTES)
            if not piece:
                raise ConnectionResetError
            self._reader.feed(piece)
        try:
            if isinstance(response, RedisError):
                raise response
            return response
        finally:
            del response  # avoids a reference cycle of an error and its traceback

    def _parse(self) -> object:
        with suppress(TypeError):  # hiredis raises it for an unhashable RESP 3 map key
            return self._reader.gets()
        raise ProtocolError

    def is_reusable(self) -> bool:
        """Checks that the connection is open and no unexpected data has arrived.

        After a fork it is never reusable: the parent process uses it too.
        """
        if self._process != os.getpid():
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return not self._reader.has_data()
        except OSError:
            pass
        return False

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()


class ConnectionPool:
    """Connections to one node; threads share it, and each uses its own connection."""

    def __init__(
        self,
        node: Node,
        *,
        db: int,
        login: Login | None,
        tls_context: ssl.SSLContext | None,
    ) -> None:
        """Opens no connection yet."""
        self._node, self._db, self._login = node, db, login
        self._tls_context = tls_context
        self._idle: list[Connection] = []

    def call(self, command: Sequence[Value], *, timeout: Callable[[], float]) -> object:
        """Sends a command once, on an idle connection or a new one.

        Args:
            command: The command and its arguments.
            timeout: Returns the command's seconds, called once connected.

        Raises:
            RedisError: Redis sent an error.
            OSError: the connection failed or the time is over.
            ProtocolError: the response cannot be parsed.
            StoreUnavailableError: the password cannot be read.
        """
        connection = self._take()
        try:
            response = connection.call(command, seconds=timeout())
        except RedisError:
            self._idle.append(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return response

    def close_idle(self) -> None:
        """Closes the idle connections."""
        while (connection := self._pop()) is not None:
            connection.close()

    def __del__(self) -> None:
        self.close_idle()

    def _take(self) -> Connection:
        while (connection := self._pop()) is not None:
            if connection.is_reusable():
                return connection
            connection.close()
        return self._open()

    def _pop(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _open(self) -> Connection:
        opened = self._connect()
        try:
            self._prepare(opened)
        except BaseException:
            opened.close()
            raise
        return opened

    def _connect(self) -> Connection:
        sock = _open_socket(self._node)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(REDIS_READ_SECONDS)
            if self._tls_context is not None:
                host = self._node.host
                sock = self._tls_context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        return Connection(sock)

    def _prepare(self, opened: Connection) -> None:
        if self._login is not None:
            try:
                _expect_ok(opened, "AUTH", *self._login.auth_arguments())
            except RedisError as error:
                raise error.as_login_error() from None
        if self._db:
            _expect_ok(opened, "SELECT", self._db)


def _expect_ok(opened: Connection, *command: Value) -> None:
    """Sends a command and requires OK, with no data after it.

    Such data would be read as the response to the next command.
    """
    response = opened.call(command, seconds=REDIS_READ_SECONDS)
    if response != b"OK" or not opened.is_reusable():
        raise ProtocolError


def _open_socket(node: Node) -> socket.socket:
    """Resolves the name and connects within REDIS_CONNECT_SECONDS. Raises OSError."""
    try:
        return open_socket(node.host, node.port, seconds=REDIS_CONNECT_SECONDS)
    except TransportError as error:
        is_late = error.reason == "timed_out"
    raise TimeoutError if is_late else ConnectionRefusedError
