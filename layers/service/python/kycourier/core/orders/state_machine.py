"""The order's state machine: each transition returns a new row, one version on."""

from datetime import datetime, timedelta
from enum import Enum, auto

from msgspec.structs import replace

from kycourier.core.documents.registry import Document
from kycourier.core.errors import EvidenceConflictError
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    OutboxEvent,
    Reason,
)
from kycourier.core.orders.results import OrderResult
from kycourier.core.timing import DUE_TOLERANCE, ORPHAN_CHECK_AFTER, RENOTIFY_AFTER

_NO_MARGIN = timedelta(0)
_FAILING = {Reason.TRANSIENT, Reason.THROTTLED}


class Urgency(Enum):
    """What starts an attempt: the schedule, a message, or a caller who waits."""

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
    """Creates an order's first row: registered, due after `first_sweep`.

    It expires after `ttl`. `traceparent` is the caller's trace.
    """
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
    """Checks whether an attempt may start now.

    A message for an order that waits for its due time changes nothing, unless the
    result was not ready and a minute has passed since it was queried.
    """
    if record.state.is_final:
        return False
    if record.state is OrderState.COLLECTING:
        return record.lease_ends_at is None or record.lease_ends_at <= now
    if urgency is Urgency.NOW or _is_due(record, now):
        return True
    if urgency is Urgency.DUE:
        return False
    return record.state is OrderState.REGISTERED or (
        record.reason == Reason.NOT_READY and now - record.updated_at >= RENOTIFY_AFTER
    )


def _is_due(record: OrderRecord, now: datetime) -> bool:
    return record.due_at is not None and record.due_at <= now + DUE_TOLERANCE


def claim(
    record: OrderRecord,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    folder: str,
    traceparent: str | None = None,
) -> OrderRecord:
    """Starts an attempt: a higher fence and a lease; folder and trace if absent."""
    return _next(
        record,
        now,
        state=OrderState.COLLECTING,
        fence=record.fence + 1,
        owner=owner,
        lease_ends_at=now + lease,
        due_at=now + lease,
        attempts=record.attempts + 1,
        folder=record.folder or folder,
        traceparent=record.traceparent or traceparent,
    )


def try_claim(
    stored: OrderRecord | None,
    draft: OrderRecord,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    urgency: Urgency,
    folder: str,
    margin: timedelta = _NO_MARGIN,
) -> OrderRecord | None:
    """Claims the stored row, or the draft if there is none.

    Returns:
        The claimed row, or None if it may not be claimed now. A lease counts as held
        for `margin` after its end, where clocks may differ.
    """
    record = stored or draft
    by = now - margin if record.state is OrderState.COLLECTING else now
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


def retry_later(
    record: OrderRecord, *, reason: Reason, delay: timedelta, now: datetime
) -> OrderRecord:
    """Ends the attempt; the order is due again after `delay`.

    An attempt before its scheduled time does not advance the schedule for "not ready".
    """
    again = record.reason == reason
    waiting = _next(
        record,
        now,
        state=OrderState.WAITING,
        reason=reason.value,
        owner=None,
        lease_ends_at=None,
        due_at=now + delay,
        tries=record.tries + 1 if again else 1,
        failing_since=record.failing_since if reason in _FAILING else None,
    )
    if reason is not Reason.NOT_READY:
        return waiting
    scheduled = record.next_scheduled_at
    if scheduled is not None and now + DUE_TOLERANCE < scheduled:
        return replace(waiting, due_at=scheduled)
    tries = record.not_ready_tries + 1
    return replace(waiting, not_ready_tries=tries, next_scheduled_at=waiting.due_at)


def finish(
    record: OrderRecord,
    *,
    state: OrderState,
    reason: str | None,
    result: OrderResult,
    event: OutboxEvent,
    now: datetime,
) -> OrderRecord:
    """Ends the order, with its event in the outbox.

    The lease's end stays the due time, so that the sweep publishes for a worker that
    dies. An order that is parked again keeps its first event and result.
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
        result=record.result if known else result,
        events=record.events if known else (*record.events, event),
    )


def mark_sent(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Marks all events as accepted; possible orphans are due for a check."""
    sent = tuple(replace(event, sent=True) for event in record.events)
    if not record.state.is_final:
        return _next(record, now, events=sent)
    suspect = record.attempts > 1 or record.reason == EvidenceConflictError.code
    check = suspect and not record.orphans_checked
    due_at = now + ORPHAN_CHECK_AFTER if check else None
    return _next(record, now, events=sent, due_at=due_at)


def publish_later(
    record: OrderRecord, *, delay: timedelta, now: datetime
) -> OrderRecord:
    """Schedules the next try after the sink refused the events."""
    return _next(record, now, due_at=now + delay, tries=record.tries + 1)


def mark_orphans_checked(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Marks the evidence folder as checked: nothing is left to do."""
    return _next(record, now, orphans_checked=True, due_at=None)


def recheck_orphans(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Schedules one more check of the evidence folder."""
    due_at = record.due_at if record.unsent else now + ORPHAN_CHECK_AFTER
    return _next(record, now, orphans_checked=False, due_at=due_at)


def make_due(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Makes an order that nobody works on due now."""
    return _next(record, now, due_at=now)


def reopen(record: OrderRecord, *, now: datetime, ttl: timedelta) -> OrderRecord:
    """Reopens a parked order: due now, counters at zero, a new deadline."""
    return _next(
        record,
        now,
        state=OrderState.WAITING,
        reason=None,
        due_at=now,
        deadline_at=max(record.deadline_at, now + ttl),
        tries=0,
        not_ready_tries=0,
        next_scheduled_at=None,
        unknown_tries=0,
        photo_tries=0,
        photos_since=None,
        credentials_since=None,
        failing_since=None,
        orphans_checked=False,
    )


def _next(record: OrderRecord, now: datetime, **changes: object) -> OrderRecord:
    return replace(record, version=record.version + 1, updated_at=now, **changes)
