"""What follows an order's end: its events are sent, its evidence folder is checked."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from kycourier.core.causes import Cause, Problem, count_problem
from kycourier.core.errors import EvidenceConflictError
from kycourier.core.orders.record import OrderRecord
from kycourier.core.orders.state_machine import next_version
from kycourier.core.timing import ORPHAN_CHECK_AFTER


def mark_sent(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Marks all events as accepted; possible orphans are due for a check."""
    sent = tuple(replace(event, sent=True) for event in record.events)
    if not record.state.is_final:
        return next_version(record, now, events=sent)
    suspect = record.attempts > 1 or record.reason == EvidenceConflictError.code
    check = suspect and not record.orphans_checked
    due_at = now + ORPHAN_CHECK_AFTER if check else None
    refused = _is_refused_by_sink(record)
    last = None if refused else record.last_problem
    return next_version(record, now, events=sent, due_at=due_at, last_problem=last)


def mark_event_sent(
    record: OrderRecord, event_id: str, *, now: datetime
) -> OrderRecord:
    """Marks one event as accepted; the schedule of events that remain is unchanged."""
    events = tuple(
        replace(event, sent=True) if event.id == event_id else event
        for event in record.events
    )
    if all(event.sent for event in events):
        return mark_sent(record, now=now)
    return next_version(record, now, events=events)


def publish_later(
    record: OrderRecord, *, delay: timedelta, now: datetime
) -> OrderRecord:
    """Schedules the next try after the sink refused the events.

    The sink's problem does not replace why an order is parked.
    """
    last = record.last_problem
    if last is None or _is_refused_by_sink(record):
        last = count_problem(last, Problem(Cause.SINK_UNAVAILABLE), now=now)
    return next_version(
        record, now, due_at=now + delay, tries=record.tries + 1, last_problem=last
    )


def mark_orphans_checked(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Marks the evidence folder as checked: nothing is left to do."""
    return next_version(record, now, orphans_checked=True, due_at=None)


def mark_photo_gone(record: OrderRecord, kind: str, *, now: datetime) -> OrderRecord:
    """Notes that a photo was deleted."""
    return next_version(record, now, photos_gone=(*record.photos_gone, kind))


def recheck_orphans(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Schedules one more check of the evidence folder."""
    due_at = record.due_at if record.unsent else now + ORPHAN_CHECK_AFTER
    return next_version(record, now, orphans_checked=False, due_at=due_at)


def _is_refused_by_sink(record: OrderRecord) -> bool:
    last = record.last_problem
    return last is not None and last.cause is Cause.SINK_UNAVAILABLE
