"""The transport limits how many large replies are in memory at once."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for

import pytest

from kycourier.adapters.http.responses import LARGE_BYTES, MAX_LARGE
from support.rigs.kyc_rig import open_kyc_rig
from support.servers.hostile_server import (
    Peer,
    http_chunks,
    http_head,
    http_response,
    respond_always,
)

pytestmark = pytest.mark.enable_socket
LARGE = b"x" * (LARGE_BYTES + 1)
MAX_REPLY_BYTES = 2 * LARGE_BYTES
CHUNKED = http_head("Transfer-Encoding: chunked")
FRAMED = {"length": http_response(LARGE), "chunks": CHUNKED + http_chunks(LARGE, b"")}


@pytest.mark.parametrize("framing", FRAMED)
def test_large_reply_over_the_limit_waits_until_another_is_released_or_its_deadline(
    framing: str,
) -> None:
    script = respond_always(FRAMED[framing])
    with (
        open_kyc_rig(script, cap=MAX_REPLY_BYTES) as rig,
        ThreadPoolExecutor(1) as thread,
    ):
        held = [rig.send(seconds=8) for _ in range(MAX_LARGE)]
        assert rig.fail(seconds=0.3).reason == "timed_out"
        waiting = thread.submit(rig.send, seconds=8)
        assert wait_for([waiting], timeout=0.3).not_done
        held.pop()
        assert waiting.result().body.expose() == LARGE


def test_small_reply_does_not_wait() -> None:
    sizes = iter([*[LARGE_BYTES + 1] * MAX_LARGE, LARGE_BYTES])

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(http_response(b"x" * next(sizes)))

    with open_kyc_rig(script, cap=MAX_REPLY_BYTES, connections=1) as rig:
        held = [rig.send(seconds=8) for _ in range(MAX_LARGE)]
        assert len(rig.send(seconds=2).body.expose()) == LARGE_BYTES
        assert len(held) == MAX_LARGE


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (http_response(LARGE)[:-1], "connection_reset"),
        (CHUNKED + http_chunks(LARGE), "connection_reset"),
        (CHUNKED + http_chunks(LARGE, LARGE, b""), "reply_too_large"),
    ],
    ids=["cut", "cut chunks", "too large"],
)
def test_failed_large_reply_releases_its_slot(sent: bytes, reason: str) -> None:
    attempts = MAX_LARGE + 1
    replies = iter([*[sent] * attempts, http_response(LARGE)])

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(next(replies))

    with open_kyc_rig(script, cap=MAX_REPLY_BYTES) as rig:
        assert [rig.fail(seconds=8).reason for _ in range(attempts)] == (
            [reason] * attempts
        )
        assert rig.send(seconds=8).body.expose() == LARGE
