"""Decides what one reply means for its order; the class of its code drives it."""

from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from kycourier.core import retry
from kycourier.core.circuit_breaker import Signal
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
    """End the attempt and query again after `delay`."""

    reason: Reason
    delay: timedelta


class Finish(Struct, frozen=True):
    """End the order: `code` as the platform sent it, `name` as the event shows it."""

    state: OrderState
    code: str
    name: str


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
        photo_patience: How long to wait for late photos.
    """
    if isinstance(reply, Recognition):
        return _decide_recognition(record, reply, now, photo_patience)
    if isinstance(reply, NoResponse):
        if not reply.sent:
            return _retry(record, Reason.TRANSIENT, draw)
        throttled = reply.signal is Signal.THROTTLED
        reason = Reason.THROTTLED if throttled else Reason.TRANSIENT
        return decide_failure(record, reply.name, reason=reason, now=now, draw=draw)
    return _decide_rejected(record, reply, now, draw)


def _decide_rejected(
    record: OrderRecord, reply: Rejected, now: datetime, draw: float
) -> Retry | Finish:
    parked = Finish(OrderState.PARKED, reply.code, reply.name)
    fails = partial(
        decide_failure, record, reply.name, code=reply.code, now=now, draw=draw
    )
    match reply.class_:
        case CodeClass.RECOGNITION_FAILED:
            return Finish(OrderState.REJECTED, reply.code, reply.name)
        case CodeClass.NOT_READY if now >= record.deadline_at:
            return Finish(OrderState.EXPIRED, reply.code, reply.name)
        case CodeClass.NOT_READY:
            delay = retry.until_ready(record.not_ready_tries)
            return Retry(Reason.NOT_READY, min(delay, record.deadline_at - now))
        case CodeClass.CREDENTIALS:
            return _decide_credentials(record, parked, now, draw)
        case CodeClass.THROTTLED:
            return fails(reason=Reason.THROTTLED)
        case CodeClass.TRANSIENT:
            return fails()
        case CodeClass.UNKNOWN if record.unknown_tries < MAX_UNKNOWN_TRIES:
            return _retry(record, Reason.TRANSIENT, draw)
        case _:
            return parked


def decide_failure(
    record: OrderRecord,
    name: str,
    *,
    now: datetime,
    draw: float,
    code: str = "",
    reason: Reason = Reason.TRANSIENT,
) -> Retry | Finish:
    """Decides after a transient failure: retry, and park after the deadline's grace."""
    since = max(record.deadline_at, record.failing_since or now)
    if now >= since + PARK_GRACE:
        return Finish(OrderState.PARKED, code, name)
    return _retry(record, reason, draw)


def count_reply(record: OrderRecord, reply: Reply, *, now: datetime) -> OrderRecord:
    """Counts a reply in the row: since when something fails, and unknown codes."""
    if isinstance(reply, NoResponse):
        return count_failure(record, now=now) if reply.sent else record
    if isinstance(reply, Recognition):
        since = record.photos_since or (now if reply.photos_missing else None)
        return replace(record, photos_since=since, credentials_since=None)
    if reply.class_ is CodeClass.CREDENTIALS:
        return replace(record, credentials_since=record.credentials_since or now)
    record = replace(record, credentials_since=None)
    match reply.class_:
        case CodeClass.TRANSIENT | CodeClass.THROTTLED:
            return count_failure(record, now=now)
        case CodeClass.UNKNOWN:
            return replace(record, unknown_tries=record.unknown_tries + 1)
        case _:
            return record


def count_failure(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Counts a transient failure, the platform's or ours."""
    return replace(record, failing_since=record.failing_since or now)


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
    if not recognition.photos_missing:
        return Store(recognition)
    tries = record.photo_tries
    delay = retry.until_photos(tries)
    if tries < retry.IN_PLACE_PHOTO_TRIES:
        return PollPhotos(delay)
    patience_ends = (record.photos_since or now) + photo_patience
    if not recognition.is_incomplete or now >= patience_ends:
        return Store(recognition)
    return Retry(Reason.PHOTOS_PENDING, min(delay, patience_ends - now))


def _decide_credentials(
    record: OrderRecord, parked: Finish, now: datetime, draw: float
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
    return Retry(Reason.CREDENTIALS, delay)


def _retry(record: OrderRecord, reason: Reason, draw: float) -> Retry:
    return Retry(reason, retry.after_failure(_tries(record, reason), draw=draw))


def _tries(record: OrderRecord, reason: Reason) -> int:
    return record.tries if record.reason == reason else 0
