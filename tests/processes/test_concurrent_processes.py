"""Many processes of the real functions against one platform and one SQLite state."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from kycourier_devkit.errors import FunctionExitedError
from support.processes.service_rig import TIMER_EVENT, call_concurrently, queue_batch
from support.processes.worker_fleet import wait_until

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_cold_workers_and_refresh_timers_request_one_token(service_rig):
    timers = service_rig.start_many("refresh_ticket", 3)
    workers = service_rig.start_many("collect_results", 9)
    calls = dict.fromkeys(timers, TIMER_EVENT)
    calls |= {process: queue_batch(f"order{process.pid}") for process in workers}

    call_concurrently(
        lambda process: process.invoke(calls[process]), [*timers, *workers]
    )

    report = service_rig.sandbox.report()
    assert (report.token_calls, report.ticket_calls, report.overlaps) == (1, 1, 0)
    assert report.sign_rejections == 0
    assert len(service_rig.events()) == len(workers)


def test_pair_revoked_by_the_platform_is_refreshed_once_by_all_processes(service_rig):
    processes = service_rig.start_many("collect_results", 6)
    call_concurrently(
        lambda process: process.invoke(queue_batch(f"a{process.pid}")), processes
    )
    service_rig.sandbox.kill_ticket()
    call_concurrently(
        lambda process: process.invoke(queue_batch(f"b{process.pid}")), processes
    )
    report = service_rig.sandbox.report()
    assert (report.token_calls, report.overlaps) == (2, 0)
    assert len(service_rig.events()) == 12
    assert all(report.queries_per_order[f"b{p.pid}"] <= 2 for p in processes)


def test_order_waits_after_the_refresher_is_killed_between_token_and_ticket(
    service_rig,
):
    service_rig.sandbox.set_fault("ticket", "slow5")
    refresher = service_rig.start("refresh_ticket")
    refresher.wait_until_ready()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(refresher.invoke, TIMER_EVENT)
        report = service_rig.sandbox.report
        wait_until(lambda: report().ticket_calls, seconds=20, what="a ticket call")
        refresher.kill()
        with pytest.raises(FunctionExitedError):
            call.result()
    result = service_rig.start("collect_results").invoke({"order_no": "order1"})
    assert (result["state"], result["reason"]) == ("waiting", "transient")
    assert service_rig.sandbox.report().token_calls == 1


def test_log_lines_are_json(service_rig):
    process = service_rig.start("collect_results")
    process.invoke(
        queue_batch("order1", "code9011x1", "killticketx1", "../bad", "http500x")
    )
    lines = [json.loads(line) for line in service_rig.log.read_text().splitlines()]
    assert "order_settled" in {line.get("message") for line in lines}
    assert any("_aws" in line for line in lines)


@pytest.mark.parametrize("cap", [10, 3])
def test_batch_runs_concurrently_up_to_the_in_flight_cap(service_rig, cap):
    process = service_rig.start("collect_results", KYCOURIER_MAX_IN_FLIGHT=str(cap))
    orders = [f"slow1x{number}" for number in range(10)]
    assert process.invoke(queue_batch(*orders)) == {"batchItemFailures": []}
    assert service_rig.sandbox.report().max_concurrent_queries == cap
    assert len(service_rig.events()) == len(orders)
