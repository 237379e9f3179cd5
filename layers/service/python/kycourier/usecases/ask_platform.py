"""Ask for one order's result, with the few repeats that one invocation may make."""

from datetime import timedelta

from kycourier.core import codes
from kycourier.core.codes import CodeClass
from kycourier.core.decision import (
    AskAgain,
    Collect,
    Reply,
    Settle,
    Wait,
    count_photo_try,
    decide,
    note_reply,
)
from kycourier.core.errors import (
    KycourierError,
    NewerSchema,
    StoreUnavailable,
    TicketUnavailable,
    UpstreamUnreachable,
)
from kycourier.core.models import OrderKey
from kycourier.core.order_record import OrderRecord, Reason
from kycourier.core.reply import Unanswered, read_reply, signal_of
from kycourier.core.ticket import SigningTicket
from kycourier.core.wire import Refusal, build_result_request, parse_result_reply
from kycourier.ports import Ambient, KycTransport, State
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.time_left import TimeLeft
from kycourier.usecases.use_ticket import Tickets

Verdict = Collect | Wait | Settle


class AskPlatform:
    """Queries with a ticket: renews it once, and asks again for late photos."""

    def __init__(
        self,
        *,
        transport: KycTransport,
        tickets: Tickets,
        brake: BrakeGuard,
        call_seconds: float,
        photo_patience: timedelta,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._transport, self._tickets, self._brake = transport, tickets, brake
        self._call_seconds, self._photo_patience = call_seconds, photo_patience
        self._orders = state.orders
        self._clock, self._nonces = ambient.clock, ambient.nonces

    def ask(
        self, record: OrderRecord, time_left: TimeLeft
    ) -> tuple[OrderRecord, Verdict]:
        """Ask until it can be decided: the row with replies counted, and a verdict.

        Raises nothing: what fails about the ticket or the brake is waited for.
        """
        may_renew = True
        while True:
            reply, may_renew = self._ask_once(
                record.key, time_left, may_renew=may_renew
            )
            record, verdict = self._judge(record, reply)
            if not isinstance(verdict, AskAgain):
                return record, verdict
            seconds = verdict.delay.total_seconds()
            if time_left.is_short(for_seconds=seconds):
                return record, Wait(Reason.PHOTOS_PENDING, verdict.delay)
            self._clock.sleep(seconds)
            if self._is_paused():
                return record, Wait(Reason.PHOTOS_PENDING, verdict.delay)

    def _is_paused(self) -> bool:
        try:
            return self._brake.rest() is not None
        except (StoreUnavailable, NewerSchema):
            return False

    def _ask_once(
        self, order: OrderKey, time_left: TimeLeft, *, may_renew: bool
    ) -> tuple[Reply, bool]:
        """Query with the ticket of this moment, and once more if renewing helps."""
        try:
            ticket = self._tickets.current(time_left)
        except (TicketUnavailable, StoreUnavailable, NewerSchema) as error:
            return _without_ticket(error), may_renew
        reply = self._query(order, ticket, time_left)
        if not (may_renew and _is_refused(reply)):
            return reply, may_renew
        try:
            newer = self._tickets.renew(ticket, time_left)
        except (TicketUnavailable, StoreUnavailable, NewerSchema):
            return reply, False
        return self._query(order, newer, time_left), False

    def _judge(
        self, record: OrderRecord, reply: Reply
    ) -> tuple[OrderRecord, Verdict | AskAgain]:
        now = self._orders.now()
        record = note_reply(record, reply, now=now)
        verdict = decide(
            record,
            reply,
            now=now,
            draw=self._nonces.draw(),
            photo_patience=self._photo_patience,
        )
        if isinstance(verdict, AskAgain) or _waits_for_photos(verdict):
            record = count_photo_try(record)
        return record, verdict

    def _query(
        self, order: OrderKey, ticket: SigningTicket, time_left: TimeLeft
    ) -> Reply:
        """Send one query; whatever happens is a reply, and the brake hears of it."""
        if time_left.is_short():
            return Unanswered(name="out_of_time", asked=False)
        nonce = self._nonces.nonce()
        request = build_result_request(order, ticket=ticket.value, nonce=nonce)
        reply: Reply
        try:
            raw = self._transport.send(
                request, timeout_seconds=time_left.for_call(self._call_seconds)
            )
            reply = read_reply(raw, parse_result_reply)
        except UpstreamUnreachable as error:
            reply = Unanswered(name=error.code)
        signal, least = signal_of(reply)
        self._brake.report(signal, least=least)
        return reply


def _without_ticket(error: KycourierError) -> Reply:
    """Take a refused ticket call as the query's own reply where it says the same."""
    code = error.refused_with if isinstance(error, TicketUnavailable) else None
    if code and codes.find(code).class_ in {CodeClass.CREDENTIALS, CodeClass.THROTTLED}:
        return Refusal(code)
    return Unanswered(name=error.code, asked=False)


def _is_refused(reply: Reply) -> bool:
    return (
        isinstance(reply, Refusal)
        and codes.find(reply.code).class_ is CodeClass.CREDENTIALS
    )


def _waits_for_photos(verdict: Verdict | AskAgain) -> bool:
    return isinstance(verdict, Wait) and verdict.reason is Reason.PHOTOS_PENDING
