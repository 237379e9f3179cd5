"""An answer of Redis that is lost on its way changes nothing: the call is repeated."""

from collections.abc import Callable

import pytest

from cutting_proxy import CuttingProxy, cutting_proxy
from fakes import START, FakeClock
from kycourier.adapters.redis.server import TRIES
from kycourier.core import order as rules
from kycourier.core.brake import Brake
from kycourier.core.errors import StoreUnavailable
from kycourier.core.ticket import refresh_lease
from kycourier.ports import State
from records import APP, claim, draft, pair
from redis_bench import ServerOnFakeTime, dump, empty, port_of, stores_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]


def lease(state: State):
    return state.leases.acquire(refresh_lease(APP), owner="one", seconds=15)


def prepare(state: State) -> None:
    """Have one of each, and a lease that is not the first of its name."""
    state.leases.release(refresh_lease(APP), lease=lease(state))
    held = lease(state)
    state.tickets.save(APP, pair(), expected_generation=0, lease=held)
    claim(state.orders)
    state.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)


def commit(state: State) -> None:
    row = state.orders.load(draft().key)
    state.orders.commit(rules.make_due(row, now=START), expected=row)


WRITES: dict[str, Callable[[State], object]] = {
    "acquire": lambda state: state.leases.acquire(f"new/{APP}", owner="a", seconds=5),
    "release": lambda state: state.leases.release(
        refresh_lease(APP), lease=lease(state)
    ),
    "save": lambda state: state.tickets.save(
        APP, pair(2), expected_generation=1, lease=lease(state)
    ),
    "register": lambda state: state.orders.register(draft("order2")),
    "claim": lambda state: claim(state.orders, "order2"),
    "commit": commit,
    "trip": lambda state: state.brakes.trip(
        APP, Brake(trips=2, version=2), expected_version=1
    ),
    "resume": lambda state: state.brakes.release(APP),
}


@pytest.fixture
def proxy(redis_url):
    with cutting_proxy(port_of(redis_url)) as proxy:
        yield proxy


def prepared(redis_url: str, proxy: CuttingProxy) -> State:
    empty(redis_url)
    url = f"redis://127.0.0.1:{proxy.port}"
    state = stores_of(ServerOnFakeTime(url, FakeClock()))
    prepare(state)
    return state


@pytest.mark.parametrize("verb", WRITES)
def test_write_whose_answer_is_lost_is_done_once_and_told_as_done(
    verb, redis_url, proxy
):
    undisturbed = prepared(redis_url, proxy)
    before = proxy.answers
    told, answers = WRITES[verb](undisturbed), proxy.answers - before
    stands = dump(redis_url)
    assert answers >= 1

    for lost in range(1, answers + 1):
        state, connections = prepared(redis_url, proxy), proxy.connections
        proxy.lose = {proxy.answers + lost}

        assert WRITES[verb](state) == told
        assert dump(redis_url) == stands
        assert proxy.connections == connections + 1


def test_poison_whose_answer_is_lost_is_kept(redis_url, proxy):
    state = prepared(redis_url, proxy)
    proxy.lose = {proxy.answers + 1}

    state.orders.record_poison(APP, source="queue", problem="malformed_json")

    assert [key for key in dump(redis_url) if b"malformed_json" in key]


@pytest.mark.parametrize("verb", WRITES)
def test_call_whose_answers_are_all_lost_is_the_stores_failure(verb, redis_url, proxy):
    state = prepared(redis_url, proxy)
    first = proxy.answers + 1
    proxy.lose = set(range(first, first + 100))

    with pytest.raises(StoreUnavailable) as failure:
        WRITES[verb](state)

    assert failure.value.reason == "unreachable"
    assert failure.value.__context__ is None
    assert proxy.answers == first + TRIES - 1
