"""Each transition sets its own fields of an order's row and keeps the others."""

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.core.documents.registry import Document
from kycourier.core.orders import state_machine
from kycourier.core.orders.record import OrderKey, OrderState, OutboxEvent, Reason
from kycourier.core.orders.results import FinalReason
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.timing import ORPHAN_CHECK_AFTER

REASON = FinalReason("-9011", "ocr_failed")
AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
LATER = AT + 7 * MINUTE
PARKED = OutboxEvent(id="e1", type="kycourier.ocr.parked.v1", body="{}")

DRAFT = state_machine.draft(
    OrderKey("SANDBOX1", "order1"),
    document=Document.BANK_CARD,
    now=AT,
    ttl=2 * DAY,
    first_sweep=10 * MINUTE,
    traceparent="00-a",
)


def try_claim(stored, at, margin=0, urgency=Urgency.NOW):
    return state_machine.try_claim(
        stored,
        DRAFT,
        owner="me",
        now=at,
        lease=MINUTE,
        urgency=urgency,
        folder="2026/01/01/x",
        margin=margin * SECOND,
    )


CLAIMED = try_claim(None, AT)


def parked(record=CLAIMED, at=AT):
    return state_machine.finish(
        record,
        state=OrderState.PARKED,
        reason="unknown_code",
        result=REASON,
        event=PARKED,
        now=at,
    )


TRANSITIONS = {
    "claim": lambda: try_claim(DRAFT, LATER),
    "retry later": lambda: state_machine.retry_later(
        CLAIMED, reason=Reason.NOT_READY, delay=MINUTE, now=LATER
    ),
    "finish": lambda: parked(at=LATER),
    "mark sent": lambda: state_machine.mark_sent(CLAIMED, now=LATER),
    "mark sent when final": lambda: state_machine.mark_sent(parked(), now=LATER),
    "publish later": lambda: state_machine.publish_later(
        CLAIMED, delay=MINUTE, now=LATER
    ),
    "mark orphans checked": lambda: state_machine.mark_orphans_checked(
        CLAIMED, now=LATER
    ),
    "recheck orphans": lambda: state_machine.recheck_orphans(CLAIMED, now=LATER),
    "make due": lambda: state_machine.make_due(CLAIMED, now=LATER),
    "reopen": lambda: state_machine.reopen(CLAIMED, now=LATER, ttl=DAY),
}


@pytest.mark.parametrize("transition", TRANSITIONS.values(), ids=TRANSITIONS)
def test_transition_sets_the_time_of_the_update(transition):
    assert transition().updated_at == LATER


def test_claim_sets_the_owner_and_keeps_the_first_trace():
    assert (CLAIMED.owner, CLAIMED.traceparent) == ("me", "00-a")
    again = try_claim(replace(CLAIMED, owner="you", traceparent="00-b"), LATER)
    assert (again.owner, again.traceparent) == ("me", "00-b")
    untraced = replace(CLAIMED, traceparent=None)
    assert try_claim(untraced, LATER).traceparent == "00-a"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(59, False), (61, False), (62, True)]
)
def test_expired_lease_counts_as_held_for_the_margin(seconds, expected):
    at = AT + seconds * SECOND
    assert (try_claim(CLAIMED, at, margin=2) is not None) is expected


def test_due_time_has_no_margin():
    due = state_machine.make_due(DRAFT, now=AT)
    assert try_claim(due, AT, margin=60, urgency=Urgency.DUE)


def test_finished_order_has_no_owner_lease_or_tries():
    record = parked(replace(CLAIMED, tries=4))
    assert (record.owner, record.lease_ends_at, record.tries) == (None, None, 0)


def test_event_of_an_order_without_lease_is_due_at_once():
    free = replace(CLAIMED, lease_ends_at=None, due_at=AT + DAY)
    assert parked(free).due_at == AT


def test_event_sent_after_the_order_was_reopened_keeps_the_due_time():
    reopened = state_machine.reopen(parked(), now=AT + MINUTE, ttl=DAY)
    sent = state_machine.mark_sent(reopened, now=LATER)
    assert (sent.unsent, sent.due_at) == ((), AT + MINUTE)
    assert [event.id for event in sent.events] == ["e1"]


def test_refused_event_is_due_again_and_counted():
    later = state_machine.publish_later(
        replace(parked(), tries=2), delay=MINUTE, now=LATER
    )
    assert (later.due_at, later.tries) == (LATER + MINUTE, 3)
    assert later.unsent == (PARKED,)


def test_checked_orphans_are_not_checked_again_after_the_event_is_sent():
    checked = state_machine.mark_orphans_checked(replace(parked(), attempts=2), now=AT)
    assert (checked.orphans_checked, checked.due_at) == (True, None)
    assert state_machine.mark_sent(checked, now=LATER).due_at is None


def test_recheck_of_orphans_waits_until_no_attempt_can_still_write():
    checked = replace(state_machine.mark_sent(parked(), now=AT), orphans_checked=True)
    recheck = state_machine.recheck_orphans(checked, now=LATER)
    assert recheck.orphans_checked is False
    assert recheck.due_at == LATER + ORPHAN_CHECK_AFTER


def test_recheck_of_orphans_does_not_delay_an_unsent_event():
    unsent = replace(parked(), orphans_checked=True)
    assert state_machine.recheck_orphans(unsent, now=LATER).due_at == unsent.due_at


def test_order_made_due_is_due_now():
    assert state_machine.make_due(DRAFT, now=LATER).due_at == LATER


def test_reopened_order_has_reset_counters_and_keeps_its_history():
    used = replace(
        parked(),
        tries=1,
        not_ready_tries=2,
        next_scheduled_at=LATER + MINUTE,
        unknown_tries=3,
        photo_tries=4,
        photos_since=AT,
        credentials_since=AT,
        failing_since=AT,
        orphans_checked=True,
    )
    assert state_machine.reopen(used, now=LATER, ttl=DAY) == replace(
        DRAFT,
        state=OrderState.WAITING,
        due_at=LATER,
        updated_at=LATER,
        version=used.version + 1,
        fence=used.fence,
        attempts=used.attempts,
        folder=used.folder,
        result=REASON,
        events=used.events,
    )
