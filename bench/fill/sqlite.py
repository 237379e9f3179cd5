"""Fills a state file in one transaction, flushed at its end."""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from kycourier.adapters.local.schema import open_stores, to_seconds
from kycourier.adapters.stores.timestamps import to_ticks
from kycourier.core.orders.record import OrderRecord, encode_record

_INSERT = (
    "INSERT INTO orders (app_id, order_no, version, fence, due_at, need, record, state,"
    " registered) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_FAST = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144")


def fill_sqlite(path: Path, records: Iterable[OrderRecord]) -> None:
    """Writes the rows; the next to open the file sets its event_log mode again."""
    open_stores(path)  # creates the tables
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for setting in _FAST:
            file.execute(f"PRAGMA {setting}")
        file.execute("BEGIN")
        file.executemany(_INSERT, map(_encode, records))
        file.execute("COMMIT")
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _encode(record: OrderRecord) -> tuple[object, ...]:
    return (
        record.app_id,
        record.order_no,
        record.version,
        record.fence,
        to_seconds(record.due_at) if record.due_at else None,
        record.pending_work.value,
        encode_record(record),
        record.state.value,
        to_ticks(record.registered_at),
    )
