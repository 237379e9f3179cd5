"""A store that goes away for half a minute: fail fast, ask for nothing, lose nothing.

The ticket grows old and dies meanwhile; nobody may refresh it without the lease.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest
import redis

from aws.proxy import AwsProxy, Play, as_ever, cut, failing
from fleet import wait_until
from houses import AT, TIMER, House, at_once, batch, open_house
from kycourier_devkit import toolbox
from kycourier_devkit.errors import FunctionFailed, FunctionNotStarted, ToolMissing
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.sandbox import Sandbox
from kycourier_devkit.stand_ins.servers import find_free_port
from outside import FINAL, Stores, furnish
from redis_bench import look_into
from stand_ins import IN_CLOUD
from watch import Watch

pytestmark = [*IN_CLOUD, pytest.mark.timeout(120)]
LIMIT, MARGIN = 6.0, 0.5
FULL, SHORT = 30.0, 4.0
BEFORE = [f"before{at}" for at in range(4)]
DURING = [f"during{at}" for at in range(4)]
GET = build_http_event(HttpCall(method="GET", path="/v1/orders/before0"), at=AT)
FUNCTIONS = {
    "collect_results": batch(*DURING),
    "sweep_orders": TIMER,
    "refresh_ticket": TIMER,
    "orders_api": GET,
}


class Absence(NamedTuple):
    """How a store goes away and comes back, and what a function says that starts."""

    leave: Callable[[], None]
    come_back: Callable[[], None]
    said: str


@pytest.fixture
def house(tmp_path):
    """Give a house whose tickets die within an absence."""
    with open_house(tmp_path, Sandbox(ticket_lifetime_seconds=12)) as house:
        yield house


@contextmanager
def redis_of(house: House) -> Iterator[tuple[Stores, subprocess.Popen, Callable]]:
    """Give a house a Redis that keeps all on disk; it can be started again."""
    folder, port = house.folder / "redis", find_free_port()
    folder.mkdir()
    try:
        program = toolbox.redis_server()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    url = f"redis://127.0.0.1:{port}"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    options += ["--dir", str(folder), "--appendonly", "yes"]
    started: list[subprocess.Popen] = []

    def start() -> None:
        started.append(subprocess.Popen([program, *options], stdout=subprocess.DEVNULL))
        wait_until(lambda: answers(url), seconds=20, what="Redis serves")

    start()
    try:
        yield furnish(house, "redis", lambda _: url), started, start
    finally:
        for process in started:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        return look_into(url).ping()
    except redis.RedisError:
        return False


@contextmanager
def redis_killed(house: House, _) -> Iterator[tuple[Stores, Absence]]:
    """Kill it; it comes back with what it wrote to disk."""
    with redis_of(house) as (stores, started, start):

        def kill() -> None:
            started[-1].kill()
            started[-1].wait()

        yield stores, Absence(kill, start, "unreachable")


@contextmanager
def redis_stopped(house: House, _) -> Iterator[tuple[Stores, Absence]]:
    """Freeze it: connections are taken, and nothing is said."""
    with redis_of(house) as (stores, (process,), _):
        yield (
            stores,
            Absence(
                lambda: process.send_signal(signal.SIGSTOP),
                lambda: process.send_signal(signal.SIGCONT),
                "timeout",
            ),
        )


@contextmanager
def table_away(house: House, request, play: Play, said: str):
    stores = furnish(house, "dynamodb", request.getfixturevalue)
    with closing(AwsProxy(request.getfixturevalue("moto"))) as proxy:
        house.environ["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.url

        def turn(play: Play) -> None:
            proxy.otherwise = play

        yield stores, Absence(lambda: turn(play), lambda: turn(as_ever), said)


@contextmanager
def table_silent(house: House, request) -> Iterator[tuple[Stores, Absence]]:
    """Take connections, and say nothing."""
    over = threading.Event()

    def say_nothing(*_) -> None:
        over.wait(60)

    with table_away(house, request, say_nothing, "no answer") as given:
        yield given
        over.set()


def table_unreachable(house: House, request):
    return table_away(house, request, cut, "no answer")


def table_deleted(house: House, request):
    gone = failing("ResourceNotFoundException")
    return table_away(house, request, gone, "no such table in this region")


@pytest.mark.parametrize(
    ("absence", "seconds"),
    [
        (redis_killed, FULL),
        (redis_stopped, SHORT),
        (table_silent, FULL),
        (table_unreachable, SHORT),
        (table_deleted, SHORT),
    ],
)
def test_while_the_store_is_away_nothing_is_asked_and_afterwards_all_is_collected(
    house, request, figures, absence, seconds
):
    with absence(house, request) as (stores, away):
        processes = [house.start(name) for name in FUNCTIONS]
        collect, sweep, refresh, _ = processes
        refresh.invoke(TIMER)
        with Watch(house, stores, rows_every=1_000_000) as watch:
            assert collect.invoke(batch(*BEFORE)) == {"batchItemFailures": []}
            watch.look_at_rows()
            for process in processes:
                process.wait_until_ready()
            leave_in_flight(house, collect, away)
            fail_meanwhile(house, processes, away, seconds=seconds)
            away.come_back()
            wait_until(
                lambda: is_over(stores, collect, sweep), seconds=30, what="all is done"
            )
        watch.judge(dict.fromkeys([*BEFORE, *DURING, "inflight"], "collected"))
    name = absence.__name__.replace("_", " ")
    figures(f"the store away for {seconds:g} s", name, orders=9)


def leave_in_flight(house: House, collect, away: Absence) -> None:
    """Let the store go while an order's photos are late."""
    house.sandbox.set_order("inflight", "late2")
    asked = house.sandbox.report
    with ThreadPoolExecutor(1) as pool:
        flight = pool.submit(collect.invoke, batch("inflight"), timeout_seconds=LIMIT)
        wait_until(
            lambda: asked().queries_per_order["inflight"], seconds=20, what="it asks"
        )
        away.leave()
        flight.result()


def fail_meanwhile(house: House, processes, away: Absence, *, seconds: float) -> None:
    """Call all functions for some time: they fail fast, and nobody asks upstream."""
    begun, before = time.monotonic(), house.sandbox.report()
    with pytest.raises(FunctionNotStarted) as refused:
        house.start("collect_results").wait_until_ready()
    assert str(refused.value) == f"KYCOURIER_STATE: cannot be used: {away.said}"
    while time.monotonic() < begun + seconds:
        at_once(fail_in_time, processes)
    after = house.sandbox.report()
    assert (after.token_calls, after.queries_total) == (
        before.token_calls,
        before.queries_total,
    )


def fail_in_time(process) -> None:
    """Hold that a function says that it cannot, and before its time is over."""
    begun = time.monotonic()
    try:
        answer = process.invoke(FUNCTIONS[process.name], timeout_seconds=LIMIT)
    except FunctionFailed as failed:
        answer = {"code": failed.code}
    assert time.monotonic() - begun < LIMIT - MARGIN
    returned = len(answer.get("batchItemFailures", ())) == len(DURING)
    refused = answer.get("code") in {"store_unavailable", "out_of_time"}
    assert returned or refused or answer.get("statusCode") == 503
    time.sleep(0.2)


def is_over(stores: Stores, collect, sweep) -> bool:
    """Deliver again what was returned, and sweep, until every order is at its end."""
    wanted = {*BEFORE, *DURING, "inflight"}
    rows = stores.rows()
    left = [
        each for each in wanted if each not in rows or rows[each].state not in FINAL
    ]
    if left:
        collect.invoke(batch(*left))
        sweep.invoke(TIMER)
    return not left
