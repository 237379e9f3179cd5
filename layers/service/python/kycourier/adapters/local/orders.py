"""Stores the orders' rows in SQLite, and decides on them within transactions."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from kycourier.adapters.local.find_orders import find_orders
from kycourier.adapters.local.schema import open_stores, to_instant, to_seconds
from kycourier.adapters.stores.timestamps import to_ticks
from kycourier.core.documents.recognition import Document
from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
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
    decode_record,
    encode_record,
)
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import scrub_traceback
from kycourier.ports import Clock

# SQLite uses a partial index only if the terms on `need` equal those of the index.
DUE = (
    "SELECT due_at, order_no, record FROM orders WHERE app_id = ?"
    " AND need IN ('collect', 'check_orphans') AND due_at <= ?"
    " AND (due_at, order_no) > (?, ?) ORDER BY due_at, order_no LIMIT ?"
)
UNSENT = (
    "SELECT due_at, order_no, record FROM orders WHERE app_id = ?"
    " AND need = 'publish' AND due_at <= ?"
    " AND (due_at, order_no) > (?, ?) ORDER BY due_at, order_no LIMIT ?"
)
_LOAD = "SELECT record FROM orders WHERE app_id = ? AND order_no = ?"
_FIRST = (float("-inf"), "")


class SqliteOrderStore:
    """Orders in the state file, by the machine's clock."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Opens the state file. Raises StoreUnavailableError, NewerSchemaError."""
        self._state, self._clock = open_stores(path), clock

    def now(self) -> datetime:
        """Returns the machine's clock, aware UTC."""
        return self._clock.now()

    @scrub_traceback
    def register(self, draft: OrderRecord) -> Claim:
        """Inserts the row; returns the stored row, not granted, if there is one.

        Raises:
            StoreUnavailableError: SQLite failed.
            NewerSchemaError: a newer release wrote the row.
        """

        def insert(state: sqlite3.Connection) -> Claim:
            stored = _find(state, draft.key)
            if stored is None:
                _insert(state, draft)
            return Claim(stored or draft, granted=stored is None)

        return self._state.write(insert)

    @scrub_traceback
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
        """Claims the order if it may be claimed; inserts it if absent.

        Raises:
            StoreUnavailableError: SQLite failed.
            NewerSchemaError: a newer release wrote the row.
        """

        def claim(state: sqlite3.Connection) -> Claim:
            stored = _find(state, draft.key)
            claimed = rules.try_claim(
                stored,
                draft,
                owner=owner,
                now=self._clock.now(),
                lease=lease,
                urgency=urgency,
                folder=folder,
                document=document,
            )
            if stored is None:
                _insert(state, claimed or draft)
            elif claimed is not None:
                _replace(state, claimed, expected=stored)
            return Claim(claimed or stored or draft, granted=claimed is not None)

        return self._state.write(claim)

    @scrub_traceback
    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replaces the row if version and fence are those of `expected`.

        A commit after events were sent is not flushed: after a power failure the same
        events would be sent again, which is harmless.

        Raises:
            StaleOwnerError: the row has changed.
            StoreUnavailableError: SQLite failed.
        """
        only_sent = bool(expected.unsent) and not record.unsent
        self._state.write(
            lambda state: _replace(state, record, expected=expected),
            durable=not only_sent,
        )

    @scrub_traceback
    def get(self, order: OrderKey) -> OrderRecord | None:
        """Reads a row. Raises StoreUnavailableError, NewerSchemaError."""
        rows = self._state.read(_LOAD, (order.app_id, order.order_no))
        return decode_record(rows[0]["record"]) if rows else None

    def list_due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """Lists rows that are due to be collected or checked for orphans.

        Raises:
            StoreUnavailableError: SQLite failed.
        """
        return self._page(DUE, app_id, limit, after)

    def list_unsent(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page:
        """Lists due final rows with unsent events. Raises StoreUnavailableError."""
        return self._page(UNSENT, app_id, limit, after)

    @scrub_traceback
    def find(
        self,
        app_id: str,
        wanted: OrderFilter,
        *,
        limit: int,
        after: FindCursor | None = None,
    ) -> FoundPage:
        """Finds orders, the newest registered first. Raises StoreUnavailableError."""
        return find_orders(self._state, app_id, wanted, limit=limit, after=after)

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Counts an unprocessable message by source and problem.

        Raises:
            StoreUnavailableError: SQLite failed.
        """
        now = to_seconds(self._clock.now())
        self._state.write(
            lambda state: state.execute(
                "INSERT INTO poison VALUES (?, ?, ?, 1, ?, ?)"
                " ON CONFLICT (app_id, source, problem)"
                " DO UPDATE SET count = count + 1, last_at = ?",
                (app_id, source, problem, now, now, now),
            )
        )

    def _page(self, query: str, app_id: str, limit: int, after: Cursor | None) -> Page:
        now = to_seconds(self._clock.now())
        begin = (to_seconds(after.due_at), after.order_no) if after else _FIRST
        rows = self._state.read(query, (app_id, now, *begin, limit + 1))
        more, rows = len(rows) > limit, rows[:limit]
        last = rows[-1] if more else None
        records = tuple(_decode_readable(rows))
        return Page(
            records,
            Cursor(to_instant(last["due_at"]), last["order_no"]) if last else None,
            unreadable=len(rows) - len(records),
        )


def _find(state: sqlite3.Connection, key: OrderKey) -> OrderRecord | None:
    row = state.execute(_LOAD, (key.app_id, key.order_no)).fetchone()
    return decode_record(row["record"]) if row else None


def _insert(state: sqlite3.Connection, record: OrderRecord) -> None:
    state.execute(
        "INSERT INTO orders (version, fence, due_at, need, record, state, registered,"
        " app_id, order_no) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_columns(record), record.app_id, record.order_no),
    )


def _replace(
    state: sqlite3.Connection, record: OrderRecord, *, expected: OrderRecord
) -> None:
    written = state.execute(
        "UPDATE orders SET version = ?, fence = ?, due_at = ?, need = ?, record = ?,"
        " state = ?, registered = ? WHERE app_id = ? AND order_no = ?"
        " AND version = ? AND fence = ?",
        (
            *_columns(record),
            expected.app_id,
            expected.order_no,
            expected.version,
            expected.fence,
        ),
    )
    if written.rowcount == 0:
        raise StaleOwnerError("order")


def _columns(record: OrderRecord) -> tuple[int | float | str | bytes | None, ...]:
    return (
        record.version,
        record.fence,
        to_seconds(record.due_at) if record.due_at else None,
        record.pending_work.value,
        encode_record(record),
        record.state.value,
        to_ticks(record.registered_at),
    )


def _decode_readable(rows: Iterable[sqlite3.Row]) -> Iterator[OrderRecord]:
    """Decodes the rows that can be decoded; a page skips the others."""
    for row in rows:
        with suppress(NewerSchemaError, StoreUnavailableError):
            yield decode_record(row["record"])
