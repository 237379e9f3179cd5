"""What one reply means for its order."""

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.core import codes, order
from kycourier.core.brake import Signal
from kycourier.core.codes import CodeClass
from kycourier.core.decision import (
    AskAgain,
    Collect,
    Settle,
    Wait,
    count_photo_try,
    decide,
    note_reply,
)
from kycourier.core.models import Document, OrderKey, PhotoKind
from kycourier.core.order_record import Reason, State
from kycourier.core.reply import Unanswered
from kycourier.core.wire import Refusal
from recognitions import recognized

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
PATIENCE = 300 * SECOND


def claimed(**changes):
    drafted = order.draft(
        OrderKey("SANDBOX1", "order1"),
        document=Document.BANK_CARD,
        now=AT,
        ttl=2 * DAY,
        first_sweep=SECOND,
    )
    record = order.claim(drafted, owner="me", now=AT, lease=SECOND, folder="f")
    return replace(record, **changes)


def decided(record, reply, now=AT, draw=0.5):
    record = note_reply(record, reply, now=now)
    return decide(record, reply, now=now, draw=draw, photo_patience=PATIENCE)


BY_CLASS = {
    CodeClass.CREDENTIALS: (Wait, Reason.CREDENTIALS),
    CodeClass.THROTTLED: (Wait, Reason.THROTTLED),
    CodeClass.TRANSIENT: (Wait, Reason.TRANSIENT),
    CodeClass.NOT_READY: (Wait, Reason.NOT_READY),
    CodeClass.RECOGNITION_FAILED: (Settle, State.REJECTED),
    CodeClass.PERMANENT: (Settle, State.PARKED),
}


@pytest.mark.parametrize(
    "code",
    [code for code in codes.listed() if code.class_ is not CodeClass.OK],
    ids=lambda code: code.code,
)
def test_the_class_of_a_listed_code_drives_what_happens(code):
    decision = decided(claimed(), Refusal(code.code))
    kind, what = BY_CLASS[code.class_]
    assert type(decision) is kind
    if isinstance(decision, Settle):
        assert decision == Settle(what, code.code, code.name)
    else:
        assert decision.reason is what


class TestNotReady:
    def test_it_is_asked_again_by_the_schedule_up_to_the_deadline(self):
        record = claimed(not_ready_tries=4)
        late = record.deadline_at - 10 * SECOND
        assert decided(record, Refusal("66660011")).delay == 3600 * SECOND
        assert decided(record, Refusal("66660011"), now=late).delay == 10 * SECOND

    @pytest.mark.parametrize("code", ["66660011", "66660020"])
    def test_at_the_deadline_it_expires_with_its_code(self, code):
        record = claimed()
        decision = decided(record, Refusal(code), now=record.deadline_at)
        assert decision == Settle(State.EXPIRED, code, codes.find(code).name)


class TestUnknownCode:
    def test_two_tries_then_parked(self):
        first = note_reply(claimed(), Refusal("777"), now=AT)
        assert decided(claimed(), Refusal("777")).reason is Reason.TRANSIENT
        second = decided(first, Refusal("777"))
        assert second == Settle(State.PARKED, "777", "unknown_code")


class TestCredentials:
    def test_it_is_parked_once_it_has_lasted_fifteen_minutes(self):
        since = claimed(credentials_since=AT)
        reply = Refusal("400101")
        before = decided(since, reply, now=AT + 899 * SECOND)
        assert before.reason is Reason.CREDENTIALS
        assert before.delay <= 60 * SECOND
        after = decided(since, reply, now=AT + 900 * SECOND)
        assert after == Settle(State.PARKED, "400101", "sign_rejected")

    def test_any_answer_that_is_no_refusal_ends_the_count(self):
        since = claimed(credentials_since=AT)
        assert note_reply(since, Refusal("66660011"), now=AT).credentials_since is None
        unanswered = Unanswered(name="timeout")
        assert note_reply(since, unanswered, now=AT).credentials_since == AT


class TestUnanswered:
    def test_it_waits_with_back_off(self):
        decision = decided(claimed(), Unanswered(name="timeout"), draw=0.999)
        assert decision.reason is Reason.TRANSIENT
        assert decision.delay < 5 * SECOND

    def test_too_many_requests_is_throttled(self):
        reply = Unanswered(name="too_many_requests", signal=Signal.THROTTLED)
        assert decided(claimed(), reply).reason is Reason.THROTTLED

    def test_an_outage_that_lasts_past_the_deadline_parks_after_a_grace(self):
        record, reply = claimed(failing_since=AT), Unanswered(name="server_error")
        soon = record.deadline_at + 899 * SECOND
        late = record.deadline_at + 900 * SECOND
        assert decided(record, reply, now=soon).reason is Reason.TRANSIENT
        assert decided(record, reply, now=late) == Settle(
            State.PARKED, "", "server_error"
        )

    def test_what_is_parked_for_a_code_names_it(self):
        record = claimed(failing_since=AT)
        late = record.deadline_at + DAY
        assert decided(record, Refusal("66660021"), now=late) == Settle(
            State.PARKED, "66660021", "system_timeout"
        )

    @pytest.mark.parametrize(
        ("reply", "code", "name"),
        [
            (Refusal("400501"), "400501", "tps_exceeded"),
            (
                Unanswered(name="too_many_requests", signal=Signal.THROTTLED),
                "",
                "too_many_requests",
            ),
        ],
    )
    def test_throttling_that_lasts_past_the_deadline_parks_too(self, reply, code, name):
        record = note_reply(claimed(), reply, now=AT)
        late = record.deadline_at + 900 * SECOND
        assert decided(record, reply, now=late) == Settle(State.PARKED, code, name)

    def test_one_fault_after_the_deadline_parks_nothing(self):
        record, reply = claimed(), Unanswered(name="server_error")
        late = record.deadline_at + DAY
        assert decided(record, reply, now=late).reason is Reason.TRANSIENT

    def test_what_was_not_asked_for_is_never_parked(self):
        record = claimed(failing_since=AT)
        reply = Unanswered(name="ticket_unavailable", asked=False)
        late = record.deadline_at + DAY
        assert decided(record, reply, now=late).reason is Reason.TRANSIENT
        assert note_reply(claimed(), reply, now=AT).failing_since is None


class TestPhotos:
    def test_all_three_photos_are_collected(self):
        reply = recognized(*PhotoKind)
        assert decided(claimed(), reply) == Collect(reply)

    @pytest.mark.parametrize(("tries", "seconds"), [(0, 1), (1, 2), (2, 4)])
    @pytest.mark.parametrize("missing", PhotoKind)
    def test_any_missing_photo_is_asked_for_three_times_in_place(
        self, tries, seconds, missing
    ):
        kinds = [kind for kind in PhotoKind if kind is not missing]
        decision = decided(claimed(photo_tries=tries), recognized(*kinds))
        assert decision == AskAgain(seconds * SECOND)

    def test_then_missing_crops_do_not_hold_it_up(self):
        reply = recognized(PhotoKind.ORIGINAL)
        assert decided(claimed(photo_tries=3), reply) == Collect(reply)

    @pytest.mark.parametrize(("tries", "seconds"), [(3, 15), (4, 30), (5, 60), (9, 60)])
    def test_a_missing_original_keeps_it_waiting(self, tries, seconds):
        record = claimed(photo_tries=tries, photos_since=AT)
        decision = decided(record, recognized(PhotoKind.CROPPED, PhotoKind.NUMBER))
        assert decision == Wait(Reason.PHOTOS_PENDING, seconds * SECOND)

    def test_until_patience_ends(self):
        record = claimed(photo_tries=9, photos_since=AT)
        nearly = decided(record, recognized(), now=AT + 290 * SECOND)
        assert nearly == Wait(Reason.PHOTOS_PENDING, 10 * SECOND)
        assert decided(record, recognized(), now=AT + PATIENCE) == Collect(recognized())

    def test_patience_begins_with_the_first_missing_photo(self):
        first = note_reply(claimed(), recognized(), now=AT)
        later = note_reply(first, recognized(), now=AT + SECOND)
        assert first.photos_since == later.photos_since == AT
        assert count_photo_try(first).photo_tries == 1


class TestOrderNumber:
    def test_another_orders_result_is_rejected(self):
        decision = decided(claimed(), recognized(*PhotoKind, order_no="order2"))
        assert decision == Settle(State.REJECTED, "0", "order_no_mismatch")

    def test_a_reply_that_names_none_is_taken(self):
        reply = recognized(*PhotoKind, order_no=None)
        assert decided(claimed(), reply) == Collect(reply)
