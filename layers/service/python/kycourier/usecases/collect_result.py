"""From a ready order to its evidence and one event, told so that a crash is repaired.

claim → ticket → sign → query → decide → put photos and manifest → commit (row and
outbox, fenced) → publish → mark sent. After any step the sweep or the next delivery
goes on from what the row says.
"""

from contextlib import suppress
from datetime import timedelta

from kycourier.core import events, order
from kycourier.core.decision import (
    Collect,
    Settle,
    Wait,
    decide_failure,
    note_failing,
)
from kycourier.core.errors import (
    EvidenceConflict,
    EvidenceUnavailable,
    NewerSchema,
    OutOfTime,
    StaleOwner,
    StoreUnavailable,
    tell_failure,
)
from kycourier.core.events import Members
from kycourier.core.models import Recognition
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, Reason
from kycourier.core.order_record import State as OrderState
from kycourier.core.outcomes import outcome_of
from kycourier.ports import Ambient, State, WorkQueue
from kycourier.usecases.ask_platform import AskPlatform
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.keep_evidence import EvidenceKeeper
from kycourier.usecases.register_order import Expected, RegisterOrder
from kycourier.usecases.send_events import EventSender
from kycourier.usecases.time_left import TimeLeft

LEASE_GRACE_SECONDS = 2.0
SPREAD_SECONDS = 5.0


class CollectResult:
    """Works on one order at a time; safe to call from several threads."""

    def __init__(
        self,
        register: RegisterOrder,
        *,
        platform: AskPlatform,
        brake: BrakeGuard,
        evidence: EvidenceKeeper,
        sender: EventSender,
        queue: WorkQueue | None,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._register, self._platform, self._brake = register, platform, brake
        self._evidence, self._sender, self._queue = evidence, sender, queue
        self._orders, self._nonces = state.orders, ambient.nonces
        self._journal = ambient.journal

    def collect(
        self,
        expected: Expected,
        *,
        urgency: Urgency,
        time_left: TimeLeft,
    ) -> OrderRecord:
        """Collect the order if it may be worked on now; give its row as it is then.

        Raises OutOfTime before anything was begun, StoreUnavailable, NewerSchema.
        """
        if time_left.is_short():
            raise OutOfTime
        permit = self._brake.ask()
        if permit.pause is not None:
            return self._put_off(expected, urgency, permit.pause)
        try:
            claim = self._orders.claim(
                self._register.draft(expected),
                owner=self._nonces.nonce(),
                lease=timedelta(seconds=time_left.seconds() + LEASE_GRACE_SECONDS),
                urgency=urgency,
                folder=self._new_folder(),
            )
            if not claim.granted:
                return claim.record
            return self._work(claim.record, time_left)
        finally:
            self._brake.give_back(permit)

    def _work(self, claimed: OrderRecord, time_left: TimeLeft) -> OrderRecord:
        record, verdict = self._platform.ask(claimed, time_left)
        match verdict:
            case Collect(recognition):
                changed = self._keep_and_settle(record, recognition)
            case Settle() | Wait():
                changed = self._end(record, verdict)
        return self._commit(changed, claimed)

    def _keep_and_settle(
        self, record: OrderRecord, recognition: Recognition
    ) -> OrderRecord:
        """Evidence first: the event is built once every object it names is stored."""
        try:
            data = self._evidence.keep(record, recognition)
        except (EvidenceConflict, EvidenceUnavailable) as error:
            told = tell_failure(error)
            self._journal.note(error.code, order_no=record.order_no, **told)
            name, is_final = error.code, isinstance(error, EvidenceConflict)
        else:
            return self._settle(record, OrderState.COLLECTED, data, reason=None)
        now, draw = self._orders.now(), self._nonces.draw()
        record = note_failing(record, now=now)
        verdict = (
            Settle(OrderState.PARKED, "", name)
            if is_final
            else decide_failure(record, name, now=now, draw=draw)
        )
        return self._end(record, verdict)

    def _end(self, record: OrderRecord, verdict: Settle | Wait) -> OrderRecord:
        if isinstance(verdict, Wait):
            return self._wait(record, verdict)
        data = events.build_reason_data(code=verdict.code, name=verdict.name)
        return self._settle(record, verdict.state, data, reason=verdict.name)

    def _settle(
        self, record: OrderRecord, state: OrderState, data: Members, reason: str | None
    ) -> OrderRecord:
        now, event_id = self._orders.now(), self._nonces.nonce()
        event = events.build_event(record, state, data, event_id=event_id, now=now)
        return order.settle(record, state=state, reason=reason, event=event, now=now)

    def _wait(self, record: OrderRecord, verdict: Wait) -> OrderRecord:
        """Wait at least as long as the app's pause, not all for the same moment."""
        delay = verdict.delay
        with suppress(StoreUnavailable, NewerSchema):
            if pause := self._brake.rest():
                delay = max(delay, self._spread(pause))
        now = self._orders.now()
        return order.wait(record, reason=verdict.reason, delay=delay, now=now)

    def _commit(self, changed: OrderRecord, claimed: OrderRecord) -> OrderRecord:
        try:
            self._orders.commit(changed, expected=claimed)
        except StaleOwner:
            return self._give_way(changed, claimed)
        self._tell(changed)
        self._enqueue(changed)
        return self._sender.send(changed)

    def _give_way(self, changed: OrderRecord, claimed: OrderRecord) -> OrderRecord:
        """Leave the row to its newer owner; another result than its own is told."""
        number = claimed.order_no
        self._journal.note("stale_owner_refused", order_no=number, fence=claimed.fence)
        stands = self._orders.load(claimed.key)
        if stands is None:
            raise StoreUnavailable("the row is gone")
        if events.results_differ(stands.events, changed.events):
            self._journal.note("result_conflict", order_no=number)
        return self._tidy_later(stands) if changed.events else stands

    def _tidy_later(self, stands: OrderRecord) -> OrderRecord:
        """Have the sweep report what we put beside the evidence that counts."""
        if not stands.state.is_final:
            return stands
        changed = order.tidy_again(stands, now=self._orders.now())
        try:
            self._orders.commit(changed, expected=stands)
        except (StaleOwner, StoreUnavailable):
            return stands
        return changed

    def _put_off(
        self, expected: Expected, urgency: Urgency, pause: timedelta
    ) -> OrderRecord:
        """Keep the order safe in its row until the app's pause is over."""
        record = self._register.register(expected).record
        now = self._orders.now()
        if not order.may_claim(record, now=now, urgency=urgency):
            return record
        delay = self._spread(pause)
        waiting = order.wait(record, reason=Reason.THROTTLED, delay=delay, now=now)
        try:
            self._orders.commit(waiting, expected=record)
        except StaleOwner:
            return self._orders.load(record.key) or record
        self._enqueue(waiting)
        return waiting

    def _enqueue(self, record: OrderRecord) -> None:
        """Ask the queue to bring the order back; the sweep finds it in any case."""
        if self._queue is None or record.state.is_final or record.due_at is None:
            return
        try:
            self._queue.enqueue(record.key, record.due_at - self._orders.now())
        except StoreUnavailable:
            self._journal.note("work_not_enqueued", order_no=record.order_no)

    def _tell(self, record: OrderRecord) -> None:
        fact = "order_settled" if record.state.is_final else "order_waiting"
        self._journal.note(
            fact,
            order_no=record.order_no,
            state=record.state.value,
            reason=record.reason,
            attempts=record.attempts,
        )
        outcome = outcome_of(record.state, record.reason)
        self._journal.note("attempt_ended", outcome=outcome.value)

    def _spread(self, pause: timedelta) -> timedelta:
        return pause + timedelta(seconds=SPREAD_SECONDS * self._nonces.draw())

    def _new_folder(self) -> str:
        return f"{self._orders.now():%Y/%m/%d}/{self._nonces.nonce()}"
