"""Queue messages and direct calls: batches side by side, each record for itself."""

from collections.abc import Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from kycourier.core.errors import (
    BadRequest,
    NewerSchema,
    StoreUnavailable,
    tell_failure,
)
from kycourier.core.events import parse_traceparent
from kycourier.core.hidden import shows
from kycourier.core.message import is_reminder, parse_body, parse_order
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, describe
from kycourier.core.outcomes import EFFECTS, Delivery, Outcome, outcome_of
from kycourier.ports import Ambient, State
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.register_order import Expected, RegisterOrder
from kycourier.usecases.side_by_side import SideBySide
from kycourier.usecases.time_left import TimeLeft

Answer = dict[str, object]
KEEP_SECONDS, KEEP_RECORD_SECONDS = 0.5, 0.001  # for all of a batch, for each record


@shows("id")
class _Message(Struct, frozen=True):
    """One record of a batch, as far as it concerns us. `id`: None where the trigger
    takes nothing back but the whole batch.
    """  # noqa: D205 - one sentence

    id: str | None
    body: bytes
    traceparent: str | None = None


class OrdersQueue:
    """Answers an SQS or CKafka batch, and a direct call with the order."""

    def __init__(
        self,
        app_id: str,
        *,
        register: RegisterOrder,
        collector: CollectResult,
        pool: SideBySide,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._register = app_id, register
        self._collector, self._pool = collector, pool
        self._orders, self._journal = state.orders, ambient.journal

    def answer(self, event: object, time_left: TimeLeft) -> Answer:
        """Take a batch (`Records`) or one order's members. Raises KycourierError."""
        if isinstance(event, dict) and "Records" in event:
            return self._answer_batch(event["Records"], time_left)
        try:
            record = self._collect(event, self._expect(event, None), time_left)
        except BadRequest as error:
            self._keep_poison("direct", error)
            return {"code": error.problem, "status": 400}
        shown: Answer = msgspec.to_builtins(describe(record))
        return shown

    def _answer_batch(self, records: object, time_left: TimeLeft) -> Answer:
        messages = self._parse_messages(records)
        ours = sum(message.id is None for message in messages)
        ends = time_left.but(seconds=_keeping_seconds(ours, time_left))
        futures = self._pool.run(self._deliver, messages, ends)
        returned, left = [], []
        for message, future in zip(messages, futures, strict=True):
            error = future.exception()
            if error is None and future.result() is Delivery.ACKNOWLEDGE:
                continue
            if message.id is None:
                left.append(message)
            else:
                returned.append(message.id)
            if error is not None:
                fact = "order_skipped" if message.id is None else "record_returned"
                self._note(fact, message.id, error)
        self._keep_all(left, time_left)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in returned]}

    def _deliver(self, message: _Message, time_left: TimeLeft) -> Delivery:
        """Work on one record; what was not begun or not stored raises."""
        try:
            members = parse_body(message.body)
            expected = self._expect(members, message.traceparent)
        except BadRequest as error:
            if message.id is None:
                self._keep_poison("ckafka", error)
                return Delivery.ACKNOWLEDGE
            self._note_unusable(message.id, error)
            return EFFECTS[Outcome.BAD_REQUEST].delivery
        record = self._collect(members, expected, time_left)
        return EFFECTS[outcome_of(record.state, record.reason)].delivery

    def _keep_all(self, messages: list[_Message], time_left: TimeLeft) -> None:
        """Keep what is left of CKafka's records. Raises StoreUnavailable.

        That alone brings the whole batch again.
        """
        if not messages:
            return
        for future in self._pool.run(self._keep, messages, time_left):
            error = future.exception()
            if error is not None:
                self._note("record_returned", None, error)
                raise StoreUnavailable("a record could not be kept")

    def _keep(self, message: _Message, _: TimeLeft) -> None:
        """Make an order due in its row, whatever kept it from being collected.

        A row of a newer release is kept as it is.
        """
        try:
            expected = self._expect(parse_body(message.body), None)
        except BadRequest as error:
            self._keep_poison("ckafka", error)
            return
        with suppress(NewerSchema):
            self._register.make_due(expected)

    def _expect(self, members: object, traceparent: str | None) -> Expected:
        key, document = parse_order(members, app_id=self._app_id)
        return Expected(order=key, document=document, traceparent=traceparent)

    def _collect(
        self, members: object, expected: Expected, time_left: TimeLeft
    ) -> OrderRecord:
        """Collect the order that a message names; a reminder of ours heeds its due."""
        urgency = Urgency.DUE if is_reminder(members) else Urgency.NOTIFIED
        return self._collector.collect(expected, urgency=urgency, time_left=time_left)

    def _parse_messages(self, records: object) -> list[_Message]:
        """Read the envelope; a record without an id is kept, as none can return it."""
        if not isinstance(records, list):
            self._keep_poison("batch", BadRequest("bad_envelope"))
            return []
        messages = []
        for record in records:
            message = _parse_record(record)
            if message is None:
                self._keep_poison("batch", BadRequest("bad_envelope"))
            else:
                messages.append(message)
        return messages

    def _keep_poison(self, source: str, error: BadRequest) -> None:
        """Keep and count what nobody can return: where from and why, never what."""
        self._note_unusable(source, error)
        self._orders.record_poison(self._app_id, source=source, problem=error.problem)

    def _note_unusable(self, source: str, error: BadRequest) -> None:
        self._journal.note("message_unusable", source=source, problem=error.problem)
        outcome = Outcome.BAD_REQUEST.value
        self._journal.note("request_refused", outcome=outcome, problem=error.problem)

    def _note(self, fact: str, identity: str | None, error: BaseException) -> None:
        self._journal.note(fact, source=identity or "ckafka", **tell_failure(error))


def _parse_record(record: object) -> _Message | None:
    """Read a record of SQS or CKafka; None when it is neither."""
    if not isinstance(record, dict):
        return None
    kafka, identity = record.get("Ckafka"), record.get("messageId")
    if isinstance(kafka, dict):
        return _Message(None, _encode(kafka.get("msgBody")))
    if isinstance(identity, str) and identity:
        body = _encode(record.get("body"))
        return _Message(identity, body, _find_traceparent(record))
    return None


def _keeping_seconds(records: int, time_left: TimeLeft) -> float:
    """Tell how long before the end only rows are written, for so many of CKafka's."""
    if not records:
        return 0.0
    wanted = KEEP_SECONDS + KEEP_RECORD_SECONDS * records
    return min(wanted, time_left.seconds() / 2)


def _encode(body: object) -> bytes:
    """Give a record's text; anything else is as unusable as none."""
    return body.encode(errors="surrogatepass") if isinstance(body, str) else b""


def _find_traceparent(record: Mapping[str, object]) -> str | None:
    attributes = record.get("messageAttributes")
    named = attributes.get("traceparent") if isinstance(attributes, dict) else None
    return (
        parse_traceparent(named.get("stringValue")) if isinstance(named, dict) else None
    )
