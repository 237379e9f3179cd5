"""Explains failed calls of Tencent Cloud's API.

Reasons: `denied <action> on a <kind>`, `no such <kind> in this region`, `throttled`,
`credentials are refused`, `unreachable`, `no response`, `unreadable response`, `no time
left`, the state of a secret, else the API's own symbol.
"""

import re

from kycourier.adapters.http.api_calls import (
    NO_RESPONSE,
    UNREADABLE,
    CallFailedError,
)

_SYMBOL = re.compile(r"[A-Z][A-Za-z]{1,40}(?:\.[A-Za-z0-9]{1,60})?")
_NO_ACTION = re.compile("Action|UnsupportedOperation")
_REASONS = {
    "AuthFailure.SignatureExpire": "the clock is off by minutes",
    "ResourceNotFound.EventBusNotFound": "no such bus in this region, or no rule",
    "ResourceUnavailable.NotPurchased": "the service is not activated",
    "ResourceUnavailable.ResourceDisabled": "secret is disabled",
    "ResourceUnavailable.ResourcePendingDeleted": "secret is about to be deleted",
    "ResourceUnavailable.ResourceUninitialized": "secret is empty: put its value",
    "UnauthorizedOperation.AccessKmsError": "denied kms:Decrypt on the secret's key",
    "UnsupportedRegion": "no such region for this service",
}
_DENIED = ("UnauthorizedOperation", "AuthFailure.UnauthorizedOperation")
_TRANSIENT = ("RequestLimitExceeded", "InternalError", "InternalServerError")


def is_inconclusive(failed: CallFailedError) -> bool:
    """Checks whether a failure at start-up proves nothing.

    It is transient, or the endpoint may not know the call.
    """
    return failed.transient or is_unknown_call(failed)


def is_unknown_call(failed: CallFailedError) -> bool:
    """Checks whether the endpoint may not know the call: it did not respond to it."""
    no_response = failed.code in {NO_RESPONSE, UNREADABLE}
    return no_response or bool(_NO_ACTION.search(failed.code))


def call_failed(code: object) -> CallFailedError:
    """Builds the failure of an error response from the API's symbol, never its text."""
    if not isinstance(code, str) or not _SYMBOL.fullmatch(code):
        return CallFailedError(UNREADABLE)
    return CallFailedError(code, transient=code.startswith(_TRANSIENT))


def explain(code: str, action: str, kind: str) -> str:
    """Returns a failure's reason; see `api_calls.run`."""
    if code in _REASONS:
        return _REASONS[code]
    if code.startswith(_DENIED):
        return f"denied {action} on a {kind}"
    if code.startswith("AuthFailure"):
        return "credentials are refused"
    if code.startswith("ResourceNotFound"):
        return f"no such {kind} in this region"
    return "throttled" if code.startswith("RequestLimitExceeded") else code
