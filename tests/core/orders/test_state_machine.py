"""Orders are claimed, retried, finished, published and reopened by fixed rules."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kycourier.core.documents.registry import Document
from kycourier.core.orders import state_machine
from kycourier.core.orders.record import (
    OrderKey,
    OrderState,
    OutboxEvent,
    PendingWork,
    Reason,
)
from kycourier.core.orders.results import FinalReason
from kycourier.core.orders.state_machine import Urgency

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ORPHANS_IN_TWENTY_MINUTES = (PendingWork.CHECK_ORPHANS, AT + 20 * MINUTE)


def registered():
    return state_machine.draft(
        OrderKey("SANDBOX1", "order1"),
        document=Document.BANK_CARD,
        now=AT,
        ttl=2 * DAY,
        first_sweep=10 * MINUTE,
    )


def claimed(record=None):
    return state_machine.claim(
        record or registered(), owner="me", now=AT, lease=MINUTE, folder="2026/01/01/x"
    )


def waiting(reason=Reason.NOT_READY, record=None, delay=60 * MINUTE, at=AT):
    return state_machine.retry_later(
        record or claimed(), reason=reason, delay=delay, now=at
    )


def finished(state=OrderState.COLLECTED, record=None, reason=None):
    return state_machine.finish(
        record or claimed(),
        state=state,
        reason=reason,
        result=FinalReason("-9011", "ocr_failed"),
        event=OutboxEvent(id="e1", type=f"kycourier.ocr.{state.value}.v1", body="{}"),
        now=AT,
    )


def sent(record):
    return state_machine.mark_sent(record, now=AT)


def test_registered_order_is_due_for_its_first_sweep():
    record = registered()
    assert (record.state, record.version, record.fence) == (OrderState.REGISTERED, 1, 0)
    assert record.due_at == AT + 10 * MINUTE
    assert record.deadline_at == AT + 2 * DAY


def test_claim_increments_the_fence_and_keeps_the_first_folder():
    first = claimed()
    assert (first.state, first.fence, first.attempts) == (OrderState.COLLECTING, 1, 1)
    assert first.lease_ends_at == first.due_at == AT + MINUTE
    second = state_machine.claim(
        first, owner="you", now=AT, lease=MINUTE, folder="other"
    )
    assert (second.fence, second.attempts) == (2, 2)
    assert second.folder == "2026/01/01/x"


CLAIMS = {
    "registered, sweep before due time": (registered(), Urgency.DUE, 0, False),
    "registered, sweep at due time": (registered(), Urgency.DUE, 10, True),
    "registered, message": (registered(), Urgency.NOTIFIED, 0, True),
    "registered, call": (registered(), Urgency.NOW, 0, True),
    "collecting, call": (claimed(), Urgency.NOW, 0, False),
    "collecting, sweep after lease ends": (claimed(), Urgency.DUE, 1, True),
    "waiting, half an hour early": (waiting(), Urgency.DUE, 30, False),
    "waiting, two seconds early": (waiting(), Urgency.DUE, 60 - 2 / 60, False),
    "waiting, one second early": (waiting(), Urgency.DUE, 60 - 1 / 60, True),
    "waiting, at due time": (waiting(), Urgency.DUE, 60, True),
    "waiting, call": (waiting(), Urgency.NOW, 0, True),
    "not ready, message at once": (waiting(), Urgency.NOTIFIED, 0, False),
    "not ready, message in 59 seconds": (waiting(), Urgency.NOTIFIED, 59 / 60, False),
    "not ready, message in a minute": (waiting(), Urgency.NOTIFIED, 1, True),
    "throttled, message in a minute": (
        waiting(Reason.THROTTLED),
        Urgency.NOTIFIED,
        1,
        False,
    ),
    "collected, call": (finished(), Urgency.NOW, 99, False),
    "parked, call": (finished(OrderState.PARKED), Urgency.NOW, 99, False),
}


@pytest.mark.parametrize(
    ("record", "urgency", "minutes", "expected"), CLAIMS.values(), ids=CLAIMS
)
def test_claim_depends_on_state_time_and_urgency(record, urgency, minutes, expected):
    now = AT + minutes * MINUTE
    assert state_machine.may_claim(record, now=now, urgency=urgency) is expected


def test_consecutive_tries_for_one_reason_are_counted():
    once = waiting()
    twice = waiting(record=once)
    other = waiting(Reason.TRANSIENT, record=twice)
    assert (once.tries, twice.tries, other.tries) == (1, 2, 1)
    assert once.owner is once.lease_ends_at is None


def test_attempt_before_the_scheduled_time_does_not_advance_the_schedule():
    once = waiting()
    early = waiting(record=once, at=AT + MINUTE)
    assert (early.due_at, early.not_ready_tries) == (once.due_at, 1)
    on_time = waiting(record=once, at=once.due_at - timedelta(seconds=1))
    assert (on_time.due_at, on_time.not_ready_tries) == (
        once.due_at + 60 * MINUTE - timedelta(seconds=1),
        2,
    )


def test_event_of_a_finished_order_is_due_when_the_lease_ends():
    record = finished()
    assert record.pending_work is PendingWork.PUBLISH
    assert record.due_at == AT + MINUTE
    assert [event.id for event in record.unsent] == ["e1"]


def test_nothing_is_due_after_one_attempt_and_its_sent_event():
    record = sent(finished())
    assert (record.unsent, record.due_at) == ((), None)


@pytest.mark.parametrize(
    "record",
    [
        finished(record=claimed(claimed())),
        finished(OrderState.PARKED, reason="evidence_conflict"),
    ],
    ids=["second attempt", "evidence conflict"],
)
def test_orphan_check_is_due_after_the_event_if_orphans_are_possible(record):
    published = sent(record)
    assert (published.pending_work, published.due_at) == ORPHANS_IN_TWENTY_MINUTES
    assert state_machine.mark_orphans_checked(published, now=AT).due_at is None


@pytest.mark.parametrize(
    ("reason", "since"),
    [
        (Reason.TRANSIENT, AT),
        (Reason.THROTTLED, AT),
        (Reason.NOT_READY, None),
        (Reason.PHOTOS_PENDING, None),
        (Reason.CREDENTIALS, None),
    ],
)
def test_failing_period_continues_through_failures_and_ends_with_a_reply(reason, since):
    failing = replace(claimed(), failing_since=AT)
    assert waiting(reason, record=failing, at=AT + MINUTE).failing_since == since


def test_order_parked_again_has_no_second_event():
    parked = sent(finished(OrderState.PARKED))
    reopened = state_machine.reopen(parked, now=AT + 3 * DAY, ttl=2 * DAY)
    assert (reopened.state, reopened.due_at) == (OrderState.WAITING, AT + 3 * DAY)
    assert reopened.deadline_at == AT + 5 * DAY
    parked_again = finished(OrderState.PARKED, claimed(reopened))
    assert parked_again.events == parked.events
    collected = finished(OrderState.COLLECTED, claimed(reopened))
    assert [event.type for event in collected.events] == [
        "kycourier.ocr.parked.v1",
        "kycourier.ocr.collected.v1",
    ]


TRANSITIONS = {
    "retry": lambda record: waiting(record=record),
    "finish": lambda record: finished(record=record),
    "mark sent": sent,
    "make due": lambda record: state_machine.make_due(record, now=AT),
    "reopen": lambda record: state_machine.reopen(record, now=AT, ttl=DAY),
}


@given(st.sampled_from([*TRANSITIONS]), st.integers(1, 9))
def test_transition_increments_the_version_and_keeps_the_fence(name, version):
    record = replace(claimed(), version=version)
    changed = TRANSITIONS[name](record)
    assert (changed.version, changed.fence) == (version + 1, record.fence)
