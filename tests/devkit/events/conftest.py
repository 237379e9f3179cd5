"""Fixtures: a sandbox, commands against it, and a receiver of webhooks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kycourier_devkit.sandbox import Sandbox


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def environ(sandbox):
    return {"KYCOURIER_KYC_URL": sandbox.url}


@pytest.fixture
def call(kycourier, environ):
    """Run a command against the sandbox."""
    return lambda *arguments, **more: kycourier(*arguments, **environ | more)


@pytest.fixture
def published(tmp_path):
    """Return the lines of the event file so far."""

    def read():
        path = tmp_path / ".kycourier/events.jsonl"
        return path.read_text("utf-8").splitlines() if path.exists() else []

    return read


class Receiver:
    """A receiver on 127.0.0.1 that may stop and start again on its port."""

    def __init__(self):
        self.requests, self.status = [], 200
        self._port, self._server = 0, None
        self.arrived = threading.Condition()

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.arrived:
                    receiver.requests.append((self.path, dict(self.headers), body))
                    receiver.arrived.notify_all()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()
        return self

    def stop(self):
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}/hook?from=kycourier"

    def wait_for(self, count):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, 15)
        return self.requests

    def ids(self):
        return [json.loads(body)["id"] for _, _, body in self.requests]


@pytest.fixture
def receiver():
    receiver = Receiver().start()
    yield receiver
    receiver.stop()
