"""A loopback TCP proxy that drops responses, freezes connections or rewrites bytes."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


class FaultyProxy:
    """Forwards bytes between clients and a server; responses are numbered from 1.

    `drop_responses` holds the numbers of responses in whose place the connection is
    closed. `replacements` maps bytes in responses to what is sent instead.
    `freeze_connections` keeps all present connections open but forwards nothing more,
    as after a lost NAT entry; `is_silent` does so for every connection. The next
    request that contains `hold` waits for `let_go`; `held` is set meanwhile.
    """

    def __init__(self, port: int) -> None:
        self._to = (HOST, port)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.responses = self.connections = 0
        self.drop_responses: set[int] = set()
        self.replacements: Mapping[bytes, bytes] = {}
        self.is_silent = False
        self.hold: bytes | None = None
        self.held, self.let_go = threading.Event(), threading.Event()
        self._frozen: set[int] = set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def freeze_connections(self) -> None:
        """Forward nothing more on the present connections."""
        self._frozen = set(range(1, self.connections + 1))

    def close(self) -> None:
        """End all connections and wait for the threads."""
        self.let_go.set()
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._to)
            except OSError:
                return
            self._open += [client, server]
            self.connections += 1
            self._start(self._forward_requests, self.connections, client, server)
            self._start(self._forward_responses, client, server)

    def _forward_requests(self, number: int, client, server) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                self._wait_if_held(data)
                if not self.is_silent and number not in self._frozen:
                    server.sendall(data)
        _shut_down(client, server)

    def _wait_if_held(self, data: bytes) -> None:
        if self.hold is not None and self.hold in data:
            self.hold = None
            self.held.set()
            self.let_go.wait(60)

    def _forward_responses(self, client, server) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                self.responses += 1
                if self.responses in self.drop_responses:
                    break
                for old, new in self.replacements.items():
                    data = data.replace(old, new)
                client.sendall(data)
        _shut_down(client, server)


@contextmanager
def open_faulty_proxy(port: int) -> Iterator[FaultyProxy]:
    """Run a proxy to a server on a loopback port."""
    proxy = FaultyProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def _shut_down(*sockets) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
