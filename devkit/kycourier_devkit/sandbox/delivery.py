"""How the bytes of an answer go into a socket, whole or with a wire fault."""

import socket
import struct
from collections.abc import Callable

from kycourier_devkit.sandbox.answers import Answer, Delivery

Sleep = Callable[[float], object]  # of seconds

DRIP_SECONDS = 0.1
_BLANKS = b" " * 65536
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing sends a reset


def deliver(
    answer: Answer,
    *,
    connection: socket.socket,
    close: bool,
    sleep: Sleep,
) -> None:
    """Send an answer; OSError when the client has gone.

    A whole answer leaves in one send, headers and body together.
    """
    head = answer.head(close=close)
    if answer.delivery is Delivery.DRIP_HEADERS:
        _drip(head, connection, sleep)
        connection.sendall(answer.body)
    elif answer.delivery is Delivery.DRIP_BODY:
        connection.sendall(head)
        _drip(answer.body, connection, sleep)
    elif answer.delivery is Delivery.RESET:
        connection.sendall(head + answer.body[: len(answer.body) // 2])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        connection.close()
    else:
        connection.sendall(head + answer.body)
    while answer.delivery is Delivery.ENDLESS:
        connection.sendall(_BLANKS)


def _drip(data: bytes, connection: socket.socket, sleep: Sleep) -> None:
    for at in range(len(data)):
        connection.sendall(data[at : at + 1])
        sleep(DRIP_SECONDS)
