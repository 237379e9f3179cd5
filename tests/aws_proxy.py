"""A loopback proxy before a stand-in of AWS: it records, and fails as it is told.

As S3 does, and moto does not, it refuses a body that its checksum does not fit.
"""

import base64
import hashlib
import http.client
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

HOP = {"connection", "content-length", "transfer-encoding"}


class Call(NamedTuple):
    """One request, named by its action (`PutEvents`) or else its method."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """One response; None in its place is a connection that is cut."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Forward = Callable[[Call], Answer]
Play = Callable[[Call, Forward], Answer | None]


def answering(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Play:
    """Answer without doing anything."""
    return lambda _call, _forward: Answer(status, body, headers)


def as_ever(call: Call, forward: Forward) -> Answer:
    """Pass it on."""
    return forward(call)


def cut(_call: Call, _forward: Forward) -> None:
    """Do nothing, and cut the connection."""


def done_then_cut(call: Call, forward: Forward) -> None:
    """Do it, and cut the connection before the answer."""
    forward(call)


def done_then(status: int) -> Play:
    """Do it, and answer as if not."""

    def play(call: Call, forward: Forward) -> Answer:
        forward(call)
        return Answer(status)

    return play


def flipping_a_bit(call: Call, forward: Forward) -> Answer:
    """Damage the body on its way."""
    return forward(call._replace(body=bytes([call.body[0] ^ 1]) + call.body[1:]))


class AwsProxy:
    """Serves on loopback, at `url`.

    `calls` are those that came, `answers` what the stand-in itself said to which.
    """

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target).netloc
        self._plays: dict[str, deque[Play]] = defaultdict(deque)
        self._lock = threading.Lock()
        self.calls: list[Call] = []
        self.answers: list[tuple[Call, Answer]] = []
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        ).start()

    def plan(self, name: str, *plays: Play) -> None:
        """Let the next calls of that name go so; after them all goes as ever."""
        self._plays[name].extend(plays)

    def named(self, name: str) -> list[Call]:
        """Give the calls of that name, in the order they came."""
        return [call for call in self.calls if call.name == name]

    def hang(self, call: Call, forward: Forward) -> None:
        """Do it, and never answer."""
        forward(call)
        self.closing.wait(30)

    def answer(self, call: Call) -> Answer | None:
        """Answer one call as planned."""
        with self._lock:
            self.calls.append(call)
            plays = self._plays[call.name]
            play = plays.popleft() if plays else as_ever
        return play(call, self._forward)

    def close(self) -> None:
        """Serve no more."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, call: Call) -> Answer:
        claimed = call.headers.get("x-amz-checksum-sha256")
        digest = base64.b64encode(hashlib.sha256(call.body).digest()).decode()
        if claimed is not None and claimed != digest:
            return Answer(400, b"<Error><Code>BadDigest</Code></Error>")
        upstream = http.client.HTTPConnection(self._target, timeout=10)
        try:
            upstream.request(call.method, call.path, call.body, dict(call.headers))
            got = upstream.getresponse()
            body = got.read()
        finally:
            upstream.close()
        headers = [(k, v) for k, v in got.getheaders() if k.lower() not in HOP]
        answer = Answer(got.status, body, tuple(headers))
        with self._lock:
            self.answers.append((call, answer))
        return answer


def _handler(proxy: AwsProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            action = headers.get("x-amz-target", self.command).rpartition(".")[2]
            call = Call(action, self.command, self.path, headers, body)
            answer = proxy.answer(call)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, text in answer.headers:
                self.send_header(name, text)
            if self.command != "HEAD" or not answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server names them

        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    return Handler
