"""Stores the app's circuit breaker in DynamoDB, with compare-and-set on its version."""

from kycourier.adapters.aws.dynamodb.table import MAX_TRIES, Table
from kycourier.core.circuit_breaker import BreakerRecord, decode_breaker, encode_breaker
from kycourier.core.errors import StaleOwnerError, StoreUnavailableError


class DynamoBreakerStore:
    """Circuit breakers in a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, app_id: str) -> BreakerRecord:
        """Reads the breaker; a closed one if there is none.

        Raises:
            StoreUnavailableError: DynamoDB failed.
            NewerSchemaError: a newer release wrote it.
        """
        stored = self._table.get(_key(app_id))
        if stored is None:
            return BreakerRecord()
        return decode_breaker(stored.content("record") or b"")

    def open(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> None:
        """Writes the breaker over the expected version.

        Raises:
            StaleOwnerError: another version is stored.
            StoreUnavailableError: DynamoDB failed.
        """
        if not self._write(app_id, breaker, expected_version=expected_version):
            raise StaleOwnerError("breaker")

    def close(self, app_id: str) -> None:
        """Closes the breaker, whoever opened it. Raises StoreUnavailableError."""
        for _ in range(MAX_TRIES):
            stored = self._table.get(_key(app_id))
            version = stored.number("version") if stored else None
            closed = BreakerRecord(version=(version or 0) + 1)
            if self._write(app_id, closed, expected_version=version or 0):
                return
        raise StoreUnavailableError("contended")

    def _write(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> bool:
        return self._table.write(
            _key(app_id),
            {"version": breaker.version, "record": encode_breaker(breaker)},
            expected={"version": expected_version or None},
        )


def _key(app_id: str) -> str:
    return f"breaker/{app_id}"
