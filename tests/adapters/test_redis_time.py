"""Time is the server's: a worker whose own clock is wrong shifts nothing."""

from datetime import timedelta

import pytest

from fakes import FakeClock
from kycourier.adapters.places import open_state
from kycourier.adapters.system import SystemClock
from kycourier.core.order import Urgency
from records import APP, draft
from redis_bench import around, empty, look_into, place_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
WRONG = [timedelta(minutes=minutes) for minutes in (-10, 10)]
CLOSE = timedelta(seconds=5)


def open_by(url: str, *, wrong: timedelta):
    clock = FakeClock(SystemClock().now() + wrong)
    return open_state(place_of(url), around(clock)), clock


@pytest.mark.parametrize("wrong", WRONG)
def test_live_lease_is_not_taken_and_its_times_are_the_servers(redis_url, wrong):
    right, _ = open_by(empty(redis_url), wrong=timedelta(0))
    held = right.leases.acquire("refresh/A", owner="one", seconds=60)
    late, _ = open_by(redis_url, wrong=wrong)

    assert late.leases.acquire("refresh/A", owner="two", seconds=60) is None
    assert held.ends_at == held.seen_at + timedelta(seconds=60)
    assert abs(held.seen_at - SystemClock().now()) < CLOSE
    other = late.leases.acquire("trial/A", owner="two", seconds=60)
    assert abs(other.seen_at - SystemClock().now()) < CLOSE


@pytest.mark.parametrize("wrong", WRONG)
def test_order_is_claimed_and_found_due_by_the_servers_clock(redis_url, wrong):
    state, _ = open_by(empty(redis_url), wrong=wrong)
    now = SystemClock().now()
    state.orders.register(draft("past", due_at=now - timedelta(minutes=1)))
    state.orders.register(draft("future", due_at=now + timedelta(minutes=1)))

    claims = {
        order_no: state.orders.claim(
            draft(order_no),
            owner="one",
            lease=timedelta(minutes=5),
            urgency=Urgency.DUE,
            folder="a",
        )
        for order_no in ("past", "future")
    }
    state.orders.register(draft("other", due_at=now - timedelta(minutes=1)))

    assert claims["past"].granted
    assert not claims["future"].granted
    ends_at = claims["past"].record.lease_ends_at
    assert abs(ends_at - now - timedelta(minutes=5)) < CLOSE
    assert [row.order_no for row in state.orders.due(APP, limit=9).records] == ["other"]


@pytest.mark.parametrize("wrong", WRONG)
def test_now_is_the_servers(redis_url, wrong):
    state, clock = open_by(empty(redis_url), wrong=wrong)

    told = state.orders.now()

    seconds, microseconds = look_into(redis_url).time()
    assert abs(told.timestamp() - seconds - microseconds / 1e6) < CLOSE.total_seconds()
    assert abs(told - clock.now()) > timedelta(minutes=9)
