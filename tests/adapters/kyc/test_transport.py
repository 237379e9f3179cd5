"""What the KYC transport sends, and which replies it accepts."""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kycourier import __version__
from kycourier.adapters.http.connections import DeadlineConnection
from kycourier.core.errors import TransportError
from kycourier.core.redaction import RequestBody
from kycourier.core.wire.messages import KycResponse
from support.rigs.kyc_rig import (
    MAX_REPLY_BYTES,
    PATH,
    open_kyc_rig,
)
from support.servers.hostile_server import (
    Peer,
    Script,
    http_chunks,
    http_head,
    http_response,
    respond_always,
    respond_once,
)

pytestmark = pytest.mark.enable_socket


# What is sent


def test_url_joins_base_prefix_path_and_encoded_query() -> None:
    with open_kyc_rig(prefix="/pre/fix/") as rig:
        rig.send(("app_id", "SANDBOX1"), ("secret", "a+b c&é/%"), ("secret", ""))
    line = rig.server.requests[0].split(b"\r\n")[0].decode()
    query = "app_id=SANDBOX1&secret=a%2Bb+c%26%C3%A9%2F%25&secret="
    assert line == f"GET /pre/fix{PATH}?{query} HTTP/1.1"


def test_only_our_headers_are_sent() -> None:
    with open_kyc_rig() as rig:
        rig.send()
    lines = rig.server.requests[0].decode().split("\r\n")[1:-2]
    assert sorted(lines) == [
        "Accept-Encoding: identity",
        "Accept: application/json",
        f"Host: 127.0.0.1:{rig.server.port}",
        f"User-Agent: kycourier/{__version__}",
    ]


def test_cookies_are_not_sent_back() -> None:
    cookie = "Set-Cookie: canary=1; Path=/"
    with open_kyc_rig(respond_always(http_response(b"{}", cookie))) as rig:
        rig.send()
        rig.send()
    assert len(rig.server.requests) == 2
    assert b"cookie" not in rig.server.requests[1].lower()


def test_body_is_posted_as_json_on_the_kept_connection() -> None:
    body, received = RequestBody(b'{"sign":"canary"}'), []

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.read_request()
        received.append(peer.read_bytes(len(body.expose())))
        peer.send(http_response())

    with open_kyc_rig(script) as rig:
        rig.send()
        rig.send(("orderNo", "a1"), body=body)
    head, _, _ = rig.server.requests[1].decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    assert first == f"POST {PATH}?orderNo=a1 HTTP/1.1"
    assert sorted(lines) == [
        "Accept-Encoding: identity",
        "Accept: application/json",
        f"Content-Length: {len(body.expose())}",
        "Content-Type: application/json",
        f"Host: 127.0.0.1:{rig.server.port}",
        f"User-Agent: kycourier/{__version__}",
    ]
    assert received == [body.expose()]
    assert rig.server.connections == 1


@pytest.mark.parametrize(
    ("cap", "size", "reason"),
    [
        (None, MAX_REPLY_BYTES + 1, "reply_too_large"),
        (MAX_REPLY_BYTES + 1, MAX_REPLY_BYTES + 1, None),
        (MAX_REPLY_BYTES + 1, MAX_REPLY_BYTES + 2, "reply_too_large"),
    ],
)
def test_request_may_have_a_cap_of_its_own(
    cap: int | None, size: int, reason: str | None
) -> None:
    with open_kyc_rig(respond_once(http_response(b"x" * size))) as rig:
        if reason is None:
            assert len(rig.send(max_reply_bytes=cap).body.expose()) == size
        else:
            assert rig.fail(max_reply_bytes=cap).reason == reason


# Connections


def in_two_parts(
    first: bytes, second: Callable[[bytes], bytes], *, seconds: float = 0.05
) -> Script:
    """Respond with bytes, and `seconds` later with more for the request's target."""

    def script(peer: Peer) -> None:
        while True:
            target = peer.read_request().split(b" ")[1]
            if seconds:
                peer.send(first)
                peer.pause(seconds)
                peer.send(second(target))
            else:
                peer.send(first + second(target))

    return script


@pytest.mark.parametrize("late", [0, 0.05])
def test_surplus_bytes_do_not_become_the_next_reply(late: float) -> None:
    ours, surplus = http_response(b"ours"), http_response(b"more")

    with open_kyc_rig(in_two_parts(ours, lambda _: surplus, seconds=late)) as rig:
        for _ in range(3):
            assert rig.send().body.expose() == b"ours"
            time.sleep(2 * late)


def together(number: int) -> Script:
    """Respond only after `number` requests have arrived, each with its own target."""
    barrier = threading.Barrier(number)

    def script(peer: Peer) -> None:
        while True:
            target = peer.read_request().split(b" ")[1]
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(timeout=5)
            peer.send(http_response(target))

    return script


@pytest.mark.parametrize(("connections", "opened"), [(3, 3), (1, 5)])
def test_pool_keeps_the_configured_number_of_connections(
    connections: int, opened: int
) -> None:
    with (
        open_kyc_rig(together(3), connections=connections) as rig,
        ThreadPoolExecutor(3) as threads,
    ):
        for _ in range(2):
            list(threads.map(lambda _: rig.send(), range(3)))
    assert rig.server.connections == opened


def test_concurrent_threads_receive_their_own_replies() -> None:
    with (
        open_kyc_rig(together(10), connections=10) as rig,
        ThreadPoolExecutor(10) as threads,
    ):
        for turn in range(3):
            names = [f"{turn}-{number}" for number in range(10)]
            replies = threads.map(lambda name: rig.send(("name", name)), names)
            bodies = [one.body.expose().decode() for one in replies]
            assert bodies == [f"{PATH}?name={name}" for name in names]
    assert rig.server.connections == 10


# Replies


@pytest.mark.parametrize("status", [204, 304])
def test_body_after_a_bodiless_status_is_not_the_next_reply(status: int) -> None:
    head = http_head("Content-Length: 42", status=f"{status} Word")

    with open_kyc_rig(in_two_parts(head, lambda _: http_response(b"stale"))) as rig:
        got = [rig.send() for _ in range(2)]
    assert [(one.status, one.body.expose()) for one in got] == [(status, b"")] * 2


def test_interim_response_is_skipped() -> None:
    interim = http_head("Link: </x>", status="103 Early Hints")

    with open_kyc_rig(in_two_parts(interim, http_response)) as rig:
        bodies = [rig.send(("name", name)).body.expose() for name in "ab"]
    assert bodies == [f"{PATH}?name={name}".encode() for name in "ab"]
    assert rig.server.connections == 1


def test_connection_with_ambiguous_length_is_not_kept() -> None:
    both = http_head("Content-Length: 5", "Transfer-Encoding: chunked")
    with open_kyc_rig(respond_always(both + http_chunks(b"hello", b""))) as rig:
        assert [rig.send().body.expose() for _ in range(2)] == [b"hello"] * 2
    assert rig.server.connections == 2


@pytest.mark.parametrize("location", ["{}/next", "//[", "/next"])
def test_redirect_is_not_followed(location: str) -> None:
    with open_kyc_rig() as elsewhere:
        to = f"Location: {location.format(elsewhere.server.url)}"
        with open_kyc_rig(
            respond_always(http_response(b"go", to, status="302 Found"))
        ) as rig:
            got = rig.send()
    assert (got.status, got.body.expose()) == (302, b"go")
    assert len(rig.server.requests) == 1
    assert elsewhere.server.connections == 0


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Retry-After: 5", "5"),
        ("retry-after: Wed, 21 Oct 2037 07:28:00 GMT", "Wed, 21 Oct 2037 07:28:00 GMT"),
        ("Retry-After: " + "9" * 100, "9" * 100),
        ("Retry-After: " + "9" * 101, None),
    ],
)
def test_retry_after_is_the_header_text(header: str, expected: str | None) -> None:
    with open_kyc_rig(
        respond_always(http_response(b"", header, status="429 Slow"))
    ) as rig:
        assert rig.send().retry_after == expected


@pytest.mark.parametrize(
    "data",
    [
        http_response(b"hello"),
        http_response(b"hello", "Content-Type: text/plain;charset=GBK"),
        http_response(b"hello", "Content-Encoding: identity"),
        http_response(b"hello", "Content-Encoding:"),
        http_response(b"hello", "Content-Length: 5"),
        http_response(b"hello", "Content-Length:  5 "),
        http_head() + b"hello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200\nContent-Length: 5\n\nhello",
        http_head(status="100 Continue") * 3 + http_response(b"hello"),
        http_head("Content-Length: 9", status="102 Processing") * 3
        + http_response(b"hello"),
        http_head("Transfer-Encoding: chunked") + http_chunks(b"he", b"llo", b""),
        http_head("transfer-encoding: Chunked")
        + b"5;x=y\r\nhello\r\n000\r\nX: y\r\n\r\n",
    ],
)
def test_body_is_read_by_its_framing(data: bytes) -> None:
    with open_kyc_rig(respond_once(data)) as rig:
        assert rig.send().body.expose() == b"hello"


@pytest.mark.parametrize("size", [0, 1, MAX_REPLY_BYTES - 1, MAX_REPLY_BYTES])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_body_up_to_the_cap_is_read_whole(framing: str, size: int) -> None:
    body = bytes(range(256)) * (MAX_REPLY_BYTES // 256 + 1)
    body = body[:size]
    pieces = [body[at : at + 999] for at in range(0, size, 999)]
    data = {
        "length": http_response(body),
        "chunks": http_head("Transfer-Encoding: chunked") + http_chunks(*pieces, b""),
        "close": http_head("Connection: close") + body,
    }[framing]
    with open_kyc_rig(respond_once(data)) as rig:
        assert rig.send().body.expose() == body


# Rejected replies


@pytest.mark.parametrize(
    "header",
    [
        "Content-Encoding: gzip",
        "Content-Encoding: br",
        "content-encoding: GZIP",
        "Content-Encoding: identity\r\nContent-Encoding: deflate",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked \r\nTransfer-Encoding: chunked",
    ],
)
def test_encoded_body_is_rejected_undecoded(header: str) -> None:
    with open_kyc_rig(respond_once(http_head(header) + b"\x1f\x8b")) as rig:
        assert rig.fail().reason == "reply_encoded"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 42 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        http_head("Upgrade: h2c", status="101 Switching Protocols")
        + b"PRI * HTTP/2.0\r\n",
        http_head("no colon here", "Content-Length: 0"),
        http_head(*(f"X-{number}: y" for number in range(101))),
        http_head("X: " + "y" * 70_000),
        b"HTTP/1.1 200 " + b"y" * 70_000 + b"\r\n\r\n",
        http_head("Content-Length: 2", "Content-Length: 3") + b"{}",
        *(
            http_head(f"Content-Length: {bad}") + b"{}"
            for bad in ("-2", "+2", "2, 3", "2, 2", "0x2", "2.0", "two", "9" * 5000)
        ),
        *(
            http_head("Transfer-Encoding: chunked") + bad
            for bad in (b"zz\r\n{}\r\n", b"\r\n", b"-5\r\n{}\r\n", b"9" * 70_000)
        ),
    ],
    ids=lambda data: repr(data[:50]),
)
def test_malformed_http_is_rejected(data: bytes) -> None:
    with open_kyc_rig(respond_once(data + b"\r\n" * 4)) as rig:
        assert rig.fail().reason == "reply_not_http"


CUT = {
    "length": http_response(b'{"code":"0"}', "X-Name: value"),
    "chunks": http_head("Transfer-Encoding: chunked")
    + http_chunks(b'{"code"', b':"0"}', b""),
}


@pytest.mark.parametrize("framing", CUT)
def test_reply_cut_at_any_offset_is_a_failure(framing: str) -> None:
    whole = CUT[framing]
    cuts = iter(range(len(whole)))

    def script(peer: Peer) -> None:
        respond_once(whole[: next(cuts)])(peer)

    with open_kyc_rig(script) as rig:
        reasons = {rig.fail().reason for _ in whole}
    assert reasons == {"connection_reset"}


@pytest.mark.parametrize(
    "sent", [b"", http_response()[:9], http_response(b"12345")[:-3], http_head()]
)
def test_reset_of_the_first_connection_is_a_failure(sent: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(sent)
        peer.pause(0.05)
        peer.reset()

    with open_kyc_rig(script) as rig:
        assert rig.fail().reason == "connection_reset"
    assert len(rig.server.requests) == rig.server.connections == 1


# The cap


def test_length_over_the_cap_is_rejected_at_once() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_head(f"Content-Length: {MAX_REPLY_BYTES + 1}"))
        peer.pause()

    with open_kyc_rig(script) as rig:
        failure = rig.fail()
    assert failure.reason == "reply_too_large"
    assert failure.seconds < 1


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (http_head(), b"x" * 10_000),
        (http_head(status="500 Oops"), b"x" * 10_000),
        (http_head("Location: /", status="302 Found"), b"x" * 10_000),
        (http_head("Transfer-Encoding: chunked"), http_chunks(b"x" * 10_000)),
        (http_head("Transfer-Encoding: chunked"), http_chunks(b"x") * 1000),
        (http_head("Transfer-Encoding: chunked") + b"fffffffffff\r\n", b"x" * 10_000),
        (http_head("Transfer-Encoding: chunked") + b"-1\r\n", b"x" * 10_000),
        (http_head("Transfer-Encoding: chunked") + b"0\r\n", b"X: y\r\n" * 1000),
        (b"", http_head(status="100 Continue") * 1000),
        (b"", http_head(status="103 Early Hints") * 1000),
        (http_head()[:-2], b"Set-Cookie: " + b"y;" * 30_000 + b"\r\n"),
    ],
    ids=[
        "close", "error", "redirect", "chunks", "small chunks", "one chunk",
        "negative chunk", "trailer", "continue", "interim", "head",
    ],
)  # fmt: skip
def test_endless_reply_stops_at_the_cap(start: bytes, endless: bytes) -> None:
    flooded = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.flood(endless)
        flooded.set()

    with open_kyc_rig(script) as rig:
        assert rig.fail(seconds=5).reason == "reply_too_large"
        assert flooded.wait(5), "the connection is still open"
    assert rig.server.flooded < 20_000_000  # the sockets' buffers included


# Dead connections


def then(data: bytes) -> Script:
    """Respond well to one request; to the next send `data` and close."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.read_request()
        peer.send(data)

    return script


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("connections", [1, 3])
def test_dead_kept_connections_are_replaced_by_one(
    connections: int, *, reset: bool
) -> None:
    barrier = threading.Barrier(connections)

    def script(peer: Peer) -> None:
        peer.read_request()
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=0.5)
        barrier.abort()
        peer.send(http_response())
        peer.read_request()
        if reset:
            peer.reset()

    with (
        open_kyc_rig(script, connections=connections) as rig,
        ThreadPoolExecutor(connections) as threads,
    ):
        list(threads.map(lambda _: rig.send(), range(connections)))
        assert rig.server.connections == connections
        assert rig.send(("name", "second")).status == 200
    assert rig.server.connections == connections + 1
    assert len(rig.server.requests) == connections + 2
    assert rig.server.requests[-2] == rig.server.requests[-1]


@pytest.mark.parametrize("responds", [True, False])
def test_connection_closed_while_idle_is_replaced_once(*, responds: bool) -> None:
    closed = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        if responds or rig.server.connections == 1:
            peer.send(http_response())
        peer.end()
        closed.set()

    with open_kyc_rig(script) as rig:
        rig.send()
        assert closed.wait(5)
        if responds:
            assert rig.send().status == 200
        else:
            assert rig.fail().reason == "connection_reset"
    assert len(rig.server.requests) == rig.server.connections == 2


def test_connection_that_dies_while_sending_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DeadlineConnection, "is_connected", True)  # seen just too early
    died = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        if rig.server.connections == 1:
            peer.pause(0.05)
            peer.reset()
            died.set()
        peer.read_request()

    with open_kyc_rig(script) as rig:
        rig.send()
        assert died.wait(5)
        assert rig.send().status == 200
    assert len(rig.server.requests) == rig.server.connections == 2


def test_replacement_connection_is_not_replaced_again() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        if rig.server.connections == 1:
            peer.send(http_response())
            peer.read_request()

    with open_kyc_rig(script) as rig:
        assert rig.send().status == 200
        assert rig.fail().reason == "connection_reset"
    assert rig.server.connections == 2
    assert len(rig.server.requests) == 3


@pytest.mark.parametrize(
    "data", [b"H", http_head(status="100 Continue"), http_response()[:-1]]
)
def test_request_is_not_resent_after_the_first_reply_byte(data: bytes) -> None:
    with open_kyc_rig(then(data)) as rig:
        assert rig.send().status == 200
        assert rig.fail().reason == "connection_reset"
    assert rig.server.connections == 1
    assert len(rig.server.requests) == 2


def test_transport_works_after_failed_calls() -> None:
    bad = iter(
        [
            http_head() + b"x" * (MAX_REPLY_BYTES + 1),
            b"nonsense\r\n\r\n",
            http_response(b"1")[:-1],
        ]
    )

    def script(peer: Peer) -> None:
        respond_once(next(bad, http_response()))(peer)

    with open_kyc_rig(script, connections=1) as rig:
        reasons = [rig.fail().reason for _ in range(3)]
        assert rig.send().status == 200
    assert reasons == ["reply_too_large", "reply_not_http", "connection_reset"]


# Anything


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [
                    b"HTTP/1.1 200 OK\r\n", b"\r\n", b"Content-Length: 3\r\n", b"{}",
                    b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n",
                    b"HTTP/1.1 100 Continue\r\n\r\n", b"Connection: keep-alive\r\n",
                ]
            ),
        ),
        max_size=12,
    )
)  # fmt: skip
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_bytes_end_in_a_reply_or_a_named_failure(
    parts: list[bytes],
) -> None:
    with open_kyc_rig(respond_once(b"".join(parts))) as rig:
        try:
            got: KycResponse | TransportError = rig.send()
        except TransportError as error:  # any other error fails the test
            got = error
    if isinstance(got, TransportError):
        assert got.reason in {"connection_reset", "reply_encoded", "reply_not_http"}
        assert got.__context__ is None
    else:
        assert 100 <= got.status <= 999
        assert got.body.expose() in b"".join(parts) or b"chunked" in b"".join(parts)
