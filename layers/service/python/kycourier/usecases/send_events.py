"""Hand the outbox to the sink, and note in the row that it was taken."""

from kycourier.core import order, retry
from kycourier.core.errors import (
    SinkUnavailable,
    StaleOwner,
    StoreUnavailable,
    tell_failure,
)
from kycourier.core.order_record import OrderRecord
from kycourier.ports import Ambient, EventSink, State


class EventSender:
    """Sends a row's unsent events; the same bytes and ids, however often."""

    def __init__(self, sink: EventSink, *, state: State, ambient: Ambient) -> None:
        self._sink, self._orders = sink, state.orders
        self._nonces, self._journal = ambient.nonces, ambient.journal

    def send(self, record: OrderRecord) -> OrderRecord:
        """Publish, then mark; give the row as it is then.

        A sink or store that fails leaves the events in the outbox, due again soon.
        """
        if not record.unsent:
            return record
        try:
            self._sink.publish(record.unsent)
        except SinkUnavailable as error:
            number, told = record.order_no, tell_failure(error)
            self._journal.note("event_not_sent", order_no=number, **told)
            return self._later(record)
        for event in record.unsent:
            self._journal.note("event_sent", order_no=record.order_no, state=event.type)
        return self._commit(record, order.mark_sent(record, now=self._orders.now()))

    def _later(self, record: OrderRecord) -> OrderRecord:
        if not record.state.is_final:
            return record
        delay = retry.after_failure(record.tries, draw=self._nonces.draw())
        now = self._orders.now()
        return self._commit(record, order.send_later(record, delay=delay, now=now))

    def _commit(self, record: OrderRecord, changed: OrderRecord) -> OrderRecord:
        """Commit, or leave it to the sweep: a repeat is harmless."""
        try:
            self._orders.commit(changed, expected=record)
        except (StaleOwner, StoreUnavailable):
            return record
        return changed
