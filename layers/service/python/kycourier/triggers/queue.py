"""Queue messages and direct calls: batches run concurrently, records independently."""

from contextlib import suppress

import msgspec

from kycourier.core.errors import (
    ApiProblemError,
    NewerSchemaError,
    StoreUnavailableError,
)
from kycourier.core.orders.order_request import (
    OrderRequest,
    is_reminder,
    parse_body,
    parse_order_request,
)
from kycourier.core.orders.outcomes import EFFECTS, Delivery, Outcome, outcome_of
from kycourier.core.orders.record import OrderRecord, describe
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import error_fields
from kycourier.core.timing import KEEP_BATCH_SECONDS, KEEP_RECORD_SECONDS
from kycourier.ports import RuntimeDeps, Stores
from kycourier.triggers.envelopes import (
    Message,
    parse_batch,
    parse_notification,
    unwrap,
)
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.concurrency import BoundedPool
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.register_order import RegisterOrder

Response = dict[str, object]


class QueueTrigger:
    """Handles batches of SQS and CKafka, notifications, and direct calls."""

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
        """Handles a batch, a notification, or one order's members.

        Returns:
            `{"batchItemFailures": […]}` for a batch, the order for anything else.

        Raises:
            KycourierError: a single event failed, or a record could not be returned or
                kept.
        """
        batch = parse_batch(event)
        if batch is not None:
            return self._handle_batch(*batch, deadline)
        if isinstance(event, dict) and "order_no" in event:
            return self._handle_call(event, deadline)
        return self._handle_notification(event, deadline)

    def _handle_call(self, event: Response, deadline: Deadline) -> Response:
        """Handles a direct call, whose caller reads the response."""
        try:
            request = self._parse(event, None)
            return _show(self._collect(event, request, deadline))
        except ApiProblemError as error:
            self._record_poison("direct", error)
            return {"code": error.problem, "status": 400}

    def _handle_notification(self, event: object, deadline: Deadline) -> Response:
        """Handles what SNS or EventBridge sends; they take any return for success."""
        try:
            members, traceparent = parse_notification(event)
            request = self._parse(members, traceparent)
            return _show(self._collect(members, request, deadline))
        except ApiProblemError as error:
            self._record_poison("notification", error)
            raise

    def _handle_batch(
        self, messages: list[Message], unknown: int, deadline: Deadline
    ) -> Response:
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
        self._refuse_unknown(unknown, is_kafka=kept > 0)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in returned]}

    def _refuse_unknown(self, count: int, *, is_kafka: bool) -> None:
        """Counts records without an id; CKafka alone would retry them for ever.

        Raises:
            ApiProblemError: `bad_envelope`; another trigger retries and gives up.
        """
        for _ in range(count):
            self._record_poison("batch", ApiProblemError("bad_envelope"))
        if count and not is_kafka:
            raise ApiProblemError("bad_envelope")

    def _deliver(self, message: Message, deadline: Deadline) -> Delivery:
        """Works on one record; raises if it was not started or not stored."""
        try:
            members = unwrap(parse_body(message.body))
            request = self._parse(members, message.traceparent)
            record = self._collect(members, request, deadline)
        except ApiProblemError as error:
            if message.id is None:
                self._record_poison("ckafka", error)
                return Delivery.ACKNOWLEDGE
            self._log_unprocessable(message.id, error)
            return EFFECTS[Outcome.BAD_REQUEST].delivery
        return EFFECTS[outcome_of(record.state, record.reason)].delivery

    def _keep_all(self, messages: list[Message], deadline: Deadline) -> None:
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

    def _keep(self, message: Message, _: Deadline) -> None:
        """Makes an order due in its row; a row of a newer release is left alone."""
        try:
            request = self._parse(unwrap(parse_body(message.body)), None)
            with suppress(NewerSchemaError):
                self._register.make_due(request)
        except ApiProblemError as error:
            self._record_poison("ckafka", error)

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


def _reserve_seconds(records: int, deadline: Deadline) -> float:
    """Returns the time kept for writing so many CKafka records to their rows."""
    if not records:
        return 0.0
    needed = KEEP_BATCH_SECONDS + KEEP_RECORD_SECONDS * records
    return min(needed, deadline.seconds() / 2)


def _show(record: OrderRecord) -> Response:
    shown: Response = msgspec.to_builtins(describe(record))
    return shown
