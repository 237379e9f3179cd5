"""The tables of the state file: tickets, leases, orders, brakes and poison."""

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
        WHERE due_at IS NOT NULL AND need IN ('collect', 'tidy');
    CREATE INDEX orders_unsent ON orders (app_id, due_at, order_no)
        WHERE due_at IS NOT NULL AND need = 'send';
    CREATE TABLE brakes (
        app_id TEXT PRIMARY KEY, version INTEGER NOT NULL, record BLOB NOT NULL
    );
    CREATE TABLE poison (
        app_id TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL,
        count INTEGER NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL,
        PRIMARY KEY (app_id, source, problem)
    )
"""


def open_state(path: str | Path) -> SqliteFile:
    """Open the state file, made if there is none. Raises as `SqliteFile`."""
    return SqliteFile(path, schema=SCHEMA, tables=TABLES)


def to_seconds(instant: datetime) -> float:
    """Give an instant as seconds since 1970, exact to the microsecond."""
    return instant.timestamp()


def to_instant(seconds: float) -> datetime:
    """Undo `to_seconds`: aware UTC."""
    return datetime.fromtimestamp(seconds, timezone.utc)
