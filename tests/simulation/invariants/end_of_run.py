"""Checks the end of a run: no loss, no orphan, no leak (I1, I5, I8, I16, I17, I18)."""

import json
from typing import Any

import msgspec
from jwcrypto.common import JWException

from kycourier.core.orders.record import OrderRecord
from simulation.engine.context import RunContext
from simulation.engine.plan import Plan
from simulation.environment.platform import PHOTO_FIELDS, VALID_DATE, CardScan
from simulation.environment.runtime import FunctionRuntime
from simulation.invariants.checker import object_key, referenced_objects
from simulation.invariants.orders import FAILED_REASONS
from support.leaks.canaries import ADDRESS, PERSON
from support.leaks.leak_scan import find_leaks
from support.rigs.in_memory import APP
from support.rigs.recipient import unseal

MAX_IN_FLIGHT = 11  # ten collections, and one refresh


def check_end_of_run(
    context: RunContext, plan: Plan, runtime: FunctionRuntime, *, is_mixed: bool
) -> None:
    """Check every order, object and sink once the faults have ended."""
    rows = {row.order_no: row for row in context.stores.rows()}
    for scan in plan.all_scans:
        row = rows.get(scan.order_no)
        if row is None:
            if scan.order_no in plan.accepted:
                context.findings.report(
                    "I1", f"{scan.order_no} was accepted and is lost"
                )
            continue
        _check_order(context, plan, row, scan.allowed_ends, is_mixed=is_mixed)
    _check_calls(context, plan, runtime)
    _check_objects(context, rows)
    _check_leaks(context, plan)
    _check_sealed(context, plan)
    _check_log(context)


def _check_order(
    context: RunContext,
    plan: Plan,
    row: OrderRecord,
    allowed_ends: frozenset[str],
    *,
    is_mixed: bool,
) -> None:
    may_park = {"parked"} if plan.may_park or is_mixed else set()
    if not row.state.is_final:
        state = f"{row.state.value} ({row.reason}), due {row.due_at}"
        context.findings.report("I1", f"{row.order_no} is still {state}")
    elif row.unsent:
        context.findings.report("I1", f"{row.order_no}: its event was not sent")
    elif row.state.value not in allowed_ends | may_park:
        state = f"{row.state.value} ({row.reason})"
        context.findings.report("I1", f"{row.order_no} ended {state}")


def _check_calls(context: RunContext, plan: Plan, runtime: FunctionRuntime) -> None:
    """Check that a process keeps its cap; without faults an order costs one call."""
    most = max((each.max_in_flight for each in runtime.transports), default=0)
    if most > MAX_IN_FLIGHT:
        context.findings.report("I8", f"{most} calls at once in one process")
    if not context.injected:
        for scan in plan.scans:
            if scan.query_count > 1:
                context.findings.report(
                    "I8", f"{scan.order_no} cost {scan.query_count} calls"
                )


def _check_objects(context: RunContext, rows: dict[str, OrderRecord]) -> None:
    """Check that each object is referenced by an event or reported as an orphan."""
    referenced = {
        object_key(each["uri"])
        for row in rows.values()
        for event in row.events
        for each in referenced_objects(json.loads(event.body)["data"])
    }
    reported = {fields["key"] for fields in context.log_events("object_orphaned")}
    for key in context.stores.evidence.objects.keys() - referenced - reported:
        context.findings.report("I16", f"{key} is an orphan, and unreported")
    if reported:
        context.findings.observe("orphan reported")


def _check_leaks(context: RunContext, plan: Plan) -> None:
    canaries = [scan.number for scan in plan.all_scans if scan.query_count]
    canaries += [PERSON, ADDRESS]
    canaries += [scan.photo(scan.document) for scan in plan.companions]
    canaries += [scan.photo(kind) for scan in plan.scans[:3] for kind in PHOTO_FIELDS]
    canaries += context.platform.signs[:5]
    canaries += [context.secret.value, context.platform.secret]
    for pair in context.platform.pairs:
        canaries += [pair.token, *([pair.ticket] if pair.ticket else [])]
    sinks = {
        "log": json.dumps(context.event_log.entries, default=str),
        "events": "\n".join(each.body for each in context.stores.sink.events),
        "queue": "\n".join(context.queue.bodies),
        "keys": "\n".join(context.stores.evidence.objects),
        "rows": b"\n".join(row.record for row in context.stores.orders.rows.values()),
        "breaker": msgspec.json.encode(context.stores.breakers.get(APP)),
        "responses": "\n".join(context.responses),
        "start": "\n".join(context.start_problems),
    }
    for sink, spelling in find_leaks(set(canaries), sinks):
        context.findings.report("I5", f"a canary in {sink}, {spelling}")


def _check_sealed(context: RunContext, plan: Plan) -> None:
    """Check that each published result is sealed as recognized, if at all (I18)."""
    scans = {scan.order_no: scan for scan in plan.all_scans}
    for event in context.stores.sink.events:
        data = json.loads(event.body)["data"]
        if "manifest" not in data:
            continue
        scan = scans[event.subject]
        context.findings.observe(f"{scan.document} with evidence")
        if (data["sealed"] is not None) != context.is_sealing:
            context.findings.report("I18", f"{event.subject} is sealed wrongly")
        if data["sealed"] is None:
            continue
        try:
            content = unseal(data["sealed"])
        except (JWException, ValueError):
            context.findings.report("I18", f"{event.subject} does not open")
            continue
        is_right = _is_recognized(content, scan, data)
        if content["order_no"] != event.subject or not is_right:
            context.findings.report("I18", f"{event.subject} holds another result")
        context.findings.observe("sealed result opened")


def _is_recognized(
    content: dict[str, Any], scan: CardScan, data: dict[str, Any]
) -> bool:
    """Check that sealed content is what the platform recognized of a scan."""
    if scan.document == "face":
        return bool(content["face"]["live_rate"] == "99")
    if scan.document == "id_card":
        found = content["id_card"]
        return (found["number"], found["name"]) == (scan.number, PERSON)
    tail = (data["card"]["number_masked"] or "")[-4:]
    return content["card"] in [
        {"number": each, "number_text": each, "valid_until_text": VALID_DATE}
        for each in (scan.number, *scan.later_numbers)
        if each.endswith(tail)
    ]


def _check_log(context: RunContext) -> None:
    """Check that each line of an attempt that failed names its cause."""
    for name in ("order_waiting", "order_settled"):
        for fields in context.log_events(name):
            failed = {fields["state"], fields["reason"]} & {"parked", *FAILED_REASONS}
            if bool(failed) != ("cause" in fields):
                context.findings.report("I17", f"{name}: {fields}")
    for fields in context.log_events("ticket_refresh_failed"):
        if "cause" not in fields:
            context.findings.report("I17", f"ticket_refresh_failed: {fields}")
