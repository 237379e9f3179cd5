"""The contract of KycTransport, run on the fake and on HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from kycourier.core.errors import TransportError
from kycourier.core.redaction import Query, ReplyBody
from kycourier.core.wire.messages import KycRequest, KycResponse
from kycourier.ports import KycTransport
from support.fakes import ScriptedTransport
from support.rigs.kyc_rig import open_kyc_rig
from support.servers.hostile_server import Peer, http_response

pytestmark = pytest.mark.enable_socket
CANARY = "canary-secret-in-the-query"
REQUEST = KycRequest(path="/api/any", query=Query((("secret", CANARY),)))
Make = Callable[[KycResponse | None], KycTransport]


def over_http(stack: ExitStack) -> Make:
    def make(reply: KycResponse | None) -> KycTransport:
        def script(peer: Peer) -> None:
            while True:
                peer.read_request()
                if reply is None:
                    peer.reset()
                    return
                retry = reply.retry_after
                headers = [f"Retry-After: {retry}"] if retry is not None else []
                status = f"{reply.status} Whatever"
                peer.send(http_response(reply.body.expose(), *headers, status=status))

        return stack.enter_context(open_kyc_rig(script)).transport

    return make


def scripted(_: ExitStack) -> Make:
    return lambda reply: ScriptedTransport(
        lambda _: reply or TransportError("connection_reset")
    )


@pytest.fixture(params=[scripted, over_http])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    with ExitStack() as stack:
        yield request.param(stack)


REPLIES = [
    *(
        KycResponse(status=status, body=ReplyBody(bytes(range(256)) * 100))
        for status in (200, 201, 301, 302, 307, 400, 401, 404, 429, 500, 503, 599)
    ),
    KycResponse(status=204, body=ReplyBody(b"")),
    KycResponse(status=503, body=ReplyBody(b"busy"), retry_after="soon"),
]


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: str(reply.status))
def test_any_status_is_a_reply_with_body_and_retry_after(
    make: Make, reply: KycResponse
) -> None:
    assert make(reply).send(REQUEST, timeout_seconds=2) == reply


def test_repeated_calls_return_replies(make: Make) -> None:
    reply = KycResponse(status=200, body=ReplyBody(b"{}"))
    transport = make(reply)
    assert [transport.send(REQUEST, timeout_seconds=2) for _ in range(3)] == [reply] * 3


def test_incomplete_reply_is_an_error_without_the_request(make: Make) -> None:
    with pytest.raises(TransportError) as caught:
        make(None).send(REQUEST, timeout_seconds=2)
    assert caught.value.reason == "connection_reset"
    assert CANARY not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None
