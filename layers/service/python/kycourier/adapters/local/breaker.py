"""Stores the app's circuit breaker in SQLite, with compare-and-set on its version."""

import sqlite3
from pathlib import Path

from kycourier.adapters.local.schema import open_stores
from kycourier.core.circuit_breaker import BreakerRecord, decode_breaker, encode_breaker
from kycourier.core.errors import StaleOwnerError


class SqliteBreakerStore:
    """Circuit breakers in the state file."""

    def __init__(self, path: str | Path) -> None:
        """Opens the state file. Raises StoreUnavailableError, NewerSchemaError."""
        self._state = open_stores(path)

    def get(self, app_id: str) -> BreakerRecord:
        """Reads the breaker; a closed one if there is none.

        Raises:
            StoreUnavailableError: SQLite failed.
            NewerSchemaError: a newer release wrote it.
        """
        rows = self._state.read(
            "SELECT record FROM breakers WHERE app_id = ?", (app_id,)
        )
        return decode_breaker(rows[0]["record"]) if rows else BreakerRecord()

    def open(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> None:
        """Writes the breaker over the expected version.

        Raises:
            StaleOwnerError: another version is stored.
            StoreUnavailableError: SQLite failed.
        """

        def replace(state: sqlite3.Connection) -> None:
            if _version(state, app_id) != expected_version:
                raise StaleOwnerError("breaker")
            _write(state, app_id, breaker)

        self._state.write(replace)

    def close(self, app_id: str) -> None:
        """Closes the breaker, whoever opened it. Raises StoreUnavailableError."""

        def reset(state: sqlite3.Connection) -> None:
            _write(state, app_id, BreakerRecord(version=_version(state, app_id) + 1))

        self._state.write(reset)


def _version(state: sqlite3.Connection, app_id: str) -> int:
    rows = state.execute("SELECT version FROM breakers WHERE app_id = ?", (app_id,))
    row = rows.fetchone()
    return int(row["version"]) if row else BreakerRecord().version


def _write(state: sqlite3.Connection, app_id: str, breaker: BreakerRecord) -> None:
    state.execute(
        "INSERT OR REPLACE INTO breakers VALUES (?, ?, ?)",
        (app_id, breaker.version, encode_breaker(breaker)),
    )
