"""Conversion between HTTP and the events of an API gateway."""

import base64
import http.client
import json
import socket
from queue import Queue

import pytest

from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.system import SystemClock
from kycourier_devkit.errors import FunctionExitedError, FunctionFailedError, UsageError
from kycourier_devkit.serve.evidence_links import EvidenceLinks
from kycourier_devkit.serve.gateway import MAX_BODY_BYTES, Backend, Gateway

pytestmark = pytest.mark.enable_socket
PHOTO = b"\xff\xd8\xff a photo"
KEY = "SANDBOX1/2026/01/02/folder/original-0123456789abcdef.jpg"
OK = {"statusCode": 200, "headers": {}, "body": "{}", "isBase64Encoded": False}


class FakeBackend:
    """A function with a set result, and an evidence store."""

    def __init__(self, folder):
        self.store = FileEvidenceStore(
            folder / "evidence", link_key=folder / "link.key", clock=SystemClock()
        )
        self.result, self.events, self.logged = OK, [], Queue()

    def invoke(self, event):
        self.events.append(event)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def log_request(self, *line):
        self.logged.put(line[:3])


@pytest.fixture
def backend(tmp_path):
    return FakeBackend(tmp_path)


@pytest.fixture
def gateway(backend):
    links = EvidenceLinks(backend.store)
    with Gateway(0) as gateway:
        gateway.start(
            Backend(backend.invoke, links, SystemClock(), backend.log_request)
        )
        yield gateway


@pytest.fixture
def send(gateway):
    """Send a request. Returns status, headers and body."""

    def call(method, target, body=None, **headers):
        connection = http.client.HTTPConnection(
            "127.0.0.1", gateway.server_port, timeout=5
        )
        try:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body=body, headers=fields)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    return call


def put_photo(backend, key=KEY):
    path = backend.store._root / key
    path.parent.mkdir(parents=True)
    path.write_bytes(PHOTO)


def test_request_becomes_http_api_event_and_is_logged_without_query(backend, send):
    send("PUT", "/v1/orders/A1?a=%2F&b", b"{}", Prefer="wait", X_Odd="1")
    [event] = backend.events
    assert event["version"] == "2.0"
    assert event["requestContext"]["http"]["method"] == "PUT"
    assert (event["rawPath"], event["rawQueryString"]) == ("/v1/orders/A1", "a=%2F&b")
    assert (event["headers"]["prefer"], event["headers"]["x-odd"]) == ("wait", "1")
    assert (event["body"], event["isBase64Encoded"]) == ("{}", False)
    assert backend.logged.get(timeout=5) == ("PUT", "/v1/orders/A1", 200)
    send("POST", "/v1/x", b"\xff\x00")
    assert backend.events[1]["body"] == base64.b64encode(b"\xff\x00").decode()
    assert backend.events[1]["isBase64Encoded"] is True


def test_result_of_function_is_sent_unchanged(backend, send):
    backend.result = {
        "statusCode": 302,
        "headers": {"Location": "/elsewhere", "Cache-Control": "private"},
        "body": base64.b64encode(b"\xff").decode(),
        "isBase64Encoded": True,
    }
    status, headers, body = send("GET", "/v1/x")
    assert (status, body) == (302, b"\xff")
    assert headers["Location"] == "/elsewhere"
    assert headers.get_all("Cache-Control") == ["private"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FunctionFailedError("orders_api", "KeyError"), 500),
        (FunctionExitedError("orders_api", -9), 503),
    ],
)
def test_failed_function_gets_status_of_api_gateway(backend, send, error, status):
    backend.result = error
    actual, _, body = send("GET", "/v1/health")
    assert actual == status
    assert b"KeyError" not in body


@pytest.mark.parametrize("method", ["HEAD", "TRACE", "PROPFIND", "x"])
def test_every_method_is_forwarded(backend, send, method):
    backend.result = OK | {"statusCode": 405, "body": "some text"}
    status, headers, body = send(method, "/v1/health")
    assert (status, headers["Content-Length"]) == (405, "9")
    assert body == (b"" if method == "HEAD" else b"some text")
    assert backend.events[0]["requestContext"]["http"]["method"] == method


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", ""])
def test_foreign_host_header_is_rejected(backend, send, host):
    assert send("GET", "/v1/health", Host=host)[0] == 421
    assert not backend.events


def test_oversized_or_unbounded_body_is_rejected_unread(backend, send):
    assert send("PUT", "/v1/x", Content_Length=str(MAX_BODY_BYTES + 1))[0] == 413
    assert send("PUT", "/v1/x", Content_Length="-1")[0] == 413
    assert send("PUT", "/v1/x", Transfer_Encoding="chunked")[0] == 413
    assert not backend.events


def test_malformed_request_is_rejected_without_quoting_it(gateway):
    with socket.create_connection(("127.0.0.1", gateway.server_port), 5) as raw:
        raw.sendall(b"GET /<script> HTTP/9.9\r\n\r\n")
        response = raw.makefile("rb").read()
    assert b"script" not in response
    assert b"400" in response or b"505" in response


def test_link_is_read_only_and_returns_object_with_media_type(backend, send):
    link = backend.store.link(KEY, seconds=60)
    assert send("GET", link)[0] == 404
    put_photo(backend)
    status, headers, body = send("GET", link)
    assert (status, body) == (200, PHOTO)
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert send("PUT", link)[0] == 405
    assert send("HEAD", link)[2] == b""
    assert not backend.events


def test_forged_or_expired_link_is_rejected(backend, send):
    put_photo(backend)
    link = backend.store.link(KEY, seconds=60)
    path, _, query = link.partition("?")
    expires, _, signature = query.partition("&")
    last = "0" if link[-1] != "0" else "1"
    for target in (
        link[:-1] + last,
        path,
        f"{path}?{expires}",
        f"{path}?{expires}0&{signature}",
        f"{link}&{expires}",
        f"{link}&x=1",
        link.replace("original-", "cropped-"),
        link.replace("SANDBOX1", "%2e%2e/SANDBOX1"),
        backend.store.link(KEY, seconds=-1),
    ):
        status, _, body = send("GET", target)
        assert (status, json.loads(body)["status"]) == (403, 403), target


def test_gateway_listens_on_loopback_and_takes_its_port_alone(gateway):
    assert gateway.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(UsageError, match=r"port [0-9]+ cannot be used"):
        Gateway(gateway.server_port)
