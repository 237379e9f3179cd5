"""The order's state machine: each transition returns a new row, one version on."""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from msgspec.structs import replace

from kycourier.core.causes import Problem, count_problem
from kycourier.core.documents.recognition import Document
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    OutboxEvent,
    Reason,
)
from kycourier.core.orders.results import OrderResult
from kycourier.core.timing import DUE_TOLERANCE, RENOTIFY_AFTER

_NO_MARGIN = timedelta(0)


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
    return next_version(
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


def try_claim(  # noqa: PLR0913 - all that decides
    stored: OrderRecord | None,
    draft: OrderRecord,
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    urgency: Urgency,
    folder: str,
    document: Document | None = None,
    margin: timedelta = _NO_MARGIN,
) -> OrderRecord | None:
    """Claims the stored row, or the draft if there is none.

    Returns:
        The claimed row, or None if it may not be claimed now, or if it is not of
        `document`. A lease counts as held for `margin` after its end, where clocks may
        differ.
    """
    record = stored or draft
    if document not in {None, record.document}:
        return None
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
    record: OrderRecord,
    *,
    reason: Reason,
    delay: timedelta,
    now: datetime,
    problem: Problem | None = None,
) -> OrderRecord:
    """Ends the attempt; the order is due again after `delay`.

    An attempt before its scheduled time does not advance the schedule for "not ready".

    Args:
        record: The claimed row.
        reason: Why the order waits.
        delay: How long.
        now: The store's clock.
        problem: Why the attempt failed; None if it did not.
    """
    again = record.reason == reason
    waiting = next_version(
        record,
        now,
        state=OrderState.WAITING,
        reason=reason.value,
        owner=None,
        lease_ends_at=None,
        due_at=now + delay,
        tries=record.tries + 1 if again else 1,
        **_count_failure(record, problem, now),
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
    problem: Problem | None = None,
) -> OrderRecord:
    """Ends the order, with its event in the outbox; `problem` is why it is parked.

    The lease's end stays the due time, so that the sweep publishes for a worker that
    dies. An order that is parked again keeps its first event and result.
    """
    known = any(earlier.type == event.type for earlier in record.events)
    return next_version(
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
        delivery=record.delivery if known else None,
        **_count_failure(record, problem, now),
    )


def make_due(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Makes an order that nobody works on due now."""
    return next_version(record, now, due_at=now)


def reopen(record: OrderRecord, *, now: datetime, ttl: timedelta) -> OrderRecord:
    """Reopens a parked order: due now, counters at zero, a new deadline."""
    return next_version(
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


def _count_failure(
    record: OrderRecord, problem: Problem | None, now: datetime
) -> dict[str, Any]:
    """Returns what the row keeps of an attempt's problem."""
    if problem is None:
        return {"failing_since": None, "last_problem": None}
    last = count_problem(record.last_problem, problem, now=now)
    return {"failing_since": record.failing_since or now, "last_problem": last}


def next_version(record: OrderRecord, now: datetime, **changes: object) -> OrderRecord:
    """Returns the row with changes, one version on."""
    return replace(record, version=record.version + 1, updated_at=now, **changes)
