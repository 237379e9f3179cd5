"""A process that is frozen past its lease changes nothing (I11).

Its write is delayed until another process has taken over: in SQLite by a lock of the
file, in other stores by a proxy.
"""

import fcntl
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from kycourier_devkit.sandbox import Sandbox
from processes.failures.delayed_routes import DelayedRoute, open_route
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import FINAL_STATES, RawStores
from support.processes.service_rig import (
    TIMER_EVENT,
    ServiceRig,
    open_service_rig,
    queue_batch,
)
from support.processes.worker_fleet import frozen, invoke_with_grace, wait_until
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
LIMIT = 4.0
REFUSED = "stale_owner_refused"
LOGGED = {  # DynamoDB's refusal takes another call, for which no time may be left
    "sqlite": {REFUSED},
    "redis": {REFUSED},
    "dynamodb": {REFUSED, "record_returned", "handler_failed"},
}
COMMIT, SAVE = b"'list', 'entry'", b"'ticket generation'"  # from Redis's scripts


@pytest.fixture
def delayed(service_rig, request, kind):
    with open_route(service_rig, kind, request) as stores_and_route:
        yield stores_and_route


def has_open(process: FunctionProcess, path: Path) -> bool:
    """Return whether a process has a file open."""
    links = Path(f"/proc/{process.pid}/fd").iterdir()
    with suppress(FileNotFoundError):  # a file was closed during the scan
        return any(link.readlink() == path for link in links)
    return False


def is_done_or_returned(reply: dict) -> bool:
    """Return whether the batch succeeded, or its only record is delivered again.

    Both are right, as the order is final; which it is depends on what wakes first.
    """
    returned = [[], [{"itemIdentifier": "m0"}]]
    responses = [{"response": {"batchItemFailures": each}} for each in returned]
    return reply in ({"error": "out_of_time"}, *responses)


@pytest.mark.parametrize("kind", LOGGED)
def test_owner_frozen_past_its_lease_commits_nothing(service_rig, delayed, figures):
    stores, route = delayed
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    late = service_rig.start("collect_results", **route.environ)
    sweep = service_rig.start("sweep_orders")
    for process in (late, sweep):
        process.wait_until_ready()  # a locked state cannot be opened
    service_rig.sandbox.set_order("order1", "slow1")
    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(1) as pool:
        call = pool.submit(
            invoke_with_grace, late, queue_batch("order1"), limit=LIMIT, patience=40
        )
        report = service_rig.sandbox.report
        wait_until(lambda: report().queries_total, seconds=20, what="its call")
        service_rig.sandbox.set_order("order1", "changing")  # then another card number
        route.hold(COMMIT)
        wait_until(route.is_held, seconds=20, what="its commit")
        with frozen(late):
            if route.is_shared:
                route.release()

            def is_taken_over() -> bool:
                sweep.invoke(TIMER_EVENT)
                return stores.rows()["order1"].state in FINAL_STATES

            wait_until(is_taken_over, seconds=30, what="another owner's commit")
            taken_over = stores.rows()["order1"]
            if not route.is_shared:
                route.release()
        assert is_done_or_returned(call.result())
        wait_until(
            lambda: LOGGED[stores.kind] & service_rig.count_log_events().keys(),
            seconds=20,
            what="its log event",
        )
    watch.check({"order1": "collected"}, tokens=1)
    assert taken_over.attempts == 2
    assert stores.rows()["order1"].events == taken_over.events
    figures("an owner frozen past its lease", stores.kind, orders=1, freezes=1)


def test_refresher_frozen_past_its_lease_saves_no_pair(tmp_path, request, figures):
    """Test all stores concurrently, as most of the time is waiting."""
    with ExitStack() as stack, ThreadPoolExecutor(len(LOGGED)) as pool:
        cases = []
        for kind in LOGGED:
            folder = tmp_path / kind
            folder.mkdir()
            service_rig = stack.enter_context(open_service_rig(folder, Sandbox()))
            route = stack.enter_context(open_route(service_rig, kind, request))
            cases.append((service_rig, *route))
        list(pool.map(lambda case: freeze_refresher(*case, figures), cases))


def freeze_refresher(
    service_rig: ServiceRig, stores: RawStores, route: DelayedRoute, figures
) -> None:
    late = service_rig.start("refresh_ticket", **route.environ)
    other, collect = (
        service_rig.start("refresh_ticket"),
        service_rig.start("collect_results"),
    )
    for process in (late, other, collect):
        process.wait_until_ready()
    service_rig.sandbox.set_fault("ticket", "slow1")
    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(1) as pool:
        call = pool.submit(invoke_with_grace, late, TIMER_EVENT, limit=60, patience=1)
        report = service_rig.sandbox.report
        wait_until(lambda: report().ticket_calls, seconds=20, what="its call")
        route.hold(SAVE)
        wait_until(route.is_held, seconds=20, what="its save")
        with frozen(late):
            if route.is_shared:
                route.release()
            wait_until(
                lambda: other.invoke(TIMER_EVENT)["generation"] == 1,
                seconds=40,
                what="another refresh",
            )
            if not route.is_shared:
                route.release()
        assert call.result()["response"]["generation"] == 1
        assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    watch.check({"order1": "collected"}, tokens=2)
    assert service_rig.count_log_events()["ticket_save_refused"] == 1
    figures("a refresher frozen past its lease", stores.kind, orders=1, freezes=1)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_sender_frozen_past_its_lease_publishes_the_same_event_again(
    service_rig, delayed, figures
):
    stores, _ = delayed
    late, sweep = (
        service_rig.start("collect_results"),
        service_rig.start("sweep_orders"),
    )
    path = service_rig.folder / "events.jsonl"
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    for process in (late, sweep):
        process.wait_until_ready()
    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(1) as pool:
        with path.open("ab") as events:
            fcntl.flock(events, fcntl.LOCK_EX)
            call = pool.submit(
                invoke_with_grace, late, queue_batch("order1"), limit=LIMIT, patience=40
            )
            rows = stores.rows
            wait_until(
                lambda: _is_final(rows(), "order1"), seconds=20, what="its commit"
            )
            wait_until(lambda: has_open(late, path), seconds=20, what="its lock")
            os.kill(late.pid, signal.SIGSTOP)
        wait_until(
            lambda: sweep.invoke(TIMER_EVENT)["unsent"],
            seconds=30,
            what="another sender",
        )
        os.kill(late.pid, signal.SIGCONT)
        assert is_done_or_returned(call.result())
        wait_until(lambda: len(service_rig.events()) == 2, seconds=20, what="its event")
    watch.check({"order1": "collected"}, tokens=1)
    assert watch.deliveries == {"first": 1, "again": 1}
    figures("a sender frozen past its lease", stores.kind, orders=1, freezes=1)


def _is_final(rows, order: str) -> bool:
    return order in rows and rows[order].state in FINAL_STATES
