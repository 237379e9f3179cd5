"""The real functions with their state and a foreign ticket in a real Redis."""

import json

import pytest

from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import build_http_event
from kycourier_devkit.emulators.servers import find_free_port
from kycourier_devkit.errors import FunctionStartError
from support.processes.service_rig import EVENT_TIME, TIMER_EVENT
from support.rigs.redis_rig import flush, raw_client
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
CANARY = "Canary0Password0Not0Real"


@pytest.fixture
def state(service_rig, redis_url):
    service_rig.environ["KYCOURIER_STATE"] = flush(redis_url)
    return raw_client(redis_url)


def test_sweep_collects_an_order_that_the_api_registered(service_rig, state):
    service_rig.environ["KYCOURIER_FIRST_SWEEP_SECONDS"] = "0"
    api, sweep = service_rig.start("orders_api"), service_rig.start("sweep_orders")
    call = HttpCall(method="PUT", path="/v1/orders/order1")
    assert api.invoke(build_http_event(call, at=EVENT_TIME))["statusCode"] == 201
    assert state.keys("*:due")

    sweep.invoke(TIMER_EVENT)

    assert [event["subject"] for event in service_rig.events()] == ["order1"]
    assert not state.keys("*:due")


def test_foreign_ticket_in_a_redis_key_is_read_again_after_it_is_refused(
    service_rig, state, redis_url, issue_foreign_ticket
):
    state.set("foreign", json.dumps({"ticket": issue_foreign_ticket("first")}))
    process = service_rig.start(
        "collect_results",
        KYCOURIER_TICKET=f"{redis_url}#foreign",
        KYCOURIER_APP_SECRET="",
    )
    assert process.invoke({"order_no": "order1"})["state"] == "collected"

    service_rig.sandbox.kill_ticket()
    assert process.invoke({"order_no": "order2"})["reason"] == "credentials"
    state.set("foreign", issue_foreign_ticket("second"))

    assert process.invoke({"order_no": "order3"})["state"] == "collected"
    assert service_rig.sandbox.report().token_calls == 2  # of the foreign service
    assert not state.keys("*:ticket")


def test_unreachable_redis_fails_the_start_without_its_password(service_rig):
    url = f"redis://:{CANARY}@127.0.0.1:{find_free_port()}"

    with pytest.raises(FunctionStartError) as refused:
        service_rig.start("collect_results", KYCOURIER_STATE=url).wait_until_ready()

    assert str(refused.value) == "KYCOURIER_STATE: cannot be used: unreachable"
    assert CANARY not in service_rig.log.read_text()
