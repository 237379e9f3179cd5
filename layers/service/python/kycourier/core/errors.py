"""Every failure this service names, as one tree.

KycourierError
├── SettingError          a setting is missing or wrong; stops the start
├── BadRequest            what a caller or a message sent cannot be used
├── MalformedReply        the platform answered with something unreadable
├── UpstreamUnreachable   no whole answer came within the deadline
├── TicketUnavailable     no ticket pair can be used or had just now
├── StaleOwner            the row or lease moved on to another owner
├── StoreUnavailable      a store could not do it just now
├── NewerSchema           a record was written by a newer release
├── EvidenceConflict      the object exists with other bytes
├── EvidenceUnavailable   the evidence store could not do it just now
├── SinkUnavailable       the event sink could not take it just now
├── OutOfTime             the invocation ends too soon to begin, or to wait on
└── HandlerFailed         what leaves a handler when nothing better is known

An error's text is its code and words of ours. What a foreign library, the platform or a
caller said never enters it.
"""

from collections.abc import Callable
from functools import wraps
from traceback import clear_frames
from typing import ClassVar, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class KycourierError(Exception):
    """The root: `code` is stable and safe to show."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"{self.code}: {reason}" if reason else self.code)
        self.reason = reason


def tell_failure(error: BaseException) -> dict[str, str]:
    """Give a failure's log fields: its code and our reason, or a foreign one's class.

    The reason's words are joined by `_`.
    """
    if not isinstance(error, KycourierError):
        return {"error": type(error).__name__}
    problem = {"problem": error.reason.replace(" ", "_")} if error.reason else {}
    return {"error": error.code, **problem}


def forgetful(work: Callable[P, R]) -> Callable[P, R]:
    """Let what `work` raises keep its lines, but not the variables of its frames.

    They held what is secret, and whoever reports a crash takes variables along. What
    `work` itself is called with stays, and is to hide itself.
    """

    @wraps(work)
    def alone(*args: P.args, **options: P.kwargs) -> R:
        try:
            return work(*args, **options)
        except Exception as error:  # raised again, whatever it is
            forget_variables(error)
            raise

    return alone


def forget_variables(error: BaseException) -> None:
    """Clear the frames of an error and of those before it, which ours do not name."""
    if isinstance(error, KycourierError):
        error.__cause__ = error.__context__ = None
    each: BaseException | None = error
    while each is not None:
        clear_frames(each.__traceback__)
        each = each.__cause__ or each.__context__


class SettingError(KycourierError):
    """A setting that is missing or wrong; carries its name, never its value."""

    code = "bad_setting"

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable, self.why = variable, reason


class BadRequest(KycourierError):  # noqa: N818 - HTTP's name for it
    """What was sent cannot be used; `problem` is the API's stable code."""

    code = "bad_request"

    def __init__(self, problem: str = "bad_request", reason: str = "") -> None:
        super().__init__(reason or problem)
        self.problem = problem


class MalformedReply(KycourierError):  # noqa: N818 - reads as a fact
    """The platform's reply is not what its pages describe."""

    code = "malformed_reply"


class UpstreamUnreachable(KycourierError):  # noqa: N818 - reads as a fact
    """No whole answer: resolving, connecting, TLS, reading, size or time."""

    code = "upstream_unreachable"


class TicketUnavailable(KycourierError):  # noqa: N818 - reads as a fact
    """No usable ticket pair, and none to be had just now.

    `refused_with` is the platform's code where it refused to give one.
    """

    code = "ticket_unavailable"

    def __init__(self, reason: str = "", *, refused_with: str | None = None) -> None:
        super().__init__(reason)
        self.refused_with = refused_with


class StaleOwner(KycourierError):  # noqa: N818 - reads as a fact
    """A conditional write was refused: version or fence is no longer ours."""

    code = "stale_owner"


class StoreUnavailable(KycourierError):  # noqa: N818 - reads as a fact
    """The state, a secret or the queue failed; whether it was written is not known."""

    code = "store_unavailable"


class NewerSchema(KycourierError):  # noqa: N818 - reads as a fact
    """A record of a newer release: leave it and try later."""

    code = "newer_schema"


class EvidenceConflict(KycourierError):  # noqa: N818 - reads as a fact
    """An object of that key exists with other bytes; it stands."""

    code = "evidence_conflict"


class EvidenceUnavailable(KycourierError):  # noqa: N818 - reads as a fact
    """The evidence store failed; the object may or may not be there."""

    code = "evidence_unavailable"


class SinkUnavailable(KycourierError):  # noqa: N818 - reads as a fact
    """The event sink failed; the event stays in the outbox."""

    code = "sink_unavailable"


class OutOfTime(KycourierError):  # noqa: N818 - reads as a fact
    """The platform's time limit is near: not begun, or not waited for any longer."""

    code = "out_of_time"


class HandlerFailed(KycourierError):  # noqa: N818 - reads as a fact
    """The code-only error that leaves a handler."""

    code = "handler_failed"
