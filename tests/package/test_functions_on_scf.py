"""The four functions of the built packages on the SCF runtime."""

import json
import time

from kycourier.adapters.system import SystemClock
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import HEADER, SignedRequest, sign_request
from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.scf_runtime.events import (
    build_ckafka_event,
    build_timer_event,
    build_url_event,
)
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


def test_packages_collect_by_queue_api_and_sweep(scf_rig):
    assert scf_rig.start("refresh_ticket").invoke(TIMER)["generation"] == 1
    event = batch("order1", "../poison", "order2")
    assert scf_rig.start("collect_results").invoke(event) == ALL_ACKNOWLEDGED
    assert scf_rig.count_log_events()["message_unprocessable"] == 1

    api = scf_rig.start("orders_api")
    assert api.invoke(call("PUT", "/v1/orders/api1", signed=False))["statusCode"] == 401
    collected = api.invoke(call("POST", "/v1/orders/api1/collection"))
    assert collected["statusCode"] == 200
    assert api.invoke(call("PUT", "/v1/orders/forgotten1"))["statusCode"] == 201

    sweep = scf_rig.start("sweep_orders")
    while not sweep.invoke(TIMER)["due"]:
        time.sleep(0.05)
    found = sorted(event["subject"] for event in scf_rig.events())
    assert found == ["api1", "forgotten1", "order1", "order2"]
    report = scf_rig.sandbox.report()
    assert (report.token_calls, report.sign_rejections) == (1, 0)


def test_order_without_time_left_is_due_for_the_sweep(scf_rig):
    collect = scf_rig.start("collect_results")
    assert collect.invoke(batch("order1"), timeout_seconds=1.5) == ALL_ACKNOWLEDGED
    assert (scf_rig.sandbox.report().token_calls, scf_rig.events()) == (0, [])
    assert scf_rig.start("sweep_orders").invoke(TIMER)["due"] == 1
    assert [event["subject"] for event in scf_rig.events()] == ["order1"]


def test_start_compiles_nothing_and_every_library_loads(scf_rig, scf_deployment):
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
        compiled = scf_rig.start("probe").invoke({})
    finally:
        probe.unlink()
    assert [path for path in compiled if not path.endswith("/probe.py")] == []
