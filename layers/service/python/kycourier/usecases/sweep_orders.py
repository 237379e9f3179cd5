"""Sweeps: works on what is due and what no message, call or worker has taken up.

Due orders, attempts whose lease ended, orphaned objects, and beside them unsent events;
page by page, until all is done or time is short.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from msgspec import Struct

from kycourier.core.errors import OutOfTimeError, StaleOwnerError
from kycourier.core.orders import follow_up
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.pages import Cursor, Page
from kycourier.core.orders.record import OrderRecord, PendingWork
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import error_fields
from kycourier.core.timing import (
    CALL_RESERVE_SECONDS,
    PARK_GRACE,
    SWEEP_PART_RESERVE_SECONDS,
)
from kycourier.ports import RuntimeDeps, Stores
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.concurrency import BoundedPool
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.publish_events import EventPublisher
from kycourier.usecases.store_evidence import EvidenceWriter

PAGE = 50


class SweepReport(Struct, frozen=True, kw_only=True):
    """How many orders one sweep found due and unsent, and how many it had to skip."""

    due: int
    unsent: int
    skipped: int


class SweepPools(Struct, frozen=True, kw_only=True):
    """Threads for the two parts of a sweep, and for the orders of each."""

    orders: BoundedPool
    deliveries: BoundedPool
    parts: BoundedPool


class SweepOrders:
    """Works through what is due; an order that fails delays no other."""

    def __init__(
        self,
        app_id: str,
        *,
        collector: CollectResult,
        breaker: CircuitBreaker,
        evidence: EvidenceWriter,
        publisher: EventPublisher,
        pools: SweepPools,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._app_id, self._collector, self._breaker = app_id, collector, breaker
        self._evidence, self._publisher, self._pools = evidence, publisher, pools
        self._orders, self._event_log = stores.orders, deps.event_log

    def sweep(self, deadline: Deadline) -> SweepReport:
        """Sweeps until nothing is due or time is short.

        Raises:
            StoreUnavailableError: the store failed.
        """
        unsent = _Listing(self._orders.list_unsent, since=_unsent_since)
        due = _Listing(self._orders.list_due, since=lambda row: row.due_at)
        parts = [partial(self._publish_all, unsent), partial(self._process_all, due)]
        futures = self._pools.parts.run(
            lambda part, until: part(until), parts, deadline
        )
        skipped = sum(future.result() for future in futures)
        if unreadable := unsent.unreadable + due.unreadable:
            self._event_log.emit("rows_unreadable", count=unreadable)
        now = self._orders.now()
        self._event_log.emit(
            "sweep_finished",
            orders_due=due.count,
            orders_unsent=unsent.count,
            oldest_due_seconds=due.oldest_seconds(now),
            oldest_unsent_seconds=unsent.oldest_seconds(now),
        )
        return SweepReport(due=due.count, unsent=unsent.count, skipped=skipped)

    def _publish_all(self, unsent: "_Listing", deadline: Deadline) -> int:
        """Publishes what is unsent, beside the other part: a sink may be slow."""
        until, skipped = deadline.minus(seconds=SWEEP_PART_RESERVE_SECONDS), 0
        while not (until.is_short() or unsent.is_done):
            records = unsent.page(self._app_id)
            if self._publisher.is_paused():
                unsent.is_done = True  # its first page is enough for the metrics
                records = ()
            pool = self._pools.deliveries
            skipped += self._run(self._publish, records, until, pool=pool)
        return skipped

    def _process_all(self, due: "_Listing", deadline: Deadline) -> int:
        """Collects what is due, and checks for orphans."""
        until, skipped = deadline.minus(seconds=SWEEP_PART_RESERVE_SECONDS), 0
        while not (until.is_short() or due.is_done):
            records = due.page(self._app_id)
            if self._breaker.open_for() is not None:
                due.is_done = True
                records = tuple(filter(self._may_process_while_open, records))
            pool = self._pools.orders
            skipped += self._run(self._process, records, until, pool=pool)
        return skipped

    def _run(
        self,
        work: Callable[[OrderRecord, Deadline], None],
        records: tuple[OrderRecord, ...],
        deadline: Deadline,
        *,
        pool: BoundedPool,
    ) -> int:
        """Works on a page concurrently; returns how many orders were skipped."""
        futures = pool.run(work, records, deadline)
        skipped = 0
        for record, future in zip(records, futures, strict=True):
            error = future.exception()
            if error is not None:
                skipped += 1
                self._event_log.emit(
                    "order_skipped", order_no=record.order_no, **error_fields(error)
                )
        return skipped

    def _may_process_while_open(self, record: OrderRecord) -> bool:
        """Checks for work without calls: orphans, and orders past their deadline."""
        if record.pending_work is PendingWork.CHECK_ORPHANS:
            return True
        return self._orders.now() >= record.deadline_at + PARK_GRACE

    def _process(self, record: OrderRecord, deadline: Deadline) -> None:
        if record.pending_work is PendingWork.CHECK_ORPHANS:
            self._check_orphans(record, deadline)
            return
        request = OrderRequest(order=record.key, document=record.document)
        self._collector.collect(request, urgency=Urgency.DUE, deadline=deadline)

    def _publish(self, record: OrderRecord, deadline: Deadline) -> None:
        if deadline.is_short():
            raise OutOfTimeError
        if not self._publisher.is_paused():
            until = deadline.minus(seconds=CALL_RESERVE_SECONDS)
            self._publisher.publish_due(record, until)

    def _check_orphans(self, record: OrderRecord, deadline: Deadline) -> None:
        """Reports the objects that earlier attempts left in the evidence folder."""
        if deadline.is_short():
            raise OutOfTimeError
        for key in self._evidence.orphans(record):
            self._event_log.emit("object_orphaned", order_no=record.order_no, key=key)
        try:
            checked = follow_up.mark_orphans_checked(record, now=self._orders.now())
            self._orders.commit(checked, expected=record)
        except StaleOwnerError:
            return  # reopened meanwhile: checked again after its next end


class _ListPage(Protocol):
    def __call__(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page: ...


def _unsent_since(record: OrderRecord) -> datetime | None:
    return record.unsent_since or record.due_at


class _Listing:
    """One list of due rows, read page by page; `since` returns how long a row waits."""

    def __init__(
        self, list_page: _ListPage, *, since: Callable[[OrderRecord], datetime | None]
    ) -> None:
        self._list_page, self._since = list_page, since
        self._after: Cursor | None = None
        self._oldest: datetime | None = None
        self.count = self.unreadable = 0
        self.is_done = False

    def page(self, app_id: str) -> tuple[OrderRecord, ...]:
        """Returns the next rows; none if there are no more."""
        if self.is_done:
            return ()
        page = self._list_page(app_id, limit=PAGE, after=self._after)
        waiting = [at for at in map(self._since, page.records) if at is not None]
        oldest = [self._oldest] if self._oldest is not None else []
        self._oldest = min([*oldest, *waiting], default=None)
        self._after, self.is_done = page.next, page.next is None
        self.count += len(page.records)
        self.unreadable += page.unreadable
        return page.records

    def oldest_seconds(self, now: datetime) -> float:
        """Returns how long the oldest row has waited, 0 if none did."""
        if self._oldest is None:
            return 0.0
        return max(0.0, (now - self._oldest).total_seconds())
