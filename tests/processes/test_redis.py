"""The real functions with their state, and somebody else's ticket, in a real Redis."""

import json

import pytest

from houses import AT, TIMER, at_once, batch
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier_devkit.errors import FunctionNotStarted
from kycourier_devkit.functions.trigger_events import HttpCall, build_http_event
from kycourier_devkit.sandbox import APP_ID
from kycourier_devkit.stand_ins.servers import find_free_port
from redis_bench import empty, look_into
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
CANARY = "Canary0Password0Not0Real"


@pytest.fixture
def state(house, redis_url):
    house.environ["KYCOURIER_STATE"] = empty(redis_url)
    return look_into(redis_url)


def test_four_processes_on_one_order_have_one_effect(house, state):
    processes = house.start_many("collect_results", 4)

    answers = at_once(lambda process: process.invoke(batch("order1")), processes)

    assert answers == [{"batchItemFailures": []}] * len(processes)
    report = house.sandbox.report()
    assert report.queries_per_order == {"order1": 1}
    assert (report.token_calls, report.overlaps) == (1, 0)
    [event] = house.events()
    shown = at_once(lambda process: process.invoke({"order_no": "order1"}), processes)
    assert {order["event_id"] for order in shown} == {event["id"]}
    assert len(state.keys("*:order:order1")) == 1


def test_sweep_finds_what_another_function_registered(house, state):
    house.environ["KYCOURIER_FIRST_SWEEP_SECONDS"] = "0"
    api, sweep = house.start("orders_api"), house.start("sweep_orders")
    call = HttpCall(method="PUT", path="/v1/orders/order1")
    assert api.invoke(build_http_event(call, at=AT))["statusCode"] == 201
    assert state.keys("*:due")

    sweep.invoke(TIMER)

    assert [event["subject"] for event in house.events()] == ["order1"]
    assert not state.keys("*:due")


def test_ticket_that_somebody_else_keeps_in_a_key_signs_and_is_read_again(
    house, state, redis_url
):
    """The keeper is another service, which puts each ticket it buys into the key."""
    state.set("theirs", json.dumps({"ticket": buy_ticket(house, "first")}))
    process = house.start(
        "collect_results",
        KYCOURIER_TICKET=f"{redis_url}#theirs",
        KYCOURIER_APP_SECRET="",
    )
    assert process.invoke({"order_no": "order1"})["state"] == "collected"

    house.sandbox.kill_ticket()
    assert process.invoke({"order_no": "order2"})["reason"] == "credentials"
    state.set("theirs", buy_ticket(house, "second"))

    assert process.invoke({"order_no": "order3"})["state"] == "collected"
    assert house.sandbox.report().token_calls == len(["first", "second"])
    assert not state.keys("*:ticket")


def buy_ticket(house, name: str) -> str:
    path = house.folder / f"{name}.db"
    keeper = house.start("refresh_ticket", KYCOURIER_STATE=f"sqlite:///{path}")
    keeper.invoke(TIMER)
    return SqliteTicketStore(path).load(APP_ID).ticket.reveal()


def test_redis_that_cannot_be_reached_stops_the_start_without_its_password(house):
    url = f"redis://:{CANARY}@127.0.0.1:{find_free_port()}"

    with pytest.raises(FunctionNotStarted) as refused:
        house.start("collect_results", KYCOURIER_STATE=url).wait_until_ready()

    assert str(refused.value) == "KYCOURIER_STATE: cannot be used: unreachable"
    assert CANARY not in house.log.read_text()
