"""Processes of the real functions that work at the same time."""

import json

import pytest

from kycourier_devkit.sandbox import Sandbox
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import (
    TIMER_EVENT,
    call_concurrently,
    http_event,
    open_service_rig,
    queue_batch,
)
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]


@pytest.mark.parametrize("profile", ["miniprogram", "kyc1"])
def test_cold_workers_and_refresh_timers_request_one_token(tmp_path, profile):
    with open_service_rig(tmp_path, Sandbox(profile=profile)) as service_rig:
        service_rig.environ["KYCOURIER_KYC_PROFILE"] = profile
        timers = service_rig.start_many("refresh_ticket", 3)
        workers = service_rig.start_many("collect_results", 9)
        calls = dict.fromkeys(timers, TIMER_EVENT)
        calls |= {process: queue_batch(f"order{process.pid}") for process in workers}

        call_concurrently(lambda process: process.invoke(calls[process]), list(calls))

        report = service_rig.sandbox.report()
        assert (report.token_calls, report.ticket_calls, report.overlaps) == (1, 1, 0)
        assert report.sign_rejections == 0
        assert len(service_rig.events()) == len(workers)


@pytest.mark.parametrize("cap", [10, 3])
def test_batch_runs_concurrently_up_to_the_in_flight_cap(service_rig, cap):
    process = service_rig.start("collect_results", KYCOURIER_MAX_IN_FLIGHT=str(cap))
    orders = [f"slow1x{number}" for number in range(10)]
    assert process.invoke(queue_batch(*orders)) == {"batchItemFailures": []}
    assert service_rig.sandbox.report().max_concurrent_queries == cap
    assert len(service_rig.events()) == len(orders)


@pytest.mark.parametrize("kind", ["sqlite", "redis", "dynamodb"])
def test_fifty_workers_and_the_api_on_one_order_have_one_effect(
    service_rig, request, figures, kind
):
    """Ten processes with five threads each, and one process of the API."""
    stores = configure_stores(service_rig, kind, request.getfixturevalue)
    service_rig.environ["KYCOURIER_MAX_IN_FLIGHT"] = "5"
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    workers = service_rig.start_many("collect_results", 10)
    [api] = service_rig.start_many("orders_api", 1)
    order = "order1"
    service_rig.sandbox.set_order(order, "slow1")
    post = http_event("POST", f"/v1/orders/{order}/collection")
    calls = {each: queue_batch(*[order] * 5) for each in workers} | {api: post}

    with InvariantMonitor(service_rig, stores) as watch:
        *batches, response = call_concurrently(
            lambda each: each.invoke(calls[each]), list(calls)
        )
        assert api.invoke(post)["statusCode"] == 200
    watch.check({order: "collected"}, tokens=1)

    assert batches == [{"batchItemFailures": []}] * len(workers)
    state = json.loads(response["body"])["state"]
    assert (response["statusCode"], state) in [(200, "collected"), (202, "collecting")]
    assert service_rig.sandbox.report().queries_per_order == {order: 1}
    assert watch.deliveries == {"first": 1}
    figures("50 workers and the API on one order", stores.kind, orders=1, messages=51)
