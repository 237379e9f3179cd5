"""Leases in SQLite, by the machine's clock; a lease's row keeps its fence for good."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from kycourier.adapters.local.state import open_state, to_instant, to_seconds
from kycourier.core.models import Lease
from kycourier.ports import Clock


class SqliteLeaseStore:
    """Leases of the state file."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Open the state file. Raises StoreUnavailable, NewerSchema."""
        self._state, self._clock = open_state(path), clock

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Take the lease, or None while another holds it. Raises StoreUnavailable."""

        def take(state: sqlite3.Connection) -> Lease | None:
            now = self._clock.now()
            row = state.execute(
                "SELECT owner, fence, ends_at FROM leases WHERE name = ?", (name,)
            ).fetchone()
            held = row and row["owner"] is not None and to_instant(row["ends_at"]) > now
            if held and row["owner"] != owner:
                return None
            fence = row["fence"] if row else 0
            if held:
                ends_at = to_instant(row["ends_at"])
                return Lease(owner=owner, fence=fence, seen_at=now, ends_at=ends_at)
            ends_at = now + timedelta(seconds=seconds)
            state.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
                (name, owner, fence + 1, to_seconds(ends_at)),
            )
            return Lease(owner=owner, fence=fence + 1, seen_at=now, ends_at=ends_at)

        return self._state.write(take)

    def release(self, name: str, *, lease: Lease) -> None:
        """End the lease if it is still this one. Raises StoreUnavailable."""
        self._state.write(
            lambda state: state.execute(
                "UPDATE leases SET owner = NULL WHERE name = ? AND fence = ?",
                (name, lease.fence),
            )
        )
