"""Stores the ticket pair in SQLite, in the same file as its refresh lease."""

import sqlite3
from pathlib import Path

from kycourier.adapters.local.schema import open_stores
from kycourier.core.errors import StaleOwnerError
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.redaction import scrub_traceback
from kycourier.core.tickets.pair import TicketPair, decode_pair, encode_pair


class SqliteTicketStore:
    """Tickets in the state file; the leases must be in the same file."""

    def __init__(self, path: str | Path) -> None:
        """Opens the state file. Raises StoreUnavailableError, NewerSchemaError."""
        self._state = open_stores(path)

    @scrub_traceback
    def get(self, app_id: str) -> TicketPair | None:
        """Reads the pair. Raises StoreUnavailableError, NewerSchemaError."""
        rows = self._state.read(
            "SELECT record FROM tickets WHERE app_id = ?", (app_id,)
        )
        return decode_pair(rows[0]["record"]) if rows else None

    @scrub_traceback
    def put(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Writes the pair over the expected generation if `lease` is the latest.

        Raises:
            StaleOwnerError: the generation or the lease's fence has moved on.
            StoreUnavailableError: SQLite failed.
        """

        def replace(state: sqlite3.Connection) -> None:
            if _generation(state, app_id) != expected_generation:
                raise StaleOwnerError("ticket generation")
            if _fence(state, refresh_lease(app_id)) != lease.fence:
                raise StaleOwnerError("refresh lease")
            state.execute(
                "INSERT OR REPLACE INTO tickets VALUES (?, ?, ?)",
                (app_id, pair.generation, encode_pair(pair)),
            )

        self._state.write(replace)


def _generation(state: sqlite3.Connection, app_id: str) -> int:
    return _number(
        state.execute("SELECT generation FROM tickets WHERE app_id = ?", (app_id,))
    )


def _fence(state: sqlite3.Connection, name: str) -> int:
    return _number(state.execute("SELECT fence FROM leases WHERE name = ?", (name,)))


def _number(rows: sqlite3.Cursor) -> int:
    row = rows.fetchone()
    return int(row[0]) if row else 0
