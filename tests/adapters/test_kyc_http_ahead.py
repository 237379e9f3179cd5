"""A connection that is open before there is anything to ask."""

from threading import Event

import pytest

from certificates import Certificates
from hostile import Peer, answering, refusing_port, reply, unaccepting_port
from kyc_client import CAP, fail, talking
from kycourier.adapters.kyc_http import KycHttp

pytestmark = pytest.mark.enable_socket
GOODBYE = reply(b'{"code": "0"}', "Connection: close", status="408 Request Timeout")


@pytest.mark.parametrize("is_tls", [False, True])
def test_the_first_query_takes_it(certificates: Certificates, *, is_tls: bool) -> None:
    """Though TLS says a word of its own meanwhile: its session tickets."""
    opened, answer = Event(), answering(reply())

    def play(peer: Peer) -> None:
        opened.set()
        answer(peer)

    tls = certificates.good if is_tls else None
    with talking(play, tls=tls, extra_ca_file=certificates.authority) as talk:
        talk.transport.open_ahead().join()
        assert opened.wait(5)
        assert talk.ask().status == 200
        assert talk.ask().status == 200
    assert talk.server.connections == 1


@pytest.mark.parametrize("is_tls", [False, True])
@pytest.mark.parametrize("said", [b"", GOODBYE])
def test_one_that_ended_meanwhile_is_replaced_and_its_last_word_is_no_answer(
    certificates: Certificates, said: bytes, *, is_tls: bool
) -> None:
    ended, others = Event(), answering(reply())

    def play(peer: Peer) -> None:
        if ended.is_set():
            return others(peer)
        peer.send(said)
        peer.end()
        return ended.set()

    tls = certificates.good if is_tls else None
    with talking(play, tls=tls, extra_ca_file=certificates.authority) as talk:
        talk.transport.open_ahead().join()
        assert ended.wait(5)
        assert talk.ask().status == 200
    assert talk.server.connections == 2
    assert len(talk.server.requests) == 1


def test_one_that_dies_as_it_is_first_used_is_opened_anew() -> None:
    others = answering(reply())

    def play(peer: Peer) -> None:
        if talk.server.connections > 1:
            return others(peer)
        return peer.reset() if peer.hear() else None

    with talking(play) as talk:
        talk.transport.open_ahead().join()
        assert talk.ask().status == 200
    assert talk.server.connections == 2
    assert talk.server.requests[0] == talk.server.requests[1]


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_handshake_that_failed_leaves_the_first_query_its_own(
    certificates: Certificates, said: bytes
) -> None:
    def refuse(peer: Peer) -> None:
        if talk.server.connections == 1:
            peer.send(said)
            peer.end()

    with talking(
        answering(reply()),
        tls=certificates.good,
        before_tls=refuse,
        extra_ca_file=certificates.authority,
    ) as talk:
        talk.transport.open_ahead().join()
        assert talk.server.connections == 1
        assert talk.ask().status == 200
    assert talk.server.connections == 2


def test_where_it_was_closed_meanwhile_nothing_is_opened() -> None:
    with talking(answering(reply())) as talk:
        talk.transport.close()
        talk.transport.open_ahead().join()
    assert talk.server.connections == 0


def test_where_nobody_is_the_first_query_tells_so() -> None:
    transport = KycHttp(
        f"http://127.0.0.1:{refusing_port()}", connections=1, max_reply_bytes=CAP
    )

    transport.open_ahead().join()

    assert fail(transport).reason == "connect"


def test_it_is_not_waited_for() -> None:
    with unaccepting_port() as port:
        transport = KycHttp(
            f"http://127.0.0.1:{port}", connections=1, max_reply_bytes=CAP
        )
        opening = transport.open_ahead()

        failure = fail(transport, seconds=0.2)

        assert failure.reason == "timeout"
        assert failure.seconds < 1
        opening.join()
