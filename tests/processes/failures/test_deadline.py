"""A handler returns before its deadline, whatever does not respond (I9)."""

import fcntl
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import build_http_event
from kycourier_devkit.errors import FunctionFailedError
from support.aws.aws_proxy import drip_response
from support.aws.clients import aws_environ
from support.aws.services import new_queue
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import EVENT_TIME, TIMER_EVENT, queue_batch
from support.processes.worker_fleet import wait_until

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT, MARGIN = 3.0, 0.5


def timed(call):
    began = time.monotonic()
    response = call()
    return response, time.monotonic() - began


def test_handlers_return_in_time_while_the_store_is_locked(service_rig):
    collect, api = service_rig.start("collect_results"), service_rig.start("orders_api")
    for process in (collect, api):
        process.wait_until_ready()
    put = build_http_event(
        HttpCall(method="PUT", path="/v1/orders/order1"), at=EVENT_TIME
    )
    with closing(sqlite3.connect(service_rig.folder / "state.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        returned, seconds = timed(
            lambda: collect.invoke(queue_batch("order1"), timeout_seconds=LIMIT)
        )
        assert len(returned["batchItemFailures"]) == 1
        assert seconds <= LIMIT - MARGIN
        response, seconds = timed(lambda: api.invoke(put, timeout_seconds=LIMIT))
        assert response["statusCode"] == 503
        assert json.loads(response["body"])["code"] == "store_unavailable"
        assert seconds <= LIMIT - MARGIN


def test_api_responds_in_time_while_its_store_hangs(service_rig):
    api = service_rig.start("orders_api")
    api.wait_until_ready()
    put = build_http_event(
        HttpCall(method="PUT", path="/v1/orders/order1"), at=EVENT_TIME
    )
    with closing(sqlite3.connect(service_rig.folder / "state.db")) as other:
        other.execute("BEGIN IMMEDIATE")  # the wait for it is longer than the time left
        response, seconds = timed(lambda: api.invoke(put, timeout_seconds=1.5))
    assert seconds <= 1.5 - MARGIN
    assert (response["statusCode"], response["headers"]["Retry-After"]) == (503, "5")
    assert response["headers"]["Cache-Control"] == "no-store"
    assert json.loads(response["body"])["code"] == "out_of_time"


def test_handler_returns_in_time_if_the_platform_is_slow(service_rig):
    process = service_rig.start("collect_results")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    result, seconds = timed(
        lambda: process.invoke({"order_no": "slow9x1"}, timeout_seconds=LIMIT)
    )
    assert (result["state"], result["reason"]) == ("waiting", "transient")
    assert seconds <= LIMIT - MARGIN


def test_handler_returns_in_time_if_the_store_is_locked_before_the_commit(service_rig):
    collect = service_rig.start("collect_results")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    service_rig.sandbox.set_order("order2", "slow1")
    with (
        ThreadPoolExecutor(1) as pool,
        closing(sqlite3.connect(service_rig.folder / "state.db")) as other,
    ):
        call = pool.submit(
            timed, lambda: collect.invoke(queue_batch("order2"), timeout_seconds=LIMIT)
        )
        report = service_rig.sandbox.report
        wait_until(
            lambda: "order2" in report().queries_per_order, seconds=20, what="a query"
        )
        other.execute("BEGIN IMMEDIATE")
        returned, seconds = call.result()
    assert len(returned["batchItemFailures"]) == 1
    assert seconds <= LIMIT - MARGIN


def test_handler_returns_in_time_while_the_events_file_is_locked(service_rig):
    collect, sweep = (
        service_rig.start("collect_results"),
        service_rig.start("sweep_orders"),
    )
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    with (service_rig.folder / "events.jsonl").open("ab") as events:
        fcntl.flock(events, fcntl.LOCK_EX)
        _, seconds = timed(
            lambda: collect.invoke(queue_batch("order2"), timeout_seconds=LIMIT)
        )
        assert seconds <= LIMIT - MARGIN

    def is_sent() -> bool:
        sweep.invoke(TIMER_EVENT)
        return [event["subject"] for event in service_rig.events()] == [
            "order1",
            "order2",
        ]

    wait_until(is_sent, seconds=20, what="its event")


@pytest.fixture
def aws_rig(service_rig, request, moto, proxy):
    """Configure the functions for AWS, all of it behind a proxy."""
    configure_stores(service_rig, "dynamodb", request.getfixturevalue)
    service_rig.environ |= aws_environ(proxy.url) | {
        "AWS_ENDPOINT_URL_DYNAMODB": proxy.url,
        "KYCOURIER_EVENTS": f"sqs://{new_queue(moto)}",
    }
    return service_rig


@pytest.mark.parametrize("name", ["GetItem", "UpdateItem", "PUT", "SendMessageBatch"])
def test_batch_returns_in_time_if_aws_drips(aws_rig, proxy, name):
    collect = aws_rig.start("collect_results")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    proxy.plan(name, *[drip_response] * 20)
    returned, seconds = timed(
        lambda: collect.invoke(queue_batch("order2"), timeout_seconds=LIMIT + 1)
    )
    assert seconds <= LIMIT + 1 - MARGIN
    assert returned["batchItemFailures"] in ([], [{"itemIdentifier": "m0"}])


def test_timer_and_api_return_in_time_if_aws_drips(aws_rig, proxy):
    collect = aws_rig.start("collect_results")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    refresh, api = aws_rig.start("refresh_ticket"), aws_rig.start("orders_api")
    get = build_http_event(
        HttpCall(method="GET", path="/v1/orders/order1"), at=EVENT_TIME
    )
    for process, event in ((refresh, TIMER_EVENT), (api, get)):
        process.wait_until_ready()
        proxy.plan("GetItem", *[drip_response] * 20)
        began = time.monotonic()
        if process is refresh:
            with pytest.raises(
                FunctionFailedError, match=r"out_of_time|store_unavailable"
            ):
                process.invoke(event, timeout_seconds=LIMIT + 2)
        else:
            response = process.invoke(event, timeout_seconds=LIMIT + 2)
            assert response["statusCode"] == 503
        assert time.monotonic() - began <= LIMIT + 2 - MARGIN
        proxy.reset()
