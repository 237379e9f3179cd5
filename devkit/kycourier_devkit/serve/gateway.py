"""Converts local HTTP requests into API gateway events, and results into responses."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Thread
from typing import Any

from msgspec import Struct

from kycourier.core.errors import EvidenceUnavailableError
from kycourier.ports import Clock
from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import build_http_event
from kycourier_devkit.errors import FunctionError, FunctionFailedError, UsageError
from kycourier_devkit.serve.evidence_links import LINK_ROOT, EvidenceLinks

HOST = "127.0.0.1"
MAX_BODY_BYTES = 10 * 1024 * 1024
_HOST_HEADER = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")
_LENGTH = re.compile("[0-9]{1,12}")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_IDLE_SECONDS = 60.0
_POLL_SECONDS = 0.05

Invoke = Callable[[Mapping[str, object]], Any]  # event -> the function's result
LogRequest = Callable[[str, str, int, float], None]  # method, path, status, seconds


class Backend(Struct, frozen=True):
    """What the gateway calls; `links` is None if evidence is not in local files."""

    invoke: Invoke
    links: EvidenceLinks | None
    clock: Clock
    log_request: LogRequest


class Gateway(ThreadingHTTPServer):
    """A server on 127.0.0.1 with a daemon thread for each connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        """Binds the port. Raises UsageError if it is taken."""
        self.backend: Backend
        self._thread: Thread | None = None
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            reason = error.strerror
        else:
            return
        raise UsageError(f"port {port} cannot be used ({reason}): choose with --port")

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{HOST}:{self.server_port}"

    def start(self, backend: Backend) -> None:
        """Accepts connections in a thread of its own."""
        self.backend = backend
        self._thread = Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    def server_bind(self) -> None:
        """Binds without the name lookup of HTTPServer."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def handle_error(self, *_: object) -> None:
        """Ignores clients that close the connection early."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: Gateway

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Accepts every HTTP method: the function decides which ones it supports."""
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def _handle(self) -> None:
        backend = self.server.backend
        started = backend.clock.monotonic()
        path, _, query = self.path.partition("?")
        status = self._respond(path, query)
        seconds = backend.clock.monotonic() - started
        backend.log_request(self.command, path, status, seconds)

    def _respond(self, path: str, query: str) -> int:
        """Sends the response. Returns its status."""
        body = self._read_body()
        if body is None:
            self.close_connection = True
            return self._send_problem(413, "The body is too large, or has no length")
        if not _HOST_HEADER.fullmatch(self.headers.get("Host", "")):
            return self._send_problem(421, "The host must be 127.0.0.1 or localhost")
        links = self.server.backend.links
        if path.startswith(LINK_ROOT) and links is not None:
            return self._send_object(path, query, links)
        return self._invoke(path, query, body)

    def _invoke(self, path: str, query: str, body: bytes) -> int:
        """Sends the function's response; if it fails, the status of an API gateway."""
        backend = self.server.backend
        call = HttpCall(
            method=self.command,
            path=path,
            query=query,
            headers=self.headers.items(),
            body=body,
        )
        try:
            result = backend.invoke(build_http_event(call, at=backend.clock.now()))
        except FunctionFailedError:
            return self._send_problem(500, "Internal Server Error")
        except FunctionError:
            return self._send_problem(503, "Service Unavailable")
        text = result.get("body") or ""
        is_base64 = result.get("isBase64Encoded", False)
        content = base64.b64decode(text) if is_base64 else text.encode()
        self._send(result["statusCode"], result.get("headers", {}), content)
        return int(result["statusCode"])

    def _send_object(self, path: str, query: str, links: EvidenceLinks) -> int:
        """Sends the link's object; all invalid links get the same response."""
        if self.command not in {"GET", "HEAD"}:
            return self._send_problem(405, "Method Not Allowed")
        try:
            opened = links.open(path, query)
        except EvidenceUnavailableError:
            return self._send_problem(404, "Not Found")
        if opened is None:
            return self._send_problem(403, "The link is invalid or has expired")
        with opened.file as file:
            self._send(200, {"Content-Type": opened.media_type}, file.read())
        return 200

    def _send_problem(self, status: int, title: str) -> int:
        problem = json.dumps({"title": title, "status": status}).encode()
        self._send(status, {"Content-Type": "application/problem+json"}, problem)
        return status

    def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _read_body(self) -> bytes | None:
        """Reads the body; returns None if it has no length or is too large."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            return None
        if int(length) > MAX_BODY_BYTES:
            return None
        return self.rfile.read(int(length))

    def send_error(self, code: int, *_: object) -> None:
        """Rejects a malformed request without quoting it."""
        self.close_connection = True
        self._send_problem(code, HTTPStatus(code).phrase)

    def version_string(self) -> str:
        """Returns the value of the Server header."""
        return "kycourier"

    def log_message(self, *_: object) -> None:
        """Logs nothing here: `log_request` of the backend omits the query."""
