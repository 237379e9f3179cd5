"""DateClock derives the store's time from Date headers and the monotonic clock."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.adapters.aws.dynamodb.clock import DateClock
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.timing import DYNAMODB_CLOCK_MARGIN
from support.fakes import START, FakeClock

TICK = timedelta(microseconds=1)


def header(instant: datetime) -> str:
    return format_datetime(instant, usegmt=True)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    """Return a worker's clock whose wall time is years ahead."""
    return FakeClock(datetime(2031, 7, 1, tzinfo=timezone.utc))


class TimedDateClock(DateClock):
    """A clock whose responses take `took` seconds."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self._ticks = clock.monotonic

    def observe(self, date: str | None, *, took: float = 0) -> None:
        super().observe(date, sent_at=self._ticks() - took)


@pytest.fixture
def store(clock: FakeClock) -> TimedDateClock:
    return TimedDateClock(clock)


def test_clock_is_unset_before_the_first_response(store):
    with pytest.raises(StoreUnavailableError, match="no date from the store"):
        store.now()


def test_clock_advances_from_the_first_date_with_the_monotonic_clock(store, clock):
    store.observe(header(START))
    clock.sleep(12.000001)
    clock.set(datetime(1999, 1, 1, tzinfo=timezone.utc))

    assert store.now() == after(12.000001)


@pytest.mark.parametrize(
    ("date", "expected"),
    [(100, 100), (101, 101), (4000, 4000), (99, 100), (96, 100), (95, 95), (-9, -9)],
    ids=[
        "the same instant",
        "a second later: the estimate lagged",
        "an hour later: the worker was frozen",
        "a second earlier: cut to the second",
        "four seconds earlier: cut, and slow to arrive",
        "five seconds earlier: the first date was wrong",
        "minutes earlier: the first date was wrong",
    ],
)
def test_later_date_corrects_the_clock(store, clock, date, expected):
    store.observe(header(START))
    clock.sleep(100)

    store.observe(header(after(date)))
    clock.sleep(5)

    assert store.now() == after(expected + 5)


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Thu, 99 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 99999 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "\0",
    ],
)
def test_missing_or_unreadable_date_is_ignored(store, clock, date):
    store.observe(header(after(50)))
    clock.sleep(1)

    store.observe(date)

    assert store.now() == after(51)


@pytest.mark.parametrize(
    "zone", ["00 GMT", "00 UTC", "00 +0000", "00 -0000", "00", "08 +0800"]
)
def test_every_time_zone_is_converted_to_utc(store, zone):
    hour, _, name = zone.partition(" ")
    store.observe(f"Thu, 01 Jan 2026 {hour}:00:00 {name}".strip())

    assert store.now() == START
    assert store.now().utcoffset() == timedelta(0)


def test_slow_first_response_does_not_set_the_clock(store, clock):
    store.observe(header(START), took=2.1)
    with pytest.raises(StoreUnavailableError, match="too slow"):
        store.now()

    clock.sleep(1)
    store.observe(header(START), took=2)

    assert store.now() == after(1)


def test_slow_response_does_not_unset_the_clock(store, clock):
    store.observe(header(START))
    clock.sleep(9)

    store.observe(header(after(8)), took=6)

    assert store.now() == after(9)


@pytest.mark.parametrize(
    ("passed", "frozen", "known"), [(1.9, 0, True), (2, 0, False), (0, 2, False)]
)
def test_estimate_is_recent_for_two_seconds_on_both_worker_clocks(
    store, clock, passed, frozen, known
):
    assert not store.is_fresh()
    store.observe(header(START))
    clock.sleep(passed)
    clock.set(clock.now() + timedelta(seconds=frozen))

    assert store.is_fresh() is known


RESPONSES = st.lists(
    st.tuples(
        st.integers(0, 5_000_000),  # microseconds until the request leaves
        st.integers(0, 3_000_000),  # microseconds to the store
        st.integers(0, 3_000_000),  # microseconds back
    ),
    min_size=1,
    max_size=20,
)


@given(responses=RESPONSES, phase=st.integers(0, 999_999))
def test_estimate_never_leads_and_lags_less_than_the_margin(responses, phase):
    clock, true = FakeClock(), START + phase * TICK
    store = TimedDateClock(clock)
    for until, there, back in responses:
        left = true + (until + there) * TICK
        true = left + back * TICK
        clock.sleep((until + there + back) / 1e6)
        store.observe(header(left.replace(microsecond=0)), took=(there + back) / 1e6)

        if there + back < 2_000_000:
            assert true - DYNAMODB_CLOCK_MARGIN < store.now()
        with suppress(StoreUnavailableError):
            assert (
                true - DYNAMODB_CLOCK_MARGIN
                < store.now()
                <= true + 2 * len(responses) * TICK
            )
