"""A handler returns before its deadline, whatever does not respond (I9)."""

import fcntl
import json
import sqlite3
import time
from contextlib import closing

import pytest

from kycourier_devkit.errors import FunctionFailedError
from support.aws.aws_proxy import drip_response
from support.aws.clients import aws_environ
from support.aws.services import new_queue
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import TIMER_EVENT, http_event, queue_batch

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
MARGIN = 0.5
ORDER = "/v1/orders/order1"


def invoke_in_time(process, event, *, limit: float):
    """Return a function's response, or its error's code; check the time it took."""
    process.wait_until_ready()
    began = time.monotonic()
    try:
        response = process.invoke(event, timeout_seconds=limit)
    except FunctionFailedError as failed:
        response = failed.code
    assert time.monotonic() - began <= limit - MARGIN
    return response


@pytest.fixture
def collect(service_rig):
    """Start a collector that has already collected an order."""
    process = service_rig.start("collect_results")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    return process


@pytest.mark.parametrize(
    ("limit", "code"),
    [(3.0, "store_unavailable"), (1.5, "out_of_time")],
    ids=["more time than SQLite waits", "less time than SQLite waits"],
)
def test_handlers_return_in_time_while_the_store_is_locked(
    service_rig, collect, limit, code
):
    [api] = service_rig.start_many("orders_api", 1)
    with closing(sqlite3.connect(service_rig.folder / "state.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        returned = invoke_in_time(collect, queue_batch("order2"), limit=3.0)
        response = invoke_in_time(api, http_event("PUT", ORDER), limit=limit)
    assert len(returned["batchItemFailures"]) == 1
    assert (response["statusCode"], response["headers"]["Retry-After"]) == (503, "5")
    assert response["headers"]["Cache-Control"] == "no-store"
    assert json.loads(response["body"])["code"] == code
    assert '"problem":"SQLITE_BUSY"' in service_rig.log.read_text()


def test_handler_returns_in_time_while_the_events_file_is_locked(service_rig, collect):
    with (service_rig.folder / "events.jsonl").open("ab") as events:
        fcntl.flock(events, fcntl.LOCK_EX)
        invoke_in_time(collect, queue_batch("order2"), limit=3.0)
    assert [event["subject"] for event in service_rig.events()] == ["order1"]


@pytest.fixture
def aws_rig(service_rig, request, moto, proxy):
    """Configure the functions for AWS, all of it behind a proxy."""
    configure_stores(service_rig, "dynamodb", request.getfixturevalue)
    service_rig.environ |= aws_environ(proxy.url) | {
        "KYCOURIER_EVENTS": f"sqs://{new_queue(moto)}",
    }
    return service_rig


@pytest.mark.usefixtures("aws_rig")
@pytest.mark.parametrize("name", ["GetItem", "UpdateItem", "PUT", "SendMessageBatch"])
def test_batch_returns_in_time_if_aws_drips(proxy, collect, name):
    proxy.plan(name, *[drip_response] * 20)
    returned = invoke_in_time(collect, queue_batch("order2"), limit=4.0)
    assert returned["batchItemFailures"] in ([], [{"itemIdentifier": "m0"}])


def test_timer_and_api_return_in_time_if_aws_drips(aws_rig, proxy, collect):
    collect.close()
    [refresh] = aws_rig.start_many("refresh_ticket", 1)
    [api] = aws_rig.start_many("orders_api", 1)
    proxy.plan("GetItem", *[drip_response] * 20)
    code = invoke_in_time(refresh, TIMER_EVENT, limit=5.0)
    assert code in {"out_of_time", "store_unavailable"}
    proxy.plan("GetItem", *[drip_response] * 20)
    assert invoke_in_time(api, http_event("GET", ORDER), limit=5.0)["statusCode"] == 503
