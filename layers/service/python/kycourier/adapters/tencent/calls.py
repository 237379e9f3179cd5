"""What becomes of calls of Tencent Cloud's API that are not done.

Reasons of failures: `denied <action> on a <kind>`, `no such <kind> in this region`,
`throttled`, `credentials are refused`, `unreachable`, `no answer`, `unreadable answer`,
`no time left`, the state of a secret, else the symbol that the API gives.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from kycourier.core.errors import KycourierError

T = TypeVar("T")
UNREACHABLE, NO_ANSWER, UNREADABLE = "unreachable", "no answer", "unreadable answer"
NO_TIME = "no time left"
_SYMBOL = re.compile(r"[A-Z][A-Za-z]{1,40}(?:\.[A-Za-z0-9]{1,60})?")
_NO_ACTION = re.compile("Action|UnsupportedOperation")
_SAID = {
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
_PASSING = ("RequestLimitExceeded", "InternalError", "InternalServerError")


class NotDone(Exception):  # noqa: N818 - reads as a fact
    """Why a call was not done: the API's symbol, or words of ours.

    One that `passes` may go through a moment later.
    """

    def __init__(self, why: str, *, passes: bool = False) -> None:
        super().__init__()
        self.why, self.passes = why, passes

    @property
    def is_unknown(self) -> bool:
        """Tell whether the place may not know the call: it gave no answer to it."""
        silent = self.why in {NO_ANSWER, UNREADABLE}
        return silent or bool(_NO_ACTION.search(self.why))


def refused(code: object) -> NotDone:
    """Make of the API's symbol why the call was not done; never of its text."""
    if not isinstance(code, str) or not _SYMBOL.fullmatch(code):
        return NotDone(UNREADABLE)
    return NotDone(code, passes=code.startswith(_PASSING))


def run(
    call: Callable[[], T], *, action: str, kind: str, failure: type[KycourierError]
) -> T:
    """Make a call; what is not done becomes `failure`.

    `action` is the permission that it takes (`ssm:GetSecretValue`), `kind` what it is
    made on, in one word (secret, bus).
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

    What passes by itself shows nothing and is no reason not to start, nor is a place
    that does not know this call.
    """

    def unless_open() -> None:
        try:
            call()
        except NotDone as not_done:
            if not (not_done.passes or not_done.is_unknown):
                raise

    run(unless_open, action=action, kind=kind, failure=failure)


def _explain(why: str, action: str, kind: str) -> str:
    if why in _SAID:
        return _SAID[why]
    if why.startswith(_DENIED):
        return f"denied {action} on a {kind}"
    if why.startswith("AuthFailure"):
        return "credentials are refused"
    if why.startswith("ResourceNotFound"):
        return f"no such {kind} in this region"
    return "throttled" if why.startswith("RequestLimitExceeded") else why
