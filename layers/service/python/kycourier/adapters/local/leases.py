"""Stores leases in SQLite, by the machine's clock; rows keep their fence for ever."""

import sqlite3
from datetime import timedelta
from pathlib import Path

from kycourier.adapters.local.schema import open_stores, to_instant, to_seconds
from kycourier.core.leases import Lease
from kycourier.ports import Clock


class SqliteLeaseStore:
    """Leases in the state file."""

    def __init__(self, path: str | Path, clock: Clock) -> None:
        """Opens the state file. Raises StoreUnavailableError, NewerSchemaError."""
        self._state, self._clock = open_stores(path), clock

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Takes the lease; returns None while another owner holds it.

        Raises:
            StoreUnavailableError: SQLite failed.
        """

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
        """Ends the lease if it is still this one. Raises StoreUnavailableError."""
        self._state.write(
            lambda state: state.execute(
                "UPDATE leases SET owner = NULL WHERE name = ? AND fence = ?",
                (name, lease.fence),
            )
        )
