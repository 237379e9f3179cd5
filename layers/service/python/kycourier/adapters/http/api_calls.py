"""Runs calls of a cloud's API, and turns failed ones into our errors."""

from collections.abc import Callable
from typing import TypeVar

from kycourier.core.errors import KycourierError

T = TypeVar("T")
UNREACHABLE, NO_RESPONSE, UNREADABLE = (
    "unreachable",
    "no response",
    "unreadable response",
)
NO_TIME = "no time left"
NOT_CONNECTED = {
    "resolve_failed",
    "connect_failed",
    "tls_failed",
}  # reasons of a TransportError

Explain = Callable[[str, str, str], str]


class CallFailedError(Exception):
    """A call that failed.

    Attributes:
        code: The API's own error code or one of the constants above, never its text.
        transient: Whether the call may succeed a moment later.
        response: The API's response, if it sent one.
    """

    def __init__(
        self, code: str, *, transient: bool = False, response: object = None
    ) -> None:
        super().__init__()
        self.code, self.transient, self.response = code, transient, response


def run(
    call: Callable[[], T],
    *,
    explain: Explain,
    action: str,
    kind: str,
    failure: type[KycourierError],
) -> T:
    """Makes a call.

    Args:
        call: Makes the call; raises CallFailedError.
        explain: Turns code, action and kind into the error's reason.
        action: The permission that the call requires (`sqs:SendMessage`).
        kind: The resource's kind (table, secret, queue, bus).
        failure: The error to raise.

    Raises:
        KycourierError: of the class `failure`.
    """
    try:
        return call()
    except CallFailedError as failed:
        reason = explain(failed.code, action, kind)
    raise failure(reason)


def is_transient(failed: CallFailedError) -> bool:
    """Checks whether a failure may succeed a moment later."""
    return failed.transient


def prove(
    call: Callable[[], object],
    *,
    explain: Explain,
    action: str,
    kind: str,
    failure: type[KycourierError],
    is_inconclusive: Callable[[CallFailedError], bool] = is_transient,
) -> None:
    """Makes a call at start-up, to prove that a resource exists and is permitted.

    An inconclusive failure proves nothing and does not block the start. Otherwise like
    `run`.
    """

    def conclusive() -> None:
        try:
            call()
        except CallFailedError as failed:
            if not is_inconclusive(failed):
                raise

    run(conclusive, explain=explain, action=action, kind=kind, failure=failure)
