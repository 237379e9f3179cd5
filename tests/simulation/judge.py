"""Judges every call of a run as it happens: what may never be, and what was seen.

It looks only at what is outside the service: stores, sink, platform and answers.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import cast

from kycourier.core.models import Lease
from kycourier.core.order_record import OrderRecord, OutboxEvent
from simulation.gate import Call
from simulation.judge_brake import BrakeJudge
from simulation.judge_orders import OrdersJudge
from simulation.judge_tickets import TicketsJudge
from simulation.stores import Stores
from simulation.verdict import Verdict

ROWS = {"orders.claim", "orders.register", "orders.commit"}


class Judge:
    """Holds each call against the invariants that can be judged then."""

    def __init__(
        self,
        verdict: Verdict,
        *,
        orders: OrdersJudge,
        tickets: TicketsJudge,
        brake: BrakeJudge,
        stores: Stores,
    ) -> None:
        self._verdict, self._stores = verdict, stores
        self.orders, self.tickets, self.brake = orders, tickets, brake
        self._sent: Counter[str] = Counter()
        self._objects: dict[str, bytes] = {}

    def begins(self, call: Call, *, after: str | None) -> None:
        """Judge whether a call may be made now; `after` is its task's call before."""
        if call.name in {"kyc.token", "kyc.ticket"} and after != "leases.acquire":
            told = f"{call.machine.name} did not look at its lease before {call.name}"
            self._verdict.violate("I6", told)
        if call.name == "kyc.query":
            self.brake.judge_query(call)

    def before(self, call: Call) -> OrderRecord | None:
        """Keep the row that a write may change."""
        return self.orders.load(call) if call.name in ROWS else None

    def failed(self, call: Call) -> None:
        """Keep that a call failed, as far as it excuses something."""
        if call.name == "tickets.load":
            self.tickets.note_failed_load(call)

    def after(self, call: Call, before: OrderRecord | None, answer: object) -> None:
        """Judge what a call did."""
        match call.name:
            case "orders.claim" | "orders.register" | "orders.commit":
                self.orders.judge(call, before)
            case "brakes.trip" | "brakes.release":
                self.brake.note()
            case "leases.acquire":
                self.tickets.judge_lease(call, cast("Lease | None", answer))
            case "tickets.save":
                self.tickets.judge_save(call)
            case "evidence.put":
                self._judge_objects()
            case "sink.publish":
                self._judge_publish(cast("Sequence[OutboxEvent]", call.args[0]))
            case "kyc.query":
                self.tickets.judge_queries(self.orders.claims)
        self.tickets.judge_overlaps()

    def _judge_publish(self, events: Sequence[OutboxEvent]) -> None:
        for event in events:
            members = json.loads(event.body)
            if members["id"] != event.id or members["type"] != event.type:
                self._verdict.violate("I2", "an event's body is not its row's")
            self.orders.judge_event(members["subject"], event)
            self._sent[event.id] += 1
            if self._sent[event.id] > 1:
                self._verdict.see("outbox re-sent")
            self._judge_evidence(members["data"])

    def _judge_evidence(self, data: dict[str, object]) -> None:
        for each in objects_named(data):
            content = self._stores.evidence.objects.get(key_of(each["uri"]))
            if content is None or hashlib.sha256(content).hexdigest() != each["sha256"]:
                told = f"{data['order_no']}: an object is not as its event names it"
                self._verdict.violate("I3", told)

    def _judge_objects(self) -> None:
        for key, content in self._stores.evidence.objects.items():
            if self._objects.setdefault(key, content) != content:
                self._verdict.violate("I4", f"{key} was replaced")


def objects_named(data: dict[str, object]) -> list[dict[str, str]]:
    """Give the objects that an event names: photos, and the manifest."""
    manifest = [data["manifest"]] if "manifest" in data else []
    photos = cast("list[dict[str, str]]", data.get("photos", []))
    return [*photos, *cast("list[dict[str, str]]", manifest)]


def key_of(uri: str) -> str:
    return uri.removeprefix("file:///evidence/")
