"""The class of a reply's code decides what happens to its order."""

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, Problem
from kycourier.core.circuit_breaker import Signal
from kycourier.core.documents.bank_card import PhotoKind
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.orders import state_machine
from kycourier.core.orders.decisions import (
    Finish,
    PollPhotos,
    Retry,
    Store,
    count_photo_try,
    count_reply,
    decide,
)
from kycourier.core.orders.record import OrderKey, OrderState, Reason
from kycourier.core.result_codes import CodeClass, load_codes
from kycourier.core.wire.responses import NoResponse
from support.sample_records import make_recognition

rejected = load_codes("bank_card").classify

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
PATIENCE = 300 * SECOND
TIMED_OUT = Problem(Cause.TIMED_OUT)
TIMEOUT = NoResponse(problem=TIMED_OUT)
STATUS_429 = Problem(Cause.HTTP_STATUS, http_status=429)
TOO_MANY = NoResponse(
    problem=STATUS_429, class_=CodeClass.THROTTLED, signal=Signal.THROTTLED
)


def no_ticket(cause, class_=CodeClass.TRANSIENT):
    return NoResponse(problem=Problem(cause), class_=class_, signal=None)


def claimed(**changes):
    drafted = state_machine.draft(
        OrderKey("SANDBOX1", "order1"),
        document=DEFAULT_DOCUMENT,
        now=AT,
        ttl=2 * DAY,
        first_sweep=SECOND,
    )
    record = state_machine.claim(drafted, owner="me", now=AT, lease=SECOND, folder="f")
    return replace(record, **changes)


def decided(record, reply, now=AT, draw=0.5):
    record = count_reply(record, reply, now=now)
    return decide(record, reply, now=now, draw=draw, photo_patience=PATIENCE)


DECISIONS_BY_CLASS = {
    CodeClass.CREDENTIALS: (Retry, Reason.CREDENTIALS),
    CodeClass.THROTTLED: (Retry, Reason.THROTTLED),
    CodeClass.TRANSIENT: (Retry, Reason.TRANSIENT),
    CodeClass.NOT_READY: (Retry, Reason.NOT_READY),
    CodeClass.RECOGNITION_FAILED: (Finish, OrderState.REJECTED),
    CodeClass.PERMANENT: (Finish, OrderState.PARKED),
}


CAUSES_BY_CLASS = {
    CodeClass.CREDENTIALS: Cause.TICKET_REFUSED,
    CodeClass.THROTTLED: Cause.CODE_THROTTLED,
    CodeClass.TRANSIENT: Cause.CODE_TRANSIENT,
    CodeClass.PERMANENT: Cause.CODE_PERMANENT,
}
STOPPING = {"66660001", "66660002"}


@pytest.mark.parametrize(
    "code",
    [
        code
        for code in load_codes("bank_card").codes.values()
        if code.class_ is not CodeClass.OK
    ],
    ids=lambda code: code.code,
)
def test_class_of_a_listed_code_decides(code):
    decision = decided(claimed(), rejected(code.code))
    kind, expected = DECISIONS_BY_CLASS[code.class_]
    assert type(decision) is kind
    cause = CAUSES_BY_CLASS.get(code.class_)
    if code.code in STOPPING:
        cause = Cause.APP_STOPPED
    problem = Problem(cause, code=code.code) if cause else None
    if isinstance(decision, Finish):
        assert decision == Finish(expected, code.code, code.name, problem)
    else:
        assert (decision.reason, decision.problem) == (expected, problem)


def max_delays(reply, reason, tries):
    """Return the longest possible delays, in seconds, after so many tries."""
    records = [claimed(reason=reason, tries=each) for each in range(tries)]
    return [decided(record, reply).delay * 2 / SECOND for record in records]


class TestDelay:
    """A draw of a half makes half of the longest delay."""

    @pytest.mark.parametrize(
        ("reply", "reason", "delays"),
        [
            (TIMEOUT, "transient", [5, 10, 20, 40]),
            (rejected("400501"), "throttled", [5, 10, 20, 40]),
            (rejected("400101"), "credentials", [10, 20, 40, 60, 60]),
        ],
        ids=["transient", "throttled", "credentials"],
    )
    def test_delay_doubles_with_the_tries_for_its_reason(self, reply, reason, delays):
        assert max_delays(reply, reason, len(delays)) == delays
        assert {*max_delays(reply, "not_ready", 4)} == {delays[0]}


class TestNotReady:
    def test_result_is_queried_again_by_the_schedule_until_the_deadline(self):
        record = claimed(not_ready_tries=4)
        late = record.deadline_at - 10 * SECOND
        assert decided(record, rejected("66660011")).delay == 3600 * SECOND
        assert decided(record, rejected("66660011"), now=late).delay == 10 * SECOND

    @pytest.mark.parametrize("code", ["66660011", "66660020"])
    def test_order_expires_at_the_deadline_with_its_code(self, code):
        record = claimed()
        decision = decided(record, rejected(code), now=record.deadline_at)
        assert decision == Finish(
            OrderState.EXPIRED, code, load_codes("bank_card").classify(code).name
        )


class TestUnknownCode:
    def test_order_is_parked_at_the_second_unknown_code(self):
        first = count_reply(claimed(), rejected("777"), now=AT)
        assert decided(claimed(), rejected("777")).reason is Reason.TRANSIENT
        assert count_reply(first, rejected("66660011"), now=AT).unknown_tries == 1
        second = decided(first, rejected("777"))
        problem = Problem(Cause.CODE_UNKNOWN, code="777")
        assert second == Finish(OrderState.PARKED, "777", "unknown_code", problem)


class TestCredentials:
    def test_order_is_parked_after_fifteen_minutes_of_rejected_credentials(self):
        rejecting = claimed(credentials_since=AT)
        reply = rejected("400101")
        before = decided(rejecting, reply, now=AT + 899 * SECOND)
        assert before.reason is Reason.CREDENTIALS
        assert before.delay <= 60 * SECOND
        after = decided(rejecting, reply, now=AT + 900 * SECOND)
        problem = Problem(Cause.TICKET_REFUSED, code="400101")
        assert after == Finish(OrderState.PARKED, "400101", "sign_rejected", problem)

    def test_refused_refresh_without_a_code_parks_the_order_by_its_cause(self):
        refused = no_ticket(Cause.REFRESH_REFUSED, CodeClass.CREDENTIALS)
        late = AT + 900 * SECOND
        assert decided(claimed(credentials_since=AT), refused, now=late) == Finish(
            OrderState.PARKED, "", "refresh_refused", refused.problem
        )

    def test_any_other_reply_ends_the_period_of_rejected_credentials(self):
        rejecting = claimed(credentials_since=AT)
        for reply in (rejected("66660011"), make_recognition()):
            assert count_reply(rejecting, reply, now=AT).credentials_since is None
        assert count_reply(rejecting, TIMEOUT, now=AT).credentials_since == AT


UNSENT = [
    Problem(Cause.TICKET_MISSING),
    Problem(Cause.TICKET_UNREADABLE),
    Problem(Cause.REFRESH_REFUSED, code="66660021"),
    Problem(Cause.SECRET_UNREADABLE),
    Problem(Cause.STORE_UNAVAILABLE),
    Problem(Cause.NEWER_SCHEMA),
    Problem(Cause.OUT_OF_TIME),
]


class TestNoResponse:
    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (TIMEOUT, Reason.TRANSIENT),
            (TOO_MANY, Reason.THROTTLED),
            (no_ticket(Cause.REFRESH_REFUSED, CodeClass.THROTTLED), Reason.THROTTLED),
            (
                no_ticket(Cause.REFRESH_REFUSED, CodeClass.CREDENTIALS),
                Reason.CREDENTIALS,
            ),
            (no_ticket(Cause.REFRESH_REFUSED), Reason.TRANSIENT),
            (no_ticket(Cause.TICKET_MISSING), Reason.TRANSIENT),
            (no_ticket(Cause.APP_STOPPED), Reason.APP_STOPPED),
        ],
    )
    def test_order_waits_for_the_reason_of_its_problem(self, reply, reason):
        retry = decided(claimed(), reply)
        assert (retry.reason, retry.problem) == (reason, reply.problem)

    @pytest.mark.parametrize("problem", UNSENT, ids=lambda each: each.cause.value)
    def test_order_without_a_ticket_is_parked_fifteen_minutes_past_the_deadline(
        self, problem
    ):
        record = claimed(failing_since=AT)
        reply = NoResponse(problem=problem, signal=None)
        soon = record.deadline_at + 899 * SECOND
        late = record.deadline_at + 900 * SECOND
        waits = decided(record, reply, now=soon)
        assert (waits.reason, waits.problem) == (Reason.TRANSIENT, problem)
        name, code = problem.cause.value, problem.code or ""
        parked = Finish(OrderState.PARKED, code, name, problem)
        assert decided(record, reply, now=late) == parked

    @pytest.mark.parametrize(
        ("reply", "expected"),
        [
            (
                rejected("66660021"),
                ("66660021", "system_timeout", Cause.CODE_TRANSIENT),
            ),
            (rejected("400501"), ("400501", "tps_exceeded", Cause.CODE_THROTTLED)),
            (TOO_MANY, ("", "http_status", Cause.HTTP_STATUS)),
            (TIMEOUT, ("", "timed_out", Cause.TIMED_OUT)),
        ],
        ids=["system_timeout", "tps_exceeded", "429", "timeout"],
    )
    def test_parked_order_carries_code_name_and_cause_of_the_failure(
        self, reply, expected
    ):
        record = claimed(failing_since=AT)
        parked = decided(record, reply, now=record.deadline_at + 900 * SECOND)
        assert (parked.code, parked.name, parked.problem.cause) == expected
        assert parked.state is OrderState.PARKED

    @pytest.mark.parametrize(("minutes", "kind"), [(14, Retry), (15, Finish)])
    def test_order_that_fails_after_its_deadline_is_retried_for_fifteen_minutes(
        self, minutes, kind
    ):
        begun = claimed().deadline_at + DAY
        assert type(decided(claimed(), TIMEOUT, now=begun)) is Retry
        now = begun + timedelta(minutes=minutes)
        assert type(decided(claimed(failing_since=begun), TIMEOUT, now=now)) is kind


class TestPhotos:
    def test_result_with_all_photos_is_stored(self):
        reply = make_recognition(*PhotoKind)
        assert decided(claimed(), reply) == Store(reply)

    @pytest.mark.parametrize(("tries", "seconds"), [(0, 1), (1, 2), (2, 4)])
    @pytest.mark.parametrize("missing", PhotoKind)
    def test_missing_photo_is_polled_three_times_within_the_attempt(
        self, tries, seconds, missing
    ):
        kinds = [kind for kind in PhotoKind if kind is not missing]
        decision = decided(claimed(photo_tries=tries), make_recognition(*kinds))
        assert decision == PollPhotos(seconds * SECOND)

    def test_missing_crops_are_not_polled_a_fourth_time(self):
        reply = make_recognition(PhotoKind.ORIGINAL)
        assert decided(claimed(photo_tries=3), reply) == Store(reply)

    @pytest.mark.parametrize(("tries", "seconds"), [(3, 15), (4, 30), (5, 60), (9, 60)])
    def test_order_waits_for_a_missing_original(self, tries, seconds):
        record = claimed(photo_tries=tries, photos_since=AT)
        decision = decided(
            record, make_recognition(PhotoKind.CROPPED, PhotoKind.NUMBER)
        )
        assert decision == Retry(Reason.PHOTOS_PENDING, seconds * SECOND)

    def test_result_without_original_is_stored_when_the_wait_ends(self):
        record = claimed(photo_tries=9, photos_since=AT)
        nearly = decided(record, make_recognition(), now=AT + 290 * SECOND)
        assert nearly == Retry(Reason.PHOTOS_PENDING, 10 * SECOND)
        assert decided(record, make_recognition(), now=AT + PATIENCE) == Store(
            make_recognition()
        )

    def test_wait_for_photos_starts_with_the_first_missing_photo(self):
        first = count_reply(claimed(), make_recognition(), now=AT)
        later = count_reply(first, make_recognition(), now=AT + SECOND)
        assert first.photos_since == later.photos_since == AT
        assert count_photo_try(first).photo_tries == 1
        complete = count_reply(claimed(), make_recognition(*PhotoKind), now=AT)
        assert complete.photos_since is None


class TestOrderNumber:
    def test_result_of_another_order_is_rejected(self):
        decision = decided(claimed(), make_recognition(*PhotoKind, order_no="order2"))
        assert decision == Finish(OrderState.REJECTED, "0", "order_no_mismatch")

    def test_result_without_order_number_is_accepted(self):
        reply = make_recognition(*PhotoKind, order_no=None)
        assert decided(claimed(), reply) == Store(reply)
