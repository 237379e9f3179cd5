"""A loopback proxy to an AWS emulator: records calls and runs scripted responses.

It rejects a body that does not match its checksum, as S3 does and moto does not.
"""

import base64
import hashlib
import http.client
import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from support.fakes import START

AWS_MESSAGE = "a message of AWS with 4000001234567899"  # must never be logged or raised
HOP = {"connection", "transfer-encoding"}


class AwsCall(NamedTuple):
    """One request; `name` is its action (`PutEvents`), else its HTTP method."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def with_json(self, **members: object) -> "AwsCall":
        """Return the call with these members replaced in its JSON body."""
        return self._replace(body=json.dumps({**self.json, **members}).encode())


class AwsResponse(NamedTuple):
    """One response; a script returns None to drop the connection instead.

    The proxy waits `drip` seconds before each byte of the body.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    drip: float = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Forward = Callable[[AwsCall], AwsResponse]
Script = Callable[[AwsCall, Forward], AwsResponse | None]


def json_response(members: Mapping[str, object], status: int = 200) -> AwsResponse:
    """Build a response of AWS's JSON protocol."""
    kind = ("Content-Type", "application/x-amz-json-1.0")
    return AwsResponse(status, json.dumps(members).encode(), (kind,))


def respond(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Script:
    """Respond without forwarding the call."""
    return lambda *_: AwsResponse(status, body, headers)


def respond_json(**members: object) -> Script:
    """Respond with JSON and status 200 without forwarding the call."""
    return lambda *_: json_response(members)


def respond_error(
    code: str, status: int = 400, *, message: str = AWS_MESSAGE
) -> Script:
    """Respond with an AWS error without forwarding the call."""
    members = {"__type": f"com.amazonaws.any#{code}", "message": message}
    return lambda *_: json_response(members, status)


def pass_through(call: AwsCall, forward: Forward) -> AwsResponse:
    """Forward the call and return its response."""
    return forward(call)


def drop_call(_call: AwsCall, _forward: Forward) -> None:
    """Drop the connection without forwarding the call."""


def drop_response(call: AwsCall, forward: Forward) -> None:
    """Forward the call, then drop the connection before the response."""
    forward(call)


def perform_then_respond(status: int) -> Script:
    """Forward the call, then respond with this status and no body."""

    def script(call: AwsCall, forward: Forward) -> AwsResponse:
        forward(call)
        return AwsResponse(status)

    return script


def drip_response(call: AwsCall, forward: Forward) -> AwsResponse:
    """Forward the call and respond one byte a second: no single read takes long."""
    return forward(call)._replace(drip=1)


def corrupt_body(call: AwsCall, forward: Forward) -> AwsResponse:
    """Forward the call with the first bit of its body flipped."""
    return forward(call._replace(body=bytes([call.body[0] ^ 1]) + call.body[1:]))


class AwsProxy:
    """Serves at `url` on loopback; without a `target` every call must be planned.

    A call without a planned script runs `default_script`. `calls` are the received
    calls, `responses` the emulator's own responses with their calls, and `date` is the
    Date header of all scripted responses.
    """

    def __init__(self, target: str | None = None) -> None:
        self._target = target and urlsplit(target).netloc
        self._scripts: defaultdict[str, deque[Script]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.default_script: Script = pass_through
        self.calls: list[AwsCall] = []
        self.responses: list[tuple[AwsCall, AwsResponse]] = []
        self.date = format_datetime(START, usegmt=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    def plan(self, name: str, *scripts: Script) -> None:
        """Run one script for each of the next calls with this name."""
        self._scripts[name].extend(scripts)

    def calls_to(self, name: str) -> list[AwsCall]:
        """Return the calls with this name in order of arrival, every attempt."""
        return [call for call in self.calls if call.name == name]

    def requests_to(self, name: str) -> list[Any]:
        """Return the JSON bodies of the calls with this name."""
        return [call.json for call in self.calls_to(name)]

    def reset(self) -> None:
        """Drop planned scripts and recorded calls."""
        for recorded in (self._scripts, self.calls, self.responses):
            recorded.clear()

    def hang(self, call: AwsCall, forward: Forward) -> None:
        """Forward the call and never respond."""
        forward(call)
        self._closing.wait(30)

    def pause(self, seconds: float) -> None:
        """Wait, at most until the proxy is closed."""
        self._closing.wait(seconds)

    def respond_to(self, call: AwsCall) -> AwsResponse | None:
        """Run the call's script."""
        with self._lock:
            self.calls.append(call)
            scripts = self._scripts[call.name]
            script = scripts.popleft() if scripts else self.default_script
        return script(call, self._forward)

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, call: AwsCall) -> AwsResponse:
        assert self._target, f"{call.name} was not planned"
        claimed = call.headers.get("x-amz-checksum-sha256")
        digest = base64.b64encode(hashlib.sha256(call.body).digest()).decode()
        if claimed is not None and claimed != digest:
            return AwsResponse(400, b"<Error><Code>BadDigest</Code></Error>")
        upstream = http.client.HTTPConnection(self._target, timeout=10)
        try:
            headers = {k: v for k, v in call.headers.items() if k not in HOP}
            headers.pop("content-length", None)  # a script may have changed the body
            upstream.request(call.method, call.path, call.body or None, headers)
            received = upstream.getresponse()
            body = received.read()
        finally:
            upstream.close()
        kept = [(k, v) for k, v in received.getheaders() if k.lower() not in HOP]
        response = AwsResponse(received.status, body, tuple(kept))
        with self._lock:
            self.responses.append((call, response))
        return response


def _handler(proxy: AwsProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Nagle delays each response by 40 ms

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            action = headers.get("x-amz-target", self.command).rpartition(".")[2]
            action = headers.get("x-tc-action", action)  # Tencent Cloud's
            call = AwsCall(action, self.command, self.path, headers, body)
            response = proxy.respond_to(call)
            if response is None:
                self.close_connection = True
                return
            sent = {"date": proxy.date, "content-length": str(len(response.body))}
            sent |= {name.lower(): text for name, text in response.headers}
            self.send_response_only(response.status)
            for name, text in sent.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command == "HEAD":
                return
            body = response.body
            pieces = [body]
            if response.drip:
                pieces = [body[at : at + 1] for at in range(len(body))]
            for piece in pieces:
                proxy.pause(response.drip)
                self.wfile.write(piece)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    return Handler
