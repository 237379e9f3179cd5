"""A proxy on loopback that loses answers, stalls, or changes what a server says."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


class CuttingProxy:
    """Passes bytes on between clients and a server; each answer has a number, from 1.

    `lose`: answers that come, but never arrive: the connection is closed instead.
    `change`: bytes that are said in another way. `stall` leaves all connections of now
    open and deaf, as a network does that has forgotten them. `hold`: the next request
    that says so is kept on its way, and `held` tells it, until `let_go`.
    """

    def __init__(self, port: int) -> None:
        self._to = (HOST, port)
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.answers = self.connections = 0
        self.lose: set[int] = set()
        self.change: Mapping[bytes, bytes] = {}
        self.deaf = False
        self.hold: bytes | None = None
        self.held, self.let_go = threading.Event(), threading.Event()
        self._stalled: set[int] = set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    def stall(self) -> None:
        """Let what is connected now hear nothing more."""
        self._stalled = set(range(1, self.connections + 1))

    def close(self) -> None:
        """End all connections and wait for the threads."""
        self.let_go.set()
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _begin(self, work, *given) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
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
            self._begin(self._pass_on, self.connections, client, server)
            self._begin(self._answer, client, server)

    def _pass_on(self, number: int, client, server) -> None:
        with suppress(OSError):
            while said := client.recv(65536):
                self._keep(said)
                if not self.deaf and number not in self._stalled:
                    server.sendall(said)
        _end(client, server)

    def _keep(self, said: bytes) -> None:
        if self.hold is not None and self.hold in said:
            self.hold = None
            self.held.set()
            self.let_go.wait(60)

    def _answer(self, client, server) -> None:
        with suppress(OSError):
            while said := server.recv(65536):
                self.answers += 1
                if self.answers in self.lose:
                    break
                for theirs, ours in self.change.items():
                    said = said.replace(theirs, ours)
                client.sendall(said)
        _end(client, server)


@contextmanager
def cutting_proxy(port: int) -> Iterator[CuttingProxy]:
    """Stand between clients and a server on a port of loopback."""
    proxy = CuttingProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


def _end(*sockets) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
