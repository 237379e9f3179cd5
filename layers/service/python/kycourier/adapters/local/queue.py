"""Delayed work in a SQLite file of its own, as a cloud's queue would deliver it."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from kycourier.adapters.local.sqlite import SqliteFile
from kycourier.core.hidden import shows
from kycourier.core.message import build_reminder
from kycourier.core.models import Document, OrderKey
from kycourier.ports import Clock

SCHEMA = 1
TABLES = """
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT, visible_at REAL NOT NULL,
        receives INTEGER NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX messages_visible ON messages (visible_at, number)
"""


@shows("number", "receives")
class QueuedMessage(Struct, frozen=True):
    """One delivery of a message; `receives` counts the deliveries, this one too."""

    number: int
    receives: int
    body: str


class SqliteWorkQueue:
    """A queue whose consumer is the local gateway: `receive`, then `acknowledge`."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Open the queue's file. Raises StoreUnavailable, NewerSchema."""
        self._file = SqliteFile(path, schema=SCHEMA, tables=TABLES)
        self._clock = clock

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Deliver a message for the order after `delay`. Raises StoreUnavailable."""
        visible_at = (self._clock.now() + delay).timestamp()
        body = build_reminder(order, Document.BANK_CARD)
        self._file.write(
            lambda queue: queue.execute(
                "INSERT INTO messages (visible_at, receives, body) VALUES (?, 0, ?)",
                (visible_at, body),
            )
        )

    def receive(
        self, limit: int, *, visibility_seconds: float
    ) -> tuple[QueuedMessage, ...]:
        """Take up to `limit` messages, the longest due first, and hide them meanwhile.

        What is not acknowledged by then is delivered again. Raises StoreUnavailable.
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
        """End a message, unless delivered again since. Raises StoreUnavailable."""
        self._file.write(
            lambda queue: queue.execute(
                "DELETE FROM messages WHERE number = ? AND receives = ?",
                (message.number, message.receives),
            )
        )
