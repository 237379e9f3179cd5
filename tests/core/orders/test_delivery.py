"""A webhook is sent again by the schedule, and given up at its end."""

from datetime import timedelta
from itertools import count

import pytest
from msgspec.structs import replace

from kycourier.core.orders.delivery import (
    Delivery,
    count_attempt,
    describe_delivery,
    webhook_delay,
)
from kycourier.core.orders.record import OutboxEvent
from support.fakes import START
from support.sample_records import draft

EVENT = OutboxEvent(id="e1", type="t", body="{}")
LATER = START + timedelta(hours=1)


def delays(draw):
    found = (webhook_delay(n, draw=draw, retry_after=None) for n in count(1))
    return [delay.total_seconds() for delay in iter(lambda: next(found), None)]


def test_schedule_is_that_of_the_page():
    hours = [2 * 3600, 5 * 3600, 10 * 3600]
    assert delays(0.5) == [5, 60, 300, 1800, *hours, *[12 * 3600] * 6]


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999999])
def test_delays_are_drawn_within_a_tenth(draw):
    for drawn, exact in zip(delays(draw), delays(0.5), strict=True):
        assert drawn == pytest.approx(exact * (0.9 + 0.2 * draw))


@pytest.mark.parametrize(("asked", "seconds"), [(3, 5), (60, 60), (43200, 43200)])
def test_retry_after_lengthens_a_delay_only(asked, seconds):
    delay = webhook_delay(1, draw=0.5, retry_after=timedelta(seconds=asked))
    assert delay == timedelta(seconds=seconds)


def test_attempts_are_counted_and_a_success_has_no_problem():
    first = count_attempt(None, problem="http_500", now=START)
    second = count_attempt(first, problem=None, now=LATER)

    assert first == Delivery(at=START, attempts=1, problem="http_500")
    assert second == Delivery(at=LATER, attempts=2)


@pytest.mark.parametrize(
    ("events", "delivery", "expected"),
    [
        ((), None, None),
        ((EVENT,), None, ("pending", 0, None, None, None)),
        (
            (EVENT,),
            Delivery(at=START, attempts=2, problem="timed_out"),
            ("pending", 2, "timed_out", START, LATER),
        ),
        ((replace(EVENT, sent=True),), None, ("delivered", 1, None, None, None)),
        (
            (replace(EVENT, sent=True),),
            Delivery(at=START, attempts=3),
            ("delivered", 3, None, START, None),
        ),
        (
            (replace(EVENT, undeliverable=True),),
            Delivery(at=START, problem="http_410"),
            ("undeliverable", 1, "http_410", START, None),
        ),
    ],
)
def test_delivery_is_described(events, delivery, expected):
    row = replace(draft("A1"), events=events, delivery=delivery, due_at=LATER)

    found = describe_delivery(row)

    names = ("state", "attempts", "problem", "at", "due_at")
    assert found == (expected and dict(zip(names, expected, strict=True)))
