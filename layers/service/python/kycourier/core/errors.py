"""Every failure that this service names, as one tree.

KycourierError
├── SettingError               a setting is missing or wrong; the start fails
├── ApiProblemError            a request or message cannot be used
├── MalformedReplyError        the platform's response cannot be read
├── TransportError             no whole response came within the deadline
├── TicketUnavailableError     no ticket pair can be used or obtained now
├── StaleOwnerError            the row or lease has a newer owner
├── StoreUnavailableError      a store failed
├── NewerSchemaError           a record was written by a newer release
├── EvidenceConflictError      the object exists with other bytes
├── EvidenceUnavailableError   the evidence store failed
├── SinkUnavailableError       the event sink failed
├── OutOfTimeError             the invocation ends too soon to start or to wait
└── HandlerFailedError         a handler failed; the code only

An error's text is its code and words of ours: nothing from a library, the platform or a
caller enters it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # the errors load without a library
    from datetime import timedelta

    from kycourier.core.causes import Cause, Problem
    from kycourier.core.result_codes import CodeClass


class KycourierError(Exception):
    """The root: `code` is stable and safe to show."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"{self.code}: {reason}" if reason else self.code)
        self.reason = reason


class SettingError(KycourierError):
    """A setting that is missing or wrong; carries its name, never its value."""

    code = "bad_setting"

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"{variable}: {reason}")
        self.variable, self.why = variable, reason


class ApiProblemError(KycourierError):
    """A request or message that cannot be used.

    `problem` is the API's stable code, a key of `triggers/http/problems.py`.
    """

    code = "bad_request"

    def __init__(self, problem: str = "bad_request", reason: str = "") -> None:
        super().__init__(reason or problem)
        self.problem = problem


class MalformedReplyError(KycourierError):
    """The platform's response differs from its documentation.

    `cause` is a word of `core/causes.py`, `field` a name of ours: of the field
    that cannot be read, or of the photo.
    """

    code = "malformed_reply"

    def __init__(self, cause: Cause, field: str | None = None) -> None:
        super().__init__(f"{cause.value} {field}" if field else cause.value)
        self.cause, self.field = cause, field


class TransportError(KycourierError):
    """No whole response.

    The reason is a cause of `core/causes.py`: `resolve_failed` or
    `connect_failed` (no connection), `tls_failed`, `timed_out`, `connection_reset`,
    `reply_too_large`, `reply_encoded` (not identity) or `reply_not_http`.
    """

    code = "upstream_unreachable"


class TicketUnavailableError(KycourierError):
    """No ticket can be used, and none can be obtained now.

    `class_` is that of the platform's refusal of a token or ticket call, if any.
    """

    code = "ticket_unavailable"

    def __init__(self, problem: Problem, *, class_: CodeClass | None = None) -> None:
        super().__init__(problem.cause.value)
        self.problem, self.class_ = problem, class_


class StaleOwnerError(KycourierError):
    """A conditional write failed: version or fence have moved on."""

    code = "stale_owner"


class StoreUnavailableError(KycourierError):
    """State, secret or queue failed; whether a write was done is not known."""

    code = "store_unavailable"


class NewerSchemaError(KycourierError):
    """A record of a newer release: leave it and retry later."""

    code = "newer_schema"


class EvidenceConflictError(KycourierError):
    """An object of that key exists with other bytes; it is kept."""

    code = "evidence_conflict"


class EvidenceUnavailableError(KycourierError):
    """The evidence store failed; the object may or may not exist."""

    code = "evidence_unavailable"


class SinkUnavailableError(KycourierError):
    """The event sink failed; the event stays in the outbox.

    `word` is why, of a sink that knows more than that it failed. `retry_after` is the
    pause that the receiver asked for; `is_gone` if it wants no more events.
    """

    code = "sink_unavailable"

    def __init__(
        self,
        reason: str = "",
        *,
        word: str | None = None,
        retry_after: timedelta | None = None,
        is_gone: bool = False,
    ) -> None:
        super().__init__(reason or (word or ""))
        self.word = word or self.code
        self.retry_after, self.is_gone = retry_after, is_gone


class OutOfTimeError(KycourierError):
    """The platform's time limit is near: not started, or no longer waited for."""

    code = "out_of_time"


class HandlerFailedError(KycourierError):
    """The only error that leaves a handler: a code and nothing else."""

    code = "handler_failed"
