"""Sends responses to a socket, complete or with a transport fault."""

import socket
import struct
from collections.abc import Callable

from kycourier_devkit.sandbox.http.responses import Delivery, Response

Sleep = Callable[[float], object]  # of seconds

DRIP_SECONDS = 0.1
_BLANKS = b" " * 65536
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing sends a reset


def deliver(
    response: Response,
    *,
    connection: socket.socket,
    close: bool,
    sleep: Sleep,
) -> None:
    """Sends a response; `WHOLE` sends headers and body in one piece.

    Raises:
        OSError: The client has disconnected.
    """
    head = response.head(close=close)
    if response.delivery is Delivery.DRIP_HEADERS:
        _drip(head, connection, sleep)
        connection.sendall(response.body)
    elif response.delivery is Delivery.DRIP_BODY:
        connection.sendall(head)
        _drip(response.body, connection, sleep)
    elif response.delivery is Delivery.RESET:
        connection.sendall(head + response.body[: len(response.body) // 2])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        connection.close()
    else:
        connection.sendall(head + response.body)
    while response.delivery is Delivery.ENDLESS:
        connection.sendall(_BLANKS)


def _drip(data: bytes, connection: socket.socket, sleep: Sleep) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        sleep(DRIP_SECONDS)
