"""What is judged once faults have stopped and all had its time."""

import json

from kycourier.core.order_record import OrderRecord
from leak_scan import find_leaks
from simulation.fleet import Fleet
from simulation.judge import key_of, objects_named
from simulation.plan import Plan
from simulation.platform import KINDS
from simulation.world import RunWorld


def judge_end(world: RunWorld, plan: Plan, fleet: Fleet, *, is_mixed: bool) -> None:
    """Judge no loss, evidence, orphans and silence."""
    rows = {row.order_no: row for row in world.stores.rows()}
    for scan in plan.scans:
        row = rows.get(scan.order_no)
        if row is None:
            if scan.order_no in plan.accepted:
                world.verdict.violate("I1", f"{scan.order_no} was accepted and is lost")
            continue
        _judge_order(world, plan, row, scan.may_end, is_mixed=is_mixed)
    _judge_calls(world, plan, fleet)
    _judge_objects(world, rows)
    _judge_silence(world, plan)


def _judge_order(
    world: RunWorld,
    plan: Plan,
    row: OrderRecord,
    may_end: frozenset[str],
    *,
    is_mixed: bool,
) -> None:
    may_park = {"parked"} if plan.may_park or is_mixed else set()
    if not row.state.is_final:
        told = f"{row.state.value} ({row.reason}), due {row.due_at}"
        world.verdict.violate("I1", f"{row.order_no} is still {told}")
    elif row.unsent:
        world.verdict.violate("I1", f"{row.order_no}: its event was not sent")
    elif row.state.value not in may_end | may_park:
        told = f"{row.state.value} ({row.reason})"
        world.verdict.violate("I1", f"{row.order_no} ended {told}")


def _judge_calls(world: RunWorld, plan: Plan, fleet: Fleet) -> None:
    """Where nothing went wrong an order costs one call; a process keeps its cap."""
    most = max((each.most_in_flight for each in fleet.transports), default=0)
    if most > 11:
        world.verdict.violate("I8", f"{most} calls at once in one process")
    if not world.met:
        for scan in plan.scans:
            if scan.asked > 1:
                world.verdict.violate("I8", f"{scan.order_no} cost {scan.asked} calls")


def _judge_objects(world: RunWorld, rows: dict[str, OrderRecord]) -> None:
    """Hold every object to be named by an event, or reported."""
    named = {
        key_of(each["uri"])
        for row in rows.values()
        for event in row.events
        for each in objects_named(json.loads(event.body)["data"])
    }
    reported = {
        fields["key"]
        for fact, fields in world.journal.notes
        if fact == "object_unreferenced"
    }
    for key in world.stores.evidence.objects.keys() - named - reported:
        world.verdict.violate("I16", f"{key} is named by nothing")
    if reported:
        world.verdict.see("orphan reported")


def _judge_silence(world: RunWorld, plan: Plan) -> None:
    canaries = [scan.number for scan in plan.scans if scan.asked]
    canaries += [scan.photo(kind) for scan in plan.scans[:3] for kind in KINDS]
    canaries += world.platform.signs[:5]
    canaries += [world.secret.value, world.platform.secret]
    for pair in world.platform.pairs:
        canaries += [pair.token, *([pair.ticket] if pair.ticket else [])]
    sinks = {
        "facts": json.dumps(world.journal.notes, default=str),
        "events": "\n".join(each.body for each in world.stores.sink.events),
        "queue": "\n".join(world.queue.bodies),
        "keys": "\n".join(world.stores.evidence.objects),
        "rows": b"\n".join(row.record for row in world.stores.orders.rows.values()),
        "answers": "\n".join(world.sinks),
        "start": "\n".join(world.start_problems),
    }
    for sink, spelling in find_leaks(set(canaries), sinks):
        world.verdict.violate("I5", f"a canary in {sink}, {spelling}")
