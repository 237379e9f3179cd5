"""The orders' rows in SQLite: decisions in transactions, pages off an index."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from kycourier.adapters.local.state import open_state, to_instant, to_seconds
from kycourier.core import order as rules
from kycourier.core.errors import NewerSchema, StaleOwner, StoreUnavailable, forgetful
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, decode_record, encode_record
from kycourier.ports import Claim, Clock, Cursor, Page

# The terms on `need` stand here as they do in the partial indexes, or they go unused.
DUE = (
    "SELECT due_at, order_no, record FROM orders WHERE app_id = ?"
    " AND need IN ('collect', 'tidy') AND due_at <= ?"
    " AND (due_at, order_no) > (?, ?) ORDER BY due_at, order_no LIMIT ?"
)
UNSENT = (
    "SELECT due_at, order_no, record FROM orders WHERE app_id = ?"
    " AND need = 'send' AND due_at <= ?"
    " AND (due_at, order_no) > (?, ?) ORDER BY due_at, order_no LIMIT ?"
)
_LOAD = "SELECT record FROM orders WHERE app_id = ? AND order_no = ?"
_FIRST = (float("-inf"), "")


class SqliteOrderStore:
    """Orders of the state file, by the machine's clock."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Open the state file. Raises StoreUnavailable, NewerSchema."""
        self._state, self._clock = open_state(path), clock

    def now(self) -> datetime:
        """Tell the machine's clock, aware UTC."""
        return self._clock.now()

    @forgetful
    def register(self, draft: OrderRecord) -> Claim:
        """Insert the row, or give the one that is there, not granted.

        Raises StoreUnavailable, NewerSchema.
        """

        def insert(state: sqlite3.Connection) -> Claim:
            there = _find(state, draft.key)
            if there is None:
                _insert(state, draft)
            return Claim(there or draft, granted=there is None)

        return self._state.write(insert)

    @forgetful
    def claim(
        self,
        draft: OrderRecord,
        *,
        owner: str,
        lease: timedelta,
        urgency: Urgency,
        folder: str,
    ) -> Claim:
        """Take the order if it may be taken; insert it if absent.

        Raises StoreUnavailable, NewerSchema.
        """

        def take(state: sqlite3.Connection) -> Claim:
            there = _find(state, draft.key)
            taken = rules.take(
                there,
                draft,
                owner=owner,
                now=self._clock.now(),
                lease=lease,
                urgency=urgency,
                folder=folder,
            )
            if there is None:
                _insert(state, taken or draft)
            elif taken is not None:
                _replace(state, taken, expected=there)
            return Claim(taken or there or draft, granted=taken is not None)

        return self._state.write(take)

    @forgetful
    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replace the row if version and fence are those of `expected`.

        That events were sent need not last: they would be sent again, as they were.
        Raises StaleOwner, StoreUnavailable.
        """
        only_sent = bool(expected.unsent) and not record.unsent
        self._state.write(
            lambda state: _replace(state, record, expected=expected),
            must_last=not only_sent,
        )

    @forgetful
    def load(self, order: OrderKey) -> OrderRecord | None:
        """Read a row, strongly. Raises StoreUnavailable, NewerSchema."""
        rows = self._state.read(_LOAD, (order.app_id, order.order_no))
        return decode_record(rows[0]["record"]) if rows else None

    def due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List rows that are due to be collected or tidied. Raises StoreUnavailable."""
        return self._page(DUE, app_id, limit, after)

    def unsent(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List final rows that are due to be sent. Raises StoreUnavailable."""
        return self._page(UNSENT, app_id, limit, after)

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Count an unusable message: where from and why. Raises StoreUnavailable."""
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
        records = tuple(_readable(rows))
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
        "INSERT INTO orders (version, fence, due_at, need, record, app_id, order_no)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*_columns(record), record.app_id, record.order_no),
    )


def _replace(
    state: sqlite3.Connection, record: OrderRecord, *, expected: OrderRecord
) -> None:
    written = state.execute(
        "UPDATE orders SET version = ?, fence = ?, due_at = ?, need = ?, record = ?"
        " WHERE app_id = ? AND order_no = ? AND version = ? AND fence = ?",
        (
            *_columns(record),
            expected.app_id,
            expected.order_no,
            expected.version,
            expected.fence,
        ),
    )
    if written.rowcount == 0:
        raise StaleOwner("order")


def _columns(record: OrderRecord) -> tuple[int, int, float | None, str, bytes]:
    return (
        record.version,
        record.fence,
        to_seconds(record.due_at) if record.due_at else None,
        record.need.value,
        encode_record(record),
    )


def _readable(rows: Iterable[sqlite3.Row]) -> Iterator[OrderRecord]:
    """Decode what can be; a page passes over the rest."""
    for row in rows:
        with suppress(NewerSchema, StoreUnavailable):
            yield decode_record(row["record"])
