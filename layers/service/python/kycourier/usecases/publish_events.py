"""Publishes the events in an order's outbox, and records that they were accepted."""

from kycourier.core import retry
from kycourier.core.errors import (
    SinkUnavailableError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders import follow_up
from kycourier.core.orders.record import OrderRecord
from kycourier.core.redaction import error_fields
from kycourier.ports import EventSink, RuntimeDeps, Stores


class EventPublisher:
    """Publishes a row's unsent events: the same bytes and ids, however often."""

    def __init__(self, sink: EventSink, *, stores: Stores, deps: RuntimeDeps) -> None:
        self.sink, self._orders = sink, stores.orders
        self._random, self._event_log = deps.random, deps.event_log

    def publish(self, record: OrderRecord) -> OrderRecord:
        """Publishes, then marks the events as sent; returns the row afterwards.

        If sink or store fail, the events stay in the outbox and are due again soon.
        """
        if not record.unsent:
            return record
        try:
            self.sink.publish(record.unsent)
        except SinkUnavailableError as error:
            self._event_log.emit(
                "event_publish_failed", order_no=record.order_no, **error_fields(error)
            )
            return self._publish_later(record)
        for event in record.unsent:
            self._event_log.emit(
                "event_published", order_no=record.order_no, state=event.type
            )
        sent = follow_up.mark_sent(record, now=self._orders.now())
        return self._commit(record, sent)

    def _publish_later(self, record: OrderRecord) -> OrderRecord:
        if not record.state.is_final:
            return record
        delay = retry.after_failure(record.tries, draw=self._random.draw())
        later = follow_up.publish_later(record, delay=delay, now=self._orders.now())
        return self._commit(record, later)

    def _commit(self, record: OrderRecord, changed: OrderRecord) -> OrderRecord:
        """Commits, or leaves the row to the sweep: publishing again is harmless."""
        try:
            self._orders.commit(changed, expected=record)
        except (StaleOwnerError, StoreUnavailableError):
            return record
        return changed
