"""A small HTTP server with one thread for each kept connection.

It is controlled by JSON lines on standard input: each line is passed to `configure`,
and the counters are written back. It ends when standard input is closed.
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
CHUNK_BYTES = 1 << 18
MAX_KEPT_BYTES = 1 << 16  # larger bodies are read and dropped


class Request(NamedTuple):
    """A request. `body` is empty where it was too large to be kept."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """A response, its body in pieces so that a large one is not copied."""

    status: str = "200 OK"
    body: tuple[bytes, ...] = ()
    headers: tuple[str, ...] = ()


class Server:
    """Serves on a free port of loopback; counts connections, requests and body bytes.

    Of request bodies only the kept bytes are counted.
    """

    def __init__(
        self,
        handle: Callable[[Request], tuple[str, Response]],
        *,
        context: ssl.SSLContext | None = None,
        more_counters: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """Sets up a server.

        Args:
            handle: returns the name that a request is counted by, and the response.
            context: TLS, if it is spoken.
            more_counters: returns counters that are not the server's own.
        """
        self._handle, self._context, self._more = handle, context, more_counters
        self._lock = threading.Lock()
        self._counters: Counter[str] = Counter()

    def run(self, configure: Callable[[Mapping[str, object]], None]) -> None:
        """Prints the port, then serve until standard input is closed."""
        listener = socket.create_server((HOST, 0), backlog=128)
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        for line in sys.stdin:
            configure(json.loads(line))
            print(json.dumps(self._all_counters()), flush=True)
        os._exit(0)

    def _all_counters(self) -> dict[str, float]:
        with self._lock:
            return {
                **self._counters,
                **self._more(),
                "cpu_seconds": time.process_time(),
            }

    def _accept(self, listener: socket.socket) -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._count("connections", 1)
        try:
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
            connection = _Connection(sock)
            while (request := connection.read()) is not None:
                name, response = self._handle(request)
                self._count(name, 1)
                self._count(f"{name}: request bytes", len(request.body))
                self._count(f"{name}: response bytes", sum(map(len, response.body)))
                connection.write(response, is_head=request.method == "HEAD")
        except OSError:
            pass  # the client has closed the connection
        finally:
            sock.close()

    def _count(self, name: str, by: int) -> None:
        with self._lock:
            self._counters[name] += by


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._rest = sock, b""
        self._chunk = bytearray(CHUNK_BYTES)

    def read(self) -> Request | None:
        """Reads a request with its body; returns None at the end."""
        received = self._rest
        while (end := received.find(b"\r\n\r\n")) < 0:
            more = self._sock.recv(CHUNK_BYTES)
            if not more:
                return None
            received += more
        first, *lines = received[:end].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if "expect" in headers:
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", "0"))
        body = self._read_body(received[end + 4 :], length)
        return Request(method, path, headers, body)

    def _read_body(self, received: bytes, length: int) -> bytes:
        self._rest = received[length:]
        left = length - len(received)
        if left <= 0:
            return received[:length]
        kept = [received]
        while left > 0:
            count = self._sock.recv_into(self._chunk, min(left, CHUNK_BYTES))
            if not count:
                raise ConnectionResetError
            left -= count
            if length <= MAX_KEPT_BYTES:
                kept.append(bytes(self._chunk[:count]))
        return b"".join(kept) if length <= MAX_KEPT_BYTES else b""

    def write(self, response: Response, *, is_head: bool) -> None:
        size = sum(map(len, response.body))
        head = "\r\n".join(
            (
                f"HTTP/1.1 {response.status}",
                f"Date: {formatdate(usegmt=True)}",
                f"Content-Length: {size}",
                *response.headers,
                "\r\n",
            )
        ).encode("latin-1")
        first, *others = response.body or (b"",)
        self._sock.sendall(head if is_head else head + first)
        for piece in () if is_head else others:
            self._sock.sendall(piece)
