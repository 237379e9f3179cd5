"""Connections to one Redis node: kept, checked before use, TLS always verified.

What is said on them, Redis's own parser reads and writes (RESP 2, which every server
and proxy speaks).
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

from kycourier.adapters.redis.address import Address
from kycourier.adapters.redis.failures import Refused
from kycourier.adapters.sockets import open_socket
from kycourier.core.errors import StoreUnavailable, UpstreamUnreachable
from kycourier.core.hidden import Secret

CONNECT_SECONDS, READ_SECONDS = 1.0, 2.0
PIECE_BYTES = 1 << 16
_NOT_YET = object()

Value = str | bytes | int


class Node(Struct, frozen=True):
    """Where one server listens."""

    host: str
    port: int


class Login:
    """User and password, read when first needed and again after a refusal."""

    def __init__(self, user: str | None, load: Callable[[], Secret]) -> None:
        self._user, self._load = user, load
        self._password: Secret | None = None

    def read(self) -> Sequence[str]:
        """Give what AUTH takes. Raises StoreUnavailable."""
        password = self._password = self._password or self._load()
        text = password.reveal()
        return (self._user, text) if self._user else (text,)

    def forget(self) -> None:
        """Read the password anew for the next connection."""
        self._password = None


def make_trust(address: Address) -> ssl.SSLContext | None:
    """Make what certificates and host names are checked with; None without TLS.

    Trusted is the private authority where one is named, else the public ones. Raises
    StoreUnavailable.
    """
    if not address.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks chain and host
    try:
        context.load_verify_locations(address.ca_file or certifi.where())
    except OSError:
        pass  # raised below: the foreign error carries the path
    else:
        return context
    raise StoreUnavailable("ca names no readable certificates")


class Connection:
    """One connection, of one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket, self._process = sock, os.getpid()
        self._reader = Reader(replyError=Refused, notEnoughData=_NOT_YET)

    def ask(self, command: Sequence[Value], *, seconds: float) -> object:
        """Give the answer to a command, waiting for its last byte no longer than that.

        Raises Refused, OSError, ProtocolError; only after a Refused it is of use.
        """
        ends_at = monotonic() + seconds
        self._socket.settimeout(seconds)
        words = pack_command(tuple(command))  # type: ignore[arg-type]  # it takes any number
        self._socket.sendall(words)
        while (answer := self._read()) is _NOT_YET:
            left = ends_at - monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            piece = self._socket.recv(PIECE_BYTES)
            if not piece:
                raise ConnectionResetError
            self._reader.feed(piece)
        try:
            if isinstance(answer, Refused):
                raise answer
            return answer
        finally:
            del answer  # no circle with its traceback: that would outlive the call

    def _read(self) -> object:
        with suppress(TypeError):  # of RESP 3's maps, where a key is none
            return self._reader.gets()
        raise ProtocolError

    def is_quiet(self) -> bool:
        """Tell whether nothing came after the last answer, no end of it either.

        One that crossed a fork is never quiet: the other process talks on it too.
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
        """End it."""
        self._socket.close()


class Connections:
    """The connections to one node; threads share them, each asks on one of its own."""

    def __init__(
        self,
        node: Node,
        *,
        db: int,
        login: Login | None,
        trust: ssl.SSLContext | None,
    ) -> None:
        """Open none yet."""
        self._node, self._db, self._login, self._trust = node, db, login, trust
        self._idle: list[Connection] = []

    def ask(self, command: Sequence[Value], *, wait: Callable[[], float]) -> object:
        """Ask once, on a kept connection or a new one; `wait` gives seconds then.

        Raises Refused, OSError, ProtocolError; StoreUnavailable without a password.
        """
        connection = self._take()
        try:
            answer = connection.ask(command, seconds=wait())
        except Refused:
            self._idle.append(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    def close_idle(self) -> None:
        """End those that nobody uses now."""
        while (connection := self._pop()) is not None:
            connection.close()

    def __del__(self) -> None:
        self.close_idle()

    def _take(self) -> Connection:
        while (connection := self._pop()) is not None:
            if connection.is_quiet():
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
            sock.settimeout(READ_SECONDS)
            if self._trust is not None:
                sock = self._trust.wrap_socket(sock, server_hostname=self._node.host)
        except BaseException:
            sock.close()
            raise
        return Connection(sock)

    def _prepare(self, opened: Connection) -> None:
        if self._login is not None:
            try:
                _tell(opened, "AUTH", *self._login.read())
            except Refused as refusal:
                raise refusal.of_login() from None
        if self._db:
            _tell(opened, "SELECT", self._db)


def _tell(opened: Connection, *command: Value) -> None:
    """Say what is answered by OK alone: what came after it would answer the next."""
    if opened.ask(command, seconds=READ_SECONDS) != b"OK" or not opened.is_quiet():
        raise ProtocolError


def _open_socket(node: Node) -> socket.socket:
    """Connect, the name's resolution included in the time. Raises OSError."""
    try:
        return open_socket(node.host, node.port, seconds=CONNECT_SECONDS)
    except UpstreamUnreachable as error:
        is_late = error.reason == "timeout"
    raise TimeoutError if is_late else ConnectionRefusedError
