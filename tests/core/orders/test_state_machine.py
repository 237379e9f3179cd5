"""Orders are claimed, retried, finished, published and reopened by fixed rules."""

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, LastProblem, Problem
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.orders import follow_up, state_machine
from kycourier.core.orders.delivery import Delivery
from kycourier.core.orders.record import (
    OrderKey,
    OrderState,
    OutboxEvent,
    PendingWork,
    Reason,
)
from kycourier.core.orders.results import FinalReason
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.timing import ORPHAN_CHECK_AFTER

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
LATER = AT + 7 * MINUTE
RESULT = FinalReason("-9011", "ocr_failed")
REGISTERED = state_machine.draft(
    OrderKey("SANDBOX1", "order1"),
    document=DEFAULT_DOCUMENT,
    now=AT,
    ttl=2 * DAY,
    first_sweep=10 * MINUTE,
    traceparent="00-a",
)


def try_claim(stored, at=AT, *, margin=timedelta(0), urgency=Urgency.NOW):
    return state_machine.try_claim(
        stored,
        REGISTERED,
        owner="me",
        now=at,
        lease=MINUTE,
        urgency=urgency,
        folder="2026/01/01/x",
        margin=margin,
    )


CLAIMED = try_claim(None)


TIMEOUT = Problem(Cause.TIMED_OUT)
REFUSED = Problem(Cause.CODE_PERMANENT, code="66660013")


def waiting(
    reason=Reason.NOT_READY, record=CLAIMED, delay=60 * MINUTE, at=AT, problem=None
):
    return state_machine.retry_later(
        record, reason=reason, delay=delay, now=at, problem=problem
    )


def finished(
    state=OrderState.COLLECTED, record=CLAIMED, reason=None, at=AT, problem=None
):
    return state_machine.finish(
        record,
        state=state,
        reason=reason,
        result=RESULT,
        event=OutboxEvent(
            id="e1", type=f"kycourier.bank_card.{state.value}.v1", body="{}"
        ),
        now=at,
        problem=problem,
    )


def parked(record=CLAIMED, reason="unknown_code"):
    return finished(OrderState.PARKED, record, reason)


def sent(record, at=AT):
    return follow_up.mark_sent(record, now=at)


TRANSITIONS = {
    "claim": (REGISTERED, lambda row: try_claim(row, LATER)),
    "retry later": (CLAIMED, lambda row: waiting(record=row, at=LATER)),
    "finish": (CLAIMED, lambda row: finished(record=row, at=LATER)),
    "mark sent": (CLAIMED, lambda row: sent(row, LATER)),
    "mark sent when final": (parked(), lambda row: sent(row, LATER)),
    "publish later": (
        CLAIMED,
        lambda row: follow_up.publish_later(row, delay=MINUTE, now=LATER),
    ),
    "mark orphans checked": (
        CLAIMED,
        lambda row: follow_up.mark_orphans_checked(row, now=LATER),
    ),
    "recheck orphans": (
        CLAIMED,
        lambda row: follow_up.recheck_orphans(row, now=LATER),
    ),
    "mark photo gone": (
        finished(),
        lambda row: follow_up.mark_photo_gone(row, "original", now=LATER),
    ),
    "make due": (CLAIMED, lambda row: state_machine.make_due(row, now=LATER)),
    "reopen": (
        CLAIMED,
        lambda row: state_machine.reopen(row, now=LATER, ttl=DAY),
    ),
}


@pytest.mark.parametrize("name", TRANSITIONS)
def test_transition_sets_time_and_version_and_only_a_claim_changes_the_fence(name):
    record, transition = TRANSITIONS[name]
    changed = transition(replace(record, version=5))
    assert (changed.updated_at, changed.version) == (LATER, 6)
    assert changed.fence == record.fence + (name == "claim")


def test_registered_order_is_due_for_its_first_sweep():
    assert REGISTERED.state is OrderState.REGISTERED
    assert (REGISTERED.version, REGISTERED.fence) == (1, 0)
    assert REGISTERED.due_at == AT + 10 * MINUTE
    assert REGISTERED.deadline_at == AT + 2 * DAY


CLAIMS = {
    "registered, sweep before due time": (REGISTERED, Urgency.DUE, 0, False),
    "registered, sweep at due time": (REGISTERED, Urgency.DUE, 10, True),
    "registered, message": (REGISTERED, Urgency.NOTIFIED, 0, True),
    "registered, call": (REGISTERED, Urgency.NOW, 0, True),
    "collecting, call": (CLAIMED, Urgency.NOW, 0, False),
    "collecting, sweep after lease ends": (CLAIMED, Urgency.DUE, 1, True),
    "waiting, half an hour early": (waiting(), Urgency.DUE, 30, False),
    "waiting, two seconds early": (waiting(), Urgency.DUE, 60 - 2 / 60, False),
    "waiting, one second early": (waiting(), Urgency.DUE, 60 - 1 / 60, True),
    "waiting, at due time": (waiting(), Urgency.DUE, 60, True),
    "waiting, call": (waiting(), Urgency.NOW, 0, True),
    "not ready, message at once": (waiting(), Urgency.NOTIFIED, 0, False),
    "not ready, after 59 seconds": (waiting(), Urgency.NOTIFIED, 59 / 60, False),
    "not ready, message in a minute": (waiting(), Urgency.NOTIFIED, 1, True),
    "throttled, message in a minute": (
        waiting(Reason.THROTTLED),
        *(Urgency.NOTIFIED, 1, False),
    ),
    "collected, call": (finished(), Urgency.NOW, 99, False),
    "parked, call": (parked(), Urgency.NOW, 99, False),
}


class TestClaim:
    def test_claim_increments_the_fence_and_keeps_the_first_folder_and_trace(self):
        assert (CLAIMED.state, CLAIMED.owner) == (OrderState.COLLECTING, "me")
        assert (CLAIMED.fence, CLAIMED.attempts) == (1, 1)
        assert (CLAIMED.folder, CLAIMED.traceparent) == ("2026/01/01/x", "00-a")
        assert CLAIMED.lease_ends_at == CLAIMED.due_at == AT + MINUTE
        other = replace(CLAIMED, owner="you", folder="other", traceparent="00-b")
        again = try_claim(other, LATER)
        assert (again.owner, again.fence, again.attempts) == ("me", 2, 2)
        assert (again.folder, again.traceparent) == ("other", "00-b")
        untraced = replace(CLAIMED, traceparent=None)
        assert try_claim(untraced, LATER).traceparent == "00-a"

    @pytest.mark.parametrize(
        ("record", "urgency", "minutes", "expected"), CLAIMS.values(), ids=CLAIMS
    )
    def test_claim_depends_on_state_time_and_urgency(
        self, record, urgency, minutes, expected
    ):
        now = AT + minutes * MINUTE
        assert state_machine.may_claim(record, now=now, urgency=urgency) is expected

    @pytest.mark.parametrize(
        ("seconds", "expected"), [(59, False), (61, False), (62, True)]
    )
    def test_expired_lease_counts_as_held_for_the_margin(self, seconds, expected):
        claim = try_claim(CLAIMED, AT + seconds * SECOND, margin=2 * SECOND)
        assert (claim is not None) is expected

    def test_due_time_has_no_margin(self):
        due = state_machine.make_due(REGISTERED, now=AT)
        assert try_claim(due, AT, margin=MINUTE, urgency=Urgency.DUE)


class TestRetry:
    def test_consecutive_tries_for_one_reason_are_counted(self):
        once = waiting()
        twice = waiting(record=once)
        other = waiting(Reason.TRANSIENT, record=twice)
        assert (once.tries, twice.tries, other.tries) == (1, 2, 1)
        assert once.owner is once.lease_ends_at is None

    def test_attempt_before_the_scheduled_time_does_not_advance_the_schedule(self):
        once = waiting()
        early = waiting(record=once, at=AT + MINUTE)
        assert (early.due_at, early.not_ready_tries) == (once.due_at, 1)
        at = once.due_at - SECOND
        on_time = waiting(record=once, at=at)
        assert (on_time.due_at, on_time.not_ready_tries) == (at + 60 * MINUTE, 2)

    @pytest.mark.parametrize("reason", [Reason.NOT_READY, Reason.PHOTOS_PENDING])
    def test_failing_period_lasts_until_an_attempt_that_did_not_fail(self, reason):
        once = waiting(Reason.TRANSIENT, problem=TIMEOUT)
        again = waiting(Reason.CREDENTIALS, once, at=LATER, problem=REFUSED)
        assert once.failing_since == again.failing_since == AT
        assert (once.failing_seconds, again.failing_seconds) == (0, 7 * 60)
        cured = waiting(reason, again, at=LATER)
        assert (cured.failing_since, cured.failing_seconds) == (None, None)
        assert cured.last_problem is None

    def test_last_problem_counts_attempts_in_a_row_with_the_same_cause(self):
        rows = [CLAIMED]
        for problem in (TIMEOUT, TIMEOUT, REFUSED, TIMEOUT):
            rows.append(waiting(Reason.TRANSIENT, rows[-1], problem=problem))
        assert [row.last_problem.count for row in rows[1:]] == [1, 2, 1, 1]
        refused = LastProblem(cause=Cause.CODE_PERMANENT, at=AT, code="66660013")
        assert rows[3].last_problem == refused


class TestFinish:
    def test_event_of_a_finished_order_is_due_when_the_lease_ends(self):
        record = finished(record=replace(CLAIMED, tries=4))
        assert record.pending_work is PendingWork.PUBLISH
        assert record.due_at == AT + MINUTE
        assert [event.id for event in record.unsent] == ["e1"]
        assert (record.owner, record.lease_ends_at, record.tries) == (None, None, 0)

    def test_event_of_an_order_without_lease_is_due_at_once(self):
        free = replace(CLAIMED, lease_ends_at=None, due_at=AT + DAY)
        assert finished(record=free).due_at == AT

    def test_nothing_is_due_after_one_attempt_and_its_sent_event(self):
        record = sent(finished())
        assert (record.unsent, record.due_at) == ((), None)

    def test_refused_event_is_due_again_and_counted(self):
        record = parked()
        for attempts in (1, 2):
            later = follow_up.publish_later(record, delay=MINUTE, now=LATER)
            assert (later.due_at, later.unsent) == (LATER + MINUTE, record.unsent)
            assert later.delivery == Delivery(
                at=LATER, attempts=attempts, problem="sink_unavailable"
            )
            record = later


class TestLastProblem:
    @pytest.mark.parametrize(
        "state", [OrderState.COLLECTED, OrderState.REJECTED, OrderState.EXPIRED]
    )
    def test_order_that_ends_well_has_none(self, state):
        failing = waiting(Reason.TRANSIENT, problem=TIMEOUT)
        ended = finished(state, failing)
        assert (ended.last_problem, ended.failing_since) == (None, None)

    def test_parked_order_keeps_why(self):
        failing = waiting(Reason.TRANSIENT, problem=TIMEOUT)
        row = finished(OrderState.PARKED, failing, at=LATER, problem=TIMEOUT)
        expected = LastProblem(cause=Cause.TIMED_OUT, at=LATER, count=2)
        assert (row.last_problem, row.failing_since) == (expected, AT)
        refused = follow_up.publish_later(row, delay=MINUTE, now=LATER)
        assert refused.last_problem == sent(refused).last_problem == expected

    def test_refusal_of_the_sink_lasts_until_the_event_is_sent(self):
        row = finished()
        for count in (1, 2):
            row = follow_up.publish_later(row, delay=MINUTE, now=LATER)
            assert row.last_problem == LastProblem(
                cause=Cause.SINK_UNAVAILABLE, at=LATER, count=count
            )
        assert sent(row).last_problem is None


class TestOrphans:
    @pytest.mark.parametrize(
        "record",
        [
            finished(record=try_claim(CLAIMED, LATER)),
            parked(reason="evidence_conflict"),
        ],
        ids=["second attempt", "evidence conflict"],
    )
    def test_check_is_due_after_the_event_if_orphans_are_possible(self, record):
        published = sent(record)
        assert published.pending_work is PendingWork.CHECK_ORPHANS
        assert published.due_at == AT + 20 * MINUTE == AT + ORPHAN_CHECK_AFTER
        checked = follow_up.mark_orphans_checked(published, now=AT)
        assert (checked.orphans_checked, checked.due_at) == (True, None)
        assert sent(checked).due_at is None

    def test_recheck_waits_until_no_attempt_can_still_write(self):
        checked = replace(sent(parked()), orphans_checked=True)
        recheck = follow_up.recheck_orphans(checked, now=LATER)
        assert recheck.orphans_checked is False
        assert recheck.due_at == LATER + ORPHAN_CHECK_AFTER

    def test_recheck_does_not_delay_an_unsent_event(self):
        unsent = replace(parked(), orphans_checked=True)
        assert follow_up.recheck_orphans(unsent, now=LATER).due_at == unsent.due_at


def test_photos_that_are_gone_are_kept_in_order():
    row = finished()
    for kind in ("number", "original"):
        row = follow_up.mark_photo_gone(row, kind, now=LATER)
    assert row.photos_gone == ("number", "original")
    assert row.events == finished().events


def test_order_made_due_is_due_now():
    assert state_machine.make_due(REGISTERED, now=LATER).due_at == LATER


class TestReopen:
    def test_order_parked_again_has_no_second_event(self):
        first = sent(parked())
        reopened = state_machine.reopen(first, now=AT + 3 * DAY, ttl=2 * DAY)
        assert (reopened.state, reopened.due_at) == (OrderState.WAITING, AT + 3 * DAY)
        assert reopened.deadline_at == AT + 5 * DAY
        claimed = try_claim(reopened, AT + 3 * DAY)
        again = state_machine.finish(
            claimed,
            state=OrderState.PARKED,
            reason="service_expired",
            result=FinalReason("66660002", "service_expired"),
            event=replace(first.events[0], id="e2"),
            now=LATER,
        )
        assert (again.events, again.result) == (first.events, first.result)
        assert again.delivery == first.delivery
        assert [event.type for event in finished(record=claimed).events] == [
            "kycourier.bank_card.parked.v1",
            "kycourier.bank_card.collected.v1",
        ]

    def test_event_sent_after_the_order_was_reopened_keeps_the_due_time(self):
        reopened = state_machine.reopen(parked(), now=AT + MINUTE, ttl=DAY)
        record = sent(reopened, LATER)
        assert (record.unsent, record.due_at) == ((), AT + MINUTE)
        assert [event.id for event in record.events] == ["e1"]

    def test_reopened_order_has_reset_counters_and_keeps_its_history(self):
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
            last_problem=LastProblem(cause=Cause.TIMED_OUT, at=AT),
            orphans_checked=True,
        )
        assert state_machine.reopen(used, now=LATER, ttl=DAY) == replace(
            REGISTERED,
            state=OrderState.WAITING,
            due_at=LATER,
            updated_at=LATER,
            version=used.version + 1,
            fence=used.fence,
            attempts=used.attempts,
            folder=used.folder,
            last_problem=used.last_problem,
            result=RESULT,
            events=used.events,
        )
