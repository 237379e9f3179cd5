"""A gate on loopback before AWS: it notes each call, and plays what a test plans."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import requests

from fakes import START

SAID = "what AWS says of 4000001234567899"  # and nobody else may


class Answer(NamedTuple):
    """A status, and its body: JSON, or text as it stands."""

    status: int
    body: Mapping[str, Any] | str

    def content(self) -> bytes:
        """Spell the body."""
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


Forward = Callable[[Mapping[str, Any]], Answer]
Play = Callable[[Mapping[str, Any], Forward], Answer | None]  # None: no answer comes


def lose(body: Mapping[str, Any], forward: Forward) -> None:
    """Let the call be done, and its answer be lost."""
    forward(body)


def cut(_body: Mapping[str, Any], _forward: Forward) -> None:
    """Break the connection off before the call is done."""


def failing(code: str, status: int = 400) -> Play:
    """Answer with an error."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return lambda *_: Answer(status, {"__type": kind, "message": SAID})


def answering(**body: object) -> Play:
    """Answer well."""
    return lambda *_: Answer(200, body)


class Gate:
    """Passes calls on to `behind`, but for those that are planned otherwise."""

    def __init__(self, behind: str | None = None) -> None:
        self._behind, self._lock = behind, threading.Lock()
        self._plays: defaultdict[str, list[Play]] = defaultdict(list)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.date = format_datetime(START, usegmt=True)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        ).start()

    def plan(self, operation: str, *plays: Play) -> None:
        """Play these, one a call, the next time the operation is called."""
        self._plays[operation] += plays

    def forget(self) -> None:
        """Drop what was planned and noted."""
        self._plays.clear()
        self.calls.clear()

    def asked(self, operation: str) -> list[Mapping[str, Any]]:
        """Give what an operation was called with, attempts counted each."""
        return [body for name, body in self.calls if name == operation]

    def close(self) -> None:
        """End the gate."""
        self._server.shutdown()
        self._server.server_close()

    def play(
        self, operation: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Answer | None:
        """Answer a call."""
        with self._lock:
            self.calls.append((operation, body))
            plays = self._plays[operation]
            play = plays.pop(0) if plays else None

        def forward(asked: Mapping[str, Any]) -> Answer:
            assert self._behind, f"{operation} was not planned"
            got = requests.post(
                self._behind, json.dumps(asked), headers=headers, timeout=10
            )
            return Answer(got.status_code, got.json())

        return play(body, forward) if play else forward(body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one piece: else each waits 40 ms

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                kept = {"X-Amz-Target", "Content-Type", "Authorization", "X-Amz-Date"}
                answer = gate.play(
                    operation, body, {name: self.headers[name] for name in kept}
                )
                if answer is None:
                    self.close_connection = True
                    return
                content = answer.content()
                self.send_response_only(answer.status)
                self.send_header("Date", gate.date)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
