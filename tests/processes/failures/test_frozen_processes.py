"""A process that is frozen past its lease changes nothing (I11).

Another process holds a file's lock while it is frozen, so that its write waits.
"""

import fcntl
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import FINAL_STATES, configure_stores
from support.processes.service_rig import TIMER_EVENT, queue_batch
from support.processes.worker_fleet import frozen, invoke_with_grace, wait_until

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT = 4.0


@pytest.fixture
def stores(service_rig):
    return configure_stores(service_rig, "sqlite", str)


@contextmanager
def frozen_before_its_write(service_rig, process: FunctionProcess):
    """Freeze a process while its write waits for the lock of the state file."""
    state = service_rig.folder / "state.db"
    with closing(sqlite3.connect(state, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(2)  # the write waits longer
        with frozen(process):
            other.rollback()
            yield


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


def is_final(stores, order: str) -> bool:
    rows = stores.rows()
    return order in rows and rows[order].state in FINAL_STATES


def test_owner_frozen_past_its_lease_commits_nothing(service_rig, stores, figures):
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    [late] = service_rig.start_many("collect_results", 1)
    [sweep] = service_rig.start_many("sweep_orders", 1)
    service_rig.sandbox.set_order("order1", "slow1")
    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(1) as pool:
        call = pool.submit(
            invoke_with_grace, late, queue_batch("order1"), limit=LIMIT, patience=40
        )
        report = service_rig.sandbox.report
        wait_until(lambda: report().queries_total, seconds=20, what="its call")
        service_rig.sandbox.set_order("order1", "changing")  # then another card number

        def is_taken_over() -> bool:
            sweep.invoke(TIMER_EVENT)
            return is_final(stores, "order1")

        with frozen_before_its_write(service_rig, late):
            wait_until(is_taken_over, seconds=30, what="another owner's commit")
            taken_over = stores.rows()["order1"]
        assert is_done_or_returned(call.result())
        wait_until(
            lambda: service_rig.count_log_events()["stale_owner_refused"],
            seconds=20,
            what="its log event",
        )
    watch.check({"order1": "collected"}, tokens=1)
    assert taken_over.attempts == 2
    assert stores.rows()["order1"].events == taken_over.events
    figures("an owner frozen past its lease", stores.kind, orders=1, freezes=1)


def test_refresher_frozen_past_its_lease_saves_no_pair(service_rig, stores, figures):
    late, other = service_rig.start_many("refresh_ticket", 2)
    [collect] = service_rig.start_many("collect_results", 1)
    service_rig.sandbox.set_fault("ticket", "slow1")
    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(1) as pool:
        call = pool.submit(invoke_with_grace, late, TIMER_EVENT, limit=60, patience=1)
        report = service_rig.sandbox.report
        wait_until(lambda: report().ticket_calls, seconds=20, what="its call")
        with frozen_before_its_write(service_rig, late):
            wait_until(
                lambda: other.invoke(TIMER_EVENT)["generation"] == 1,
                seconds=40,
                what="another refresh",
            )
        assert call.result()["response"]["generation"] == 1
        assert collect.invoke({"order_no": "order1"})["state"] == "collected"
    watch.check({"order1": "collected"}, tokens=2)
    assert service_rig.count_log_events()["ticket_save_refused"] == 1
    figures("a refresher frozen past its lease", stores.kind, orders=1, freezes=1)


def test_sender_frozen_past_its_lease_publishes_the_same_event_again(
    service_rig, stores, figures
):
    path = service_rig.folder / "events.jsonl"
    service_rig.start("refresh_ticket").invoke(TIMER_EVENT)
    [late] = service_rig.start_many("collect_results", 1)
    [sweep] = service_rig.start_many("sweep_orders", 1)
    with InvariantMonitor(service_rig, stores) as watch, ThreadPoolExecutor(1) as pool:
        with path.open("ab") as events:
            fcntl.flock(events, fcntl.LOCK_EX)
            call = pool.submit(
                invoke_with_grace, late, queue_batch("order1"), limit=LIMIT, patience=40
            )
            wait_until(
                lambda: is_final(stores, "order1"), seconds=20, what="its commit"
            )
            wait_until(lambda: has_open(late, path), seconds=20, what="its lock")
            with frozen(late):
                fcntl.flock(events, fcntl.LOCK_UN)
                wait_until(
                    lambda: sweep.invoke(TIMER_EVENT)["unsent"],
                    seconds=30,
                    what="another sender",
                )
        assert is_done_or_returned(call.result())
        wait_until(lambda: len(service_rig.events()) == 2, seconds=20, what="its event")
    watch.check({"order1": "collected"}, tokens=1)
    assert watch.deliveries == {"first": 1, "again": 1}
    figures("a sender frozen past its lease", stores.kind, orders=1, freezes=1)
