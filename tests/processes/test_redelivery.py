"""Thousands of redelivered messages, and many workers on one order."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import build_http_event
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import (
    EVENT_TIME,
    TIMER_EVENT,
    call_concurrently,
    queue_batch,
)
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
BATCH = 10


@pytest.mark.parametrize(
    ("kind", "messages"), [("sqlite", 10_000), ("redis", 10_000), ("dynalite", 1_000)]
)
def test_thousands_of_redriven_messages_cost_one_query_per_order(
    service_rig, request, seed, figures, kind, messages
):
    draw = random.Random(f"{seed}/{kind}")  # noqa: S311 - repeatable on purpose
    stores = configure_stores(service_rig, kind, request.getfixturevalue)
    orders = {f"order{at}": "collected" for at in range(270)}
    orders |= {f"codem9011x{at}": "rejected" for at in range(30)}
    deliveries = [*orders, *draw.choices(list(orders), k=messages - len(orders))]
    draw.shuffle(deliveries)
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    workers = service_rig.start_many("collect_results", 3)
    batches = iter([deliveries[at : at + BATCH] for at in range(0, messages, BATCH)])

    def deliver(process) -> Counter:
        counts = Counter()
        for each in batches:
            response = process.invoke(queue_batch(*each))
            counts["returned"] += len(response["batchItemFailures"])
            counts["delivered"] += len(each)
        return counts

    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(3) as pool:
        counts = sum(pool.map(deliver, workers), Counter())
    watch.check(orders, tokens=1)
    assert counts == {"delivered": messages}
    assert service_rig.sandbox.report().queries_per_order == dict.fromkeys(orders, 1)
    assert watch.deliveries == {"first": len(orders)}
    figures("redriven messages", stores.kind, orders=len(orders), messages=messages)


@pytest.mark.parametrize("kind", ["sqlite", "redis", "dynamodb"])
def test_fifty_workers_and_the_api_on_one_order_have_one_effect(
    service_rig, request, figures, kind
):
    """Ten processes with five threads each, and one process of the API."""
    stores = configure_stores(service_rig, kind, request.getfixturevalue)
    service_rig.environ["KYCOURIER_MAX_IN_FLIGHT"] = "5"
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    workers = service_rig.start_many("collect_results", 10)
    api = service_rig.start("orders_api")
    api.wait_until_ready()
    order = "order1"
    service_rig.sandbox.set_order(order, "slow1")
    call = HttpCall(method="POST", path=f"/v1/orders/{order}/collection")
    post = build_http_event(call, at=EVENT_TIME)
    calls = {each: queue_batch(*[order] * 5) for each in workers} | {api: post}

    with InvariantMonitor(service_rig, stores) as watch:
        *batches, response = call_concurrently(
            lambda each: each.invoke(calls[each]), list(calls)
        )
        assert api.invoke(post)["statusCode"] == 200
    watch.check({order: "collected"}, tokens=1)

    assert batches == [{"batchItemFailures": []}] * len(workers)
    assert response["statusCode"] in (200, 202)
    state = json.loads(response["body"])["state"]
    assert state == ("collected" if response["statusCode"] == 200 else "collecting")
    assert service_rig.sandbox.report().queries_per_order == {order: 1}
    assert watch.deliveries == {"first": 1}
    figures("50 workers and the API on one order", stores.kind, orders=1, messages=51)
