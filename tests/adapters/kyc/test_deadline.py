"""One deadline covers name resolution, connecting, TLS and the whole reply."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from kycourier.adapters.http import sockets
from kycourier.adapters.kyc.transport import HttpKycTransport
from support.rigs.kyc_rig import MAX_REPLY_BYTES, expect_failure, open_kyc_rig
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    Peer,
    Script,
    full_backlog_port,
    http_chunks,
    http_head,
    http_response,
    respond_always,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

DEADLINE = 0.4
MARGIN = 0.5


def dripping(start: bytes, slow: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.drip(slow)
        peer.pause()

    return script


SLOW = {
    "no response": dripping(b"", b""),
    "status line": dripping(b"", http_head(status="200 " + "O" * 100)),
    "headers": dripping(http_head()[:-2], b"X-Name: value\r\n" * 10),
    "head without end": dripping(http_head()[:-2], b""),
    "continue": dripping(b"", http_head(status="100 Continue") * 9),
    "body of known length": dripping(http_head("Content-Length: 99"), b"x" * 99),
    "body without length": dripping(http_head(), b"x" * 99),
    "body that stalls": dripping(http_head("Content-Length: 9999") + b"x" * 99, b""),
    "chunk": dripping(http_head("Transfer-Encoding: chunked") + b"ff\r\n", b"x" * 99),
    "chunk sizes": dripping(
        http_head("Transfer-Encoding: chunked"), http_chunks(b"x") * 20
    ),
    "trailer": dripping(http_head("Transfer-Encoding: chunked") + b"0\r\n", b"x" * 99),
}


@pytest.mark.parametrize("part", SLOW)
def test_dripping_reply_ends_at_the_deadline(part: str) -> None:
    with open_kyc_rig(SLOW[part]) as rig:
        failure = rig.fail(seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_dripping_handshake_ends_at_the_deadline(
    certificates: Certificates,
) -> None:
    def script(peer: Peer) -> None:
        peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xf0" + b"x" * 99)

    with open_kyc_rig(
        respond_always(), tls=certificates.good, before_tls=script
    ) as rig:
        failure = rig.fail(seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_dripping_tls_reply_ends_at_the_deadline(
    certificates: Certificates,
) -> None:
    with open_kyc_rig(
        SLOW["headers"], tls=certificates.good, extra_ca_file=certificates.authority
    ) as rig:
        failure = rig.fail(seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_slow_phases_share_one_deadline(certificates: Certificates) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.pause(0.2)
        peer.send(http_head("Content-Length: 9"))
        peer.pause()

    with open_kyc_rig(
        script,
        tls=certificates.good,
        before_tls=lambda peer: peer.pause(0.2),
        extra_ca_file=certificates.authority,
    ) as rig:
        failure = rig.fail(seconds=0.6)
    assert failure.reason == "timeout"
    assert 0.6 <= failure.seconds < 0.9  # 1.0 if the body had a deadline of its own


def test_second_connection_has_only_the_remaining_time() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        if rig.server.connections > 1:
            peer.pause()
        peer.send(http_response())
        peer.read_request()
        peer.pause(0.3)

    with open_kyc_rig(script) as rig:
        assert rig.send().status == 200
        failure = rig.fail(seconds=0.5)
    assert failure.reason == "timeout"
    assert rig.server.connections == 2
    assert 0.5 <= failure.seconds < 0.75  # 0.8 with a deadline of its own


def test_silent_kept_connection_is_not_replaced() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.read_request()
        peer.pause()

    with open_kyc_rig(script) as rig:
        assert rig.send().status == 200
        assert rig.fail(seconds=DEADLINE).reason == "timeout"
    assert rig.server.connections == 1
    assert len(rig.server.requests) == 2


def test_past_deadline_sends_nothing() -> None:
    with open_kyc_rig(respond_always(http_response())) as rig:
        assert [rig.fail(seconds=past).reason for past in (0, -1.0, 1e-9)] == [
            "timeout"
        ] * 3
    assert rig.server.requests == []


# Connecting


def test_hanging_connect_ends_at_the_deadline() -> None:
    with full_backlog_port() as port:
        transport = HttpKycTransport(
            f"http://127.0.0.1:{port}", connections=1, max_reply_bytes=MAX_REPLY_BYTES
        )
        failure = expect_failure(transport, seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


def test_connect_times_out_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sockets.CONNECT_SECONDS == 2
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.2)
    with full_backlog_port() as port:
        transport = HttpKycTransport(
            f"http://127.0.0.1:{port}", connections=1, max_reply_bytes=MAX_REPLY_BYTES
        )
        failure = expect_failure(transport, seconds=30)
    assert failure.reason == "timeout"
    assert 0.2 <= failure.seconds < 0.2 + MARGIN


def test_handshake_may_take_longer_than_connect_timeout(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.1)
    with open_kyc_rig(
        respond_always(http_response()),
        tls=certificates.good,
        before_tls=lambda peer: peer.pause(0.2),
        extra_ca_file=certificates.authority,
    ) as rig:
        assert rig.send().status == 200


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve `two.test` to two addresses; the first refuses connections."""
    look_up = socket.getaddrinfo

    def find(host: str, port: int, *more: int, **options: int) -> list[object]:
        if host != "two.test":
            return list(look_up(host, port, *more, **options))
        nobody, somebody = (look_up(f"127.0.0.{n}", port, **options) for n in (77, 1))
        return [*nobody, *somebody]

    monkeypatch.setattr(socket, "getaddrinfo", find)


@pytest.mark.usefixtures("two_addresses")
def test_connect_tries_every_address_of_the_host() -> None:
    with open_kyc_rig(respond_always(http_response())) as rig:
        url = f"http://two.test:{rig.server.port}"
        transport = HttpKycTransport(
            url, connections=1, max_reply_bytes=MAX_REPLY_BYTES
        )
        with contextlib.closing(transport):
            assert rig._replace(transport=transport).send().status == 200


@pytest.mark.usefixtures("two_addresses")
def test_hanging_address_leaves_time_for_the_next() -> None:
    with (
        open_kyc_rig(respond_always(http_response())) as rig,
        full_backlog_port("127.0.0.77", rig.server.port) as port,
    ):
        url = f"http://two.test:{port}"
        transport = HttpKycTransport(
            url, connections=1, max_reply_bytes=MAX_REPLY_BYTES
        )
        with contextlib.closing(transport):
            assert rig._replace(transport=transport).send(seconds=4).status == 200


def test_unresolvable_name_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "canary.test")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    transport = HttpKycTransport(
        "http://canary.test", connections=1, max_reply_bytes=MAX_REPLY_BYTES
    )
    assert expect_failure(transport).reason == "resolve"


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test"])
def test_invalid_host_name_is_a_failure(host: str) -> None:
    transport = HttpKycTransport(
        f"http://{host}", connections=1, max_reply_bytes=MAX_REPLY_BYTES
    )
    assert expect_failure(transport).reason in {"resolve", "protocol"}


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield
    released.set()


@pytest.mark.usefixtures("hanging_resolver")
def test_hanging_resolver_ends_at_the_deadline() -> None:
    transport = HttpKycTransport(
        "http://slow.test", connections=1, max_reply_bytes=MAX_REPLY_BYTES
    )
    failure = expect_failure(transport, seconds=DEADLINE)
    assert failure.reason == "timeout"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


# Memory

READER = """
import resource, sys
from pathlib import Path
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.core.errors import TransportError
from kycourier.core.redaction import Query
from kycourier.core.documents.recognition import KycRequest

LIMIT = 16 * 2**20
transport = HttpKycTransport(sys.argv[1], connections=1, max_reply_bytes=LIMIT)
try:
    request = KycRequest(path="/", query=Query(()))
    body = transport.send(request, timeout_seconds=40).body
    print("whole" if len(body.expose()) == LIMIT else "short")
except TransportError as error:
    print(error.reason)
status = Path("/proc/self/status")  # ru_maxrss includes the process before exec
peaks = [line.split() for line in status.read_text().splitlines()
         if line.startswith("VmHWM")] if status.exists() else []
print(peaks[0][1] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
FULL = b"x" * 16 * 2**20


def flooding(start: bytes, endless: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.flood(endless)

    return script


CHUNKED = http_head("Transfer-Encoding: chunked")
LARGE = {
    "length": (respond_always(http_response(FULL)), "whole"),
    "one chunk": (respond_always(CHUNKED, http_chunks(FULL, b"")), "whole"),
    "chunks": (
        respond_always(CHUNKED, http_chunks(*[FULL[:8192]] * 2048, b"")),
        "whole",
    ),
    "endless": (flooding(http_head(), b"x" * 2**20), "too_large"),
    "endless tiny chunks": (
        flooding(CHUNKED, http_chunks(b"xy") * 2**17),
        "too_large timeout",
    ),
    "negative chunk": (flooding(CHUNKED + b"-1\r\n", b"x" * 2**20), "too_large"),
    "headers": (
        flooding(http_head()[:-2], b"X: " + b"y" * 65_000 + b"\r\n"),
        "too_large",
    ),
    "gzip bomb": (
        flooding(http_head("Content-Encoding: gzip"), b"x" * 2**20),
        "encoded",
    ),
}


@pytest.mark.parametrize("kind", LARGE)
def test_any_reply_keeps_memory_low(kind: str) -> None:
    script, expected = LARGE[kind]
    with open_kyc_rig(script) as rig:
        ended = subprocess.run(
            [sys.executable, "-c", READER, rig.server.url],
            capture_output=True,
            check=False,
            text=True,
            timeout=50,
        )
    assert ended.stderr == ""
    result, peak_kilobytes = ended.stdout.split()
    assert result in expected.split()
    assert int(peak_kilobytes) < 160 * 1024  # the documented limit is 256 MB
