"""One deadline holds from the host's name to the answer's last byte."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from certificates import Certificates
from hostile import Peer, Play, answering, chunks, head, reply, unaccepting_port
from kyc_client import CAP, fail, talking
from kycourier.adapters import sockets
from kycourier.adapters.kyc_http import KycHttp

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

DEADLINE = 0.4
MARGIN = 0.5


def dripping(start: bytes, slow: bytes) -> Play:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(start)
        peer.drip(slow)
        peer.pause()

    return play


SLOW = {
    "no answer": dripping(b"", b""),
    "status line": dripping(b"", head(status="200 " + "O" * 100)),
    "headers": dripping(head()[:-2], b"X-Name: value\r\n" * 10),
    "head without end": dripping(head()[:-2], b""),
    "continue": dripping(b"", head(status="100 Continue") * 9),
    "body of known length": dripping(head("Content-Length: 99"), b"x" * 99),
    "body without length": dripping(head(), b"x" * 99),
    "body that stalls": dripping(head("Content-Length: 9999") + b"x" * 99, b""),
    "chunk": dripping(head("Transfer-Encoding: chunked") + b"ff\r\n", b"x" * 99),
    "chunk sizes": dripping(head("Transfer-Encoding: chunked"), chunks(b"x") * 20),
    "trailer": dripping(head("Transfer-Encoding: chunked") + b"0\r\n", b"x" * 99),
}


@pytest.mark.parametrize("part", SLOW)
def test_an_answer_that_drips_ends_at_the_deadline(part: str) -> None:
    with talking(SLOW[part]) as talk:
        failure = talk.fail(seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_a_handshake_that_drips_ends_at_the_deadline(
    certificates: Certificates,
) -> None:
    def play(peer: Peer) -> None:
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xf0" + b"x" * 99)

    with talking(answering(), tls=certificates.good, before_tls=play) as talk:
        failure = talk.fail(seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_an_answer_over_tls_that_drips_ends_at_the_deadline(
    certificates: Certificates,
) -> None:
    with talking(
        SLOW["headers"], tls=certificates.good, extra_ca_file=certificates.authority
    ) as talk:
        failure = talk.fail(seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_slow_phases_share_the_one_deadline(certificates: Certificates) -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.pause(0.2)
        peer.send(head("Content-Length: 9"))
        peer.pause()

    with talking(
        play,
        tls=certificates.good,
        before_tls=lambda peer: peer.pause(0.2),
        extra_ca_file=certificates.authority,
    ) as talk:
        failure = talk.fail(seconds=0.6)
    assert failure.reason == "timeout"
    assert 0.6 <= failure.seconds < 0.9  # 1.0 if the body had a deadline of its own


def test_a_second_connection_has_only_what_is_left() -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        if talk.server.connections > 1:
            peer.pause()
        peer.send(reply())
        peer.hear()
        peer.pause(0.3)

    with talking(play) as talk:
        assert talk.ask().status == 200
        failure = talk.fail(seconds=0.5)
    assert failure.reason == "timeout"
    assert talk.server.connections == 2
    assert 0.5 <= failure.seconds < 0.75  # 0.8 with a deadline of its own


def test_a_silent_kept_connection_is_not_replaced() -> None:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply())
        peer.hear()
        peer.pause()

    with talking(play) as talk:
        assert talk.ask().status == 200
        assert talk.fail(seconds=DEADLINE).reason == "timeout"
    assert talk.server.connections == 1
    assert len(talk.server.requests) == 2


def test_a_deadline_that_is_past_sends_nothing() -> None:
    with talking(answering(reply())) as talk:
        assert [talk.fail(seconds=past).reason for past in (0, -1.0, 1e-9)] == [
            "timeout"
        ] * 3
    assert talk.server.requests == []


# Connecting


def test_connecting_that_hangs_ends_at_the_deadline() -> None:
    with unaccepting_port() as port:
        transport = KycHttp(
            f"http://127.0.0.1:{port}", connections=1, max_reply_bytes=CAP
        )
        failure = fail(transport, seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_connecting_has_two_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sockets.CONNECT_SECONDS == 2
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.2)
    with unaccepting_port() as port:
        transport = KycHttp(
            f"http://127.0.0.1:{port}", connections=1, max_reply_bytes=CAP
        )
        failure = fail(transport, seconds=30)
    assert failure.reason == "timeout"
    assert 0.2 <= failure.seconds < 0.2 + MARGIN


def test_a_handshake_may_last_longer_than_connecting(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.1)
    with talking(
        answering(reply()),
        tls=certificates.good,
        before_tls=lambda peer: peer.pause(0.2),
        extra_ca_file=certificates.authority,
    ) as talk:
        assert talk.ask().status == 200


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give `two.test` two addresses: nobody answers at the first."""
    look_up = socket.getaddrinfo

    def find(host: str, port: int, *more: int, **options: int) -> list[object]:
        if host != "two.test":
            return list(look_up(host, port, *more, **options))
        nobody, somebody = (look_up(f"127.0.0.{n}", port, **options) for n in (77, 1))
        return [*nobody, *somebody]

    monkeypatch.setattr(socket, "getaddrinfo", find)


@pytest.mark.usefixtures("two_addresses")
def test_connecting_is_tried_at_every_address_of_the_host() -> None:
    with talking(answering(reply())) as talk:
        url = f"http://two.test:{talk.server.port}"
        transport = KycHttp(url, connections=1, max_reply_bytes=CAP)
        with contextlib.closing(transport):
            assert talk._replace(transport=transport).ask().status == 200


@pytest.mark.usefixtures("two_addresses")
def test_an_address_that_hangs_leaves_time_for_the_next() -> None:
    with (
        talking(answering(reply())) as talk,
        unaccepting_port("127.0.0.77", talk.server.port) as port,
    ):
        url = f"http://two.test:{port}"
        transport = KycHttp(url, connections=1, max_reply_bytes=CAP)
        with contextlib.closing(transport):
            assert talk._replace(transport=transport).ask(seconds=4).status == 200


def test_a_name_that_does_not_resolve_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "canary.test")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    transport = KycHttp("http://canary.test", connections=1, max_reply_bytes=CAP)
    assert fail(transport).reason == "resolve"


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test"])
def test_a_name_that_is_none_is_a_failure(host: str) -> None:
    transport = KycHttp(f"http://{host}", connections=1, max_reply_bytes=CAP)
    assert fail(transport).reason in {"resolve", "protocol"}


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    answer = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        answer.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield
    answer.set()


@pytest.mark.usefixtures("hanging_resolver")
def test_resolving_that_hangs_ends_at_the_deadline() -> None:
    transport = KycHttp("http://slow.test", connections=1, max_reply_bytes=CAP)
    failure = fail(transport, seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


# Memory

READER = """
import resource, sys
from pathlib import Path
from kycourier.adapters.kyc_http import KycHttp
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.hidden import Query
from kycourier.core.models import KycRequest

CAP = 16 * 2**20
transport = KycHttp(sys.argv[1], connections=1, max_reply_bytes=CAP)
try:
    request = KycRequest(path="/", query=Query(()))
    body = transport.send(request, timeout_seconds=40).body
    print("whole" if len(body.reveal()) == CAP else "short")
except UpstreamUnreachable as error:
    print(error.reason)
status = Path("/proc/self/status")  # ru_maxrss remembers the process before exec
peaks = [line.split() for line in status.read_text().splitlines()
         if line.startswith("VmHWM")] if status.exists() else []
print(peaks[0][1] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
FULL = b"x" * 16 * 2**20


def flooding(start: bytes, endless: bytes) -> Play:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(start)
        peer.flood(endless)

    return play


CHUNKED = head("Transfer-Encoding: chunked")
LARGE = {
    "length": (answering(reply(FULL)), "whole"),
    "one chunk": (answering(CHUNKED, chunks(FULL, b"")), "whole"),
    "chunks": (answering(CHUNKED, chunks(*[FULL[:8192]] * 2048, b"")), "whole"),
    "endless": (flooding(head(), b"x" * 2**20), "too_large"),
    "endless tiny chunks": (
        flooding(CHUNKED, chunks(b"xy") * 2**17),
        "too_large timeout",
    ),
    "negative chunk": (flooding(CHUNKED + b"-1\r\n", b"x" * 2**20), "too_large"),
    "headers": (flooding(head()[:-2], b"X: " + b"y" * 65_000 + b"\r\n"), "too_large"),
    "gzip bomb": (flooding(head("Content-Encoding: gzip"), b"x" * 2**20), "encoded"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_memory_stays_low_for_any_reply(kind: str) -> None:
    play, expected = LARGE[kind]
    with talking(play) as talk:
        ended = subprocess.run(
            [sys.executable, "-c", READER, talk.server.url],
            capture_output=True,
            check=False,
            text=True,
            timeout=50,
        )
    assert ended.stderr == ""
    result, peak_kilobytes = ended.stdout.split()
    assert result in expected.split()
    assert int(peak_kilobytes) < 160 * 1024  # the promise is 256 MB for all together
