"""Judges every change of a row: I2, I4, I8, I11 and I13."""

from collections import defaultdict
from typing import cast

from kycourier.core.models import OrderKey
from kycourier.core.order import CLOCK_GRACE, Urgency
from kycourier.core.order_record import OrderRecord, OutboxEvent, Reason, State
from simulation.gate import Call
from simulation.stores import Stores
from simulation.verdict import Verdict

NOT_READY_SECONDS = (5.0, 15.0, 60.0, 300.0, 3600.0)  # design.md, Asking again
PHOTO_SECONDS = {1: 1.0, 2: 2.0, 3: 4.0, 4: 15.0, 5: 30.0}
PATIENCE_SECONDS = 300.0
LONGEST_BACK_OFF = 305.0  # 5 min, and what spreads a fleet behind a pause
ONE_OF = {State.COLLECTED.value, State.REJECTED.value, State.EXPIRED.value}


class OrdersJudge:
    """Knows the highest fence given for each order, and each event's first bytes."""

    def __init__(self, verdict: Verdict, stores: Stores) -> None:
        self._verdict, self._stores = verdict, stores
        self._fences: dict[OrderKey, int] = defaultdict(int)
        self._events: dict[tuple[str, str], tuple[str, str]] = {}
        self.claims: dict[tuple[str, str], tuple[OrderKey, int]] = {}
        self.reopened: set[str] = set()

    def load(self, call: Call) -> OrderRecord | None:
        """Give the row that a write names, as it stands."""
        return self._stores.orders.load(cast("OrderRecord", call.args[0]).key)

    def judge(self, call: Call, before: OrderRecord | None) -> None:
        """Judge what a write did to its row."""
        after = self.load(call)
        if after is None or after == before:
            return
        if before is not None:
            self._judge_change(before, after)
        if call.verb == "claim":
            self._judge_claim(call, before, after)
        elif call.verb == "commit":
            self._judge_commit(call, before)
        kinds = [event.type.split(".")[2] for event in after.events]
        if len(set(kinds)) != len(kinds) or len(ONE_OF & set(kinds)) > 1:
            self._verdict.violate("I2", f"{after.order_no}: events {kinds}")
        for event in after.events:
            self.judge_event(after.order_no, event)

    def judge_event(self, order_no: str, event: OutboxEvent) -> None:
        """Hold an event to the first of its order and type."""
        first = self._events.setdefault((order_no, event.type), (event.id, event.body))
        if first != (event.id, event.body):
            self._verdict.violate("I2", f"{order_no}: a second {event.type}")

    def _judge_change(self, before: OrderRecord, after: OrderRecord) -> None:
        order_no, violate = after.order_no, self._verdict.violate
        if after.version <= before.version or after.fence < before.fence:
            violate("I11", f"{order_no}: version or fence went back")
        if before.state.is_final and after.state is not before.state:
            if before.state is not State.PARKED or order_no not in self.reopened:
                violate("I13", f"{order_no}: {before.state} became {after.state}")
            self._verdict.see("parked order reopened")
        kept = after.events[: len(before.events)]
        if [event.body for event in kept] != [event.body for event in before.events]:
            violate("I2", f"{order_no}: an event's bytes changed")
        if before.folder is not None and after.folder != before.folder:
            violate("I4", f"{order_no}: the evidence folder changed")
        if before.state is State.COLLECTING and after.state is State.WAITING:
            self._judge_wait(before, after)

    def _judge_wait(self, before: OrderRecord, after: OrderRecord) -> None:
        """Hold a wait against the published schedule."""
        assert after.due_at is not None
        delay = (after.due_at - after.updated_at).total_seconds()
        least, most = 0.0, LONGEST_BACK_OFF
        if after.reason == Reason.NOT_READY.value:
            step = NOT_READY_SECONDS[min(before.not_ready_tries, 4)]
            to_deadline = (before.deadline_at - after.updated_at).total_seconds()
            least, most = min(step, to_deadline), max(step, LONGEST_BACK_OFF)
            if before.turn_at and after.updated_at + CLOCK_GRACE < before.turn_at:
                to_turn = (before.turn_at - after.updated_at).total_seconds()
                least = most = to_turn
        elif after.reason == Reason.PHOTOS_PENDING.value:
            assert after.photos_since is not None
            waited = (after.updated_at - after.photos_since).total_seconds()
            step = PHOTO_SECONDS.get(after.photo_tries, 60.0)
            least = min(step, PATIENCE_SECONDS - waited)
        if not least - 0.001 <= delay <= most:
            told = f"{after.order_no}: {after.reason} waits {delay:.1f} s"
            self._verdict.violate("I8", told)

    def _judge_claim(
        self, call: Call, before: OrderRecord | None, after: OrderRecord
    ) -> None:
        order_no, violate = after.order_no, self._verdict.violate
        if after.fence <= self._fences[after.key]:
            violate("I11", f"{order_no}: fence {after.fence} given twice")
        self._fences[after.key] = after.fence
        self.claims[call.machine.name, order_no] = (after.key, after.fence)
        if before is None:
            return
        now = self._stores.clock.now()
        if before.state is State.COLLECTING:
            assert before.lease_ends_at is not None
            self._verdict.see("lease taken after its end")
            if now < before.lease_ends_at:
                violate("I11", f"{order_no}: taken from its running owner")
        elif before.state is State.WAITING and call.named["urgency"] is Urgency.DUE:
            assert before.due_at is not None
            if (before.due_at - now).total_seconds() > 1:
                violate("I8", f"{order_no}: claimed before it was due")

    def _judge_commit(self, call: Call, before: OrderRecord | None) -> None:
        expected = cast("OrderRecord", call.named["expected"])
        if expected.fence < self._fences[expected.key]:
            self._verdict.violate("I11", f"{call.machine.name} wrote with an old fence")
        if before is None or expected.version != before.version:
            told = f"{call.machine.name} wrote over an unseen version"
            self._verdict.violate("I11", told)
