"""HTTP on loopback, made into the events of an API gateway, and back."""

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

from kycourier.core.errors import EvidenceUnavailable
from kycourier.ports import Clock
from kycourier_devkit.errors import FunctionFailed, FunctionProblem, UsageProblem
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.serve.evidence_links import ROOT, EvidenceLinks

HOST = "127.0.0.1"
MOST_BODY_BYTES = 10 * 1024 * 1024
_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")
_LENGTH = re.compile("[0-9]{1,12}")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_IDLE_SECONDS = 60.0
_POLL_SECONDS = 0.05

Invoke = Callable[[Mapping[str, object]], Any]
Tell = Callable[[str, str, int, float], None]


class Behind(Struct, frozen=True):
    """What stands behind the gateway. `tell` is told method, path, status, seconds."""

    invoke: Invoke
    links: EvidenceLinks | None
    clock: Clock
    tell: Tell


class Gateway(ThreadingHTTPServer):
    """A server on 127.0.0.1; each connection has a thread, which ends with us."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int) -> None:
        """Bind; raises UsageProblem when the port is taken."""
        self.behind: Behind
        self._thread: Thread | None = None
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            reason = error.strerror
        else:
            return
        raise UsageProblem(f"port {port} cannot be used ({reason}): choose with --port")

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.server_port}"

    def open(self, behind: Behind) -> None:
        """Answer from now on, in threads of its own."""
        self.behind = behind
        self._thread = Thread(
            target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    def server_bind(self) -> None:
        """Bind without the name lookup that HTTPServer makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def handle_error(self, *_: object) -> None:
        """Let a client go that hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    server: Gateway

    def _answer(self) -> None:
        behind = self.server.behind
        begun = behind.clock.monotonic()
        path, _, query = self.path.partition("?")
        status = self._dispatch(path, query)
        behind.tell(self.command, path, status, behind.clock.monotonic() - begun)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer every method: the function says which it knows."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _dispatch(self, path: str, query: str) -> int:
        """Answer, and give the status."""
        body = self._read_body()
        if body is None:
            self.close_connection = True
            return self._refuse(413, "The body is too large, or of unknown length")
        if not _HOST.fullmatch(self.headers.get("Host", "")):
            return self._refuse(421, "Only 127.0.0.1 and localhost are served here")
        links = self.server.behind.links
        if path.startswith(ROOT) and links is not None:
            return self._send_object(path, query, links)
        return self._invoke(path, query, body)

    def _invoke(self, path: str, query: str, body: bytes) -> int:
        """Let the function answer; its failure is answered as a gateway does."""
        behind = self.server.behind
        call = HttpCall(
            method=self.command,
            path=path,
            query=query,
            headers=self.headers.items(),
            body=body,
        )
        try:
            answer = behind.invoke(build_http_event(call, at=behind.clock.now()))
        except FunctionFailed:
            return self._refuse(500, "Internal Server Error")
        except FunctionProblem:
            return self._refuse(503, "Service Unavailable")
        text = answer.get("body") or ""
        encoded = answer.get("isBase64Encoded", False)
        content = base64.b64decode(text) if encoded else text.encode()
        self._send(answer["statusCode"], answer.get("headers", {}), content)
        return int(answer["statusCode"])

    def _send_object(self, path: str, query: str, links: EvidenceLinks) -> int:
        """Send what a link names. All wrong links are answered alike."""
        if self.command not in {"GET", "HEAD"}:
            return self._refuse(405, "Method Not Allowed")
        try:
            opened = links.open(path, query)
        except EvidenceUnavailable:
            return self._refuse(404, "Not Found")
        if opened is None:
            return self._refuse(403, "The link is not valid, or has ended")
        with opened.file as file:
            self._send(200, {"Content-Type": opened.media_type}, file.read())
        return 200

    def _refuse(self, status: int, title: str) -> int:
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
        """Read the body; None when it has no length, or too much of it."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            return None
        if int(length) > MOST_BODY_BYTES:
            return None
        return self.rfile.read(int(length))

    def send_error(self, code: int, *_: object) -> None:
        """Refuse what is no request, without quoting it."""
        self.close_connection = True
        self._refuse(code, HTTPStatus(code).phrase)

    def version_string(self) -> str:
        """Name the server."""
        return "kycourier"

    def log_message(self, *_: object) -> None:
        """Say nothing here: `tell` has it, without the query."""
