"""The order's state machine: every change is a new row, one version on."""

from datetime import datetime, timedelta
from enum import Enum, auto

from msgspec.structs import replace

from kycourier.core.errors import EvidenceConflict
from kycourier.core.models import Document, OrderKey
from kycourier.core.order_record import OrderRecord, OutboxEvent, Reason, State

NOTIFIED_AGAIN_AFTER = timedelta(seconds=60)
CLOCK_GRACE = timedelta(seconds=1)
TIDY_AFTER = timedelta(minutes=20)  # longer than any invocation may still put
_NO_MARGIN = timedelta(0)
_FAILING = {Reason.TRANSIENT, Reason.THROTTLED}


class Urgency(Enum):
    """Who asks: the schedule, a message that it is ready, or a caller who waits."""

    DUE = auto()
    NOTIFIED = auto()
    NOW = auto()


def draft(
    order: OrderKey,
    *,
    document: Document,
    now: datetime,
    ttl: timedelta,
    first_sweep: timedelta,
    traceparent: str | None = None,
) -> OrderRecord:
    """Begin an order's row: expected, not yet asked for."""
    return OrderRecord(
        app_id=order.app_id,
        order_no=order.order_no,
        document=document,
        registered_at=now,
        updated_at=now,
        deadline_at=now + ttl,
        due_at=now + first_sweep,
        traceparent=traceparent,
    )


def may_claim(record: OrderRecord, *, now: datetime, urgency: Urgency) -> bool:
    """Tell whether the order may be worked on now.

    A message for an order that waits for its due time changes nothing, unless the
    result was not ready and nobody has asked for a minute: then it is news.
    """
    if record.state.is_final:
        return False
    if record.state is State.COLLECTING:
        return record.lease_ends_at is None or record.lease_ends_at <= now
    if urgency is Urgency.NOW or _is_due(record, now):
        return True
    if urgency is Urgency.DUE:
        return False
    return record.state is State.REGISTERED or (
        record.reason == Reason.NOT_READY
        and now - record.updated_at >= NOTIFIED_AGAIN_AFTER
    )


def _is_due(record: OrderRecord, now: datetime) -> bool:
    return record.due_at is not None and record.due_at <= now + CLOCK_GRACE


def claim(
    record: OrderRecord,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    folder: str,
    traceparent: str | None = None,
) -> OrderRecord:
    """Take the order: a higher fence, a lease, and what the row lacks of the rest."""
    return _next(
        record,
        now,
        state=State.COLLECTING,
        fence=record.fence + 1,
        owner=owner,
        lease_ends_at=now + lease,
        due_at=now + lease,
        attempts=record.attempts + 1,
        folder=record.folder or folder,
        traceparent=record.traceparent or traceparent,
    )


def take(
    there: OrderRecord | None,
    draft: OrderRecord,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    urgency: Urgency,
    folder: str,
    margin: timedelta = _NO_MARGIN,
) -> OrderRecord | None:
    """Claim the row that is there, or the draft; None when it may not be claimed now.

    A lease that has ended is another's for `margin` more, where clocks may differ.
    """
    record = there or draft
    by = now - margin if record.state is State.COLLECTING else now
    if not may_claim(record, now=by, urgency=urgency):
        return None
    return claim(
        record,
        owner=owner,
        now=now,
        lease=lease,
        folder=folder,
        traceparent=draft.traceparent,
    )


def wait(
    record: OrderRecord, *, reason: Reason, delay: timedelta, now: datetime
) -> OrderRecord:
    """End the attempt: ask again after `delay`.

    Who asked before its turn does not move the schedule for "not ready" on.
    """
    again = record.reason == reason
    waits = _next(
        record,
        now,
        state=State.WAITING,
        reason=reason.value,
        owner=None,
        lease_ends_at=None,
        due_at=now + delay,
        tries=record.tries + 1 if again else 1,
        failing_since=record.failing_since if reason in _FAILING else None,
    )
    if reason is not Reason.NOT_READY:
        return waits
    if record.turn_at is not None and now + CLOCK_GRACE < record.turn_at:
        return replace(waits, due_at=record.turn_at)
    tries = record.not_ready_tries + 1
    return replace(waits, not_ready_tries=tries, turn_at=waits.due_at)


def settle(
    record: OrderRecord,
    *,
    state: State,
    reason: str | None,
    event: OutboxEvent,
    now: datetime,
) -> OrderRecord:
    """End the order for good, with its event in the outbox.

    The lease's end stays as the due time, so that a sender that dies is replaced. An
    order parked again keeps its first event.
    """
    known = any(earlier.type == event.type for earlier in record.events)
    return _next(
        record,
        now,
        state=state,
        reason=reason,
        owner=None,
        lease_ends_at=None,
        due_at=record.lease_ends_at or now,
        tries=0,
        events=record.events if known else (*record.events, event),
    )


def mark_sent(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Note that the sink took all events; what an attempt left behind is tidied."""
    sent = tuple(replace(event, sent=True) for event in record.events)
    if not record.state.is_final:
        return _next(record, now, events=sent)
    left = record.attempts > 1 or record.reason == EvidenceConflict.code
    tidy = left and not record.tidied
    return _next(record, now, events=sent, due_at=now + TIDY_AFTER if tidy else None)


def send_later(record: OrderRecord, *, delay: timedelta, now: datetime) -> OrderRecord:
    """Note that the sink did not take the events just now."""
    return _next(record, now, due_at=now + delay, tries=record.tries + 1)


def mark_tidied(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Note that the evidence folder was looked through: nothing is left to do."""
    return _next(record, now, tidied=True, due_at=None)


def tidy_again(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Let the evidence folder be looked through once more, later."""
    due_at = record.due_at if record.unsent else now + TIDY_AFTER
    return _next(record, now, tidied=False, due_at=due_at)


def make_due(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Bring an order that is not being worked on forward to now."""
    return _next(record, now, due_at=now)


def reopen(record: OrderRecord, *, now: datetime, ttl: timedelta) -> OrderRecord:
    """Lift a parked order: due now, counters at zero, a new deadline."""
    return _next(
        record,
        now,
        state=State.WAITING,
        reason=None,
        due_at=now,
        deadline_at=max(record.deadline_at, now + ttl),
        tries=0,
        not_ready_tries=0,
        turn_at=None,
        unknown_tries=0,
        photo_tries=0,
        photos_since=None,
        credentials_since=None,
        failing_since=None,
        tidied=False,
    )


def _next(record: OrderRecord, now: datetime, **changes: object) -> OrderRecord:
    return replace(record, version=record.version + 1, updated_at=now, **changes)
