"""What each change of an order's row sets, and what it leaves."""

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.core import order
from kycourier.core.models import Document, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OutboxEvent, Reason, State

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
LATER = AT + 7 * MINUTE
PARKED = OutboxEvent(id="e1", type="kycourier.ocr.parked.v1", body="{}")

DRAFT = order.draft(
    OrderKey("SANDBOX1", "order1"),
    document=Document.BANK_CARD,
    now=AT,
    ttl=2 * DAY,
    first_sweep=10 * MINUTE,
    traceparent="00-a",
)


def taken(there, at, margin=0, urgency=Urgency.NOW):
    return order.take(
        there,
        DRAFT,
        owner="me",
        now=at,
        lease=MINUTE,
        urgency=urgency,
        folder="2026/01/01/x",
        margin=margin * SECOND,
    )


CLAIMED = taken(None, AT)


def parked(record=CLAIMED):
    return order.settle(
        record, state=State.PARKED, reason="unknown_code", event=PARKED, now=AT
    )


CHANGES = {
    "taken": lambda: taken(DRAFT, LATER),
    "waiting": lambda: order.wait(
        CLAIMED, reason=Reason.NOT_READY, delay=MINUTE, now=LATER
    ),
    "settled": lambda: order.settle(
        CLAIMED, state=State.PARKED, reason=None, event=PARKED, now=LATER
    ),
    "sent": lambda: order.mark_sent(CLAIMED, now=LATER),
    "sent and ended": lambda: order.mark_sent(parked(), now=LATER),
    "to be sent later": lambda: order.send_later(CLAIMED, delay=MINUTE, now=LATER),
    "tidied": lambda: order.mark_tidied(CLAIMED, now=LATER),
    "to be tidied again": lambda: order.tidy_again(CLAIMED, now=LATER),
    "made due": lambda: order.make_due(CLAIMED, now=LATER),
    "reopened": lambda: order.reopen(CLAIMED, now=LATER, ttl=DAY),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_says_when_it_was_made(name):
    assert CHANGES[name]().updated_at == LATER


def test_who_takes_an_order_owns_it_and_keeps_its_first_trace():
    assert (CLAIMED.owner, CLAIMED.traceparent) == ("me", "00-a")
    again = taken(replace(CLAIMED, owner="you", traceparent="00-b"), LATER)
    assert (again.owner, again.traceparent) == ("me", "00-b")


@pytest.mark.parametrize(("seconds", "may"), [(59, False), (61, False), (62, True)])
def test_a_lease_that_ended_is_its_holders_for_a_margin_more(seconds, may):
    at = AT + seconds * SECOND
    assert (taken(CLAIMED, at, margin=2) is not None) is may


def test_a_due_time_has_no_margin():
    due = order.make_due(DRAFT, now=AT)
    assert taken(due, AT, margin=60, urgency=Urgency.DUE)


def test_an_end_gives_the_order_back_and_counts_anew():
    ended = parked(replace(CLAIMED, tries=4))
    assert (ended.owner, ended.lease_ends_at, ended.tries) == (None, None, 0)


def test_the_event_of_an_order_that_nobody_holds_is_due_at_once():
    free = replace(CLAIMED, lease_ends_at=None, due_at=AT + DAY)
    assert parked(free).due_at == AT


def test_an_event_sent_after_the_order_was_reopened_leaves_its_due_time():
    reopened = order.reopen(parked(), now=AT + MINUTE, ttl=DAY)
    sent = order.mark_sent(reopened, now=LATER)
    assert (sent.unsent, sent.due_at) == ((), AT + MINUTE)
    assert [event.id for event in sent.events] == ["e1"]


def test_an_event_that_was_not_taken_is_due_again_and_counted():
    later = order.send_later(replace(parked(), tries=2), delay=MINUTE, now=LATER)
    assert (later.due_at, later.tries) == (LATER + MINUTE, 3)
    assert later.unsent == (PARKED,)


def test_what_is_tidied_stays_tidied_when_its_event_is_sent():
    several = replace(parked(), attempts=2)
    tidied = order.mark_tidied(several, now=AT)
    assert (tidied.tidied, tidied.due_at) == (True, None)
    assert order.mark_sent(tidied, now=LATER).due_at is None


def test_tidying_again_waits_for_writers_and_never_holds_an_event_up():
    tidied = replace(order.mark_sent(parked(), now=AT), tidied=True)
    again = order.tidy_again(tidied, now=LATER)
    assert (again.tidied, again.due_at) == (False, LATER + order.TIDY_AFTER)
    unsent = replace(parked(), tidied=True)
    assert order.tidy_again(unsent, now=LATER).due_at == unsent.due_at


def test_an_order_made_due_is_due_now():
    assert order.make_due(DRAFT, now=LATER).due_at == LATER


def test_a_reopened_order_begins_anew():
    worn = replace(
        parked(),
        tries=1,
        not_ready_tries=2,
        turn_at=LATER + MINUTE,
        unknown_tries=3,
        photo_tries=4,
        photos_since=AT,
        credentials_since=AT,
        failing_since=AT,
        tidied=True,
    )
    reopened = order.reopen(worn, now=LATER, ttl=DAY)
    fresh = replace(
        DRAFT,
        state=State.WAITING,
        due_at=LATER,
        updated_at=LATER,
        version=worn.version + 1,
        fence=worn.fence,
        attempts=worn.attempts,
        folder=worn.folder,
        events=worn.events,
    )
    assert reopened == fresh
