"""Queue messages and direct calls: batches side by side, each record for itself."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from kycourier.core.errors import BadRequest, HandlerFailed, tell_failure
from kycourier.core.events import parse_traceparent
from kycourier.core.hidden import shows
from kycourier.core.message import is_reminder, parse_body, parse_order
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, describe
from kycourier.core.outcomes import EFFECTS, Delivery, Outcome, outcome_of
from kycourier.ports import Ambient, State
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.register_order import Expected
from kycourier.usecases.side_by_side import SideBySide
from kycourier.usecases.time_left import TimeLeft

Answer = dict[str, object]


@shows("id")
class _Message(Struct, frozen=True):
    """One record of a batch, as far as it concerns us."""

    id: str
    body: bytes
    traceparent: str | None


class OrdersQueue:
    """Answers an SQS batch with its failures, and a direct call with the order."""

    def __init__(
        self,
        app_id: str,
        *,
        collector: CollectResult,
        pool: SideBySide,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._collector, self._pool = app_id, collector, pool
        self._orders, self._journal = state.orders, ambient.journal

    def answer(self, event: object, time_left: TimeLeft) -> Answer:
        """Take a batch (`Records`) or one order's members. Raises KycourierError."""
        if isinstance(event, dict) and "Records" in event:
            return self._answer_batch(event["Records"], time_left)
        try:
            record = self._collect(event, None, time_left)
        except BadRequest as error:
            self._keep_poison("direct", error)
            return {"code": error.problem, "status": 400}
        shown: Answer = msgspec.to_builtins(describe(record))
        return shown

    def _answer_batch(self, records: object, time_left: TimeLeft) -> Answer:
        messages = self._parse_messages(records)
        futures = self._pool.run(
            lambda message: self._deliver(message, time_left), messages
        )
        returned = []
        for message, future in zip(messages, futures, strict=True):
            error = future.exception()
            if error is not None:
                self._note_returned(message, error)
            if error is not None or future.result() is Delivery.RETURN:
                returned.append({"itemIdentifier": message.id})
        return {"batchItemFailures": returned}

    def _deliver(self, message: _Message, time_left: TimeLeft) -> Delivery:
        """Work on one record; what was not begun or not stored raises."""
        try:
            members = parse_body(message.body)
            record = self._collect(members, message.traceparent, time_left)
        except BadRequest as error:
            self._note_unusable(message.id, error)
            return EFFECTS[Outcome.BAD_REQUEST].delivery
        return EFFECTS[outcome_of(record.state, record.reason)].delivery

    def _collect(
        self, members: object, traceparent: str | None, time_left: TimeLeft
    ) -> OrderRecord:
        """Collect the order that a message names; a reminder of ours heeds its due."""
        key, document = parse_order(members, app_id=self._app_id)
        return self._collector.collect(
            Expected(order=key, document=document, traceparent=traceparent),
            urgency=Urgency.DUE if is_reminder(members) else Urgency.NOTIFIED,
            time_left=time_left,
        )

    def _parse_messages(self, records: object) -> list[_Message]:
        """Read the envelope; a record without an id is kept, as none can return it."""
        if not isinstance(records, list):
            self._keep_poison("batch", BadRequest("bad_envelope"))
            return []
        messages = []
        for record in records:
            if isinstance(record, dict) and "Ckafka" in record:
                raise HandlerFailed("CKafka is not part of this release")
            identity = record.get("messageId") if isinstance(record, dict) else None
            if isinstance(identity, str) and identity:
                body = str(record.get("body", "")).encode(errors="surrogatepass")
                messages.append(_Message(identity, body, _find_traceparent(record)))
            else:
                self._keep_poison("batch", BadRequest("bad_envelope"))
        return messages

    def _keep_poison(self, source: str, error: BadRequest) -> None:
        """Keep and count what nobody can return: where from and why, never what."""
        self._note_unusable(source, error)
        self._orders.record_poison(self._app_id, source=source, problem=error.problem)

    def _note_unusable(self, source: str, error: BadRequest) -> None:
        self._journal.note("message_unusable", source=source, problem=error.problem)
        outcome = Outcome.BAD_REQUEST.value
        self._journal.note("request_refused", outcome=outcome, problem=error.problem)

    def _note_returned(self, message: _Message, error: BaseException) -> None:
        self._journal.note("record_returned", source=message.id, **tell_failure(error))


def _find_traceparent(record: Mapping[str, object]) -> str | None:
    attributes = record.get("messageAttributes")
    named = attributes.get("traceparent") if isinstance(attributes, dict) else None
    return (
        parse_traceparent(named.get("stringValue")) if isinstance(named, dict) else None
    )
