"""The app's pause in DynamoDB: written over the version it was read at, or not."""

from kycourier.adapters.aws.table import TRIES, Table
from kycourier.core.brake import Brake, decode_brake, encode_brake
from kycourier.core.errors import StaleOwner, StoreUnavailable


class DynamoBrakeStore:
    """Brakes of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, app_id: str) -> Brake:
        """Read the brake, or a clean one. Raises StoreUnavailable, NewerSchema."""
        there = self._table.load(_key(app_id))
        return decode_brake(there.content("record") or b"") if there else Brake()

    def trip(self, app_id: str, brake: Brake, *, expected_version: int) -> None:
        """Write the brake over the expected version.

        Raises StaleOwner, StoreUnavailable.
        """
        if not self._write(app_id, brake, over=expected_version):
            raise StaleOwner("brake")

    def release(self, app_id: str) -> None:
        """End the pause, whoever began it. Raises StoreUnavailable."""
        for _ in range(TRIES):
            there = self._table.load(_key(app_id))
            version = there.number("version") if there else None
            clean = Brake(version=(version or 0) + 1)
            if self._write(app_id, clean, over=version or 0):
                return
        raise StoreUnavailable("contended")

    def _write(self, app_id: str, brake: Brake, *, over: int) -> bool:
        return self._table.write(
            _key(app_id),
            {"version": brake.version, "record": encode_brake(brake)},
            expected={"version": over or None},
        )


def _key(app_id: str) -> str:
    return f"brake/{app_id}"
