"""Queues delayed work in its own SQLite file, delivered as a cloud's queue does."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from kycourier.adapters.local.sqlite import SqliteFile
from kycourier.core.orders.order_request import build_reminder
from kycourier.core.orders.record import OrderKey
from kycourier.core.redaction import repr_only
from kycourier.ports import Clock

SCHEMA = 1
TABLES = """
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT, visible_at REAL NOT NULL,
        receives INTEGER NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX messages_visible ON messages (visible_at, number)
"""


@repr_only("number", "receives")
class QueuedMessage(Struct, frozen=True):
    """One delivery of a message; `receives` counts deliveries, including this one."""

    number: int
    receives: int
    body: str


class SqliteWorkQueue:
    """A queue for the local gateway, which calls `receive`, then `acknowledge`."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Opens the queue's file. Raises StoreUnavailableError, NewerSchemaError."""
        self._file = SqliteFile(path, schema=SCHEMA, tables=TABLES)
        self._clock = clock

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Delivers a message for the order after `delay`.

        Raises:
            StoreUnavailableError: SQLite failed.
        """
        visible_at = (self._clock.now() + delay).timestamp()
        body = build_reminder(order)
        self._file.write(
            lambda queue: queue.execute(
                "INSERT INTO messages (visible_at, receives, body) VALUES (?, 0, ?)",
                (visible_at, body),
            )
        )

    def receive(
        self, limit: int, *, visibility_seconds: float
    ) -> tuple[QueuedMessage, ...]:
        """Takes up to `limit` messages, the longest due first, and hides them.

        A message that is not acknowledged within `visibility_seconds` is delivered
        again.

        Raises:
            StoreUnavailableError: SQLite failed.
        """

        def take(queue: sqlite3.Connection) -> tuple[QueuedMessage, ...]:
            now = self._clock.now().timestamp()
            rows = queue.execute(
                "SELECT number, receives + 1, body FROM messages WHERE visible_at <= ?"
                " ORDER BY visible_at, number LIMIT ?",
                (now, limit),
            ).fetchall()
            queue.executemany(
                "UPDATE messages SET visible_at = ?, receives = receives + 1"
                " WHERE number = ?",
                [(now + visibility_seconds, row["number"]) for row in rows],
            )
            return tuple(QueuedMessage(*row) for row in rows)

        return self._file.write(take)

    def acknowledge(self, message: QueuedMessage) -> None:
        """Deletes a message, unless it has been delivered again.

        Raises:
            StoreUnavailableError: SQLite failed.
        """
        self._file.write(
            lambda queue: queue.execute(
                "DELETE FROM messages WHERE number = ? AND receives = ?",
                (message.number, message.receives),
            )
        )
