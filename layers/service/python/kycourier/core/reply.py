"""What came back from one call: a result, a refusal, or no usable answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from msgspec import Struct

from kycourier.core import codes
from kycourier.core.brake import SLOW_CODE_PAUSE, SLOW_CODES, STOPPING_CODES, Signal
from kycourier.core.codes import CodeClass
from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycReply
from kycourier.core.retry import parse_retry_after
from kycourier.core.wire import Refusal

T = TypeVar("T")
_NO_PAUSE = timedelta(0)


class Unanswered(Struct, frozen=True, kw_only=True):
    """No usable reply: `name` is our word for it, `signal` what it says of the app.

    `asked` is False where the order was not asked for at all: no ticket, no time.
    """

    name: str
    asked: bool = True
    signal: Signal = Signal.UNANSWERED
    retry_after: timedelta = _NO_PAUSE


def read_reply(
    reply: KycReply, parse: Callable[[ReplyBody], T | Refusal]
) -> T | Refusal | Unanswered:
    """Read a reply of any HTTP status (the pages say nothing about errors' status).

    A listed code counts whatever the status; success needs a 2xx; HTTP 429 throttles.
    """
    retry_after = parse_retry_after(reply.retry_after) or _NO_PAUSE
    if reply.status == 429:  # noqa: PLR2004 - HTTP's own number
        return Unanswered(
            name="too_many_requests",
            signal=Signal.THROTTLED,
            retry_after=retry_after,
        )
    try:
        answer = parse(reply.body)
    except MalformedReply:
        answer = None
    if answer is not None and (reply.status // 100 == 2 or _is_listed(answer)):  # noqa: PLR2004 - 2xx
        return answer
    if reply.status // 100 == 5:  # noqa: PLR2004 - 5xx
        return Unanswered(name="server_error", retry_after=retry_after)
    return Unanswered(name=MalformedReply.code, signal=Signal.ANSWERED)


def _is_listed(answer: object) -> bool:
    return (
        isinstance(answer, Refusal)
        and codes.find(answer.code).class_ is not CodeClass.UNKNOWN
    )


def signal_of(answer: object) -> tuple[Signal, timedelta]:
    """Tell what an answer says of the app, and the least pause it asks for."""
    if isinstance(answer, Unanswered):
        return answer.signal, answer.retry_after
    if not isinstance(answer, Refusal):
        return Signal.ANSWERED, _NO_PAUSE
    if answer.code in STOPPING_CODES:
        return Signal.STOPPED, _NO_PAUSE
    if codes.find(answer.code).class_ is not CodeClass.THROTTLED:
        return Signal.ANSWERED, _NO_PAUSE
    slow = answer.code in SLOW_CODES
    return Signal.THROTTLED, SLOW_CODE_PAUSE if slow else _NO_PAUSE
