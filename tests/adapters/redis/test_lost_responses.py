"""A Redis call whose response is lost is repeated and applied once."""

from collections.abc import Callable

import pytest

from kycourier.adapters.redis.client import TRIES
from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.leases import refresh_lease
from kycourier.core.orders import state_machine as rules
from kycourier.ports import Stores
from support.fakes import START, FakeClock
from support.rigs.redis_rig import (
    RedisClientOnFakeClock,
    dump_redis,
    flush,
    stores_over,
)
from support.sample_records import APP, claim, draft, make_pair
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import FaultyProxy

pytestmark = [*EMULATOR_MARKS]


def lease(state: Stores):
    return state.leases.acquire(refresh_lease(APP), owner="one", seconds=15)


def prepare(state: Stores) -> None:
    """Store one record of each kind, and a lease that is not the first of its name."""
    state.leases.release(refresh_lease(APP), lease=lease(state))
    held = lease(state)
    state.tickets.put(APP, make_pair(), expected_generation=0, lease=held)
    claim(state.orders)
    state.breakers.open(APP, BreakerRecord(openings=1, version=1), expected_version=0)


def commit(state: Stores) -> None:
    row = state.orders.get(draft().key)
    state.orders.commit(rules.make_due(row, now=START), expected=row)


WRITES: dict[str, Callable[[Stores], object]] = {
    "acquire": lambda state: state.leases.acquire(f"new/{APP}", owner="a", seconds=5),
    "release": lambda state: state.leases.release(
        refresh_lease(APP), lease=lease(state)
    ),
    "save": lambda state: state.tickets.put(
        APP, make_pair(2), expected_generation=1, lease=lease(state)
    ),
    "register": lambda state: state.orders.register(draft("order2")),
    "claim": lambda state: claim(state.orders, "order2"),
    "commit": commit,
    "trip": lambda state: state.breakers.open(
        APP, BreakerRecord(openings=2, version=2), expected_version=1
    ),
    "resume": lambda state: state.breakers.close(APP),
}


def prepared(redis_url: str, proxy: FaultyProxy) -> Stores:
    flush(redis_url)
    url = f"redis://127.0.0.1:{proxy.port}"
    state = stores_over(RedisClientOnFakeClock(url, FakeClock()))
    prepare(state)
    return state


@pytest.mark.parametrize("verb", WRITES)
def test_write_with_a_lost_response_is_applied_once(verb, redis_url, proxy):
    undisturbed = prepared(redis_url, proxy)
    before = proxy.responses
    expected, responses = WRITES[verb](undisturbed), proxy.responses - before
    content = dump_redis(redis_url)
    assert responses >= 1

    for lost in range(1, responses + 1):
        state, connections = prepared(redis_url, proxy), proxy.connections
        proxy.drop_responses = {proxy.responses + lost}

        assert WRITES[verb](state) == expected
        assert dump_redis(redis_url) == content
        assert proxy.connections == connections + 1


def test_poison_with_a_lost_response_is_kept(redis_url, proxy):
    state = prepared(redis_url, proxy)
    proxy.drop_responses = {proxy.responses + 1}

    state.orders.record_poison(APP, source="queue", problem="malformed_json")

    assert [key for key in dump_redis(redis_url) if b"malformed_json" in key]


@pytest.mark.parametrize("verb", WRITES)
def test_write_without_any_response_is_unreachable(verb, redis_url, proxy, failure_of):
    state = prepared(redis_url, proxy)
    first = proxy.responses + 1
    proxy.drop_responses = set(range(first, first + 100))

    assert failure_of(lambda: WRITES[verb](state)) == "unreachable"
    assert proxy.responses == first + TRIES - 1
