"""Raw HTTP calls of prepared bytes over one kept connection, without any library."""

import json
import socket
import ssl
import statistics
import time
from collections.abc import Mapping

from bench.environment.emulator_process import Emulator


class RawConnection:
    """One kept connection to an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._sock: socket.socket = socket.create_connection(
            ("127.0.0.1", emulator.port)
        )
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if emulator.url.startswith("https"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._sock = context.wrap_socket(self._sock)
        self._buffer = bytearray(1 << 18)

    def call(self, request: bytes) -> float:
        """Sends a request and reads the response; returns the seconds it took."""
        started = time.perf_counter()
        self._sock.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._sock.recv(1 << 16)
        _, _, after = received[:end].partition(b"Content-Length: ")
        left = int(after.partition(b"\r\n")[0]) - len(received) + end + 4
        while left > 0:
            left -= self._sock.recv_into(self._buffer)
        return time.perf_counter() - started

    def close(self) -> None:
        """Closes the connection."""
        self._sock.close()


def median_latency(emulator: Emulator, request: bytes, *, calls: int) -> float:
    """Returns the median seconds of one call after another."""
    connection = RawConnection(emulator)
    seconds = [connection.call(request) for _ in range(calls)]
    connection.close()
    return statistics.median(seconds)


def query(size: int) -> bytes:
    """Returns a query whose reply has three photos of `size` bytes."""
    path = f"/api/server/getBankCardOcrResult?app_id=x&order_no=p{size}n0&get_file=1"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def put(size: int) -> bytes:
    """Returns a put of `size` bytes."""
    head = f"PUT /evidence/raw HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + bytes(size)


def get_item() -> bytes:
    """Returns a read of the table."""
    key = {"TableName": "raw", "Key": {"pk": {"S": "order/BENCH001/raw"}}}
    return aws_call("DynamoDB_20120810.GetItem", key)


def put_events() -> bytes:
    """Returns a put of one event."""
    entry = {"EventBusName": "bus", "Source": "raw", "Detail": "{}" + " " * 2000}
    return aws_call("AWSEvents.PutEvents", {"Entries": [entry]})


def aws_call(target: str, members: Mapping[str, object]) -> bytes:
    """Returns a call of an AWS service with a JSON API."""
    body = json.dumps(members)
    return (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {target}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
