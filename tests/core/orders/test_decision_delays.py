"""Delays grow with the tries for one reason; replies are counted in the row."""

from datetime import datetime, timedelta, timezone

import pytest

from kycourier.core.documents.bank_card import PhotoKind
from kycourier.core.orders.decisions import count_reply, decide
from kycourier.core.orders.record import OrderRecord, Reason
from kycourier.core.result_codes import load_codes
from kycourier.core.wire.responses import NoResponse
from support.sample_records import make_recognition

rejected = load_codes("bank_card").classify

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
TIMEOUT = NoResponse(name="timeout")


def order(**fields):
    return OrderRecord(
        app_id="SANDBOX1",
        order_no="order1",
        registered_at=AT,
        updated_at=AT,
        deadline_at=AT + timedelta(days=2),
        **fields,
    )


def max_delay(reply, **fields):
    """Return the longest possible delay in seconds: a draw of a half is half of it."""
    decision = decide(order(**fields), reply, now=AT, draw=0.5, photo_patience=SECOND)
    return decision.delay * 2 / SECOND


def test_rejected_credentials_are_retried_within_ten_to_sixty_seconds():
    delays = [
        max_delay(rejected("400101"), reason="credentials", tries=tries)
        for tries in range(5)
    ]
    assert delays == [10, 20, 40, 60, 60]


@pytest.mark.parametrize(
    ("reply", "reason"), [(TIMEOUT, "transient"), (rejected("400501"), "throttled")]
)
def test_failures_are_retried_within_five_seconds_doubling(reply, reason):
    delays = [max_delay(reply, reason=reason, tries=tries) for tries in range(4)]
    assert delays == [5, 10, 20, 40]


def test_tries_for_another_reason_do_not_lengthen_the_delay():
    assert max_delay(TIMEOUT, reason="throttled", tries=6) == 5
    assert max_delay(rejected("400101"), reason="transient", tries=6) == 10


@pytest.mark.parametrize("reply", [TIMEOUT, rejected("66660021")])
def test_failing_period_starts_with_the_first_failure(reply):
    first = count_reply(order(), reply, now=AT)
    again = count_reply(first, reply, now=AT + SECOND)
    assert first.failing_since == again.failing_since == AT


def test_recognition_ends_the_period_of_rejected_credentials():
    record = order(credentials_since=AT, reason=Reason.CREDENTIALS.value)
    assert count_reply(record, make_recognition(), now=AT).credentials_since is None


def test_wait_for_photos_does_not_start_while_none_is_missing():
    assert (
        count_reply(order(), make_recognition(*PhotoKind), now=AT).photos_since is None
    )
