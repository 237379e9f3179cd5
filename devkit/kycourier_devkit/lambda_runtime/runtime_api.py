"""Lambda's Runtime API (2018-06-01) for one runtime process, on loopback.

The runtime asks for its next invocation and posts what came of it; we see that as
reports, in their order. The first time it asks, it has started.
"""

import enum
import queue
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from msgspec import Struct

HOST = "127.0.0.1"
ROOT = "/2018-06-01/runtime"
_POLL_SECONDS = 0.02
_REPORTED = re.compile(rf"{ROOT}/invocation/([^/]+)/(response|error)")


class Invocation(Struct, frozen=True, kw_only=True):
    """One event on its way in; `event` is JSON, the deadline in Unix milliseconds."""

    request_id: str
    event: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str


class Kind(enum.Enum):
    """What a runtime process has come to."""

    READY = "ready"
    NOT_STARTED = "not started"
    ANSWERED = "answered"
    FAILED = "failed"
    ENDED = "ended"


class Report(Struct, frozen=True):
    """One thing that the runtime told; `body` is JSON as it was posted."""

    kind: Kind
    body: bytes = b""


class RuntimeApi:
    """Serves one runtime process until it is closed."""

    def __init__(self) -> None:
        """Bind to any free port and begin."""
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._offered: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._running: str | None = None
        self._is_ready = False
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it is, as `AWS_LAMBDA_RUNTIME_API` wants it."""
        return f"{HOST}:{self._server.server_port}"

    def offer(self, invocation: Invocation) -> None:
        """Hand an invocation to the runtime, once it asks."""
        self._offered.put(invocation)

    def close(self) -> None:
        """Stop serving; a runtime that still asks is hung up on."""
        self._offered.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_invocation(self) -> Invocation | None:
        """Wait for the next invocation; None once all is over."""
        if not self._is_ready:
            self._is_ready = True
            self.reports.put(Report(Kind.READY))
        invocation = self._offered.get()
        self._running = invocation.request_id if invocation else None
        return invocation

    def take(self, path: str, body: bytes) -> bool:
        """Take what was posted; False where nobody waits for it."""
        if path == f"{ROOT}/init/error":
            self.reports.put(Report(Kind.NOT_STARTED, body))
            return True
        posted = _REPORTED.fullmatch(path)
        if posted is None or posted[1] != self._running:
            return False
        self._running = None
        kind = Kind.ANSWERED if posted[2] == "response" else Kind.FAILED
        self.reports.put(Report(kind, body))
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__((HOST, 0), _Handler)

    def server_bind(self) -> None:
        """Bind without the name lookup that HTTPServer makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def handle_error(self, *_: object) -> None:
        """Let a runtime go that was killed under way."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # 1.5 ms an invocation against 89
    server: _Server

    def do_GET(self) -> None:
        """Give the next invocation when there is one."""
        if self.path != f"{ROOT}/invocation/next":
            self._send(404)
            return
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        self._send(200, invocation.event, headers)

    def do_POST(self) -> None:
        """Take an answer, an error, or the news that the file does not load."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(202 if self.server.api.take(self.path, body) else 400)

    def _send(
        self, status: int, content: bytes = b"{}", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: events and answers are the function's."""
