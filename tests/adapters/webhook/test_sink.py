"""Webhooks are signed and sent once each; only a 2xx in time is taken."""

import gzip
import json
from contextlib import closing
from datetime import timedelta
from time import monotonic

import pytest
from jsonschema import Draft202012Validator
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from kycourier import __version__
from kycourier.adapters.system import SystemClock
from kycourier.adapters.webhook import sink as module
from kycourier.adapters.webhook.sink import WebhookSink
from kycourier.core.errors import SinkUnavailableError, StoreUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.core.redaction import Secret
from support.fakes import FakeClock
from support.openapi_check import load_schema
from support.rigs.in_memory import MutableSecret
from support.servers.hostile_server import (
    HostileServer,
    http_chunks,
    http_head,
    http_response,
)

pytestmark = pytest.mark.enable_socket
ONE = "whsec_" + "c3ludGhldGljIHNlY3JldCBudW1iZXIgb25l"
TWO = "whsec_" + "c3ludGhldGljIHNlY3JldCBudW1iZXIgdHdv"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BODY = json.dumps({"id": "event1", "text": "识别"}, ensure_ascii=False)
EVENT = OutboxEvent(id="event1", type="t", body=BODY, traceparent=TRACE)
TOKEN = "canary-of-the-url"
QUICK = 0.4  # of a call that must not end by itself


DESCRIBED = load_schema("asyncapi.json")["components"]["messages"]["webhook"]


class Receiver:
    """What a receiver got: heads and bodies of requests."""

    def __init__(self, respond):
        self.heads, self.bodies, self._respond = [], [], respond

    def __call__(self, peer):
        head = peer.read_request().decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        self.heads.append((head.partition("\r\n")[0], headers))
        self.bodies.append(peer.read_bytes(int(headers["Content-Length"])))
        self._respond(peer)


@pytest.fixture
def deliver():
    """Return a function that sends an event to a receiver which responds so."""

    def run(respond, *, secret=ONE, seconds=5.0, events=(EVENT,)):
        receiver = Receiver(respond)
        with closing(HostileServer(receiver)) as server:
            sink = open_sink(f"{server.url}/hook?token={TOKEN}", secret=secret)
            receiver.error = None
            try:
                sink.publish_within(events, seconds=seconds)
            except SinkUnavailableError as error:
                receiver.error = error
        return receiver

    return run


def open_sink(url, *, secret=ONE, clock=None, ca_file=None):
    return WebhookSink(
        url,
        secret=MutableSecret(secret) if isinstance(secret, str) else secret,
        clock=clock or SystemClock(),
        extra_ca_file=ca_file,
    )


def respond(data):
    return lambda peer: peer.send(data)


@pytest.mark.parametrize("secret", [ONE, f"{ONE}\n{TWO}"])
def test_headers_are_those_of_the_published_description(deliver, secret):
    [(_, headers)] = deliver(respond(http_response(b"")), secret=secret).heads

    assert headers["Content-Type"] == DESCRIBED["contentType"]
    schema = DESCRIBED["headers"]["schema"]
    sent = {name.lower(): value for name, value in headers.items()}
    assert set(schema["properties"]) <= set(sent)
    Draft202012Validator(schema).validate(sent)
    [example] = DESCRIBED["examples"]
    Draft202012Validator(schema).validate(example["headers"])


OK = respond(http_response(b"", status="204 No Content"))


def test_request_is_that_of_standard_webhooks(deliver):
    receiver = deliver(OK)

    [(line, headers)], [body] = receiver.heads, receiver.bodies
    assert line == f"POST /hook?token={TOKEN} HTTP/1.1"
    assert body == BODY.encode()
    assert headers["webhook-id"] == "event1"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert headers["User-Agent"] == f"kycourier/{__version__}"
    assert headers["traceparent"] == TRACE
    assert Webhook(ONE).verify(body, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(TWO).verify(body, headers)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("", "/"),
        ("?token=a", "/?token=a"),
        ("/?", "/"),
        ("//a//b", "//a//b"),
        ("/a%2Fb;c=1?x=/y?z", "/a%2Fb;c=1?x=/y?z"),
    ],
)
def test_target_is_that_of_the_url(url, target):
    receiver = Receiver(OK)
    with closing(HostileServer(receiver)) as server:
        open_sink(f"{server.url}{url}").publish([EVENT])

    [(line, headers)] = receiver.heads
    assert line == f"POST {target} HTTP/1.1"
    assert headers["Host"] == server.url.removeprefix("http://")


def test_both_secrets_sign_while_they_are_changed(deliver):
    receiver = deliver(OK, secret=f"{ONE}\n{TWO}\n")

    [(_, headers)], [body] = receiver.heads, receiver.bodies
    for secret in (ONE, TWO):
        Webhook(secret).verify(body, headers)
    assert headers["webhook-signature"].count("v1,") == 2


def test_each_event_is_a_request_in_order(deliver):
    other = OutboxEvent(id="event2", type="t", body='{"id":"event2"}')

    receiver = deliver(OK, events=(EVENT, other))

    assert [headers["webhook-id"] for _, headers in receiver.heads] == [
        "event1",
        "event2",
    ]
    assert "traceparent" not in receiver.heads[1][1]


def endless(peer):
    peer.send(http_head("Transfer-Encoding: chunked"))
    peer.flood(http_chunks(b"x" * 4096))


def drip_body(peer):
    peer.send(http_head("Content-Length: 100"))
    peer.drip(b"x" * 100)


def early(peer):
    peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + http_response(b""))


def respond_with_two_lengths(peer):
    peer.send(http_head("Content-Length: 1", "Content-Length: 2") + b"ok")


TAKEN = {
    "204": OK,
    "204 with a body": respond(http_response(b"no", status="204 No Content")),
    "two lengths": respond_with_two_lengths,
    "200 with a body": respond(http_response(b"thanks")),
    "299": respond(http_response(b"", status="299 Odd")),
    "gzip": respond(http_response(gzip.compress(b"ok"), "Content-Encoding: gzip")),
    "large": respond(http_head("Content-Length: 9999999999")),
    "endless": endless,
    "dripping body": drip_body,
    "cut body": respond(http_head("Content-Length: 9") + b"x"),
    "no length": respond(http_head() + b"ok"),
    "interim response": early,
}


@pytest.mark.parametrize("reply", TAKEN.values(), ids=TAKEN)
def test_any_2xx_is_taken_whatever_its_body(deliver, reply):
    receiver = deliver(reply)

    assert receiver.error is None
    assert len(receiver.bodies) == 1


def drip_head(peer):
    peer.drip(http_head(*["X-Name: value"] * 1000))


def redirect(status):
    location = "Location: http://127.0.0.1:9/elsewhere"
    return respond(http_response(b"", location, status=status))


REFUSED = {
    "500": (respond(http_response(status="500 Oh")), "http_500"),
    "404": (respond(http_response(status="404 No")), "http_404"),
    "304": (respond(http_head(status="304 Same")), "http_304"),
    "redirect": (redirect("302 Found"), "http_302"),
    "redirect of a POST": (redirect("307 Temporary"), "http_307"),
    "permanent redirect": (redirect("308 Permanent"), "http_308"),
    "reset": (lambda peer: peer.reset(), "connection_reset"),
    "end": (lambda peer: peer.end(), "connection_reset"),
    "no HTTP": (respond(b"220 mail ready\r\n\r\n"), "reply_not_http"),
    "junk": (respond(b"\x00\xff" * 50 + b"\r\n\r\n"), "reply_not_http"),
    "cut head": (respond(b"HTTP/1.1 200 OK\r\nX-Na"), "connection_reset"),
    "silence": (lambda peer: peer.pause(), "timed_out"),
    "dripping head": (drip_head, "timed_out"),
}


@pytest.mark.parametrize(("reply", "word"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_a_failure_with_its_word(deliver, reply, word):
    started = monotonic()
    receiver = deliver(reply, seconds=QUICK)

    assert receiver.error.word == word
    assert not receiver.error.is_gone
    assert len(receiver.bodies) == 1  # it is not sent twice
    assert TOKEN not in f"{receiver.error!r}{receiver.error}"
    assert receiver.error.__cause__ is receiver.error.__context__ is None
    assert monotonic() - started < 30


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 99, "reply_too_large"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 99, "reply_too_large"),
        (http_head(*["X-Name: value"] * 999), "reply_not_http"),
        (http_head("X-Name: " + "x" * 99_999), "reply_not_http"),
    ],
    ids=["100", "103", "many headers", "a long header"],
)
def test_head_without_end_is_a_failure(deliver, data, word):
    assert deliver(lambda peer: peer.flood(data), seconds=60).error.word == word


def test_gone_is_final(deliver):
    error = deliver(respond(http_response(status="410 Gone"))).error

    assert (error.word, error.is_gone) == ("http_410", True)


@pytest.mark.parametrize(
    ("status", "header", "pause"),
    [
        ("429 Slow", "7", timedelta(seconds=7)),
        ("503 Later", "3600", timedelta(hours=1)),
        ("503 Later", "  7 \t", timedelta(seconds=7)),
        ("503 Later", "-7", None),
        ("503 Later", "Wed, 21 Oct 2099 07:28:00 GMT", timedelta(hours=12)),
        ("503 Later", "Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("503 Later", "Wed, 21 Oct 2099 07:28:00", None),
        ("503 Later", f"Wed, 21 Oct {'9' * 30} 07:28:00 GMT", None),
        ("500 Oh", "Wed, 21 Oct 2099 07:28:00 GMT", None),
        ("503 Later", "999999999", timedelta(hours=12)),
        ("503 Later", "soon", None),
        ("500 Oh", "7", None),
    ],
)
def test_retry_after_of_429_and_503_is_passed_on(deliver, status, header, pause):
    reply = http_response(b"", f"Retry-After: {header}", status=status)

    assert deliver(respond(reply)).error.retry_after == pause


def test_retry_after_may_be_a_date():
    date = "Retry-After: Thu, 01 Jan 2026 00:02:00 GMT"  # two minutes after START
    reply = respond(http_response(b"", date, status="429 Slow"))
    with closing(HostileServer(Receiver(reply))) as server:
        sink = open_sink(server.url, clock=FakeClock())
        with pytest.raises(SinkUnavailableError) as refused:
            sink.publish([EVENT])

    assert refused.value.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://127.0.0.1:9/hook", "connect_failed"),
        ("https://receiver.invalid/hook", "resolve_failed"),
    ],
)
def test_receiver_that_is_not_there(url, word):
    with pytest.raises(SinkUnavailableError) as refused:
        open_sink(url).publish([EVENT])

    assert refused.value.word == word


def test_certificate_is_verified_and_an_own_root_can_be_added(certificates):
    receiver = Receiver(OK)
    with closing(HostileServer(receiver, tls=certificates.good)) as server:
        url = f"{server.url}/hook"
        with pytest.raises(SinkUnavailableError) as refused:
            open_sink(url).publish([EVENT])
        open_sink(url, ca_file=certificates.authority).publish([EVENT])
    elsewhere = HostileServer(receiver, tls=certificates.elsewhere)
    with closing(elsewhere), pytest.raises(SinkUnavailableError) as other:
        open_sink(elsewhere.url, ca_file=certificates.authority).publish([EVENT])

    assert refused.value.word == other.value.word == "tls_failed"
    assert len(receiver.bodies) == 1


def test_proxy_of_the_environment_is_not_used(deliver, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert deliver(OK).error is None


@pytest.mark.parametrize(
    "secret",
    [
        *("", "whsec_", "canary", "whsec_Y2FuYXJ5", "whsec_" + "A" * 100),
        *(f"{ONE}\n{TWO}\n{ONE}", f"{ONE}\ncanary", "whsec_" + "*" * 40),
    ],
)
def test_secret_in_another_form_is_refused(secret):
    with pytest.raises(StoreUnavailableError) as refused:
        open_sink("http://127.0.0.1:9/hook", secret=secret)

    assert refused.value.reason == "must be one or two whsec_ secrets, a line each"


def test_secret_is_read_again_after_a_minute_and_kept_while_unusable():
    clock, secret = FakeClock(), MutableSecret(ONE)
    signed = []

    def sign(*arguments):
        keys = arguments[-1]
        signed.append([key.expose() for key in keys])
        return "v1,"

    receiver = Receiver(OK)
    with (
        closing(HostileServer(receiver)) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(module, "sign", sign)
        sink = open_sink(f"{server.url}/hook", secret=secret, clock=clock)
        for value, seconds in ((TWO, 59), (TWO, 1), ("", 60), (ONE, 60)):
            secret.value = value
            clock.sleep(seconds)
            sink.publish([EVENT])

    one, two = b"synthetic secret number one", b"synthetic secret number two"
    assert signed == [[one], [two], [two], [one]]


def test_secret_hides_itself():
    sink = open_sink("http://127.0.0.1:9/hook", secret=ONE)

    assert "synthetic" not in f"{sink._keys!r}{Secret(ONE)!r}"
