"""An HTTP server on a free loopback port; requests and responses are values."""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

HOST = "127.0.0.1"
_POLL_SECONDS = 0.01


class Request(NamedTuple):
    """A request: `path` includes the query, header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Response(NamedTuple):
    """A response; the server adds the content length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class LoopbackServer:
    """Serves at `url`, in threads of its own, until `close`."""

    def __init__(self, respond: Callable[[Request], Response]) -> None:
        self._server = ThreadingHTTPServer((HOST, 0), _handler(respond))
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        ).start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(respond: Callable[[Request], Response]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            response = respond(Request(self.command, self.path, headers, body))
            length = {"content-length": str(len(response.body))}
            self.send_response_only(response.status)
            for name, text in (length | dict(response.headers)).items():
                self.send_header(name, text)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Logs nothing: requests carry keys and secrets."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    return Handler
