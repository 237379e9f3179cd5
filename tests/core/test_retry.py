"""Retries follow the documented schedules, with full jitter and caps."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core import retry

draws = st.floats(0, 1, exclude_max=True)


def test_results_that_are_not_ready_are_queried_by_the_schedule():
    seconds = [retry.until_ready(tries).total_seconds() for tries in range(7)]
    assert seconds == [5, 15, 60, 300, 3600, 3600, 3600]


def test_late_photos_are_queried_by_the_schedule():
    seconds = [retry.until_photos(tries).total_seconds() for tries in range(8)]
    assert seconds == [1, 2, 4, 15, 30, 60, 60, 60]


@given(st.integers(0, 10**6), draws)
def test_back_off_stays_below_the_doubling_ceiling_and_the_cap(tries, draw):
    delay = retry.after_failure(tries, draw=draw).total_seconds()
    assert 0 <= delay <= min(300, 5 * 2 ** min(tries, 60))


def test_ceiling_doubles_from_five_seconds_to_five_minutes():
    waits = [retry.after_failure(tries, draw=0.5) for tries in range(8)]
    assert [wait * 2 for wait in waits] == [
        timedelta(seconds=ceiling) for ceiling in (5, 10, 20, 40, 80, 160, 300, 300)
    ]


def test_jitter_covers_the_whole_range_below_the_ceiling():
    assert retry.after_failure(0, draw=0.999).total_seconds() < 5
    assert retry.after_failure(3, draw=0.0) == timedelta(0)
    assert retry.after_failure(30, draw=0.5) == timedelta(seconds=150)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("5", 5), ("0", 0), ("120", 120), ("300", 300), ("301", 300)),
        *(("1000000000", 300), ("9" * 5000, 300), ("0005", 5), ("0" * 50, 0)),
    ],
    ids=lambda value: str(value)[:12],
)
def test_retry_after_is_honoured_up_to_five_minutes(text, seconds):
    assert retry.parse_retry_after(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", [None, "", "-1", "1.5", "soon", "٥", "Wed, 21 Oct 2015 07:28:00 GMT", "5 "]
)
def test_malformed_retry_after_is_ignored(text):
    assert retry.parse_retry_after(text) is None
