"""The four functions from SCF's packages, cold, in its layout and on its Python."""

import json
import time
from urllib.parse import urlsplit

import pytest

from built import PACKAGED
from canaries import API_KEY
from houses import AT
from kycourier.adapters.system import SystemClock
from kycourier.core.hidden import Secret
from kycourier.core.request_signature import HEADER, SignedRequest, sign_request
from kycourier_devkit.errors import FunctionNotStarted
from kycourier_devkit.functions.process import FUNCTIONS
from kycourier_devkit.functions.trigger_events import HttpCall
from kycourier_devkit.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)

pytestmark = PACKAGED
TIMER = build_timer_event("timer", at=AT)
ALL_TAKEN = {"batchItemFailures": []}
NEEDED = {
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


def test_the_whole_flow_runs_from_the_packages(scf):
    assert scf.start("refresh_ticket").invoke(TIMER)["generation"] == 1
    orders = [f"order{number}" for number in range(9)]
    event = batch(*orders[:4], "../poison", *orders[4:])
    assert scf.start("collect_results").invoke(event) == ALL_TAKEN
    assert {event["subject"] for event in scf.events()} == set(orders)
    assert scf.facts()["message_unusable"] == 1

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

    time.sleep(1.1)  # until the first sweep may ask for it
    assert scf.start("sweep_orders").invoke(TIMER)["due"] == 1
    ended = api.invoke(call("GET", "/v1/orders/forgotten1"))
    assert json.loads(ended["body"])["state"] == "collected"
    report = scf.sandbox.report()
    assert (report.token_calls, report.sign_rejections) == (1, 0)
    assert len(scf.events()) == 11


def test_each_line_names_its_invocation_and_holds_no_secret(scf):
    scf.start("collect_results").invoke(batch("order1", "killticketx1", "../bad"))
    lines = [json.loads(line) for line in scf.log.read_text().splitlines()]
    facts = [line for line in lines if "_aws" not in line]
    assert "order_settled" in {fact["message"] for fact in facts}
    assert len({fact["request_id"] for fact in facts}) == 1
    for canary in scf.sandbox.canaries():
        assert canary not in scf.log.read_text()


def test_what_there_is_no_time_for_is_due_in_its_row(scf):
    collect = scf.start("collect_results")
    assert collect.invoke(batch("order1"), timeout_seconds=1.5) == ALL_TAKEN
    assert (scf.sandbox.report().token_calls, scf.events()) == (0, [])
    assert scf.start("sweep_orders").invoke(TIMER)["due"] == 1
    assert [event["subject"] for event in scf.events()] == ["order1"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_setting_stops_the_start_with_its_name(scf, name):
    with pytest.raises(FunctionNotStarted, match=r"^KYCOURIER_STATE: ") as failed:
        scf.start(name, KYCOURIER_STATE="sqlite:relative").wait_until_ready()
    assert failed.value.is_setting


@pytest.mark.parametrize("auth", ["none", "gateway"])
def test_an_api_open_to_everybody_does_not_start_on_scf(scf, auth):
    api = scf.start("orders_api", KYCOURIER_API_AUTH=auth)
    with pytest.raises(FunctionNotStarted, match=r"^KYCOURIER_API_AUTH: "):
        api.wait_until_ready()


def test_a_start_compiles_nothing_and_each_library_loads(scf, scf_deployment):
    """Every module of bytecode that SCF's Python takes; none is for another one."""
    text = f"""
import importlib, importlib.machinery as machinery
compiled = []
compile_source = machinery.SourceFileLoader.source_to_code
def note(self, data, path, **options):
    compiled.append(str(path))
    return compile_source(self, data, path, **options)
machinery.SourceFileLoader.source_to_code = note
import collect_results
for name in {sorted(NEEDED)!r}:
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
