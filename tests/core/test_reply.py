"""What an HTTP reply of any status means."""

from datetime import timedelta

import pytest

from kycourier.core.brake import Signal
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycReply
from kycourier.core.reply import Unanswered, read_reply, signal_of
from kycourier.core.wire import Bought, Refusal, parse_token_reply

OK = b'{"code":"0","access_token":"T","expire_in":60}'
NO = b'{"code":"400101"}'
ODD = b'{"code":"777"}'
HTML = b"<html>gateway</html>"


def read(status, body, retry_after=None):
    reply = KycReply(status=status, body=ReplyBody(body), retry_after=retry_after)
    return read_reply(reply, parse_token_reply)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, NO, Refusal("400101")),
        (200, ODD, Refusal("777")),
        (401, NO, Refusal("400101")),
        (500, NO, Refusal("400101")),
        (500, ODD, Unanswered(name="server_error")),
        (503, HTML, Unanswered(name="server_error")),
        (500, OK, Unanswered(name="server_error")),
        (200, HTML, Unanswered(name="malformed_reply", signal=Signal.ANSWERED)),
        (302, HTML, Unanswered(name="malformed_reply", signal=Signal.ANSWERED)),
        (404, OK, Unanswered(name="malformed_reply", signal=Signal.ANSWERED)),
    ],
)
def test_status_and_body_together(status, body, expected):
    assert read(status, body) == expected


def test_success_needs_a_2xx():
    assert isinstance(read(200, OK), Bought)
    assert not isinstance(read(304, OK), Bought)


def test_429_throttles_with_its_retry_after_whatever_the_body():
    expected = Unanswered(
        name="too_many_requests",
        signal=Signal.THROTTLED,
        retry_after=timedelta(seconds=7),
    )
    assert read(429, OK, "7") == expected


@pytest.mark.parametrize(
    ("answer", "signal", "least"),
    [
        (Refusal("400101"), Signal.ANSWERED, 0),
        (Refusal("777"), Signal.ANSWERED, 0),
        (Refusal("400501"), Signal.THROTTLED, 0),
        (Refusal("400506"), Signal.THROTTLED, 0),
        (Refusal("400504"), Signal.THROTTLED, 60),
        (Refusal("66660001"), Signal.STOPPED, 0),
        (Refusal("66660002"), Signal.STOPPED, 0),
        (Refusal("66660003"), Signal.ANSWERED, 0),
        (Unanswered(name="x"), Signal.UNANSWERED, 0),
        (object(), Signal.ANSWERED, 0),
    ],
)
def test_what_an_answer_says_of_the_app(answer, signal, least):
    assert signal_of(answer) == (signal, timedelta(seconds=least))
