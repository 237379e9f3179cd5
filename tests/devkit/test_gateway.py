"""HTTP on loopback becomes a gateway's events, and their answers HTTP again."""

import base64
import http.client
import json
import socket
from queue import Queue

import pytest

from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.system import SystemClock
from kycourier_devkit.errors import FunctionDied, FunctionFailed, UsageProblem
from kycourier_devkit.serve.evidence_links import EvidenceLinks
from kycourier_devkit.serve.gateway import MOST_BODY_BYTES, Behind, Gateway

pytestmark = pytest.mark.enable_socket
PHOTO = b"\xff\xd8\xff a photo"
KEY = "SANDBOX1/2026/01/02/folder/original-0123456789abcdef.jpg"
OK = {"statusCode": 200, "headers": {}, "body": "{}", "isBase64Encoded": False}


class House:
    """What stands behind the gateway: a function that answers as it is told."""

    def __init__(self, folder):
        self.store = FileEvidenceStore(
            folder / "evidence", link_key=folder / "link.key", clock=SystemClock()
        )
        self.answer, self.events, self.told = OK, [], Queue()

    def invoke(self, event):
        self.events.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tell(self, *what):
        self.told.put(what[:3])


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture
def gateway(house):
    behind = Behind(house.invoke, EvidenceLinks(house.store), SystemClock(), house.tell)
    with Gateway(0) as gateway:
        gateway.open(behind)
        yield gateway


@pytest.fixture
def send(gateway):
    """Send a request; give status, headers and body."""

    def call(method, target, body=None, **headers):
        connection = http.client.HTTPConnection(
            "127.0.0.1", gateway.server_port, timeout=5
        )
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body=body, headers=named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    return call


def put_photo(house, key=KEY):
    path = house.store._root / key
    path.parent.mkdir(parents=True)
    path.write_bytes(PHOTO)


def test_it_listens_on_loopback_only(gateway):
    assert gateway.socket.getsockname()[0] == "127.0.0.1"


def test_a_request_becomes_an_event_of_an_http_api(house, send):
    send("PUT", "/v1/orders/A1?a=%2F&b", b"{}", Prefer="wait", X_Odd="1")
    [event] = house.events
    assert event["version"] == "2.0"
    assert event["requestContext"]["http"]["method"] == "PUT"
    assert (event["rawPath"], event["rawQueryString"]) == ("/v1/orders/A1", "a=%2F&b")
    assert (event["headers"]["prefer"], event["headers"]["x-odd"]) == ("wait", "1")
    assert (event["body"], event["isBase64Encoded"]) == ("{}", False)


def test_a_body_that_is_no_text_travels_in_base64(house, send):
    send("POST", "/v1/x", b"\xff\x00")
    [event] = house.events
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\x00"


def test_the_functions_answer_is_sent_as_it_is(house, send):
    house.answer = {
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
    ("problem", "status"),
    [
        (FunctionFailed("orders_api", "KeyError"), 500),
        (FunctionDied("orders_api", -9), 503),
    ],
)
def test_a_function_that_fails_is_answered_as_a_gateway_does(
    house, send, problem, status
):
    house.answer = problem
    answer = send("GET", "/v1/health")
    assert answer[0] == status
    assert "KeyError" not in str(answer[2])


def test_a_head_request_has_no_body(house, send):
    house.answer = OK | {"body": "some text"}
    status, headers, body = send("HEAD", "/v1/health")
    assert (status, headers["Content-Length"], body) == (200, "9", b"")


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PROPFIND", "x"])
def test_every_method_is_handed_on(house, send, method):
    """Which ones there are the function says."""
    house.answer = OK | {"statusCode": 405}
    assert send(method, "/v1/health")[0] == 405
    assert house.events[0]["requestContext"]["http"]["method"] == method


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", ""])
def test_a_page_that_rebinds_its_name_reaches_nothing(house, send, host):
    assert send("GET", "/v1/health", Host=host)[0] == 421
    assert not house.events


def test_a_body_without_end_is_refused_unread(house, send):
    assert send("PUT", "/v1/x", Content_Length=str(MOST_BODY_BYTES + 1))[0] == 413
    assert send("PUT", "/v1/x", Content_Length="-1")[0] == 413
    assert send("PUT", "/v1/x", Transfer_Encoding="chunked")[0] == 413
    assert not house.events


def test_what_is_no_request_is_refused_without_quoting_it(gateway):
    with socket.create_connection(("127.0.0.1", gateway.server_port), 5) as raw:
        raw.sendall(b"GET /<script> HTTP/9.9\r\n\r\n")
        answer = raw.makefile("rb").read()
    assert b"script" not in answer
    assert b"400" in answer or b"505" in answer


def test_each_request_is_told_without_its_query(house, send):
    send("GET", "/v1/health?signature=secret")
    assert house.told.get(timeout=5) == ("GET", "/v1/health", 200)


def test_a_link_gives_the_object_with_its_media_type(house, send):
    put_photo(house)
    link = house.store.link(KEY, seconds=60)
    status, headers, body = send("GET", link)
    assert (status, body) == (200, PHOTO)
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert not house.events


def test_a_link_that_is_not_ours_is_refused(house, send):
    put_photo(house)
    link = house.store.link(KEY, seconds=60)
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
        link.replace("SANDBOX1", "../SANDBOX1"),
        link.replace("SANDBOX1", "%2e%2e/SANDBOX1"),
        house.store.link(KEY, seconds=-1),
    ):
        status, _, body = send("GET", target)
        assert (status, json.loads(body)["status"]) == (403, 403), target


def test_a_link_whose_object_is_gone_is_not_found(house, send):
    assert send("GET", house.store.link(KEY, seconds=60))[0] == 404


def test_links_are_for_reading(house, send):
    put_photo(house)
    assert send("PUT", house.store.link(KEY, seconds=60))[0] == 405
    assert send("HEAD", house.store.link(KEY, seconds=60))[2] == b""


def test_a_taken_port_is_a_sentence(gateway):
    with pytest.raises(UsageProblem, match=r"port [0-9]+ cannot be used"):
        Gateway(gateway.server_port)
