"""Explains failed calls of AWS's JSON APIs.

Reasons: `denied <action> on a <kind>`, `no such <kind> in this region`, `throttled`,
`unreachable`, `no response`, `unreadable response`, `no time left`, what is wrong with
credentials or region, else AWS's own symbol.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kycourier.adapters.http.api_calls import UNREADABLE, CallFailedError
from kycourier.core.redaction import repr_only

_SYMBOL = re.compile(r"[A-Za-z0-9._]{1,80}")
_DENIED = {
    "403",  # if the body has no symbol
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
_TRANSIENT = _THROTTLED | {"RequestTimeout", "RequestTimeoutException"}
_FIRST_SERVER_ERROR = 500


@repr_only()
class AwsResponse(Struct, frozen=True):
    """A response: its JSON members, and its `Date` header."""

    members: Mapping[str, Any]
    date: str | None = None


def call_failed(status: int, symbol: object, response: AwsResponse) -> CallFailedError:
    """Builds the failure of an error response from AWS's symbol, never its text.

    `symbol` may have a namespace before it (`com.amazonaws.…#`), or a URL after it.
    """
    text = symbol if isinstance(symbol, str) else str(status)
    name = text.partition(":")[0].rpartition("#")[2]
    code = name if _SYMBOL.fullmatch(name) else UNREADABLE
    transient = status >= _FIRST_SERVER_ERROR or code in _TRANSIENT
    return CallFailedError(code, transient=transient, response=response)


def explain(code: str, action: str, kind: str) -> str:
    """Returns a failure's reason; see `api_calls.run`."""
    if code in _DENIED:
        return f"denied {action} on a {kind}"
    if code in MISSING:
        return f"no such {kind} in this region"
    return "throttled" if code in _THROTTLED else code
