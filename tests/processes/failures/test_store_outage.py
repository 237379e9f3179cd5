"""While a store is down, functions fail fast and call nothing; no order is lost.

The ticket expires during the outage; without the lease nobody may refresh it.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest
import redis

from kycourier_devkit import tool_envs
from kycourier_devkit.emulators.servers import find_free_port
from kycourier_devkit.errors import (
    FunctionFailedError,
    FunctionStartError,
    ToolUnavailableError,
)
from kycourier_devkit.sandbox import Sandbox
from support.aws.aws_proxy import AwsProxy, pass_through
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import FINAL_STATES, RawStores, configure_stores
from support.processes.service_rig import (
    TIMER_EVENT,
    ServiceRig,
    call_concurrently,
    http_event,
    open_service_rig,
    queue_batch,
)
from support.processes.worker_fleet import wait_until
from support.rigs.redis_rig import raw_client
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS, pytest.mark.timeout(120)]
LIMIT, MARGIN = 6.0, 0.5
SECONDS = 30.0
BEFORE = [f"before{at}" for at in range(4)]
DURING = [f"during{at}" for at in range(4)]
FUNCTIONS = {
    "collect_results": queue_batch(*DURING),
    "sweep_orders": TIMER_EVENT,
    "refresh_ticket": TIMER_EVENT,
    "orders_api": http_event("GET", "/v1/orders/before0"),
}


class Outage(NamedTuple):
    """How a store goes down and up, and the problem that a starting function logs."""

    begin: Callable[[], None]
    end: Callable[[], None]
    problem: str


@pytest.fixture
def service_rig(tmp_path):
    """Run the functions with tickets that expire within an outage."""
    with open_service_rig(tmp_path, Sandbox(ticket_lifetime_seconds=12)) as service_rig:
        yield service_rig


@contextmanager
def redis_killed(service_rig: ServiceRig, _) -> Iterator[tuple[RawStores, Outage]]:
    """Kill a Redis that persists everything; it starts again from its disk."""
    folder, port = service_rig.folder / "redis", find_free_port()
    folder.mkdir()
    try:
        program = tool_envs.redis_server()
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    url = f"redis://127.0.0.1:{port}"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    options += ["--dir", str(folder), "--appendonly", "yes"]
    started: list[subprocess.Popen] = []

    def start() -> None:
        started.append(subprocess.Popen([program, *options], stdout=subprocess.DEVNULL))
        wait_until(lambda: is_up(url), seconds=20, what="Redis")

    def kill() -> None:
        started[-1].kill()
        started[-1].wait()

    start()
    try:
        stores = configure_stores(service_rig, "redis", lambda _: url)
        yield stores, Outage(kill, start, "unreachable")
    finally:
        kill()


def is_up(url: str) -> bool:
    try:
        return raw_client(url).ping()
    except redis.RedisError:
        return False


@contextmanager
def table_hanging(
    service_rig: ServiceRig, request
) -> Iterator[tuple[RawStores, Outage]]:
    """Accept connections to DynamoDB without a response."""
    stores = configure_stores(service_rig, "dynamodb", request.getfixturevalue)
    over = threading.Event()
    with closing(AwsProxy(request.getfixturevalue("moto"))) as proxy:
        service_rig.environ["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.url

        def respond_never(*_: object) -> None:
            over.wait(60)

        def begin() -> None:
            proxy.default_script = respond_never

        def end() -> None:
            proxy.default_script = pass_through

        yield stores, Outage(begin, end, "no response")
        over.set()


@pytest.mark.parametrize("outage_of", [redis_killed, table_hanging])
def test_orders_are_collected_after_an_outage_in_which_nothing_is_called(
    service_rig, request, figures, outage_of
):
    with outage_of(service_rig, request) as (stores, outage):
        processes = [service_rig.start(name) for name in FUNCTIONS]
        collect, sweep, refresh, _ = processes
        refresh.invoke(TIMER_EVENT)
        with InvariantMonitor(service_rig, stores, rows_every=1_000_000) as watch:
            assert collect.invoke(queue_batch(*BEFORE)) == {"batchItemFailures": []}
            watch.read_rows()
            for process in processes:
                process.wait_until_ready()
            begin_during_a_call(service_rig, collect, outage)
            fail_during_outage(service_rig, processes, outage)
            outage.end()
            wait_until(
                lambda: is_over(stores, collect, sweep), seconds=30, what="final orders"
            )
        watch.check(dict.fromkeys([*BEFORE, *DURING, "inflight"], "collected"))
    name = outage_of.__name__.replace("_", " ")
    figures(f"the store down for {SECONDS:g} s", name, orders=9)


def begin_during_a_call(service_rig: ServiceRig, collect, outage: Outage) -> None:
    """Begin the outage while an order's photos are late."""
    service_rig.sandbox.set_order("inflight", "late2")
    report = service_rig.sandbox.report
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(
            collect.invoke, queue_batch("inflight"), timeout_seconds=LIMIT
        )
        wait_until(
            lambda: report().queries_per_order["inflight"], seconds=20, what="a query"
        )
        outage.begin()
        call.result()


def fail_during_outage(service_rig: ServiceRig, processes, outage: Outage) -> None:
    """Invoke all functions for some time: they fail in time, and call no platform."""
    began, before = time.monotonic(), service_rig.sandbox.report()
    with pytest.raises(FunctionStartError) as refused:
        service_rig.start("collect_results").wait_until_ready()
    assert str(refused.value) == f"KYCOURIER_STATE: cannot be used: {outage.problem}"
    while time.monotonic() < began + SECONDS:
        call_concurrently(fail_in_time, processes)
    after = service_rig.sandbox.report()
    assert after.token_calls == before.token_calls
    assert after.queries_total == before.queries_total


def fail_in_time(process) -> None:
    """Check that a function reports the failure within its time limit."""
    began = time.monotonic()
    try:
        response = process.invoke(FUNCTIONS[process.name], timeout_seconds=LIMIT)
    except FunctionFailedError as failed:
        response = {"code": failed.code}
    assert time.monotonic() - began < LIMIT - MARGIN
    returned = len(response.get("batchItemFailures", ())) == len(DURING)
    refused = response.get("code") in {"store_unavailable", "out_of_time"}
    assert returned or refused or response.get("statusCode") == 503
    time.sleep(0.2)  # limits the load; nothing depends on it


def is_over(stores: RawStores, collect, sweep) -> bool:
    """Redeliver and sweep; returns whether every order is final."""
    orders = {*BEFORE, *DURING, "inflight"}
    rows = stores.rows()
    left = [
        each
        for each in orders
        if each not in rows or rows[each].state not in FINAL_STATES
    ]
    if left:
        collect.invoke(queue_batch(*left))
        sweep.invoke(TIMER_EVENT)
    return not left
