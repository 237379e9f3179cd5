"""Defines the state file's tables: tickets, leases, orders, breakers and poison."""

import sqlite3
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from kycourier.adapters.local.sqlite import SqliteFile
from kycourier.adapters.stores.timestamps import to_ticks
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.record import decode_record

SCHEMA = 2
TABLES = """
    CREATE TABLE IF NOT EXISTS tickets (
        app_id TEXT PRIMARY KEY, generation INTEGER NOT NULL, record BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS leases (
        name TEXT PRIMARY KEY, owner TEXT, fence INTEGER NOT NULL, ends_at REAL NOT NULL
    );
    CREATE TABLE IF NOT EXISTS orders (
        app_id TEXT NOT NULL, order_no TEXT NOT NULL,
        version INTEGER NOT NULL, fence INTEGER NOT NULL,
        due_at REAL, need TEXT NOT NULL, record BLOB NOT NULL,
        state TEXT NOT NULL DEFAULT '', registered INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (app_id, order_no)
    );
    CREATE INDEX IF NOT EXISTS orders_found ON orders (app_id, registered, order_no);
    CREATE INDEX IF NOT EXISTS orders_found_by_state
        ON orders (app_id, state, registered, order_no);
    CREATE INDEX IF NOT EXISTS orders_due ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need IN ('collect', 'check_orphans');
    CREATE INDEX IF NOT EXISTS orders_unsent ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need = 'publish';
    CREATE TABLE IF NOT EXISTS breakers (
        app_id TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS poison (
        app_id TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL,
        count INTEGER NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
        PRIMARY KEY (app_id, source, problem)
    )
"""


def open_stores(path: str | Path) -> SqliteFile:
    """Opens the state file; creates or upgrades it. Raises as `SqliteFile` does."""
    upgrades = {1: _add_search}
    return SqliteFile(path, schema=SCHEMA, tables=TABLES, upgrades=upgrades)


def _add_search(connection: sqlite3.Connection) -> None:
    """Adds the columns by which orders are found, and fills them from the rows.

    The first version also had other names for the kinds of work that wait. A row that
    cannot be read keeps its values, and is found in no state.
    """
    for index in ("orders_due", "orders_unsent"):
        connection.execute(f"DROP INDEX {index}")
    for column in (
        "state TEXT NOT NULL DEFAULT ''",
        "registered INTEGER NOT NULL DEFAULT 0",
    ):
        connection.execute(f"ALTER TABLE orders ADD COLUMN {column}")
    rows = connection.execute("SELECT rowid, record FROM orders").fetchall()
    for rowid, content in rows:
        with suppress(NewerSchemaError, StoreUnavailableError):
            record = decode_record(content)
            need, state = record.pending_work.value, record.state.value
            connection.execute(
                "UPDATE orders SET need = ?, state = ?, registered = ? WHERE rowid = ?",
                (need, state, to_ticks(record.registered_at), rowid),
            )
    for statement in TABLES.split(";"):
        connection.execute(statement)


def to_seconds(instant: datetime) -> float:
    """Returns an instant as seconds since 1970, exact to the microsecond."""
    return instant.timestamp()


def to_instant(seconds: float) -> datetime:
    """Reverses `to_seconds`; returns aware UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)
