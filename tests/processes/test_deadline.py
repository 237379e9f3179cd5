"""A handler returns before the platform ends it, whatever does not answer."""

import fcntl
import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from aws.access import aws_environ
from aws.edges import new_queue
from aws.proxy import dripping
from fleet import wait_until
from houses import AT, TIMER, batch
from kycourier_devkit.errors import FunctionFailed
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from outside import furnish

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT, MARGIN = 3.0, 0.5


def took(work):
    begun = time.monotonic()
    answer = work()
    return answer, time.monotonic() - begun


def test_a_locked_store_does_not_make_a_handler_late(house):
    collect, api = house.start("collect_results"), house.start("orders_api")
    for process in (collect, api):
        process.wait_until_ready()
    put = build_http_event(HttpCall(method="PUT", path="/v1/orders/order1"), at=AT)
    with closing(sqlite3.connect(house.folder / "state.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        returned, seconds = took(
            lambda: collect.invoke(batch("order1"), timeout_seconds=LIMIT)
        )
        assert len(returned["batchItemFailures"]) == 1
        assert seconds <= LIMIT - MARGIN
        answer, seconds = took(lambda: api.invoke(put, timeout_seconds=LIMIT))
        assert answer["statusCode"] == 503
        assert json.loads(answer["body"])["code"] == "store_unavailable"  # given up
        assert seconds <= LIMIT - MARGIN


def test_a_caller_of_the_api_is_answered_also_when_its_store_hangs(house):
    api = house.start("orders_api")
    api.wait_until_ready()
    put = build_http_event(HttpCall(method="PUT", path="/v1/orders/order1"), at=AT)
    with closing(sqlite3.connect(house.folder / "state.db")) as other:
        other.execute("BEGIN IMMEDIATE")  # waited for longer than there is time
        answer, seconds = took(lambda: api.invoke(put, timeout_seconds=1.5))
    assert seconds <= 1.5 - MARGIN
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "5")
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert json.loads(answer["body"])["code"] == "out_of_time"


def test_a_slow_platform_does_not_make_a_handler_late(house):
    process = house.start("collect_results")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    shown, seconds = took(
        lambda: process.invoke({"order_no": "slow9x1"}, timeout_seconds=LIMIT)
    )
    assert (shown["state"], shown["reason"]) == ("waiting", "transient")
    assert seconds <= LIMIT - MARGIN


def test_a_store_that_locks_between_claim_and_commit_does_not_make_it_late(house):
    collect = house.start("collect_results")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    house.sandbox.set_order("order2", "slow1")
    with (
        ThreadPoolExecutor(1) as pool,
        closing(sqlite3.connect(house.folder / "state.db")) as other,
    ):
        ended = pool.submit(
            took, lambda: collect.invoke(batch("order2"), timeout_seconds=LIMIT)
        )
        asked = house.sandbox.report
        wait_until(
            lambda: "order2" in asked().queries_per_order, seconds=20, what="ask"
        )
        other.execute("BEGIN IMMEDIATE")
        returned, seconds = ended.result()
    assert len(returned["batchItemFailures"]) == 1
    assert seconds <= LIMIT - MARGIN


def test_an_events_file_that_somebody_locks_does_not_make_a_handler_late(house):
    collect, sweep = house.start("collect_results"), house.start("sweep_orders")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    with (house.folder / "events.jsonl").open("ab") as events:
        fcntl.flock(events, fcntl.LOCK_EX)
        _, seconds = took(
            lambda: collect.invoke(batch("order2"), timeout_seconds=LIMIT)
        )
        assert seconds <= LIMIT - MARGIN

    def is_sent() -> bool:
        sweep.invoke(TIMER)
        return [event["subject"] for event in house.events()] == ["order1", "order2"]

    wait_until(is_sent, seconds=20, what="it is sent")


@pytest.fixture
def cloud(house, request, moto, proxy):
    """Give a house on AWS, all of it behind the proxy."""
    furnish(house, "dynamodb", request.getfixturevalue)
    house.environ |= aws_environ(proxy.url) | {
        "AWS_ENDPOINT_URL_DYNAMODB": proxy.url,
        "KYCOURIER_EVENTS": f"sqs://{new_queue(moto)}",
    }
    return house


@pytest.mark.parametrize("name", ["GetItem", "UpdateItem", "PUT", "SendMessageBatch"])
def test_an_aws_that_drips_does_not_make_a_batch_late(cloud, proxy, name):
    collect = cloud.start("collect_results")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    proxy.plan(name, *[dripping] * 20)
    returned, seconds = took(
        lambda: collect.invoke(batch("order2"), timeout_seconds=LIMIT + 1)
    )
    assert seconds <= LIMIT + 1 - MARGIN
    assert returned["batchItemFailures"] in ([], [{"itemIdentifier": "m0"}])


def test_an_aws_that_drips_does_not_make_a_timer_or_the_api_late(cloud, proxy):
    collect = cloud.start("collect_results")
    assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    refresh, api = cloud.start("refresh_ticket"), cloud.start("orders_api")
    get = build_http_event(HttpCall(method="GET", path="/v1/orders/order1"), at=AT)
    for process, event in ((refresh, TIMER), (api, get)):
        process.wait_until_ready()
        proxy.plan("GetItem", *[dripping] * 20)
        begun = time.monotonic()
        if process is refresh:
            with pytest.raises(FunctionFailed, match=r"out_of_time|store_unavailable"):
                process.invoke(event, timeout_seconds=LIMIT + 2)
        else:
            answer = process.invoke(event, timeout_seconds=LIMIT + 2)
            assert answer["statusCode"] == 503
        assert time.monotonic() - begun <= LIMIT + 2 - MARGIN
        proxy.forget()
