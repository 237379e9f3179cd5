"""Defines the state file's tables: tickets, leases, orders, breakers and poison."""

from datetime import datetime, timezone
from pathlib import Path

from kycourier.adapters.local.sqlite import SqliteFile

SCHEMA = 1
TABLES = """
    CREATE TABLE tickets (
        app_id TEXT PRIMARY KEY, generation INTEGER NOT NULL, record BLOB NOT NULL
    );
    CREATE TABLE leases (
        name TEXT PRIMARY KEY, owner TEXT, fence INTEGER NOT NULL, ends_at REAL NOT NULL
    );
    CREATE TABLE orders (
        app_id TEXT NOT NULL, order_no TEXT NOT NULL,
        version INTEGER NOT NULL, fence INTEGER NOT NULL,
        due_at REAL, need TEXT NOT NULL, record BLOB NOT NULL,
        PRIMARY KEY (app_id, order_no)
    );
    CREATE INDEX orders_due ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need IN ('collect', 'check_orphans');
    CREATE INDEX orders_unsent ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need = 'publish';
    CREATE TABLE breakers (
        app_id TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL
    );
    CREATE TABLE poison (
        app_id TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL,
        count INTEGER NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
        PRIMARY KEY (app_id, source, problem)
    )
"""


def open_stores(path: str | Path) -> SqliteFile:
    """Opens the state file; creates it if absent. Raises as `SqliteFile` does."""
    return SqliteFile(path, schema=SCHEMA, tables=TABLES)


def to_seconds(instant: datetime) -> float:
    """Returns an instant as seconds since 1970, exact to the microsecond."""
    return instant.timestamp()


def to_instant(seconds: float) -> datetime:
    """Reverses `to_seconds`; returns aware UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)
