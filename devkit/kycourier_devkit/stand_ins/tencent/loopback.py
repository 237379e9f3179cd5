"""A silent server on a free port of loopback: requests and replies are values."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

HOST = "127.0.0.1"
_POLL_SECONDS = 0.01


class Request(NamedTuple):
    """A request as it came: the path with its query, headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """What is answered; the body's length is said by the server."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Loopback:
    """Serves at `url`, in threads of its own, until it is closed."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _handler(answer))
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        ).start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(answer: Callable[[Request], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            reply = answer(Request(self.command, self.path, headers, body))
            told = {"content-length": str(len(reply.body)), **dict(reply.headers)}
            self.send_response_only(reply.status)
            for name, text in told.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server names them

        def log_message(self, *_: object) -> None:
            """Write nothing: headers carry keys, bodies secrets."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    return Handler
