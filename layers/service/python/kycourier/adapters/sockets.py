"""How a socket is opened: within a time that includes the name's resolution."""

import socket
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from kycourier.adapters.http_answer import seconds_left
from kycourier.core.errors import UpstreamUnreachable

CONNECT_SECONDS = 2.0
LEAST_SHARE_SECONDS = 1.0


def open_socket(host: str, port: int, *, seconds: float) -> socket.socket:
    """Resolve and connect, within two seconds at most.

    An address that hangs has its share of them, and a second at least.
    Raises UpstreamUnreachable: resolve, connect, timeout.
    """
    ends_at = monotonic() + min(seconds, CONNECT_SECONDS)
    addresses = _resolve(host, port, ends_at)
    if not addresses:
        raise UpstreamUnreachable("resolve")
    for count, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        left = seconds_left(ends_at)
        share = min(left, max(left / count, LEAST_SHARE_SECONDS))
        with suppress(OSError):
            return socket.create_connection(address, share)
    seconds_left(ends_at)
    raise UpstreamUnreachable("connect")


def _resolve(host: str, port: int, ends_at: float) -> list[tuple[str, int]]:
    """Look the name up on a thread of its own: the system's call has no deadline."""
    answers: SimpleQueue[list[tuple[str, int]]] = SimpleQueue()

    def look_up() -> None:
        found: list[tuple[str, int]] = []
        with suppress(OSError, UnicodeError):
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = [(str(address[0]), port) for *_, address in entries]
        answers.put(found)

    Thread(target=look_up, daemon=True).start()
    with suppress(Empty):
        return answers.get(timeout=seconds_left(ends_at))
    raise UpstreamUnreachable("timeout")
