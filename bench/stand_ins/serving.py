"""A small HTTP server: one thread for each kept connection, nothing done twice.

Orders come as JSON lines on standard input: an object's members are given to `tell`,
and each line is answered with what was counted so far. It ends when the input does.
"""

import json
import os
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import NamedTuple

HOST = "127.0.0.1"
PIECE_BYTES = 1 << 18
KEPT_BYTES = 1 << 16  # larger bodies are read and forgotten


class Request(NamedTuple):
    """What was asked. `body` is empty where it was too large to be kept."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is answered: the body in pieces, since a large one is not copied."""

    status: str = "200 OK"
    body: tuple[bytes, ...] = ()
    headers: tuple[str, ...] = ()


class Server:
    """Serves on a free port of loopback; counts connections, requests and bytes.

    Bytes are of bodies, of those asked only as far as they are kept.
    """

    def __init__(
        self,
        answer: Callable[[Request], tuple[str, Answer]],
        *,
        context: ssl.SSLContext | None = None,
        also: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """`answer` gives a name to count a request by, and its answer.

        `also` gives what else was counted.
        """
        self._answer, self._context, self._also = answer, context, also
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def run(self, tell: Callable[[Mapping[str, object]], None]) -> None:
        """Serve until standard input ends; say the port first."""
        listener = socket.create_server((HOST, 0), backlog=128)
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        for line in sys.stdin:
            tell(json.loads(line))
            print(json.dumps(self._tell_counts()), flush=True)
        os._exit(0)

    def _tell_counts(self) -> dict[str, float]:
        with self._lock:
            return {
                **self._counts,
                **self._also(),
                "cpu_seconds": time.process_time(),
            }

    def _accept(self, listener: socket.socket) -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self._converse, args=(sock,), daemon=True).start()

    def _converse(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._count("connections", 1)
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            connection = _Connection(sock)
            while (request := connection.read()) is not None:
                name, answer = self._answer(request)
                self._count(name, 1)
                self._count(f"{name}: bytes asked", len(request.body))
                self._count(f"{name}: bytes answered", sum(map(len, answer.body)))
                connection.write(answer, is_head=request.method == "HEAD")
        except OSError:
            pass  # the other side is gone
        finally:
            sock.close()

    def _count(self, name: str, by: int) -> None:
        with self._lock:
            self._counts[name] += by


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._rest = sock, b""
        self._piece = bytearray(PIECE_BYTES)

    def read(self) -> Request | None:
        """Read a request with its body; None at the end."""
        held = self._rest
        while (end := held.find(b"\r\n\r\n")) < 0:
            more = self._sock.recv(PIECE_BYTES)
            if not more:
                return None
            held += more
        first, *lines = held[:end].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if "expect" in headers:
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", "0"))
        return Request(method, path, headers, self._read_body(held[end + 4 :], length))

    def _read_body(self, held: bytes, length: int) -> bytes:
        self._rest = held[length:]
        left = length - len(held)
        if left <= 0:
            return held[:length]
        kept = [held]
        while left > 0:
            count = self._sock.recv_into(self._piece, min(left, PIECE_BYTES))
            if not count:
                raise ConnectionResetError
            left -= count
            if length <= KEPT_BYTES:
                kept.append(bytes(self._piece[:count]))
        return b"".join(kept) if length <= KEPT_BYTES else b""

    def write(self, answer: Answer, *, is_head: bool) -> None:
        size = sum(map(len, answer.body))
        head = "\r\n".join(
            (
                f"HTTP/1.1 {answer.status}",
                f"Date: {formatdate(usegmt=True)}",
                f"Content-Length: {size}",
                *answer.headers,
                "\r\n",
            )
        ).encode("latin-1")
        first, *others = answer.body or (b"",)
        self._sock.sendall(head if is_head else head + first)
        for piece in () if is_head else others:
            self._sock.sendall(piece)
