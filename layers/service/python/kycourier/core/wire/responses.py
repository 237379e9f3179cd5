"""Reads one response: a result, a refusal, or no usable response."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from msgspec import Struct

from kycourier.core.causes import Cause, Problem, is_stopping, problem_of_code
from kycourier.core.circuit_breaker import SLOW_CODES, CallResult, Signal
from kycourier.core.errors import MalformedReplyError, TransportError
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import CodeClass, Rejected
from kycourier.core.retry import parse_retry_after
from kycourier.core.timing import BREAKER_OPEN_SLOW_CODE
from kycourier.core.wire.messages import KycResponse

T = TypeVar("T")
_NO_PAUSE = timedelta(0)
TOO_MANY_REQUESTS = 429


class NoResponse(Struct, frozen=True, kw_only=True):
    """No usable response to a query, for `problem`.

    `class_` is what it requires, as if the platform had replied with a code of that
    class. `signal` is what it means for the app, None if nothing was sent.
    """

    problem: Problem
    class_: CodeClass = CodeClass.TRANSIENT
    signal: Signal | None = Signal.FAILURE
    retry_after: timedelta = _NO_PAUSE


def read_response(
    response: KycResponse, parse: Callable[[ReplyBody], T | Rejected]
) -> T | Rejected | NoResponse:
    """Reads a response of any HTTP status; the platform does not document its statuses.

    A listed code counts whatever the status; success needs a 2xx; HTTP 429 throttles.
    """
    status = response.status
    problem = Problem(Cause.HTTP_STATUS, http_status=status)
    retry_after = parse_retry_after(response.retry_after) or _NO_PAUSE
    if status == TOO_MANY_REQUESTS:
        return NoResponse(
            problem=problem,
            class_=CodeClass.THROTTLED,
            signal=Signal.THROTTLED,
            retry_after=retry_after,
        )
    is_success = status // 100 == 2  # noqa: PLR2004 - 2xx
    try:
        reply = parse(response.body)
    except MalformedReplyError as error:
        if is_success:
            problem = Problem(error.cause, detail=error.field)
    else:
        if is_success or _is_listed(reply):
            return reply
    if status // 100 == 5:  # noqa: PLR2004 - 5xx
        return NoResponse(problem=problem, retry_after=retry_after)
    return NoResponse(problem=problem, signal=Signal.SUCCESS)


def no_response(error: TransportError) -> NoResponse:
    """Returns a call's failure as its reply."""
    return NoResponse(problem=Problem(Cause(error.reason)))


def _is_listed(reply: object) -> bool:
    return isinstance(reply, Rejected) and reply.class_ is not CodeClass.UNKNOWN


def call_result(reply: object) -> CallResult | None:
    """Returns what a reply means for the app; None if nothing was sent."""
    if isinstance(reply, NoResponse):
        if reply.signal is None:
            return None
        return CallResult(reply.signal, reply.problem, reply.retry_after)
    if not isinstance(reply, Rejected):
        return CallResult(Signal.SUCCESS)
    problem = problem_of_code(reply)
    if is_stopping(reply):
        return CallResult(Signal.STOPPED, problem)
    if reply.class_ is not CodeClass.THROTTLED:
        return CallResult(Signal.SUCCESS, problem)
    slow = reply.code in SLOW_CODES
    min_open = BREAKER_OPEN_SLOW_CODE if slow else _NO_PAUSE
    return CallResult(Signal.THROTTLED, problem, min_open)
