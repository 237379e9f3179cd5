"""Queries one order's result, with the few repeats that one attempt may make."""

from datetime import timedelta

from kycourier.core.documents.registry import document_type
from kycourier.core.errors import (
    KycourierError,
    NewerSchemaError,
    StoreUnavailableError,
    TicketUnavailableError,
    TransportError,
)
from kycourier.core.orders.decisions import (
    Finish,
    PollPhotos,
    Reply,
    Retry,
    Store,
    count_photo_try,
    count_reply,
    decide,
)
from kycourier.core.orders.record import OrderRecord, Reason
from kycourier.core.result_codes import CodeClass, Rejected
from kycourier.core.tickets.pair import SigningTicket
from kycourier.core.wire.responses import NoResponse, read_response, signal_of
from kycourier.ports import KycTransport, RuntimeDeps, Stores
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.provide_ticket import TicketProvider

AttemptDecision = Store | Retry | Finish


class ResultQuery:
    """Queries with a ticket: renews it once, and queries again for late photos."""

    def __init__(
        self,
        *,
        transport: KycTransport,
        tickets: TicketProvider,
        breaker: CircuitBreaker,
        call_seconds: float,
        photo_patience: timedelta,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._transport, self._tickets, self._breaker = transport, tickets, breaker
        self._call_seconds, self._photo_patience = call_seconds, photo_patience
        self._orders = stores.orders
        self._clock, self._random = deps.clock, deps.random

    def query(
        self, record: OrderRecord, deadline: Deadline
    ) -> tuple[OrderRecord, AttemptDecision]:
        """Queries until the attempt can end. Raises nothing.

        Returns:
            The row with the replies counted, and how the attempt ends.
        """
        may_renew = True
        while True:
            reply, may_renew = self._query_once(record, deadline, may_renew=may_renew)
            record, decision = self._decide(record, reply)
            if not isinstance(decision, PollPhotos):
                return record, decision
            seconds = decision.delay.total_seconds()
            if deadline.is_short(for_seconds=seconds):
                return record, Retry(Reason.PHOTOS_PENDING, decision.delay)
            self._clock.sleep(seconds)
            if self._is_open():
                return record, Retry(Reason.PHOTOS_PENDING, decision.delay)

    def _is_open(self) -> bool:
        try:
            return self._breaker.open_for() is not None
        except (StoreUnavailableError, NewerSchemaError):
            return False

    def _query_once(
        self, record: OrderRecord, deadline: Deadline, *, may_renew: bool
    ) -> tuple[Reply, bool]:
        """Queries with the current ticket, and once more with a renewed one."""
        try:
            ticket = self._tickets.current(deadline)
        except (TicketUnavailableError, StoreUnavailableError, NewerSchemaError) as no:
            return _without_ticket(no), may_renew
        reply = self._send(record, ticket, deadline)
        if not (may_renew and _is_refused(reply)):
            return reply, may_renew
        try:
            newer = self._tickets.renew(ticket, deadline)
        except (TicketUnavailableError, StoreUnavailableError, NewerSchemaError):
            return reply, False
        return self._send(record, newer, deadline), False

    def _decide(
        self, record: OrderRecord, reply: Reply
    ) -> tuple[OrderRecord, AttemptDecision | PollPhotos]:
        now = self._orders.now()
        record = count_reply(record, reply, now=now)
        decision = decide(
            record,
            reply,
            now=now,
            draw=self._random.draw(),
            photo_patience=self._photo_patience,
        )
        if isinstance(decision, PollPhotos) or _waits_for_photos(decision):
            record = count_photo_try(record)
        return record, decision

    def _send(
        self, record: OrderRecord, ticket: SigningTicket, deadline: Deadline
    ) -> Reply:
        """Sends one query; every end is a reply, and is recorded in the breaker."""
        if deadline.is_short():
            return NoResponse(name="out_of_time", sent=False)
        document = document_type(record.document)
        request = document.build_request(
            app_id=record.app_id,
            order_no=record.order_no,
            ticket=ticket.value,
            nonce=self._random.nonce(),
        )
        reply: Reply
        try:
            response = self._transport.send(
                request, timeout_seconds=deadline.for_call(self._call_seconds)
            )
            reply = read_response(response, document.parse_reply)
        except TransportError as error:
            reply = NoResponse(name=error.code)
        signal, min_open = signal_of(reply)
        self._breaker.record(signal, min_open=min_open)
        return reply


def _without_ticket(error: KycourierError) -> Reply:
    """Returns a refused ticket call as the query's reply if it means the same."""
    if isinstance(error, TicketUnavailableError) and error.rejected is not None:
        refused_by = {CodeClass.CREDENTIALS, CodeClass.THROTTLED}
        if error.rejected.class_ in refused_by:
            return error.rejected
    return NoResponse(name=error.code, sent=False)


def _is_refused(reply: Reply) -> bool:
    return isinstance(reply, Rejected) and reply.class_ is CodeClass.CREDENTIALS


def _waits_for_photos(decision: AttemptDecision | PollPhotos) -> bool:
    return isinstance(decision, Retry) and decision.reason is Reason.PHOTOS_PENDING
