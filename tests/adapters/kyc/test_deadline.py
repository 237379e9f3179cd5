"""One deadline covers name resolution, connecting, TLS and the whole reply."""

import contextlib
import socket
import threading

import pytest

from kycourier.adapters.http import sockets
from support.rigs.kyc_rig import (
    Failure,
    build_transport,
    expect_failure,
    open_kyc_rig,
)
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    Peer,
    Script,
    full_backlog_port,
    http_chunks,
    http_head,
    http_response,
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


def assert_ended_at_the_deadline(failure: Failure) -> None:
    assert failure.reason == "timed_out"
    assert DEADLINE <= failure.seconds < DEADLINE + MARGIN


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("part", SLOW)
def test_dripping_reply_ends_at_the_deadline(
    part: str, certificates: Certificates, *, is_tls: bool
) -> None:
    with open_kyc_rig(SLOW[part], certificates=certificates if is_tls else None) as rig:
        assert_ended_at_the_deadline(rig.fail(seconds=DEADLINE))


def test_dripping_handshake_ends_at_the_deadline(certificates: Certificates) -> None:
    hello = b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xf0" + b"x" * 99

    with open_kyc_rig(
        certificates=certificates, before_tls=lambda peer: peer.drip(hello)
    ) as rig:
        assert_ended_at_the_deadline(rig.fail(seconds=DEADLINE))


def test_slow_phases_share_one_deadline(certificates: Certificates) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.pause(0.2)
        peer.send(http_head("Content-Length: 9"))
        peer.pause()

    with open_kyc_rig(
        script, certificates=certificates, before_tls=lambda peer: peer.pause(0.2)
    ) as rig:
        failure = rig.fail(seconds=0.6)
    assert failure.reason == "timed_out"
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
    assert failure.reason == "timed_out"
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
        assert rig.fail(seconds=DEADLINE).reason == "timed_out"
    assert rig.server.connections == 1
    assert len(rig.server.requests) == 2


def test_past_deadline_sends_nothing() -> None:
    with open_kyc_rig() as rig:
        assert [rig.fail(seconds=past).reason for past in (0, -1.0, 1e-9)] == [
            "timed_out"
        ] * 3
    assert rig.server.requests == []


# Connecting


def test_handshake_may_take_longer_than_connect_timeout(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CONNECT_SECONDS", 0.1)
    with open_kyc_rig(
        certificates=certificates, before_tls=lambda peer: peer.pause(0.2)
    ) as rig:
        assert rig.send().status == 200


def test_hanging_connect_ends_at_the_deadline_or_after_two_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with full_backlog_port() as port:
        transport = build_transport(f"http://127.0.0.1:{port}")
        assert_ended_at_the_deadline(expect_failure(transport, seconds=DEADLINE))
        assert sockets.CONNECT_SECONDS == 2
        monkeypatch.setattr(sockets, "CONNECT_SECONDS", DEADLINE)
        assert_ended_at_the_deadline(expect_failure(transport, seconds=30))


@pytest.mark.parametrize("is_hanging", [False, True], ids=["refuses", "hangs"])
def test_connect_tries_the_next_address_of_the_host(
    monkeypatch: pytest.MonkeyPatch, *, is_hanging: bool
) -> None:
    look_up = socket.getaddrinfo

    def find(host: str, port: int, *more: int, **options: int) -> list[object]:
        hosts = ["127.0.0.77", "127.0.0.1"] if host == "two.test" else [host]
        return [at for each in hosts for at in look_up(each, port, *more, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", find)
    with contextlib.ExitStack() as stack:
        rig = stack.enter_context(open_kyc_rig())
        if is_hanging:
            stack.enter_context(full_backlog_port("127.0.0.77", rig.server.port))
        transport = build_transport(f"http://two.test:{rig.server.port}")
        stack.callback(transport.close)
        assert rig._replace(transport=transport).send(seconds=4).status == 200


@pytest.mark.parametrize(
    ("host", "reasons"),
    [
        ("unknown.test", {"resolve_failed"}),
        ("a" * 64 + ".test", {"resolve_failed", "reply_not_http"}),
        ("a..test", {"resolve_failed", "reply_not_http"}),
    ],
)
def test_unknown_or_invalid_host_name_is_a_failure(
    host: str, reasons: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def find(host: str, *more: int, **options: int) -> list[object]:
        if host == "unknown.test":
            raise socket.gaierror(socket.EAI_NONAME, host)
        return list(look_up(host, *more, **options))

    monkeypatch.setattr(socket, "getaddrinfo", find)
    assert expect_failure(build_transport(f"http://{host}")).reason in reasons


def test_hanging_resolver_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    failure = expect_failure(build_transport("http://slow.test"), seconds=DEADLINE)
    released.set()
    assert_ended_at_the_deadline(failure)
