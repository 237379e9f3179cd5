"""The four functions of the built packages on the SCF runtime."""

import json
import time
from urllib.parse import urlsplit

import pytest

from kycourier.adapters.system import SystemClock
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import HEADER, SignedRequest, sign_request
from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.running_function import FUNCTIONS
from kycourier_devkit.emulators.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)
from kycourier_devkit.errors import FunctionStartError
from support.built_packages import PACKAGED
from support.leaks.canaries import API_KEY
from support.processes.service_rig import EVENT_TIME

pytestmark = PACKAGED
TIMER = build_timer_event("timer", at=EVENT_TIME)
ALL_ACKNOWLEDGED = {"batchItemFailures": []}
LIBRARIES = {
    "hiredis", "obstore", "requests", "tencentcloud.common.common_client",
}  # fmt: skip


def batch(*orders):
    return build_ckafka_event([json.dumps({"order_no": order}) for order in orders])


def call(method, path, *, signed=True):
    request = SignedRequest(method=method, path=path)
    at = SystemClock().now()
    sent = sign_request(request, key=Secret(API_KEY), at=at)
    headers = [(HEADER, sent)] if signed else []
    return build_url_event(HttpCall(method=method, path=path, headers=headers))


def sweep_until_due(sweep):
    """Fire the timer until an order is due; returns how many are."""
    while not (due := sweep.invoke(TIMER)["due"]):
        time.sleep(0.05)
    return due


def test_packages_collect_by_queue_api_and_sweep(scf):
    assert scf.start("refresh_ticket").invoke(TIMER)["generation"] == 1
    orders = [f"order{number}" for number in range(9)]
    event = batch(*orders[:4], "../poison", *orders[4:])
    assert scf.start("collect_results").invoke(event) == ALL_ACKNOWLEDGED
    assert {event["subject"] for event in scf.events()} == set(orders)
    assert scf.count_log_events()["message_unprocessable"] == 1

    api = scf.start("orders_api")
    assert api.invoke(call("PUT", "/v1/orders/api1", signed=False))["statusCode"] == 401
    assert api.invoke(call("PUT", "/v1/orders/api1"))["statusCode"] == 201
    collected = api.invoke(call("POST", "/v1/orders/api1/collection"))
    assert collected["statusCode"] == 200
    assert collected["isBase64Encoded"] is False
    shown = json.loads(collected["body"])
    assert shown["state"] == "collected"
    photo = urlsplit(shown["result"]["photos"][0]["uri"])
    assert photo.scheme == "file"
    assert api.invoke(call("PUT", "/v1/orders/forgotten1"))["statusCode"] == 201

    assert sweep_until_due(scf.start("sweep_orders")) == 1
    ended = api.invoke(call("GET", "/v1/orders/forgotten1"))
    assert json.loads(ended["body"])["state"] == "collected"
    report = scf.sandbox.report()
    assert (report.token_calls, report.sign_rejections) == (1, 0)
    assert len(scf.events()) == 11


def test_log_events_have_their_request_id_and_no_secret(scf):
    scf.start("collect_results").invoke(batch("order1", "killticketx1", "../bad"))
    lines = [json.loads(line) for line in scf.log.read_text().splitlines()]
    facts = [line for line in lines if "_aws" not in line]
    assert "order_settled" in {fact["message"] for fact in facts}
    assert len({fact["request_id"] for fact in facts}) == 1
    for canary in scf.sandbox.canaries():
        assert canary not in scf.log.read_text()


def test_order_without_time_left_is_due_for_the_sweep(scf):
    collect = scf.start("collect_results")
    assert collect.invoke(batch("order1"), timeout_seconds=1.5) == ALL_ACKNOWLEDGED
    assert (scf.sandbox.report().token_calls, scf.events()) == (0, [])
    assert scf.start("sweep_orders").invoke(TIMER)["due"] == 1
    assert [event["subject"] for event in scf.events()] == ["order1"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_start_fails_with_the_name_of_an_invalid_setting(scf, name):
    with pytest.raises(FunctionStartError, match=r"^KYCOURIER_STATE: ") as failed:
        scf.start(name, KYCOURIER_STATE="sqlite:relative").wait_until_ready()
    assert failed.value.is_setting


@pytest.mark.parametrize("auth", ["none", "gateway"])
def test_api_without_authentication_does_not_start(scf, auth):
    api = scf.start("orders_api", KYCOURIER_API_AUTH=auth)
    with pytest.raises(FunctionStartError, match=r"^KYCOURIER_API_AUTH: "):
        api.wait_until_ready()


def test_start_compiles_nothing_and_every_library_loads(scf, scf_deployment):
    text = f"""
import importlib, importlib.machinery as machinery
compiled = []
compile_source = machinery.SourceFileLoader.source_to_code
def record(self, data, path, **options):
    compiled.append(str(path))
    return compile_source(self, data, path, **options)
machinery.SourceFileLoader.source_to_code = record
import collect_results
for name in {sorted(LIBRARIES)!r}:
    importlib.import_module(name)
def handler(event, context):
    return compiled
"""
    probe = scf_deployment.user / "probe.py"
    probe.write_text(text)
    try:
        compiled = scf.start("probe").invoke({})
    finally:
        probe.unlink()
    assert [path for path in compiled if not path.endswith("/probe.py")] == []
