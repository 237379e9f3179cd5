"""Follows the events of an app: each one once, as its order ends."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from kycourier.core.errors import NewerSchemaError
from kycourier.core.orders.record import OrderRecord, OrderState
from kycourier_devkit.events.stored import (
    EventRows,
    StoredEvent,
    events_of,
    in_order,
)

_OVERLAP = timedelta(seconds=15)  # a row may be seen later than it was registered
_MAX_READ = 50
_MAX_PARKED = 1000
_MAY_END = {
    OrderState.REGISTERED,
    OrderState.COLLECTING,
    OrderState.WAITING,
    OrderState.PARKED,  # it may be reopened
}


class EventFollower:
    """Finds new events by polling the state, whichever process makes them.

    A poll finds what was registered since the one before, and reads again some of the
    orders that have not ended: those that are due, then those not read for longest.
    """

    def __init__(self, rows: EventRows, *, since: datetime) -> None:
        self._rows, self._since = rows, since
        self._seen: set[str] = set()
        self._watched: dict[str, OrderRecord] = {}  # in the order of their last reading
        self._polled_at: datetime | None = None

    def poll(self) -> list[StoredEvent]:
        """Returns the events that are new since the last poll, the oldest first.

        Raises:
            StoreUnavailableError: The store failed; the next poll goes on.
        """
        now = self._rows.now()
        if self._polled_at is None:
            records = self._first_rows()
        else:
            records = self._new_rows(self._polled_at)
            records += self._read_again(now, {row.order_no for row in records})
        self._polled_at = now
        return in_order([new for row in records for new in self._new_events(row)])

    def _first_rows(self) -> list[OrderRecord]:
        """Returns every row whose event may be wanted, or may follow."""
        rows = self._rows
        found = list(rows.registered(since=self._since - rows.horizon))
        for state in sorted(_MAY_END):
            for count, record in enumerate(rows.registered(state=state)):
                if state is OrderState.PARKED and count == _MAX_PARKED:
                    break
                found.append(record)
        return found

    def _new_rows(self, polled_at: datetime) -> list[OrderRecord]:
        return list(self._rows.registered(since=polled_at - _OVERLAP))

    def _read_again(self, now: datetime, known: set[str]) -> list[OrderRecord]:
        def is_due(record: OrderRecord) -> bool:
            due_at = None if record.state is OrderState.COLLECTING else record.due_at
            return due_at is None or due_at <= now

        watched = [row for row in self._watched.values() if row.order_no not in known]
        watched.sort(
            key=lambda row: not is_due(row)
        )  # stable: the oldest reading first
        chosen = [row.order_no for row in watched[:_MAX_READ]]
        read = [self._read(number) for number in chosen]
        for number in chosen:
            del self._watched[number]
        return [record for record in read if record is not None]

    def _read(self, order_no: str) -> OrderRecord | None:
        """Reads a row; returns None if it is gone, or a newer release wrote it."""
        with suppress(NewerSchemaError):
            return self._rows.get(order_no)
        return None

    def _new_events(self, record: OrderRecord) -> Iterable[StoredEvent]:
        self._watched.pop(record.order_no, None)
        if record.state in _MAY_END:
            self._watched[record.order_no] = record
        for stored in events_of(record):
            if stored.event.id not in self._seen and stored.made_at >= self._since:
                self._seen.add(stored.event.id)
                yield stored
