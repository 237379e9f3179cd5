"""Batches that end badly: no time, a poison record, a process that dies in between."""

import json
import time
from contextlib import ExitStack

import pytest

from houses import AT, TIMER, House, batch
from kycourier.adapters.system import SystemClock
from kycourier_devkit.errors import FunctionDied
from kycourier_devkit.functions.trigger_events import Message, build_queue_event
from transport_faults.faults import Fault
from transport_faults.upstream import Upstream

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
ORDERS = [f"order{number}" for number in range(10)]
LEASE_SECONDS = 5.1  # 3 s of life and 2 s of grace


def test_with_eight_hundred_milliseconds_left_nothing_is_asked(house):
    process = house.start("collect_results")
    process.wait_until_ready()
    event = batch(*ORDERS)
    answer = process.invoke(event, timeout_seconds=0.8)
    names = [record["messageId"] for record in event["Records"]]
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == names
    report = house.sandbox.report()
    assert report.connections_opened <= 1  # the one that is open ahead
    assert (report.token_calls, report.queries_total) == (0, 0)
    assert process.invoke(event) == {"batchItemFailures": []}
    assert len(house.events()) == len(ORDERS)


@pytest.mark.parametrize(
    "body", ["{", '{"order_no":"../x"}', "\x00", "[" * 5000, '{"order_no":null}']
)
def test_one_poison_record_in_ten_comes_back_alone(house, body):
    bodies = [json.dumps({"order_no": order}) for order in ORDERS[:9]]
    bodies.insert(4, body)
    messages = [Message(id=f"m{n}", body=each) for n, each in enumerate(bodies)]
    process = house.start("collect_results")
    answer = process.invoke(build_queue_event(messages, at=AT))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m4"}]}
    assert sorted(event["subject"] for event in house.events()) == ORDERS[:9]
    assert set(house.sandbox.report().queries_per_order.values()) == {1}


@pytest.mark.parametrize(("record", "cap"), [(1, "1"), (5, "1"), (5, "10"), (10, "10")])
def test_a_batch_whose_process_dies_at_a_record_comes_again_whole(
    record, cap, tmp_path
):
    """It is delivered again at once, while the dead one's leases last."""
    with ExitStack() as stack:
        upstream = Upstream(stack, SystemClock())
        house = House(tmp_path, upstream, stack)
        house.start("refresh_ticket").invoke(TIMER)
        dying = house.start("collect_results", KYCOURIER_MAX_IN_FLIGHT=cap)
        dying.wait_until_ready()

        def kill_at_the_record(_, peer, work):
            if upstream.calls["query"] >= record:
                dying.kill()
                raise EOFError
            answer = work()
            peer.send(answer.head(close=False) + answer.body)

        upstream.set_fault(Fault(47, kill_at_the_record), "query")
        with pytest.raises(FunctionDied):
            dying.invoke(batch(*ORDERS), timeout_seconds=3)
        upstream.mend()
        done = {event["subject"] for event in house.events()}
        assert len(done) < min(record + int(cap), len(ORDERS))

        collect = house.start("collect_results")
        assert collect.invoke(batch(*ORDERS)) == {"batchItemFailures": []}
        time.sleep(LEASE_SECONDS)
        house.start("sweep_orders").invoke(TIMER)
        ends = [collect.invoke({"order_no": order}) for order in ORDERS]

    assert {end["state"] for end in ends} == {"collected"}
    check_one_effect(house, ends)
    at_most_twice = [count for count in upstream.queries.values() if count > 1]
    assert set(at_most_twice) <= {2}
    assert len(at_most_twice) <= int(cap)
    assert all(upstream.queries[order] == 1 for order in done)


def check_one_effect(house, ends):
    """Each order has one event, to the byte, however often it was sent."""
    told = house.events()
    for end in ends:
        ours = [event for event in told if event["subject"] == end["order_no"]]
        assert {event["id"] for event in ours} == {end["event_id"]}
        assert len({repr(event) for event in ours}) == 1
