"""How a call of AWS is made, and what its refusals and the SDK's become.

Reasons of failures: `denied <action> on a <kind>`, `no such <kind> in this region`,
`throttled`, `no time left`, else the symbol that AWS or its SDK gives it.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from kycourier.core.errors import KycourierError

T = TypeVar("T")
DENIED = {
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
THROTTLED = {
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
SAID = {
    "EndpointConnectionError": "unreachable",
    "NoCredentialsError": "no credentials",
    "NoRegionError": "no region: set AWS_REGION",
    "PartialCredentialsError": "credentials are not whole",
    "ProfileNotFound": "no such profile",
}
_FAULTS_FROM = 500  # HTTP statuses
_SYMBOL = re.compile(r"[A-Za-z0-9._]{1,80}")


def run(
    call: Callable[[], T], *, action: str, kind: str, failure: type[KycourierError]
) -> T:
    """Make a call of AWS; what it or its SDK refuses becomes `failure`.

    `action` is the permission that it takes (`sqs:SendMessage`), `kind` what it is
    made on, in one word (table, secret, parameter, queue, bus).
    """
    try:
        return call()
    except ClientError as error:
        reason = _reason(code_of(error), action, kind)
    except (BotoCoreError, ResponseParserError) as error:
        name = type(error).__name__
        reason = SAID.get(name, name)
    except NoTimeLeft:
        reason = "no time left"
    raise failure(reason)


def prove(
    call: Callable[[], object], *, action: str, kind: str, failure: type[KycourierError]
) -> None:
    """Make a call that shows whether something is there and permitted, at the start.

    What passes by itself (too many calls, a fault of AWS's, no answer in time) shows
    nothing and is no reason not to start.
    """
    try:
        run(lambda: _unless_passing(call), action=action, kind=kind, failure=failure)
    except _Passing:
        return


def _unless_passing(call: Callable[[], object]) -> None:
    try:
        call()
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) not in THROTTLED and status < _FAULTS_FROM:
            raise
    except (ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError):
        pass
    else:
        return
    raise _Passing


def code_of(error: ClientError) -> str:
    """Give AWS's symbol for an error, never its text."""
    code = error.response.get("Error", {}).get("Code")
    known = isinstance(code, str) and _SYMBOL.fullmatch(code)
    return str(code) if known else "unreadable answer"


def _reason(code: str, action: str, kind: str) -> str:
    if code in DENIED:
        return f"denied {action} on a {kind}"
    if code in MISSING:
        return f"no such {kind} in this region"
    return "throttled" if code in THROTTLED else code


class _Passing(Exception):  # noqa: N818 - reads as a fact
    """Nothing is shown: the same call may go through a moment later."""


class NoTimeLeft(Exception):  # noqa: N818 - reads as a fact
    """Nothing was sent. Raised in an event, where the SDK tries nothing again."""
