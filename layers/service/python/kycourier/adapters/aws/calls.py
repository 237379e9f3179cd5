"""What becomes of calls of AWS that are not done.

Reasons of failures: `denied <action> on a <kind>`, `no such <kind> in this region`,
`throttled`, `unreachable`, `no answer`, `unreadable answer`, `no time left`, what is
wrong with credentials or region, else the symbol that AWS gives.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from kycourier.core.errors import KycourierError
from kycourier.core.hidden import shows

T = TypeVar("T")
UNREACHABLE, NO_ANSWER, UNREADABLE = "unreachable", "no answer", "unreadable answer"
NO_TIME = "no time left"
_SYMBOL = re.compile(r"[A-Za-z0-9._]{1,80}")
_DENIED = {
    "403",  # where the answer's body has no symbol
    "AccessDenied",
    "AccessDeniedException",
    "KmsAccessDenied",
    "KMSAccessDeniedException",
    "NotAuthorized",
    "UnauthorizedOperation",
}
MISSING = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "ParameterNotFound",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
}
_THROTTLED = {
    "KmsThrottled",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_PASSING = _THROTTLED | {"RequestTimeout", "RequestTimeoutException"}
_FAULTS_FROM = 500  # HTTP statuses


@shows()
class AwsAnswer(Struct, frozen=True):
    """What AWS answered: members of JSON, and its `Date` header."""

    members: Mapping[str, Any]
    date: str | None = None


class NotDone(Exception):  # noqa: N818 - reads as a fact
    """Why a call was not done: AWS's symbol, or words of ours.

    One that `passes` may go through a moment later. `answer` is AWS's, where it gave
    one.
    """

    def __init__(
        self, why: str, *, passes: bool = False, answer: AwsAnswer | None = None
    ) -> None:
        super().__init__()
        self.why, self.passes, self.answer = why, passes, answer


def refused(status: int, symbol: object, answer: AwsAnswer) -> NotDone:
    """Make of AWS's symbol why a call was not done; never of its text.

    `symbol` may have its namespace before it (`com.amazonaws.…#`), or a URL behind.
    """
    text = symbol if isinstance(symbol, str) else str(status)
    code = text.partition(":")[0].rpartition("#")[2]
    why = code if _SYMBOL.fullmatch(code) else UNREADABLE
    passes = status >= _FAULTS_FROM or why in _PASSING
    return NotDone(why, passes=passes, answer=answer)


def run(
    call: Callable[[], T], *, action: str, kind: str, failure: type[KycourierError]
) -> T:
    """Make a call; what is not done becomes `failure`.

    `action` is the permission that it takes (`sqs:SendMessage`), `kind` what it is
    made on, in one word (table, secret, parameter, queue, bus).
    """
    try:
        return call()
    except NotDone as not_done:
        reason = _explain(not_done.why, action, kind)
    raise failure(reason)


def prove(
    call: Callable[[], object], *, action: str, kind: str, failure: type[KycourierError]
) -> None:
    """Make a call that shows whether something is there and permitted, at the start.

    What passes by itself (too many calls, a fault of AWS's, no answer in time) shows
    nothing and is no reason not to start.
    """

    def unless_passing() -> None:
        try:
            call()
        except NotDone as not_done:
            if not not_done.passes:
                raise

    run(unless_passing, action=action, kind=kind, failure=failure)


def _explain(why: str, action: str, kind: str) -> str:
    if why in _DENIED:
        return f"denied {action} on a {kind}"
    if why in MISSING:
        return f"no such {kind} in this region"
    return "throttled" if why in _THROTTLED else why
