"""Queries one order's result, with the few repeats that one attempt may make."""

from datetime import timedelta

from kycourier.core.causes import Cause, Problem
from kycourier.core.documents.recognition import NO_OPTIONS, Options
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
from kycourier.core.wire.responses import (
    NoResponse,
    call_result,
    no_response,
    read_response,
)
from kycourier.ports import KycTransport, RuntimeDeps, Stores
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.provide_ticket import TicketProvider

AttemptDecision = Store | Retry | Finish
_EXPLAINING = {
    Cause.APP_STOPPED,
    Cause.REFRESH_REFUSED,
    Cause.SECRET_UNREADABLE,
    Cause.TICKET_UNREADABLE,
}


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
        options: Options = NO_OPTIONS,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._transport, self._tickets, self._breaker = transport, tickets, breaker
        self._call_seconds, self._photo_patience = call_seconds, photo_patience
        self._options = options
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
        except TicketUnavailableError as no:
            return _refused(reply, no.problem), False
        except (StoreUnavailableError, NewerSchemaError):
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
            return NoResponse(problem=Problem(Cause.OUT_OF_TIME), signal=None)
        document = document_type(record.document)
        request = document.build_request(
            app_id=record.app_id,
            order_no=record.order_no,
            ticket=ticket.value,
            nonce=self._random.nonce(),
            options=self._options,
        )
        reply: Reply
        try:
            response = self._transport.send(
                request, timeout_seconds=deadline.for_call(self._call_seconds)
            )
            reply = read_response(
                response, lambda body: document.parse_reply(body, self._options)
            )
        except TransportError as error:
            reply = no_response(error)
        if call := call_result(reply):
            self._breaker.record(call)
        return reply


def _without_ticket(error: KycourierError) -> NoResponse:
    """Returns why there is no ticket as the query's reply.

    A refused ticket call means the same as a query refused for that.
    """
    if not isinstance(error, TicketUnavailableError):
        return NoResponse(problem=Problem(Cause(error.code)), signal=None)
    class_ = error.class_
    if class_ not in {CodeClass.CREDENTIALS, CodeClass.THROTTLED}:
        class_ = CodeClass.TRANSIENT
    return NoResponse(problem=error.problem, class_=class_, signal=None)


def _refused(reply: Reply, renewal: Problem) -> Reply:
    """Returns a query's refusal; why there is no other ticket may explain it better."""
    if renewal.cause not in _EXPLAINING:
        return reply
    return NoResponse(problem=renewal, class_=CodeClass.CREDENTIALS, signal=None)


def _is_refused(reply: Reply) -> bool:
    return isinstance(reply, Rejected) and reply.class_ is CodeClass.CREDENTIALS


def _waits_for_photos(decision: AttemptDecision | PollPhotos) -> bool:
    return isinstance(decision, Retry) and decision.reason is Reason.PHOTOS_PENDING
