"""Collects one order: from its number to its evidence and one event.

claim → ticket → sign → query → decide → store photos and manifest → commit (row and
outbox, fenced) → publish → mark as sent. After a crash at any step, the sweep or the
next delivery continues from what the row holds.
"""

from contextlib import suppress
from datetime import timedelta

from kycourier.core.documents.recognition import Recognition
from kycourier.core.documents.registry import document_type
from kycourier.core.errors import (
    EvidenceConflictError,
    EvidenceUnavailableError,
    NewerSchemaError,
    OutOfTimeError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.events.cloudevents import build_event
from kycourier.core.evidence import new_folder
from kycourier.core.orders import state_machine
from kycourier.core.orders.decisions import (
    Finish,
    Retry,
    Store,
    count_failure,
    decide_failure,
)
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.outcomes import outcome_of
from kycourier.core.orders.record import OrderRecord, OrderState, Reason
from kycourier.core.orders.results import CollectedResult, FinalReason, OrderResult
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import error_fields
from kycourier.core.timing import BREAKER_SPREAD_SECONDS, WORK_LEASE_GRACE_SECONDS
from kycourier.ports import RuntimeDeps, Stores, WorkQueue
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.publish_events import EventPublisher
from kycourier.usecases.query_result import ResultQuery
from kycourier.usecases.register_order import RegisterOrder
from kycourier.usecases.store_evidence import EvidenceWriter


class CollectResult:
    """Works on one order at a time; several threads may share it."""

    def __init__(
        self,
        register: RegisterOrder,
        *,
        query: ResultQuery,
        breaker: CircuitBreaker,
        evidence: EvidenceWriter,
        publisher: EventPublisher,
        queue: WorkQueue | None,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._register, self._query, self._breaker = register, query, breaker
        self._evidence, self._publisher, self._queue = evidence, publisher, queue
        self._orders, self._random = stores.orders, deps.random
        self._event_log = deps.event_log

    def collect(
        self, request: OrderRequest, *, urgency: Urgency, deadline: Deadline
    ) -> OrderRecord:
        """Collects the order if it may be claimed now.

        Args:
            request: The order.
            urgency: What starts the attempt.
            deadline: The invocation's.

        Returns:
            The row afterwards, whoever changed it.

        Raises:
            OutOfTimeError: too little time is left; nothing was begun.
            StoreUnavailableError: the store failed.
            NewerSchemaError: a newer release wrote the row.
        """
        if deadline.is_short():
            raise OutOfTimeError
        permit = self._breaker.request_permit()
        if permit.pause is not None:
            return self._defer(request, urgency, permit.pause)
        grace = deadline.seconds() + WORK_LEASE_GRACE_SECONDS
        try:
            claim = self._orders.claim(
                self._register.draft(request),
                owner=self._random.nonce(),
                lease=timedelta(seconds=grace),
                urgency=urgency,
                folder=new_folder(self._orders.now(), nonce=self._random.nonce()),
            )
            if not claim.granted:
                return claim.record
            return self._process(claim.record, deadline)
        finally:
            self._breaker.release(permit)

    def _process(self, claimed: OrderRecord, deadline: Deadline) -> OrderRecord:
        record, decision = self._query.query(claimed, deadline)
        match decision:
            case Store(recognition):
                changed = self._store(record, recognition)
            case Finish() | Retry():
                changed = self._end(record, decision)
        return self._commit(changed, claimed)

    def _store(self, record: OrderRecord, recognition: Recognition) -> OrderRecord:
        """Stores the evidence first: the event names only what is stored."""
        try:
            result = self._evidence.store(record, recognition)
        except (EvidenceConflictError, EvidenceUnavailableError) as error:
            self._event_log.emit(
                error.code, order_no=record.order_no, **error_fields(error)
            )
            name, is_final = error.code, isinstance(error, EvidenceConflictError)
        else:
            return self._finish(record, OrderState.COLLECTED, result, reason=None)
        now, draw = self._orders.now(), self._random.draw()
        record = count_failure(record, now=now)
        decision = (
            Finish(OrderState.PARKED, "", name)
            if is_final
            else decide_failure(record, name, now=now, draw=draw)
        )
        return self._end(record, decision)

    def _end(self, record: OrderRecord, decision: Finish | Retry) -> OrderRecord:
        if isinstance(decision, Retry):
            return self._retry_later(record, decision)
        result = FinalReason(code=decision.code, name=decision.name)
        return self._finish(record, decision.state, result, reason=decision.name)

    def _finish(
        self,
        record: OrderRecord,
        state: OrderState,
        result: OrderResult,
        reason: str | None,
    ) -> OrderRecord:
        now, event_id = self._orders.now(), self._random.nonce()
        event = build_event(record, state, result.data(), event_id=event_id, now=now)
        return state_machine.finish(
            record, state=state, reason=reason, result=result, event=event, now=now
        )

    def _retry_later(self, record: OrderRecord, decision: Retry) -> OrderRecord:
        """Waits at least until the breaker closes, with a spread against bursts."""
        delay = decision.delay
        with suppress(StoreUnavailableError, NewerSchemaError):
            if pause := self._breaker.open_for():
                delay = max(delay, self._spread(pause))
        now = self._orders.now()
        return state_machine.retry_later(
            record, reason=decision.reason, delay=delay, now=now
        )

    def _commit(self, changed: OrderRecord, claimed: OrderRecord) -> OrderRecord:
        try:
            self._orders.commit(changed, expected=claimed)
        except StaleOwnerError:
            return self._yield_to_new_owner(changed, claimed)
        self._log_end(changed)
        self._enqueue(changed)
        return self._publisher.publish(changed)

    def _yield_to_new_owner(
        self, changed: OrderRecord, claimed: OrderRecord
    ) -> OrderRecord:
        """Leaves the row to its newer owner; a different result is logged."""
        number = claimed.order_no
        self._event_log.emit(
            "stale_owner_refused", order_no=number, fence=claimed.fence
        )
        stored = self._orders.get(claimed.key)
        if stored is None:
            raise StoreUnavailableError("the row is gone")
        if _results_differ(stored, changed):
            self._event_log.emit("result_conflict", order_no=number)
        return self._recheck_orphans(stored) if changed.events else stored

    def _recheck_orphans(self, stored: OrderRecord) -> OrderRecord:
        """Has the sweep report what this attempt stored beside the evidence."""
        if not stored.state.is_final:
            return stored
        changed = state_machine.recheck_orphans(stored, now=self._orders.now())
        try:
            self._orders.commit(changed, expected=stored)
        except (StaleOwnerError, StoreUnavailableError):
            return stored
        return changed

    def _defer(
        self, request: OrderRequest, urgency: Urgency, pause: timedelta
    ) -> OrderRecord:
        """Keeps the order in its row until the circuit breaker closes."""
        record = self._register.register(request).record
        now = self._orders.now()
        if not state_machine.may_claim(record, now=now, urgency=urgency):
            return record
        waiting = state_machine.retry_later(
            record, reason=Reason.THROTTLED, delay=self._spread(pause), now=now
        )
        try:
            self._orders.commit(waiting, expected=record)
        except StaleOwnerError:
            return self._orders.get(record.key) or record
        self._enqueue(waiting)
        return waiting

    def _enqueue(self, record: OrderRecord) -> None:
        """Enqueues a reminder; without one, the sweep finds the order."""
        if self._queue is None or record.state.is_final or record.due_at is None:
            return
        try:
            self._queue.enqueue(record.key, record.due_at - self._orders.now())
        except StoreUnavailableError:
            self._event_log.emit("enqueue_failed", order_no=record.order_no)

    def _log_end(self, record: OrderRecord) -> None:
        self._event_log.emit(
            "order_settled" if record.state.is_final else "order_waiting",
            order_no=record.order_no,
            state=record.state.value,
            reason=record.reason,
            attempts=record.attempts,
        )
        outcome = outcome_of(record.state, record.reason)
        self._event_log.emit("attempt_ended", outcome=outcome.value)

    def _spread(self, pause: timedelta) -> timedelta:
        return pause + timedelta(seconds=BREAKER_SPREAD_SECONDS * self._random.draw())


def _results_differ(one: OrderRecord, other: OrderRecord) -> bool:
    """Checks whether two rows of an order hold different results."""
    if not (
        isinstance(one.result, CollectedResult)
        and isinstance(other.result, CollectedResult)
    ):
        return False
    identity = document_type(one.document).identity
    return identity(one.result.masked) != identity(other.result.masked)
