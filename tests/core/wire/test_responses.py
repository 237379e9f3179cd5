"""A response is read by its status and its body together."""

from datetime import timedelta

import pytest

from kycourier.core.circuit_breaker import Signal
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import load_codes
from kycourier.core.wire.messages import KycResponse
from kycourier.core.wire.responses import NoResponse, read_response, signal_of
from kycourier.core.wire.token_replies import IssuedCredential, parse_token_reply

rejected = load_codes("bank_card").classify

SUCCESS = b'{"code":"0","access_token":"T","expire_in":60}'
LISTED = b'{"code":"400101"}'
UNLISTED = b'{"code":"777"}'
HTML = b"<html>gateway</html>"


def read(status, body, retry_after=None):
    response = KycResponse(status=status, body=ReplyBody(body), retry_after=retry_after)
    return read_response(response, parse_token_reply)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, LISTED, rejected("400101")),
        (200, UNLISTED, rejected("777")),
        (401, LISTED, rejected("400101")),
        (500, LISTED, rejected("400101")),
        (500, UNLISTED, NoResponse(name="server_error")),
        (503, HTML, NoResponse(name="server_error")),
        (500, SUCCESS, NoResponse(name="server_error")),
        (200, HTML, NoResponse(name="malformed_reply", signal=Signal.SUCCESS)),
        (302, HTML, NoResponse(name="malformed_reply", signal=Signal.SUCCESS)),
        (304, SUCCESS, NoResponse(name="malformed_reply", signal=Signal.SUCCESS)),
        (404, SUCCESS, NoResponse(name="malformed_reply", signal=Signal.SUCCESS)),
    ],
)
def test_status_and_body_decide_together(status, body, expected):
    assert read(status, body) == expected


@pytest.mark.parametrize("status", [200, 204])
def test_success_with_any_2xx_is_accepted(status):
    assert isinstance(read(status, SUCCESS), IssuedCredential)


@pytest.mark.parametrize("body", [SUCCESS, LISTED, HTML])
def test_status_429_throttles_whatever_the_body(body):
    expected = NoResponse(
        name="too_many_requests",
        signal=Signal.THROTTLED,
        retry_after=timedelta(seconds=7),
    )
    assert read(429, body, "7") == expected


def test_server_error_carries_its_retry_after():
    expected = NoResponse(name="server_error", retry_after=timedelta(seconds=7))
    assert read(503, HTML, "7") == expected


@pytest.mark.parametrize(
    ("reply", "signal", "min_open"),
    [
        (rejected("400101"), Signal.SUCCESS, 0),
        (rejected("777"), Signal.SUCCESS, 0),
        (rejected("400501"), Signal.THROTTLED, 0),
        (rejected("400506"), Signal.THROTTLED, 0),
        (rejected("400504"), Signal.THROTTLED, 60),
        (rejected("66660001"), Signal.STOPPED, 0),
        (rejected("66660002"), Signal.STOPPED, 0),
        (rejected("66660003"), Signal.SUCCESS, 0),
        (NoResponse(name="x"), Signal.FAILURE, 0),
        (NoResponse(name="x", retry_after=timedelta(seconds=7)), Signal.FAILURE, 7),
        (object(), Signal.SUCCESS, 0),
    ],
)
def test_reply_signals_the_state_of_the_app(reply, signal, min_open):
    assert signal_of(reply) == (signal, timedelta(seconds=min_open))
