"""The ticket pair in SQLite, beside the lease that guards it."""

import sqlite3
from pathlib import Path

from kycourier.adapters.local.state import open_state
from kycourier.core.errors import StaleOwner, forgetful
from kycourier.core.models import Lease
from kycourier.core.ticket import TicketPair, decode_pair, encode_pair, refresh_lease


class SqliteTicketStore:
    """Tickets of the state file; the leases must lie in the same file."""

    def __init__(self, path: str | Path) -> None:
        """Open the state file. Raises StoreUnavailable, NewerSchema."""
        self._state = open_state(path)

    @forgetful
    def load(self, app_id: str) -> TicketPair | None:
        """Read the pair, strongly. Raises StoreUnavailable, NewerSchema."""
        rows = self._state.read(
            "SELECT record FROM tickets WHERE app_id = ?", (app_id,)
        )
        return decode_pair(rows[0]["record"]) if rows else None

    @forgetful
    def save(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Write the pair over the expected generation while no later lease was given.

        Raises StaleOwner, StoreUnavailable.
        """

        def replace(state: sqlite3.Connection) -> None:
            if _generation(state, app_id) != expected_generation:
                raise StaleOwner("ticket generation")
            if _fence(state, refresh_lease(app_id)) != lease.fence:
                raise StaleOwner("refresh lease")
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
