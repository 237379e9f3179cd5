"""The circuit breaker opens after failed calls and closes after a trial call."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.causes import Cause, LastProblem, Problem
from kycourier.core.circuit_breaker import (
    BreakerRecord,
    BreakerState,
    CallResult,
    Signal,
    after_call,
    after_refresh,
    state_of,
)

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)
TIMEOUT = Problem(Cause.TIMED_OUT)
OPEN = BreakerRecord(openings=1, open_until=AT + 5 * SECOND, version=3)


def after(breaker, *signals, now=AT, min_open=0, draw=0.0, problem=None):
    for signal in signals:
        call = CallResult(signal, problem, min_open * SECOND)
        breaker = after_call(breaker, call, now=now, draw=draw)
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


@pytest.mark.parametrize("signal", [Signal.THROTTLED, Signal.FAILURE, Signal.STOPPED])
def test_open_breaker_keeps_the_problem_that_opened_it(signal):
    problem = Problem(Cause.CODE_THROTTLED, code="400501")
    nine = BreakerRecord(failures=9)
    opened = after(nine, signal, problem=problem)
    assert opened.problem == problem
    assert after(opened, Signal.FAILURE, problem=TIMEOUT).problem == problem
    assert after(BreakerRecord(), Signal.FAILURE, problem=TIMEOUT).problem is None


def test_states_have_the_words_of_the_api_and_a_call_has_no_problem_by_default():
    assert [state.value for state in BreakerState] == ["closed", "open", "half_open"]
    assert CallResult(Signal.SUCCESS).problem is None


def test_refresh_problem_is_counted_until_a_refresh_succeeds():
    refused = Problem(Cause.REFRESH_REFUSED, code="400103")
    once = after_refresh(BreakerRecord(), refused, now=AT)
    twice = after_refresh(once, refused, now=AT + SECOND)
    assert twice.refresh_problem == LastProblem(
        cause=Cause.REFRESH_REFUSED, at=AT + SECOND, count=2, code="400103"
    )
    assert twice.version == 2
    refreshed = after_refresh(twice, None, now=AT)
    assert (refreshed.refresh_problem, refreshed.version) == (None, 3)
    assert after_refresh(refreshed, None, now=AT) is refreshed


def test_breaker_closes_without_forgetting_the_refresh_problem():
    failing = after_refresh(OPEN, TIMEOUT, now=AT)
    closed = after(failing, Signal.SUCCESS, now=AT + 5 * SECOND)
    assert state_of(closed, now=AT) is BreakerState.CLOSED
    assert (closed.problem, closed.refresh_problem) == (None, failing.refresh_problem)


@given(st.lists(st.sampled_from(Signal), max_size=30))
def test_version_increases_by_one_with_each_change_and_only_then(signals):
    breaker = BreakerRecord()
    for signal in signals:
        changed = after(breaker, signal)
        assert changed.version - breaker.version == (changed != breaker)
        breaker = changed
