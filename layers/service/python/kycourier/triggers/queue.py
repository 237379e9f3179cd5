"""Queue messages and direct calls: batches run concurrently, records independently."""

from collections.abc import Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from kycourier.core.errors import (
    ApiProblemError,
    NewerSchemaError,
    StoreUnavailableError,
)
from kycourier.core.events.cloudevents import parse_traceparent
from kycourier.core.orders.order_request import (
    OrderRequest,
    is_reminder,
    parse_body,
    parse_order_request,
)
from kycourier.core.orders.outcomes import EFFECTS, Delivery, Outcome, outcome_of
from kycourier.core.orders.record import OrderRecord, describe
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import error_fields, repr_only
from kycourier.core.timing import KEEP_BATCH_SECONDS, KEEP_RECORD_SECONDS
from kycourier.ports import RuntimeDeps, Stores
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.concurrency import BoundedPool
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.register_order import RegisterOrder

Response = dict[str, object]


@repr_only("id")
class _Message(Struct, frozen=True):
    """One record of a batch. `id` is None if the trigger only retries whole batches."""

    id: str | None
    body: bytes
    traceparent: str | None = None


class QueueTrigger:
    """Handles SQS and CKafka batches, and direct calls with one order."""

    def __init__(
        self,
        app_id: str,
        *,
        register: RegisterOrder,
        collector: CollectResult,
        pool: BoundedPool,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._app_id, self._register = app_id, register
        self._collector, self._pool = collector, pool
        self._orders, self._event_log = stores.orders, deps.event_log

    def handle(self, event: object, deadline: Deadline) -> Response:
        """Handles a batch (`Records`) or one order's members.

        Returns:
            `{"batchItemFailures": […]}` for a batch, the order for a direct call.

        Raises:
            KycourierError: a direct call failed, or a CKafka record could not be kept.
        """
        if isinstance(event, dict) and "Records" in event:
            return self._handle_batch(event["Records"], deadline)
        try:
            record = self._collect(event, self._parse(event, None), deadline)
        except ApiProblemError as error:
            self._record_poison("direct", error)
            return {"code": error.problem, "status": 400}
        shown: Response = msgspec.to_builtins(describe(record))
        return shown

    def _handle_batch(self, records: object, deadline: Deadline) -> Response:
        messages = self._parse_messages(records)
        kept = sum(message.id is None for message in messages)
        work_deadline = deadline.minus(seconds=_reserve_seconds(kept, deadline))
        futures = self._pool.run(self._deliver, messages, work_deadline)
        returned, unfinished = [], []
        for message, future in zip(messages, futures, strict=True):
            error = future.exception()
            if error is None and future.result() is Delivery.ACKNOWLEDGE:
                continue
            if message.id is None:
                unfinished.append(message)
            else:
                returned.append(message.id)
            if error is not None:
                event = "order_skipped" if message.id is None else "record_returned"
                self._log(event, message.id, error)
        self._keep_all(unfinished, deadline)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in returned]}

    def _deliver(self, message: _Message, deadline: Deadline) -> Delivery:
        """Works on one record; raises if it was not started or not stored."""
        try:
            members = parse_body(message.body)
            request = self._parse(members, message.traceparent)
        except ApiProblemError as error:
            if message.id is None:
                self._record_poison("ckafka", error)
                return Delivery.ACKNOWLEDGE
            self._log_unprocessable(message.id, error)
            return EFFECTS[Outcome.BAD_REQUEST].delivery
        record = self._collect(members, request, deadline)
        return EFFECTS[outcome_of(record.state, record.reason)].delivery

    def _keep_all(self, messages: list[_Message], deadline: Deadline) -> None:
        """Keeps unfinished CKafka records in their rows.

        Raises:
            StoreUnavailableError: a record could not be kept; the trigger then retries
                the whole batch.
        """
        if not messages:
            return
        for future in self._pool.run(self._keep, messages, deadline):
            error = future.exception()
            if error is not None:
                self._log("record_returned", None, error)
                raise StoreUnavailableError("a record could not be kept")

    def _keep(self, message: _Message, _: Deadline) -> None:
        """Makes an order due in its row; a row of a newer release is left alone."""
        try:
            request = self._parse(parse_body(message.body), None)
        except ApiProblemError as error:
            self._record_poison("ckafka", error)
            return
        with suppress(NewerSchemaError):
            self._register.make_due(request)

    def _parse(self, members: object, traceparent: str | None) -> OrderRequest:
        return parse_order_request(
            members, app_id=self._app_id, traceparent=traceparent
        )

    def _collect(
        self, members: object, request: OrderRequest, deadline: Deadline
    ) -> OrderRecord:
        """Collects the order; our own reminder does not overrule its due time."""
        urgency = Urgency.DUE if is_reminder(members) else Urgency.NOTIFIED
        return self._collector.collect(request, urgency=urgency, deadline=deadline)

    def _parse_messages(self, records: object) -> list[_Message]:
        """Parses the batch; counts records without an id, which cannot be returned."""
        if not isinstance(records, list):
            self._record_poison("batch", ApiProblemError("bad_envelope"))
            return []
        messages = []
        for record in records:
            message = _parse_record(record)
            if message is None:
                self._record_poison("batch", ApiProblemError("bad_envelope"))
            else:
                messages.append(message)
        return messages

    def _record_poison(self, source: str, error: ApiProblemError) -> None:
        """Counts what cannot be returned: source and problem, not its content."""
        self._log_unprocessable(source, error)
        self._orders.record_poison(self._app_id, source=source, problem=error.problem)

    def _log_unprocessable(self, source: str, error: ApiProblemError) -> None:
        self._event_log.emit(
            "message_unprocessable", source=source, problem=error.problem
        )
        outcome = Outcome.BAD_REQUEST.value
        self._event_log.emit("request_refused", outcome=outcome, problem=error.problem)

    def _log(self, event: str, identity: str | None, error: BaseException) -> None:
        self._event_log.emit(event, source=identity or "ckafka", **error_fields(error))


def _parse_record(record: object) -> _Message | None:
    """Parses a record of SQS or CKafka; returns None if it is neither."""
    if not isinstance(record, dict):
        return None
    kafka, identity = record.get("Ckafka"), record.get("messageId")
    if isinstance(kafka, dict):
        return _Message(None, _encode(kafka.get("msgBody")))
    if isinstance(identity, str) and identity:
        body = _encode(record.get("body"))
        return _Message(identity, body, _find_traceparent(record))
    return None


def _reserve_seconds(records: int, deadline: Deadline) -> float:
    """Returns the time kept for writing so many CKafka records to their rows."""
    if not records:
        return 0.0
    needed = KEEP_BATCH_SECONDS + KEEP_RECORD_SECONDS * records
    return min(needed, deadline.seconds() / 2)


def _encode(body: object) -> bytes:
    """Returns a record's text; anything else counts as empty."""
    return body.encode(errors="surrogatepass") if isinstance(body, str) else b""


def _find_traceparent(record: Mapping[str, object]) -> str | None:
    attributes = record.get("messageAttributes")
    named = attributes.get("traceparent") if isinstance(attributes, dict) else None
    return (
        parse_traceparent(named.get("stringValue")) if isinstance(named, dict) else None
    )
