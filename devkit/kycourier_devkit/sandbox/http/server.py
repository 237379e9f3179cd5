"""Serves HTTP on loopback with keep-alive; never logs a request."""

import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from kycourier_devkit.sandbox.http.delivery import Sleep, deliver
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.http.responses import Delivery, Response, html_response

Respond = Callable[[Request], Response]

HOST = "127.0.0.1"
_MAX_BODY_BYTES = 65536
_POLL_SECONDS = 0.02
_CLOSE_SECONDS = 1.0


class LoopbackServer:
    """Serves on 127.0.0.1 in its own threads until it is closed."""

    def __init__(
        self,
        port: int,
        *,
        respond: Respond,
        connected: Callable[[], None],
        sleep: Sleep,
    ) -> None:
        """Binds and starts.

        Args:
            port: 0 for any free port.
            respond: Returns the response to a request.
            connected: Called for each new connection.
            sleep: Waits between the bytes of a slow response.

        Raises:
            OSError: The port is taken.
        """
        self._server = _Server(port, respond=respond, connected=connected, sleep=sleep)
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stops accepting connections and closes the open ones."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server.close_connections()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        *,
        respond: Respond,
        connected: Callable[[], None],
        sleep: Sleep,
    ) -> None:
        self.respond = respond
        self.connected = connected
        self.sleep = sleep
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Binds without the name lookup of HTTPServer."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accepts a connection and tracks it until it is closed."""
        connection, address = super().get_request()
        with self._changed:
            self._open.add(connection)
        self.connected()
        return connection, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - the base class's
        """Closes a connection and stops tracking it."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def close_connections(self) -> None:
        """Shuts down the open connections and waits briefly for their threads."""
        with self._changed:
            for connection in self._open:
                _shut_down(connection)
            self._changed.wait_for(lambda: not self._open, _CLOSE_SECONDS)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class's
        """Ignores disconnected clients; print other errors without their values."""
        kind, _, trace = sys.exc_info()
        if kind is not None and not issubclass(kind, OSError):
            where = "".join(traceback.format_tb(trace))
            sys.stderr.write(f"The sandbox failed: {kind.__name__}\n{where}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        body = self._read_body()
        if body is None:
            self._send(html_response(413), close=True)
        else:
            content_type = self.headers.get("Content-Type", "")
            request = Request(self.command, self.path, body, content_type)
            response = self.server.respond(request)
            self._send(response, close=self.close_connection)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _handle  # noqa: N815 - http.server's names

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        chunked = "Transfer-Encoding" in self.headers
        if chunked or not re.fullmatch("[0-9]{1,6}", length):
            return None
        return None if int(length) > _MAX_BODY_BYTES else self.rfile.read(int(length))

    def _send(self, response: Response, *, close: bool) -> None:
        if self.command == "HEAD":
            response, close = replace(response, body=b""), True
        self.close_connection = close or response.delivery is not Delivery.WHOLE
        deliver(
            response,
            connection=self.connection,
            close=self.close_connection,
            sleep=self.server.sleep,
        )

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002 - the base class's
        explain: str | None = None,  # noqa: ARG002 - the base class's
    ) -> None:
        """Answers a malformed request without quoting it."""
        self._send(html_response(code), close=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        """Logs nothing: request lines contain secrets."""


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
