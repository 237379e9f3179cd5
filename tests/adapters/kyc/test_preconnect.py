"""The transport connects before its first query."""

from threading import Event

import pytest

from support.rigs.kyc_rig import build_transport, expect_failure, open_kyc_rig
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    Peer,
    closed_port,
    full_backlog_port,
    http_response,
    respond_always,
)

pytestmark = pytest.mark.enable_socket
GOODBYE = http_response(
    b'{"code": "0"}', "Connection: close", status="408 Request Timeout"
)


@pytest.mark.parametrize("is_tls", [False, True])
def test_first_query_uses_the_open_connection(
    certificates: Certificates, *, is_tls: bool
) -> None:
    """TLS session tickets that arrive meanwhile do not count as reply bytes."""
    opened, respond = Event(), respond_always(http_response())

    def script(peer: Peer) -> None:
        opened.set()
        respond(peer)

    with open_kyc_rig(script, certificates=certificates if is_tls else None) as rig:
        rig.transport.preconnect().join()
        assert opened.wait(5)
        assert rig.send().status == 200
        assert rig.send().status == 200
    assert rig.server.connections == 1


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("sent", [b"", GOODBYE])
def test_connection_closed_before_first_query_is_replaced_and_its_bytes_are_dropped(
    certificates: Certificates, sent: bytes, *, is_tls: bool
) -> None:
    ended, others = Event(), respond_always(http_response())

    def script(peer: Peer) -> None:
        if ended.is_set():
            return others(peer)
        peer.send(sent)
        peer.end()
        return ended.set()

    with open_kyc_rig(script, certificates=certificates if is_tls else None) as rig:
        rig.transport.preconnect().join()
        assert ended.wait(5)
        assert rig.send().status == 200
    assert rig.server.connections == 2
    assert len(rig.server.requests) == 1


def test_connection_that_dies_on_first_use_is_replaced() -> None:
    others = respond_always(http_response())

    def script(peer: Peer) -> None:
        if rig.server.connections > 1:
            return others(peer)
        return peer.reset() if peer.read_request() else None

    with open_kyc_rig(script) as rig:
        rig.transport.preconnect().join()
        assert rig.send().status == 200
    assert rig.server.connections == 2
    assert rig.server.requests[0] == rig.server.requests[1]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_first_query_connects_itself_after_failed_handshake(
    certificates: Certificates, sent: bytes
) -> None:
    def refuse(peer: Peer) -> None:
        if rig.server.connections == 1:
            peer.send(sent)
            peer.end()

    with open_kyc_rig(before_tls=refuse, certificates=certificates) as rig:
        rig.transport.preconnect().join()
        assert rig.server.connections == 1
        assert rig.send().status == 200
    assert rig.server.connections == 2


def test_closed_transport_opens_no_connection_ahead() -> None:
    with open_kyc_rig() as rig:
        rig.transport.close()
        rig.transport.preconnect().join()
    assert rig.server.connections == 0


def test_first_query_fails_for_its_own_reason_after_preconnect() -> None:
    refused = build_transport(f"http://127.0.0.1:{closed_port()}")
    refused.preconnect().join()
    assert expect_failure(refused).reason == "connect_failed"

    with full_backlog_port() as port:
        hanging = build_transport(f"http://127.0.0.1:{port}")
        opening = hanging.preconnect()
        failure = expect_failure(hanging, seconds=0.2)
        assert (failure.reason, failure.seconds < 1) == ("timed_out", True)
        opening.join()
