"""Opens sockets within a deadline that includes name resolution."""

import socket
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from kycourier.adapters.http.responses import seconds_left
from kycourier.core.errors import TransportError
from kycourier.core.timing import CONNECT_SECONDS, CONNECT_SHARE_MIN_SECONDS


def open_socket(host: str, port: int, *, seconds: float) -> socket.socket:
    """Resolves the name and connects, within CONNECT_SECONDS at most.

    Each address gets an equal share of the time left, at least
    CONNECT_SHARE_MIN_SECONDS, so that one that hangs does not use it up.

    Raises:
        TransportError: `resolve_failed`, `connect_failed` or `timed_out`.
    """
    ends_at = monotonic() + min(seconds, CONNECT_SECONDS)
    addresses = _resolve(host, port, ends_at)
    if not addresses:
        raise TransportError("resolve_failed")
    for count, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        left = seconds_left(ends_at)
        share = min(left, max(left / count, CONNECT_SHARE_MIN_SECONDS))
        with suppress(OSError):
            return socket.create_connection(address, share)
    seconds_left(ends_at)
    raise TransportError("connect_failed")


def _resolve(host: str, port: int, ends_at: float) -> list[tuple[str, int]]:
    """Resolves the name on its own thread, since the system call has no deadline."""
    resolved: SimpleQueue[list[tuple[str, int]]] = SimpleQueue()

    def look_up() -> None:
        addresses: list[tuple[str, int]] = []
        with suppress(OSError, UnicodeError):
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [(str(address[0]), port) for *_, address in entries]
        resolved.put(addresses)

    Thread(target=look_up, daemon=True).start()
    with suppress(Empty):
        return resolved.get(timeout=seconds_left(ends_at))
    raise TransportError("timed_out")
