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
    def make(answer: KycResponse | None) -> KycTransport:
        def script(peer: Peer) -> None:
            while True:
                peer.read_request()
                if answer is None:
                    peer.reset()
                    return
                retry = answer.retry_after
                headers = [f"Retry-After: {retry}"] if retry is not None else []
                status = f"{answer.status} Whatever"
                peer.send(http_response(answer.body.expose(), *headers, status=status))

        return stack.enter_context(open_kyc_rig(script)).transport

    return make


def scripted(_: ExitStack) -> Make:
    return lambda answer: ScriptedTransport(lambda _: answer or TransportError("reset"))


@pytest.fixture(params=[scripted, over_http])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    with ExitStack() as stack:
        yield request.param(stack)


@pytest.mark.parametrize(
    "status", [200, 201, 204, 301, 302, 307, 400, 401, 404, 429, 500, 503, 599]
)
def test_any_status_is_a_reply(make: Make, status: int) -> None:
    body = b"" if status == 204 else b'{"code":"0"}'
    answer = KycResponse(status=status, body=ReplyBody(body), retry_after=None)
    assert make(answer).send(REQUEST, timeout_seconds=2) == answer


def test_retry_after_is_returned_as_text(make: Make) -> None:
    answer = KycResponse(status=503, body=ReplyBody(b"busy"), retry_after="soon")
    assert make(answer).send(REQUEST, timeout_seconds=2).retry_after == "soon"


def test_body_is_returned_unchanged(make: Make) -> None:
    body = bytes(range(256)) * 100
    answer = KycResponse(status=200, body=ReplyBody(body))
    assert make(answer).send(REQUEST, timeout_seconds=2).body.expose() == body


def test_repeated_calls_return_replies(make: Make) -> None:
    answer = KycResponse(status=200, body=ReplyBody(b"{}"))
    transport = make(answer)
    assert [transport.send(REQUEST, timeout_seconds=2) for _ in range(3)] == [
        answer
    ] * 3


def test_incomplete_reply_is_an_error_without_the_request(make: Make) -> None:
    with pytest.raises(TransportError) as caught:
        make(None).send(REQUEST, timeout_seconds=2)
    assert caught.value.reason == "reset"
    assert CANARY not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None
