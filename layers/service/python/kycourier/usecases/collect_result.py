"""Collects one order: from its number to its evidence and one event.

claim → ticket → sign → query → decide → store photos and manifest → commit (row and
outbox, fenced) → publish → mark as sent. After a crash at any step, the sweep or the
next delivery continues from what the row holds.
"""

from contextlib import suppress
from datetime import timedelta

from kycourier.core.causes import Cause, Problem, count_problem
from kycourier.core.documents.recognition import Recognition
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
    decide_failure,
)
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.record import OrderRecord, OrderState
from kycourier.core.orders.results import FinalReason, OrderResult, RefusedResult
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import error_fields
from kycourier.core.timing import (
    BREAKER_SPREAD_SECONDS,
    DUE_TOLERANCE,
    WORK_LEASE_GRACE_SECONDS,
)
from kycourier.ports import RuntimeDeps, Stores
from kycourier.usecases.attempt_end import AttemptEnd
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.publish_events import EventPublisher
from kycourier.usecases.query_result import ResultQuery
from kycourier.usecases.register_order import RegisterOrder, check_document
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
        attempt_end: AttemptEnd,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._register, self._query, self._breaker = register, query, breaker
        self._evidence, self._publisher = evidence, publisher
        self._attempt_end = attempt_end
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
            ApiProblemError: the order is of another document; it is untouched.
            StoreUnavailableError: the store failed.
            NewerSchemaError: a newer release wrote the row.
        """
        if deadline.is_short():
            raise OutOfTimeError
        permit = self._breaker.request_permit()
        if permit.pause is not None:
            return self._defer(
                request,
                urgency,
                permit.pause,
                problem=permit.problem,
                deadline=deadline,
            )
        grace = deadline.seconds() + WORK_LEASE_GRACE_SECONDS
        try:
            claim = self._orders.claim(
                self._register.draft(request),
                owner=self._random.nonce(),
                lease=timedelta(seconds=grace),
                urgency=urgency,
                document=request.document,
                folder=new_folder(self._orders.now(), nonce=self._random.nonce()),
            )
            if not claim.granted:
                check_document(request, claim.record)
                return self._publish_due(claim.record, deadline)
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
        committed = self._attempt_end.commit(changed, claimed)
        if committed is not changed:
            return committed
        return self._publisher.publish(committed, deadline)

    def _publish_due(self, record: OrderRecord, deadline: Deadline) -> OrderRecord:
        """Publishes for a message that reminds of events that were refused."""
        if not (record.state.is_final and record.unsent and record.due_at):
            return record
        if record.due_at > self._orders.now() + DUE_TOLERANCE:
            return record
        return self._publisher.publish(record, deadline)

    def _store(self, record: OrderRecord, recognition: Recognition) -> OrderRecord:
        """Stores the evidence first: the event names only what is stored."""
        try:
            result = self._evidence.store(record, recognition)
        except (EvidenceConflictError, EvidenceUnavailableError) as error:
            self._event_log.emit(
                error.code, order_no=record.order_no, **error_fields(error)
            )
            problem = Problem(Cause(error.code))
        else:
            refused = isinstance(result, RefusedResult)
            state = OrderState.REJECTED if refused else OrderState.COLLECTED
            return self._finish(record, state, result)
        now, draw = self._orders.now(), self._random.draw()
        if problem.cause is Cause.EVIDENCE_CONFLICT:
            name = problem.cause.value
            return self._end(record, Finish(OrderState.PARKED, "", name, problem))
        return self._end(record, decide_failure(record, problem, now=now, draw=draw))

    def _end(self, record: OrderRecord, decision: Finish | Retry) -> OrderRecord:
        if isinstance(decision, Retry):
            return self._retry_later(record, decision)
        result = FinalReason(code=decision.code, name=decision.name)
        return self._finish(record, decision.state, result, decision.problem)

    def _finish(
        self,
        record: OrderRecord,
        state: OrderState,
        result: OrderResult,
        problem: Problem | None = None,
    ) -> OrderRecord:
        now, event_id = self._orders.now(), self._random.nonce()
        last = problem and count_problem(record.last_problem, problem, now=now)
        event = build_event(
            record,
            state,
            {**result.data(), **({"last_problem": last.describe()} if last else {})},
            event_id=event_id,
            now=now,
        )
        return state_machine.finish(
            record,
            state=state,
            reason=result.reason,
            result=result,
            event=event,
            now=now,
            problem=problem,
        )

    def _retry_later(self, record: OrderRecord, decision: Retry) -> OrderRecord:
        """Waits at least until the breaker closes, with a spread against bursts."""
        delay = decision.delay
        with suppress(StoreUnavailableError, NewerSchemaError):
            if pause := self._breaker.open_for():
                delay = max(delay, self._spread(pause))
        now = self._orders.now()
        return state_machine.retry_later(
            record,
            reason=decision.reason,
            delay=delay,
            now=now,
            problem=decision.problem,
        )

    def _defer(
        self,
        request: OrderRequest,
        urgency: Urgency,
        pause: timedelta,
        *,
        problem: Problem,
        deadline: Deadline,
    ) -> OrderRecord:
        """Keeps the order in its row until the circuit breaker closes.

        A pause is a failure like any other: it does not outlast the order's deadline.
        """
        record = self._register.register(request).record
        now = self._orders.now()
        if not state_machine.may_claim(record, now=now, urgency=urgency):
            return record
        draw = self._random.draw()
        decision = decide_failure(record, problem, now=now, draw=draw)
        if isinstance(decision, Retry):
            decision = Retry(decision.reason, self._spread(pause), problem)
        changed = self._end(record, decision)
        try:
            self._orders.commit(changed, expected=record)
        except StaleOwnerError:
            return self._orders.get(record.key) or record
        self._attempt_end.announce(changed)
        return self._publisher.publish(changed, deadline)

    def _spread(self, pause: timedelta) -> timedelta:
        return pause + timedelta(seconds=BREAKER_SPREAD_SECONDS * self._random.draw())
