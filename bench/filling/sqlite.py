"""A state file filled in one transaction, nothing flushed before its end."""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from kycourier.adapters.local.state import open_state, to_seconds
from kycourier.core.order_record import OrderRecord, encode_record

_INSERT = (
    "INSERT INTO orders (app_id, order_no, version, fence, due_at, need, record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_QUICKLY = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144")


def fill_sqlite(path: Path, records: Iterable[OrderRecord]) -> None:
    """Write the rows; whoever opens the file next sets its journal again."""
    open_state(path)  # makes the tables; nobody keeps it open
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for setting in _QUICKLY:
            file.execute(f"PRAGMA {setting}")
        file.execute("BEGIN")
        file.executemany(_INSERT, map(_spell, records))
        file.execute("COMMIT")
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _spell(record: OrderRecord) -> tuple[object, ...]:
    return (
        record.app_id,
        record.order_no,
        record.version,
        record.fence,
        to_seconds(record.due_at) if record.due_at else None,
        record.need.value,
        encode_record(record),
    )
