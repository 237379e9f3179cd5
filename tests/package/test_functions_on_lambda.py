"""The four functions of the built packages on the Lambda runtime."""

import json
import time
from contextlib import ExitStack

import pytest

from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import build_http_event
from kycourier_devkit.emulators.running_function import FUNCTIONS
from kycourier_devkit.sandbox import Sandbox
from support.built_packages import PACKAGED
from support.processes.service_rig import (
    EVENT_TIME,
    TIMER_EVENT,
    ServiceRig,
    queue_batch,
)

pytestmark = PACKAGED
LIMIT, MARGIN = 3.0, 0.5
CHANGING = {
    "at", "biz_seq_no", "deadline_at", "due_at", "event_id", "manifest",
    "recognized_at",
    "registered_at", "transaction_time", "updated_at", "uri",
}  # fmt: skip


def call(method, path, body=b""):
    headers = [("Host", "localhost")]
    sent = HttpCall(method=method, path=path, headers=headers, body=body)
    return build_http_event(sent, at=EVENT_TIME)


@pytest.fixture
def local(tmp_path):
    """Return a rig whose functions run from the checkout."""
    (tmp_path / "local").mkdir()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        service_rig = ServiceRig(tmp_path / "local", sandbox, stack)
        service_rig.environ["KYCOURIER_API_AUTH"] = "gateway"
        yield service_rig


def test_results_equal_those_of_the_checkout(lambda_rig, local):
    events = [
        ("refresh_ticket", TIMER_EVENT),
        ("collect_results", queue_batch("order1", "codem9011x1", "../bad")),
        ("collect_results", {"order_no": "order1"}),
        ("collect_results", {"order_no": "codem9011x1"}),
        ("collect_results", {"order_no": "../bad"}),
        ("orders_api", call("PUT", "/v1/orders/order2")),
        ("orders_api", call("PUT", "/v1/orders/order2", b"{not json")),
        ("orders_api", call("GET", "/v1/orders/order1")),
        ("orders_api", call("GET", "/v1/orders/nobody")),
        ("orders_api", call("GET", "/v1/openapi.json")),
        ("orders_api", call("GET", "/elsewhere")),
        ("sweep_orders", TIMER_EVENT),
    ]
    rigs = [
        {name: service_rig.start(name) for name in FUNCTIONS}
        for service_rig in (lambda_rig, local)
    ]
    for name, event in events:
        first, second = (normalize(functions[name].invoke(event)) for functions in rigs)
        assert first == second, name


def normalize(value):
    """Remove what differs at each run from a result."""
    if isinstance(value, dict):
        shown = {key: normalize(each) for key, each in value.items()}
        return {key: each for key, each in shown.items() if key not in CHANGING}
    if isinstance(value, list):
        return [normalize(each) for each in value]
    if isinstance(value, str) and value.startswith("{"):
        return normalize(json.loads(value))
    return value


def test_record_without_time_left_is_returned_without_a_call(lambda_rig):
    process = lambda_rig.start("collect_results")
    returned = process.invoke(queue_batch("order1"), timeout_seconds=0.8)
    assert returned == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    report = lambda_rig.sandbox.report()
    assert (report.token_calls, dict(report.queries_per_order)) == (0, {})
    assert process.invoke(queue_batch("order1")) == {"batchItemFailures": []}


def test_handler_returns_in_time_if_the_platform_is_slow(lambda_rig):
    process = lambda_rig.start("collect_results")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    begun = time.monotonic()
    shown = process.invoke({"order_no": "slow9x1"}, timeout_seconds=LIMIT)
    assert time.monotonic() - begun <= LIMIT - MARGIN
    assert (shown["state"], shown["reason"]) == ("waiting", "transient")
