"""What one reply means for its order: the class of its code drives it."""

from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from kycourier.core import codes, retry
from kycourier.core.brake import Signal
from kycourier.core.codes import CodeClass
from kycourier.core.models import PhotoKind, Recognition
from kycourier.core.order_record import OrderRecord, Reason, State
from kycourier.core.reply import Unanswered
from kycourier.core.wire import Refusal

MOST_UNKNOWN_TRIES = 2
CREDENTIALS_PATIENCE = timedelta(minutes=15)
CREDENTIALS_CAP = timedelta(seconds=60)
OUTAGE_GRACE = timedelta(minutes=15)


class Collect(Struct, frozen=True):
    """Store the photos and commit."""

    recognition: Recognition


class AskAgain(Struct, frozen=True):
    """Photos are late: ask again in place after `delay`, or wait for them."""

    delay: timedelta


class Wait(Struct, frozen=True):
    """End the attempt and ask again after `delay`."""

    reason: Reason
    delay: timedelta


class Settle(Struct, frozen=True):
    """End the order: `code` as the platform sent it, `name` as the event shows it."""

    state: State
    code: str
    name: str


Reply = Recognition | Refusal | Unanswered
Decision = Collect | AskAgain | Wait | Settle


def decide(
    record: OrderRecord,
    reply: Reply,
    *,
    now: datetime,
    draw: float,
    photo_patience: timedelta,
) -> Decision:
    """Decide what becomes of the order; `record` already counts it (`note_reply`)."""
    if isinstance(reply, Recognition):
        return _decide_recognition(record, reply, now, photo_patience)
    if isinstance(reply, Unanswered):
        if not reply.asked:
            return _wait(record, Reason.TRANSIENT, draw)
        throttled = reply.signal is Signal.THROTTLED
        reason = Reason.THROTTLED if throttled else Reason.TRANSIENT
        return decide_failure(record, reply.name, reason=reason, now=now, draw=draw)
    return _decide_refusal(record, reply, now, draw)


def _decide_refusal(
    record: OrderRecord, reply: Refusal, now: datetime, draw: float
) -> Wait | Settle:
    code = codes.find(reply.code)
    parked = Settle(State.PARKED, reply.code, code.name)
    fails = partial(
        decide_failure, record, code.name, code=reply.code, now=now, draw=draw
    )
    match code.class_:
        case CodeClass.RECOGNITION_FAILED:
            return Settle(State.REJECTED, reply.code, code.name)
        case CodeClass.NOT_READY if now >= record.deadline_at:
            return Settle(State.EXPIRED, reply.code, code.name)
        case CodeClass.NOT_READY:
            delay = retry.until_ready(record.not_ready_tries)
            return Wait(Reason.NOT_READY, min(delay, record.deadline_at - now))
        case CodeClass.CREDENTIALS:
            return _decide_credentials(record, parked, now, draw)
        case CodeClass.THROTTLED:
            return fails(reason=Reason.THROTTLED)
        case CodeClass.TRANSIENT:
            return fails()
        case CodeClass.UNKNOWN if record.unknown_tries < MOST_UNKNOWN_TRIES:
            return _wait(record, Reason.TRANSIENT, draw)
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
) -> Wait | Settle:
    """Decide after a fault that may pass: wait, and past the deadline for 15 min."""
    since = max(record.deadline_at, record.failing_since or now)
    if now >= since + OUTAGE_GRACE:
        return Settle(State.PARKED, code, name)
    return _wait(record, reason, draw)


def note_reply(record: OrderRecord, reply: Reply, *, now: datetime) -> OrderRecord:
    """Count a reply in the row: since when something fails, and unknown codes."""
    if isinstance(reply, Unanswered):
        return note_failing(record, now=now) if reply.asked else record
    if isinstance(reply, Recognition):
        since = record.photos_since or now if reply.missing() else record.photos_since
        return replace(record, photos_since=since, credentials_since=None)
    class_ = codes.find(reply.code).class_
    if class_ is CodeClass.CREDENTIALS:
        return replace(record, credentials_since=record.credentials_since or now)
    record = replace(record, credentials_since=None)
    match class_:
        case CodeClass.TRANSIENT | CodeClass.THROTTLED:
            return note_failing(record, now=now)
        case CodeClass.UNKNOWN:
            return replace(record, unknown_tries=record.unknown_tries + 1)
        case _:
            return record


def note_failing(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Count a fault of ours or theirs that may pass."""
    return replace(record, failing_since=record.failing_since or now)


def count_photo_try(record: OrderRecord) -> OrderRecord:
    """Count one more asking for late photos."""
    return replace(record, photo_tries=record.photo_tries + 1)


def _decide_recognition(
    record: OrderRecord,
    recognition: Recognition,
    now: datetime,
    photo_patience: timedelta,
) -> Decision:
    if recognition.order_no not in (None, record.order_no):
        return Settle(State.REJECTED, codes.OK_CODE, "order_no_mismatch")
    missing = recognition.missing()
    if not missing:
        return Collect(recognition)
    tries = record.photo_tries
    delay = retry.until_photos(tries)
    if tries < retry.IN_PLACE_PHOTO_TRIES:
        return AskAgain(delay)
    patience_ends = (record.photos_since or now) + photo_patience
    if PhotoKind.ORIGINAL not in missing or now >= patience_ends:
        return Collect(recognition)
    return Wait(Reason.PHOTOS_PENDING, min(delay, patience_ends - now))


def _decide_credentials(
    record: OrderRecord, parked: Settle, now: datetime, draw: float
) -> Wait | Settle:
    """Wait after a refusal that a renewed ticket did not mend; park after 15 min."""
    since = record.credentials_since
    if since is not None and now - since >= CREDENTIALS_PATIENCE:
        return parked
    tries = _tries(record, Reason.CREDENTIALS)
    first = timedelta(seconds=10)
    delay = retry.full_jitter(tries, first=first, draw=draw, cap=CREDENTIALS_CAP)
    return Wait(Reason.CREDENTIALS, delay)


def _wait(record: OrderRecord, reason: Reason, draw: float) -> Wait:
    tries = _tries(record, reason)
    return Wait(reason, retry.after_failure(tries, draw=draw))


def _tries(record: OrderRecord, reason: Reason) -> int:
    return record.tries if record.reason == reason else 0
