"""Sends one event of an order again: the same id and bytes, however often."""

from kycourier.core.errors import (
    SinkUnavailableError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders import follow_up
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    OutboxEvent,
)
from kycourier.core.redaction import error_fields
from kycourier.ports import EventSink, RuntimeDeps, Stores


class EventResender:
    """Sends events from the outbox on request, whether or not they were sent before."""

    def __init__(self, sink: EventSink, *, stores: Stores, deps: RuntimeDeps) -> None:
        self._sink, self._orders = sink, stores.orders
        self._event_log = deps.event_log

    def resend(self, order: OrderKey, event_id: str) -> OutboxEvent | None:
        """Sends the event, and marks it as sent if it was not.

        A failure changes nothing in the row: the sweep's schedule goes on.

        Returns:
            The event; None if there is no such order, or no such event of it.

        Raises:
            SinkUnavailableError: the sink refused the event.
            StoreUnavailableError: the store failed; nothing was sent.
            NewerSchemaError: a newer release wrote the row.
        """
        record = self._orders.get(order)
        events = record.events if record else ()
        event = next((each for each in events if each.id == event_id), None)
        if record is None or event is None:
            return None
        try:
            self._sink.publish((event,))
        except SinkUnavailableError as error:
            self._event_log.emit(
                "event_publish_failed", order_no=order.order_no, **error_fields(error)
            )
            raise
        self._event_log.emit(
            "event_published", order_no=order.order_no, state=event.type
        )
        if not event.sent:
            self._mark_sent(record, event)
        return event

    def _mark_sent(self, record: OrderRecord, event: OutboxEvent) -> None:
        """Marks the event, unless the row has changed: sending again is harmless.

        A row that is being collected is left to its owner, whose commit would fail.
        """
        if record.state is OrderState.COLLECTING:
            return
        now = self._orders.now()
        marked = follow_up.mark_event_sent(record, event.id, now=now)
        try:
            self._orders.commit(marked, expected=record)
        except (StaleOwnerError, StoreUnavailableError):
            return
