"""Batches without time, with an unprocessable record, or whose process dies."""

import json
from contextlib import ExitStack

import pytest

from kycourier.adapters.system import SystemClock
from kycourier_devkit.emulators.lambda_runtime.events import Message, build_queue_event
from kycourier_devkit.errors import FunctionExitedError
from support.processes.service_rig import (
    EVENT_TIME,
    TIMER_EVENT,
    ServiceRig,
    queue_batch,
)
from support.processes.worker_fleet import wait_until
from transport_faults.faults import Fault
from transport_faults.platform import FaultyPlatform

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
ORDERS = [f"order{number}" for number in range(10)]


def test_batch_with_800_ms_left_is_returned_without_a_call(service_rig):
    process = service_rig.start("collect_results")
    process.wait_until_ready()
    event = queue_batch(*ORDERS)
    response = process.invoke(event, timeout_seconds=0.8)
    names = [record["messageId"] for record in event["Records"]]
    assert [each["itemIdentifier"] for each in response["batchItemFailures"]] == names
    report = service_rig.sandbox.report()
    assert report.connections_opened <= 1  # one connection is opened ahead
    assert (report.token_calls, report.queries_total) == (0, 0)
    assert process.invoke(event) == {"batchItemFailures": []}
    assert len(service_rig.events()) == len(ORDERS)


@pytest.mark.parametrize(
    "body", ["{", '{"order_no":"../x"}', "\x00", "[" * 5000, '{"order_no":null}']
)
def test_one_unprocessable_record_in_ten_is_returned_alone(service_rig, body):
    bodies = [json.dumps({"order_no": order}) for order in ORDERS[:9]]
    bodies.insert(4, body)
    messages = [Message(id=f"m{n}", body=each) for n, each in enumerate(bodies)]
    process = service_rig.start("collect_results")
    response = process.invoke(build_queue_event(messages, at=EVENT_TIME))
    assert response == {"batchItemFailures": [{"itemIdentifier": "m4"}]}
    assert sorted(event["subject"] for event in service_rig.events()) == ORDERS[:9]
    assert set(service_rig.sandbox.report().queries_per_order.values()) == {1}


@pytest.mark.parametrize(("record", "cap"), [(1, "1"), (5, "1"), (5, "10"), (10, "10")])
def test_batch_whose_process_dies_is_redelivered_with_one_effect_per_order(
    record, cap, tmp_path
):
    """It is redelivered at once, while the leases of the dead process last."""
    with ExitStack() as stack:
        platform = FaultyPlatform(stack, SystemClock())
        service_rig = ServiceRig(tmp_path, platform, stack)
        service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
        dying = service_rig.start("collect_results", KYCOURIER_MAX_IN_FLIGHT=cap)
        dying.wait_until_ready()

        def kill_at_record(_, peer, handle):
            if platform.calls["query"] >= record:
                dying.kill()
                raise EOFError
            response = handle()
            peer.send(response.head(close=False) + response.body)

        platform.set_fault(Fault(47, kill_at_record), "query")
        with pytest.raises(FunctionExitedError):
            dying.invoke(queue_batch(*ORDERS), timeout_seconds=3)
        platform.clear_fault()
        done = {event["subject"] for event in service_rig.events()}
        assert len(done) < min(record + int(cap), len(ORDERS))

        collect = service_rig.start("collect_results")
        assert collect.invoke(queue_batch(*ORDERS)) == {"batchItemFailures": []}
        sweep = service_rig.start("sweep_orders")

        def is_over() -> bool:
            sweep.invoke(TIMER_EVENT)
            return {event["subject"] for event in service_rig.events()} == {*ORDERS}

        wait_until(is_over, seconds=30, what="all events")
        ends = [collect.invoke({"order_no": order}) for order in ORDERS]

    assert {end["state"] for end in ends} == {"collected"}
    check_one_effect(service_rig, ends)
    repeated = [count for count in platform.queries.values() if count > 1]
    assert set(repeated) <= {2}
    assert len(repeated) <= int(cap)
    assert all(platform.queries[order] == 1 for order in done)


def check_one_effect(service_rig, ends):
    """Check that each order has one event, with the same bytes each time."""
    events = service_rig.events()
    for end in ends:
        sent = [event for event in events if event["subject"] == end["order_no"]]
        assert {event["id"] for event in sent} == {end["event_id"]}
        assert len({repr(event) for event in sent}) == 1
