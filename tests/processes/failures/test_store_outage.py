"""While a store is down, functions fail fast and call nothing; no order is lost.

The ticket expires during the outage; without the lease nobody may refresh it.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from kycourier_devkit.errors import FunctionFailedError, FunctionStartError
from kycourier_devkit.sandbox import Sandbox
from support.aws.aws_proxy import AwsProxy, pass_through
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import FINAL_STATES, RawStores, configure_stores
from support.processes.service_rig import (
    TIMER_EVENT,
    call_concurrently,
    http_event,
    open_service_rig,
    queue_batch,
)
from support.processes.worker_fleet import wait_until
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS, pytest.mark.timeout(120)]
LIMIT, MARGIN = 6.0, 0.5
SECONDS = 30.0
BEFORE = [f"before{at}" for at in range(4)]
DURING = [f"during{at}" for at in range(4)]
ORDERS = [*BEFORE, *DURING, "inflight"]
FUNCTIONS = {
    "collect_results": queue_batch(*DURING),
    "sweep_orders": TIMER_EVENT,
    "refresh_ticket": TIMER_EVENT,
    "orders_api": http_event("GET", "/v1/orders/before0"),
}


@pytest.fixture
def service_rig(tmp_path):
    """Run the functions with tickets that expire within an outage."""
    with open_service_rig(tmp_path, Sandbox(ticket_lifetime_seconds=12)) as service_rig:
        yield service_rig


@pytest.fixture
def proxy(moto):
    with closing(AwsProxy(moto)) as proxy:
        yield proxy


def test_orders_are_collected_after_an_outage_in_which_nothing_is_called(
    service_rig, request, figures, proxy
):
    """The table accepts connections and does not respond, from within a call on."""
    stores = configure_stores(service_rig, "dynamodb", request.getfixturevalue)
    service_rig.environ["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.url
    processes = [service_rig.start(name) for name in FUNCTIONS]
    collect, sweep, refresh, _ = processes
    refresh.invoke(TIMER_EVENT)
    over = threading.Event()

    def respond_never(*_: object) -> None:
        over.wait(60)

    service_rig.sandbox.set_order("inflight", "late2")
    report = service_rig.sandbox.report
    with InvariantMonitor(service_rig, stores, rows_every=1_000_000) as watch:
        assert collect.invoke(queue_batch(*BEFORE)) == {"batchItemFailures": []}
        watch.read_rows()
        for process in processes:
            process.wait_until_ready()
        with ThreadPoolExecutor(1) as pool:
            batch = queue_batch("inflight")
            call = pool.submit(collect.invoke, batch, timeout_seconds=LIMIT)
            wait_until(
                lambda: report().queries_per_order["inflight"],
                seconds=20,
                what="a query",
            )
            proxy.default_script = respond_never
            call.result()
        fail_during_outage(service_rig, processes)
        proxy.default_script = pass_through
        over.set()
        wait_until(
            lambda: is_over(stores, collect, sweep), seconds=30, what="final orders"
        )
    watch.check(dict.fromkeys(ORDERS, "collected"))
    figures(f"the store down for {SECONDS:g} s", "table hanging", orders=len(ORDERS))


def fail_during_outage(service_rig, processes) -> None:
    """Invoke all functions for some time: they fail in time, and call no platform."""
    began, before = time.monotonic(), service_rig.sandbox.report()
    with pytest.raises(FunctionStartError) as refused:
        service_rig.start("collect_results").wait_until_ready()
    assert str(refused.value) == "KYCOURIER_STATE: cannot be used: no response"
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
    rows = stores.rows()
    left = [
        each
        for each in ORDERS
        if each not in rows or rows[each].state not in FINAL_STATES
    ]
    if left:
        collect.invoke(queue_batch(*left))
        sweep.invoke(TIMER_EVENT)
    return not left
