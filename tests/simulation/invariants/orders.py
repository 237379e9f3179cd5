"""Checks every change of an order's row: I2, I4, I8, I11, I13 and I17."""

import json
import re
from collections import defaultdict
from typing import cast

from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    OutboxEvent,
    Reason,
)
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.timing import DUE_TOLERANCE
from simulation.environment.interceptor import PortCall
from simulation.environment.stores import Stores
from simulation.invariants.findings import Findings

NOT_READY_SECONDS = (5.0, 15.0, 60.0, 300.0, 3600.0)  # design.md, Asking again
PHOTO_SECONDS = {1: 1.0, 2: 2.0, 3: 4.0, 4: 15.0, 5: 30.0}
PATIENCE_SECONDS = 300.0
MAX_BACK_OFF = 305.0  # 5 min, and the jitter after an open circuit breaker
FAILED_REASONS = {
    Reason.TRANSIENT.value,
    Reason.THROTTLED.value,
    Reason.CREDENTIALS.value,
    Reason.PAUSED.value,
    Reason.APP_STOPPED.value,
}
EXCLUSIVE = {
    OrderState.COLLECTED.value,
    OrderState.REJECTED.value,
    OrderState.EXPIRED.value,
}


class OrderInvariants:
    """Records the highest fence of each order, and the first bytes of each event."""

    def __init__(self, findings: Findings, stores: Stores) -> None:
        self._findings, self._stores = findings, stores
        self._fences: dict[OrderKey, int] = defaultdict(int)
        self._events: dict[tuple[str, str], tuple[str, str]] = {}
        self.claims: dict[tuple[str, str], tuple[OrderKey, int]] = {}
        self.reopened: set[str] = set()

    def current_row(self, call: PortCall) -> OrderRecord | None:
        """Return the current row of the order that a write changes."""
        return self._stores.orders.get(cast("OrderRecord", call.args[0]).key)

    def check_write(self, call: PortCall, before: OrderRecord | None) -> None:
        """Check what a write changed in its row."""
        after = self.current_row(call)
        if after is None or after == before:
            return
        if before is not None:
            self._check_change(before, after)
        if call.verb == "claim":
            self._check_claim(call, before, after)
        elif call.verb == "commit":
            self._check_commit(call, before)
        self._check_cause(after)
        kinds = [event.type.split(".")[2] for event in after.events]
        if len(set(kinds)) != len(kinds) or len(EXCLUSIVE & set(kinds)) > 1:
            self._findings.report("I2", f"{after.order_no}: events {kinds}")
        for event in after.events:
            self.check_event(after.order_no, event)

    def check_event(self, order_no: str, event: OutboxEvent) -> None:
        """Check that an event equals the first of its order and type."""
        first = self._events.setdefault((order_no, event.type), (event.id, event.body))
        if first != (event.id, event.body):
            self._findings.report("I2", f"{order_no}: a second {event.type}")
        data = json.loads(event.body)["data"]
        if (".parked." in event.type) != ("last_problem" in data):
            self._findings.report("I17", f"{order_no}: {event.type} without its cause")

    def _check_change(self, before: OrderRecord, after: OrderRecord) -> None:
        order_no, report = after.order_no, self._findings.report
        if after.version <= before.version or after.fence < before.fence:
            report("I11", f"{order_no}: version or fence went back")
        if before.state.is_final and after.state is not before.state:
            if before.state is not OrderState.PARKED or order_no not in self.reopened:
                report("I13", f"{order_no}: {before.state} became {after.state}")
            self._findings.observe("parked order reopened")
        earlier = after.events[: len(before.events)]
        if [event.body for event in earlier] != [event.body for event in before.events]:
            report("I2", f"{order_no}: an event's bytes changed")
        if before.folder is not None and after.folder != before.folder:
            report("I4", f"{order_no}: the evidence folder changed")
        if before.state is OrderState.COLLECTING and after.state is OrderState.WAITING:
            self._check_wait(before, after)

    def _check_cause(self, row: OrderRecord) -> None:
        """Check that a row names why its last attempt failed, and only then."""
        last = row.last_problem
        if row.state is OrderState.WAITING and row.reason is not None:
            failed = row.reason in FAILED_REASONS
            is_named = (last is not None, row.failing_since is not None)
            is_right = is_named == (failed, failed)
        else:
            is_right = row.state is not OrderState.PARKED or last is not None
        if last is not None:
            is_right &= bool(
                re.fullmatch("-?[0-9]{1,9}|unreadable", last.code or "0")
                and re.fullmatch("[a-z_]{1,32}", last.detail or "_")
            )
        if not is_right:
            self._findings.report("I17", f"{row.order_no}: {row.reason}, but {last}")

    def _check_wait(self, before: OrderRecord, after: OrderRecord) -> None:
        """Check a delay against the published schedule."""
        assert after.due_at is not None
        delay = (after.due_at - after.updated_at).total_seconds()
        shortest, longest = 0.0, MAX_BACK_OFF
        if after.reason == Reason.NOT_READY.value:
            step = NOT_READY_SECONDS[min(before.not_ready_tries, 4)]
            to_deadline = (before.deadline_at - after.updated_at).total_seconds()
            shortest, longest = min(step, to_deadline), max(step, MAX_BACK_OFF)
            if (
                before.next_scheduled_at
                and after.updated_at + DUE_TOLERANCE < before.next_scheduled_at
            ):
                to_turn = (before.next_scheduled_at - after.updated_at).total_seconds()
                shortest = longest = to_turn
        elif after.reason == Reason.PHOTOS_PENDING.value:
            assert after.photos_since is not None
            waited = (after.updated_at - after.photos_since).total_seconds()
            step = PHOTO_SECONDS.get(after.photo_tries, 60.0)
            shortest = min(step, PATIENCE_SECONDS - waited)
        if not shortest - 0.001 <= delay <= longest:
            message = f"{after.order_no}: {after.reason} waits {delay:.1f} s"
            self._findings.report("I8", message)

    def _check_claim(
        self, call: PortCall, before: OrderRecord | None, after: OrderRecord
    ) -> None:
        order_no, report = after.order_no, self._findings.report
        if after.fence <= self._fences[after.key]:
            report("I11", f"{order_no}: fence {after.fence} issued twice")
        self._fences[after.key] = after.fence
        self.claims[call.machine.name, order_no] = (after.key, after.fence)
        if before is None:
            return
        now = self._stores.clock.now()
        if before.state is OrderState.COLLECTING:
            assert before.lease_ends_at is not None
            self._findings.observe("expired lease taken over")
            if now < before.lease_ends_at:
                report("I11", f"{order_no}: claimed before its lease ended")
        elif (
            before.state is OrderState.WAITING and call.named["urgency"] is Urgency.DUE
        ):
            assert before.due_at is not None
            if (before.due_at - now).total_seconds() > 1:
                report("I8", f"{order_no}: claimed before it was due")

    def _check_commit(self, call: PortCall, before: OrderRecord | None) -> None:
        expected = cast("OrderRecord", call.named["expected"])
        if expected.fence < self._fences[expected.key]:
            self._findings.report(
                "I11", f"{call.machine.name} wrote with a stale fence"
            )
        if before is None or expected.version != before.version:
            message = f"{call.machine.name} overwrote a newer version"
            self._findings.report("I11", message)
