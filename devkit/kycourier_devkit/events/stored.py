"""Finds events in the orders' rows."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from kycourier.container import Container
from kycourier.core.orders.pages import OrderFilter
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    OutboxEvent,
)
from kycourier.core.timing import PARK_GRACE
from kycourier_devkit.events.selection import EventFilter

_PAGE = 100
_MAX_OUTAGE = timedelta(days=1)


class StoredEvent(Struct, frozen=True):
    """An event, and the row that holds it."""

    record: OrderRecord
    event: OutboxEvent

    @property
    def made_at(self) -> datetime:
        """When the event was made; rows of an earlier release only know the change."""
        return self.event.created_at or self.record.updated_at


class EventRows:
    """Reads the events of one app.

    Rows are found by when their order was registered. An event is made at most
    `horizon` later, unless the order was reopened after that, or the service stood
    still for more than a day.
    """

    def __init__(self, container: Container) -> None:
        self._app_id, self._orders = container.app_id, container.stores.orders
        ttl = container.settings.order_ttl_seconds
        self.horizon: timedelta = ttl + PARK_GRACE + _MAX_OUTAGE

    def now(self) -> datetime:
        """Returns the store's clock."""
        return self._orders.now()

    def get(self, order_no: str) -> OrderRecord | None:
        """Reads an order's row."""
        return self._orders.get(OrderKey(self._app_id, order_no))

    def of_order(self, order_no: str) -> list[StoredEvent] | None:
        """Returns an order's events, the oldest first; None for an unknown order."""
        record = self.get(order_no)
        return None if record is None else list(events_of(record))

    def registered(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        state: OrderState | None = None,
    ) -> Iterator[OrderRecord]:
        """Yields the rows that were registered then, the newest first.

        Raises:
            StoreUnavailableError: The store failed.
        """
        wanted = OrderFilter(state=state, since=since, until=until)
        after = None
        while True:
            page = self._orders.find(self._app_id, wanted, limit=_PAGE, after=after)
            yield from page.records
            after = page.next
            if after is None:
                return

    def newest(self, wanted: EventFilter, *, limit: int) -> list[StoredEvent]:
        """Returns the newest of the wanted events, the newest first."""
        found: list[tuple[datetime, str, StoredEvent]] = []
        for record in self._candidates(wanted):
            if (
                len(found) == limit
                and record.registered_at + self.horizon < found[0][0]
            ):
                break  # every other event is older
            for stored in events_of(record):
                if wanted.matches(stored.event, at=stored.made_at):
                    heapq.heappush(found, (stored.made_at, stored.event.id, stored))
                    if len(found) > limit:
                        heapq.heappop(found)
        return [stored for _, _, stored in sorted(found, reverse=True)]

    def all(self, wanted: EventFilter) -> list[StoredEvent]:
        """Returns all wanted events, the oldest first."""
        found = [
            stored
            for record in self._candidates(wanted)
            for stored in events_of(record)
            if wanted.matches(stored.event, at=stored.made_at)
        ]
        return in_order(found)

    def find_id(self, event_id: str, *, max_orders: int) -> StoredEvent | None:
        """Returns the event of an id among those of the newest orders."""
        for count, record in enumerate(self.registered()):
            if count == max_orders:
                break
            for stored in events_of(record):
                if stored.event.id == event_id:
                    return stored
        return None

    def _candidates(self, wanted: EventFilter) -> Iterator[OrderRecord]:
        since = wanted.since and wanted.since - self.horizon
        return self.registered(since=since, until=wanted.until)


def events_of(record: OrderRecord) -> Iterator[StoredEvent]:
    """Yields a row's events, the oldest first."""
    return (StoredEvent(record, event) for event in record.events)


def in_order(events: list[StoredEvent]) -> list[StoredEvent]:
    """Returns events by when they were made, the oldest first."""
    return sorted(events, key=lambda stored: (stored.made_at, stored.event.id))
