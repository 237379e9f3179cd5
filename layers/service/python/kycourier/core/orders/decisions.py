"""Decides what one reply means for its order; the class of its code drives it."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from kycourier.core import retry
from kycourier.core.causes import Cause, Problem, problem_of_code
from kycourier.core.documents.recognition import Recognition
from kycourier.core.orders.record import OrderRecord, OrderState, Reason
from kycourier.core.result_codes import OK_CODE, CodeClass, Rejected
from kycourier.core.timing import (
    CREDENTIALS_BACKOFF_FIRST,
    CREDENTIALS_BACKOFF_MAX,
    CREDENTIALS_PATIENCE,
    PARK_GRACE,
)
from kycourier.core.wire.responses import NoResponse

MAX_UNKNOWN_TRIES = 2


class Store(Struct, frozen=True):
    """Store the photos and commit."""

    recognition: Recognition


class PollPhotos(Struct, frozen=True):
    """Photos are late: query again within this attempt after `delay`."""

    delay: timedelta


class Retry(Struct, frozen=True):
    """End the attempt and query again after `delay`; `problem` if it failed."""

    reason: Reason
    delay: timedelta
    problem: Problem | None = None


class Finish(Struct, frozen=True):
    """End the order: `code` as the platform sent it, `name` as the event shows it.

    `problem` is why it is parked.
    """

    state: OrderState
    code: str
    name: str
    problem: Problem | None = None


Reply = Recognition | Rejected | NoResponse
Decision = Store | PollPhotos | Retry | Finish


def decide(
    record: OrderRecord,
    reply: Reply,
    *,
    now: datetime,
    draw: float,
    photo_patience: timedelta,
) -> Decision:
    """Decides what to do with the order.

    Args:
        record: The row, in which this reply is counted already (`count_reply`).
        reply: What the platform replied.
        now: The store's clock.
        draw: Uniform in [0, 1), for the jitter.
        photo_patience: How long to wait for late photos, if the document has no other.
    """
    if isinstance(reply, Recognition):
        return _decide_recognition(record, reply, now, photo_patience)
    if isinstance(reply, NoResponse):
        name = reply.problem.cause.value
        return _decide_problem(record, reply.class_, name, reply.problem, now, draw)
    if problem := problem_of_code(reply):
        return _decide_problem(record, reply.class_, reply.name, problem, now, draw)
    if reply.class_ is not CodeClass.NOT_READY:
        return Finish(OrderState.REJECTED, reply.code, reply.name)
    if now >= record.deadline_at:
        return Finish(OrderState.EXPIRED, reply.code, reply.name)
    delay = retry.until_ready(record.not_ready_tries)
    return Retry(Reason.NOT_READY, min(delay, record.deadline_at - now))


def _decide_problem(
    record: OrderRecord,
    class_: CodeClass,
    name: str,
    problem: Problem,
    now: datetime,
    draw: float,
) -> Retry | Finish:
    parked = Finish(OrderState.PARKED, problem.code or "", name, problem)
    match class_:
        case CodeClass.CREDENTIALS:
            return _decide_credentials(record, parked, problem, now, draw)
        case CodeClass.THROTTLED | CodeClass.TRANSIENT:
            return decide_failure(
                record, problem, class_=class_, name=name, now=now, draw=draw
            )
        case CodeClass.UNKNOWN if record.unknown_tries < MAX_UNKNOWN_TRIES:
            return _retry(record, problem, Reason.TRANSIENT, draw)
        case _:
            return parked


_REASONS = {
    Cause.APP_STOPPED: Reason.APP_STOPPED,
    Cause.BREAKER_OPEN: Reason.PAUSED,
}


def reason_of(problem: Problem, *, class_: CodeClass = CodeClass.TRANSIENT) -> Reason:
    """Returns why an order waits after a problem that a retry may cure."""
    if class_ is CodeClass.THROTTLED:
        return Reason.THROTTLED
    return _REASONS.get(problem.cause, Reason.TRANSIENT)


def decide_failure(
    record: OrderRecord,
    problem: Problem,
    *,
    class_: CodeClass = CodeClass.TRANSIENT,
    name: str | None = None,
    now: datetime,
    draw: float,
) -> Retry | Finish:
    """Decides after a transient failure: retry, and park after the deadline's grace.

    Args:
        record: The row.
        problem: Why the attempt failed.
        class_: The failure's class: transient or throttled.
        name: What the event shows if the order is parked; the cause by default.
        now: The store's clock.
        draw: Uniform in [0, 1), for the jitter.
    """
    since = max(record.deadline_at, record.failing_since or now)
    if now >= since + PARK_GRACE:
        name = name or problem.cause.value
        return Finish(OrderState.PARKED, problem.code or "", name, problem)
    return _retry(record, problem, reason_of(problem, class_=class_), draw)


def count_reply(record: OrderRecord, reply: Reply, *, now: datetime) -> OrderRecord:
    """Counts a reply in the row: since when something lasts, and unknown codes."""
    if isinstance(reply, Recognition):
        since = record.photos_since or (now if reply.photos_missing else None)
        return replace(record, photos_since=since, credentials_since=None)
    if reply.class_ is CodeClass.CREDENTIALS:
        return replace(record, credentials_since=record.credentials_since or now)
    if isinstance(reply, NoResponse):
        return record
    unknown = reply.class_ is CodeClass.UNKNOWN
    return replace(
        record,
        credentials_since=None,
        unknown_tries=record.unknown_tries + 1 if unknown else record.unknown_tries,
    )


def count_photo_try(record: OrderRecord) -> OrderRecord:
    """Counts one more query for late photos."""
    return replace(record, photo_tries=record.photo_tries + 1)


def _decide_recognition(
    record: OrderRecord,
    recognition: Recognition,
    now: datetime,
    photo_patience: timedelta,
) -> Decision:
    if recognition.order_no not in (None, record.order_no):
        return Finish(OrderState.REJECTED, OK_CODE, "order_no_mismatch")
    if recognition.is_settled or not recognition.photos_missing:
        return Store(recognition)
    tries = record.photo_tries
    delay = retry.until_photos(tries)
    if tries < retry.IN_PLACE_PHOTO_TRIES:
        return PollPhotos(delay)
    patience = recognition.patience or photo_patience
    patience_ends = (record.photos_since or now) + patience
    if not recognition.is_incomplete or now >= patience_ends:
        return Store(recognition)
    return Retry(Reason.PHOTOS_PENDING, min(delay, patience_ends - now))


def _decide_credentials(
    record: OrderRecord,
    parked: Finish,
    problem: Problem,
    now: datetime,
    draw: float,
) -> Retry | Finish:
    """Decides after a refusal that a renewed ticket did not cure."""
    since = record.credentials_since
    if since is not None and now - since >= CREDENTIALS_PATIENCE:
        return parked
    delay = retry.full_jitter(
        _tries(record, Reason.CREDENTIALS),
        first=CREDENTIALS_BACKOFF_FIRST,
        draw=draw,
        cap=CREDENTIALS_BACKOFF_MAX,
    )
    return Retry(Reason.CREDENTIALS, delay, problem)


def _retry(record: OrderRecord, problem: Problem, reason: Reason, draw: float) -> Retry:
    delay = retry.after_failure(_tries(record, reason), draw=draw)
    return Retry(reason, delay, problem)


def _tries(record: OrderRecord, reason: Reason) -> int:
    return record.tries if record.reason == reason else 0
