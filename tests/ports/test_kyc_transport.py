"""The contract of KycTransport, on the scripted one and on HTTP against a server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from fakes import ScriptedTransport
from hostile import Peer, reply
from kyc_client import talking
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.hidden import Query, ReplyBody
from kycourier.core.models import KycReply, KycRequest
from kycourier.ports import KycTransport

pytestmark = pytest.mark.enable_socket
CANARY = "canary-secret-in-the-query"
REQUEST = KycRequest(path="/api/any", query=Query((("secret", CANARY),)))
Make = Callable[[KycReply | None], KycTransport]


def over_http(stack: ExitStack) -> Make:
    def make(answer: KycReply | None) -> KycTransport:
        def play(peer: Peer) -> None:
            while True:
                peer.hear()
                if answer is None:
                    peer.reset()
                    return
                retry = answer.retry_after
                headers = [f"Retry-After: {retry}"] if retry is not None else []
                status = f"{answer.status} Whatever"
                peer.send(reply(answer.body.reveal(), *headers, status=status))

        return stack.enter_context(talking(play)).transport

    return make


def scripted(_: ExitStack) -> Make:
    return lambda answer: ScriptedTransport(
        lambda _: answer or UpstreamUnreachable("reset")
    )


@pytest.fixture(params=[scripted, over_http])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    with ExitStack() as stack:
        yield request.param(stack)


@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 429, 500, 503])
def test_any_status_is_a_reply(make: Make, status: int) -> None:
    body = b"" if status == 204 else b'{"code":"0"}'
    answer = KycReply(status=status, body=ReplyBody(body), retry_after=None)
    assert make(answer).send(REQUEST, timeout_seconds=2) == answer


def test_retry_after_is_given_as_text(make: Make) -> None:
    answer = KycReply(status=503, body=ReplyBody(b"busy"), retry_after="soon")
    assert make(answer).send(REQUEST, timeout_seconds=2).retry_after == "soon"


def test_the_body_is_given_as_it_is(make: Make) -> None:
    body = bytes(range(256)) * 100
    answer = KycReply(status=200, body=ReplyBody(body))
    assert make(answer).send(REQUEST, timeout_seconds=2).body.reveal() == body


def test_one_attempt_after_another_is_answered(make: Make) -> None:
    answer = KycReply(status=200, body=ReplyBody(b"{}"))
    transport = make(answer)
    assert [transport.send(REQUEST, timeout_seconds=2) for _ in range(3)] == [
        answer
    ] * 3


def test_no_whole_answer_is_one_error_without_the_request(make: Make) -> None:
    with pytest.raises(UpstreamUnreachable) as caught:
        make(None).send(REQUEST, timeout_seconds=2)
    assert caught.value.reason == "reset"
    assert CANARY not in f"{caught.value!r} {caught.value}"
    assert caught.value.__context__ is None
