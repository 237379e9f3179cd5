"""Checks the invariants at every port call of a run.

It reads only what is outside the service: stores, event sink, platform and responses.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import cast

from kycourier.core.leases import Lease
from kycourier.core.orders.record import OrderRecord, OutboxEvent
from simulation.environment.interceptor import PortCall
from simulation.environment.platform import SimulatedPlatform
from simulation.environment.stores import Stores
from simulation.invariants.circuit_breaker import CircuitBreakerInvariants
from simulation.invariants.findings import Findings
from simulation.invariants.orders import OrderInvariants
from simulation.invariants.tickets import TicketInvariants

ROW_WRITES = {"orders.claim", "orders.register", "orders.commit"}
CHECKED_CALLS = {
    *ROW_WRITES, "breakers.open", "breakers.close", "leases.acquire", "tickets.get",
    "tickets.put", "evidence.put", "sink.publish", "sink.publish_within",
}  # fmt: skip


class InvariantChecker:
    """Checks each call against the invariants that concern it."""

    def __init__(
        self, findings: Findings, stores: Stores, platform: SimulatedPlatform
    ) -> None:
        self._findings, self._stores = findings, stores
        self.orders = OrderInvariants(findings, stores)
        self.tickets = TicketInvariants(findings, stores.clock, platform)
        self.breaker = CircuitBreakerInvariants(findings, stores)
        self._sent: Counter[str] = Counter()
        self._objects: dict[str, bytes] = {}

    def begins(self, call: PortCall, *, after: str | None) -> None:
        """Check whether a call is allowed now; `after` is the task's previous call."""
        if call.name in {"kyc.token", "kyc.ticket"} and after != "leases.acquire":
            message = f"{call.machine.name} did not check its lease before {call.name}"
            self._findings.report("I6", message)
        if call.name == "kyc.query":
            self.breaker.check_query(call)

    def before(self, call: PortCall) -> OrderRecord | None:
        """Return the row that a write may change."""
        return self.orders.current_row(call) if call.name in ROW_WRITES else None

    def failed(self, call: PortCall) -> None:
        """Record a failed call that explains an old ticket pair."""
        if call.name == "tickets.get":
            self.tickets.record_failed_read(call)

    def after(self, call: PortCall, before: OrderRecord | None, result: object) -> None:
        """Check the effect of a call."""
        match call.name:
            case "orders.claim" | "orders.register" | "orders.commit":
                self.orders.check_write(call, before)
            case "breakers.open" | "breakers.close":
                self.breaker.record_change()
            case "leases.acquire":
                self.tickets.check_lease(call, cast("Lease | None", result))
            case "tickets.put":
                self.tickets.check_save(call)
            case "evidence.put":
                self._check_objects()
            case "sink.publish" | "sink.publish_within":
                self._check_publish(cast("Sequence[OutboxEvent]", call.args[0]))
            case "kyc.query":
                self.tickets.check_queries(self.orders.claims)
        self.tickets.check_overlaps()

    def _check_publish(self, events: Sequence[OutboxEvent]) -> None:
        for event in events:
            members = json.loads(event.body)
            if members["id"] != event.id or members["type"] != event.type:
                self._findings.report("I2", "an event's body differs from its row")
            self.orders.check_event(members["subject"], event)
            self._sent[event.id] += 1
            if self._sent[event.id] > 1:
                self._findings.observe("outbox re-sent")
            self._check_evidence(members["data"])

    def _check_evidence(self, data: dict[str, object]) -> None:
        for each in referenced_objects(data):
            content = self._stores.evidence.objects.get(object_key(each["uri"]))
            if content is None or hashlib.sha256(content).hexdigest() != each["sha256"]:
                message = (
                    f"{data['order_no']}: an object differs from its event's digest"
                )
                self._findings.report("I3", message)

    def _check_objects(self) -> None:
        for key, content in self._stores.evidence.objects.items():
            if self._objects.setdefault(key, content) != content:
                self._findings.report("I4", f"{key} was replaced")


def referenced_objects(data: dict[str, object]) -> list[dict[str, str]]:
    """Return the objects that an event references: photos and manifest."""
    manifest = [data["manifest"]] if "manifest" in data else []
    photos = cast("list[dict[str, str]]", data.get("photos", []))
    return [*photos, *cast("list[dict[str, str]]", manifest)]


def object_key(uri: str) -> str:
    return uri.removeprefix("file:///evidence/")
