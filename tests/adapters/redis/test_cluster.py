"""In a cluster the client sends each command to the node of the key's slot."""

import time
from contextlib import ExitStack
from datetime import timedelta

import pytest
import redis
from redis.crc import key_slot

from kycourier.adapters.registry import open_secret
from kycourier.adapters.stores.due_index import SHARDS
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.fakes import START
from support.rigs.redis_rig import open_redis_stores, redis_context, split_url
from support.sample_records import APP, call_every_store_verb, draft
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
HALVES = [(0, 8191), (8192, 16383)]
START_SECONDS = 20
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """Return clients of two nodes by port; each node has half the slots."""
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
        infos = [client.execute_command("CLUSTER INFO") for client in clients]
        if all(
            (each["cluster_state"], each["cluster_slots_ok"]) == ("ok", "16384")
            for each in infos
        ):
            return
        time.sleep(0.05)
    raise AssertionError("the nodes form no cluster")


def test_state_spreads_over_all_nodes_from_any_node(nodes):
    for port in nodes:
        for client in nodes.values():
            client.flushall()
        state = open_redis_stores(f"redis://127.0.0.1:{port}")

        call_every_store_verb(state)
        numbers = [f"n{number:02}" for number in range(4 * SHARDS)]
        for number in numbers:
            state.orders.register(draft(number, due_at=START + TICK))
        page = state.orders.list_due(APP, limit=99)

        assert [row.order_no for row in page.records] == ["order2", *numbers]
        assert all(client.dbsize() > SHARDS for client in nodes.values())


def test_foreign_ticket_is_found_on_any_node(nodes):
    half = HALVES[0][1]
    for key in ("a", "b", "c", "d"):
        first, second = nodes.values()
        node = first if key_slot(key.encode()) <= half else second
        node.set(key, f"ticket-{key}")
        for port in nodes:
            url = split_url(f"redis://127.0.0.1:{port}#{key}")
            source = open_secret("ticket", url, redis_context())
            assert source.get().expose() == f"ticket-{key}"
