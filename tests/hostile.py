"""A loopback server that answers HTTP as badly as it is told, and counts."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

HEAD_END = b"\r\n\r\n"


def reply(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    """Spell a whole HTTP/1.1 reply of known length."""
    return head(f"Content-Length: {len(body)}", *headers, status=status) + body


def head(*headers: str, status: str = "200 OK") -> bytes:
    """Spell a reply's head."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1")


def chunks(*pieces: bytes) -> bytes:
    """Spell chunks, without the last empty one."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


class Peer:
    """One accepted connection, as a play sees it. OSError ends the play."""

    def __init__(self, server: "HostileServer", sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self.sent = 0
        self.answered = 0

    def hear(self) -> bytes:
        """Read one request's head and note it; raises EOFError when there is none."""
        text = b""
        while not text.endswith(HEAD_END):
            byte = self._sock.recv(1)
            if not byte:
                raise EOFError
            text += byte
        self._server.note(text)
        return text

    def send(self, data: bytes) -> None:
        """Send everything."""
        self._sock.sendall(data)
        self.sent += len(data)

    def drip(self, data: bytes, *, seconds: float = 0.03) -> None:
        """Send a byte at a time."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(seconds)

    def flood(self, data: bytes) -> None:
        """Send the same for ever, and note how much went out."""
        with contextlib.suppress(OSError):
            while True:
                self.send(data)
        self._server.flooded = self.sent

    def pause(self, seconds: float = 60.0) -> None:
        """Do nothing until the server is closed."""
        if self._server.closing.wait(seconds):
            raise EOFError

    def end(self) -> None:
        """Close in good order."""
        self._sock.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        self._sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._sock.close()


Play = Callable[[Peer], None]


def answering(*replies: bytes) -> Play:
    """Answer every request with all of these bytes, and keep the connection."""

    def play(peer: Peer) -> None:
        while True:
            peer.hear()
            for data in replies:
                peer.send(data)

    return play


def once(data: bytes) -> Play:
    """Answer one request with these bytes and close."""

    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(data)

    return play


class HostileServer:
    """Plays the same play on every connection, each on a thread of its own."""

    def __init__(
        self,
        play: Play,
        *,
        tls: ssl.SSLContext | None = None,
        before_tls: Play | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self._play = play
        self.tls = tls
        self._before_tls = before_tls
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._socks: list[socket.socket] = []
        self.closing = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self.flooded = 0
        self._listener = socket.create_server(address, backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{address[0]}:{self.port}"
        self._start(self._accept)

    def note(self, request: bytes) -> None:
        """Keep a request's head."""
        with self._lock:
            self.requests.append(request)

    def hang_up(self) -> None:
        """End every connection that there is."""
        with self._lock:
            for sock in self._socks:
                _shut_down(sock)

    def close(self) -> None:
        """End every connection and thread."""
        self.closing.set()
        _shut_down(self._listener)
        self.hang_up()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self.closing.is_set():
                sock, _ = self._listener.accept()
                with self._lock:
                    self.connections += 1
                    self._socks.append(sock)
                self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, EOFError), contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            if self._before_tls:
                self._before_tls(Peer(self, sock))
            if self.tls:
                sock = stack.enter_context(self.tls.wrap_socket(sock, server_side=True))
                with self._lock:
                    self._socks.append(sock)
            self._play(Peer(self, sock))


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def unaccepting_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Hold a port whose backlog is full: connecting to it hangs."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port)))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 - the socket's own
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def refusing_port() -> int:
    """Name a port where nobody listens just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
