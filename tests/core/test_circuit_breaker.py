"""The circuit breaker opens after failed calls and closes after a trial call."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.circuit_breaker import (
    BreakerRecord,
    BreakerState,
    Signal,
    after_call,
    state_of,
)

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
OPEN = BreakerRecord(openings=1, open_until=AT + 5 * SECOND, version=3)


def after(breaker, *signals, now=AT, min_open=0, draw=0.0):
    for signal in signals:
        breaker = after_call(
            breaker, signal, now=now, min_open=min_open * SECOND, draw=draw
        )
    return breaker


def test_breaker_opens_after_ten_calls_without_response():
    nine = after(BreakerRecord(), *[Signal.FAILURE] * 9)
    assert state_of(nine, now=AT) is BreakerState.CLOSED
    ten = after(nine, Signal.FAILURE)
    assert state_of(ten, now=AT) is BreakerState.OPEN
    assert ten.failures == 10


def test_response_resets_the_failure_count():
    breaker = after(BreakerRecord(), *[Signal.FAILURE] * 9, Signal.SUCCESS)
    assert state_of(after(breaker, Signal.FAILURE), now=AT) is BreakerState.CLOSED


def test_one_throttled_call_opens_the_breaker_for_up_to_five_seconds():
    breaker = after(BreakerRecord(), Signal.THROTTLED)
    assert timedelta(0) < breaker.open_until - AT <= 5 * SECOND


@given(st.integers(0, 40), st.floats(0, 0.99))
def test_open_time_doubles_with_jitter_up_to_five_minutes(openings, draw):
    breaker = BreakerRecord(openings=openings, open_until=AT - SECOND)
    open_time = after(breaker, Signal.THROTTLED, draw=draw).open_until - AT
    ceiling = min(300, 5 * 2 ** min(openings, 20))
    assert ceiling / 2 <= open_time.total_seconds() < ceiling


def test_retry_after_lengthens_the_open_time():
    breaker = after(BreakerRecord(), Signal.THROTTLED, min_open=120)
    assert breaker.open_until == AT + 120 * SECOND


@pytest.mark.parametrize("signal", [Signal.THROTTLED, Signal.FAILURE])
def test_failure_of_a_call_in_flight_only_extends_an_open_breaker(signal):
    assert after(OPEN, signal) == OPEN
    assert after(OPEN, signal, min_open=5) == OPEN
    longer = after(OPEN, signal, min_open=60)
    assert (longer.openings, longer.open_until) == (1, AT + 60 * SECOND)


@pytest.mark.parametrize(
    "breaker", [BreakerRecord(version=3), OPEN], ids=["closed", "open"]
)
def test_response_changes_neither_a_closed_nor_an_open_breaker(breaker):
    """A response to a call that began before the breaker opened does not close it."""
    assert after(breaker, Signal.SUCCESS) == breaker


def test_trial_call_closes_or_reopens_a_half_open_breaker():
    ended = AT + 5 * SECOND
    assert state_of(OPEN, now=ended) is BreakerState.HALF_OPEN
    closed = after(OPEN, Signal.SUCCESS, now=ended)
    assert state_of(closed, now=ended) is BreakerState.CLOSED
    assert (closed.openings, closed.failures) == (0, 0)
    reopened = after(OPEN, Signal.FAILURE, now=ended)
    assert state_of(reopened, now=ended) is BreakerState.OPEN
    assert reopened.openings == 2


def test_stopped_app_keeps_the_breaker_open_until_an_operator_resumes_it():
    stopped = after(BreakerRecord(), Signal.STOPPED)
    assert state_of(stopped, now=AT + timedelta(days=900)) is BreakerState.OPEN
    assert after(stopped, *Signal) == stopped


@given(st.lists(st.sampled_from(Signal), max_size=30))
def test_version_increases_by_one_with_each_change_and_only_then(signals):
    breaker = BreakerRecord()
    for signal in signals:
        changed = after(breaker, signal)
        assert changed.version - breaker.version == (changed != breaker)
        breaker = changed
