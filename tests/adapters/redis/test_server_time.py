"""The Redis server's clock decides, whatever the worker's clock shows."""

from datetime import timedelta

import pytest

from kycourier.adapters.system import SystemClock
from kycourier.core.orders.state_machine import Urgency
from support.fakes import FakeClock
from support.rigs.redis_rig import flush, open_redis_stores
from support.sample_records import APP, draft
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
WRONG = [timedelta(minutes=minutes) for minutes in (-10, 10)]
CLOSE = timedelta(seconds=5)


def open_on_wrong_clock(url: str, wrong: timedelta):
    return open_redis_stores(url, FakeClock(SystemClock().now() + wrong))


@pytest.mark.parametrize("wrong", WRONG)
def test_lease_times_come_from_the_server(redis_url, wrong):
    right = open_on_wrong_clock(flush(redis_url), timedelta(0))
    held = right.leases.acquire("refresh/A", owner="one", seconds=60)
    late = open_on_wrong_clock(redis_url, wrong)

    assert late.leases.acquire("refresh/A", owner="two", seconds=60) is None
    assert held.ends_at == held.seen_at + timedelta(seconds=60)
    assert abs(held.seen_at - SystemClock().now()) < CLOSE
    other = late.leases.acquire("trial/A", owner="two", seconds=60)
    assert abs(other.seen_at - SystemClock().now()) < CLOSE


@pytest.mark.parametrize("wrong", WRONG)
def test_now_claims_and_due_pages_use_the_servers_clock(redis_url, wrong):
    state = open_on_wrong_clock(flush(redis_url), wrong)
    now = SystemClock().now()
    assert abs(state.orders.now() - now) < CLOSE
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
    assert [row.order_no for row in state.orders.list_due(APP, limit=9).records] == [
        "other"
    ]
