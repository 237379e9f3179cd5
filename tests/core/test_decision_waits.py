"""How long each wait is, and what a reply leaves counted in the row."""

from datetime import datetime, timedelta, timezone

import pytest

from kycourier.core.decision import decide, note_reply
from kycourier.core.models import PhotoKind
from kycourier.core.order_record import OrderRecord, Reason
from kycourier.core.reply import Unanswered
from kycourier.core.wire import Refusal
from recognitions import recognized

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
TIMEOUT = Unanswered(name="timeout")


def collecting(**fields):
    return OrderRecord(
        app_id="SANDBOX1",
        order_no="order1",
        registered_at=AT,
        updated_at=AT,
        deadline_at=AT + timedelta(days=2),
        **fields,
    )


def ceiling(reply, **fields):
    """Give the longest wait there may be: a draw of a half gives half of it."""
    decision = decide(
        collecting(**fields), reply, now=AT, draw=0.5, photo_patience=SECOND
    )
    return decision.delay * 2 / SECOND


def test_refused_credentials_are_tried_after_ten_seconds_doubling_to_a_minute():
    waits = [
        ceiling(Refusal("400101"), reason="credentials", tries=tries)
        for tries in range(5)
    ]
    assert waits == [10, 20, 40, 60, 60]


@pytest.mark.parametrize(
    ("reply", "reason"), [(TIMEOUT, "transient"), (Refusal("400501"), "throttled")]
)
def test_faults_are_tried_after_five_seconds_doubling(reply, reason):
    waits = [ceiling(reply, reason=reason, tries=tries) for tries in range(4)]
    assert waits == [5, 10, 20, 40]


def test_tries_for_another_reason_do_not_lengthen_the_wait():
    assert ceiling(TIMEOUT, reason="throttled", tries=6) == 5
    assert ceiling(Refusal("400101"), reason="transient", tries=6) == 10


@pytest.mark.parametrize("reply", [TIMEOUT, Refusal("66660021")])
def test_a_fault_is_counted_from_its_first_time(reply):
    first = note_reply(collecting(), reply, now=AT)
    again = note_reply(first, reply, now=AT + SECOND)
    assert first.failing_since == again.failing_since == AT


def test_a_recognition_ends_the_count_of_refused_credentials():
    refused = collecting(credentials_since=AT, reason=Reason.CREDENTIALS.value)
    assert note_reply(refused, recognized(), now=AT).credentials_since is None


def test_patience_for_photos_does_not_begin_while_none_is_missing():
    assert note_reply(collecting(), recognized(*PhotoKind), now=AT).photos_since is None
