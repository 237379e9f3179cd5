"""Find what is due and nobody is working on: the net below every other way in.

Due orders, collections whose lease ended, events not yet sent, and objects that no
manifest names; page by page, until all is done or time is short.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from kycourier.core import order
from kycourier.core.errors import OutOfTime, StaleOwner, tell_failure
from kycourier.core.order import Urgency
from kycourier.core.order_record import Need, OrderRecord
from kycourier.ports import Ambient, Cursor, Page, State
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.keep_evidence import EvidenceKeeper
from kycourier.usecases.register_order import Expected
from kycourier.usecases.send_events import EventSender
from kycourier.usecases.side_by_side import SideBySide
from kycourier.usecases.time_left import TimeLeft

PAGE = 50


class Swept(Struct, frozen=True, kw_only=True):
    """What one sweep came by."""

    due: int
    unsent: int
    skipped: int


class SweepOrders:
    """Works through what is due; an order that fails holds up no other."""

    def __init__(
        self,
        app_id: str,
        *,
        collector: CollectResult,
        brake: BrakeGuard,
        evidence: EvidenceKeeper,
        sender: EventSender,
        pool: SideBySide,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._collector, self._brake = app_id, collector, brake
        self._evidence, self._sender, self._pool = evidence, sender, pool
        self._orders, self._journal = state.orders, ambient.journal

    def sweep(self, time_left: TimeLeft) -> Swept:
        """Sweep until nothing is due or time is short. Raises StoreUnavailable."""
        unsent = _Shelf(self._orders.unsent, since=_unsent_since)
        due = _Shelf(self._orders.due, since=lambda row: row.due_at)
        skipped = 0
        while not time_left.is_short() and not (unsent.is_done and due.is_done):
            skipped += self._run(self._send, unsent.page(self._app_id), time_left)
            records = due.page(self._app_id)
            if self._brake.rest() is not None:
                due.is_done = True  # its first page still tells how things stand
                records = tuple(each for each in records if each.need is Need.TIDY)
            skipped += self._run(self._turn, records, time_left)
        if lost := unsent.unreadable + due.unreadable:
            self._journal.note("rows_unreadable", count=lost)
        now = self._orders.now()
        self._journal.note(
            "sweep_finished",
            orders_due=due.count,
            orders_unsent=unsent.count,
            oldest_due_seconds=due.oldest_seconds(now),
            oldest_unsent_seconds=unsent.oldest_seconds(now),
        )
        return Swept(due=due.count, unsent=unsent.count, skipped=skipped)

    def _run(
        self,
        work: Callable[[OrderRecord, TimeLeft], None],
        records: tuple[OrderRecord, ...],
        time_left: TimeLeft,
    ) -> int:
        """Work on a page side by side; give how many could not be done now."""
        futures = self._pool.run(work, records, time_left)
        skipped = 0
        for record, future in zip(records, futures, strict=True):
            error = future.exception()
            if error is not None:
                skipped += 1
                number, told = record.order_no, tell_failure(error)
                self._journal.note("order_skipped", order_no=number, **told)
        return skipped

    def _turn(self, record: OrderRecord, time_left: TimeLeft) -> None:
        if record.need is Need.TIDY:
            self._tidy(record, time_left)
            return
        expected = Expected(order=record.key, document=record.document)
        self._collector.collect(expected, urgency=Urgency.DUE, time_left=time_left)

    def _send(self, record: OrderRecord, time_left: TimeLeft) -> None:
        if time_left.is_short():
            raise OutOfTime
        self._sender.send(record)

    def _tidy(self, record: OrderRecord, time_left: TimeLeft) -> None:
        """Report what earlier attempts left beside the evidence."""
        if time_left.is_short():
            raise OutOfTime
        for key in self._evidence.unreferenced(record):
            self._journal.note("object_unreferenced", order_no=record.order_no, key=key)
        try:
            tidied = order.mark_tidied(record, now=self._orders.now())
            self._orders.commit(tidied, expected=record)
        except StaleOwner:
            return  # reopened meanwhile: its next end is tidied again


class _Listing(Protocol):
    def __call__(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page: ...


def _unsent_since(record: OrderRecord) -> datetime | None:
    return record.unsent_since or record.due_at


class _Shelf:
    """One list of due rows, read page by page; `since` tells how long one waits."""

    def __init__(
        self, listing: _Listing, *, since: Callable[[OrderRecord], datetime | None]
    ) -> None:
        self._listing, self._since = listing, since
        self._after: Cursor | None = None
        self._oldest: datetime | None = None
        self.count = self.unreadable = 0
        self.is_done = False

    def page(self, app_id: str) -> tuple[OrderRecord, ...]:
        """Give the next rows, none when there are no more."""
        if self.is_done:
            return ()
        page = self._listing(app_id, limit=PAGE, after=self._after)
        waiting = [at for at in map(self._since, page.records) if at is not None]
        oldest = [self._oldest] if self._oldest is not None else []
        self._oldest = min([*oldest, *waiting], default=None)
        self._after, self.is_done = page.next, page.next is None
        self.count += len(page.records)
        self.unreadable += page.unreadable
        return page.records

    def oldest_seconds(self, now: datetime) -> float:
        """Tell for how long the oldest waited, 0 when nothing did."""
        if self._oldest is None:
            return 0.0
        return max(0.0, (now - self._oldest).total_seconds())
