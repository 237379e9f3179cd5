"""Serves Lambda's Runtime API (2018-06-01) to one runtime process, on loopback.

The runtime polls for its next invocation and posts the result, which arrives here as
runtime events, in order. Its first poll shows that it has started.
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
_POSTED = re.compile(rf"{ROOT}/invocation/([^/]+)/(response|error)")


class Invocation(Struct, frozen=True, kw_only=True):
    """One invocation; `event` is JSON, the deadline in Unix milliseconds."""

    request_id: str
    event: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str


class RuntimeEventKind(enum.Enum):
    """What happened in a runtime process."""

    READY = "ready"
    INIT_FAILED = "init failed"
    RETURNED = "returned"
    FAILED = "failed"
    EXITED = "exited"


class RuntimeEvent(Struct, frozen=True):
    """One event of a runtime process; `body` is the JSON that it posted."""

    kind: RuntimeEventKind
    body: bytes = b""


class RuntimeApi:
    """Serves one runtime process until it is closed."""

    def __init__(self) -> None:
        """Binds to any free port and starts serving."""
        self.events: queue.SimpleQueue[RuntimeEvent] = queue.SimpleQueue()
        self._pending: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._running: str | None = None
        self._is_ready = False
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """The value of `AWS_LAMBDA_RUNTIME_API`."""
        return f"{HOST}:{self._server.server_port}"

    def enqueue(self, invocation: Invocation) -> None:
        """Delivers an invocation at the runtime's next poll."""
        self._pending.put(invocation)

    def close(self) -> None:
        """Stops serving; a pending poll is disconnected."""
        self._pending.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_invocation(self) -> Invocation | None:
        """Waits for the next invocation; None after `close`."""
        if not self._is_ready:
            self._is_ready = True
            self.events.put(RuntimeEvent(RuntimeEventKind.READY))
        invocation = self._pending.get()
        self._running = invocation.request_id if invocation else None
        return invocation

    def accept(self, path: str, body: bytes) -> bool:
        """Records a posted result; False if no invocation is waiting for it."""
        if path == f"{ROOT}/init/error":
            self.events.put(RuntimeEvent(RuntimeEventKind.INIT_FAILED, body))
            return True
        posted = _POSTED.fullmatch(path)
        if posted is None or posted[1] != self._running:
            return False
        self._running = None
        returned = posted[2] == "response"
        kind = RuntimeEventKind.RETURNED if returned else RuntimeEventKind.FAILED
        self.events.put(RuntimeEvent(kind, body))
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__((HOST, 0), _Handler)

    def server_bind(self) -> None:
        """Binds without HTTPServer's name lookup."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def handle_error(self, *_: object) -> None:
        """Ignores a runtime that was killed during a request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # 1.5 ms an invocation against 89
    server: _Server

    def do_GET(self) -> None:
        """Responds with the next invocation as soon as there is one."""
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
        """Accepts a result, an error, or an initialization error."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(202 if self.server.api.accept(self.path, body) else 400)

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
        """Logs nothing: bodies may hold secrets."""
