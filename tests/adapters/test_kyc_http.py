"""What the KYC transport sends, and which answers it takes and refuses."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile import Peer, Play, answering, chunks, head, once, refusing_port, reply
from kyc_client import CAP, PATH, Talk, fail, talking
from kycourier import __version__
from kycourier.adapters.http_connection import TimedConnection
from kycourier.adapters.kyc_http import KycHttp
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.models import KycReply

pytestmark = pytest.mark.enable_socket


# What is sent


def test_the_url_is_base_prefix_path_and_encoded_query() -> None:
    with talking(answering(reply()), prefix="/pre/fix/") as talk:
        talk.ask(("app_id", "SANDBOX1"), ("secret", "a+b c&é/%"), ("secret", ""))
    line = talk.server.requests[0].split(b"\r\n")[0].decode()
    query = "app_id=SANDBOX1&secret=a%2Bb+c%26%C3%A9%2F%25&secret="
    assert line == f"GET /pre/fix{PATH}?{query} HTTP/1.1"


def test_only_our_headers_are_sent() -> None:
    with talking(answering(reply())) as talk:
        talk.ask()
    lines = talk.server.requests[0].decode().split("\r\n")[1:-2]
    assert sorted(lines) == [
        "Accept-Encoding: identity",
        "Accept: application/json",
        f"Host: 127.0.0.1:{talk.server.port}",
        f"User-Agent: kycourier/{__version__}",
    ]


def test_the_environment_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refusing_port()}")
    with talking(answering(reply())) as talk:
        assert talk.ask().status == 200
    assert b"authorization" not in talk.server.requests[0].lower()


def test_cookies_are_not_sent_back() -> None:
    cookie = "Set-Cookie: canary=1; Path=/"
    with talking(answering(reply(b"{}", cookie))) as talk:
        talk.ask()
        talk.ask()
    assert len(talk.server.requests) == 2
    assert b"cookie" not in talk.server.requests[1].lower()


# Connections


def test_one_connection_serves_one_call_after_the_other() -> None:
    with talking(answering(reply())) as talk:
        for _ in range(3):
            assert talk.ask().body.reveal() == b"{}"
    assert talk.server.connections == 1


@pytest.mark.parametrize("late", [0, 0.05])
def test_bytes_beyond_a_reply_are_no_part_of_the_next(late: float) -> None:
    def play(peer: Peer) -> None:
        while True:
            peer.hear()
            peer.send(reply(b"ours") + (b"" if late else reply(b"more")))
            if late:
                peer.pause(late)
                peer.send(reply(b"more"))

    with talking(play) as talk:
        for _ in range(3):
            assert talk.ask().body.reveal() == b"ours"
            time.sleep(2 * late)


def together(number: int) -> Play:
    """Answer only when so many requests have come, each with its own query."""
    barrier = threading.Barrier(number)

    def play(peer: Peer) -> None:
        while True:
            target = peer.hear().split(b" ")[1]
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(timeout=5)
            peer.send(reply(target))

    return play


@pytest.mark.parametrize(("connections", "opened"), [(3, 3), (1, 5)])
def test_as_many_connections_are_kept_as_asked_for(
    connections: int, opened: int
) -> None:
    with (
        talking(together(3), connections=connections) as talk,
        ThreadPoolExecutor(3) as threads,
    ):
        for _ in range(2):
            list(threads.map(lambda _: talk.ask(), range(3)))
    assert talk.server.connections == opened


def test_ten_threads_share_the_session_and_each_gets_its_own_reply() -> None:
    with (
        talking(together(10), connections=10) as talk,
        ThreadPoolExecutor(10) as threads,
    ):
        for turn in range(3):
            names = [f"{turn}-{number}" for number in range(10)]
            replies = threads.map(lambda name: talk.ask(("name", name)), names)
            bodies = [one.body.reveal().decode() for one in replies]
            assert bodies == [f"{PATH}?name={name}" for name in names]
    assert talk.server.connections == 10


# Replies


@pytest.mark.parametrize(
    "status", [200, 201, 301, 302, 307, 400, 401, 404, 429, 500, 503, 599]
)
def test_any_status_is_a_reply_with_its_body(status: int) -> None:
    with talking(answering(reply(b"text", status=f"{status} Word"))) as talk:
        got = talk.ask()
    assert (got.status, got.body.reveal(), got.retry_after) == (status, b"text", None)


@pytest.mark.parametrize("status", [204, 304])
def test_a_body_where_there_may_be_none_is_no_answer_to_the_next(status: int) -> None:
    """It comes late, spelled as an answer, when the next request is under way."""

    def play(peer: Peer) -> None:
        while True:
            peer.hear()
            peer.send(head("Content-Length: 42", status=f"{status} Word"))
            peer.pause(0.05)
            peer.send(reply(b"stale"))

    with talking(play) as talk:
        got = [talk.ask() for _ in range(2)]
    assert [(one.status, one.body.reveal()) for one in got] == [(status, b"")] * 2


def test_an_interim_answer_is_not_taken_for_the_answer() -> None:
    """Taken for it, the answer itself would be read as the next request's."""

    def play(peer: Peer) -> None:
        while True:
            target = peer.hear().split(b" ")[1]
            peer.send(head("Link: </x>", status="103 Early Hints"))
            peer.pause(0.05)
            peer.send(reply(target))

    with talking(play) as talk:
        bodies = [talk.ask(("name", name)).body.reveal() for name in "ab"]
    assert bodies == [f"{PATH}?name={name}".encode() for name in "ab"]
    assert talk.server.connections == 1


def test_a_connection_whose_answer_had_two_lengths_is_not_kept() -> None:
    both = head("Content-Length: 5", "Transfer-Encoding: chunked")
    with talking(answering(both + chunks(b"hello", b""))) as talk:
        assert [talk.ask().body.reveal() for _ in range(2)] == [b"hello"] * 2
    assert talk.server.connections == 2


@pytest.mark.parametrize("location", ["{}/next", "//[", "/next"])
def test_a_redirect_is_not_followed(location: str) -> None:
    with talking(answering(reply())) as elsewhere:
        to = f"Location: {location.format(elsewhere.server.url)}"
        with talking(answering(reply(b"go", to, status="302 Found"))) as talk:
            got = talk.ask()
    assert (got.status, got.body.reveal()) == (302, b"go")
    assert len(talk.server.requests) == 1
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
def test_retry_after_is_the_headers_text(header: str, expected: str | None) -> None:
    with talking(answering(reply(b"", header, status="429 Slow"))) as talk:
        assert talk.ask().retry_after == expected


@pytest.mark.parametrize(
    "data",
    [
        reply(b"hello"),
        reply(b"hello", "Content-Encoding: identity"),
        reply(b"hello", "Content-Encoding:"),
        reply(b"hello", "Content-Length: 5"),
        reply(b"hello", "Content-Length:  5 "),
        head() + b"hello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200\nContent-Length: 5\n\nhello",
        head(status="100 Continue") * 3 + reply(b"hello"),
        head("Content-Length: 9", status="102 Processing") * 3 + reply(b"hello"),
        head("Transfer-Encoding: chunked") + chunks(b"he", b"llo", b""),
        head("transfer-encoding: Chunked") + b"5;x=y\r\nhello\r\n000\r\nX: y\r\n\r\n",
    ],
)
def test_a_body_is_read_as_it_is_framed(data: bytes) -> None:
    with talking(once(data)) as talk:
        assert talk.ask().body.reveal() == b"hello"


@pytest.mark.parametrize("size", [0, 1, CAP - 1, CAP])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_a_body_up_to_the_cap_is_read_whole(framing: str, size: int) -> None:
    body = bytes(range(256)) * (CAP // 256 + 1)
    body = body[:size]
    pieces = [body[at : at + 999] for at in range(0, size, 999)]
    data = {
        "length": reply(body),
        "chunks": head("Transfer-Encoding: chunked") + chunks(*pieces, b""),
        "close": head("Connection: close") + body,
    }[framing]
    with talking(once(data)) as talk:
        assert talk.ask().body.reveal() == body


# Refused answers


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
def test_an_encoded_body_is_refused_not_decoded(header: str) -> None:
    with talking(once(head(header) + b"\x1f\x8b")) as talk:
        assert talk.fail().reason == "encoded"


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 42 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        head("Upgrade: h2c", status="101 Switching Protocols") + b"PRI * HTTP/2.0\r\n",
        head("no colon here", "Content-Length: 0"),
        head(*(f"X-{number}: y" for number in range(101))),
        head("X: " + "y" * 70_000),
        b"HTTP/1.1 200 " + b"y" * 70_000 + b"\r\n\r\n",
        head("Content-Length: 2", "Content-Length: 3") + b"{}",
        *(
            head(f"Content-Length: {bad}") + b"{}"
            for bad in ("-2", "+2", "2, 3", "2, 2", "0x2", "2.0", "two", "9" * 5000)
        ),
        *(
            head("Transfer-Encoding: chunked") + bad
            for bad in (b"zz\r\n{}\r\n", b"\r\n", b"-5\r\n{}\r\n", b"9" * 70_000)
        ),
    ],
    ids=lambda data: repr(data[:50]),
)
def test_what_is_not_http_is_refused(data: bytes) -> None:
    with talking(once(data + b"\r\n" * 4)) as talk:
        assert talk.fail().reason == "protocol"


CUT = {
    "length": reply(b'{"code":"0"}', "X-Name: value"),
    "chunks": head("Transfer-Encoding: chunked") + chunks(b'{"code"', b':"0"}', b""),
}


@pytest.mark.parametrize("framing", CUT)
def test_a_reply_cut_at_any_offset_is_a_failure(framing: str) -> None:
    whole = CUT[framing]
    cuts = iter(range(len(whole)))

    def play(peer: Peer) -> None:
        once(whole[: next(cuts)])(peer)

    with talking(play) as talk:
        reasons = {talk.fail().reason for _ in whole}
    assert reasons == {"reset"}


@pytest.mark.parametrize("sent", [b"", reply()[:9], reply(b"12345")[:-3], head()])
def test_a_connection_reset_is_a_failure(sent: bytes) -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(sent)
        peer.pause(0.05)
        peer.reset()

    with talking(play) as talk:
        assert talk.fail().reason == "reset"


def test_a_refused_port_is_a_failure() -> None:
    url = f"http://127.0.0.1:{refusing_port()}"
    transport = KycHttp(url, connections=1, max_reply_bytes=CAP)
    assert fail(transport).reason == "connect"


# The cap


def test_a_length_over_the_cap_is_refused_at_once() -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(head(f"Content-Length: {CAP + 1}"))
        peer.pause()

    with talking(play) as talk:
        failure = talk.fail()
    assert failure.reason == "too_large"
    assert failure.seconds < 1


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (head(), b"x" * 10_000),
        (head(status="500 Oops"), b"x" * 10_000),
        (head("Location: /", status="302 Found"), b"x" * 10_000),
        (head("Transfer-Encoding: chunked"), chunks(b"x" * 10_000)),
        (head("Transfer-Encoding: chunked"), chunks(b"x") * 1000),
        (head("Transfer-Encoding: chunked") + b"fffffffffff\r\n", b"x" * 10_000),
        (head("Transfer-Encoding: chunked") + b"-1\r\n", b"x" * 10_000),
        (head("Transfer-Encoding: chunked") + b"0\r\n", b"X: y\r\n" * 1000),
        (b"", head(status="100 Continue") * 1000),
        (b"", head(status="103 Early Hints") * 1000),
        (head()[:-2], b"Set-Cookie: " + b"y;" * 30_000 + b"\r\n"),
    ],
    ids=[
        "close", "error", "redirect", "chunks", "small chunks", "one chunk",
        "negative chunk", "trailer", "continue", "interim", "head",
    ],
)  # fmt: skip
def test_an_endless_answer_stops_at_the_cap(start: bytes, endless: bytes) -> None:
    flooded = threading.Event()

    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(start)
        peer.flood(endless)
        flooded.set()

    with talking(play) as talk:
        assert talk.fail(seconds=5).reason == "too_large"
        assert flooded.wait(5), "the connection is still open"
    assert talk.server.flooded < 20_000_000  # the sockets' buffers included


# Dead connections


def then(data: bytes, *, reset: bool = False) -> Play:
    """Answer one request well; to the next send `data` and close."""

    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply())
        peer.hear()
        peer.send(data)
        if reset:
            peer.reset()

    return play


@pytest.mark.parametrize("reset", [False, True])
def test_a_dead_kept_connection_is_replaced_once(*, reset: bool) -> None:
    with talking(then(b"", reset=reset)) as talk:
        assert talk.ask().status == 200
        assert talk.ask(("name", "second")).status == 200
    assert talk.server.connections == 2
    assert len(talk.server.requests) == 3
    assert talk.server.requests[1] == talk.server.requests[2]


def test_several_dead_kept_connections_cost_one_reconnect() -> None:
    barrier = threading.Barrier(3)

    def play(peer: Peer) -> None:
        peer.hear()
        with contextlib.suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=0.5)
        barrier.abort()
        peer.send(reply())
        peer.hear()

    with talking(play, connections=3) as talk, ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: talk.ask(), range(3)))
        assert talk.server.connections == 3
        assert talk.ask().status == 200
    assert talk.server.connections == 4
    assert len(talk.server.requests) == 5


def test_a_connection_closed_while_idle_is_not_used() -> None:
    closed = threading.Event()

    def play(peer: Peer) -> None:
        once(reply())(peer)
        peer.end()
        closed.set()

    with talking(play) as talk:
        talk.ask()
        assert closed.wait(5)
        talk.ask()
    assert len(talk.server.requests) == talk.server.connections == 2


def test_a_connection_that_dies_while_sending_is_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TimedConnection, "is_connected", True)  # seen just too early
    died = threading.Event()

    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply())
        if talk.server.connections == 1:
            peer.pause(0.05)
            peer.reset()
            died.set()
        peer.hear()

    with talking(play) as talk:
        talk.ask()
        assert died.wait(5)
        assert talk.ask().status == 200
    assert len(talk.server.requests) == talk.server.connections == 2


def test_what_replaces_a_connection_closed_while_idle_is_not_replaced() -> None:
    closed = threading.Event()

    def play(peer: Peer) -> None:
        peer.hear()
        if talk.server.connections == 1:
            peer.send(reply())
        peer.end()
        closed.set()

    with talking(play) as talk:
        talk.ask()
        assert closed.wait(5)
        assert talk.fail().reason == "reset"
    assert len(talk.server.requests) == talk.server.connections == 2


def test_the_new_connection_is_not_replaced_again() -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        if talk.server.connections == 1:
            peer.send(reply())
            peer.hear()

    with talking(play) as talk:
        assert talk.ask().status == 200
        assert talk.fail().reason == "reset"
    assert talk.server.connections == 2
    assert len(talk.server.requests) == 3


def test_a_first_connection_is_not_replaced() -> None:
    with talking(once(b"")) as talk:
        assert talk.fail().reason == "reset"
    assert len(talk.server.requests) == talk.server.connections == 1


@pytest.mark.parametrize("data", [b"H", head(status="100 Continue"), reply()[:-1]])
def test_nothing_is_sent_again_after_a_byte_of_the_answer(data: bytes) -> None:
    with talking(then(data)) as talk:
        assert talk.ask().status == 200
        assert talk.fail().reason == "reset"
    assert talk.server.connections == 1
    assert len(talk.server.requests) == 2


def test_a_failed_call_leaves_a_working_transport() -> None:
    bad = iter([head() + b"x" * (CAP + 1), b"nonsense\r\n\r\n", reply(b"1")[:-1]])

    def play(peer: Peer) -> None:
        once(next(bad, reply()))(peer)

    with talking(play, connections=1) as talk:
        reasons = [talk.fail().reason for _ in range(3)]
        assert talk.ask().status == 200
    assert reasons == ["too_large", "protocol", "reset"]


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
def test_whatever_is_answered_ends_in_a_reply_or_a_named_failure(
    parts: list[bytes],
) -> None:
    with talking(once(b"".join(parts))) as talk:
        got = attempt(talk)
    if isinstance(got, UpstreamUnreachable):
        assert got.reason in {"reset", "encoded", "protocol"}
        assert got.__context__ is None
    else:
        assert 100 <= got.status <= 999
        assert got.body.reveal() in b"".join(parts) or b"chunked" in b"".join(parts)


def attempt(talk: Talk) -> KycReply | UpstreamUnreachable:
    """Let a foreign exception through, and no other."""
    try:
        return talk.ask()
    except UpstreamUnreachable as error:
        return error
