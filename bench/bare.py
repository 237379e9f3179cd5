"""Bare round trips: bytes made beforehand, one kept connection, no library between."""

import json
import socket
import ssl
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from bench.stage import Stage
from bench.stand_in import CPU, StandIn

THREADS = 4


class Caller:
    """One kept connection to a stand-in."""

    def __init__(self, stand_in: StandIn) -> None:
        self._sock: socket.socket = socket.create_connection(
            ("127.0.0.1", stand_in.port)
        )
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if stand_in.url.startswith("https"):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._sock = context.wrap_socket(self._sock)
        self._room = bytearray(1 << 18)

    def call(self, request: bytes) -> float:
        """Ask once, and read the answer to its end; give the seconds."""
        begun = time.perf_counter()
        self._sock.sendall(request)
        held = b""
        while (end := held.find(b"\r\n\r\n")) < 0:
            held += self._sock.recv(1 << 16)
        _, _, after = held[:end].partition(b"Content-Length: ")
        left = int(after.partition(b"\r\n")[0]) - len(held) + end + 4
        while left > 0:
            left -= self._sock.recv_into(self._room)
        return time.perf_counter() - begun

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


def latency(stand_in: StandIn, request: bytes, *, calls: int) -> float:
    """Give the median seconds of one call after another."""
    caller = Caller(stand_in)
    found = [caller.call(request) for _ in range(calls)]
    caller.close()
    return statistics.median(found)


def find_limits(stage: Stage) -> dict[str, dict[str, float]]:
    """Ask each stand-in as fast as four threads can: calls and MB a second, CPU."""
    stage.be_slow(0)
    asked = {
        "upstream, 2 MB replies": (stage.upstream, query(500_000), 2.0),
        "upstream, 4 KB replies": (stage.upstream, query(1000), 0.004),
        "S3, 1.5 MB objects": (stage.bucket, put(1_500_000), 1.5),
        "S3, 1 KB objects": (stage.bucket, put(1000), 0.001),
        "table": (stage.services, get_item(), 0),
        "bus": (stage.services, put_events(), 0),
    }
    seconds = 0.2 if stage.is_smoke else 2.0
    return {
        name: _press(stand_in, request, megabytes, seconds)
        for name, (stand_in, request, megabytes) in asked.items()
    }


def _press(
    stand_in: StandIn, request: bytes, megabytes: float, seconds: float
) -> dict[str, float]:
    callers = [Caller(stand_in) for _ in range(THREADS)]
    ends_at = time.perf_counter() + seconds

    def call(caller: Caller) -> int:
        count = 0
        while time.perf_counter() < ends_at:
            caller.call(request)
            count += 1
        return count

    used, begun = stand_in.counts()[CPU], time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        count = sum(pool.map(call, callers))
    took = time.perf_counter() - begun
    used = stand_in.counts()[CPU] - used
    for caller in callers:
        caller.close()
    return {
        "calls_per_second": round(count / took, 1),
        "megabytes_per_second": round(count * megabytes / took, 1),
        "cores": round(used / took, 2),
        "cpu_ms_per_call": round(used / count * 1000, 3),
    }


def query(size: int) -> bytes:
    """Spell a query for three photos of a size."""
    path = f"/api/server/getBankCardOcrResult?app_id=x&order_no=p{size}n0&get_file=1"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def put(size: int) -> bytes:
    """Spell a put of so many bytes."""
    head = f"PUT /evidence/bare HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + bytes(size)


def get_item() -> bytes:
    """Spell a read of the table."""
    key = {"TableName": "bare", "Key": {"pk": {"S": "order/BENCH001/bare"}}}
    return call_service("DynamoDB_20120810.GetItem", key)


def put_events() -> bytes:
    """Spell one event for the bus."""
    entry = {"EventBusName": "bus", "Source": "bare", "Detail": "{}" + " " * 2000}
    return call_service("AWSEvents.PutEvents", {"Entries": [entry]})


def call_service(target: str, members: Mapping[str, object]) -> bytes:
    """Spell a call of an AWS service that speaks JSON."""
    body = json.dumps(members)
    return (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {target}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
