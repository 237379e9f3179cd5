"""The order's state machine."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kycourier.core import order
from kycourier.core.errors import NewerSchema, StoreUnavailable
from kycourier.core.models import Document, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import (
    Need,
    OutboxEvent,
    Reason,
    State,
    decode_record,
    describe,
    encode_record,
)

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
KEY = OrderKey("SANDBOX1", "order1")
DAY = timedelta(days=1)


def event(kind="kycourier.ocr.collected.v1", **data):
    body = {"data": {"app_id": "SANDBOX1", "order_no": "order1", **data}}
    return OutboxEvent(id="e1", type=kind, body=msgspec.json.encode(body).decode())


def drafted():
    return order.draft(
        KEY, document=Document.BANK_CARD, now=AT, ttl=2 * DAY, first_sweep=10 * MINUTE
    )


def claimed(record=None, at=AT):
    return order.claim(
        record or drafted(), owner="me", now=at, lease=MINUTE, folder="2026/01/01/x"
    )


def waiting(reason=Reason.NOT_READY, delay=60 * MINUTE):
    return order.wait(claimed(), reason=reason, delay=delay, now=AT)


def settled(state=State.COLLECTED, record=None):
    kind = f"kycourier.ocr.{state.value}.v1"
    return order.settle(
        record or claimed(), state=state, reason=None, event=event(kind), now=AT
    )


def test_a_draft_is_due_for_its_first_sweep():
    record = drafted()
    assert (record.state, record.version, record.fence) == (State.REGISTERED, 1, 0)
    assert record.due_at == AT + 10 * MINUTE
    assert record.deadline_at == AT + 2 * DAY


def test_a_claim_raises_the_fence_and_keeps_the_first_folder():
    first = claimed()
    assert (first.state, first.fence, first.attempts) == (State.COLLECTING, 1, 1)
    assert first.lease_ends_at == first.due_at == AT + MINUTE
    second = order.claim(first, owner="you", now=AT, lease=MINUTE, folder="other")
    assert (second.fence, second.attempts) == (2, 2)
    assert second.folder == "2026/01/01/x"


CLAIMS = {
    "registered, not due, by the schedule": (drafted(), Urgency.DUE, 0, False),
    "registered, due, by the schedule": (drafted(), Urgency.DUE, 10, True),
    "registered, announced": (drafted(), Urgency.NOTIFIED, 0, True),
    "registered, asked for": (drafted(), Urgency.NOW, 0, True),
    "being worked on": (claimed(), Urgency.NOW, 0, False),
    "lease ended": (claimed(), Urgency.DUE, 1, True),
    "waiting, reminder before its time": (waiting(), Urgency.DUE, 30, False),
    "waiting, reminder two seconds early": (waiting(), Urgency.DUE, 60 - 2 / 60, False),
    "waiting, reminder one second early": (waiting(), Urgency.DUE, 60 - 1 / 60, True),
    "waiting, reminder in time": (waiting(), Urgency.DUE, 60, True),
    "waiting, reminder a second early": (waiting(), Urgency.DUE, 60 - 1 / 60, True),
    "not ready, duplicate at once": (waiting(), Urgency.NOTIFIED, 0, False),
    "not ready, announced 59 seconds later": (
        waiting(),
        Urgency.NOTIFIED,
        59 / 60,
        False,
    ),
    "not ready, announced a minute later": (waiting(), Urgency.NOTIFIED, 1, True),
    "throttled, announced a minute later": (
        waiting(Reason.THROTTLED),
        Urgency.NOTIFIED,
        1,
        False,
    ),
    "waiting, asked for": (waiting(), Urgency.NOW, 0, True),
    "collected": (settled(), Urgency.NOW, 99, False),
    "parked": (settled(State.PARKED), Urgency.NOW, 99, False),
}


@pytest.mark.parametrize(
    ("record", "urgency", "minutes", "may"), CLAIMS.values(), ids=CLAIMS
)
def test_who_may_claim(record, urgency, minutes, may):
    now = AT + minutes * MINUTE
    assert order.may_claim(record, now=now, urgency=urgency) is may


def test_waits_for_one_reason_in_a_row_are_counted():
    once = waiting()
    again = order.wait(once, reason=Reason.NOT_READY, delay=MINUTE, now=AT)
    other = order.wait(again, reason=Reason.TRANSIENT, delay=MINUTE, now=AT)
    assert (once.tries, again.tries, other.tries) == (1, 2, 1)
    assert once.owner is once.lease_ends_at is None


def test_an_end_leaves_its_event_due_when_the_lease_ends():
    record = settled()
    assert record.need is Need.SEND
    assert record.due_at == AT + MINUTE
    assert [unsent.id for unsent in record.unsent] == ["e1"]


def test_a_sent_event_leaves_nothing_to_do_after_one_attempt():
    sent = order.mark_sent(settled(), now=AT)
    assert (sent.unsent, sent.due_at) == ((), None)


def test_a_sent_event_leaves_tidying_after_several_attempts():
    sent = order.mark_sent(settled(record=claimed(claimed())), now=AT)
    assert (sent.need, sent.due_at) == (Need.TIDY, AT + 20 * MINUTE)
    assert order.mark_tidied(sent, now=AT).due_at is None


def test_a_conflict_of_evidence_leaves_tidying_after_one_attempt():
    kind = "kycourier.ocr.parked.v1"
    parked = order.settle(
        claimed(),
        state=State.PARKED,
        reason="evidence_conflict",
        event=event(kind),
        now=AT,
    )
    sent = order.mark_sent(parked, now=AT)
    assert (sent.need, sent.due_at) == (Need.TIDY, AT + 20 * MINUTE)


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
def test_an_outage_goes_on_over_pauses_and_ends_with_an_answer(reason, since):
    failing = replace(claimed(), failing_since=AT)
    waits = order.wait(failing, reason=reason, delay=MINUTE, now=AT + MINUTE)
    assert waits.failing_since == since


def test_an_order_parked_again_has_no_second_event():
    parked = order.mark_sent(settled(State.PARKED), now=AT)
    reopened = order.reopen(parked, now=AT + 3 * DAY, ttl=2 * DAY)
    assert (reopened.state, reopened.due_at) == (State.WAITING, AT + 3 * DAY)
    assert reopened.deadline_at == AT + 5 * DAY
    again = settled(State.PARKED, claimed(reopened))
    assert again.events == parked.events
    collected = settled(State.COLLECTED, claimed(reopened))
    assert [kept.type for kept in collected.events] == [
        "kycourier.ocr.parked.v1",
        "kycourier.ocr.collected.v1",
    ]


@given(st.sampled_from(["wait", "settle", "sent", "due", "reopen"]), st.integers(1, 9))
def test_every_change_is_one_version_on(change, version):
    record = replace(claimed(), version=version)
    changed = {
        "wait": lambda: order.wait(
            record, reason=Reason.TRANSIENT, delay=MINUTE, now=AT
        ),
        "settle": lambda: settled(record=record),
        "sent": lambda: order.mark_sent(record, now=AT),
        "due": lambda: order.make_due(record, now=AT),
        "reopen": lambda: order.reopen(record, now=AT, ttl=DAY),
    }[change]()
    assert (changed.version, changed.fence) == (version + 1, record.fence)


def test_a_row_comes_back_and_carries_its_schema():
    for record in (drafted(), claimed(), waiting(), settled()):
        kept = encode_record(record)
        assert decode_record(kept) == record
        assert msgspec.json.decode(kept)["schema"] == 1


def test_a_row_of_a_newer_release_is_left():
    with pytest.raises(NewerSchema):
        decode_record(b'{"schema":2,"state":"dreaming"}')


def test_a_row_of_a_newer_release_is_left_though_it_could_be_read():
    members = {**msgspec.json.decode(encode_record(waiting())), "schema": 2, "new": 1}
    with pytest.raises(NewerSchema):
        decode_record(msgspec.json.encode(members))


@pytest.mark.parametrize("kept", [b"", b"{}", b'{"schema":1,"state":"odd"}'])
def test_a_damaged_row_is_told_without_its_text(kept):
    with pytest.raises(StoreUnavailable) as caught:
        decode_record(kept)
    assert caught.value.__context__ is None


def test_an_order_is_shown_with_its_last_events_data_without_ids():
    record = order.settle(
        claimed(),
        state=State.REJECTED,
        reason="ocr_failed",
        event=event(document="bank_card", reason={"code": "-9011"}),
        now=AT,
    )
    shown = describe(record)
    assert shown["result"] == {"document": "bank_card", "reason": {"code": "-9011"}}
    assert (shown["event_id"], shown["due_at"]) == ("e1", None)
    assert describe(waiting())["result"] is None
    assert describe(waiting())["due_at"] == AT + 60 * MINUTE
