"""In-memory ticket, lease, order and breaker stores; records are kept as bytes."""

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from kycourier.adapters.stores.found_index import (
    Bounds,
    Candidate,
    entry_of,
    find_page,
)
from kycourier.adapters.stores.timestamps import to_ticks
from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.documents.recognition import Document
from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.pages import (
    Claim,
    Cursor,
    FindCursor,
    FoundPage,
    OrderFilter,
    Page,
)
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    OrderState,
    PendingWork,
    decode_record,
    encode_record,
)
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.tickets.pair import TicketPair, decode_pair, encode_pair
from kycourier.ports import Clock


class MemoryLeaseStore:
    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._held: dict[str, Lease] = {}
        self._fences: dict[str, int] = {}

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        with self._lock:
            now, held = self._clock.now(), self._held.get(name)
            if held and held.ends_at > now:
                mine = held.owner == owner
                return msgspec.structs.replace(held, seen_at=now) if mine else None
            fence = self._fences[name] = self.fence(name) + 1
            ends_at = now + timedelta(seconds=seconds)
            lease = Lease(owner=owner, fence=fence, seen_at=now, ends_at=ends_at)
            self._held[name] = lease
            return lease

    def release(self, name: str, *, lease: Lease) -> None:
        with self._lock:
            if name in self._held and self._held[name].fence == lease.fence:
                del self._held[name]

    def fence(self, name: str) -> int:
        """Return the highest fence so far, 0 before the first lease."""
        return self._fences.get(name, 0)


class MemoryTicketStore:
    def __init__(self, leases: MemoryLeaseStore) -> None:
        self._leases, self._lock = leases, threading.Lock()
        self._generations: dict[str, int] = {}
        self.records: dict[str, bytes] = {}

    def get(self, app_id: str) -> TicketPair | None:
        record = self.records.get(app_id)
        return None if record is None else decode_pair(record)

    def put(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        with self._lock:
            if self._generations.get(app_id, 0) != expected_generation:
                raise StaleOwnerError("ticket generation")
            if self._leases.fence(refresh_lease(app_id)) != lease.fence:
                raise StaleOwnerError("refresh lease")
            self._generations[app_id] = pair.generation
            self.records[app_id] = encode_pair(pair)


class Row(NamedTuple):
    """A stored order: the columns to compare and sort by, and the encoded record."""

    version: int
    fence: int
    due_at: datetime | None
    pending_work: PendingWork
    state: OrderState
    registered_at: datetime
    record: bytes


class MemoryOrderStore:
    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self.rows: dict[OrderKey, Row] = {}
        self.poison: list[tuple[str, str, str]] = []

    def now(self) -> datetime:
        return self._clock.now()

    def register(self, draft: OrderRecord) -> Claim:
        with self._lock:
            there = self.get(draft.key)
            if there is None:
                self._write(draft)
            return Claim(there or draft, granted=there is None)

    def claim(
        self,
        draft: OrderRecord,
        *,
        owner: str,
        lease: timedelta,
        urgency: Urgency,
        folder: str,
        document: Document | None = None,
    ) -> Claim:
        with self._lock:
            there = self.get(draft.key)
            taken = rules.try_claim(
                there,
                draft,
                owner=owner,
                now=self.now(),
                lease=lease,
                urgency=urgency,
                folder=folder,
                document=document,
            )
            record = taken or there or draft
            if taken or there is None:
                self._write(record)
            return Claim(record, granted=taken is not None)

    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        with self._lock:
            row = self.rows.get(expected.key)
            if row is None or row[:2] != (expected.version, expected.fence):
                raise StaleOwnerError("order")
            self._write(record)

    def get(self, order: OrderKey) -> OrderRecord | None:
        row = self.rows.get(order)
        return None if row is None else decode_record(row.record)

    def list_due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        return self._page(
            app_id, {PendingWork.COLLECT, PendingWork.CHECK_ORPHANS}, limit, after
        )

    def list_unsent(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page:
        return self._page(app_id, {PendingWork.PUBLISH}, limit, after)

    def find(
        self,
        app_id: str,
        wanted: OrderFilter,
        *,
        limit: int,
        after: FindCursor | None = None,
    ) -> FoundPage:
        """Look at every row."""
        with self._lock:
            rows = sorted(
                (
                    Candidate(
                        entry_of(to_ticks(row.registered_at), key.order_no), row.record
                    )
                    for key, row in self.rows.items()
                    if key.app_id == app_id and wanted.state in {None, row.state}
                ),
                key=lambda row: row.entry,
                reverse=True,
            )

        def fetch(bounds: Bounds, limit: int) -> list[Candidate]:
            return [row for row in rows if bounds.holds(row.entry)][:limit]

        return find_page(fetch, wanted=wanted, limit=limit, after=after)

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        self.poison.append((app_id, source, problem))

    def _write(self, record: OrderRecord) -> None:
        self.rows[record.key] = Row(
            record.version,
            record.fence,
            record.due_at,
            record.pending_work,
            record.state,
            record.registered_at,
            encode_record(record),
        )

    def _page(
        self, app_id: str, needs: set[PendingWork], limit: int, after: Cursor | None
    ) -> Page:
        begin = (after.due_at, after.order_no) if after else None
        with self._lock:
            now = self.now()
            found = sorted(
                (row.due_at, key.order_no, row.record)
                for key, row in self.rows.items()
                if key.app_id == app_id and row.pending_work in needs
                if row.due_at is not None and row.due_at <= now
                if begin is None or (row.due_at, key.order_no) > begin
            )
        records, page = [], found[:limit]
        for _, _, record in page:
            with suppress(NewerSchemaError, StoreUnavailableError):
                records.append(decode_record(record))
        end = Cursor(*page[-1][:2]) if len(found) > limit else None
        return Page(tuple(records), end, unreadable=len(page) - len(records))


class MemoryBreakerStore:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._breakers: dict[str, BreakerRecord] = {}

    def get(self, app_id: str) -> BreakerRecord:
        return self._breakers.get(app_id, BreakerRecord())

    def open(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> None:
        with self._lock:
            if self.get(app_id).version != expected_version:
                raise StaleOwnerError("breaker")
            self._breakers[app_id] = breaker

    def close(self, app_id: str) -> None:
        with self._lock:
            self._breakers[app_id] = BreakerRecord(version=self.get(app_id).version + 1)
