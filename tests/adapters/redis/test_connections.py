"""Redis connections that break, freeze or cross a fork, and time limits of calls."""

import subprocess
import sys
import time

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.timing import REDIS_READ_SECONDS
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.fakes import FakeClock
from support.rigs.redis_rig import (
    flush,
    open_server,
    port_of,
    raw_client,
    redis_context,
    stores_over,
)
from support.sample_records import claim, draft
from support.servers.emulators import EMULATOR_MARKS
from support.servers.faulty_proxy import open_faulty_proxy

pytestmark = [*EMULATOR_MARKS]
USES_SERVER_AFTER_FORK = """
import os, sys
from support.rigs.redis_rig import open_server, redis_context
client = open_server(sys.argv[1], redis_context())
client.now()
child = os.fork()
side = "parent" if child else "child"
found = [
    client.call("SET", f"{side}{at}", at, "GET", key=f"{side}{at}") or
    client.call("GET", f"{side}{at}", key=f"{side}{at}") for at in range(300)
]
print(side, found == [b"%d" % at for at in range(300)], flush=True)
if child:
    os.waitpid(child, 0)
"""


@pytest.fixture
def proxy(redis_url):
    with open_faulty_proxy(port_of(flush(redis_url))) as proxy:
        yield proxy


def through(proxy, *, seconds_left=1e9):
    url = f"redis://127.0.0.1:{proxy.port}"
    return open_server(url, redis_context(seconds_left=lambda: seconds_left))


def refusal(work) -> str:
    with pytest.raises(StoreUnavailableError) as failure:
        work()
    assert failure.value.__context__ is None
    return failure.value.reason


def test_connection_is_reused_for_the_next_call(proxy):
    state = stores_over(through(proxy))
    for number in range(20):
        claim(state.orders, f"order{number}")

    assert proxy.connections == 1


def test_refused_connection_is_unreachable():
    client = open_server(
        f"redis://127.0.0.1:{find_free_port()}", redis_context(FakeClock())
    )

    assert refusal(client.now) == "unreachable"


def test_unknown_host_is_unreachable():
    client = open_server("redis://nowhere.invalid", redis_context(FakeClock()))

    assert refusal(client.now) == "unreachable"


def test_connection_closed_while_idle_is_replaced(proxy, redis_url):
    client = through(proxy)
    client.now()
    killer = raw_client(redis_url)
    killer.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    before = proxy.responses

    client.now()

    assert proxy.responses == before + 1


def test_forked_process_opens_its_own_connection(proxy):
    """Otherwise parent and child would read each other's replies."""
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            USES_SERVER_AFTER_FORK,
            f"redis://127.0.0.1:{proxy.port}",
        ],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
        text=True,
        timeout=60,
    )

    assert set(ended.stdout.splitlines()) == {"parent True", "child True"}
    assert proxy.connections == 2


def test_frozen_connection_costs_one_read_timeout(proxy):
    """After a freeze of the process the connection seems open but is dead."""
    client = through(proxy)
    client.now()
    proxy.freeze_connections()
    begun = time.monotonic()

    client.now()

    assert REDIS_READ_SECONDS <= time.monotonic() - begun < REDIS_READ_SECONDS + 1
    assert proxy.connections == 2


def test_one_frozen_connection_discards_all_idle_ones(proxy):
    client = through(proxy)
    client.now()
    [pool] = client._pools.values()
    idle = [pool._take() for _ in range(3)]
    for connection in idle:
        connection.call(["PING"], seconds=1)
    pool._idle += idle
    proxy.freeze_connections()

    client.now()

    assert len(pool._idle) == 1
    assert pool._idle[0] not in idle
    assert proxy.connections == len(idle) + 1


def test_read_ends_before_the_last_half_second(proxy):
    proxy.is_silent = True
    client = through(proxy, seconds_left=0.7)
    begun = time.monotonic()

    assert refusal(client.now) == "timeout"
    assert time.monotonic() - begun < 0.7 - 0.3
    assert proxy.connections == 1


def test_no_retry_starts_without_enough_time(proxy):
    proxy.drop_responses = {1}

    assert refusal(through(proxy, seconds_left=2.9).now) == "unreachable"
    assert proxy.connections == 1


@pytest.mark.parametrize("seconds_left", [0, -5])
def test_no_call_starts_without_time(proxy, seconds_left):
    assert refusal(through(proxy, seconds_left=seconds_left).now) == "no time left"
    assert proxy.connections == 0


def test_state_survives_a_restart_of_a_durable_server(tmp_path):
    port = find_free_port()
    durable = ("--appendonly", "yes", "--appendfsync", "always")
    orders = stores_over(
        open_server(f"redis://127.0.0.1:{port}", redis_context(FakeClock()))
    ).orders
    with start_redis_node(tmp_path, *durable, port=port):
        claimed = claim(orders).record

    assert refusal(lambda: orders.get(draft().key)) == "unreachable"

    with start_redis_node(tmp_path, *durable, port=port):
        assert orders.get(draft().key) == claimed
