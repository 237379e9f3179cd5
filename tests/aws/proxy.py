"""A loopback proxy before AWS: it notes each call, and plays what a test plans.

As S3 does, and moto does not, it refuses a body that its checksum does not fit.
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

from fakes import START

SAID = "what AWS says of 4000001234567899"  # and nobody else may
HOP = {"connection", "transfer-encoding"}


class Call(NamedTuple):
    """One request, named by its action (`PutEvents`) or else its method."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def asking(self, **members: object) -> "Call":
        """Ask otherwise: with these members in the JSON."""
        return self._replace(body=json.dumps({**self.json, **members}).encode())


class Answer(NamedTuple):
    """One response; None in its place is a connection that is cut.

    `drip` seconds go by before each byte of the body.
    """

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    drip: float = 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Forward = Callable[[Call], Answer]
Play = Callable[[Call, Forward], Answer | None]


def answer_json(members: Mapping[str, object], status: int = 200) -> Answer:
    """Spell an answer as AWS's JSON APIs do."""
    kind = ("Content-Type", "application/x-amz-json-1.0")
    return Answer(status, json.dumps(members).encode(), (kind,))


def answering(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Play:
    """Answer without doing anything."""
    return lambda *_: Answer(status, body, headers)


def answering_json(**members: object) -> Play:
    """Answer well without doing anything."""
    return lambda *_: answer_json(members)


def failing(code: str, status: int = 400, *, said: str = SAID) -> Play:
    """Answer with an error without doing anything."""
    told = {"__type": f"com.amazonaws.any#{code}", "message": said}
    return lambda *_: answer_json(told, status)


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


def dripping(call: Call, forward: Forward) -> Answer:
    """Do it, and answer one byte a second: no single read takes long."""
    return forward(call)._replace(drip=1)


def flipping_a_bit(call: Call, forward: Forward) -> Answer:
    """Damage the body on its way."""
    return forward(call._replace(body=bytes([call.body[0] ^ 1]) + call.body[1:]))


class AwsProxy:
    """Serves on loopback, at `url`; with no `target`, every call must be planned.

    What is not planned goes as `otherwise` says.
    `calls` are those that came, `answers` what the stand-in itself said to which, and
    `date` is the one of all other answers.
    """

    def __init__(self, target: str | None = None) -> None:
        self._target = target and urlsplit(target).netloc
        self._plays: defaultdict[str, deque[Play]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self.otherwise: Play = as_ever
        self.calls: list[Call] = []
        self.answers: list[tuple[Call, Answer]] = []
        self.date = format_datetime(START, usegmt=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        ).start()

    def plan(self, name: str, *plays: Play) -> None:
        """Let the next calls of that name go so; after them all goes as ever."""
        self._plays[name].extend(plays)

    def named(self, name: str) -> list[Call]:
        """Give the calls of that name in the order they came, attempts counted each."""
        return [call for call in self.calls if call.name == name]

    def asked(self, name: str) -> list[Any]:
        """Give the JSON of the calls of that name."""
        return [call.json for call in self.named(name)]

    def forget(self) -> None:
        """Drop what was planned and noted."""
        for kept in (self._plays, self.calls, self.answers):
            kept.clear()

    def hang(self, call: Call, forward: Forward) -> None:
        """Do it, and never answer."""
        forward(call)
        self._closing.wait(30)

    def pause(self, seconds: float) -> None:
        """Let time go by, unless we close."""
        self._closing.wait(seconds)

    def answer(self, call: Call) -> Answer | None:
        """Answer one call as planned."""
        with self._lock:
            self.calls.append(call)
            plays = self._plays[call.name]
            play = plays.popleft() if plays else self.otherwise
        return play(call, self._forward)

    def close(self) -> None:
        """Serve no more."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, call: Call) -> Answer:
        assert self._target, f"{call.name} was not planned"
        claimed = call.headers.get("x-amz-checksum-sha256")
        digest = base64.b64encode(hashlib.sha256(call.body).digest()).decode()
        if claimed is not None and claimed != digest:
            return Answer(400, b"<Error><Code>BadDigest</Code></Error>")
        upstream = http.client.HTTPConnection(self._target, timeout=10)
        try:
            asked = {k: v for k, v in call.headers.items() if k not in HOP}
            asked.pop("content-length", None)  # a play may have changed the body
            upstream.request(call.method, call.path, call.body or None, asked)
            got = upstream.getresponse()
            body = got.read()
        finally:
            upstream.close()
        passed = [(k, v) for k, v in got.getheaders() if k.lower() not in HOP]
        answer = Answer(got.status, body, tuple(passed))
        with self._lock:
            self.answers.append((call, answer))
        return answer


def _handler(proxy: AwsProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): text for name, text in self.headers.items()}
            action = headers.get("x-amz-target", self.command).rpartition(".")[2]
            action = headers.get("x-tc-action", action)  # Tencent Cloud's
            call = Call(action, self.command, self.path, headers, body)
            answer = proxy.answer(call)
            if answer is None:
                self.close_connection = True
                return
            told = {"date": proxy.date, "content-length": str(len(answer.body))}
            told |= {name.lower(): text for name, text in answer.headers}
            self.send_response_only(answer.status)
            for name, text in told.items():
                self.send_header(name, text)
            self.end_headers()
            if self.command == "HEAD":
                return
            pieces = [answer.body]
            if answer.drip:
                pieces = [answer.body[at : at + 1] for at in range(len(answer.body))]
            for piece in pieces:
                proxy.pause(answer.drip)
                self.wfile.write(piece)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - http.server names them

        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    return Handler
