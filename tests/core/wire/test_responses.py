"""A response is read by its status and its body together."""

from datetime import timedelta

import pytest

from kycourier.core.causes import Cause, Problem
from kycourier.core.circuit_breaker import CallResult, Signal
from kycourier.core.errors import TransportError
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import CodeClass, load_codes
from kycourier.core.wire.messages import KycResponse
from kycourier.core.wire.responses import (
    NoResponse,
    call_result,
    no_response,
    read_response,
)
from kycourier.core.wire.token_replies import IssuedCredential, parse_token_reply

rejected = load_codes("bank_card").classify

SUCCESS = b'{"code":"0","access_token":"T","expire_in":60}'
LISTED = b'{"code":"400101"}'
UNLISTED = b'{"code":"777"}'
NO_TOKEN = b'{"code":"0","expire_in":60}'
HTML = b"<html>gateway</html>"


def status(number):
    return Problem(Cause.HTTP_STATUS, http_status=number)


def unusable(problem):
    """Return a response that cannot be used, of a platform that works."""
    return NoResponse(problem=problem, signal=Signal.SUCCESS)


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
        (500, UNLISTED, NoResponse(problem=status(500))),
        (503, HTML, NoResponse(problem=status(503))),
        (500, SUCCESS, NoResponse(problem=status(500))),
        (200, HTML, unusable(Problem(Cause.REPLY_NOT_JSON))),
        (200, NO_TOKEN, unusable(Problem(Cause.REPLY_MALFORMED, detail="token"))),
        (302, HTML, unusable(status(302))),
        (304, SUCCESS, unusable(status(304))),
        (404, SUCCESS, unusable(status(404))),
        (403, UNLISTED, unusable(status(403))),
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
        problem=status(429),
        class_=CodeClass.THROTTLED,
        signal=Signal.THROTTLED,
        retry_after=timedelta(seconds=7),
    )
    assert read(429, body, "7") == expected


def test_server_error_carries_its_retry_after():
    expected = NoResponse(problem=status(503), retry_after=timedelta(seconds=7))
    assert read(503, HTML, "7") == expected


@pytest.mark.parametrize("word", ["timed_out", "tls_failed", "reply_not_http"])
def test_transport_error_is_a_failure_with_its_cause(word):
    reply = no_response(TransportError(word))
    assert reply == NoResponse(problem=Problem(Cause(word)))
    assert (reply.class_, reply.signal) == (CodeClass.TRANSIENT, Signal.FAILURE)


@pytest.mark.parametrize(
    ("code", "signal", "cause", "min_open"),
    [
        ("400101", Signal.SUCCESS, Cause.TICKET_REFUSED, 0),
        ("777", Signal.SUCCESS, Cause.CODE_UNKNOWN, 0),
        ("400501", Signal.THROTTLED, Cause.CODE_THROTTLED, 0),
        ("400506", Signal.THROTTLED, Cause.CODE_THROTTLED, 0),
        ("400504", Signal.THROTTLED, Cause.CODE_THROTTLED, 60),
        ("66660001", Signal.STOPPED, Cause.APP_STOPPED, 0),
        ("66660002", Signal.STOPPED, Cause.APP_STOPPED, 0),
        ("66660003", Signal.SUCCESS, Cause.CODE_PERMANENT, 0),
    ],
)
def test_code_signals_the_state_of_the_app(code, signal, cause, min_open):
    expected = CallResult(signal, Problem(cause, code), timedelta(seconds=min_open))
    assert call_result(rejected(code)) == expected


def test_response_signals_the_state_of_the_app():
    timeout, week = Problem(Cause.TIMED_OUT), timedelta(days=7)
    slow = NoResponse(problem=timeout, retry_after=week)
    unsent = NoResponse(problem=timeout, signal=None)
    assert call_result(slow) == CallResult(Signal.FAILURE, timeout, week)
    assert call_result(unsent) is None
    assert call_result(object()) == CallResult(Signal.SUCCESS)
