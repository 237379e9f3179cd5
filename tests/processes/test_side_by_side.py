"""Many processes of the real functions, against one platform."""

import hashlib
import json

import pytest

from houses import TIMER, at_once, batch

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_twelve_cold_processes_ask_for_one_token(house):
    processes = house.start_many("collect_results", 12)
    answers = at_once(
        lambda process: process.invoke(batch(f"order{process.pid}")), processes
    )
    assert answers == [{"batchItemFailures": []}] * 12
    report = house.sandbox.report()
    assert (report.token_calls, report.ticket_calls, report.overlaps) == (1, 1, 0)
    assert report.sign_rejections == 0
    assert len(house.events()) == 12


def test_eight_processes_on_one_order_have_one_effect(house):
    processes = house.start_many("collect_results", 8)
    at_once(lambda process: process.invoke(batch("order1")), processes)
    assert house.sandbox.report().queries_per_order == {"order1": 1}
    [event] = house.events()
    named = [*event["data"]["photos"], event["data"]["manifest"]]
    assert len(named) == 4
    root = house.environ["KYCOURIER_EVIDENCE"]
    assert house.objects() == sorted(thing["uri"][len(root) + 1 :] for thing in named)
    for thing in named:
        content = (
            house.folder / "evidence" / thing["uri"][len(root) + 1 :]
        ).read_bytes()
        assert hashlib.sha256(content).hexdigest() == thing["sha256"]
    again = at_once(lambda process: process.invoke({"order_no": "order1"}), processes)
    assert {order["event_id"] for order in again} == {event["id"]}
    assert len(house.events()) == 1


def test_a_pair_killed_upstream_is_renewed_once_by_all_together(house):
    processes = house.start_many("collect_results", 6)
    at_once(lambda process: process.invoke(batch(f"a{process.pid}")), processes)
    house.sandbox.kill_ticket()
    at_once(lambda process: process.invoke(batch(f"b{process.pid}")), processes)
    report = house.sandbox.report()
    assert (report.token_calls, report.overlaps) == (2, 0)
    assert len(house.events()) == 12
    assert all(report.queries_per_order[f"b{p.pid}"] <= 2 for p in processes)


def test_the_refresh_timer_and_cold_workers_together_ask_for_one_token(house):
    timers = house.start_many("refresh_ticket", 3)
    workers = house.start_many("collect_results", 3)
    calls = dict.fromkeys(timers, TIMER)
    calls |= {process: batch(f"order{process.pid}") for process in workers}
    at_once(lambda process: process.invoke(calls[process]), [*timers, *workers])
    assert house.sandbox.report().token_calls == 1


def test_log_lines_are_json_and_hold_no_secret(house):
    process = house.start("collect_results")
    process.invoke(batch("order1", "code9011x1", "killticketx1", "../bad", "http500x"))
    lines = house.log.read_text().splitlines()
    facts = [json.loads(line) for line in lines]
    assert "order_settled" in {fact.get("message") for fact in facts}
    assert any("_aws" in fact for fact in facts)
    for canary in house.sandbox.canaries():
        assert canary not in house.log.read_text()


@pytest.mark.parametrize(("cap", "most"), [("10", 10), ("3", 3)])
def test_a_batch_runs_side_by_side_within_the_in_flight_cap(house, cap, most):
    process = house.start("collect_results", KYCOURIER_MAX_IN_FLIGHT=cap)
    orders = [f"slow1x{number}" for number in range(10)]
    assert process.invoke(batch(*orders)) == {"batchItemFailures": []}
    assert house.sandbox.report().max_concurrent_queries == most
    assert len(house.events()) == len(orders)
