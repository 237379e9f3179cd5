"""A cluster of several nodes: the client goes where a key's slot is."""

import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
import redis
from redis.crc import key_slot

from fakes import START, FakeClock
from kycourier.adapters.due_index import SHARDS
from kycourier.adapters.places import open_secret, open_state
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from records import APP, draft, use_everything
from redis_bench import around, place_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
HALVES = [(0, 8191), (8192, 16383)]
START_SECONDS = 20
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Give clients of two nodes that have half the slots each."""
    with ExitStack() as stack:
        clients = []
        for begin, end in HALVES:
            port, bus = find_free_port(), find_free_port()
            options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
            folder = tmp_path_factory.mktemp("node")
            stack.enter_context(start_redis_node(folder, *options, port=port))
            client = stack.enter_context(redis.Redis(port=port))
            client.execute_command("CLUSTER ADDSLOTSRANGE", begin, end)
            clients.append((client, port, bus))
        (first, _, _), (_, port, bus) = clients
        first.execute_command("CLUSTER MEET", "127.0.0.1", port, bus)
        wait_until_whole([client for client, _, _ in clients])
        yield {port: client for client, port, _ in clients}


def wait_until_whole(clients: list[redis.Redis]) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at:
        told = [client.execute_command("CLUSTER INFO") for client in clients]
        if all(
            (each["cluster_state"], each["cluster_slots_ok"]) == ("ok", "16384")
            for each in told
        ):
            return
        time.sleep(0.05)
    raise AssertionError("the nodes form no cluster")


def test_state_spreads_over_the_nodes_whichever_is_named(nodes):
    for port in nodes:
        for client in nodes.values():
            client.flushall()
        state = open_state(place_of(f"redis://127.0.0.1:{port}"), around(FakeClock()))

        use_everything(state)
        numbers = [f"n{number:02}" for number in range(4 * SHARDS)]
        for number in numbers:
            state.orders.register(draft(number, due_at=START + TICK))
        page = state.orders.due(APP, limit=99)

        assert [row.order_no for row in page.records] == ["order2", *numbers]
        assert all(client.dbsize() > SHARDS for client in nodes.values())


def test_foreign_ticket_is_found_on_whichever_node_it_is(nodes):
    half = HALVES[0][1]
    for key in ("a", "b", "c", "d"):
        first, second = nodes.values()
        home = first if key_slot(key.encode()) <= half else second
        home.set(key, f"ticket-{key}")
        for port in nodes:
            place = place_of(f"redis://127.0.0.1:{port}#{key}")
            source = open_secret("ticket", place, around(FakeClock()))
            assert source.load().reveal() == f"ticket-{key}"
