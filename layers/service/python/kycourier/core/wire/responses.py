"""Reads one response: a result, a refusal, or no usable response."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from msgspec import Struct

from kycourier.core.circuit_breaker import SLOW_CODES, STOPPING_CODES, Signal
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import CodeClass, Rejected
from kycourier.core.retry import parse_retry_after
from kycourier.core.timing import BREAKER_OPEN_SLOW_CODE
from kycourier.core.wire.messages import KycResponse

T = TypeVar("T")
_NO_PAUSE = timedelta(0)


class NoResponse(Struct, frozen=True, kw_only=True):
    """No usable response.

    `name` is our word for it, `signal` what it means for the app. `sent` is False if
    the query was not sent at all: no ticket, no time.
    """

    name: str
    sent: bool = True
    signal: Signal = Signal.FAILURE
    retry_after: timedelta = _NO_PAUSE


def read_response(
    response: KycResponse, parse: Callable[[ReplyBody], T | Rejected]
) -> T | Rejected | NoResponse:
    """Reads a response of any HTTP status; the platform does not document its statuses.

    A listed code counts whatever the status; success needs a 2xx; HTTP 429 throttles.
    """
    retry_after = parse_retry_after(response.retry_after) or _NO_PAUSE
    if response.status == 429:  # noqa: PLR2004 - HTTP's own number
        return NoResponse(
            name="too_many_requests",
            signal=Signal.THROTTLED,
            retry_after=retry_after,
        )
    try:
        reply = parse(response.body)
    except MalformedReplyError:
        reply = None
    if reply is not None and (response.status // 100 == 2 or _is_listed(reply)):  # noqa: PLR2004 - 2xx
        return reply
    if response.status // 100 == 5:  # noqa: PLR2004 - 5xx
        return NoResponse(name="server_error", retry_after=retry_after)
    return NoResponse(name=MalformedReplyError.code, signal=Signal.SUCCESS)


def _is_listed(reply: object) -> bool:
    return isinstance(reply, Rejected) and reply.class_ is not CodeClass.UNKNOWN


def signal_of(reply: object) -> tuple[Signal, timedelta]:
    """Returns what a reply means for the app, and the shortest pause it asks for."""
    if isinstance(reply, NoResponse):
        return reply.signal, reply.retry_after
    if not isinstance(reply, Rejected):
        return Signal.SUCCESS, _NO_PAUSE
    if reply.code in STOPPING_CODES:
        return Signal.STOPPED, _NO_PAUSE
    if reply.class_ is not CodeClass.THROTTLED:
        return Signal.SUCCESS, _NO_PAUSE
    slow = reply.code in SLOW_CODES
    return Signal.THROTTLED, BREAKER_OPEN_SLOW_CODE if slow else _NO_PAUSE
