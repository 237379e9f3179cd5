"""The four functions from the packages, cold, under Lambda's own client."""

import json
import time
from contextlib import ExitStack

import pytest

from built import PACKAGED
from houses import AT, TIMER, House, batch
from kycourier_devkit.errors import FunctionFailed, FunctionNotStarted
from kycourier_devkit.functions.process import FUNCTIONS
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.sandbox import Sandbox

pytestmark = PACKAGED
LIMIT, MARGIN = 3.0, 0.5
CHANGING = {
    "biz_seq_no", "deadline_at", "due_at", "event_id", "manifest", "recognized_at",
    "registered_at", "transaction_time", "updated_at", "uri",
}  # fmt: skip


def call(method, path, body=b""):
    call = HttpCall(
        method=method, path=path, headers=[("Host", "localhost")], body=body
    )
    return build_http_event(call, at=AT)


@pytest.fixture
def plain(tmp_path):
    """Give a house like the other's, its functions run plainly, from the checkout."""
    (tmp_path / "plain").mkdir()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        house = House(tmp_path / "plain", sandbox, stack)
        house.environ["KYCOURIER_API_AUTH"] = "gateway"
        yield house


def test_the_whole_flow_runs_from_the_packages(aws):
    assert aws.start("refresh_ticket").invoke(TIMER)["generation"] == 1
    orders = [f"order{number}" for number in range(9)]
    event = batch(*orders[:4], "../poison", *orders[4:])
    returned = aws.start("collect_results").invoke(event)
    assert returned == {"batchItemFailures": [{"itemIdentifier": "m4"}]}
    assert {event["subject"] for event in aws.events()} == set(orders)

    api = aws.start("orders_api")
    assert api.invoke(call("PUT", "/v1/orders/api1"))["statusCode"] == 201
    collected = api.invoke(call("POST", "/v1/orders/api1/collection"))
    assert collected["statusCode"] == 200
    assert json.loads(collected["body"])["state"] == "collected"
    assert api.invoke(call("PUT", "/v1/orders/forgotten1"))["statusCode"] == 201

    time.sleep(1.1)  # until the first sweep may ask for it
    assert aws.start("sweep_orders").invoke(TIMER)["due"] == 1
    ended = api.invoke(call("GET", "/v1/orders/forgotten1"))
    assert json.loads(ended["body"])["state"] == "collected"
    report = aws.sandbox.report()
    assert (report.token_calls, report.sign_rejections) == (1, 0)
    assert len(aws.events()) == 11


def test_log_lines_are_json_and_hold_no_secret(aws):
    aws.start("collect_results").invoke(batch("order1", "killticketx1", "../bad"))
    text = aws.log.read_text()
    facts = [json.loads(line) for line in text.splitlines()]
    assert "order_settled" in {fact.get("message") for fact in facts}
    assert any("_aws" in fact for fact in facts)
    for canary in aws.sandbox.canaries():
        assert canary not in text


def test_answers_are_those_of_the_plain_functions(aws, plain):
    """The same events, one after another, to both: the same answers."""
    events = [
        ("refresh_ticket", TIMER),
        ("collect_results", batch("order1", "codem9011x1", "../bad")),
        ("collect_results", {"order_no": "order1"}),
        ("collect_results", {"order_no": "codem9011x1"}),
        ("collect_results", {"order_no": "../bad"}),
        ("orders_api", call("PUT", "/v1/orders/order2")),
        ("orders_api", call("PUT", "/v1/orders/order2", b"{not json")),
        ("orders_api", call("GET", "/v1/orders/order1")),
        ("orders_api", call("GET", "/v1/orders/nobody")),
        ("orders_api", call("GET", "/v1/openapi.json")),
        ("orders_api", call("GET", "/elsewhere")),
        ("sweep_orders", TIMER),
    ]
    houses = [{name: house.start(name) for name in FUNCTIONS} for house in (aws, plain)]
    for name, event in events:
        first, second = (settle(functions[name].invoke(event)) for functions in houses)
        assert first == second, name


def settle(value):
    """Take out of an answer what differs from run to run."""
    if isinstance(value, dict):
        shown = {key: settle(each) for key, each in value.items()}
        return {key: each for key, each in shown.items() if key not in CHANGING}
    if isinstance(value, list):
        return [settle(each) for each in value]
    if isinstance(value, str) and value.startswith("{"):
        return settle(json.loads(value))
    return value


def test_a_failing_handler_fails_with_the_same_code_on_both(aws, plain):
    codes = []
    for house in (aws, plain):
        function = house.start("collect_results")
        with pytest.raises(FunctionFailed) as failed:
            function.invoke({"order_no": "collectedx1"}, timeout_seconds=1)
        codes.append(failed.value.code)
    assert codes[0] == codes[1] != ""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_setting_stops_the_start_with_its_name(aws, name):
    with pytest.raises(FunctionNotStarted, match=r"^KYCOURIER_STATE: ") as failed:
        aws.start(name, KYCOURIER_STATE="sqlite:relative").wait_until_ready()
    assert failed.value.is_setting
    aws.environ.pop("KYCOURIER_APP_ID")
    with pytest.raises(FunctionNotStarted, match=r"^KYCOURIER_APP_ID: is not set$"):
        aws.start(name).wait_until_ready()


def test_an_api_open_to_everybody_does_not_start_on_lambda(aws):
    api = aws.start("orders_api", KYCOURIER_API_AUTH="none")
    with pytest.raises(FunctionNotStarted, match=r"^KYCOURIER_API_AUTH: 'none' is for"):
        api.wait_until_ready()


def test_a_record_that_comes_too_late_is_returned_without_a_call(aws):
    process = aws.start("collect_results")
    returned = process.invoke(batch("order1"), timeout_seconds=0.8)
    assert returned == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    report = aws.sandbox.report()
    assert (report.token_calls, dict(report.queries_per_order)) == (0, {})
    assert process.invoke(batch("order1")) == {"batchItemFailures": []}


def test_a_slow_platform_does_not_make_a_handler_late(aws):
    process = aws.start("collect_results")
    assert process.invoke({"order_no": "order1"})["state"] == "collected"
    begun = time.monotonic()
    shown = process.invoke({"order_no": "slow9x1"}, timeout_seconds=LIMIT)
    assert time.monotonic() - begun <= LIMIT - MARGIN
    assert (shown["state"], shown["reason"]) == ("waiting", "transient")
