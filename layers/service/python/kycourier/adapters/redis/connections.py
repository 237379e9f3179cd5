"""Connections to one Redis node: kept, checked before use, TLS always verified."""

import ssl
from collections.abc import Callable
from socket import socket
from typing import Any

import certifi
from redis.connection import Connection, ConnectionPool
from redis.credentials import CredentialProvider

from kycourier.adapters.redis.address import Address
from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret

CONNECT_SECONDS, READ_SECONDS = 1.0, 2.0
MOST_CONNECTIONS = 10_000  # one for each thread that calls: no bound of its own
_RESP = 2  # what every server and proxy speaks


class Login(CredentialProvider):
    """User and password, read when first needed and again after a refusal."""

    def __init__(self, user: str | None, load: Callable[[], Secret]) -> None:
        self._user, self._load = user, load
        self._password: Secret | None = None

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Give what AUTH takes. Raises StoreUnavailable."""
        password = self._password = self._password or self._load()
        text = password.reveal()
        return (self._user, text) if self._user else (text,)

    def forget(self) -> None:
        """Read the password anew for the next connection."""
        self._password = None


class TlsConnection(Connection):
    """A connection over TLS with a context that is made once."""

    def __init__(self, *, trust: ssl.SSLContext, **options: Any) -> None:  # noqa: ANN401 - the library's own
        self._trust = trust
        super().__init__(**options)  # type: ignore[no-untyped-call]  # the library's

    def _connect(self) -> socket:
        plain: socket = super()._connect()  # type: ignore[no-untyped-call]  # the library's
        try:
            return self._trust.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


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


def make_pool(
    host: str,
    port: int,
    *,
    db: int,
    login: Login | None,
    trust: ssl.SSLContext | None,
) -> ConnectionPool:
    """Make the connections to one node; none is opened yet, none tries twice."""
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "db": db,
        "credential_provider": login,
        "protocol": _RESP,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": READ_SECONDS,
        "driver_info": None,  # one command less to allow, one round trip less
        "max_connections": MOST_CONNECTIONS,
    }
    if trust is not None:
        options |= {"connection_class": TlsConnection, "trust": trust}
    return ConnectionPool(**options)
