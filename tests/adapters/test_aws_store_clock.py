"""The store's clock as its answers' dates and the monotonic clock tell it."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import START, FakeClock
from kycourier.adapters.aws.store_clock import MARGIN, DateClock
from kycourier.core.errors import StoreUnavailable

TICK = timedelta(microseconds=1)


def header(instant: datetime) -> str:
    return format_datetime(instant, usegmt=True)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def clock() -> FakeClock:
    """Give a worker's clock whose wall time is wrong by years."""
    return FakeClock(datetime(2031, 7, 1, tzinfo=timezone.utc))


class Heard(DateClock):
    """A clock whose answers come at once, unless they took some seconds."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self._ticks = clock.monotonic

    def note(self, date: str | None, *, took: float = 0) -> None:
        super().note(date, asked_at=self._ticks() - took)


@pytest.fixture
def store(clock: FakeClock) -> Heard:
    return Heard(clock)


def test_there_is_no_time_before_the_first_answer(store):
    with pytest.raises(StoreUnavailable, match="no date from the store"):
        store.now()


def test_the_first_date_is_believed_and_is_utc(store):
    store.note(header(START))

    assert store.now() == START
    assert store.now().utcoffset() == timedelta(0)


def test_time_goes_on_with_the_monotonic_clock_to_the_microsecond(store, clock):
    store.note(header(START))
    clock.sleep(12.000001)

    assert store.now() == after(12.000001)


def test_the_workers_wall_clock_is_never_asked(store, clock):
    store.note(header(START))
    clock.set(datetime(1999, 1, 1, tzinfo=timezone.utc))

    assert store.now() == START


@pytest.mark.parametrize(
    ("told", "then"),
    [
        (after(100), after(100)),
        (after(101), after(101)),
        (after(4000), after(4000)),
        (after(99), after(100)),
        (after(96), after(100)),
        (after(95), after(95)),
        (after(-4000), after(-4000)),
    ],
    ids=[
        "the same instant",
        "a second later: we were behind",
        "an hour later: the worker was frozen",
        "a second earlier: cut to the second",
        "four seconds earlier: cut, and slow on its way",
        "five seconds earlier: the first date was wrong",
        "an hour earlier: the first date was wrong",
    ],
)
def test_a_new_date_after_100_seconds(store, clock, told, then):
    store.note(header(START))
    clock.sleep(100)

    store.note(header(told))

    assert store.now() == then


def test_what_was_told_last_is_where_it_goes_on(store, clock):
    store.note(header(START))
    clock.sleep(1)
    store.note(header(after(61)))
    clock.sleep(5)

    assert store.now() == after(66)


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
def test_a_date_that_is_missing_or_unreadable_says_nothing(store, clock, date):
    store.note(header(after(50)))
    clock.sleep(1)

    store.note(date)

    assert store.now() == after(51)


@pytest.mark.parametrize("zone", ["GMT", "UTC", "+0000", "-0000", ""])
def test_every_spelling_of_utc_is_read(store, zone):
    store.note(f"Thu, 01 Jan 2026 00:00:00 {zone}".strip())

    assert store.now() == START


def test_another_zone_is_turned_into_utc(store):
    store.note("Thu, 01 Jan 2026 08:00:00 +0800")

    assert store.now() == START
    assert store.now().utcoffset() == timedelta(0)


def test_a_slow_first_answer_tells_no_time_until_a_quick_one_comes(store, clock):
    store.note(header(START), took=2.1)
    with pytest.raises(StoreUnavailable, match="too slow"):
        store.now()

    clock.sleep(1)
    store.note(header(START), took=2)

    assert store.now() == after(1)


def test_a_slow_answer_that_tells_nothing_new_takes_no_knowledge_away(store, clock):
    store.note(header(START))
    clock.sleep(9)

    store.note(header(after(8)), took=6)

    assert store.now() == after(9)


@pytest.mark.parametrize(
    ("passed", "frozen", "known"), [(1.9, 0, True), (2, 0, False), (0, 2, False)]
)
def test_an_estimate_is_new_for_two_seconds_by_both_clocks_of_the_worker(
    store, clock, passed, frozen, known
):
    assert not store.was_just_set()
    store.note(header(START))
    clock.sleep(passed)
    clock.set(clock.now() + timedelta(seconds=frozen))

    assert store.was_just_set() is known


ANSWERS = st.lists(
    st.tuples(
        st.integers(0, 5_000_000),  # microseconds until the question leaves
        st.integers(0, 3_000_000),  # microseconds it is on its way
        st.integers(0, 3_000_000),  # microseconds its answer is
    ),
    min_size=1,
    max_size=20,
)


@given(answers=ANSWERS, phase=st.integers(0, 999_999))
def test_the_estimate_never_leads_the_store_and_lags_less_than_the_margin(
    answers, phase
):
    clock, true = FakeClock(), START + phase * TICK
    store = Heard(clock)
    for until, there, back in answers:
        left = true + (until + there) * TICK
        true = left + back * TICK
        clock.sleep((until + there + back) / 1e6)
        store.note(header(left.replace(microsecond=0)), took=(there + back) / 1e6)

        if there + back < 2_000_000:
            assert true - MARGIN < store.now()
        with suppress(StoreUnavailable):
            assert true - MARGIN < store.now() <= true + 2 * len(answers) * TICK
