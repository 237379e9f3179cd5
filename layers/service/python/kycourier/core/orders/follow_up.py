"""What follows an order's end: its events are sent, its evidence folder is checked."""

from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from msgspec.structs import replace

from kycourier.core.causes import Cause, Problem, count_problem
from kycourier.core.errors import EvidenceConflictError, SinkUnavailableError
from kycourier.core.orders.delivery import count_attempt
from kycourier.core.orders.record import OrderRecord, OutboxEvent
from kycourier.core.orders.state_machine import next_version
from kycourier.core.timing import ORPHAN_CHECK_AFTER


def mark_sent(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Marks all events as accepted; possible orphans are due for a check."""
    events = tuple(
        each if each.undeliverable else replace(each, sent=True)
        for each in record.events
    )
    return _change_events(record, events, problem=None, now=now)


def mark_event_sent(
    record: OrderRecord, event_id: str, *, now: datetime
) -> OrderRecord:
    """Marks one event as accepted; the schedule of events that remain is unchanged."""
    events = tuple(
        replace(each, sent=True, undeliverable=False) if each.id == event_id else each
        for each in record.events
    )
    return _change_events(record, events, problem=None, now=now)


def give_up(
    record: OrderRecord, event_ids: AbstractSet[str], *, problem: str, now: datetime
) -> OrderRecord:
    """Marks events as undeliverable: they are sent by hand only."""
    events = tuple(
        replace(each, undeliverable=True) if each.id in event_ids else each
        for each in record.events
    )
    return _change_events(record, events, problem=problem, now=now)


def _change_events(
    record: OrderRecord,
    events: tuple[OutboxEvent, ...],
    *,
    problem: str | None,
    now: datetime,
) -> OrderRecord:
    """Ends the delivery if no event is left to send.

    Its problem is that of the newest event, None if that was accepted.
    """
    changed = replace(record, events=events)
    if changed.unsent:
        return next_version(changed, now)
    last, word = record.delivery, None
    if events and not events[-1].sent:
        word = problem or (last.problem if last else None)
    delivery = count_attempt(last, problem=word, now=now)
    return _end_delivery(replace(changed, delivery=delivery), now)


def _end_delivery(record: OrderRecord, now: datetime) -> OrderRecord:
    """Ends the delivery of a row whose events are no longer to be sent."""
    if not record.state.is_final:
        return next_version(record, now)
    suspect = record.attempts > 1 or record.reason == EvidenceConflictError.code
    check = suspect and not record.orphans_checked
    due_at = now + ORPHAN_CHECK_AFTER if check else None
    is_over = _is_refused_by_sink(record) and not _is_given_up(record)
    last = None if is_over else record.last_problem
    return next_version(record, now, due_at=due_at, last_problem=last)


def publish_later(
    record: OrderRecord,
    *,
    delay: timedelta,
    now: datetime,
    problem: str = SinkUnavailableError.code,
) -> OrderRecord:
    """Schedules the next try after the sink refused the events.

    The sink's problem does not replace why an order is parked.

    Args:
        record: The row.
        delay: When they are sent again.
        now: The store's clock.
        problem: Why they were refused, in one word.
    """
    last = record.last_problem
    if last is None or _is_refused_by_sink(record):
        last = count_problem(last, Problem(Cause.SINK_UNAVAILABLE), now=now)
    delivery = count_attempt(record.delivery, problem=problem, now=now)
    return next_version(
        record, now, due_at=now + delay, delivery=delivery, last_problem=last
    )


def leave_to_sweep(record: OrderRecord, *, now: datetime) -> OrderRecord:
    """Makes unsent events due now, without counting an attempt."""
    return next_version(record, now, due_at=now)


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


def _is_given_up(record: OrderRecord) -> bool:
    return any(event.undeliverable for event in record.events)
