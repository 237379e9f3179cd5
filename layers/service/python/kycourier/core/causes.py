"""Why an attempt failed: one list of words, the same in row, log, API and alarms.

`docs/operations.md` has a row for each word.
"""

from datetime import datetime
from enum import Enum

from msgspec import Struct

from kycourier.core.result_codes import CodeClass, Rejected

_STOPPING_CODES = {"66660001", "66660002"}  # unknown app, service expired (1007/47912)
_CLIENT_ERRORS = range(400, 500)


class Cause(str, Enum):
    """Why an attempt failed."""

    # No whole response of the platform; the reasons of a TransportError.
    RESOLVE_FAILED = "resolve_failed"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    TIMED_OUT = "timed_out"
    CONNECTION_RESET = "connection_reset"
    REPLY_TOO_LARGE = "reply_too_large"
    REPLY_ENCODED = "reply_encoded"
    REPLY_NOT_HTTP = "reply_not_http"
    # A response that cannot be used; the reasons of a MalformedReplyError.
    HTTP_STATUS = "http_status"
    REPLY_NOT_JSON = "reply_not_json"
    REPLY_MALFORMED = "reply_malformed"
    PHOTO_UNREADABLE = "photo_unreadable"
    # A result code, by its class.
    CODE_THROTTLED = "code_throttled"
    CODE_TRANSIENT = "code_transient"
    CODE_PERMANENT = "code_permanent"
    CODE_UNKNOWN = "code_unknown"
    # The ticket.
    TICKET_MISSING = "ticket_missing"
    TICKET_UNREADABLE = "ticket_unreadable"
    TICKET_REFUSED = "ticket_refused"
    REFRESH_REFUSED = "refresh_refused"
    # The app as a whole.
    APP_STOPPED = "app_stopped"
    BREAKER_OPEN = "breaker_open"
    # This service and what it uses.
    STORE_UNAVAILABLE = "store_unavailable"
    EVIDENCE_UNAVAILABLE = "evidence_unavailable"
    EVIDENCE_CONFLICT = "evidence_conflict"
    SINK_UNAVAILABLE = "sink_unavailable"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a word, no secret
    NEWER_SCHEMA = "newer_schema"
    OUT_OF_TIME = "out_of_time"


class Problem(Struct, frozen=True):
    """Why one attempt failed.

    `code` is the platform's, `http_status` that of a response without a usable body.
    `detail` is a field's name of ours, or the kind of a photo.
    """

    cause: Cause
    code: str | None = None
    http_status: int | None = None
    detail: str | None = None

    def fields(self) -> dict[str, str | int]:
        """Returns the fields of a log event."""
        fields = {
            "cause": self.cause.value,
            "code": self.code,
            "http_status": self.http_status,
            "detail": self.detail,
        }
        return {name: value for name, value in fields.items() if value is not None}


class LastProblem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last failed attempt; `count` attempts in a row failed for this cause."""

    cause: Cause
    at: datetime
    count: int = 1
    code: str | None = None
    http_status: int | None = None
    detail: str | None = None

    @property
    def problem(self) -> Problem:
        """Why it failed."""
        return Problem(self.cause, self.code, self.http_status, self.detail)

    def describe(self) -> dict[str, object]:
        """Builds the JSON of API and event; `detail` only if there is one."""
        described: dict[str, object] = {
            "cause": self.cause.value,
            "code": self.code,
            "http_status": self.http_status,
            "at": self.at,
            "count": self.count,
        }
        return described | ({"detail": self.detail} if self.detail else {})


def count_problem(
    last: LastProblem | None, problem: Problem, *, now: datetime
) -> LastProblem:
    """Returns the problem as the row's last one.

    A pause of the app does not replace the problem of an attempt: that one explains it.
    """
    pauses = {Cause.BREAKER_OPEN, Cause.APP_STOPPED}
    if last and problem.cause is Cause.BREAKER_OPEN and last.cause not in pauses:
        return last
    again = last and last.cause is problem.cause
    return LastProblem(
        cause=problem.cause,
        at=now,
        count=last.count + 1 if last and again else 1,
        code=problem.code,
        http_status=problem.http_status,
        detail=problem.detail,
    )


_OF_CLASS = {
    CodeClass.THROTTLED: Cause.CODE_THROTTLED,
    CodeClass.TRANSIENT: Cause.CODE_TRANSIENT,
    CodeClass.PERMANENT: Cause.CODE_PERMANENT,
    CodeClass.UNKNOWN: Cause.CODE_UNKNOWN,
    CodeClass.CREDENTIALS: Cause.TICKET_REFUSED,
}


def is_stopping(rejected: Rejected) -> bool:
    """Checks whether the platform does not serve the app at all."""
    return rejected.code in _STOPPING_CODES


def problem_of_code(rejected: Rejected) -> Problem | None:
    """Returns why a query failed with a code; None if the code is no failure."""
    if is_stopping(rejected):
        return Problem(Cause.APP_STOPPED, code=rejected.code)
    cause = _OF_CLASS.get(rejected.class_)
    return Problem(cause, code=rejected.code) if cause else None


def problem_of_refresh(rejected: Rejected) -> Problem:
    """Returns why a token or ticket call failed with a code."""
    cause = Cause.APP_STOPPED if is_stopping(rejected) else Cause.REFRESH_REFUSED
    return Problem(cause, code=rejected.code)


_METRICS = {
    Cause.RESOLVE_FAILED: "ConnectionFailures",
    Cause.CONNECT_FAILED: "ConnectionFailures",
    Cause.TLS_FAILED: "ConnectionFailures",
    Cause.TIMED_OUT: "ConnectionFailures",
    Cause.CONNECTION_RESET: "ConnectionFailures",
    Cause.REPLY_TOO_LARGE: "RepliesUnreadable",
    Cause.REPLY_ENCODED: "RepliesUnreadable",
    Cause.REPLY_NOT_HTTP: "RepliesUnreadable",
    Cause.HTTP_STATUS: "ServerErrorReplies",
    Cause.REPLY_NOT_JSON: "RepliesUnreadable",
    Cause.REPLY_MALFORMED: "RepliesUnreadable",
    Cause.PHOTO_UNREADABLE: "RepliesUnreadable",
    Cause.CODE_THROTTLED: "CodesThrottled",
    Cause.CODE_TRANSIENT: "CodesFailed",
    Cause.CODE_PERMANENT: "CodesFailed",
    Cause.CODE_UNKNOWN: "CodesFailed",
    Cause.TICKET_MISSING: "TicketsMissing",
    Cause.TICKET_UNREADABLE: "TicketsUnreadable",
    Cause.TICKET_REFUSED: "TicketsRefused",
    Cause.REFRESH_REFUSED: "RefreshesRefused",
    Cause.APP_STOPPED: "AttemptsPaused",
    Cause.BREAKER_OPEN: "AttemptsPaused",
    Cause.STORE_UNAVAILABLE: "ResourceFailures",
    Cause.EVIDENCE_UNAVAILABLE: "ResourceFailures",
    Cause.EVIDENCE_CONFLICT: "ResourceFailures",
    Cause.SINK_UNAVAILABLE: "ResourceFailures",
    Cause.SECRET_UNREADABLE: "ResourceFailures",
    Cause.NEWER_SCHEMA: "ResourceFailures",
    Cause.OUT_OF_TIME: "AttemptsOutOfTime",
}
CAUSE_METRICS = frozenset(_METRICS.values()) | {"ClientErrorReplies"}


def metric_of(cause: Cause, http_status: object) -> str:
    """Returns the metric that counts an attempt's cause; 4xx has one of its own."""
    if cause is Cause.HTTP_STATUS and http_status in _CLIENT_ERRORS:
        return "ClientErrorReplies"
    return _METRICS[cause]
