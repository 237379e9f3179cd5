"""Connections to Redis that break, hang or were forgotten, and servers that go."""

import subprocess
import sys
import time

import pytest

from cutting_proxy import cutting_proxy
from fakes import FakeClock
from kycourier.adapters.redis.server import READ_SECONDS
from kycourier.core.errors import StoreUnavailable
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from records import claim, draft
from redis_bench import around, empty, look_into, open_server, port_of, stores_of
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
BOTH_SIDES = """
import os, sys
from redis_bench import around, open_server
server = open_server(sys.argv[1], around())
server.now()
child = os.fork()
side = "parent" if child else "child"
told = [
    server.call("SET", f"{side}{at}", at, "GET", key=f"{side}{at}") or
    server.call("GET", f"{side}{at}", key=f"{side}{at}") for at in range(300)
]
print(side, told == [b"%d" % at for at in range(300)], flush=True)
if child:
    os.waitpid(child, 0)
"""


@pytest.fixture
def proxy(redis_url):
    with cutting_proxy(port_of(empty(redis_url))) as proxy:
        yield proxy


def through(proxy, *, seconds_left=1e9):
    url = f"redis://127.0.0.1:{proxy.port}"
    return open_server(url, around(seconds_left=lambda: seconds_left))


def refusal(work) -> str:
    with pytest.raises(StoreUnavailable) as failure:
        work()
    assert failure.value.__context__ is None
    return failure.value.reason


def test_one_connection_serves_calls_that_follow_one_another(proxy):
    state = stores_of(through(proxy))
    for number in range(20):
        claim(state.orders, f"order{number}")

    assert proxy.connections == 1


def test_nothing_listens():
    server = open_server(f"redis://127.0.0.1:{find_free_port()}", around(FakeClock()))

    assert refusal(server.now) == "unreachable"


def test_host_that_is_not_there():
    server = open_server("redis://nowhere.invalid", around(FakeClock()))

    assert refusal(server.now) == "unreachable"


def test_connection_closed_while_idle_is_opened_anew(proxy, redis_url):
    server = through(proxy)
    server.now()
    killer = look_into(redis_url)
    killer.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    answers = proxy.answers

    server.now()

    assert proxy.answers == answers + 1


def test_connection_that_crossed_a_fork_is_left_to_the_process_that_opened_it(proxy):
    """Else either side is told the other's answers."""
    ended = subprocess.run(
        [sys.executable, "-c", BOTH_SIDES, f"redis://127.0.0.1:{proxy.port}"],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
        text=True,
        timeout=60,
    )

    assert set(ended.stdout.splitlines()) == {"parent True", "child True"}
    assert proxy.connections == 2


def test_connection_that_the_network_forgot_costs_one_wait(proxy):
    """As after a freeze: the connection seems open, and nothing comes back."""
    server = through(proxy)
    server.now()
    proxy.stall()
    begun = time.monotonic()

    server.now()

    assert READ_SECONDS <= time.monotonic() - begun < READ_SECONDS + 1
    assert proxy.connections == 2


def test_after_one_forgotten_connection_no_other_idle_one_is_trusted(proxy):
    server = through(proxy)
    server.now()
    [node] = server._nodes.values()
    idle = [node._take() for _ in range(3)]
    for connection in idle:
        connection.ask(["PING"], seconds=1)
    node._idle += idle
    proxy.stall()

    server.now()

    assert len(node._idle) == 1
    assert node._idle[0] not in idle
    assert proxy.connections == len(idle) + 1


def test_no_answer_is_waited_for_into_the_invocations_last_half_second(proxy):
    proxy.deaf = True
    server = through(proxy, seconds_left=0.7)
    begun = time.monotonic()

    assert refusal(server.now) == "timeout"
    assert time.monotonic() - begun < 0.7 - 0.3
    assert proxy.connections == 1


def test_nothing_is_tried_again_that_the_time_left_may_not_hold(proxy):
    proxy.lose = {1}

    assert refusal(through(proxy, seconds_left=2.9).now) == "unreachable"
    assert proxy.connections == 1


@pytest.mark.parametrize("seconds_left", [0, -5])
def test_nothing_is_begun_without_time(proxy, seconds_left):
    assert refusal(through(proxy, seconds_left=seconds_left).now) == "no time left"
    assert proxy.connections == 0


def test_state_is_there_when_a_server_that_writes_to_disk_comes_back(tmp_path):
    port = find_free_port()
    durable = ("--appendonly", "yes", "--appendfsync", "always")
    orders = stores_of(
        open_server(f"redis://127.0.0.1:{port}", around(FakeClock()))
    ).orders
    with start_redis_node(tmp_path, *durable, port=port):
        claimed = claim(orders).record

    assert refusal(lambda: orders.load(draft().key)) == "unreachable"

    with start_redis_node(tmp_path, *durable, port=port):
        assert orders.load(draft().key) == claimed
