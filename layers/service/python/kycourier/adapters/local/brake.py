"""The app's pause in SQLite: written over the version it was read at, or not."""

import sqlite3
from pathlib import Path

from kycourier.adapters.local.state import open_state
from kycourier.core.brake import Brake, decode_brake, encode_brake
from kycourier.core.errors import StaleOwner


class SqliteBrakeStore:
    """Brakes of the state file."""

    def __init__(self, path: str | Path) -> None:
        """Open the state file. Raises StoreUnavailable, NewerSchema."""
        self._state = open_state(path)

    def load(self, app_id: str) -> Brake:
        """Read the brake, or a clean one. Raises StoreUnavailable, NewerSchema."""
        rows = self._state.read("SELECT record FROM brakes WHERE app_id = ?", (app_id,))
        return decode_brake(rows[0]["record"]) if rows else Brake()

    def trip(self, app_id: str, brake: Brake, *, expected_version: int) -> None:
        """Write the brake over the expected version. Raises StaleOwner."""

        def replace(state: sqlite3.Connection) -> None:
            if _version(state, app_id) != expected_version:
                raise StaleOwner("brake")
            _write(state, app_id, brake)

        self._state.write(replace)

    def release(self, app_id: str) -> None:
        """End the pause, whoever began it. Raises StoreUnavailable."""

        def reset(state: sqlite3.Connection) -> None:
            _write(state, app_id, Brake(version=_version(state, app_id) + 1))

        self._state.write(reset)


def _version(state: sqlite3.Connection, app_id: str) -> int:
    rows = state.execute("SELECT version FROM brakes WHERE app_id = ?", (app_id,))
    row = rows.fetchone()
    return int(row["version"]) if row else Brake().version


def _write(state: sqlite3.Connection, app_id: str, brake: Brake) -> None:
    state.execute(
        "INSERT OR REPLACE INTO brakes VALUES (?, ?, ?)",
        (app_id, brake.version, encode_brake(brake)),
    )
