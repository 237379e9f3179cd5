"""Few large replies are held at once, whatever becomes of them."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import pytest

from hostile import Peer, answering, chunks, head, reply
from kyc_client import talking
from kycourier.adapters.http_answer import LARGE_BYTES, MOST_LARGE

pytestmark = pytest.mark.enable_socket
LARGE = b"x" * (LARGE_BYTES + 1)
CAP = 2 * LARGE_BYTES
CHUNKED = head("Transfer-Encoding: chunked")
FRAMED = {"length": reply(LARGE), "chunks": CHUNKED + chunks(LARGE, b"")}


@pytest.mark.parametrize("framing", FRAMED)
def test_one_more_large_reply_waits_until_another_is_let_go(framing: str) -> None:
    play = answering(FRAMED[framing])
    with talking(play, cap=CAP) as talk, ThreadPoolExecutor(1) as thread:
        held = [talk.ask(seconds=8) for _ in range(MOST_LARGE)]
        waiting = thread.submit(talk.ask, seconds=8)
        assert wait_for([waiting], timeout=0.3).not_done
        held.pop()
        assert waiting.result().body.reveal() == LARGE


def test_it_waits_no_longer_than_its_deadline() -> None:
    with talking(answering(reply(LARGE)), cap=CAP) as talk:
        held = [talk.ask(seconds=8) for _ in range(MOST_LARGE)]
        failure = talk.fail(seconds=0.3)
        assert (failure.reason, len(held)) == ("timeout", MOST_LARGE)


def test_a_reply_that_is_not_large_does_not_wait() -> None:
    sizes = iter([*[LARGE_BYTES + 1] * MOST_LARGE, LARGE_BYTES])

    def play(peer: Peer) -> None:
        while True:
            peer.hear()
            peer.send(reply(b"x" * next(sizes)))

    with talking(play, cap=CAP, connections=1) as talk:
        held = [talk.ask(seconds=8) for _ in range(MOST_LARGE)]
        assert len(talk.ask(seconds=2).body.reveal()) == LARGE_BYTES
        assert len(held) == MOST_LARGE


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (reply(LARGE)[:-1], "reset"),
        (CHUNKED + chunks(LARGE), "reset"),
        (CHUNKED + chunks(LARGE, LARGE, b""), "too_large"),
    ],
    ids=["cut", "cut chunks", "too large"],
)
def test_one_that_fails_holds_no_place(sent: bytes, reason: str) -> None:
    attempts = MOST_LARGE + 1
    replies = iter([*[sent] * attempts, reply(LARGE)])

    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(next(replies))

    with talking(play, cap=CAP) as talk:
        assert [talk.fail(seconds=8).reason for _ in range(attempts)] == (
            [reason] * attempts
        )
        assert talk.ask(seconds=8).body.reveal() == LARGE
