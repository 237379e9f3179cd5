"""Runs in which the ticket, or something of this service's own, fails."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.system import SystemClock
from kycourier.core.causes import Cause
from kycourier.core.leases import refresh_lease
from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    function_file,
)
from kycourier_devkit.sandbox import APP_ID, Sandbox, draw_photos
from kycourier_devkit.workspace.local_settings import local_environ
from support.causes.cause_rig import CauseRig
from support.causes.observations import Cell, Observation
from support.causes.places import (
    UNREAD,
    FailedRun,
    observe,
    read_alarms,
    read_doctor,
    read_doctor_when_due,
    read_serve,
    read_silent_doctor,
)
from support.causes.platform_runs import PARKED, NewRig
from support.processes.service_rig import queue_batch
from support.servers.hostile_server import closed_port

SHORT_SECONDS = 4.0
PHP = f's:64:"{"T" * 64}";'
ORDERS = ("A1", "A2")


def run_tickets(new_rig: NewRig) -> Iterator[Observation]:
    """There is no ticket, or none that the platform accepts; or no time for it."""
    with Sandbox() as sandbox, Sandbox() as changed:
        runs = [
            _miss_ticket(new_rig(KYCOURIER_KYC_URL=sandbox.url)),
            _run_short_of_time(new_rig(KYCOURIER_KYC_URL=sandbox.url)),
            _revoke_tickets(new_rig(KYCOURIER_KYC_URL=sandbox.url)),
        ]
        kept = {"KYCOURIER_KYC_URL": sandbox.url, "KYCOURIER_TICKET": "env:THEIRS"}
        for cause, variables, how in (
            (Cause.TICKET_UNREADABLE, {"THEIRS": PHP}, "a ticket that PHP serialized"),
            (Cause.SECRET_UNREADABLE, {}, "a secret that is absent"),
        ):
            rig = new_rig(**kept, **variables).start(refresh=None)
            rig.collect("A1")
            yield observe(rig, cause, "A1", f"`KYCOURIER_TICKET`: {how}")
        changed.change_secret("another")
        rig = new_rig(KYCOURIER_KYC_URL=changed.url)
        rig.start(refresh="ticket_refresh_failed").collect("A1")
        cause, how = Cause.REFRESH_REFUSED, "the app secret was changed at the platform"
        yield observe(rig, cause, "A1", how, also="ticket")
        yield from read_doctor_when_due(runs)


def _miss_ticket(rig: CauseRig) -> FailedRun:
    leases = SqliteLeaseStore(rig.root / "state.db", SystemClock())
    leases.acquire(refresh_lease(APP_ID), owner="another worker", seconds=600)
    rig.start(refresh=None)
    with ThreadPoolExecutor(len(ORDERS)) as callers:
        list(callers.map(rig.collect, ORDERS))
    how = "another worker holds the lease of refreshes, and hangs"
    seen = observe(rig, Cause.TICKET_MISSING, ORDERS[0], how, doctor=UNREAD)
    rig.stop()
    return rig, ORDERS, seen


def _run_short_of_time(rig: CauseRig) -> FailedRun:
    environ = local_environ(rig.environ, root=rig.root)
    with (
        (rig.root / "functions.log").open("ab") as log,
        FunctionProcess(function_file("collect_results"), environ, log=log) as function,
    ):
        function.invoke(queue_batch(*ORDERS), timeout_seconds=SHORT_SECONDS)
    how = f"`collect_results` with a time limit of {SHORT_SECONDS:.0f} s"
    serve = Cell((), None, "Its functions have 30 s.")
    seen = observe(rig, Cause.OUT_OF_TIME, "A1", how, serve=serve, doctor=UNREAD)
    return rig, ORDERS, seen


def _revoke_tickets(rig: CauseRig) -> FailedRun:
    orders = ("killticket99x1", "killticket99x2")
    rig.start().collect(*orders)
    how = "every query revokes all tickets"
    seen = observe(rig, Cause.TICKET_REFUSED, orders[0], how, doctor=UNREAD)
    rig.stop()
    return rig, orders, seen


def run_state(new_rig: NewRig) -> Iterator[Observation]:
    """The state is of a newer release, damaged, or gone."""
    with Sandbox() as sandbox:
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start()
        newer = "UPDATE tickets SET record = json_set(record, '$.schema', 99)"
        damaged = "the state file is damaged: it has no table of tickets"
        for cause, order, statement, how in (
            (Cause.NEWER_SCHEMA, "A1", newer, "a newer release wrote the ticket pair"),
            (Cause.STORE_UNAVAILABLE, "A2", "DROP TABLE tickets", damaged),
        ):
            since = rig.log_size()
            with closing(sqlite3.connect(rig.root / "state.db")) as state, state:
                state.execute(statement)
            rig.collect(order)
            yield observe(rig, cause, order, how, since=since)
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start(sweep_seconds=0.5)
        since = rig.log_size()
        _replace_by_folder(rig.root / "state.db")
        rig.collect("A3")
        cause, how = Cause.STORE_UNAVAILABLE, "the state file becomes a folder"
        _, shown = rig.run("show", "A3")
        yield observe(
            rig,
            cause,
            "A3",
            how,
            since=since,
            show=Cell(tuple(shown), "KYCOURIER_STATE", "There is no row to read."),
            serve=read_serve(rig, cause.value, "sweep_orders"),
            doctor=read_doctor(rig, "KYCOURIER_STATE"),
            alarm=read_alarms(rig, "HandlerFailures", since),
        )


def run_files_and_receiver(new_rig: NewRig) -> Iterator[Observation]:
    """Evidence or events cannot be written or sent."""
    with Sandbox() as sandbox:
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start()
        order, cause = "notready1x1", Cause.EVIDENCE_CONFLICT
        rig.collect(order)
        _put_other_photo(rig, order)
        rig.wait_until_due(order)
        since = rig.log_size()
        rig.collect(order)
        doctor = read_silent_doctor(rig, cause, PARKED)
        how = "other bytes lie under the key of the photo"
        yield observe(rig, cause, order, how, since=since, doctor=doctor)
        since = rig.log_size()
        (rig.root / "evidence").rename(rig.root / "evidence-before")
        (rig.root / "evidence").touch()
        rig.collect("A2")
        cause, how = Cause.EVIDENCE_UNAVAILABLE, "the evidence folder becomes a file"
        yield observe(rig, cause, "A2", how, since=since)
        cause, unsent = Cause.SINK_UNAVAILABLE, "OldestUnsentSeconds"
        rig = new_rig(KYCOURIER_KYC_URL=sandbox.url).start(sweep_seconds=0.5)
        _replace_by_folder(rig.root / "events.jsonl")
        rig.collect("A3")
        rig.wait_for_metric(unsent)
        how, alarm = "the events file becomes a folder", read_alarms(rig, unsent)
        yield observe(rig, cause, "A3", how, alarm=alarm)
        rig = new_rig(
            KYCOURIER_KYC_URL=sandbox.url,
            KYCOURIER_EVENTS=f"http://127.0.0.1:{closed_port()}/hook",
            KYCOURIER_WEBHOOK_SECRET="env:HOOK",
            HOOK="whsec_" + "A" * 32,
        ).start(sweep_seconds=0.5)
        rig.collect("A4")
        rig.wait_for_metric(unsent)
        how, alarm = "the receiver of webhooks is off", read_alarms(rig, unsent)
        theirs = "The receiver is somebody else's: orders are collected."
        warned = read_doctor(rig, "connect_failed", code=0)
        doctor = Cell(warned.lines, warned.word, theirs)
        serve = read_serve(rig, "connect_failed", "A4")
        yield observe(rig, cause, "A4", how, alarm=alarm, doctor=doctor, serve=serve)


def _replace_by_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _put_other_photo(rig: CauseRig, order_no: str) -> None:
    """Writes other bytes where the order's photo will be."""
    with closing(sqlite3.connect(rig.root / "state.db")) as state:
        [(record,)] = state.execute("SELECT record FROM orders").fetchall()
    folder = rig.root / "evidence" / APP_ID / json.loads(record)["folder"]
    folder.mkdir(parents=True)
    digest = hashlib.sha256(draw_photos(order_no).original).hexdigest()[:16]
    (folder / f"original-{digest}.jpg").write_bytes(b"other")
