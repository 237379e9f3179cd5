"""Redis connections that break, freeze or cross a fork, and time limits of calls."""

import subprocess
import sys
import time

import pytest

from kycourier.core.timing import REDIS_READ_SECONDS
from kycourier_devkit.emulators.servers import find_free_port
from support.rigs.redis_rig import (
    open_redis_client,
    raw_client,
    stores_over,
)
from support.sample_records import claim
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
USES_CLIENT_AFTER_FORK = """
import os, sys
from support.rigs.redis_rig import open_redis_client
client = open_redis_client(sys.argv[1])
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


def through(proxy, *, seconds_left=1e9):
    url = f"redis://127.0.0.1:{proxy.port}"
    return open_redis_client(url, seconds_left=lambda: seconds_left)


def test_connection_is_reused_for_the_next_call(proxy):
    state = stores_over(through(proxy))
    for number in range(20):
        claim(state.orders, f"order{number}")

    assert proxy.connections == 1


@pytest.mark.parametrize(
    "host",
    [f"127.0.0.1:{find_free_port()}", "nowhere.invalid"],
    ids=["port closed", "name unknown"],
)
def test_refused_connection_or_unknown_host_is_unreachable(host, failure_of):
    assert failure_of(open_redis_client(f"redis://{host}").now) == "unreachable"


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
    url = f"redis://127.0.0.1:{proxy.port}"
    ended = subprocess.run(
        [sys.executable, "-c", USES_CLIENT_AFTER_FORK, url],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
        text=True,
        timeout=60,
    )

    assert set(ended.stdout.splitlines()) == {"parent True", "child True"}
    assert proxy.connections == 2


def test_frozen_connection_costs_one_read_timeout_and_discards_all_idle_ones(proxy):
    """After a freeze of the process the connections seem open but are dead."""
    client = through(proxy)
    client.now()
    [pool] = client._pools.values()
    idle = [pool._take() for _ in range(3)]
    for connection in idle:
        connection.call(["PING"], seconds=1)
    pool._idle += idle
    proxy.freeze_connections()
    begun = time.monotonic()

    client.now()

    assert REDIS_READ_SECONDS <= time.monotonic() - begun < REDIS_READ_SECONDS + 1
    assert len(pool._idle) == 1
    assert pool._idle[0] not in idle
    assert proxy.connections == len(idle) + 1


def test_read_ends_before_the_last_half_second(proxy, failure_of):
    proxy.is_silent = True
    client = through(proxy, seconds_left=0.7)
    begun = time.monotonic()

    assert failure_of(client.now) == "timeout"
    assert time.monotonic() - begun < 0.7 - 0.3
    assert proxy.connections == 1


def test_no_retry_starts_without_enough_time(proxy, failure_of):
    proxy.drop_responses = {1}

    assert failure_of(through(proxy, seconds_left=2.9).now) == "unreachable"
    assert proxy.connections == 1


@pytest.mark.parametrize("seconds_left", [0, -5])
def test_no_call_starts_without_time(proxy, seconds_left, failure_of):
    assert failure_of(through(proxy, seconds_left=seconds_left).now) == "no time left"
    assert proxy.connections == 0
