"""A loopback server that runs a scripted exchange on each connection and counts."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

HEAD_END = b"\r\n\r\n"


def http_response(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    """Build a whole HTTP/1.1 response with its Content-Length."""
    return http_head(f"Content-Length: {len(body)}", *headers, status=status) + body


def http_head(*headers: str, status: str = "200 OK") -> bytes:
    """Build a response's status line and headers."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1")


def http_chunks(*pieces: bytes) -> bytes:
    """Encode chunks, without the last empty one."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


class Peer:
    """One accepted connection, as a script sees it; OSError ends the script."""

    def __init__(self, server: "HostileServer", sock: socket.socket) -> None:
        self._server = server
        self._sock = sock
        self.sent = 0
        self.has_ended = False

    def read_request(self) -> bytes:
        """Read and record one request's head; raises EOFError at the stream's end."""
        text = b""
        while not text.endswith(HEAD_END):
            byte = self._sock.recv(1)
            if not byte:
                raise EOFError
            text += byte
        self._server.record_request(text)
        return text

    def read_bytes(self, count: int) -> bytes:
        """Read so many bytes of a body."""
        content = b""
        while len(content) < count and (piece := self._sock.recv(count - len(content))):
            content += piece
        return content

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
        """Send the same bytes until the client closes, and record how many."""
        with contextlib.suppress(OSError):
            while True:
                self.send(data)
        self._server.flooded = self.sent

    def pause(self, seconds: float = 60.0) -> None:
        """Wait; raises EOFError when the server is closed."""
        if self._server.closing.wait(seconds):
            raise EOFError

    def end(self) -> None:
        """Shut the connection down without a reset."""
        self.has_ended = True
        self._sock.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Close the connection with a TCP reset."""
        self._sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._sock.close()


Script = Callable[[Peer], None]


def respond_always(*replies: bytes) -> Script:
    """Respond to every request with these bytes on a connection that stays open."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            for data in replies:
                peer.send(data)

    return script


def respond_once(data: bytes) -> Script:
    """Respond to one request with these bytes and close."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return script


class HostileServer:
    """Runs the same script on every connection, each on a thread of its own."""

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        before_tls: Script | None = None,
        address: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self._script = script
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

    def record_request(self, request: bytes) -> None:
        """Record a request's head."""
        with self._lock:
            self.requests.append(request)

    def hang_up(self) -> None:
        """Close every open connection."""
        with self._lock:
            for sock in self._socks:
                _shut_down(sock)

    def close(self) -> None:
        """Close every connection and join every thread."""
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
                peer = Peer(self, sock)
                self._before_tls(peer)
                if peer.has_ended:  # wrapping a closed socket may leak it
                    return
            if self.tls:
                sock = stack.enter_context(self.tls.wrap_socket(sock, server_side=True))
                with self._lock:
                    self._socks.append(sock)
            self._script(Peer(self, sock))


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def full_backlog_port(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Listen on a port whose backlog is full: connecting to it hangs."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port)))
        listener.listen(0)
        for _ in range(8):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 - the socket's own
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
